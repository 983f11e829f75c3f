"""A look at a file's manifest store before the C2PA library parses it.

A manifest store is a tree of JUMBF boxes (ISO 19566-5) that hold CBOR (RFC 8949).
The C2PA library reserves memory for any text or byte string at the length that it
claims, so that a picture of a few kilobytes could ask for gigabytes. Files are let
through only in containers where the store can be looked at.
"""

from __future__ import annotations

import io
import mmap
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["Content", "active_part", "is_container", "opened", "refusal"]

Content = bytes | mmap.mmap

BOX_LIMIT = 100_000
ITEM_LIMIT = 1_000_000
WINDOW = 32 << 20  # bytes that are searched at a time

# JPEG, PNG, GIF, TIFF, RIFF (WebP, WAV, AVI), ISO base media (AVIF, HEIC, MP4, MOV),
# FLAC, MP3 with a tag, PDF, and SVG.
_CONTAINERS = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|II[\x2a\x2b]\0|MM\0[\x2a\x2b]|RIFF|.{4}ftyp|fLaC|ID3"
    rb"|%PDF-|(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!DOCTYPE svg|svg)",
    re.DOTALL,
)
_SVG_STORE = re.compile(rb"<c2pa:manifest[^<>]{0,1000}>([^<]*)(<[^<>]{0,100})?")
_GIF_BLOCK = b"\x21\xff\x0bC2PA_GIF"


class _Refused(Exception):
    """The store must not be parsed."""


@contextmanager
def opened(content: bytes | Path) -> Iterator[tuple[Content, BinaryIO]]:
    """Lend what is in a file and a stream over it; a file is mapped, not loaded."""
    if isinstance(content, bytes):
        yield content, io.BytesIO(content)
        return
    with open(content, "rb") as file:
        if not content.stat().st_size:  # nothing can be mapped
            yield b"", file
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            yield whole, file


def is_container(content: Content) -> bool:
    """Tell whether the bytes begin like a file that may carry a manifest."""
    return _CONTAINERS.match(content) is not None


def refusal(content: Content) -> str:
    """Say why the manifest store in a file must not be parsed; empty when it may."""
    budget = _Budget()
    try:
        for stream in _streams(content):
            for start in _superboxes(stream):
                _visit(stream, start, budget)
    except _Refused as refused:
        return str(refused)
    return ""


def active_part(store: bytes) -> bytes:
    """Return a manifest store with nothing in it but its active manifest, the last.

    Raises
    ------
    ValueError
        It is no manifest store.
    """
    position, end = _box(store, 0, len(store))
    boxes = []
    while position + 8 <= end:
        _, after = _box(store, position, end)
        boxes.append(store[position:after])
        position = after
    if store[4:8] != b"jumb" or len(boxes) < 2 or boxes[0][4:8] != b"jumd":
        raise ValueError("this is no manifest store")
    content = boxes[0] + boxes[-1]
    return (8 + len(content)).to_bytes(4, "big") + b"jumb" + content


class _Budget:
    """How many boxes and CBOR items may still be looked at."""

    def __init__(self) -> None:
        self.boxes = BOX_LIMIT
        self.items = ITEM_LIMIT

    def spend(self, *, boxes: int = 0, items: int = 0) -> None:
        self.boxes -= boxes
        self.items -= items
        if self.boxes < 0 or self.items < 0:
            raise _Refused("the manifest store has too many parts")


def _streams(content: Content) -> Iterator[Content]:
    """Put together what the container splits; most keep the store in one piece."""
    if content[:2] == b"\xff\xd8":
        yield from _jpeg_stores(content)
    elif content[:4] == b"GIF8":
        yield from _gif_stores(content)
    elif content[:5] == b"%PDF-":
        _check_pdf(content)
        yield content
    elif content[:1] in b"\xef \t\r\n<":
        yield from _svg_stores(content)
    else:
        yield content


def _jpeg_stores(content: Content) -> Iterator[bytes]:
    """Join APP11 segments by their box instance (ISO 19566-5, annex D)."""
    stores: dict[bytes, list[bytes]] = {}
    for segment in _jpeg_segments(content):
        if segment.startswith(b"JP"):
            parts = stores.setdefault(segment[2:4], [])
            # Each further segment repeats the length and type of the first box.
            parts.append(segment[16 if parts else 8 :])
    for parts in stores.values():
        yield b"".join(parts)


