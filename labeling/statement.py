"""The result of a detection as a signed statement.

It is a JSON Web Signature in flattened JSON form (RFC 7515, section 7.2.2) with the
certificates of the signer in its header, so that any JOSE library can verify it. The
EU's code of practice asks for such results (measure 2.1.2): digest of the content,
which detector, and when.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from .. import __version__
from .provenance.chain import parse_certificates
from .provenance.signer import Signer

__all__ = ["TYPE", "statement"]

TYPE = "synthmark-detection+json"


def statement(
    document: Mapping[str, Any], signer: Signer, when: datetime | None = None
) -> dict[str, str]:
    """Return a document with the detector and the time in it, signed.

    Parameters
    ----------
    document : mapping
        JSON types.
    signer : Signer
        Who vouches for it.
    when : datetime, optional
        With a time zone; by default now.

    Returns
    -------
    dict
        ``payload``, ``protected`` and ``signature``, each in unpadded base64url.

    Raises
    ------
    CertificateError
        The certificate has expired, or the signature does not fit it.
    """
    signer.check()
    time = (when or datetime.now(UTC)).astimezone(UTC)
    told = {
        **document,
        "detector": {"name": "synthmark", "version": __version__},
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    header = {
        "alg": _algorithm(signer),
        "typ": TYPE,
        "x5c": [
            base64.b64encode(one.public_bytes(Encoding.DER)).decode("ascii")
            for one in parse_certificates(signer.chain_pem)
        ],
    }
    protected, payload = _encoded(header), _encoded(told)
    signature = signer.sign(f"{protected}.{payload}".encode("ascii"))
    return {
        "payload": payload,
        "protected": protected,
        "signature": _base64url(signature),
    }


def _algorithm(signer: Signer) -> str:
    """Return the name that JOSE has for the signer's algorithm (RFC 7518, RFC 8037)."""
    return {"ed25519": "EdDSA"}.get(signer.algorithm, signer.algorithm.upper())


def _encoded(value: Mapping[str, Any]) -> str:
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
    )
    return _base64url(text.encode("utf-8", "replace"))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
