"""Files too long for the memory: read in part, and put together from parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, TypeAlias

from ..errors import DamagedMedia, MediaTooLarge

__all__ = ["MAX_METADATA_BYTES", "Part", "copy", "cut", "length", "size_of"]

Part: TypeAlias = bytes | range
"""Bytes to be written, or those at these positions of the file."""

MAX_METADATA_BYTES = 128 << 20
"""More than this is not taken into memory."""

_STEP = 1 << 20


def cut(file: BinaryIO, start: int, stop: int) -> bytes:
    """Return the bytes from `start` to `stop`, fewer at the end of the file.

    Raises
    ------
    MediaTooLarge
        They are more than 128 MiB.
    """
    start, stop = max(0, start), min(stop, size_of(file))
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


def length(parts: Iterable[Part]) -> int:
    """Return the number of bytes in all parts together."""
    return sum(len(part) for part in parts)


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
