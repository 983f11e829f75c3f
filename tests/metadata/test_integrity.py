"""Signatures inside of labels: made, verified, and told from what shows nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import UsageError
from synthmark.labeling.metadata.aigc import parse, to_json
from synthmark.labeling.metadata.integrity import Integrity, check, signed
from synthmark.labeling.metadata.label_key import (
    ALGORITHMS,
    LabelKey,
    PublicKey,
    load_known,
    save_known,
    sm2_keys,
)
from synthmark.labeling.model import AigcLabel

LABEL = AigcLabel(
    label="1",
    content_producer="001191110102MACQD9K64010000",
    produce_id="42",
    content_propagator="platform",
    propagate_id="p-7",
)
PRODUCER = LABEL.content_producer

# A label as a provider published it: the signature is that of the SM3 digest.
PUBLISHED = AigcLabel(
    label="1",
    content_producer="001191310104MACE0YX63918020",
    produce_id="142569260085903360",
    reserved_code_1='{"SecurityData":{"Type":"TC260PG","Version":1,"PubSD":[{"Type":"'
    'DS","AlgID":"1.2.156.10197.1.501","TBSData":{"Type":"LabelMataData"},"Signature'
    '":"3046022100AE6B84B3342128AE301A597596FCD9EECF3EA0FC2DB6C250BAF234E167298E9002'
    "210097223ABB647B786A90D0A1B93CB9382EA879563B2C7F025FA006BE16AE926C14"
    '"},{"Type":"PubKey","AlgID":"1.2.156.10197.1.501","KeyValue":"3059301306072A864'
    "8CE3D020106082A811CCF5501822D034200045728F08C58D9C72150A705693EF7337859F8FF216E"
    "802630041AFAE5C036F0A67CB1FDF8C57F5F8B623284AE09E4E545464B7140B26BBDA51BAE965F8"
    '54C57AA"}]}}',
)


@pytest.fixture(scope="module")
def keys() -> dict[str, LabelKey]:
    return {name: LabelKey.generate(name) for name in ALGORITHMS}


def first(label: AigcLabel, known: Any = {}) -> Any:  # noqa: B006 - never changed
    return check(label, known)[0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_stands_in_the_label_and_verifies(
    keys: dict[str, LabelKey], algorithm: str
) -> None:
    label = signed(LABEL, keys[algorithm])
    again = parse(to_json(label))
    assert again.problems == ()
    assert again.label == label
    seal = first(label)
    assert (seal.integrity, seal.algorithm, seal.known) == (
        Integrity.VERIFIED,
        algorithm,
        False,
    )
    known = {PRODUCER: (keys[algorithm].public,)}
    assert first(label, known).known


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ["label", "content_producer", "produce_id"])
def test_an_altered_label_does_not_verify(
    keys: dict[str, LabelKey], algorithm: str, name: str
) -> None:
    label = replace(signed(LABEL, keys[algorithm]), **{name: "2"})
    assert first(label).integrity is Integrity.UNVERIFIABLE
    known = {label.content_producer: (keys[algorithm].public,)}
    assert first(label, known).integrity is Integrity.FAILED


def test_another_key_beside_the_signature_is_no_forgery_of_a_known_one(
    keys: dict[str, LabelKey],
) -> None:
    label = signed(LABEL, LabelKey.generate("ecdsa"))
    assert first(label).integrity is Integrity.VERIFIED
    known = {PRODUCER: (keys["sm2"].public, keys["ecdsa"].public)}
    assert first(label, known).integrity is Integrity.FAILED
    assert first(LABEL, known).integrity is Integrity.FAILED  # not signed at all
    assert first(LABEL, {"another": known[PRODUCER]}).integrity is Integrity.ABSENT


def test_the_propagator_signs_its_own_part(keys: dict[str, LabelKey]) -> None:
    label = signed(signed(LABEL, keys["ecdsa"]), keys["sm2"], "propagator")
    producer, propagator = check(label, {"platform": (keys["sm2"].public,)})
    assert producer.integrity is propagator.integrity is Integrity.VERIFIED
    assert (producer.known, propagator.known) == (False, True)
    moved = replace(label, propagate_id="p-8")
    producer, propagator = check(moved, {"platform": (keys["sm2"].public,)})
    assert producer.integrity is Integrity.VERIFIED
    assert propagator.integrity is Integrity.FAILED


def test_a_producer_that_only_repeats_itself_need_not_sign_twice(
    keys: dict[str, LabelKey],
) -> None:
    mirror = replace(LABEL, content_propagator=PRODUCER, propagate_id=LABEL.produce_id)
    seals = check(signed(mirror, keys["ecdsa"]), {PRODUCER: (keys["ecdsa"].public,)})
    assert [one.integrity for one in seals] == [Integrity.VERIFIED, Integrity.ABSENT]


def test_a_published_label_verifies() -> None:
    assert first(PUBLISHED).integrity is Integrity.VERIFIED
    altered = replace(PUBLISHED, produce_id="142569260085903361")
    assert first(altered).integrity is Integrity.UNVERIFIABLE


def test_spellings_in_the_wild_are_understood(keys: dict[str, LabelKey]) -> None:
    text = signed(LABEL, keys["sm2"]).reserved_code_1
    for old, new in (
        ("PubSD", "PubSd"),
        ('"Md"', '"LabelMataData"'),
        (str(keys["sm2"].public), keys["sm2"].public.point.hex()),
        (str(keys["sm2"].public), keys["sm2"].public.point[1:].hex()),
        (str(keys["sm2"].public), "00" + keys["sm2"].public.point[1:33].hex()),
        (str(keys["sm2"].public), keys["sm2"].public.point[1:33].hex()),
    ):
        assert old in text
        label = replace(LABEL, reserved_code_1=text.replace(old, new))
        assert first(label).integrity is Integrity.VERIFIED, new


def test_of_a_compressed_point_one_is_meant(keys: dict[str, LabelKey]) -> None:
    point = keys["sm2"].public.point
    form = bytes([2 + point[-1] % 2])
    assert sm2_keys(form + point[1:33]) == [keys["sm2"].public]
    assert len(sm2_keys(point[1:33])) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L-0a1b2c",
        "5f2a",
        "[]",
        "{}",
        "7",
        '{"SecurityData":7}',
        '{"SecurityData":{"Type":"other","PubSD":[{"Type":"DS"}]}}',
        '{"SecurityData":{"Type":"TC260PG"}}',
        '{"SecurityData":{"Type":"TC260PG","PubSD":7}}',
        '{"SecurityData":{"Type":"TC260PG","PubSD":[7,null,[]]}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_security_data_is_none(text: str) -> None:
    assert first(replace(LABEL, reserved_code_1=text)).integrity is Integrity.ABSENT


@pytest.mark.parametrize(
    "changes",
    [
        {"AlgID": "1.2.3"},
        {"AlgID": None},
        {"Signature": "xyz"},
        {"Signature": ""},
        {"Signature": "30" * 4000},
        {"Signature": 7},
        {"TBSData": "Md"},
        {"TBSData": {"Type": "Cnt"}},
        {"KeyID": 3},
        {"KeyValue": ""},
        {"KeyValue": "00"},
        {"KeyValue": "04" + "11" * 64},
        {"KeyValue": "05" * 33},
        {"KeyValue": "ff" * 32},
    ],
)
@pytest.mark.parametrize("algorithm", ["sm2", "ecdsa"])
def test_a_signature_that_cannot_be_used_shows_nothing(
    keys: dict[str, LabelKey], algorithm: str, changes: dict[str, Any]
) -> None:
    data = json.loads(signed(LABEL, keys[algorithm]).reserved_code_1)
    signature, key = data["SecurityData"]["PubSD"]
    (name,) = changes
    (key if name == "KeyValue" else signature).update(changes)
    label = replace(LABEL, reserved_code_1=json.dumps(data))
    assert first(label).integrity is Integrity.UNVERIFIABLE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Type", "AlgID", "TBSData", "Signature", "KeyValue", "KeyID"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(json_values, max_size=4), st.sampled_from(["DS", "PubKey"]))
def test_anything_may_stand_in_the_field(entries: list[Any], kind: str) -> None:
    entries = [
        {"AlgID": ALGORITHMS["sm2"], **one, "Type": kind}
        if isinstance(one, dict)
        else one
        for one in entries
    ]
    data = {"SecurityData": {"Type": "TC260PG", "PubSD": entries}}
    label = replace(LABEL, reserved_code_1=json.dumps(data))
    assert first(label).integrity in (Integrity.ABSENT, Integrity.UNVERIFIABLE)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_are_read_again(keys: dict[str, LabelKey], algorithm: str) -> None:
    key = keys[algorithm]
    again = LabelKey.from_pem(key.pem)
    assert again.public == key.public
    assert PublicKey.parse(str(key.public)) == key.public
    assert key.pem.splitlines()[2] not in repr(key)
    assert key.public.verifies(b"text", again.sign(b"text"))
    assert not key.public.verifies(b"texts", again.sign(b"text"))


@pytest.mark.skipif(not shutil.which("openssl"), reason="OpenSSL is not installed")
def test_openssl_knows_the_keys_and_signatures(
    keys: dict[str, LabelKey], tmp_path: Path
) -> None:
    def openssl(*arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    user = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")
    (tmp_path / "ours.pem").write_text(keys["sm2"].pem)
    (tmp_path / "text").write_bytes(b"label")
    (tmp_path / "ours.sig").write_bytes(keys["sm2"].sign(b"label"))
    openssl("pkey", "-in", "ours.pem", "-pubout", "-out", "ours.pub")
    assert PublicKey.parse((tmp_path / "ours.pub").read_text()) == keys["sm2"].public
    verify = ("pkeyutl", "-verify", *user, "-pubin", "-inkey", "ours.pub")
    shown = openssl(*verify, "-in", "text", "-sigfile", "ours.sig")
    assert "Successfully" in shown

    openssl("genpkey", "-algorithm", "SM2", "-out", "theirs.pem")
    sign = ("pkeyutl", "-sign", *user, "-inkey", "theirs.pem")
    openssl(*sign, "-in", "text", "-out", "theirs.sig")
    theirs = LabelKey.from_pem((tmp_path / "theirs.pem").read_text())
    assert theirs.public.verifies(b"label", (tmp_path / "theirs.sig").read_bytes())


@pytest.mark.parametrize(
    "text", ["", "abc", "00", "-----BEGIN PUBLIC KEY-----\n!\n-----END", "04" * 65]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a public key"):
        PublicKey.parse(text)
    with pytest.raises(UsageError, match="is not a private key"):
        LabelKey.from_pem(text)


def test_halves_of_two_keys_are_refused(keys: dict[str, LabelKey]) -> None:
    other = LabelKey.generate("sm2")
    head, tail = keys["sm2"].pem.splitlines(), other.pem.splitlines()
    with pytest.raises(UsageError, match="is not a private key"):
        LabelKey.from_pem("\n".join([head[0], head[1], *tail[2:]]))


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(UsageError, match="no algorithm 'dsa'"):
        LabelKey.generate("dsa")


def test_known_keys_are_kept(keys: dict[str, LabelKey], tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    known = {PRODUCER: tuple(key.public for key in keys.values()), "b": ()}
    save_known(known, path)
    assert load_known(path) == known
    for damage in ("{", "[]", '{"a":7}', '{"a":["00"]}'):
        path.write_text(damage)
        with pytest.raises(UsageError, match="is not a file of keys"):
            load_known(path)
