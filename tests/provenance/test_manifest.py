from __future__ import annotations

import io
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from synthmark.labeling.errors import CertificateError, ManifestError, UsageError
from synthmark.labeling.model import State
from synthmark.labeling.provenance.manifest import (
    Disclosure,
    Signer,
    has_manifest,
    read,
    sign_stream,
)
from synthmark.labeling.provenance.manifest import (
    sign as sign_whole,
)


def sign(*given, **named):
    """Return the signed file alone, without the store."""
    return sign_whole(*given, **named)[0]


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/'
    b'02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:TC260="http://www.tc260'
    b'.org.cn/ns/AIGC/1.0/"><TC260:AIGC>{"Label":"1"}</TC260:AIGC></rdf:Description>'
    b"</rdf:RDF></x:xmpmeta>"
)
KINDS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}


def manifest_of(content):
    with c2pa.Reader(None, io.BytesIO(content)) as reader:
        return reader.get_active_manifest()


def assertions_of(content):
    return {item["label"]: item for item in manifest_of(content)["assertions"]}


def in_process(chain, key):
    """Return a signing function as a key store would offer it."""
    private = load_pem_private_key(key.encode(), None)
    return lambda data: private.sign(data, ec.ECDSA(hashes.SHA256()))


# What a manifest says


def test_new_work_is_declared_as_generated(picture, claim, signer):
    signed = sign(picture(), "image/jpeg", claim, signer)
    manifest = manifest_of(signed)
    assert manifest["title"] == "猫.jpg"
    info = manifest["claim_generator_info"][0]
    assert (info["name"], info["version"]) == ("synthmark", "0.1.0")
    assert "thumbnail" not in manifest
    assertions = assertions_of(signed)
    assert list(assertions) == [
        "c2pa.actions.v2",
        "alt.synthmark.aigc",
        "c2pa.soft-binding",
    ]
    assert all(item["created"] for item in assertions.values())
    assert assertions["c2pa.actions.v2"]["data"]["actions"] == [
        {
            "action": "c2pa.created",
            "when": "2026-11-22T18:30:00Z",
            "softwareAgent": {"name": "painter", "version": "3.1"},
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
            "trainedAlgorithmicMedia",
        },
        {
            "action": "c2pa.watermarked.bound",
            "when": "2026-11-22T18:30:00Z",
            "softwareAgent": {"name": "synthmark", "version": "0.1.0"},
        },
    ]


def test_unmarked_work_claims_no_mark(picture, claim, signer):
    unmarked = replace(claim, payload=None, mark_scheme=None, software_agent_version="")
    signed = sign(picture(), "image/jpeg", unmarked, signer)
    assert list(assertions_of(signed)) == ["c2pa.actions.v2", "alt.synthmark.aigc"]
    reading = read(signed)
    assert reading.actions == ("c2pa.created",)
    assert (reading.payload, reading.mark_scheme) == (None, None)


def test_what_is_told_of_the_model_is_read_again(picture, claim, signer):
    told = Disclosure(
        name="painter", identifier="pkg:generic/painter@3.1", oversight="prompt_guided"
    )
    signed = sign(picture(), "image/jpeg", replace(claim, disclosure=told), signer)
    assert assertions_of(signed)["c2pa.ai-disclosure"]["data"] == {
        "modelType": "c2pa.types.model",
        "modelName": "painter",
        "modelIdentifier": "pkg:generic/painter@3.1",
        "contentProfile": {"humanOversightLevel": "prompt_guided"},
    }
    assert read(signed).disclosures == (told,)
    unknown = Disclosure(oversight="human_validated")
    signed = sign(picture(), "image/jpeg", replace(claim, disclosure=unknown), signer)
    assert read(signed).disclosures == (unknown,)
    with pytest.raises(UsageError, match="'much' is no level of oversight"):
        Disclosure(oversight="much")


