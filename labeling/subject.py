"""What every medium lets itself be asked on the read path."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .fingerprints.fingerprint import Fingerprint
from .keys import Key
from .metadata.image import Reading
from .model import Detection, Media
from .provenance import manifest

__all__ = ["Subject"]


class Subject(ABC):
    """One item to be read, layer by layer.

    Parameters
    ----------
    media : Media
    content : bytes or Path or None
        The file, where there is one.
    path : Path or None
        Where it came from.
    sha256 : str
        Digest in hex: of the file, or of the raw samples where there is none.
    sealable : bool
        Whether files of its format can hold a C2PA manifest, as far as that depends
        on more than the bytes they begin with.
    """

    media: Media
    content: bytes | Path | None
    path: Path | None
    sha256: str
    sealable: bool = True

    @property
    @abstractmethod
    def extent(self) -> Mapping[str, Any]:
        """What is seen or heard: its ``medium``, as rules name it, and its size."""

    @abstractmethod
    def find_notices(self) -> Sequence[Any] | None:
        """Return the notices that a person would see or hear; None if none can look."""

    def read_notices(self) -> Sequence[Any] | None:
        """Return the texts that look like notices; None where nothing is seen."""
        return None

    @abstractmethod
    def find_mark(self, keys: Sequence[Key]) -> Detection | None:
        """Look for an invisible mark of any of the keys; None where there are none."""

    def fingerprint(self) -> Fingerprint | None:
        """Return what the content is known by; None where nothing is taken of it."""
        return None

    @abstractmethod
    def read_metadata(self) -> Reading | None:
        """Return what the metadata says; None where there is no place for it."""

    def read_manifest(self, anchors_pem: str) -> manifest.ManifestReading:
        """Read and judge the manifest of a file that can have one."""
        assert self.content is not None
        return manifest.read(self.content, anchors_pem=anchors_pem)
