"""How a picture goes through the layers, written and read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import policy
from .errors import (
    ManifestError,
    MarkNotReadable,
    TooSmallForMark,
    TooSmallForNotice,
    UsageError,
)
from .fingerprints.fingerprint import Fingerprint
from .fingerprints.image import fingerprint_image
from .keys import Key
from .marks.image import SCHEME, detect_image, embed_image
from .media import image as media
from .media.probe import probe
from .media.source import Source
from .metadata import image as metadata
from .model import (
    AigcLabel,
    Detection,
    LabelResult,
    Layer,
    Media,
    to_dict,
)
from .notices import image as notices
from .notices.find import FoundNotice, find
from .notices.find_like import NoticeLike, find_like
from .notices.place import AUTO
from .notices.sphere import draw_sphere
from .notices.view import View, check_sphere, find_in_view, look
from .panorama import default_view
from .payload import Payload
from .provenance import manifest
from .settings import Settings
from .subject import Subject
from .work import STRENGTHS, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PictureSubject", "PictureWork", "psnr"]


class PictureSubject(Subject):
    """One picture to be read, layer by layer."""

    media = Media.IMAGE
    content: bytes | None

    def __init__(self, source: Source) -> None:
        self.picture = source.picture
        self.content = source.content
        self.path = source.path
        self.sha256 = source.sha256
        self.view = _view_of(source)

    @property
    def extent(self) -> Mapping[str, Any]:
        """Medium and size."""
        return {"medium": "scene" if self.view else "image", **_size(self._shown)}

    def find_notices(self) -> Sequence[FoundNotice]:
        """Return the notices that are seen; in a 360-degree picture, at first."""
        return find_in_view(self._shown, self.view) if self.view else find(self._shown)

    def read_notices(self) -> Sequence[NoticeLike]:
        """Return the texts that look like a notice, in any font."""
        shown = self._shown
        return find_like(look(shown, self.view) if self.view else shown)

    @property
    def _shown(self) -> NDArray[np.uint8]:
        return media.display(self.picture.pixels, self.picture.orientation)

    def find_mark(self, keys: Sequence[Key]) -> Detection:
        """Look for an invisible mark of any of the keys."""
        return detect_image(self.picture.pixels, keys)

    def fingerprint(self) -> Fingerprint:
        """Return what the picture is known by."""
        return fingerprint_image(self.picture.pixels)

    def read_metadata(self) -> metadata.Reading | None:
        """Return what the file's metadata says; None for a picture in memory."""
        return None if self.content is None else metadata.read(self.content)


