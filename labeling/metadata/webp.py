"""WebP: XMP in its own RIFF chunk (RFC 9649; TC260-PG-20259A, clause 6)."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DamagedMedia
from . import exif
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey

__all__ = ["is_webp", "read_carriers", "replace_xmp"]

# The second spelling is a known mistake of some writers.
XMP_KINDS = (b"XMP ", b"XMP\0")
# The packet follows the last of these; chunks of unknown use may stand behind it.
BEFORE_XMP = (b"VP8X", b"VP8 ", b"VP8L", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"EXIF")

ALPHA_FLAG, EXIF_FLAG, XMP_FLAG = 0x10, 0x08, 0x04
VP8_START_CODE, VP8L_SIGNATURE = b"\x9d\x01\x2a", b"\x2f"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """A chunk: its header at `start`, its data up to `end`, its padding to `stop`."""

    kind: bytes
    start: int
    end: int
    stop: int

    def data(self, content: bytes) -> bytes:
        return content[self.start + 8 : self.end]


def is_webp(content: bytes) -> bool:
    """Tell whether the file begins as WebP does."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def read_carriers(content: bytes) -> Survey:
    """Find the XMP packets and EXIF blocks of a WebP file."""
    chunks, problem = _split(content)
    problems = [problem] if problem else []
    carriers: list[Carrier] = []
    for chunk in chunks:
        if chunk.kind in XMP_KINDS:
            packet = chunk.data(content)
            carriers.append(Carrier(kind=Kind.XMP, place="XMP", content=packet))
        elif chunk.kind == b"EXIF":
            block = chunk.data(content)
            carriers.append(Carrier(kind=Kind.EXIF, place="EXIF", content=block))
    complete = len(carriers) <= MAX_CARRIERS
    if not complete:
        problems.append(f"more than {MAX_CARRIERS} XMP packets and EXIF blocks")
    if chunks and b"AIGC" in content[chunks[-1].stop :] and not problem:
        problems.append("bytes after the end of the image mention AIGC")
    return Survey(
        carriers=tuple(carriers[:MAX_CARRIERS]),
        problems=tuple(problems),
        complete=complete,
    )


def replace_xmp(content: bytes, packet: bytes) -> bytes:
    """Put one XMP packet behind the picture and blank labels in EXIF comments.

    A file in the simple format becomes one in the extended format. All other chunks
    stay as they are.

    Raises
    ------
    DamagedMedia
        The chunks do not fill the file, or there is no picture.
    """
    chunks, problem = _split(content)
    if problem:
        raise DamagedMedia(f"is not a whole WebP file: {problem}")
    parts = [b"WEBP", _header(chunks, content)]
    last = max(i for i, chunk in enumerate(chunks) if chunk.kind in BEFORE_XMP)
    for index, chunk in enumerate(chunks):
        if chunk.kind != b"VP8X" and chunk.kind not in XMP_KINDS:
            parts.append(_kept(chunk, content))
        if index == last:
            parts.append(_made(b"XMP ", packet))
    size = sum(len(part) for part in parts)
    rest = content[chunks[-1].stop :]
    return b"".join((b"RIFF", size.to_bytes(4, "little"), *parts, rest))


def _split(content: bytes) -> tuple[list[_Chunk], str]:
    """Cut the file into chunks; also say what ended the walk early."""
    chunks: list[_Chunk] = []
    end = 8 + int.from_bytes(content[4:8], "little")
    position = 12
    while position < end:
        if len(chunks) == MAX_PARTS:
            return chunks, f"it has more than {MAX_PARTS} chunks"
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        data_end = position + 8 + length
        if data_end > min(end, len(content)):
            return chunks, f"the chunk at byte {position} is cut off"
        stop = min(data_end + length % 2, end, len(content))
        kind = content[position : position + 4]
        chunks.append(_Chunk(kind=kind, start=position, end=data_end, stop=stop))
        position = stop
        if stop == len(content) < end:
            return chunks, "its end is cut off"
    return chunks, "" if chunks else "it is empty"


def _kept(chunk: _Chunk, content: bytes) -> bytes:
    """Return the chunk as it is, but for a label in an EXIF comment."""
    whole = content[chunk.start : chunk.stop]
    if chunk.kind == b"EXIF":
        data = exif.without_labels(chunk.data(content))
        whole = whole[:8] + data + content[chunk.end : chunk.stop]
    # Some writers leave out the padding at the end of the file.
    return whole + bytes(len(whole) % 2)


def _header(chunks: list[_Chunk], content: bytes) -> bytes:
    """Return the VP8X chunk that announces the XMP packet."""
    pictures = [c for c in chunks if c.kind in (b"VP8 ", b"VP8L", b"ANMF")]
    if not pictures:
        raise DamagedMedia("is not a whole WebP file: it has no picture")
    data = chunks[0].data(content)
    if chunks[0].kind == b"VP8X" and len(data) >= 10:
        return _made(b"VP8X", bytes([data[0] | XMP_FLAG]) + data[1:])
    data = pictures[0].data(content)
    flags = XMP_FLAG
    if any(chunk.kind == b"EXIF" for chunk in chunks):
        flags |= EXIF_FLAG
    if pictures[0].kind == b"VP8 " and data[3:6] == VP8_START_CODE and len(data) >= 10:
        # Two bits above each side ask for upscaling.
        width = int.from_bytes(data[6:8], "little") & 0x3FFF
        height = int.from_bytes(data[8:10], "little") & 0x3FFF
    elif pictures[0].kind == b"VP8L" and data[:1] == VP8L_SIGNATURE and len(data) >= 5:
        bits = int.from_bytes(data[1:5], "little")
        width = (bits & 0x3FFF) + 1
        height = (bits >> 14 & 0x3FFF) + 1
        if bits >> 28 & 1:
            flags |= ALPHA_FLAG
    else:
        raise DamagedMedia("is not a whole WebP file: its picture has no header")
    if not width or not height:
        raise DamagedMedia("is not a whole WebP file: its picture is empty")
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _made(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


def _made(kind: bytes, data: bytes) -> bytes:
    padding = bytes(len(data) % 2)
    return b"".join((kind, len(data).to_bytes(4, "little"), data, padding))
