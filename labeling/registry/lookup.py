"""What a registry answers: which manifests belong to a mark, or to some content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..fingerprints.fingerprint import AUDIO, IMAGE, VIDEO, Fingerprint
from ..marks.audio import SCHEME as SOUND_SCHEME
from ..marks.image import SCHEME as IMAGE_SCHEME
from ..marks.video import SCHEME as VIDEO_SCHEME
from ..payload import Payload
from ..provenance.assertions import algorithm_of, scheme_of

if TYPE_CHECKING:
    from ..detector import Detector
    from ..records.store import Record, RecordStore

__all__ = ["FINGERPRINTS", "WATERMARKS", "Lookup", "Match"]

WATERMARKS = tuple(map(algorithm_of, (IMAGE_SCHEME, SOUND_SCHEME, VIDEO_SCHEME)))
"""Our marks by their names as soft bindings (C2PA 2.2, section 18.10)."""

FINGERPRINTS = tuple(map(algorithm_of, (IMAGE, AUDIO, VIDEO)))
"""Our fingerprints by their names as soft bindings."""

PAYLOAD_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A manifest that fits what was asked.

    Parameters
    ----------
    manifest_id : str
        Its name (C2PA URN).
    similarity : int
        How well it fits, 0 to 100; 100 for a mark.
    """

    manifest_id: str
    similarity: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """The records behind a registry.

    Parameters
    ----------
    records : RecordStore
        The log.
    detector : Detector
        Reads the marks of what is sent, and finds contents that are alike.
    """

    records: RecordStore
    detector: Detector

    def by_binding(self, algorithm: str, value: bytes, most: int) -> list[Match]:
        """Return the manifests of a mark's payload, or of contents like this one.

        Parameters
        ----------
        algorithm : str
            One of `WATERMARKS` or `FINGERPRINTS`.
        value : bytes
            A payload of eight bytes, big-endian, or a fingerprint.
        most : int
            At most so many.

        Raises
        ------
        UsageError
            The algorithm is unknown, or the value is none of its kind.
        """
        scheme = scheme_of(algorithm) or ""
        if algorithm in WATERMARKS:
            if len(value) != PAYLOAD_BYTES:
                raise UsageError(f"a payload has {PAYLOAD_BYTES} bytes")
            payload = Payload.from_int(int.from_bytes(value, "big"))
            return list(islice(_named(self.records.find(payload=payload)), most))
        if algorithm not in FINGERPRINTS:
            raise UsageError(f"{algorithm[:80]!r} is no algorithm of this registry")
        return self._alike(Fingerprint(algorithm=scheme, value=value), most)

    def by_content(self, path: Path, most: int) -> list[Match]:
        """Return the manifests of the mark in a file, and of contents like it.

        Raises
        ------
        MediaError
            It is not a picture, sound, video or document that can be read.
        """
        payload, fingerprint = self.detector.bindings(path)
        found: list[Match] = []
        if payload is not None:
            found += _named(self.records.find(payload=payload))
        if fingerprint is not None:
            found += self._alike(fingerprint, most)
        best = {one.manifest_id: one for one in reversed(found)}
        return sorted(best.values(), key=lambda one: -one.similarity)[:most]

    def manifest(self, manifest_id: str) -> bytes | None:
        """Return a manifest store; None when it is unknown or withdrawn."""
        return self.records.manifest(manifest_id)

    def _alike(self, fingerprint: Fingerprint, most: int) -> list[Match]:
        catalog = self.detector.catalog
        alike = [] if catalog is None else catalog.nearest(fingerprint, most)
        return [
            Match(manifest_id=record.manifest_id, similarity=round(100 * similarity))
            for record, similarity in alike
            if record.manifest_id is not None
        ]


def _named(records: Iterable[Record]) -> Iterator[Match]:
    for record in records:
        if record.manifest_id is not None:
            yield Match(manifest_id=record.manifest_id, similarity=100)