class PictureWork(Work):
    """One picture on its way through the layers, in memory."""

    def __init__(
        self,
        settings: Settings,
        due: policy.Due,
        source: Source,
        target: Path | None,
        media_format: str | None,
    ) -> None:
        super().__init__(settings, due, target)
        self.source = source
        if target is not None:
            media_format = media.format_of(target)
        self.format = media_format or source.picture.format
        self.notes += source.picture.notes

    def _make(self, place: Path | None) -> LabelResult:
        pixels = self.source.picture.pixels
        if not self.is_exempt:
            pixels = self._draw_notice(pixels)
        content, payload = self._embed_mark(pixels)
        self.fingerprint = fingerprint_image(pixels)
        content, label = self._label_picture(content)
        content = self._sign(content, label, payload)
        if place is not None:
            place.write_bytes(content)
        return self._result(
            self.source.path,
            media=Media.IMAGE,
            media_type=f"image/{self.format}",
            payload=payload,
            sha256_before=self.source.sha256,
            sha256_after=hashlib.sha256(content).hexdigest(),
            content=content,
        )

    def _draw_notice(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        orientation = self.source.picture.orientation
        shown = media.display(pixels, orientation)
        view = _view_of(self.source)
        try:
            shown = self._draw_flat(shown) if view is None else self._draw(shown, view)
        except TooSmallForNotice as error:
            self._missing(Layer.NOTICE, error.code)
            return pixels
        return media.stored(shown, orientation)

    def _draw_flat(self, shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
        settings = self.settings
        shown, notice = notices.draw(
            shown,
            settings.text,
            corner=settings.corner or self.due.corner("image"),
            height_fraction=self.due.notice_height,
            safe_area=settings.safe_area or "none",
            vertical=settings.vertical,
            logo=settings.logo,
        )
        self._drawn("image", notice.text, notice.corner)
        if settings.logo is not None and not notice.logo:
            self.notes.append("the picture had no room for the logo")
        self._written(
            Layer.NOTICE,
            text=notice.text,
            box=to_dict(notice.box),
            corner=notice.corner,
            ink_height_px=notice.ink_height_px,
            contrast=round(notice.contrast, 2),
            **_size(shown),
        )
        return shown

    def _draw(self, shown: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
        """Draw on a 360-degree picture, where people look first."""
        settings = self.settings
        if settings.vertical or settings.logo is not None:
            self.notes.append("in a 360-degree picture the notice is one plain line")
        corner = settings.corner or self.due.corner("scene")
        place = "bottom" if corner == AUTO else corner
        shown, notice = draw_sphere(
            shown,
            settings.text,
            view=view,
            place=place,
            height_fraction=self.due.notice_height,
        )
        self._drawn("scene", notice.text, place)
        self._written(
            Layer.NOTICE,
            text=notice.text,
            view=to_dict(notice.view),
            corner=place,
            height_fraction=round(notice.height_fraction, 4),
            contrast=round(notice.contrast, 2),
            **_size(shown),
        )
        return shown

    def _drawn(self, medium: str, text: str, corner: str) -> None:
        if text != self.settings.text:
            self.notes.append("the picture had no room for the whole notice")
        self.notes += self.due.against("corners", medium, corner)

    def _embed_mark(self, pixels: NDArray[np.uint8]) -> tuple[bytes, Payload | None]:
        """Mark, encode and read back; one step stronger until it reads."""
        payload = self._free_payload()
        picture = self.source.picture
        reason = MarkNotReadable.code
        try:
            for strength in STRENGTHS:
                marked = embed_image(
                    pixels, payload, self.settings.key, strength=strength
                )
                content = media.encode(picture, marked, self.format)
                hit = detect_image(media.read(content).pixels, self.settings.key)
                if hit.payload == payload:
                    self._written(
                        Layer.MARK,
                        scheme=SCHEME,
                        key_id=self.settings.key.id,
                        p_value=hit.p_value,
                        strength=strength,
                        psnr_db=psnr(pixels, marked),
                    )
                    return content, payload
        except TooSmallForMark as error:
            reason = error.code
        self._missing(Layer.MARK, reason)
        return media.encode(picture, pixels, self.format), None

    def _sign(self, content: bytes, label: AigcLabel, payload: Payload | None) -> bytes:
        title = (self.target or self.source.path or Path("untitled")).name
        claim = self._claim(title, label, payload, SCHEME)
        original = self.source.content
        parent_type = None if original is None else probe(original).media_type
        parent = original if self._has_history(original, parent_type) else None
        media_type = f"image/{self.format}"
        signed, store = manifest.sign(
            content,
            media_type,
            claim,
            self.settings.signer,
            parent=parent,
            parent_media_type=parent_type,
        )
        self._check_seal(signed, media_type, metadata.read(signed), label, store)
        before, after = media.read(content).pixels, media.read(signed).pixels
        if not np.array_equal(before, after):
            raise ManifestError("signing changed the picture")
        self._sealed(parent is not None)
        return signed


def _view_of(source: Source) -> View | None:
    """Return the first view of a 360-degree picture, None for another one."""
    view = None if source.content is None else default_view(source.content)
    if view is not None:
        height, width = source.picture.pixels.shape[:2]
        try:
            check_sphere(width, height)
        except UsageError:  # it says what it is not
            return None
    return view


def _size(pixels: NDArray[np.uint8]) -> dict[str, int]:
    height, width = pixels.shape[:2]
    return {"width": width, "height": height}


def psnr(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float | None:
    """Peak signal-to-noise ratio in dB; None when nothing changed."""
    error = float(np.mean((after.astype(np.float32) - before) ** 2))
    return round(10 * float(np.log10(255**2 / error)), 2) if error else None
