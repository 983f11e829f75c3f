"""How an animated picture goes through the layers, written and read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import policy
from .errors import (
    ManifestError,
    MarkNotReadable,
    TooSmallForMark,
    TooSmallForNotice,
)
from .fingerprints.fingerprint import Fingerprint
from .fingerprints.video import fingerprint_video
from .keys import Key
from .marks.image import SCHEME, detect_image, embed_image
from .media import animation as media
from .metadata import image as metadata
from .model import AigcLabel, Detection, LabelResult, Layer, Media, to_dict
from .notices import image as notices
from .notices.find import FoundNotice, find
from .notices.find_like import NoticeLike, find_like
from .payload import Payload
from .picture import psnr
from .provenance import manifest
from .settings import Settings
from .subject import Subject
from .work import STRENGTHS, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AnimationSubject", "AnimationWork"]

_LOOKS = 8
"""Frames that are looked at, the first and last among them."""


class AnimationSubject(Subject):
    """One animated picture to be read, layer by layer."""

    media = Media.IMAGE
    content: bytes

    def __init__(self, content: bytes, path: Path | None) -> None:
        self.content = content
        self.path = path
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._animation = media.read(content)
        self._looks = [pixels for _, pixels in _looks(content, self._animation)]

    @property
    def extent(self) -> Mapping[str, Any]:
        """Medium and size."""
        return {"medium": "image", **_size(self._animation)}

    def find_notices(self) -> Sequence[FoundNotice]:
        """Return the notices of the first frame that shows one."""
        return next((found for one in self._looks if (found := find(one))), [])

    def read_notices(self) -> Sequence[NoticeLike]:
        """Return the texts of the first frame that look like a notice."""
        return find_like(self._looks[0])

    def find_mark(self, keys: Sequence[Key]) -> Detection:
        """Look for an invisible mark of any of the keys, in some of the frames."""
        hits = [detect_image(self._looks[0], keys)]
        for pixels in self._looks[1:]:
            if hits[-1].payload is not None:
                break
            hits.append(detect_image(pixels, keys))
        return min(hits, key=lambda hit: (hit.payload is None, not hit.found))

    def fingerprint(self) -> Fingerprint:
        """Return what the frames are known by, as of a video."""
        return _fingerprint(self.content)

    def read_metadata(self) -> metadata.Reading:
        """Return what the file's metadata says."""
        return metadata.read(self.content)