def _jpeg_segments(content: Content) -> Iterator[bytes]:
    """Yield the payloads of all APP11 segments, up to the end of the file."""
    position = 2
    while (position := content.find(b"\xff", position)) != -1:
        marker = content[position + 1 : position + 2]
        position += 1
        if not marker or marker in b"\x00\xff" or b"\xd0" <= marker <= b"\xd9":
            continue
        size = int.from_bytes(content[position + 1 : position + 3], "big")
        if marker == b"\xeb":
            yield content[position + 3 : position + 1 + size]
        position += 1 + size


def _gif_stores(content: Content) -> Iterator[bytes]:
    start = -1
    while (start := content.find(_GIF_BLOCK, start + 1)) != -1:
        parts = []
        position = start + 14
        while position < len(content) and (size := content[position]):
            parts.append(content[position + 1 : position + 1 + size])
            position += 1 + size
        yield b"".join(parts)


def _svg_stores(content: Content) -> Iterator[bytes]:
    """Decode what stands in the manifest elements of a drawing."""
    for found in _SVG_STORE.finditer(content[:]):
        written = b"".join(found[1].split())
        if not (found[2] or b"").startswith(b"</"):
            raise _Refused("the manifest is not text alone")
        try:
            yield b64decode(written, validate=True)
        except ValueError as error:
            raise _Refused("the manifest is not Base64") from error


def _check_pdf(content: Content) -> None:
    """Refuse a store in a stream that is packed, where it cannot be looked at."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            for file in pdf.Root.get("/AF", []):
                if file.get("/AFRelationship") == "/C2PA_Manifest" and any(
                    "/Filter" in stream for stream in file.get("/EF", {}).values()
                ):
                    raise _Refused("the manifest is compressed")
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError) as error:
        raise _Refused("the PDF document cannot be read") from error


def _superboxes(data: Content) -> Iterator[int]:
    """Find superboxes, nested ones too, by the description box each begins with."""
    for first in range(0, len(data), WINDOW):
        position, last = first - 1, first + WINDOW + 3
        while (position := data.find(b"jumd", position + 1, last)) != -1:
            for header in (8, 16):  # with a length of 32 or of 64 bits
                start = position - 4 - header
                if start >= 0 and data[start + 4 : start + 8] == b"jumb":
                    yield start
        if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            data.madvise(mmap.MADV_DONTNEED)  # what was searched need not stay


def _visit(data: Content, start: int, budget: _Budget) -> None:
    """Look at the boxes directly inside the superbox at `start`."""
    position, end = _box(data, start, len(data))
    while position + 8 <= end:
        budget.spend(boxes=1)
        kind = data[position + 4 : position + 8]
        inside, after = _box(data, position, end)
        if kind == b"brob":
            raise _Refused("the manifest is compressed")
        if kind == b"cbor":
            _check_cbor(data, inside, after, budget)
        position = after


def _box(data: Content, start: int, end: int) -> tuple[int, int]:
    """Return where a box's content begins and ends, at most at `end`."""
    size = int.from_bytes(data[start : start + 4], "big")
    header = 8
    if size == 1:
        size = int.from_bytes(data[start + 8 : start + 16], "big")
        header = 16
    if size < header:  # zero: up to the end
        size = end - start
    return start + header, min(start + size, end)


def _check_cbor(data: Content, position: int, end: int, budget: _Budget) -> None:
    """Go through the heads of all items, which follow each other whatever nests."""
    while position < end:
        budget.spend(items=1)
        kind, size = data[position] >> 5, data[position] & 31
        position += 1
        if 28 <= size <= 30:  # not CBOR: parsing ends here too
            return
        if 24 <= size <= 27:
            width = 1 << size - 24
            size = int.from_bytes(data[position : position + width], "big")
            position += width
        elif size == 31:  # of indefinite length, or its end
            continue
        if kind in (2, 3):
            if size > end - position:
                raise _Refused("a string in the manifest claims to be longer than it")
            position += size
