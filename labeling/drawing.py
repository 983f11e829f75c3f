"""How an SVG drawing goes through the layers, written and read.

It is a picture, but one without pixels: there is no invisible mark in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import policy
from .errors import ManifestError, MediaError, TooSmallForNotice, UnsupportedFormat
from .keys import Key
from .media.document import format_of
from .media.svg import MEDIA_TYPE, Drawing
from .metadata import image as metadata
from .model import UNSUPPORTED, AigcLabel, LabelResult, Layer, Media
from .notices.drawing import CLASS, Area, draw_element
from .notices.find_drawing import (
    FoundDrawnNotice,
    SpelledText,
    find_elements,
    find_texts,
)
from .provenance import manifest
from .settings import Settings
from .subject import Subject
from .work import Work

__all__ = ["DrawingSubject", "DrawingWork"]

_MANIFEST = re.compile(
    rb"<c2pa:manifest>[^<]*</c2pa:manifest>| xmlns:c2pa=\"http://c2pa.org/manifest\""
)


class DrawingSubject(Subject):
    """One drawing to be read, layer by layer."""

    media = Media.IMAGE
    content: bytes

    def __init__(self, content: bytes, path: Path | None) -> None:
        try:
            self.drawing = Drawing(content)
        except MediaError as error:
            error.path = path
            raise
        self.content = content
        self.path = path
        self.sha256 = hashlib.sha256(content).hexdigest()

    @property
    def extent(self) -> Mapping[str, Any]:
        """Medium and size."""
        return {"medium": "image", **_size(self.drawing)}

    def find_notices(self) -> Sequence[FoundDrawnNotice]:
        """Return the notices that are drawn or spelled out."""
        return _notices(self.drawing)

    def find_mark(self, keys: Sequence[Key]) -> None:
        """Return nothing: there are no marks in drawings."""

    def read_metadata(self) -> metadata.Reading:
        """Return what the metadata says."""
        return metadata.read(self.content)

    def read_manifest(self, anchors_pem: str) -> manifest.ManifestReading:
        """Read and judge the manifest; the bytes alone do not tell the type."""
        return manifest.read(self.content, MEDIA_TYPE, anchors_pem=anchors_pem)


class DrawingWork(Work):
    """One drawing on its way through the layers, in memory."""

    def __init__(
        self,
        settings: Settings,
        due: policy.Due,
        source: tuple[bytes, str],
        path: Path | None,
        target: Path | None,
        media_format: str | None,
    ) -> None:
        super().__init__(settings, due, target)
        self.original = source[0]
        self.path = path
        wanted = media_format if target is None else format_of(target)
        if wanted not in (None, "svg"):
            raise UnsupportedFormat(
                f"a drawing cannot become {wanted}", hint="End the name in .svg."
            )
        self.drawing = Drawing(self.original)

    def _make(self, place: Path | None) -> LabelResult:
        drawing = self.drawing.without_manifest()
        if not self.is_exempt:
            drawing = self._draw_notice(drawing)
        self._missing(Layer.MARK, UNSUPPORTED)
        labeled, label = self._label_picture(drawing.content)
        content = self._sign(labeled, label)
        if place is not None:
            place.write_bytes(content)
        return self._result(
            self.path,
            media=Media.IMAGE,
            media_type=MEDIA_TYPE,
            payload=None,
            sha256_before=hashlib.sha256(self.original).hexdigest(),
            sha256_after=hashlib.sha256(content).hexdigest(),
            content=content,
        )

    def _draw_notice(self, drawing: Drawing) -> Drawing:
        settings = self.settings
        area = _area(drawing)
        corner = settings.corner or self.due.corner("image")
        try:
            notice = draw_element(
                settings.text,
                area,
                corner=corner,
                height_fraction=self.due.notice_height,
                styled=drawing.styled,
            )
        except TooSmallForNotice as error:
            self._missing(Layer.NOTICE, error.code)
            return drawing
        if settings.vertical or settings.logo is not None:
            self.notes.append("in a drawing the notice is one plain line")
        if notice.text != settings.text:
            self.notes.append("the notice stands in the drawing without a translation")
        self.notes += self.due.against("corners", "image", notice.corner)
        drawing = drawing.with_element(notice.element, CLASS)
        found = [one for one in _notices(drawing) if one.outlined]
        if [one.text for one in found] != [notice.text]:
            raise UnsupportedFormat(
                "the notice cannot be read at its place in the drawing",
                hint="Save the drawing anew with another program first.",
            )
        self._written(
            Layer.NOTICE,
            text=notice.text,
            corner=notice.corner,
            height_fraction=round(found[0].height_fraction, 4),
            ink_height_px=round(found[0].ink_height_px, 1),
            contrast=notice.contrast,
            **_size(drawing),
        )
        return drawing

    def _sign(self, content: bytes, label: AigcLabel) -> bytes:
        if not self.drawing.signable:
            title = (self.target or self.path or Path("untitled")).name
            claim = self._claim(title, label, None, "")
            self._seal_beside(content, MEDIA_TYPE, claim)
            self.notes.append(
                "the elements of the drawing have a prefix, which leaves no place for "
                "a manifest"
            )
            return content
        has_history = self._has_history(self.original, MEDIA_TYPE)
        title = (self.target or self.path or Path("untitled")).name
        signed, store = manifest.sign(
            content,
            MEDIA_TYPE,
            self._claim(title, label, None, ""),
            self.settings.signer,
            parent=self.original if has_history else None,
        )
        self._check_seal(signed, MEDIA_TYPE, metadata.read(signed), label, store)
        if _bare(signed) != _bare(content):
            raise ManifestError("signing changed the drawing")
        self._sealed(has_history)
        return signed


def _notices(drawing: Drawing) -> list[FoundDrawnNotice]:
    area = _area(drawing)
    texts = [
        SpelledText(text=one.text, x=one.x, y=one.y, size=one.size)
        for one in drawing.texts
    ]
    return [*find_elements(drawing.elements(CLASS), area), *find_texts(texts, area)]


def _area(drawing: Drawing) -> Area:
    return Area(
        x=drawing.x,
        y=drawing.y,
        width=drawing.width,
        height=drawing.height,
        short=drawing.short,
        short_px=drawing.short_px,
        elastic=drawing.elastic,
    )


def _size(drawing: Drawing) -> dict[str, int]:
    width, height = drawing.size_px
    return {"width": round(width), "height": round(height)}


def _bare(content: bytes) -> bytes:
    """Return a drawing without its manifest; a byte order mark may go with it."""
    return _MANIFEST.sub(b"", content.removeprefix(b"\xef\xbb\xbf"))