class AnimationWork(Work):
    """One animated picture on its way through the layers, in memory."""

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
        self.animation = media.read(source)
        if target is not None:
            media_format = media.format_of(target)
        self.format = media_format or self.animation.format
        self.notes += self.animation.carried.notes

    def _make(self, place: Path | None) -> LabelResult:
        plate = None if self.is_exempt else self._draw_notice()
        content, payload = self._embed_mark(plate)
        self.fingerprint = _fingerprint(content)
        content, label = self._label_picture(content)
        content = self._sign(content, label, payload)
        if place is not None:
            place.write_bytes(content)
        return self._result(
            self.path,
            media=Media.IMAGE,
            media_type=f"image/{self.format}",
            payload=payload,
            sha256_before=hashlib.sha256(self.source).hexdigest(),
            sha256_after=hashlib.sha256(content).hexdigest(),
            content=content,
        )

    def _draw_notice(self) -> _Plate | None:
        """Draw the notice on the first frame; all others get the same."""
        settings = self.settings
        first, _ = next(media.frames(self.source))
        ground = np.ascontiguousarray(first[..., :3])
        try:
            drawn, notice = notices.draw(
                ground,
                settings.text,
                corner=settings.corner or self.due.corner("image"),
                height_fraction=self.due.notice_height,
                safe_area=settings.safe_area or "none",
                vertical=settings.vertical,
                logo=settings.logo,
            )
        except TooSmallForNotice as error:
            self._missing(Layer.NOTICE, error.code)
            return None
        if notice.text != settings.text:
            self.notes.append("the picture had no room for the whole notice")
        self.notes += self.due.against("corners", "image", notice.corner)
        self._written(
            Layer.NOTICE,
            text=notice.text,
            box=to_dict(notice.box),
            corner=notice.corner,
            ink_height_px=notice.ink_height_px,
            contrast=round(notice.contrast, 2),
            **_size(self.animation),
        )
        return _Plate(drawn, (drawn != ground).any(axis=2))

    def _embed_mark(self, plate: _Plate | None) -> tuple[bytes, Payload | None]:
        """Mark every frame, encode and read back; one step stronger until it reads."""
        payload = self._free_payload()
        quality: list[float | None] = []
        reason = MarkNotReadable.code
        try:
            for strength in STRENGTHS:
                quality.clear()
                content = self._encoded(plate, payload, strength, quality)
                written = media.read(content)
                hits = [
                    detect_image(pixels, self.settings.key)
                    for _, pixels in _looks(content, written)
                ]
                read = [hit for hit in hits if hit.payload == payload]
                # Frames without anything in them, as in fades, can hold none.
                if 2 * len(read) >= len(hits):
                    self._written(
                        Layer.MARK,
                        scheme=SCHEME,
                        key_id=self.settings.key.id,
                        p_value=read[0].p_value,
                        strength=strength,
                        psnr_db=min((db for db in quality if db), default=None),
                        frames=written.count,
                        frames_checked=len(hits),
                        frames_read=len(read),
                    )
                    return content, payload
        except TooSmallForMark as error:
            reason = error.code
        self._missing(Layer.MARK, reason)
        return self._encoded(plate, None, 0.0, quality), None

    def _encoded(
        self,
        plate: _Plate | None,
        payload: Payload | None,
        strength: float,
        quality: list[float | None],
    ) -> bytes:
        """Write all frames, and tell how far the mark changes each, in dB."""

        def changed() -> Iterator[tuple[NDArray[np.uint8], int]]:
            for pixels, duration in media.frames(self.source):
                if plate is not None:
                    plate.put(pixels)
                if payload is not None:
                    key = self.settings.key
                    marked = embed_image(pixels, payload, key, strength=strength)
                    quality.append(psnr(pixels, marked))
                    pixels = marked
                yield pixels, duration

        return media.encode(self.animation, changed(), self.format)

    def _sign(self, content: bytes, label: AigcLabel, payload: Payload | None) -> bytes:
        title = (self.target or self.path or Path("untitled")).name
        claim = self._claim(title, label, payload, SCHEME)
        original_type = f"image/{self.animation.format}"
        parent = self.source if self._has_history(self.source, original_type) else None
        media_type = f"image/{self.format}"
        signed, store = manifest.sign(
            content,
            media_type,
            claim,
            self.settings.signer,
            parent=parent,
            parent_media_type=original_type,
        )
        self._check_seal(signed, media_type, metadata.read(signed), label, store)
        if _digest(content) != _digest(signed):
            raise ManifestError("signing changed the animation")
        self._sealed(parent is not None)
        return signed


def _fingerprint(content: bytes) -> Fingerprint:
    def shown() -> Iterator[tuple[float, NDArray[np.uint8]]]:
        time_ms = 0
        for pixels, duration_ms in media.frames(content):
            yield time_ms / 1000, pixels[..., :3]
            time_ms += duration_ms

    return fingerprint_video(shown())


class _Plate:
    """A notice that is put on every frame in the same place.

    Parameters
    ----------
    drawn : ndarray of uint8, shape (height, width, 3)
        A frame with it.
    mask : ndarray of bool, shape (height, width)
        Where it is.
    """

    def __init__(self, drawn: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
        self._colors, self._mask = drawn[mask], mask

    def put(self, pixels: NDArray[np.uint8]) -> None:
        """Put it on a frame, in place."""
        pixels[self._mask, :3] = self._colors
        if pixels.shape[2] == 4:
            pixels[self._mask, 3] = 255


def _looks(
    content: bytes, animation: media.Animation
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield number and pixels of some frames, the first and last among them."""
    steps = max(1, min(_LOOKS, animation.count) - 1)
    wanted = {round(i * (animation.count - 1) / steps) for i in range(steps + 1)}
    for number, (pixels, _) in enumerate(media.frames(content)):
        if number in wanted:
            yield number, pixels


def _digest(content: bytes) -> str:
    """Return a digest of all frames and how long they last."""
    digest = hashlib.sha256()
    for pixels, duration in media.frames(content):
        digest.update(pixels.tobytes())
        digest.update(f"{pixels.shape} {duration}".encode())
    return digest.hexdigest()


def _size(animation: media.Animation) -> dict[str, int]:
    return {"width": animation.width, "height": animation.height}
