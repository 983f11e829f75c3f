"""Where a notice goes: an edge or a corner, clear of controls, on what is visible."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import TooSmallForNotice, UsageError
from ..model import Box
from .block import Block, Setting, set_block, settings
from .logo import Logo
from .typeset import Pixels
from .wording import CORE

__all__ = [
    "AUTO",
    "CORNERS",
    "EDGES",
    "GUIDE_HEIGHT_PX",
    "MARGIN",
    "MIN_HEIGHT_FRACTION",
    "PLACES",
    "SAFE_AREAS",
    "Room",
    "SafeArea",
    "check_place",
    "choose",
    "least_height",
    "rooms",
    "visible_box",
]

CORNERS = ("bottom-right", "bottom-left", "top-right", "top-left")

EDGES = ("bottom", "top", "right", "left")
"""The middle of an edge."""

AUTO = "auto"
"""The usual corner, or a calmer one where that is much busier."""

PLACES = (*CORNERS, *EDGES, AUTO)
"""Every place. The center is none: GB 45438-2025, 5.2 and 5.4, ask for an edge or a
corner."""

MIN_HEIGHT_FRACTION = 0.05
"""Least text height by shorter side of the picture (GB 45438-2025, 5.2 and 5.4)."""

GUIDE_HEIGHT_PX = 20
"""Text height that TC260-PG-20233A asks for, more than 5 % on pictures below 400 px."""

MARGIN = 0.5
"""Distance of a plate from the sides of the picture, by text height."""

_MAX_HEIGHT_FRACTION = 0.2
# Below this the strokes of 生 and 成 run together.
_LEGIBLE_HEIGHT_PX = 9
# A plate shall not take more of a tiny picture than this.
_MAX_AREA = 0.4
# Farther in than this, by width or height, is no longer at an edge.
_EDGE_ZONE = 0.125
# What no notice on a shape covers, by width and height.
_MIDDLE = 0.25
# From this alpha on a pixel is part of the shape, not of its shadow.
_VISIBLE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeArea:
    """What is kept free at the sides: shares of the width, or of the height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


