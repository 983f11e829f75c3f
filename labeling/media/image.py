"""Pictures: from a file to an array of pixels, and back to an equal file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    UsageError,
)
from . import tiff
from .colors import Pixels, eight_bit, hide_color
from .container import (
    EXIF_PREFIX,
    Carried,
    Piece,
    carried,
    decodable,
    insert,
    pieces,
    png_xmp,
)
from .orientation import display, exif_orientation, stored
from .probe import MAX_PIXELS, MEDIA_TYPES, Probe, format_by_suffix, probe

__all__ = [
    "Encoding",
    "Picture",
    "Pixels",
    "display",
    "encode",
    "format_of",
    "from_array",
    "from_pil",
    "read",
    "stored",
]

_SUFFIXES = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp"}
_SUFFIXES |= {".tif": "tiff", ".tiff": "tiff", ".avif": "avif"}
_DECODERS: dict[str, Callable[[BytesIO], Image.Image]] = {
    "jpeg": JpegImageFile,
    "png": PngImageFile,
    "webp": WebPImageFile,
    "tiff": TiffImageFile,
    "avif": AvifImageFile,
}
_MAX_SIDE = {"jpeg": 65_500, "webp": 16_383, "avif": 16_384}
_QUALITY = 95
# Larger pictures are written faster, as files that are a little larger.
_AVIF_PIXELS, _AVIF_SPEEDS = 2_000_000, (6, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How the source was compressed, as far as an equal file needs it.

    Parameters
    ----------
    quantization : tuple of tuple of int
        JPEG quantization tables of the components, 64 values each in natural order;
        empty when the source was no JPEG, or one with other channels.
    subsampling : int
        JPEG chroma subsampling: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0.
    progressive : bool
        Whether a JPEG was progressive.
    lossless : bool
        Whether a WebP was lossless; false of AVIF, true of every other source.
    """

    quantization: tuple[tuple[int, ...], ...] = ()
    subsampling: int = 0
    progressive: bool = False
    lossless: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A picture in memory, with what a file of it says besides the pixels.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width), (height, width, 3 or 4)
        Grey, RGB or RGBA, as stored: before `orientation` is applied.
    format : str
        ``"jpeg"``, ``"png"``, ``"webp"``, ``"tiff"`` or ``"avif"``: that of the
        source, ``"png"`` when it was no file.
    orientation : int
        EXIF orientation, 1 to 8: how to turn the pixels for display.
    carried : Carried
        Color profile, EXIF, XMP, resolution and other data of the source.
    encoding : Encoding
        How the source was compressed.
    notes : tuple of str
        What reading changed or could not keep.
    """

    pixels: Pixels
    format: str = "png"
    orientation: int = 1
    carried: Carried = field(default_factory=Carried)
    encoding: Encoding = field(default_factory=Encoding)
    notes: tuple[str, ...] = ()


def read(content: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a JPEG, PNG, WebP, TIFF or AVIF file.

    Pictures of other depths and color models become the nearest of grey, RGB and
    RGBA with 8 bits, and `Picture.notes` says so. CMYK goes through its ICC profile
    when it has one.

    Parameters
    ----------
    content : bytes
        The whole file.
    max_pixels : int, optional
        Refuse larger pictures, by the header, before decoding.

    Raises
    ------
    MediaError
        As `probe` raises it, or because the pixels cannot be decoded.
    """
    found = probe(content, max_pixels=max_pixels)
    parts: list[Piece] = []
    if found.format == "tiff":
        header = tiff.read_header(content)
        image = _decode(header.decodable, found)
        kept = tiff.carried(image, header.orientation)
    elif found.format == "avif":
        image = _decode(content, found)
        kept = _carried(image)
    else:
        parts = pieces(content, found.format)
        kept = carried(parts, found.format)
        image = _decode(decodable(content, parts, found.format), found)
    key = None
    if found.mode in ("grey", "rgb"):
        key = image.info.pop("transparency", None)
    pixels, notes = eight_bit(image, kept.icc)
    if found.bits > 8 and image.mode in ("RGB", "RGBA", "CMYK"):
        notes.append(f"{found.bits} bits per channel were reduced to 8")
    if found.mode == "grey" and found.bits in (2, 4):
        notes.append(f"greyscale of {found.bits} bits was converted to 8 bits")
    if key is not None:
        pixels = hide_color(pixels, np.atleast_1d(key), found.bits)
        notes.append("the transparent color was converted to an alpha channel")
    return Picture(
        pixels=pixels,
        format=found.format,
        orientation=exif_orientation(kept.exif),
        carried=kept,
        encoding=_encoding(image, parts),
        notes=(*notes, *kept.notes),
    )


