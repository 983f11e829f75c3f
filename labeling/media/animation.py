"""Animated pictures, and GIF in general: frame by frame as they are seen.

Every frame is the whole picture, whatever part of it the file holds: earlier frames lie
under it as the file says. Written again, it lasts as long and repeats as often.

References
----------
GIF89a specification; W3C PNG, third edition, section 4.9; RFC 9649 (WebP), 2.7.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import GifImageFile, getdata
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import DamagedMedia, MediaError, MediaTooLarge, UnsupportedFormat
from .colors import Pixels
from .container import (
    EXIF_PREFIX,
    PNG_SIGNATURE,
    Carried,
    carried,
    insert,
    pieces,
    png_xmp,
)
from .probe import MAX_BYTES, MAX_PIXELS, format_by_suffix, open_file
from .source import read_file

__all__ = [
    "MAX_FRAMES",
    "Animation",
    "animation_source",
    "encode",
    "format_of",
    "frames",
    "read",
]

MAX_FRAMES = 5_000

_SUFFIXES = {".gif": "gif", ".png": "png", ".apng": "png", ".webp": "webp"}
_DECODERS: dict[str, Callable[[BytesIO], Image.Image]] = {
    "gif": GifImageFile,
    "png": PngImageFile,
    "webp": WebPImageFile,
}
_PNG_PIXELS = {"IHDR", "PLTE", "tRNS", "IDAT", "IEND", "acTL", "fcTL", "fdAT"}
_HEAD_BYTES = 12
_QUALITY = 95
_OPAQUE = 128
# How a frame of a GIF goes: it stays, or gives way to what is transparent.
_STAYS, _GOES = 1, 2
_LOOP = b"\x21\xff\x0bNETSCAPE2.0\x03\x01"
_GIF_XMP = b"\x21\xff\x0bXMP DataXMP"
_GIF_TRAILER = b"\1" + bytes(range(255, -1, -1)) + b"\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Animation:
    """What a file of several frames, or a GIF, says besides their pixels.

    Parameters
    ----------
    format : str
        ``"gif"``, ``"png"`` or ``"webp"``.
    width, height : int
        Size in pixels.
    count : int
        Frames, at least one.
    plays : int
        How often it is shown, 0 for without end.
    has_cover : bool
        Whether the first frame is for readers that show no others.
    lossless : bool
        Whether the frames were compressed without loss.
    carried : Carried
        Color profile, EXIF, XMP and other data.
    """

    format: str
    width: int
    height: int
    count: int
    plays: int
    has_cover: bool
    lossless: bool
    carried: Carried


def animation_source(source: object) -> bytes | None:
    """Return the content of an animated picture or GIF, None for all else.

    Parameters
    ----------
    source : str, Path, bytes or anything else
        A file, or the bytes of one.

    Raises
    ------
    MediaError
        The file cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source) if _may_move(bytes(source[:_HEAD_BYTES])) else b""
    elif isinstance(source, str | os.PathLike):
        with open_file(Path(source)) as file:
            head = file.read(_HEAD_BYTES)
        content = read_file(Path(source)) if _may_move(head) else b""
    else:
        return None
    if not content or len(content) > MAX_BYTES:
        return None
    if content.startswith(b"GIF"):
        return content
    # The chunks that begin each frame; what else is wrong shows on reading.
    frame = b"fcTL" if content.startswith(b"\x89PNG") else b"ANMF"
    return content if content.count(frame) > 1 and _count(content) > 1 else None


