"""A manifest on its way into the log or out of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..errors import UsageError
from .chain import ID_MAX

__all__ = ["StoredManifest"]

CONTENT_MAX = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredManifest:
    """A manifest as it was signed.

    Parameters
    ----------
    manifest_id : str
        Its URN, 1 to 512 characters.
    content : bytes
        The manifest store (JUMBF), at most 16 MiB.
    media_type : str, optional
        Its media type.

    Raises
    ------
    UsageError
        A field is empty or too long.
    """

    manifest_id: str
    content: bytes
    media_type: str = "application/c2pa"

    def __post_init__(self) -> None:
        for name, most in (
            ("manifest_id", ID_MAX),
            ("content", CONTENT_MAX),
            ("media_type", ID_MAX),
        ):
            if not 0 < len(getattr(self, name)) <= most:
                raise UsageError(f"manifest field {name} must have a length to {most}")

    @property
    def sha256(self) -> str:
        """The digest of the content, 64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()
