"""The notice in a 360-degree picture, upright and undistorted where people look first.

An equirectangular picture spans 360 degrees across and 180 degrees down. The plate is
set as in a flat picture, in the plane before the eye of the default view, and brought
to the sphere by the inverse of the gnomonic projection (Snyder, Map Projections, USGS
Professional Paper 1395, 22); for a viewer it is flat again.

The text height counts by the side of a square view, as a headset shows it to one eye,
and the plate is in that part of it which flat screens show too, wide or tall. So it
is legal in all of them (GB 45438-2025, 5.5 with 5.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import TooSmallForNotice, UsageError
from .block import Block
from .frame import FrameForm
from .image import check_picture, grey_of
from .place import CORNERS, EDGES, MIN_HEIGHT_FRACTION, Room, check_place, choose
from .plate import (
    BRIGHT,
    Encode,
    Floats,
    Style,
    glaze,
    least_contrast,
    luminance,
)
from .plate import DARK as _DARK
from .plate import LIGHT as _LIGHT
from .typeset import Pixels
from .view import SCREEN, View, angles, check_sphere
from .wording import check_wording

__all__ = [
    "DARK",
    "LIGHT",
    "SPHERE_PLACES",
    "SphereNotice",
    "SpherePainter",
    "draw_sphere",
    "worst_contrast",
]

# The ground shows through less than on pictures, as it is not blurred.
DARK = replace(_DARK, plate_opacity=0.86)
"""The plate of notices on grounds that are not known."""

LIGHT = replace(_LIGHT, plate_opacity=0.86)

SPHERE_PLACES = (*EDGES, *CORNERS)
"""Where a notice can stand in the default view."""

# Height of the characters in pixels of the picture, from which they are legible.
_LEGIBLE_PX = 9
# The plate is set, and sampled, at twice the resolution of the picture.
_ZOOM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SphereNotice:
    """A notice as drawn on a sphere.

    Parameters
    ----------
    text : str
        The wording, which is "AI生成" where the one asked for has no room.
    view : View
        Where it is upright.
    height_fraction : float
        Height of the shortest required character, by the side of a square view.
    contrast : float
        Least contrast ratio (WCAG 2.2) of any part of the text, whatever lies under
        the plate.
    """

    text: str
    view: View
    height_fraction: float
    contrast: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Patch:
    """What a notice does to a plane: ``keep * sample + color``."""

    rows: slice
    columns: NDArray[np.intp]
    keep: Floats
    color: Floats

    def paint(self, plane: NDArray[Any], opacity: float) -> None:
        part = plane[self.rows, self.columns].astype(np.float32)
        shape = (*part.shape[:2], -1)
        painted = part.reshape(shape) * self.keep[..., None] + self.color
        painted = part.reshape(shape) * (1 - opacity) + painted * opacity
        plane[self.rows, self.columns] = np.rint(painted).reshape(part.shape)


class SpherePainter:
    """Draws a notice on the frames of a 360-degree video.

    Where every sample of the plate lies is worked out once.

    Parameters
    ----------
    form : FrameForm
        How the frames are stored and shown. They are twice as wide as high as shown.
    text : str
        The wording.
    view : View, optional
        Where viewers look first.
    place : str, optional
        One of `SPHERE_PLACES`.
    height_fraction : float, optional
        Text height by the side of a square view, 0.05 to 0.2.

    Raises
    ------
    UsageError
        An argument cannot be meant, or the frames are not twice as wide as high.
    TooSmallForNotice
        No legal wording would be legible.
    """

    def __init__(
        self,
        form: FrameForm,
        text: str,
        *,
        view: View | None = None,
        place: str = "bottom",
        height_fraction: float = MIN_HEIGHT_FRACTION,
    ) -> None:
        self._form = form
        self._plate = _Plate(
            form.shown_size, text, view or View(), place, height_fraction
        )
        self._patches: dict[tuple[tuple[int, ...], int], _Patch] = {}

    @property
    def notice(self) -> SphereNotice:
        """What is drawn."""
        return self._plate.notice(DARK)

    def paint(self, planes: Sequence[NDArray[Any]], *, opacity: float = 1.0) -> None:
        """Draw the notice into a frame, in place.

        Parameters
        ----------
        planes : sequence of ndarray of uint8 or uint16
            Luma, Cb and Cr as stored, the latter of any subsampling; or luma alone.
        opacity : float, optional
            0 to 1, for a notice that fades.
        """
        for index, plane in enumerate(planes):
            shown = self._form.upright(plane)
            key = (shown.shape, index)
            if key not in self._patches:

                def encode(color: Any, index: int = index) -> Floats:
                    return self._form.encode(color)[..., index : index + 1]

                self._patches[key] = self._plate.patch(shown.shape[:2], DARK, encode)
            self._patches[key].paint(shown, opacity)


def draw_sphere(
    pixels: Pixels,
    text: str,
    *,
    view: View | None = None,
    place: str = "bottom",
    height_fraction: float = MIN_HEIGHT_FRACTION,
) -> tuple[Pixels, SphereNotice]:
    """Draw a notice on an equirectangular picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA, twice as wide as high. It is not changed.
    text : str
        The wording. What follows " · " is set smaller when what stands before it is
        legal by itself.
    view : View, optional
        Where viewers look first, by default at the middle of the picture.
    place : str, optional
        Where in that view: one of `SPHERE_PLACES`.
    height_fraction : float, optional
        Text height by the side of a square view, 0.05 to 0.2.

    Returns
    -------
    ndarray of uint8
        A new array of the same shape, opaque inside the plate.
    SphereNotice
        What was drawn.

    Raises
    ------
    UsageError
        An argument cannot be meant, or the picture is not twice as wide as high.
    TooSmallForNotice
        No legal wording would be legible.
    """
    check_picture(pixels)
    height, width = pixels.shape[:2]
    plate = _Plate((width, height), text, view or View(), place, height_fraction)
    colors = 1 if pixels.ndim == 2 else 3

    def encode(color: Any) -> Floats:
        values = np.asarray(color, np.float32)
        return values if colors == 3 else values.mean(axis=-1, keepdims=True)

    drawn = pixels.copy()
    patch = plate.patch((height, width), DARK, encode)
    ground = grey_of(pixels[patch.rows, patch.columns])
    covered = patch.keep < 0.5
    light = bool(ground[covered].mean() >= BRIGHT)
    if light:
        patch = plate.patch((height, width), LIGHT, encode)
    patch.paint(drawn if pixels.ndim == 2 else drawn[..., :3], 1.0)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = drawn[patch.rows, patch.columns, 3]
        drawn[patch.rows, patch.columns, 3] = np.where(covered, 255, alpha)
    return drawn, plate.notice(LIGHT if light else DARK)


class _Plate:
    """A wording set in the plane of a view, to be brought to a sphere."""

    def __init__(
        self,
        size: tuple[int, int],
        text: str,
        view: View,
        place: str,
        height_fraction: float,
    ) -> None:
        check_sphere(*size)
        if place not in SPHERE_PLACES:
            raise UsageError(
                f"there is no place {place!r} in a view",
                hint=f"Use one of {', '.join(SPHERE_PLACES)}.",
            )
        check_place(place, height_fraction)
        check_wording(text)
        self.view = view
        # Pixels by distance of the view's plane from the eye.
        self.scale = _ZOOM * size[0] / math.tau
        least = math.ceil(height_fraction * 2 * view.reach * self.scale - 1e-6)
        if least < _ZOOM * _LEGIBLE_PX:
            raise TooSmallForNotice(
                f"a 360-degree picture of {size[0]} x {size[1]} pixels has no room "
                "for a legible notice",
                hint="Show the notice before the scene, as the start screen.",
            )
        window = math.floor(2 * view.reach * SCREEN * self.scale)
        room = Room.of(window, window)
        self.block, spots = choose(text, [room], least, least, corners=(place,))
        self.box = spots[place]
        self.middle = window / 2

    def notice(self, style: Style) -> SphereNotice:
        side = 2 * self.view.reach * self.scale
        return SphereNotice(
            text=self.block.text,
            view=self.view,
            height_fraction=self.block.ink_height_px / side,
            contrast=worst_contrast(self.block, style),
        )

    def patch(self, shape: tuple[int, ...], style: Style, encode: Encode) -> _Patch:
        """Return what the plate does to a plane that spans the whole sphere."""
        rows, columns = shape
        top, bottom, left, right = self._bounds(rows, columns)
        # Every pixel is the mean of a few points in it.
        down, across = (
            (np.arange(first * _ZOOM, last * _ZOOM) + 0.5) / (_ZOOM * n)
            for first, last, n in ((top, bottom, rows), (left, right, columns))
        )
        latitude = (0.5 - down)[:, None] * math.pi
        longitude = (across - 0.5)[None, :] * math.tau
        ahead = np.stack(
            np.broadcast_arrays(
                np.cos(latitude) * np.sin(longitude),
                np.sin(latitude),
                np.cos(latitude) * np.cos(longitude),
            ),
            axis=-1,
        )
        u, v, depth = np.moveaxis(ahead @ self.view.axes().T, -1, 0)
        before = depth > 1e-3
        depth = np.where(before, depth, 1)
        x = self.middle + u / depth * self.scale - self.box.left - 0.5
        y = self.middle - v / depth * self.scale - self.box.top - 0.5
        far = -10.0
        glass = glaze(self.block, style, encode)
        cover = glass.shape * (1 - glass.through)
        stack = np.dstack([cover, glass.color * glass.shape[..., None]])
        sampled = cv2.remap(
            stack,
            np.where(before, np.clip(x, far, 32_000), far).astype(np.float32),
            np.where(before, np.clip(y, far, 32_000), far).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        mean = cv2.resize(
            sampled, (right - left, bottom - top), interpolation=cv2.INTER_AREA
        )
        return _Patch(
            rows=slice(top, bottom),
            columns=np.arange(left, right) % columns,
            keep=np.asarray(1 - mean[..., 0], np.float32),
            color=np.asarray(mean[..., 1:], np.float32),
        )

    def _bounds(self, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Return the rows and columns that the plate may touch.

        Columns may go beyond the picture, where it begins again.
        """
        box = self.box
        x = np.linspace(box.left - 1, box.left + box.width + 1, 64) - self.middle
        y = np.linspace(box.top - 1, box.top + box.height + 1, 64) - self.middle
        u, v = np.meshgrid(x / self.scale, -y / self.scale)
        ahead = np.stack([u, v, np.ones_like(u)], axis=-1) @ self.view.axes()
        across, down = angles(ahead, self.view)
        across += math.radians(self.view.yaw_deg)
        top = math.floor((0.5 - down.max() / math.pi) * rows) - 1
        bottom = math.ceil((0.5 - down.min() / math.pi) * rows) + 2
        left = math.floor((0.5 + across.min() / math.tau) * columns) - 1
        right = math.ceil((0.5 + across.max() / math.tau) * columns) + 2
        if right - left > columns / 2:  # it lies on a pole
            left, right = 0, columns
            top = 0 if down.max() > 0 else top
            bottom = rows if down.min() < 0 else bottom
        return max(top, 0), min(bottom, rows), left, right


def worst_contrast(block: Block, style: Style) -> float:
    """Return the least contrast of a plate's text over black and white grounds."""
    plate = np.array(style.plate, np.float32) * style.plate_opacity
    grounds = np.array([[0.0], [255.0]], np.float32)
    return least_contrast(
        plate + grounds * (1 - style.plate_opacity),
        style,
        lambda color: np.asarray(color, np.float32),
        luminance,
        translated=block.translation is not None,
    )
