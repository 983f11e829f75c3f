"""The pieces that picture files are made of: JPEG segments, PNG and WebP chunks.

What makes the pixels goes to a decoder, and nothing else does: a decoder never sees
metadata, so broken metadata never stops it. What says something about the picture is
kept as bytes, to be put back into a file that holds changed pixels.

References
----------
ITU-T T.81, annex B (JPEG); W3C PNG, third edition, sections 5 and 11; Google WebP
container specification (RFC 9649).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import DamagedMedia

__all__ = [
    "EXIF_PREFIX",
    "PNG_SIGNATURE",
    "Carried",
    "Piece",
    "carried",
    "decodable",
    "insert",
    "pieces",
    "png_xmp",
]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PIECES = 1_000_000
MAX_PROFILE_BYTES = 16 << 20
MAX_XMP_BYTES = 64 << 20

XMP_KEYWORD = b"XML:com.adobe.xmp"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
EXIF_PREFIX = b"Exif\0\0"
ICC_PREFIX = b"ICC_PROFILE\0"

# APP0 (JFIF) and APP14 (Adobe) tell the color transform, so they make pixels.
_JPEG_METADATA = {f"APP{n}" for n in range(16)} - {"APP0", "APP14"} | {"COM"}
_JPEG_MANIFEST = "APP11"  # it binds the old pixels
_PNG_PIXELS = {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"}
# Chunks that hold for changed pixels although their names say "unsafe to copy".
_PNG_COLOR = {"gAMA", "cHRM", "sRGB", "cICP", "mDCV", "cLLI"}

# Markers that have a length, and the end marker 0xD9. Fill bytes, restart markers and
# coded data are passed over.
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")

_GIF_NAMES = {b"\x21\xfe": "comment", b"\x21\xff": "application"}

_PROFILE_LEFT = "the color profile is unreadable and was left out"
_XMP_LEFT = "the XMP packet is unreadable and was left out"


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment or chunk.

    Parameters
    ----------
    name : str
        Chunk type, or name of the JPEG marker: ``"APP1"``, ``"SOF0"``, ``"SOS"``.
    data : memoryview
        Its content.
    raw : memoryview
        All its bytes; in JPEG the coded data of the scan belong to its SOS piece.
    """

    name: str
    data: memoryview
    raw: memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a file says about its pixels and the next file shall say again.

    Parameters
    ----------
    icc, exif, xmp : bytes or None
        Color profile, EXIF from its TIFF header on, and XMP packet.
    dpi : tuple of float or None
        Horizontal and vertical resolution in pixels per inch.
    extras : tuple of bytes
        Further pieces that a file of the same format can hold unchanged: texts,
        IPTC, color tags.
    notes : tuple of str
        What could not be kept.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    extras: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()


def pieces(content: bytes, format: str) -> list[Piece]:
    """Take a file apart.

    Raises
    ------
    DamagedMedia
        A piece reaches beyond the end of the file, or the structure is broken.
    """
    return _WALKERS[format](content)


def decodable(content: bytes, parts: Iterable[Piece], format: str) -> bytes:
    """Return the file reduced to what makes its pixels."""
    if format == "webp":  # its decoder hands metadata out without reading it
        return content
    if format == "png":
        kept = (part.raw for part in parts if part.name in _PNG_PIXELS)
        return b"".join((PNG_SIGNATURE, *kept))
    kept = (part.raw for part in parts if part.name not in _JPEG_METADATA)
    return b"".join((b"\xff\xd8", *kept, b"\xff\xd9"))


def carried(parts: Iterable[Piece], format: str) -> Carried:
    """Collect what the file says about its pixels."""
    return _COLLECTORS[format](parts)


def insert(content: bytes, format: str, extras: Iterable[bytes]) -> bytes:
    """Put further pieces into a freshly encoded JPEG or PNG file."""
    added = b"".join(extras)
    if not added:
        return content
    if format == "png":
        place = len(PNG_SIGNATURE) + 25  # right behind IHDR
    else:
        place = 2
        for part in pieces(content, "jpeg"):
            if part.name != "APP0" and part.name not in _JPEG_METADATA:
                break
            place += len(part.raw)
    return content[:place] + added + content[place:]


def png_xmp(packet: bytes) -> bytes:
    """Return the PNG chunk that holds an XMP packet (XMP part 3, section 1.1.5)."""
    body = b"iTXt" + XMP_KEYWORD + bytes(5) + packet
    return (len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)


