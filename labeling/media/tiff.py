"""TIFF: what a file of one picture says, and how to write one without loss.

A new file begins with the EXIF data, which are TIFF themselves: nothing in them has to
move, and what only their writer understands stays readable.

References
----------
TIFF 6.0; TIFF technical note 1 (deflate); Exif 3.0, section 4.6.2.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from .container import EXIF_PREFIX, Carried

__all__ = ["SIGNATURES", "Header", "carried", "read_header", "write"]

SIGNATURES = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_FORMS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_SHORT, _LONG, _RATIONAL, _UNDEFINED, _BYTE = 3, 4, 5, 7, 1
_WIDTH, _HEIGHT, _BITS, _COLORS, _ORIENTATION, _SAMPLES = 256, 257, 258, 262, 274, 277
_XMP, _EXIF, _ICC, _GPS = 700, 0x8769, 34675, 0x8825
_MODES = {
    (0, 1): "grey",
    (0, 2): "grey+alpha",
    (1, 1): "grey",
    (1, 2): "grey+alpha",
    (2, 3): "rgb",
    (2, 4): "rgba",
    (3, 1): "palette",
    (5, 4): "cmyk",
    (6, 3): "rgb",
    (8, 3): "lab",
}
# What is said about a picture besides how its pixels are stored: its description,
# make, model, software, date, artist and copyright.
_WORDS = (270, 271, 272, 305, 306, 315, 33432)
_ROWS = 1 << 18  # bytes of a strip
_MAX_FIELDS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the directory of a file of one picture says.

    Parameters
    ----------
    width, height, mode, bits
        As `Probe` has them.
    orientation : int
        EXIF orientation, 1 to 8.
    decodable : bytes
        The file as it is, but said to be upright: a decoder that turns the pixels
        itself leaves them as they are stored.
    """

    width: int
    height: int
    mode: str
    bits: int
    orientation: int
    decodable: bytes


def read_header(content: bytes) -> Header:
    """Read the directory of a file of one picture.

    Raises
    ------
    DamagedMedia
        The directory is cut off.
    UnsupportedFormat
        The file has several pages, or numbers that are no colors.
    """
    order = SIGNATURES[content[:4]]
    try:
        fields, following = _fields(content, order, big=b"+" in content[2:4])
    except struct.error as error:
        raise DamagedMedia(
            "the TIFF file is truncated", hint="Get a complete copy of the file."
        ) from error
    if following:
        raise UnsupportedFormat(
            "the TIFF file has several pages",
            hint="Save each page as a picture first.",
        )

    def number(tag: int, default: int = 1) -> int:
        return fields[tag][1] if tag in fields else default

    bits, samples = number(_BITS), number(_SAMPLES)
    mode = _MODES.get((number(_COLORS, 0), samples), "")
    if not mode or bits not in (1, 2, 4, 8, 16):
        raise UnsupportedFormat(
            f"the TIFF file has unusual pixels: {samples} values of {bits} bits",
            hint="Save it with 8 or 16 bits as grey, RGB, RGBA or CMYK first.",
        )
    upright = bytearray(content)
    if _ORIENTATION in fields:
        place, _, form = fields[_ORIENTATION]
        struct.pack_into(form, upright, place, 1)
    turn = number(_ORIENTATION)
    return Header(
        width=number(_WIDTH, 0),
        height=number(_HEIGHT, 0),
        mode=mode,
        bits=bits,
        orientation=turn if 1 <= turn <= 8 else 1,
        decodable=bytes(upright),
    )


def carried(image: Image.Image, orientation: int) -> Carried:
    """Collect what a TIFF file says about its pixels, once it is decoded."""
    source, kept = image.getexif(), Image.Exif()
    kept.update({tag: source[tag] for tag in _WORDS if tag in source})
    if orientation != 1:
        kept[_ORIENTATION] = orientation
    for tag in (_EXIF, _GPS):
        if below := source.get_ifd(tag):
            kept.get_ifd(tag).update(below)
            kept[tag] = below
    xmp, dpi = image.info.get("xmp"), image.info.get("dpi")
    return Carried(
        icc=image.info.get("icc_profile") or None,
        exif=kept.tobytes().removeprefix(EXIF_PREFIX) if len(kept) else None,
        xmp=xmp if isinstance(xmp, bytes) else None,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
    )