def test_what_may_be_learned_is_read_again(picture, claim, signer):
    kinds = (
        *("cawg.ai_generative_training", "cawg.ai_inference"),
        *("cawg.ai_training", "cawg.data_mining"),
    )
    for use, terms in (("notAllowed", ""), ("constrained", "https://example.com/t")):
        told = replace(claim, training=(use, terms))
        signed = sign(picture(), "image/jpeg", told, signer)
        assert read(signed).training == dict.fromkeys(kinds, use)
        entries = assertions_of(signed)["cawg.training-mining"]["data"]["entries"]
        assert all(
            entry.get("constraint_info", "") == terms for entry in entries.values()
        )
    for broken in (("never", ""), ("allowed", "terms"), ("constrained", "")):
        with pytest.raises(UsageError, match="training"):
            replace(claim, training=broken)


def test_a_new_label_alone_is_no_new_work(picture, claim, signer, credentials):
    first = sign(picture(), "image/jpeg", claim, signer)
    relabeled = replace(claim, relabels=True, payload=None, mark_scheme=None)
    second = sign(first, "image/jpeg", relabeled, signer, parent=first)
    third = sign(second, "image/jpeg", relabeled, signer, parent=second)
    for signed in (second, third):
        reading = read(signed, anchors_pem=credentials.root_pem)
        assert reading.state is State.TRUSTED
        assert reading.actions == ("c2pa.opened", "c2pa.edited.metadata")
        assert reading.source_types == ("trainedAlgorithmicMedia",)
        assert reading.origin is None


def test_a_new_label_on_what_has_no_history_says_nothing_of_its_source(
    picture, claim, signer
):
    relabeled = replace(claim, relabels=True, payload=None, mark_scheme=None)
    signed = sign(picture(), "image/jpeg", relabeled, signer, parent=picture())
    assert read(signed).source_types == ()


def test_a_parent_that_was_changed_shows(picture, claim, signer, credentials):
    parent = sign(picture(), "image/jpeg", claim, signer)
    changed = parent[:-30] + bytes([parent[-30] ^ 1]) + parent[-29:]
    signed = sign(picture(), "image/jpeg", claim, signer, parent=changed)
    reading = read(signed, anchors_pem=credentials.root_pem)
    assert reading.state is State.TRUSTED
    assert [one.changed for one in reading.ingredients] == [True]
    intact = sign(picture(), "image/jpeg", claim, signer, parent=parent)
    assert [one.changed for one in read(intact).ingredients] == [False]


@pytest.mark.parametrize("media_type", ["video/webm", "text/html", "image/jpeg"])
def test_a_manifest_may_stand_beside_any_file(
    picture, claim, signer, credentials, media_type
):
    content, target = picture(), io.BytesIO()
    store = sign_stream(
        io.BytesIO(content), target, media_type, claim, signer, beside=True
    )
    assert target.getvalue() == content
    anchors = credentials.root_pem
    reading = read(content, media_type, anchors_pem=anchors, store=store)
    assert (reading.state, reading.label) == (State.TRUSTED, claim.label)
    for other in (content[:-1], b"", content + b"x"):
        changed = read(other, media_type, anchors_pem=anchors, store=store)
        assert changed.state is State.TAMPERED
    for damaged in (b"", store[:-9], store[9:], b"\xff" * 99, content):
        assert read(content, media_type, store=damaged).state in (
            State.MALFORMED,
            State.ABSENT,
            State.TAMPERED,
        )


def test_time_is_written_in_utc(picture, claim, signer):
    beijing = timezone(timedelta(hours=8))
    moved = replace(claim, when=datetime(2026, 11, 23, 2, 30, 59, 999, tzinfo=beijing))
    signed = sign(picture(), "image/jpeg", moved, signer)
    action = assertions_of(signed)["c2pa.actions.v2"]["data"]["actions"][0]
    assert action["when"] == "2026-11-22T18:30:59Z"