def read(content: bytes) -> Animation:
    """Tell what an animated picture is like, before it is decoded.

    Raises
    ------
    DamagedMedia
        The file is cut off or malformed.
    MediaTooLarge
        There are more than `MAX_FRAMES` frames, or 200 million pixels in all of them.
    """
    format = _format(content)
    count, kept = _count(content), _carried(content, format)
    if count > MAX_FRAMES:
        raise MediaTooLarge(f"the animation has more than {MAX_FRAMES} frames")
    try:
        with warnings.catch_warnings(action="ignore"):
            image = _DECODERS[format](BytesIO(_decodable(content, format)))
            width, height = image.size
            plays = image.info.get("loop")
            has_cover = bool(image.info.get("default_image"))
    except Exception as error:  # broken files make decoders raise a dozen kinds
        raise _undecodable(error) from error
    if not count or not width or not height:
        raise DamagedMedia("the file has no picture")
    if width * height * count > MAX_PIXELS:
        raise MediaTooLarge(
            f"the animation has {count} frames of {width} x {height} pixels, more than "
            f"{MAX_PIXELS / 1e6:g} million in all",
            hint="Scale it down, or make a video of it.",
        )
    if format == "gif" and plays != 0:
        plays = 1 + (plays or 0)  # it tells how often it is shown again
    return Animation(
        format=format,
        width=width,
        height=height,
        count=count,
        plays=1 if plays is None else plays,
        has_cover=has_cover,
        lossless=format != "webp" or b"VP8 " not in _frame_kinds(content),
        carried=kept,
    )


def frames(content: bytes) -> Iterator[tuple[Pixels, int]]:
    """Decode the frames one after the other.

    Yields
    ------
    pixels : ndarray of uint8, shape (height, width, 3 or 4)
        RGB, or RGBA in a file that may be transparent; as seen at that time.
    duration_ms : int
        How long it is seen.

    Raises
    ------
    DamagedMedia
        A frame cannot be decoded.
    """
    format = _format(content)
    try:
        with warnings.catch_warnings(action="ignore"):
            image = _DECODERS[format](BytesIO(_decodable(content, format)))
            for number in range(int(getattr(image, "n_frames", 1))):
                image.seek(number)
                image.load()
                mode = "RGBA" if image.has_transparency_data else "RGB"
                duration = round(image.info.get("duration") or 0)
                yield np.array(image.convert(mode)), duration
    except MediaError:
        raise
    except Exception as error:
        raise _undecodable(error) from error


def format_of(path: Path | str) -> str:
    """Tell the format that an animation of this name shall have.

    Raises
    ------
    UnsupportedFormat
        The suffix is not that of a GIF, PNG or WebP file.
    """
    return format_by_suffix(path, _SUFFIXES)


def encode(
    animation: Animation, shown: Iterable[tuple[Pixels, int]], format: str
) -> bytes:
    """Write frames into a file like the one that they came from.

    PNG is lossless, and WebP too unless the source was a lossy one. Each frame of a
    GIF gets the 256 colors that suit it best.

    Parameters
    ----------
    animation : Animation
        Whose file to imitate.
    shown : iterable of (ndarray, int)
        As `frames` yields them.
    format : str
        ``"gif"``, ``"png"`` or ``"webp"``.

    Raises
    ------
    UnsupportedFormat
        The format cannot be animated.
    MediaError
        The format cannot hold the frames.
    """
    if format not in _DECODERS:
        raise UnsupportedFormat(
            f"an animation cannot be written as {format}",
            hint="Choose GIF, PNG or WebP as the output.",
        )
    kept = animation.carried
    extras = kept.extras if format == animation.format else ()
    if format == "gif":
        return b"".join(_gif(animation, shown, extras))
    times: list[int] = []
    images = (Image.fromarray(pixels) for pixels in _timed(shown, times))
    first = next(images)
    rest = list(images)
    has_cover = animation.has_cover and format == "png"
    options: dict[str, Any] = {"save_all": True, "append_images": rest}
    options["duration"] = times[1:] if has_cover else times
    options["loop"] = animation.plays
    if kept.icc and kept.icc[16:20] == b"RGB ":
        options["icc_profile"] = kept.icc
    if kept.exif:
        options["exif"] = EXIF_PREFIX + kept.exif
    if format == "png":
        options["default_image"] = has_cover
        if kept.xmp:
            extras = (*extras, png_xmp(kept.xmp))
    else:
        lossy = {"quality": _QUALITY}
        options |= {"lossless": True, "exact": True} if animation.lossless else lossy
        if kept.xmp:
            options["xmp"] = kept.xmp
    file = BytesIO()
    try:
        first.save(file, format, **options)
    except (OSError, ValueError) as error:
        raise MediaError(
            f"the animation cannot be written as {format}: {error}",
            hint="Choose GIF as the output.",
        ) from error
    return insert(file.getvalue(), format, extras)


