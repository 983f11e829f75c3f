"""Files too long for the memory: read in part, and put together from parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import BinaryIO, TypeAlias

from ..errors import DamagedMedia, MediaTooLarge
from .carrier import MAX_PARTS

__all__ = [
    "MAX_METADATA_BYTES",
    "Part",
    "copy",
    "cut",
    "length",
    "most_frames",
    "mover",
    "replace",
    "size_of",
]

Part: TypeAlias = bytes | range
"""Bytes to be written, or those at these positions of the file."""

MAX_METADATA_BYTES = 128 << 20
"""More than this is not taken into memory."""

_STEP = 1 << 20
# No honest frame of sound or video is smaller, on average and with its head.
_FRAME_BYTES = 32


def cut(file: BinaryIO, start: int, stop: int) -> bytes:
    """Return the bytes from `start` to `stop`, fewer at the end of the file.

    Raises
    ------
    MediaTooLarge
        They are more than 128 MiB.
    """
    size = size_of(file)
    start, stop = min(max(0, start), size), min(stop, size)
    if stop - start > MAX_METADATA_BYTES:
        raise MediaTooLarge(
            f"has a block of metadata of {stop - start:,} bytes",
            hint="Write the file anew without its earlier metadata.",
        )
    file.seek(start)
    return file.read(max(0, stop - start))


def size_of(file: BinaryIO) -> int:
    """Return the number of bytes in a file."""
    return file.seek(0, 2)


def most_frames(file: BinaryIO) -> int:
    """Return how many frames may be stepped over, one by one."""
    return MAX_PARTS + size_of(file) // _FRAME_BYTES


def length(parts: Iterable[Part]) -> int:
    """Return the number of bytes in all parts together."""
    return sum(len(part) for part in parts)


def mover(changes: Iterable[tuple[int, int, int]]) -> Callable[[int], int]:
    """Return a function that tells where the byte at a position goes.

    Parameters
    ----------
    changes : iterable of (int, int, int)
        In file order, where a stretch starts and stops, and the number of bytes that
        take its place. What is inserted in front of a byte has an empty stretch.
    """
    listed = [(stop, new - (stop - start)) for start, stop, new in changes]
    stops = [stop for stop, _ in listed]
    shifts = list(accumulate((shift for _, shift in listed), initial=0))

    def move(position: int) -> int:
        return position + shifts[bisect_right(stops, position)]

    return move


def replace(
    start: int, stop: int, changes: Iterable[tuple[int, int, bytes]]
) -> list[Part]:
    """Return a stretch of the file with others in place of some of its bytes.

    Parameters
    ----------
    start, stop : int
        Where the stretch begins and ends.
    changes : iterable of (int, int, bytes)
        In file order, where a change begins and ends, and the bytes that take its
        place.

    Raises
    ------
    DamagedMedia
        They overlap, or reach beyond the stretch.
    """
    parts: list[Part] = []
    for first, last, content in changes:
        if not start <= first <= last <= stop:
            raise DamagedMedia("parts of the file overlap")
        parts += [range(start, first), content]
        start = last
    return [*parts, range(start, stop)]


def copy(file: BinaryIO, parts: Iterable[Part], target: BinaryIO) -> None:
    """Write parts one after the other.

    Raises
    ------
    DamagedMedia
        The file ends before a part does.
    """
    for part in parts:
        if isinstance(part, bytes):
            target.write(part)
            continue
        file.seek(part.start)
        left = len(part)
        while left:
            content = file.read(min(left, _STEP))
            if not content:
                raise DamagedMedia("the file is cut off")
            target.write(content)
            left -= len(content)