def _walk_png(content: bytes) -> list[Piece]:
    view = memoryview(content)
    found: list[Piece] = []
    start = len(PNG_SIGNATURE)
    while not found or found[-1].name != "IEND":
        if start + 12 > len(content):
            raise _truncated("PNG")
        end = start + 12 + int.from_bytes(content[start : start + 4])
        if end > len(content):
            raise _truncated("PNG")
        name = content[start + 4 : start + 8].decode("latin-1")
        _add(found, Piece(name, view[start + 8 : end - 4], view[start:end]))
        start = end
    names = [part.name for part in found]
    if names[0] != "IHDR" or len(found[0].data) != 13 or names.count("IHDR") > 1:
        raise DamagedMedia("the PNG file does not start with one IHDR chunk")
    return found


def _walk_jpeg(content: bytes) -> list[Piece]:
    view = memoryview(content)
    found: list[Piece] = []
    start = 2
    while sign := _JPEG_MARKER.search(content, start):
        start = sign.start()
        marker = content[start + 1]
        if marker == 0xD9:
            return found
        end = start + 2 + int.from_bytes(content[start + 2 : start + 4])
        if end > len(content) or end < start + 4:
            break
        name, raw_end = _marker_name(marker), end
        if name == "SOS":
            behind = _JPEG_MARKER.search(content, end)
            raw_end = behind.start() if behind else len(content)
        _add(found, Piece(name, view[start + 4 : end], view[start:raw_end]))
        start = raw_end
    raise _truncated("JPEG")


def _walk_webp(content: bytes) -> list[Piece]:
    view = memoryview(content)
    found: list[Piece] = []
    size = 8 + int.from_bytes(content[4:8], "little")
    if size > len(content):
        raise _truncated("WebP")
    start = 12
    while start + 8 <= size:
        length = int.from_bytes(content[start + 4 : start + 8], "little")
        end = start + 8 + length
        if end > size:
            raise _truncated("WebP")
        name = content[start : start + 4].decode("latin-1")
        _add(found, Piece(name, view[start + 8 : end], view[start:end]))
        start = end + length % 2
    if not found:
        raise _truncated("WebP")
    return found


def _walk_gif(content: bytes) -> list[Piece]:
    """Cut a GIF into blocks: frames, comments, XMP packets and others."""
    view = memoryview(content)
    found: list[Piece] = []
    start = 13 + _gif_table(content[10:11])
    while content[start : start + 1] != b"\x3b":
        kind = bytes(content[start : start + 2])
        end, name = start + 2, _GIF_NAMES.get(kind, "")
        if kind[:1] == b"\x2c":
            name, end = (
                "frame",
                start + 11 + _gif_table(content[start + 9 : start + 10]),
            )
        elif kind[:1] != b"\x21":
            raise _truncated("GIF")
        first = end
        while (size := content[end : end + 1]) not in (b"\0", b""):
            end += 1 + size[0]
        end += 1
        if end > len(content):
            raise _truncated("GIF")
        data = view[first:end]
        if name == "application" and bytes(data[:12]) == b"\x0bXMP DataXMP":
            name, data = "XMP", data[12 : max(12, len(data) - 258)]
        _add(found, Piece(name, data, view[start:end]))
        start = end
    return found