@pytest.mark.parametrize(
    "change",
    [
        {"when": datetime(2026, 11, 22)},
        {"payload": None},
        {"mark_scheme": None},
        {"mark_scheme": "no scheme"},
        {"software_agent": ""},
    ],
)
def test_claims_that_cannot_be_meant_are_refused(claim, change):
    with pytest.raises(UsageError):
        replace(claim, **change)


def test_title_from_a_file_name_that_is_no_text_is_kept_readable(
    picture, claim, signer
):
    title = os.fsdecode(b"caf\xe9.jpg")
    signed = sign(picture(), "image/jpeg", replace(claim, title=title), signer)
    assert read(signed).title == "caf?.jpg"


# What signing leaves alone


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_stay_the_same(picture, claim, signer, credentials, kind):
    content = picture(kind)
    signed = sign(content, KINDS[kind], claim, signer)
    before, after = (np.array(Image.open(io.BytesIO(x))) for x in (content, signed))
    np.testing.assert_array_equal(before, after)
    assert len(signed) - len(content) < 6000
    reading = read(signed, anchors_pem=credentials.root_pem)
    assert reading.state is State.TRUSTED


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_xmp_stays_the_same(picture, claim, signer, kind):
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    content = picture(kind, **({"pnginfo": text} if kind == "PNG" else {"xmp": XMP}))
    signed = sign(content, KINDS[kind], claim, signer)
    assert Image.open(io.BytesIO(content)).info["xmp"] == XMP
    assert Image.open(io.BytesIO(signed)).info["xmp"] == XMP


# The history


def test_parent_is_kept_with_its_manifest(picture, claim, signer, credentials):
    parent = sign(picture(), "image/jpeg", replace(claim, title="first"), signer)
    content = picture("PNG", seed=1)
    child = sign(
        content,
        "image/png",
        claim,
        signer,
        parent=parent,
        parent_media_type="image/jpeg",
    )
    reading = read(child, anchors_pem=credentials.root_pem)
    assert reading.state is State.TRUSTED
    assert reading.actions == ("c2pa.opened", "c2pa.edited", "c2pa.watermarked.bound")
    assert reading.source_types == ("trainedAlgorithmicMedia",)
    (ingredient,) = reading.ingredients
    assert (ingredient.title, ingredient.relationship) == ("first", "parentOf")
    assert ingredient.failures == ()
    assert ingredient.source_types == ("trainedAlgorithmicMedia",)


def test_parent_that_was_not_generated_makes_a_composite(picture, claim, signer):
    child = sign(picture(), "image/jpeg", claim, signer, parent=picture(seed=1))
    reading = read(child)
    assert reading.source_types == ("compositeWithTrainedAlgorithmicMedia",)
    (ingredient,) = reading.ingredients
    assert (ingredient.title, ingredient.source_types) == ("parent", ())


def test_signing_over_a_manifest_without_a_parent_starts_anew(picture, claim, signer):
    once = sign(picture(), "image/jpeg", claim, signer)
    twice = sign(once, "image/jpeg", claim, signer)
    assert len(twice) == pytest.approx(len(once), abs=50)
    assert read(twice).ingredients == ()


def test_parent_with_a_broken_manifest_is_refused(picture, claim, signer):
    parent = bytearray(sign(picture(), "image/jpeg", claim, signer))
    parent[parent.index(b"jumd")] ^= 1
    parent = bytes(parent)
    assert read(parent).state is State.MALFORMED
    assert not has_manifest(parent)
    with pytest.raises(ManifestError, match="manifest cannot be kept") as caught:
        sign(picture(), "image/jpeg", claim, signer, parent=parent)
    assert "without the parent" in caught.value.hint


# What cannot be signed


@pytest.mark.parametrize("media_type", ["text/plain", "image/bmp", "image/jpg", ""])
def test_unsupported_types_are_named(picture, claim, signer, media_type):
    with pytest.raises(ManifestError, match=f"cannot be embedded in {media_type}"):
        sign(picture(), media_type, claim, signer)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"hello" * 100])
