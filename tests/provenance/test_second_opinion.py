"""Our manifests judged by a validator that shares no code with their maker."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from synthmark.labeling.provenance.certificates import Credentials
from synthmark.labeling.provenance.manifest import (
    Claim,
    Disclosure,
    Signer,
    sign_stream,
)
from synthmark.labeling.provenance.manifest import (
    sign as sign_whole,
)
from synthmark.labeling.provenance.text import sign_text


def sign(*given, **named):
    """Return the signed file alone, without the store."""
    return sign_whole(*given, **named)[0]


validator = pytest.importorskip("encypher_c2pa", reason="encypher-c2pa is missing")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCYPHER_TELEMETRY", "0")
    monkeypatch.setattr(socket.socket, "connect", refuse)


def refuse(*_: Any) -> None:
    raise AssertionError("the validator asks the network")


def verdict(content: bytes, media_type: str, root_pem: str, **more: Any) -> Any:
    return validator.verify(
        content,
        media_type,
        trust_pem=root_pem,
        no_default_trust=True,
        telemetry=False,
        online=False,
        **more,
    )


@pytest.fixture(scope="module")
def full(claim: Claim) -> Claim:
    """Return a claim with everything that can be said."""
    return replace(
        claim,
        consent="consent 12",
        disclosure=Disclosure(
            name="painter",
            identifier="pkg:generic/painter@3.1",
            oversight="prompt_guided",
        ),
        training=("constrained", "https://example.com/terms"),
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_what_we_sign_is_valid_and_trusted(
    picture: Callable[..., bytes],
    full: Claim,
    signer: Signer,
    credentials: Credentials,
    kind: str,
) -> None:
    media_type = f"image/{kind.lower()}"
    content = picture(kind)
    signed = sign(content, media_type, full, signer)
    found = verdict(signed, media_type, credentials.root_pem)
    assert (found["integrity"], found["validation_state"]) == ("valid", "Trusted")
    middle = len(content) // 2
    place = signed.index(content[middle : middle + 40])
    broken = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
    assert verdict(broken, media_type, credentials.root_pem)["integrity"] == "invalid"


def test_a_chain_of_edits_and_a_new_label_are_valid(
    picture: Callable[..., bytes],
    full: Claim,
    signer: Signer,
    credentials: Credentials,
) -> None:
    first = sign(picture(), "image/jpeg", full, signer)
    second = sign(first, "image/jpeg", full, signer, parent=first)
    third = sign(
        second,
        "image/jpeg",
        replace(full, payload=None, mark_scheme=None, relabels=True),
        signer,
        parent=second,
    )
    for signed in (second, third):
        found = verdict(signed, "image/jpeg", credentials.root_pem)
        assert (found["integrity"], found["validation_state"]) == ("valid", "Trusted")


def test_a_manifest_beside_a_file_is_valid(
    full: Claim, signer: Signer, credentials: Credentials
) -> None:
    content = b"OggS a song" * 99
    store = sign_stream(
        io.BytesIO(content), io.BytesIO(), "audio/ogg", full, signer, beside=True
    )
    for given, integrity in ((content, "valid"), (content[1:], "invalid")):
        found = verdict(given, "audio/ogg", credentials.root_pem, manifest_store=store)
        assert found["integrity"] == integrity


def test_a_manifest_in_the_characters_of_a_text_is_valid(
    full: Claim, signer: Signer, credentials: Credentials
) -> None:
    claim = replace(full, payload=None, mark_scheme=None)
    signed = sign_text("Grüße, 世界\n".encode(), "text/plain", claim, signer)
    found = verdict(signed, "text/plain", credentials.root_pem)
    assert (found["integrity"], found["validation_state"]) == ("valid", "Trusted")
    broken = verdict(b"x" + signed, "text/plain", credentials.root_pem)
    assert broken["integrity"] == "invalid"
