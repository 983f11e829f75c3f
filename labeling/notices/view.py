"""Where people look in a 360-degree picture, and what they see there.

An equirectangular picture spans 360 degrees across and 180 degrees down. What a viewer
shows of it is its gnomonic projection (Snyder, Map Projections, USGS Professional
Paper 1395, 22).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model import Box
from .find import FoundNotice, find
from .image import check_picture
from .measure import place_of
from .typeset import Pixels

__all__ = [
    "FOV_RANGE",
    "SCREEN",
    "Directions",
    "View",
    "angles",
    "check_sphere",
    "find_in_view",
    "look",
    "place_on_screen",
]

Directions = NDArray[np.float64]

FOV_RANGE = (30.0, 120.0)
"""Fields of view in degrees."""

SCREEN = 9 / 16
"""Of a square view, what flat screens of 16 to 9 show, wide or tall."""

_LARGEST_VIEW = 1600


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where a viewer looks.

    Parameters
    ----------
    yaw_deg : float
        To the right of the picture's middle, -360 to 360.
    pitch_deg : float
        Up from the horizon, -90 to 90.
    roll_deg : float
        How far the horizon is turned counter-clockwise, -180 to 180.
    fov_deg : float
        What the longer side of the view spans, 30 to 120.

    Raises
    ------
    UsageError
        An angle is not in its range.
    """

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    fov_deg: float = 90.0

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("yaw", self.yaw_deg, -360, 360),
            ("pitch", self.pitch_deg, -90, 90),
            ("roll", self.roll_deg, -180, 180),
            ("field of view", self.fov_deg, *FOV_RANGE),
        ):
            if not least <= value <= most:
                raise UsageError(
                    f"the {name} of a view cannot be {value:g} degrees",
                    hint=f"Use {least:g} to {most:g}.",
                )

    @property
    def reach(self) -> float:
        """Half a square view, by the distance of its plane from the eye."""
        return math.tan(math.radians(self.fov_deg) / 2)

    def axes(self) -> Directions:
        """Return what is right, up and ahead, shape (3, 3).

        The world's axes are the right, the top and the middle of the picture.
        """
        yaw, pitch, roll = (
            math.radians(angle)
            for angle in (self.yaw_deg, self.pitch_deg, self.roll_deg)
        )
        right = np.array([math.cos(yaw), 0, -math.sin(yaw)])
        ahead = np.array(
            [
                math.cos(pitch) * math.sin(yaw),
                math.sin(pitch),
                math.cos(pitch) * math.cos(yaw),
            ]
        )
        up = np.cross(ahead, right)
        cosine, sine = math.cos(roll), math.sin(roll)
        return np.stack([right * cosine - up * sine, up * cosine + right * sine, ahead])


def look(
    pixels: Pixels,
    view: View | None = None,
    *,
    width: int | None = None,
    height: int | None = None,
) -> Pixels:
    """Return what a viewer sees of an equirectangular picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        The picture.
    view : View, optional
        Where they look, by default at its middle.
    width, height : int, optional
        Of the view, by default square with about the resolution of the picture.

    Returns
    -------
    ndarray of uint8
        The view.

    Raises
    ------
    UsageError
        The picture is not twice as wide as high.
    """
    view = view or View()
    check_picture(pixels)
    check_sphere(pixels.shape[1], pixels.shape[0])
    side = round(pixels.shape[1] / math.pi * view.reach)
    side = min(max(side, 1), _LARGEST_VIEW)
    columns, rows = width or side, height or side
    x, y = (
        (np.arange(n) + 0.5 - n / 2) * (2 * view.reach / max(rows, columns))
        for n in (columns, rows)
    )
    u, v = np.meshgrid(x, -y)
    ahead = np.stack([u, v, np.ones_like(u)], axis=-1) @ view.axes()
    across, down = angles(ahead, view)
    left = across / math.tau * pixels.shape[1] + pixels.shape[1] / 2 - 0.5
    top = (0.5 - down / math.pi) * pixels.shape[0] - 0.5
    left0, top0 = math.floor(left.min()) - 1, max(math.floor(top.min()) - 1, 0)
    end = min(math.ceil(top.max()) + 2, pixels.shape[0])
    turned = np.arange(left0, math.ceil(left.max()) + 2) + _turn(view, pixels.shape[1])
    seen = cv2.remap(
        np.ascontiguousarray(pixels[top0:end, turned % pixels.shape[1]]),
        (left - left0 + _rest(view, pixels.shape[1])).astype(np.float32),
        (top - top0).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen, np.uint8)


def find_in_view(pixels: Pixels, view: View | None = None) -> tuple[FoundNotice, ...]:
    """Look for notices in the default view of an equirectangular picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        The picture.
    view : View, optional
        Where viewers look first.

    Returns
    -------
    tuple of FoundNotice
        As `find`; boxes and heights are those in the square view of `look`, places
        those in what all screens show of it.

    Raises
    ------
    UsageError
        The picture is not twice as wide as high.
    """
    seen = look(pixels, view)
    side = seen.shape[0]
    return tuple(
        replace(one, place=place_on_screen(one.box, one.ink_height_px, side))
        for one in find(seen)
    )


def place_on_screen(box: Box, ink_height_px: float, side: int) -> str:
    """Return the edge or corner of what all screens show of a square view.

    Parameters
    ----------
    box : Box
        The text, in pixels of the view.
    ink_height_px : float
        Its height.
    side : int
        Of the view, in pixels.
    """
    screen = round(side * SCREEN)
    hidden = (side - screen) // 2
    moved = replace(box, left=box.left - hidden, top=box.top - hidden)
    return place_of(moved, ink_height_px, screen, screen)


def check_sphere(width: int, height: int) -> None:
    """Refuse a picture that cannot be equirectangular.

    Raises
    ------
    UsageError
        It is not twice as wide as high.
    """
    if min(width, height) < 2 or abs(width - 2 * height) > 2:
        raise UsageError(
            f"a picture of {width} x {height} pixels is not equirectangular",
            hint="A 360-degree picture is twice as wide as high.",
        )


def angles(ahead: Directions, view: View) -> tuple[Directions, Directions]:
    """Return longitude, from that of the view on, and latitude of directions."""
    x, y, z = np.moveaxis(ahead, -1, 0)
    yaw = math.radians(view.yaw_deg)
    right = x * math.cos(yaw) - z * math.sin(yaw)
    front = x * math.sin(yaw) + z * math.cos(yaw)
    return np.arctan2(right, front), np.arctan2(y, np.hypot(x, z))


def _turn(view: View, columns: int) -> int:
    return math.floor(view.yaw_deg / 360 * columns)


def _rest(view: View, columns: int) -> float:
    return view.yaw_deg / 360 * columns - _turn(view, columns)