def test_content_that_is_no_picture_is_refused(claim, signer, content):
    with pytest.raises(ManifestError, match="could not be made") as caught:
        sign(content, "image/jpeg", claim, signer)
    assert "image/jpeg" in caught.value.hint


def test_wrong_type_is_refused(picture, claim, signer):
    with pytest.raises(ManifestError, match="could not be made"):
        sign(picture("PNG"), "image/jpeg", claim, signer)


def test_key_of_another_certificate_is_refused(authority, credentials):
    chain, _ = authority.chain()
    with pytest.raises(CertificateError, match="does not belong to the certificate"):
        Signer.from_pem(chain, credentials.key_pem)


def test_certificate_that_expires_in_between_is_refused(authority, picture, claim):
    signer = Signer.from_pem(*authority.chain(end=timedelta(seconds=4)))
    sign(picture(), "image/jpeg", claim, signer)
    time.sleep(5)
    with pytest.raises(CertificateError, match="expired on"):
        sign(picture(), "image/jpeg", claim, signer)


# Signing functions


def test_function_signs_like_the_key(authority, picture, claim):
    chain, key = authority.chain()
    function = in_process(chain, key)

    def side_by_side(data):
        r, s = decode_dss_signature(function(data))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    for callback in (function, side_by_side):
        signer = Signer.from_callback(callback, chain, alg="es256")
        signed = sign(picture(), "image/jpeg", claim, signer)
        assert read(signed, anchors_pem=authority.root_pem).state is State.TRUSTED


def test_function_may_use_a_longer_digest_with_rsa(authority, picture, claim):
    key = rsa.generate_private_key(65537, 2048)
    chain, _ = authority.chain(key)
    digest = hashes.SHA384()
    signer = Signer.from_callback(
        lambda data: key.sign(data, padding.PSS(padding.MGF1(digest), 48), digest),
        chain,
        alg="ps384",
    )
    signed = sign(picture(), "image/jpeg", claim, signer)
    assert read(signed, anchors_pem=authority.root_pem).state is State.TRUSTED


def test_exception_of_the_function_is_the_cause(authority, picture, claim, caplog):
    chain, _ = authority.chain()
    failure = ConnectionError("vault sealed")

    def fail(data):
        raise failure

    signer = Signer.from_callback(fail, chain, alg="es256")
    with pytest.raises(ManifestError, match="function failed: vault sealed") as caught:
        sign(picture(), "image/jpeg", claim, signer)
    assert caught.value.__cause__ is failure
    assert not caplog.records


def test_interrupt_during_the_function_is_passed_on(authority, picture, claim):
    def interrupt(data):
        raise KeyboardInterrupt

    chain, _ = authority.chain()
    with pytest.raises(KeyboardInterrupt):
        sign(
            picture(),
            "image/jpeg",
            claim,
            Signer.from_callback(interrupt, chain, alg="es256"),
        )


@pytest.mark.parametrize("answer", [b"", b"x" * 64, b"x" * 71])
def test_signature_that_does_not_fit_is_refused(authority, picture, claim, answer):
    chain, _ = authority.chain()
    signer = Signer.from_callback(lambda data: answer, chain, alg="es256")
    with pytest.raises(CertificateError, match="signature does not fit"):
        sign(picture(), "image/jpeg", claim, signer)


def test_function_that_returns_no_bytes_is_refused(authority, picture, claim):
    chain, _ = authority.chain()
    signer = Signer.from_callback(lambda data: None, chain, alg="es256")
    with pytest.raises(ManifestError, match="bytes, not NoneType"):
        sign(picture(), "image/jpeg", claim, signer)


