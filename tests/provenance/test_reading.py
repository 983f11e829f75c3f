from __future__ import annotations

import io
import shutil
import socket
import subprocess
import time
from dataclasses import replace
from datetime import datetime, timedelta

import c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from synthmark.labeling.model import State
from synthmark.labeling.provenance.manifest import Signer, has_manifest, read
from synthmark.labeling.provenance.manifest import sign as sign_whole
from synthmark.labeling.provenance.reading import ManifestReading, judge


def sign(*given, **named):
    """Return the signed file alone, without the store."""
    return sign_whole(*given, **named)[0]


GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CREATED = {
    "label": "c2pa.actions",
    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": GENERATED}]},
}


@pytest.fixture(scope="module")
def signed(picture, claim, signer):
    return sign(picture(), "image/jpeg", claim, signer)


@pytest.fixture(scope="module")
def trusting(credentials):
    """Read with the development root as an anchor."""
    return lambda content: read(content, anchors_pem=credentials.root_pem)


def test_a_file_reads_as_its_bytes_do(signed, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(signed)
    assert read(path) == read(signed)
    assert has_manifest(path)
    path.write_bytes(b"")
    assert read(path).state is State.UNSUPPORTED
    assert not has_manifest(path)


def build(credentials, content, assertions, ingredients=(), *, remote="", **manifest):
    """Sign with the C2PA library itself, as other programs do."""
    info = c2pa.C2paSignerInfo(
        b"es256", credentials.chain_pem.encode(), credentials.key_pem.encode(), None
    )
    definition = {
        "claim_generator_info": [{"name": "other", "version": "9"}],
        "assertions": assertions,
        **manifest,
    }
    target = io.BytesIO()
    with c2pa.Builder(definition) as builder, c2pa.Signer.from_info(info) as native:
        for settings, source in ingredients:
            builder.add_ingredient(settings, "image/jpeg", io.BytesIO(source))
        if remote:
            builder.set_no_embed()
            builder.set_remote_url(remote)
        builder.sign(native, "image/jpeg", io.BytesIO(content), target)
    return target.getvalue()


def flipped(content, position):
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def pixel_data(content):
    """Return a position inside the compressed pixels of a JPEG."""
    return content.rindex(b"\xff\xda") + 200


# Verdicts


def test_trusted_signer(signed, trusting, claim):
    reading = trusting(signed)
    assert reading.state is State.TRUSTED
    assert reading.failures == ()
    assert (reading.title, reading.generator) == ("猫.jpg", "synthmark")
    assert reading.source_types == ("trainedAlgorithmicMedia",)
    assert reading.actions == ("c2pa.created", "c2pa.watermarked.bound")
    assert reading.label == claim.label
    assert (reading.payload, reading.mark_scheme) == (claim.payload, claim.mark_scheme)
    assert (reading.time, reading.time_trusted) == (None, False)
    assert (reading.ingredients, reading.remote_url) == ((), None)


def test_signer_and_issuer_are_told_apart(authority, picture, claim):
    signer = Signer.from_pem(*authority.chain())
    reading = read(sign(picture(), "image/jpeg", claim, signer))
    assert (reading.signer_name, reading.signer_organization) == ("Leaf", "Leaf Ltd")
    assert reading.issuer == "ICA"


def test_unknown_signer_is_untrusted_not_tampered(signed, authority):
    for anchors in ("", authority.root_pem):
        reading = read(signed, anchors_pem=anchors)
        assert reading.state is State.UNTRUSTED
        assert reading.failures == ("signingCredential.untrusted",)


@pytest.mark.parametrize("trust", [True, False])
def test_changed_pixels_are_tampering_whoever_signed(signed, trusting, trust):
    changed = flipped(signed, pixel_data(signed))
    before, after = (np.array(Image.open(io.BytesIO(x))) for x in (signed, changed))
    assert (before != after).any()
    reading = trusting(changed) if trust else read(changed)
    assert reading.state is State.TAMPERED
    assert "assertion.dataHash.mismatch" in reading.failures


def test_appended_bytes_are_tampering(signed, trusting):
    assert trusting(signed + b"\0").state is State.TAMPERED


def test_missing_end_is_tampering(signed, trusting):
    assert trusting(signed[:-50]).state is State.TAMPERED


def test_edited_metadata_is_tampering(picture, claim, signer, trusting):
    text = PngInfo()
    text.add_text("AIGC", '{"Label":"1"}')
    content = picture("PNG", pnginfo=text)
    content = sign(content, "image/png", claim, signer)
    assert trusting(content).state is State.TRUSTED
    edited = content.replace(b'"Label":"1"', b'"Label":"2"')
    assert trusting(edited).state is State.TAMPERED


def test_altered_label_in_the_manifest_is_tampering(signed, trusting, claim):
    provider = claim.label.content_producer.encode()
    reading = trusting(signed.replace(provider, provider[::-1]))
    assert reading.state is State.TAMPERED
    assert "assertion.hashedURI.mismatch" in reading.failures


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_absent(picture, kind):
    assert read(picture(kind)) == ManifestReading(state=State.ABSENT)
    assert not has_manifest(picture(kind))


@pytest.mark.parametrize("content", [b"", b"text" * 100, b"\x1aE\xdf\xa3" + bytes(500)])
@pytest.mark.parametrize("media_type", [None, "text/plain", "video/webm", "no type"])
def test_unsupported(content, media_type):
    assert read(content, media_type).state is State.UNSUPPORTED
    assert not has_manifest(content, media_type)


def test_wrong_type_does_not_matter(signed, credentials):
    for media_type in ("image/png", "text/plain", "nonsense", ""):
        reading = read(signed, media_type, anchors_pem=credentials.root_pem)
        assert reading.state is State.TRUSTED


def test_unreadable_store_is_malformed_and_says_why(signed):
    reading = read(flipped(signed, signed.index(b"jumd")))
    assert reading.state is State.MALFORMED
    assert "expected JUMD" in reading.detail


def test_file_that_ends_early_is_malformed(signed):
    reading = read(signed[: len(signed) // 4])
    assert reading.state is State.MALFORMED
    assert reading.detail


@pytest.mark.parametrize(
    ("failures", "validation_state", "state"),
    [
        ([], "Trusted", State.TRUSTED),
        ([], "Valid", State.UNTRUSTED),
        ([], "Invalid", State.MALFORMED),
        ([], None, State.MALFORMED),
        (["signingCredential.expired"], "Invalid", State.UNTRUSTED),
        (["signingCredential.ocsp.revoked"], "Invalid", State.UNTRUSTED),
        (["assertion.action.malformed"], "Invalid", State.MALFORMED),
        (["claim.malformed", "assertion.bmffHash.mismatch"], "Invalid", State.TAMPERED),
        (["assertion.missing"], "Invalid", State.TAMPERED),
        (["signingCredential.untrusted", "a.new.code"], "Invalid", State.MALFORMED),
        (["assertion.dataHash.mismatch"], "Trusted", State.TAMPERED),
    ],
)
def test_state_follows_from_the_codes(failures, validation_state, state):
    results = {"activeManifest": {"failure": [{"code": code} for code in failures]}}
    store = {"validation_results": results, "validation_state": validation_state}
    assert judge(store, "").state is state


# Nothing that is changed is trusted


@given(data=st.data())
def test_no_flipped_bit_is_trusted_with_another_meaning(data, signed, trusting):
    position = data.draw(st.integers(0, len(signed) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = bytearray(signed)
    changed[position] ^= bit
    reading = trusting(bytes(changed))
    # Padding between signature and picture belongs to nobody.
    assert reading.state is not State.TRUSTED or reading == trusting(signed)


@given(data=st.data())
def test_no_shortened_file_is_trusted(data, signed, trusting):
    end = data.draw(st.integers(0, len(signed) - 1))
    assert trusting(signed[:end]).state is not State.TRUSTED


# The history


def test_tampered_parent_shows(picture, claim, signer, signed, trusting):
    parent = flipped(signed, pixel_data(signed))
    reading = trusting(sign(picture(), "image/jpeg", claim, signer, parent=parent))
    assert reading.state is State.TRUSTED
    (ingredient,) = reading.ingredients
    assert ingredient.failures == ("assertion.dataHash.mismatch",)


def test_tampered_grandparent_shows(picture, claim, signer, signed, trusting):
    content = flipped(signed, pixel_data(signed))
    for title in ("second", "third"):
        named = replace(claim, title=title)
        content = sign(picture(), "image/jpeg", named, signer, parent=content)
    reading = trusting(content)
    assert reading.state is State.TRUSTED
    assert [(item.title, item.failures) for item in reading.ingredients] == [
        ("second", ()),
        ("猫.jpg", ("assertion.dataHash.mismatch",)),
    ]


def test_parent_altered_inside_the_child_is_tampering(
    picture, claim, signer, signed, trusting
):
    bare = replace(claim, payload=None, mark_scheme=None)
    child = sign(picture(), "image/jpeg", bare, signer, parent=signed)
    assert trusting(child).state is State.TRUSTED
    # Only the parent's manifest is bound to a mark.
    altered = child.replace(b"image-lattice", b"image-lettuce")
    reading = trusting(altered)
    assert reading.state is State.TAMPERED
    assert "ingredient.manifest.mismatch" in reading.failures
    assert "ingredient.manifest.mismatch" in reading.ingredients[0].failures


def test_parent_of_an_unknown_signer_is_no_failure_of_the_child(
    authority, picture, claim, signer, signed
):
    child = sign(
        picture(),
        "image/jpeg",
        claim,
        Signer.from_pem(*authority.chain()),
        parent=signed,
    )
    reading = read(child, anchors_pem=authority.root_pem)
    assert (reading.state, reading.failures) == (State.TRUSTED, ())
    assert reading.ingredients[0].failures == ("signingCredential.untrusted",)


def test_each_ingredient_has_its_own_failures(
    credentials, authority, picture, claim, signer, signed, trusting
):
    stranger = Signer.from_pem(*authority.chain())
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
    content = build(
        credentials,
        picture(),
        [{"label": "c2pa.actions", "data": {"actions": [opened]}}],
        [
            ({"title": "a", "relationship": "parentOf", "label": "parent"}, signed),
            (
                {"title": "b", "relationship": "componentOf"},
                sign(picture(seed=2), "image/jpeg", claim, stranger),
            ),
            ({"title": "c", "relationship": "inputTo"}, picture(seed=3)),
        ],
    )
    reading = trusting(content)
    assert reading.generator == "other"
    assert [
        (item.title, item.relationship, item.failures, item.source_types)
        for item in reading.ingredients
    ] == [
        ("a", "parentOf", (), ("trainedAlgorithmicMedia",)),
        (
            "b",
            "componentOf",
            ("signingCredential.untrusted",),
            ("trainedAlgorithmicMedia",),
        ),
        ("c", "inputTo", (), ()),
    ]


def test_history_in_a_circle_ends():
    ingredient = {
        "title": "self",
        "active_manifest": "a",
        "label": "c2pa.ingredient.v3",
    }
    manifests = {"a": {"ingredients": [ingredient] * 500}}
    reading = judge({"active_manifest": "a", "manifests": manifests}, "")
    assert len(reading.ingredients) == 100


# What the file says is data


def test_texts_are_shortened_and_freed_of_control_characters(
    credentials, picture, trusting
):
    title = "\x1b[31mred\u202e\n" + "x" * 9000
    reading = trusting(build(credentials, picture(), [CREATED], title=title))
    assert reading.state is State.TRUSTED
    assert reading.title.startswith("[31mredxx")
    assert len(reading.title) < 500


def test_foreign_manifest_has_no_label_or_mark_of_ours(credentials, picture, trusting):
    binding = {"alg": "com.example.mark", "blocks": [{"scope": {}, "value": [1] * 8}]}
    other = {"label": "c2pa.soft-binding", "data": binding}
    aigc = {"label": "alt.synthmark.aigc", "data": {"Label": "1"}}
    reading = trusting(build(credentials, picture(), [CREATED, other, aigc]))
    assert reading.state is State.TRUSTED
    assert (reading.label, reading.payload, reading.mark_scheme) == (None, None, None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
stores = st.fixed_dictionaries(
    {},
    optional={
        "active_manifest": st.just("a") | json_values,
        "validation_state": st.just("Trusted") | json_values,
        "validation_results": json_values
        | st.fixed_dictionaries({"activeManifest": json_values})
        | st.fixed_dictionaries({"ingredientDeltas": st.lists(json_values)}),
        "manifests": json_values
        | st.fixed_dictionaries(
            {
                "a": st.dictionaries(
                    st.sampled_from(
                        [
                            "title",
                            "assertions",
                            "ingredients",
                            "signature_info",
                            "claim_generator_info",
                        ]
                    ),
                    json_values
                    | st.lists(st.dictionaries(st.just("data"), json_values)),
                )
            }
        ),
    },
)


@given(stores)
def test_any_store_is_judged_without_an_exception(store):
    assert isinstance(judge(store, ""), ManifestReading)


# The network


def test_remote_manifest_is_named_and_never_fetched(
    credentials, picture, claim, signer, server, monkeypatch
):
    url = f"{server.url}manifests/1"
    linked = build(credentials, picture(), [CREATED], remote=url)
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a socket was made"))
    reading = read(linked, anchors_pem=credentials.root_pem)
    assert reading == ManifestReading(state=State.ABSENT, remote_url=url)
    assert not has_manifest(linked)
    child = sign(picture(), "image/jpeg", claim, signer, parent=linked)
    assert read(child).ingredients[0].failures == ("manifest.inaccessible",)
    monkeypatch.undo()
    assert server.requests == []


def test_signing_and_reading_make_no_socket(picture, claim, signer, monkeypatch):
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a socket was made"))
    assert has_manifest(sign(picture(), "image/jpeg", claim, signer))


# Time


@pytest.fixture
def time_stamps(authority, server, tmp_path, write_pem, write_key):
    """A time-stamp authority under the same root; returns its address."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key = rsa.generate_private_key(65537, 2048)
    certificate = authority.issue(
        "TSA",
        key,
        "Root",
        authority.root_key,
        ca=False,
        purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
    )
    (tmp_path / "tsa.pem").write_text(write_pem(certificate))
    (tmp_path / "tsa.key").write_text(write_key(key))
    (tmp_path / "chain.pem").write_text(write_pem(certificate, authority.root))
    (tmp_path / "serial").write_text("01")
    (tmp_path / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\n"
        "certs=chain.pem\nsigner_key=tsa.key\nsigner_digest=sha256\n"
        "default_policy=1.2.3.4\ndigests=sha256\ness_cert_id_alg=sha256\n"
    )

    def answer(question):
        (tmp_path / "question").write_bytes(question)
        command = [
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-queryfile",
            "question",
            "-out",
            "reply",
        ]
        subprocess.run(
            [openssl, *command], cwd=tmp_path, check=True, capture_output=True
        )
        return 200, (tmp_path / "reply").read_bytes()

    server.answer = answer
    return server.url


def test_time_stamp_outlives_the_certificate(authority, picture, claim, time_stamps):
    chain, key = authority.chain(end=timedelta(seconds=4))
    stamped = sign(
        picture(), "image/jpeg", claim, Signer.from_pem(chain, key, tsa_url=time_stamps)
    )
    plain = sign(picture(), "image/jpeg", claim, Signer.from_pem(chain, key))
    time.sleep(5)
    reading = read(stamped, anchors_pem=authority.root_pem)
    assert (reading.state, reading.time_trusted) == (State.TRUSTED, True)
    assert datetime.fromisoformat(reading.time).tzinfo
    reading = read(plain, anchors_pem=authority.root_pem)
    assert (reading.state, reading.time) == (State.UNTRUSTED, None)
    assert "signingCredential.expired" in reading.failures


def test_time_stamp_of_an_unknown_authority_is_not_trusted(
    authority, picture, claim, time_stamps
):
    signer = Signer.from_pem(*authority.chain(), tsa_url=time_stamps)
    reading = read(sign(picture(), "image/jpeg", claim, signer))
    assert reading.state is State.UNTRUSTED
    assert reading.time
    assert not reading.time_trusted
