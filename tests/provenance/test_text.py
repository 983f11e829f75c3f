"""Signed manifests in the characters of a text."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import ManifestError
from synthmark.labeling.model import AigcLabel, State
from synthmark.labeling.provenance import text as room
from synthmark.labeling.provenance import wrapper
from synthmark.labeling.provenance.certificates import make_development_chain
from synthmark.labeling.provenance.manifest import Claim, Signer
from synthmark.labeling.provenance.text import read_text, sign_text

CHAIN = make_development_chain()
SIGNER = Signer.from_pem(CHAIN.chain_pem, CHAIN.key_pem)
CLAIM = Claim(
    title="answer.txt",
    label=AigcLabel(
        label="1",
        content_producer="me",
        produce_id="7",
        content_propagator="me",
        propagate_id="7",
    ),
    payload=None,
    mark_scheme=None,
    software_agent="writer",
    software_agent_version="",
    when=datetime.now(UTC),
    generator_version="1",
)
TEXT = "第一段文字，é.\r\n\r\nThe end.\r\n".encode()


def signed(content: bytes = TEXT, **options: Any) -> bytes:
    return sign_text(content, "text/plain", CLAIM, SIGNER, **options)


SIGNED = signed()


def test_a_text_carries_its_manifest_behind_its_own_bytes() -> None:
    assert SIGNED.startswith(TEXT)
    hidden = SIGNED.removeprefix(TEXT).decode()
    assert {unicodedata.category(one) for one in hidden} == {"Cf", "Mn"}
    reading = read_text(SIGNED, anchors_pem=CHAIN.root_pem)
    assert reading.state is State.TRUSTED
    assert reading.failures == ()
    assert reading.label == CLAIM.label
    assert reading.actions == ("c2pa.created",)
    assert read_text(SIGNED).state is State.UNTRUSTED


def test_a_copy_that_lost_the_characters_has_none() -> None:
    shown = "".join(one for one in SIGNED.decode() if unicodedata.category(one) != "Mn")
    assert read_text(shown.encode()).state is State.ABSENT
    assert read_text(TEXT).state is State.ABSENT


@pytest.mark.parametrize(
    "changed",
    [
        SIGNED.replace(b"The end", b"The End"),
        SIGNED + b"And more.",
        b"\xef\xbb\xbf" + SIGNED,
        SIGNED.removeprefix(TEXT),
        b"Another text." + SIGNED.removeprefix(TEXT),
        SIGNED.replace(b"\r\n", b"\n"),
    ],
)
def test_a_changed_text_is_told(changed: bytes) -> None:
    reading = read_text(changed, anchors_pem=CHAIN.root_pem)
    assert reading.state is State.TAMPERED
    assert "assertion.dataHash.mismatch" in reading.failures


def test_a_text_in_another_unicode_form_is_the_same_text() -> None:
    composed, apart = "é\u0065\u0301".encode(), "\u0065\u0301é".encode()
    assert composed != apart
    assert len(composed) == len(apart)
    one = signed(composed)
    assert one.startswith(composed)
    other = apart + one.removeprefix(composed)
    assert read_text(one).state is read_text(other).state is State.UNTRUSTED


def test_what_is_excluded_must_be_the_wrapper_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A signer who leaves out more would let others write there.
    monkeypatch.setattr(room, "length_of", lambda size: wrapper.length_of(size) + 8)
    wider = signed()
    monkeypatch.undo()
    for content in (wider, wider + b"inserted"):
        assert read_text(content).state is State.TAMPERED


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        (SIGNED + SIGNED, "manifest.text.multipleWrappers"),
        (SIGNED.decode()[:-2000].encode(), "manifest.text.corruptedWrapper"),
    ],
)
def test_wrappers_that_break_the_rules(content: bytes, failure: str) -> None:
    reading = read_text(content)
    assert (reading.state, reading.failures) == (State.MALFORMED, (failure,))
    # Signing anew clears them away.
    assert read_text(signed(content)).state is State.UNTRUSTED


@given(st.integers(0, 3000), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_one_changed_byte_of_the_store_never_verifies(place: int, by: int) -> None:
    (found,) = wrapper.find(SIGNED)
    assert found.store is not None
    store = bytearray(found.store)
    place %= len(store)
    store[place] ^= by
    reading = read_text(TEXT + wrapper.wrap(bytes(store)))
    # The filling of the signature is the one thing that says nothing.
    filling = found.store.rindex(b"cpad")
    if place < filling:
        assert reading.state in (State.TAMPERED, State.MALFORMED, State.UNTRUSTED)
        assert reading.state is not State.UNTRUSTED or reading.failures != ()
    assert read_text(TEXT + wrapper.wrap(bytes(store))[:-1]).state is not State.TRUSTED


def test_history_goes_on_in_a_new_manifest() -> None:
    edited = TEXT + b"More.\n"
    again = signed(edited, parent=SIGNED)
    reading = read_text(again, anchors_pem=CHAIN.root_pem)
    assert reading.state is State.TRUSTED
    assert reading.actions == ("c2pa.opened", "c2pa.edited")
    (parent,) = reading.ingredients
    assert (parent.title, parent.relationship) == ("answer.txt", "parentOf")
    # That the parent had been changed by somebody is kept, and is no fault of this one.
    later = read_text(signed(edited, parent=b"x" + SIGNED), anchors_pem=CHAIN.root_pem)
    assert later.state is State.TRUSTED
    assert "assertion.dataHash.mismatch" in later.ingredients[0].failures
    with pytest.raises(ManifestError, match="cannot be kept"):
        signed(edited, parent=SIGNED + SIGNED)


@pytest.mark.parametrize(
    "content", [b"caf\xe9", ("a" + "\u0301\u0323" * 1000).encode()]
)
def test_what_has_no_normal_form_cannot_be_signed(content: bytes) -> None:
    with pytest.raises(ManifestError, match="cannot carry a manifest"):
        signed(content)
    hidden = SIGNED.removeprefix(TEXT)
    assert read_text(content + hidden).state is State.TAMPERED


def test_a_history_that_would_not_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "MAX_STORE_BYTES", 1000)
    with pytest.raises(ManifestError, match="too long"):
        signed()