@pytest.mark.parametrize("algorithm", ["es384", "ps256", "ES256", "", "none"])
def test_algorithm_must_fit_the_certificate(authority, algorithm):
    chain, _ = authority.chain()
    with pytest.raises(UsageError, match="does not fit") as caught:
        Signer.from_callback(bytes, chain, alg=algorithm)
    assert "es256" in caught.value.hint


# Time stamps


@pytest.mark.parametrize("answer", [(500, b""), (200, b"junk"), (200, b"")])
@pytest.mark.parametrize("through", ["key", "function"])
def test_failing_time_stamp_authority_is_named(
    authority, picture, claim, server, answer, through
):
    chain, key = authority.chain()
    server.answer = lambda question: answer
    if through == "key":
        signer = Signer.from_pem(chain, key, tsa_url=server.url)
    else:
        function = in_process(chain, key)
        signer = Signer.from_callback(function, chain, alg="es256", tsa_url=server.url)
    with pytest.raises(
        ManifestError, match=f"no time stamp from {server.url}"
    ) as caught:
        sign(picture(), "image/jpeg", claim, signer)
    assert caught.value.hint
    assert server.requests == ["POST"]


def test_unreachable_time_stamp_authority_is_named(
    credentials, picture, claim, closed_port
):
    url = f"http://127.0.0.1:{closed_port}/"
    signer = Signer.from_pem(credentials.chain_pem, credentials.key_pem, tsa_url=url)
    with pytest.raises(ManifestError, match="no time stamp from"):
        sign(picture(), "image/jpeg", claim, signer)


@pytest.mark.parametrize("url", ["tsa.example", "ftp://tsa.example/", ""])
def test_address_of_the_authority_must_be_one(credentials, url):
    with pytest.raises(UsageError, match="time-stamp authority"):
        Signer.from_pem(credentials.chain_pem, credentials.key_pem, tsa_url=url)


# Threads and processes


def test_threads_share_a_signer(picture, claim, signer, credentials):
    def work(seed):
        signed = sign(picture(seed=seed), "image/jpeg", claim, signer)
        return read(signed, anchors_pem=credentials.root_pem).state

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(60))) == {State.TRUSTED}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_child_signs_with_its_parents_signer(
    picture, claim, signer, credentials
):
    content = sign(picture(), "image/jpeg", claim, signer)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child():
        signed = sign(picture(), "image/jpeg", claim, signer, parent=content)
        sender.send(read(signed, anchors_pem=credentials.root_pem).state)

    process = context.Process(target=child)
    process.start()
    assert receiver.poll(10)
    assert receiver.recv() is State.TRUSTED
    process.join(10)
    assert process.exitcode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="There is no fork here")
def test_a_pdf_in_a_forked_child_is_refused_before_it_waits_for_ever(claim, signer):
    pikepdf = pytest.importorskip("pikepdf")
    file = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(file)
    told = replace(claim, payload=None, mark_scheme=None)
    signed = sign(file.getvalue(), "application/pdf", told, signer)
    assert read(signed).state is State.UNTRUSTED
    reading, writing = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(
        target=in_child, args=(writing, signed, claim, signer)
    )
    child.start()
    assert reading.poll(20), "it waits for ever"
    assert reading.recv() == ["ManifestError"] * 3
    child.join()


def in_child(pipe, signed, claim, signer):
    """Try everything with a PDF, and tell what came of it."""
    told = replace(claim, payload=None, mark_scheme=None)
    raised = []
    for attempt in (
        lambda: read(signed),
        lambda: has_manifest(signed),
        lambda: sign(signed, "application/pdf", told, signer),
    ):
        try:
            attempt()
        except ManifestError as error:
            raised.append(type(error).__name__)
    pipe.send(raised)


def test_time_of_the_claim_may_be_the_present(picture, claim, signer):
    signed = sign(
        picture(), "image/jpeg", replace(claim, when=datetime.now(UTC)), signer
    )
    assert read(signed).state is State.UNTRUSTED
