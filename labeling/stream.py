"""What sounds and videos have in common on their way through the layers.

They stay on disk and pass through in parts, so that an hour needs no more memory than
a minute.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Protocol

from . import policy
from .errors import ManifestError
from .metadata import stream as metadata
from .model import AigcLabel, LabelResult, Layer, Media
from .payload import Payload
from .provenance import manifest
from .settings import Settings
from .subject import Subject
from .work import Work

__all__ = ["StreamSubject", "StreamWork", "file_digest"]


class _Medium(Protocol):
    """What a file holds, by the media room."""

    @property
    def media_type(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


class StreamSubject(Subject):
    """One sound or video to be read, layer by layer.

    Parameters
    ----------
    content : Path
        The file.
    path : Path or None
        Where it came from, None where `content` is only lent.
    """

    content: Path

    def __init__(self, content: Path, path: Path | None) -> None:
        self.content = content
        self.path = path
        self.sha256 = file_digest(content)

    def read_metadata(self) -> metadata.Reading:
        """Return what the file's metadata says."""
        return metadata.read(self.content)


class StreamWork(Work):
    """One sound or video on its way through the layers, from file to file.

    Parameters
    ----------
    settings : Settings
    due : Due
    source : Path
        The file to label.
    path : Path or None
        Where it came from, None where `source` is only lent.
    target : Path or None
        Where the labeled file shall stand.
    """

    kind: ClassVar[Media]
    scheme: ClassVar[str]
    sealable: ClassVar[tuple[str, ...]]
    """Formats that the C2PA library can put a manifest into."""

    format: str
    """That of the labeled file."""
    before: _Medium
    """What the source holds."""
    written: _Medium
    """What the labeled file holds; known once it is marked."""
    later: Callable[[float], float] | None = None
    """Where a point of the source is in the labeled file, both in seconds."""

    def __init__(
        self,
        settings: Settings,
        due: policy.Due,
        source: Path,
        path: Path | None,
        target: Path | None,
    ) -> None:
        super().__init__(settings, due, target)
        self.source = source
        self.path = path

    @abstractmethod
    def _embed_mark(self, target: Path) -> Payload | None:
        """Add notice and mark, and read the mark back from the written file."""

    @abstractmethod
    def _content(self, path: Path) -> str:
        """Return a digest of what is heard and seen, which signing must not change."""

    def _make(self, place: Path | None) -> LabelResult:
        # Beside the target, where there is room for it.
        with TemporaryDirectory(
            prefix=".synthmark-", dir=place and place.parent
        ) as folder:
            marked, tagged, sealed = (
                Path(folder) / f"{step}.{self.format}"
                for step in ("mark", "tag", "seal")
            )
            payload = self._embed_mark(marked)
            label = self._write_metadata(marked, tagged)
            marked.unlink()
            self._sign(tagged, place or sealed, label, payload)
            finished = place or sealed
            return self._result(
                self.path,
                media=self.kind,
                media_type=self.written.media_type,
                payload=payload,
                sha256_before=file_digest(self.source),
                sha256_after=file_digest(finished),
                content=b"" if place else finished.read_bytes(),
            )

    def _write_metadata(self, source: Path, target: Path) -> AigcLabel:
        label = self.settings.aigc(self.produce_id)
        written = metadata.write(
            source, target, label, original=self.source, later=self.later
        )
        self.notes += (*self.written.notes, *written.notes)
        self._written(Layer.AIGC, place=written.place, producer=label.content_producer)
        return label

    def _sign(
        self, source: Path, target: Path, label: AigcLabel, payload: Payload | None
    ) -> None:
        title = (self.target or self.path or Path("untitled")).name
        claim = self._claim(title, label, payload, self.scheme)
        media_type = self.written.media_type
        if self.format not in self.sealable:
            source.replace(target)
            self._seal_beside(target, media_type, claim)
            return
        has_history = self._has_history(self.source, self.before.media_type)
        with open(source, "rb") as tagged, open(target, "w+b") as signed:
            store = manifest.sign_stream(
                tagged,
                signed,
                media_type,
                claim,
                self.settings.signer,
                parent=self.source if has_history else None,
                parent_media_type=self.before.media_type,
            )
        self._check_seal(target, media_type, metadata.read(target), label, store)
        if self._content(source) != self._content(target):
            raise ManifestError(f"signing changed the {self.kind}")
        self._sealed(has_history)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