def write(pixels: NDArray[np.uint8], kept: Carried, icc: bytes | None) -> bytes:
    """Return a TIFF file, compressed without loss.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width), (height, width, 3 or 4)
        Grey, RGB or RGBA.
    kept : Carried
        EXIF, XMP and resolution to be written with them.
    icc : bytes or None
        The color profile.

    Raises
    ------
    MediaTooLarge
        The file would have more than 4 GiB.
    """
    block = kept.exif or b""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    fields: dict[int, tuple[int, int, bytes]] = {}
    if order is None or len(block) < 8:
        order, block = "<", b"II*\0" + bytes(4)
    else:
        # The directory is written anew, and its longer values stay where they are.
        fields = _words(block, order)
    output = bytearray(block)
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows = max(1, _ROWS // (width * samples))
    starts, lengths = [], []
    for row in range(0, height, rows):
        strip = _compressed(pixels[row : row + rows])
        starts.append(len(output))
        lengths.append(len(strip))
        output += strip

    def put(tag: int, kind: int, values: list[int] | bytes) -> None:
        if isinstance(values, bytes):
            count, data = len(values), values
        else:
            form = _FORMS.get(kind, "I")
            data = struct.pack(f"{order}{len(values)}{form}", *values)
            count = len(values) // 2 if kind == _RATIONAL else len(values)
        if len(data) > 4:
            output.extend(bytes(len(output) % 2))
            place = len(output)
            output.extend(data)
            data = struct.pack(f"{order}I", place)
        fields[tag] = kind, count, data.ljust(4, b"\0")

    try:
        put(_WIDTH, _LONG, [width])
        put(_HEIGHT, _LONG, [height])
        put(_BITS, _SHORT, [8] * samples)
        put(259, _SHORT, [8])  # deflate
        put(_COLORS, _SHORT, [1 if samples == 1 else 2])
        put(273, _LONG, starts)
        put(_SAMPLES, _SHORT, [samples])
        put(278, _LONG, [rows])
        put(279, _LONG, lengths)
        put(284, _SHORT, [1])  # samples side by side
        put(317, _SHORT, [2])  # differences along the rows
        if samples == 4:
            put(338, _SHORT, [2])  # alpha, not multiplied
        if kept.dpi:
            put(282, _RATIONAL, [round(kept.dpi[0] * 1000), 1000])
            put(283, _RATIONAL, [round(kept.dpi[1] * 1000), 1000])
            put(296, _SHORT, [2])
        if kept.xmp:
            put(_XMP, _BYTE, kept.xmp)
        if icc:
            put(_ICC, _UNDEFINED, icc)
        output += bytes(len(output) % 2)
        struct.pack_into(f"{order}I", output, 4, len(output))
        output += struct.pack(f"{order}H", len(fields))
        for tag, (kind, count, value) in sorted(fields.items()):
            output += struct.pack(f"{order}HHI", tag, kind, count) + value
    except struct.error as error:
        raise MediaTooLarge("the picture does not fit into a TIFF file") from error
    return bytes(output) + bytes(4)


def _compressed(strip: NDArray[np.uint8]) -> bytes:
    """Return rows as differences along them, deflated."""
    rows = np.ascontiguousarray(np.atleast_3d(strip))
    changes = np.diff(rows, axis=1, prepend=np.zeros_like(rows[:, :1]))
    return zlib.compress(changes.tobytes(), 6)


def _fields(
    content: bytes, order: str, *, big: bool
) -> tuple[dict[int, tuple[int, int, str]], int]:
    """Return place, first number and form of each field, and where the next page is."""
    count_form, pointer, form = ("Q", "Q", "HHQ") if big else ("H", "I", "HHI")
    (start,) = struct.unpack_from(order + pointer, content, 8 if big else 4)
    (count,) = struct.unpack_from(order + count_form, content, start)
    position = start + struct.calcsize(order + count_form)
    width, head = struct.calcsize(pointer), struct.calcsize(order + form)
    fields: dict[int, tuple[int, int, str]] = {}
    for _ in range(min(count, _MAX_FIELDS)):
        tag, kind, number = struct.unpack_from(order + form, content, position)
        place = position + head
        if kind in _FORMS and number:
            one = order + _FORMS[kind]
            if number * struct.calcsize(one) > width:
                (place,) = struct.unpack_from(order + pointer, content, place)
            (value,) = struct.unpack_from(one, content, place)
            fields.setdefault(tag, (place, value, one))
        position += head + width
    (following,) = struct.unpack_from(order + pointer, content, position)
    return fields, following


def _words(block: bytes, order: str) -> dict[int, tuple[int, int, bytes]]:
    """Return type, count and last four bytes of what EXIF data say of the picture."""
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    found = {}
    for position in range(start + 2, len(block) - 11, 12):
        if (position - start - 2) // 12 >= _short(block[start : start + 2], order):
            break
        tag, kind, count = struct.unpack_from(f"{order}HHI", block, position)
        if tag in (*_WORDS, _ORIENTATION, _EXIF, _GPS):
            found[tag] = kind, count, block[position + 8 : position + 12]
    return found


def _short(data: bytes, order: str) -> int:
    return int.from_bytes(data, "little" if order == "<" else "big")
