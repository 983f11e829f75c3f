"""Manifests beside files, for formats that have no place for one.

A sidecar holds a manifest store and nothing else (C2PA 2.2, section 11.4). It has the
name of the file with the ending ``.c2pa`` in place of its own.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from .manifest import Claim, Signer, sign_stream
from .store import opened

__all__ = ["read_sidecar", "sidecar_of", "sign_sidecar"]

MAX_BYTES = 16 << 20
SUFFIX = ".c2pa"


def sidecar_of(path: Path) -> Path:
    """Return where the sidecar of a file stands."""
    return path.with_suffix(SUFFIX)


def read_sidecar(path: Path) -> bytes | None:
    """Return the manifest store beside a file; None when there is none.

    More than 16 MiB are not read: what is cut off is then found broken.
    """
    with suppress(OSError, ValueError), open(sidecar_of(path), "rb") as file:
        return file.read(MAX_BYTES)
    return None


def sign_sidecar(
    content: bytes | Path, media_type: str, claim: Claim, signer: Signer
) -> bytes:
    """Return a signed manifest store for a file of any type.

    Parameters
    ----------
    content : bytes or Path
        The file.
    media_type : str
        Its type.
    claim, signer
        As for `manifest.sign_stream`.

    Raises
    ------
    CertificateError, ManifestError
        As `manifest.sign_stream` raises them.
    """
    folder = content.parent if isinstance(content, Path) else None
    with opened(content) as (_, source), tempfile.TemporaryFile(dir=folder) as copy:
        return sign_stream(source, copy, media_type, claim, signer, beside=True)