SAFE_AREAS = {
    "none": SafeArea(),
    "player": SafeArea(bottom=0.1),
    "feed": SafeArea(left=0.06, top=0.14, right=0.12, bottom=0.35),
    "broadcast": SafeArea(left=0.05, top=0.05, right=0.05, bottom=0.05),
}
"""Where others lay something over the picture: nowhere; the controls of a player; the
names, buttons and captions of apps that show one upright video after the other; what
screens may cut off (EBU R 95)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """What a notice may cover.

    Parameters
    ----------
    box : Box
        A rectangle in the picture.
    shape : ndarray of bool, shape (height, width), optional
        Which of its pixels; all by default.
    """

    box: Box
    shape: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, width: int, height: int) -> Room:
        """Return a whole picture."""
        return cls(box=Box(left=0, top=0, width=width, height=height))

    def spot(self, block: Block, corner: str, area: SafeArea) -> Box | None:
        """Return where a plate goes, or None where there is no room for it.

        It stands half a text height from the sides of its place, or outside the safe
        area's margins; nearer where there is no room. In a shape it is on the nearest
        pixels to that which all belong to the shape.
        """
        spare = (self.box.width - block.width, self.box.height - block.height)
        if min(spare) < 2:
            return None
        margin = round(MARGIN * block.size_px)
        near = (
            max(margin, round(area.left * self.box.width)),
            max(margin, round(area.top * self.box.height)),
        )
        far = (
            max(margin, round(area.right * self.box.width)),
            max(margin, round(area.bottom * self.box.height)),
        )
        spot = [
            min(before, room // 2)
            if first in corner
            else room - min(after, room // 2)
            if last in corner
            else room // 2
            for first, last, before, after, room in zip(
                ("left", "top"), ("right", "bottom"), near, far, spare, strict=True
            )
        ]
        if self.shape is not None:
            found = _nearest(self.shape, block, spot, margin)
            if found is None:
                return None
            spot = found
        return Box(
            left=self.box.left + spot[0],
            top=self.box.top + spot[1],
            width=block.width,
            height=block.height,
        )


def rooms(pixels: Pixels) -> list[Room]:
    """Return what a notice may cover in a picture, what suits it best first.

    That is the visible pixels, the rectangle around them, and the whole picture, as
    far as these differ. The legal height follows from the first box (GB 45438-2025,
    5.2: the shortest side of the rectangle around a picture of another form).
    """
    height, width = pixels.shape[:2]
    whole = Room.of(width, height)
    box = visible_box(pixels)
    if box == whole.box and (pixels.ndim == 2 or pixels.shape[2] < 4):
        return [whole]
    y, x = slice(box.top, box.top + box.height), slice(box.left, box.left + box.width)
    shape = pixels[y, x, 3] >= _VISIBLE
    found = [Room(box=box)] if box == whole.box else [Room(box=box), whole]
    if 0 < np.count_nonzero(shape) < shape.size:
        found.insert(0, Room(box=box, shape=shape))
    return found


def visible_box(pixels: Pixels) -> Box:
    """Return the rectangle around the visible pixels of a picture.

    It is the whole picture where none is at least half opaque.
    """
    height, width = pixels.shape[:2]
    if pixels.ndim == 3 and pixels.shape[2] == 4 and pixels.size:
        seen = pixels[..., 3] >= _VISIBLE
        rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
        if rows.size:
            return Box(
                left=int(columns[0]),
                top=int(rows[0]),
                width=int(columns[-1] - columns[0]) + 1,
                height=int(rows[-1] - rows[0]) + 1,
            )
    return Box(left=0, top=0, width=width, height=height)


def check_place(
    corner: str,
    height_fraction: float,
    *,
    safe_area: str = "none",
    vertical: bool = False,
) -> None:
    """Refuse a place or a size that no notice has.

    Raises
    ------
    UsageError
        The place or the safe area is unknown, the place is not at an edge or cannot
        hold vertical text, or the height is not 0.05 to 0.2 of the shorter side.
    """
    if corner == "center":
        raise UsageError(
            "a notice does not stand in the center: GB 45438-2025, 5.2 and 5.4, ask "
            "for an edge or a corner",
            hint=f"Use one of {', '.join(PLACES)}.",
        )
    for name, value, known in (
        ("corner", corner, PLACES),
        ("safe area", safe_area, tuple(SAFE_AREAS)),
    ):
        if value not in known:
            raise UsageError(
                f"there is no {name} {value!r}", hint=f"Use one of {', '.join(known)}."
            )
    if corner in ("top", "bottom"):
        if getattr(SAFE_AREAS[safe_area], corner) > _EDGE_ZONE:
            raise UsageError(
                f"in the safe area {safe_area!r} the place {corner!r} is no longer at "
                "an edge, against GB 45438-2025, 5.2 and 5.4",
                hint="Use a corner, left or right.",
            )
        if vertical:
            raise UsageError(
                f"vertical text does not go to the {corner}",
                hint="It stands along a side: use a corner, left or right.",
            )
    if not MIN_HEIGHT_FRACTION <= height_fraction <= _MAX_HEIGHT_FRACTION:
        raise UsageError(
            f"the text height cannot be {height_fraction:g} of the shorter side",
            hint=f"Use {MIN_HEIGHT_FRACTION:g}, the legal minimum, to "
            f"{_MAX_HEIGHT_FRACTION:g}.",
        )


def least_height(
    width: int, height: int, height_fraction: float, spare: int = 0
) -> int:
    """Return the least text height in pixels that is legal and legible.

    `spare` pixels are added to the legal height.
    """
    # The subtraction takes back rounding errors, as in 0.07 * 100.
    legal = math.ceil(height_fraction * min(width, height) - 1e-6)
    return max(legal + spare, _LEGIBLE_HEIGHT_PX)


def choose(
    text: str,
    rooms: Sequence[Room],
    least: int,
    wanted: int,
    *,
    corners: Sequence[str],
    safe_area: str = "none",
    vertical: bool = False,
    logo: Logo | None = None,
    share: float = _MAX_AREA,
) -> tuple[Block, dict[str, Box]]:
    """Return the fullest wording that fits, at the full size if any does.

    Parameters
    ----------
    text : str
        A checked wording.
    rooms : sequence of Room
        What it may cover, what suits it best first.
    least, wanted : int
        Text height in pixels. At less than `wanted`, only the shortest wording is
        tried.
    corners : sequence of str
        Places, the usual one first.
    safe_area : str, optional
        One of `SAFE_AREAS`.
    vertical : bool, optional
        Whether it is set in a column, if that has room.
    logo : Logo, optional
        Stands beside it, if that has room.
    share : float, optional
        Most that a longer wording may take of the picture.

    Returns
    -------
    Block
        The wording as set.
    dict of str to Box
        The plate in each of the places that have room, the first one among them.

    Raises
    ------
    TooSmallForNotice
        Nothing fits at the least height.
    """
    core = list(settings(CORE, vertical=vertical))
    if vertical:
        core += settings(CORE)
    wordings = (list(settings(text, vertical=vertical)), core)
    signs = (logo, None) if logo else (None,)

    def tries() -> Iterator[tuple[Room, Setting, int, Logo | None]]:
        for room, wording, sign in product(rooms, wordings, signs):
            yield from ((room, setting, wanted, sign) for setting in wording)
        for size, room, setting in product(
            range(wanted - 1, least - 1, -1), rooms, core
        ):
            yield room, setting, size, None

    for room, setting, size, sign in tries():
        # No character is narrower than a fifth of the height: spare setting those.
        if max(map(len, setting.lines)) * size / 5 >= room.box.width:
            continue
        block = set_block(setting, size, sign)
        most = _MAX_AREA if block.text == CORE else share
        if block.width * block.height <= most * room.box.width * room.box.height:
            spots = {
                corner: room.spot(block, corner, SAFE_AREAS[safe_area])
                for corner in corners
            }
            if spots[corners[0]] is not None:
                return block, {name: box for name, box in spots.items() if box}
    width, height = rooms[-1].box.width, rooms[-1].box.height
    raise TooSmallForNotice(
        f"a picture of {width} x {height} pixels has no room for a notice with "
        f"characters of {least} pixels",
        hint="Show the notice beside the picture.",
    )


def _nearest(
    shape: NDArray[np.bool_], block: Block, spot: Sequence[int], margin: int
) -> list[int] | None:
    """Return where a plate covers nothing but a shape, as near to a spot as can be.

    It is that far from the shape's outline, or nearer where there is no room.
    """
    total = cv2.integral(shape.astype(np.uint8))
    for gap in (margin, 0):
        rows, columns = block.height + 2 * gap, block.width + 2 * gap
        if rows > shape.shape[0] or columns > shape.shape[1]:
            continue
        covered = (
            total[rows:, columns:]
            - total[:-rows, columns:]
            - total[rows:, :-columns]
            + total[:-rows, :-columns]
        )
        free = covered == rows * columns
        # Over the middle it would be at no edge.
        top, left = (
            slice(
                max(math.ceil((1 - _MIDDLE) / 2 * side) - length + gap + 1, 0),
                max(math.floor((1 + _MIDDLE) / 2 * side) - gap, 0),
            )
            for side, length in zip(shape.shape, (rows, columns), strict=True)
        )
        free[top, left] = False
        y, x = np.nonzero(free)
        if x.size:
            nearest = np.argmin((x + gap - spot[0]) ** 2 + (y + gap - spot[1]) ** 2)
            return [int(x[nearest]) + gap, int(y[nearest]) + gap]
    return None