def from_array(pixels: Pixels) -> Picture:
    """Make a picture of an array.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width), (height, width, 3 or 4)
        Grey, RGB or RGBA. The picture holds a copy.

    Raises
    ------
    UsageError
        The array has another type or shape.
    """
    return Picture(pixels=np.array(_checked(pixels), order="C"))


def from_pil(image: Image.Image) -> Picture:
    """Make a picture of a Pillow image, with its color profile, EXIF and XMP.

    Raises
    ------
    DamagedMedia
        The file behind the image cannot be decoded.
    UsageError
        The image has a mode without a plain meaning as colors.
    """
    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise _undecodable(error) from error
    kept = _carried(image)
    pixels, notes = eight_bit(image, kept.icc)
    return Picture(
        pixels=pixels,
        orientation=exif_orientation(kept.exif),
        carried=kept,
        notes=tuple(notes),
    )


def encode(picture: Picture, pixels: Pixels, format: str | None = None) -> bytes:
    """Write pixels into a file like the one that the picture came from.

    A JPEG keeps the quantization tables and subsampling of the source; one that was
    none has quality 95 without subsampling. A WebP is lossless unless the source
    was a lossy WebP, then it has quality 95, as AVIF has, without subsampling. TIFF
    is compressed without loss. Color profile, EXIF with orientation,
    XMP and resolution are kept; texts, IPTC and color tags too where the format
    stays the same. A profile that does not fit the channels is left out.

    Parameters
    ----------
    picture : Picture
        Whose file to imitate.
    pixels : ndarray of uint8, shape (height, width), (height, width, 3 or 4)
        What to write, oriented as `Picture.pixels`.
    format : str, optional
        ``"jpeg"``, ``"png"``, ``"webp"``, ``"tiff"`` or ``"avif"``; by default that of
        the picture.

    Raises
    ------
    UsageError
        The format is unknown, or cannot hold transparency or so large a picture.
    MediaError
        The format cannot hold the metadata.
    """
    target = picture.format if format is None else format
    if target not in MEDIA_TYPES:
        raise UsageError(
            f"{target!r} is not a picture format",
            hint=f"Choose one of {', '.join(MEDIA_TYPES)}.",
        )
    pixels = _checked(pixels)
    if max(pixels.shape[:2]) > _MAX_SIDE.get(target, 1 << 31):
        raise UsageError(
            f"a {target} picture has at most {_MAX_SIDE[target]} pixels a side",
            hint="Choose PNG as the output.",
        )
    kept, encoding = picture.carried, picture.encoding
    options: dict[str, Any] = {}
    extras = kept.extras if target == picture.format else ()
    if target == "jpeg":
        pixels = _opaque(pixels)
        options["progressive"] = encoding.progressive
        if encoding.quantization:
            options["qtables"] = [list(table) for table in encoding.quantization]
            options["subsampling"] = encoding.subsampling
        else:
            options |= {"quality": _QUALITY, "subsampling": 0}
    elif target == "webp" and encoding.lossless:
        options |= {"lossless": True, "exact": True}
    elif target == "webp":
        options["quality"] = _QUALITY
    elif target == "avif":
        speed = _AVIF_SPEEDS[pixels.shape[0] * pixels.shape[1] > _AVIF_PIXELS]
        options |= {"quality": _QUALITY, "subsampling": "4:4:4", "speed": speed}
    icc = kept.icc
    if icc and not _profile_fits(icc, pixels, target):
        icc = None
    if target == "tiff":
        return tiff.write(pixels, kept, icc)
    if icc:
        options["icc_profile"] = icc
    if kept.exif:
        options["exif"] = EXIF_PREFIX + kept.exif
    if kept.dpi:
        options["dpi"] = kept.dpi
    if kept.xmp and target == "png":
        extras = (*extras, png_xmp(kept.xmp))
    elif kept.xmp:
        options["xmp"] = kept.xmp
    try:
        content = _compress(pixels, target, options)
    except (OSError, ValueError) as error:
        raise MediaError(
            f"the picture cannot be written as {target}: {error}",
            hint="Choose PNG as the output.",
        ) from error
    return insert(content, target, extras)


