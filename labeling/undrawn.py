"""How a picture goes through the layers that cannot be decoded here, like HEIC.

It gets metadata, manifest and record. Notice and mark are missing, and the result
says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import policy
from .errors import UnsupportedFormat
from .keys import Key
from .marks.image import SCHEME
from .media import heif as media
from .metadata import image as metadata
from .model import Detection, LabelResult, Layer, Media
from .provenance import manifest
from .settings import Settings
from .subject import Subject
from .work import Work

__all__ = ["UndrawnSubject", "UndrawnWork"]


class UndrawnSubject(Subject):
    """One picture whose pixels cannot be looked at."""

    media = Media.IMAGE
    content: bytes

    def __init__(self, content: bytes, path: Path | None) -> None:
        self.content = content
        self.path = path
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._found = media.read(content)

    @property
    def extent(self) -> Mapping[str, Any]:
        """Medium and size."""
        found = self._found
        return {"medium": "image", "width": found.width, "height": found.height}

    def find_notices(self) -> Sequence[Any] | None:
        """Return None: nothing was looked at."""
        return None

    def find_mark(self, keys: Sequence[Key]) -> Detection | None:
        """Return None: nothing was looked at."""
        return None

    def read_metadata(self) -> metadata.Reading:
        """Return what the file's metadata says."""
        return metadata.read(self.content)


class UndrawnWork(Work):
    """One picture on its way through the layers that do not need its pixels."""

    def __init__(
        self,
        settings: Settings,
        due: policy.Due,
        source: bytes,
        path: Path | None,
        target: Path | None,
        media_format: str | None,
    ) -> None:
        super().__init__(settings, due, target)
        self.source = source
        self.path = path
        self.found = media.read(source)
        if target is not None:
            media.format_of(target, self.found)
        elif media_format not in (None, self.found.format):
            raise UnsupportedFormat(
                f"a {self.found.format.upper()} file cannot become {media_format}",
                hint="Convert it to JPEG or PNG first.",
            )

    def _make(self, place: Path | None) -> LabelResult:
        if not self.is_exempt:
            self._missing(Layer.NOTICE, UnsupportedFormat.code)
        self._missing(Layer.MARK, UnsupportedFormat.code)
        self.notes.append(
            "its pixels cannot be changed; as JPEG or PNG it can have notice and mark"
        )
        labeled, label = self._label_picture(self.source)
        media_type = self.found.media_type
        has_history = self._has_history(self.source, media_type)
        title = (self.target or self.path or Path("untitled")).name
        content, store = manifest.sign(
            labeled,
            media_type,
            self._claim(title, label, None, SCHEME),
            self.settings.signer,
            parent=self.source if has_history else None,
            parent_media_type=media_type,
        )
        self._check_seal(content, media_type, metadata.read(content), label, store)
        self._sealed(has_history)
        if place is not None:
            place.write_bytes(content)
        return self._result(
            self.path,
            media=Media.IMAGE,
            media_type=media_type,
            payload=None,
            sha256_before=hashlib.sha256(self.source).hexdigest(),
            sha256_after=hashlib.sha256(content).hexdigest(),
            content=content,
        )
