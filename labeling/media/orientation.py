"""How stored pixels are turned for display: EXIF orientation 1 to 8."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError

__all__ = ["display", "exif_orientation", "stored"]

Level = TypeVar("Level", bound=np.generic)

# Orientation -> swap the axes, then flip up-down, then flip left-right (EXIF 3.0,
# tag 0x0112).
_ORIENTATIONS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def exif_orientation(exif: bytes | None) -> int:
    """Return the orientation, 1 to 8, that EXIF data tells; 1 when it tells none.

    References
    ----------
    TIFF 6.0, section 2, and EXIF 3.0, tag 0x0112.
    """
    content = exif or b""
    order: Literal["little", "big"] = "little" if content[:2] == b"II" else "big"

    def number(start: int, size: int) -> int:
        return int.from_bytes(content[start : start + size], order)

    start = number(4, 4)
    for entry in range(start + 2, start + 2 + 12 * number(start, 2), 12):
        if number(entry, 2) == 0x0112:
            value = number(entry + 8, 2)
            return value if value in _ORIENTATIONS else 1
    return 1


def display(pixels: NDArray[Level], orientation: int) -> NDArray[Level]:
    """Turn stored pixels into the orientation of the displayed picture.

    Parameters
    ----------
    pixels : ndarray, shape (height, width, ...)
        As stored.
    orientation : int
        EXIF orientation, 1 to 8.

    Returns
    -------
    ndarray
        As displayed, contiguous; in the memory of `pixels` when nothing is turned.
    """
    swap, *flips = _turn(orientation)
    turned = pixels.swapaxes(0, 1) if swap else pixels
    return np.ascontiguousarray(np.flip(turned, _axes(flips)))


def stored(pixels: NDArray[Level], orientation: int) -> NDArray[Level]:
    """Turn displayed pixels back into the stored orientation; undo `display`."""
    swap, *flips = _turn(orientation)
    turned = np.flip(pixels, _axes(flips))
    return np.ascontiguousarray(turned.swapaxes(0, 1) if swap else turned)


def _turn(orientation: int) -> tuple[bool, bool, bool]:
    if orientation not in _ORIENTATIONS:
        raise UsageError(f"orientation {orientation} is outside 1..8")
    return _ORIENTATIONS[orientation]


def _axes(flips: list[bool]) -> tuple[int, ...]:
    return tuple(axis for axis, flip in enumerate(flips) if flip)