def _gif_table(flags: bytes) -> int:
    """Return the size of a color table."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _carried_png(parts: Iterable[Piece]) -> Carried:
    first: dict[str, bytes] = {}
    extras: list[bytes] = []
    for part in parts:
        kind = part.name
        if kind == "iTXt" and bytes(part.data[:18]) == XMP_KEYWORD + b"\0":
            kind = "XMP"
        if kind in ("iCCP", "eXIf", "pHYs", "XMP", "caBX") and kind not in first:
            first[kind] = part.data.tobytes()
        elif part.name in _PNG_COLOR or (
            # An ancillary chunk whose name says "safe to copy" (PNG, section 5.4).
            part.name[0].islower() and part.name[3].islower()
        ):
            extras.append(part.raw.tobytes())
    # Decompressed at most once each, however many there are.
    icc = _png_profile(first["iCCP"]) if "iCCP" in first else None
    xmp = _png_xmp(first["XMP"]) if "XMP" in first else None
    exif, size = first.get("eXIf"), first.get("pHYs", b"")
    left = {
        _PROFILE_LEFT: "iCCP" in first and icc is None,
        _XMP_LEFT: "XMP" in first and xmp is None,
    }
    return Carried(
        icc=icc,
        exif=None if exif is None else exif.removeprefix(EXIF_PREFIX),
        xmp=xmp,
        dpi=_dpi(size[:4], size[4:8], 0.0254) if size[8:] == b"\1" else None,
        extras=tuple(extras),
        notes=tuple(note for note, holds in left.items() if holds),
    )


def _carried_jpeg(parts: Iterable[Piece]) -> Carried:
    exif = xmp = None
    dpi = None
    profile: dict[int, bytes] = {}
    profile_parts = 0
    extras: list[bytes] = []
    notes: list[str] = []
    for part in parts:
        data = part.data.tobytes() if part.name != "SOS" else b""
        if part.name == "APP0" and data.startswith(b"JFIF\0") and len(data) >= 12:
            unit = {1: 1.0, 2: 2.54}.get(data[7])
            dpi = _dpi(data[8:10], data[10:12], unit) if unit else None
        elif part.name == "APP1" and data.startswith(EXIF_PREFIX) and exif is None:
            exif = data.removeprefix(EXIF_PREFIX)
        elif part.name == "APP1" and data.startswith(XMP_PREFIX) and xmp is None:
            xmp = data.removeprefix(XMP_PREFIX)
        elif part.name == "APP2" and data.startswith(ICC_PREFIX) and len(data) > 14:
            profile[data[12]] = data[14:]
            profile_parts = data[13]
        elif part.name == "APP2" and data.startswith(b"MPF\0"):
            notes.append("the further pictures in the file (MPF) were left out")
        elif part.name in _JPEG_METADATA - {_JPEG_MANIFEST}:
            extras.append(part.raw.tobytes())
    icc = None
    if profile and sorted(profile) == list(range(1, profile_parts + 1)):
        icc = b"".join(profile[number] for number in sorted(profile))
    elif profile:
        notes.append(_PROFILE_LEFT)
    return Carried(
        icc=icc, exif=exif, xmp=xmp, dpi=dpi, extras=tuple(extras), notes=tuple(notes)
    )


def _carried_webp(parts: Iterable[Piece]) -> Carried:
    first: dict[str, bytes] = {}
    for part in parts:
        if part.name in ("ICCP", "EXIF", "XMP ", "C2PA"):
            first.setdefault(part.name, part.data.tobytes())
    exif = first.get("EXIF")
    return Carried(
        icc=first.get("ICCP"),
        exif=None if exif is None else exif.removeprefix(EXIF_PREFIX),
        xmp=first.get("XMP "),
    )


def _add(found: list[Piece], part: Piece) -> None:
    if len(found) == MAX_PIECES:
        raise DamagedMedia(f"the file has more than {MAX_PIECES:,} pieces")
    found.append(part)


def _marker_name(marker: int) -> str:
    if 0xE0 <= marker <= 0xEF:
        return f"APP{marker - 0xE0}"
    # DHT, JPG and DAC stand among the numbers of the frame headers.
    if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
        return f"SOF{marker - 0xC0}"
    return {0xDA: "SOS", 0xFE: "COM"}.get(marker, f"{marker:02X}")


def _png_profile(data: bytes) -> bytes | None:
    """Return the profile of an iCCP chunk: name, method, compressed data."""
    return _inflate(data.partition(b"\0")[2][1:], MAX_PROFILE_BYTES)


def _png_xmp(data: bytes) -> bytes | None:
    """Return the packet of an iTXt chunk: keyword, flag, method, two names, text."""
    rest = data[len(XMP_KEYWORD) + 1 :]
    fields = rest[2:].split(b"\0", 2)
    if len(fields) != 3:
        return None
    return _inflate(fields[2], MAX_XMP_BYTES) if rest[:1] == b"\1" else fields[2]


def _inflate(data: bytes, limit: int) -> bytes | None:
    """Decompress at most `limit` bytes; return None when there are more, or broken."""
    engine = zlib.decompressobj()
    try:
        inflated = engine.decompress(data, limit)
    except zlib.error:
        return None
    return inflated if engine.eof else None


def _dpi(x: bytes, y: bytes, factor: float) -> tuple[float, float] | None:
    across, down = int.from_bytes(x) * factor, int.from_bytes(y) * factor
    # Beyond the range of JPEG nobody means it, and Pillow would write another value.
    return (across, down) if across and down and max(across, down) < 65_535 else None


def _truncated(name: str) -> DamagedMedia:
    return DamagedMedia(
        f"the {name} file is truncated", hint="Get a complete copy of the file."
    )


_WALKERS: dict[str, Callable[[bytes], list[Piece]]] = {
    "jpeg": _walk_jpeg,
    "png": _walk_png,
    "webp": _walk_webp,
    "gif": _walk_gif,
}
_COLLECTORS: dict[str, Callable[[Iterable[Piece]], Carried]] = {
    "jpeg": _carried_jpeg,
    "png": _carried_png,
    "webp": _carried_webp,
}
