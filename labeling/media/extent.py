"""Where things stand in a file, and whether it ends where it says that it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from .clip import MP4_FAMILY

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["index_in_front", "index_of", "is_cut_off"]

_MAX_BOXES = 1000
_SEGMENT = b"\x18\x53\x80\x67"


def is_cut_off(file: BinaryIO, format: str, container: InputContainer) -> bool:
    """Tell whether a file states more bytes than it has.

    Parameters
    ----------
    file : binary file
        Its place is left as it was.
    format : str
        As in `Video`; some formats do not state anything.
    container : InputContainer
        The opened file.
    """
    place = file.tell()
    size = file.seek(0, 2)
    try:
        if format in MP4_FAMILY:
            return any(
                entry.pos + entry.size > size
                for stream in container.streams
                for entry in stream.index_entries[-1:]
            )
        if format in ("mkv", "webm"):
            return _segment_end(file) > size
        if format == "avi":
            file.seek(4)
            return int.from_bytes(file.read(4), "little") + 8 > size
        return False
    finally:
        file.seek(place)


def index_in_front(file: BinaryIO) -> bool:
    """Tell whether the index of an MP4 or MOV file stands before its samples."""
    kinds = (kind for kind, _, _ in _boxes(file))
    return next((kind for kind in kinds if kind in (b"moov", b"mdat")), b"") == b"moov"


def index_of(file: BinaryIO) -> tuple[int, int]:
    """Return where the index of an MP4 or MOV file begins, and its length."""
    for kind, place, length in _boxes(file):
        if kind == b"moov":
            return place, length
    return 0, 0


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, beginning and length of the outermost boxes."""
    size = file.seek(0, 2)
    place = 0
    for _ in range(_MAX_BOXES):
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        if length == 1:
            length = int.from_bytes(head[8:])
        yield head[4:8], place, length
        place += max(length, 8)
        if place >= size:
            return


def _segment_end(file: BinaryIO) -> int:
    """Return where the segment of a Matroska file ends (RFC 8794), 0 if unknown."""
    place = 0
    for _ in range(8):
        file.seek(place)
        head = file.read(12)
        name = 1 + _leading_zeros(head[:1])
        width = 1 + _leading_zeros(head[name : name + 1])
        if len(head) < name + width or name > 4 or width > 8:
            return 0
        coded = int.from_bytes(head[name : name + width])
        length = coded & (1 << 7 * width) - 1
        unknown = length == (1 << 7 * width) - 1
        place += name + width + length
        if unknown or head[:name] == _SEGMENT:
            return 0 if unknown else place
    return 0


def _leading_zeros(byte: bytes) -> int:
    return 8 - int.from_bytes(byte).bit_length()