def format_of(path: Path | str) -> str:
    """Tell the format that a file of this name shall have.

    Raises
    ------
    UnsupportedFormat
        The suffix is missing or not that of a JPEG, PNG, WebP, TIFF or AVIF file.
    """
    return format_by_suffix(path, _SUFFIXES)


def _carried(image: Image.Image) -> Carried:
    """Collect what Pillow says about the pixels of an image."""
    found = [image.info.get(name) for name in ("icc_profile", "exif", "xmp")]
    icc, exif, xmp = (block if isinstance(block, bytes) else None for block in found)
    return Carried(icc=icc, exif=exif and exif.removeprefix(EXIF_PREFIX), xmp=xmp)


def _decode(stream: bytes, found: Probe) -> Image.Image:
    """Decode what `found` describes, and nothing larger."""
    try:
        # The plain decoders know no limit of their own, unlike Image.open: the
        # header was checked against ours.
        with warnings.catch_warnings(action="ignore"):
            image = _DECODERS[found.format](BytesIO(stream))
            if image.size == (found.width, found.height):
                image.load()
                return image
    except (Image.DecompressionBombError, MemoryError) as error:
        raise MediaTooLarge("the picture is too large to be decoded") from error
    except Exception as error:  # broken files make decoders raise a dozen kinds
        raise _undecodable(error) from error
    raise DamagedMedia("the headers in the file tell different sizes")


def _undecodable(error: Exception) -> DamagedMedia:
    return DamagedMedia(
        f"the picture data cannot be decoded: {error or type(error).__name__}",
        hint="Get a complete copy of the file.",
    )


def _compress(pixels: Pixels, format: str, options: dict[str, Any]) -> bytes:
    file = BytesIO()
    try:
        Image.fromarray(pixels).save(file, format, **options)
    except OSError:
        # Pillow guesses the room for a progressive JPEG, too little for pure noise.
        if not options.get("progressive"):
            raise
        return _compress(pixels, format, {**options, "progressive": False})
    return file.getvalue()


def _encoding(image: Image.Image, parts: list[Piece]) -> Encoding:
    if isinstance(image, AvifImageFile):
        return Encoding(lossless=False)
    if isinstance(image, WebPImageFile):
        return Encoding(lossless=any(part.name == "VP8L" for part in parts))
    if not isinstance(image, JpegImageFile) or image.mode == "CMYK":
        return Encoding()
    try:
        tables = [tuple(image.quantization[layer[3]]) for layer in image.layer]
    except KeyError:  # defined only after the first scan
        tables = []
    while len(tables) > 1 and tables[-1] == tables[-2]:
        tables.pop()
    return Encoding(
        quantization=tuple(tables),
        subsampling=max(0, get_sampling(image)),
        progressive=bool(image.info.get("progressive")),
    )


def _profile_fits(icc: bytes, pixels: Pixels, target: str) -> bool:
    """Say whether a profile is for the channels that the file will have."""
    grey = pixels.ndim == 2 and target not in ("webp", "avif")
    return icc[16:20] == (b"GRAY" if grey else b"RGB ")


def _opaque(pixels: Pixels) -> Pixels:
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    if not (pixels[:, :, 3] == 255).all():
        raise UsageError(
            "a JPEG picture cannot be transparent",
            hint="Choose PNG or WebP as the output.",
        )
    return pixels[:, :, :3]


def _checked(pixels: Pixels) -> Pixels:
    if pixels.dtype != np.uint8:
        raise UsageError(
            f"pixels must be of type uint8, not {pixels.dtype}",
            hint="Scale them to 0..255 and convert them with astype(numpy.uint8).",
        )
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,), (4,)):
        raise UsageError(
            f"pixels must have the shape (height, width), (height, width, 3) or "
            f"(height, width, 4), not {pixels.shape}"
        )
    if not pixels.size:
        raise UsageError(f"pixels of the shape {pixels.shape} hold no picture")
    return pixels