def _may_move(head: bytes) -> bool:
    return head.startswith((b"GIF87a", b"GIF89a", PNG_SIGNATURE)) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    )


def _format(content: bytes) -> str:
    if content.startswith(b"GIF"):
        return "gif"
    return "png" if content.startswith(b"\x89PNG") else "webp"


def _count(content: bytes) -> int:
    """Return the number of frames; raises `DamagedMedia` for a broken file."""
    format = _format(content)
    names = [part.name for part in pieces(content, format)]
    if format == "png":
        # A picture in front of the first frame is for readers that show no others.
        head = names[: names.index("IDAT")] if "IDAT" in names else names
        return names.count("fcTL") + ("fcTL" not in head)
    return names.count("frame" if format == "gif" else "ANMF")


def _frame_kinds(content: bytes) -> set[bytes]:
    """Return the kinds of chunks that the frames of a WebP file begin with."""
    parts = [part for part in pieces(content, "webp") if part.name == "ANMF"]
    heads = {bytes(part.data[16:20]) for part in parts}
    # Transparency of a lossy frame precedes it.
    return {b"VP8 " if head == b"ALPH" else head for head in heads}


def _carried(content: bytes, format: str) -> Carried:
    parts = pieces(content, format)
    if format != "gif":
        return carried(parts, format)
    comments = tuple(bytes(part.raw) for part in parts if part.name == "comment")
    packets = [bytes(part.data) for part in parts if part.name == "XMP"]
    return Carried(xmp=packets[0] if packets else None, extras=comments)


def _decodable(content: bytes, format: str) -> bytes:
    """Return the file reduced to what makes its frames."""
    if format != "png":
        return content
    kept = (part.raw for part in pieces(content, "png") if part.name in _PNG_PIXELS)
    return b"".join((PNG_SIGNATURE, *kept))


def _timed(shown: Iterable[tuple[Pixels, int]], times: list[int]) -> Iterator[Pixels]:
    for pixels, duration in shown:
        times.append(duration)
        yield pixels


def _gif(
    animation: Animation, shown: Iterable[tuple[Pixels, int]], extras: tuple[bytes, ...]
) -> Iterator[bytes]:
    """Yield the parts of a GIF file."""
    yield b"GIF89a" + pack("<2H3B", animation.width, animation.height, 0x70, 0, 0)
    if animation.plays != 1:
        yield _LOOP + pack("<HB", max(0, animation.plays - 1), 0)
    if animation.carried.xmp:
        yield _GIF_XMP + animation.carried.xmp + _GIF_TRAILER
    yield from extras
    before: Pixels | None = None
    for pixels, duration in shown:
        image, hidden = _reduced(pixels)
        options: dict[str, Any] = {"duration": duration, "include_color_table": True}
        box = (0, 0, *image.size)
        colors = None
        if hidden is None:
            colors = np.asarray(image.convert("RGB"))
            if before is not None:
                box = _changed(before, colors)
            options["disposal"] = _STAYS
        else:
            options |= {"disposal": _GOES, "transparency": hidden}
        before = colors
        yield from getdata(image.crop(box), box[:2], **options)
    yield b"\x3b"


def _reduced(pixels: Pixels) -> tuple[Image.Image, int | None]:
    """Return a frame with a palette, and the index that is transparent."""
    opaque = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    hidden = None
    if pixels.shape[2] == 4 and (mask := pixels[..., 3] < _OPAQUE).any():
        hidden = 255
        image = opaque.quantize(255, method=Image.Quantize.MEDIANCUT, kmeans=1)
        indexes = np.where(mask, hidden, np.asarray(image)).astype(np.uint8)
        palette = image.getpalette() or []
        image = Image.fromarray(indexes)
        image.putpalette(palette + [0] * (768 - len(palette)))
        return image, hidden
    return opaque.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1), hidden


def _changed(before: Pixels, after: Pixels) -> tuple[int, int, int, int]:
    """Return the rectangle that differs: left, top, right and bottom."""
    differs = (before != after).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    if not rows.size:
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _undecodable(error: Exception) -> DamagedMedia:
    return DamagedMedia(
        f"the frames cannot be decoded: {error or type(error).__name__}",
        hint="Get a complete copy of the file.",
    )
