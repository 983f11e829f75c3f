"""Signed results: read and verified without any code of ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from synthmark import Home, Signer, __version__
from synthmark.labeling.provenance.certificates import make_development_chain
from synthmark.labeling.statement import statement


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(signed: dict[str, str]) -> tuple[dict[str, Any], list[x509.Certificate]]:
    """Verify a statement of ES256 by RFC 7515 and 7518; return what it says."""
    header = json.loads(decoded(signed["protected"]))
    assert header["alg"] == "ES256"
    chain = [
        x509.load_der_x509_certificate(base64.b64decode(one)) for one in header["x5c"]
    ]
    signature = decoded(signed["signature"])
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    key = chain[0].public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(
        encode_dss_signature(r, s),
        f"{signed['protected']}.{signed['payload']}".encode(),
        ec.ECDSA(hashes.SHA256()),
    )
    return json.loads(decoded(signed["payload"])), chain


@pytest.fixture(scope="module")
def signer() -> Signer:
    made = make_development_chain()
    return Signer.from_pem(made.chain_pem, made.key_pem)


def test_it_says_what_was_found_by_which_detector_and_when(signer: Signer) -> None:
    when = datetime(2026, 11, 23, 12, tzinfo=UTC)
    told, chain = opened(statement({"files": [{"file": "猫.jpg"}]}, signer, when))
    assert told == {
        "files": [{"file": "猫.jpg"}],
        "detector": {"name": "synthmark", "version": __version__},
        "time": "2026-11-23T12:00:00Z",
    }
    assert [one.subject for one in chain[1:]] == [chain[0].issuer]


@pytest.mark.parametrize("part", ["payload", "protected", "signature"])
def test_a_changed_one_does_not_verify(signer: Signer, part: str) -> None:
    signed = statement({"files": []}, signer)
    letter = "B" if signed[part][9] == "A" else "A"
    signed[part] = signed[part][:9] + letter + signed[part][10:]
    with pytest.raises((InvalidSignature, ValueError, AssertionError)):
        opened(signed)


def test_a_key_store_signs_it_too() -> None:
    made = make_development_chain()
    key = load_pem_private_key(made.key_pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signer = Signer.from_callback(
        lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())),
        made.chain_pem,
        alg="es256",
    )
    assert opened(statement({"files": []}, signer))[0]["files"] == []


def test_the_command(
    run: Callable[..., Any], tmp_path: Path, make_scene: Any, save: Any
) -> None:
    (tmp_path / "a.png").write_bytes(save(make_scene()))
    run("label", "a.png", "-o", "b.png")
    ran = run("detect", "b.png", "--signed")
    assert ran.code == 0
    told, chain = opened(ran.json)
    (file,) = told["files"]
    assert (file["verdict"], len(file["sha256"])) == ("confirmed", 64)
    assert told["schema_version"] == 1
    certificate = Home().signer().chain_pem
    assert x509.load_pem_x509_certificates(certificate.encode())[0] == chain[0]
