"""A plate brought to the samples of the planes of a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..model import Box
from .frame import FrameForm, Plane
from .plate import Floats, Glass, around, frost

__all__ = ["Layer", "bare_codes", "prepare"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """What a plate does to one plane, turned as it is shown.

    A sample becomes ``keep * sample + through * ground + color``.

    Parameters
    ----------
    box : Box
        The plate, in samples.
    step : tuple of int
        Luma samples per sample, across and down.
    size_px : float
        Text height in samples.
    limits : tuple of float
        The ground is brought within these codes: what is brighter than diffuse white
        would shine through.
    keep : ndarray of float32, shape (height, width)
        Share of the sample itself, at the plate's corners.
    through, color : tuple of ndarray of float32, shape (height, width)
        Of every glass.
    """

    box: Box
    step: tuple[int, int]
    size_px: float
    limits: tuple[float, float]
    keep: Floats
    through: tuple[Floats, ...]
    color: tuple[Floats, ...]

    def ground(self, plane: Plane) -> Floats:
        """Return the blurred ground."""
        part, inside = around(self.box, plane.shape, self.size_px)
        blurred = frost(_cut(plane, part), inside, self.size_px)
        return np.clip(blurred, *self.limits)

    def paint(self, plane: Plane, ground: Floats, glass: int, opacity: float) -> None:
        """Lay a glass over a plane, in place.

        Parameters
        ----------
        plane : ndarray of uint8 or uint16
            Turned as it is shown.
        ground : ndarray of float32
            Its blurred ground; it is used up.
        glass : int
            Which one.
        opacity : float
            0 to 1.
        """
        target = _cut(plane, self.box)
        ground *= self.through[glass]
        ground += self.color[glass]
        ground += self.keep * target
        if opacity < 1:
            ground *= opacity
            ground += (1 - opacity) * target
        np.rint(ground, out=ground)
        target[...] = ground


def prepare(
    glasses: Sequence[Glass],
    box: Box,
    size_px: int,
    form: FrameForm,
    planes: Sequence[Plane],
) -> tuple[list[Layer], NDArray[np.bool_]]:
    """Bring a plate to the planes of a frame.

    Parameters
    ----------
    glasses : sequence of Glass
        The plate in several styles, in the codes of luma, Cb and Cr.
    box : Box
        Where it goes, in square pixels of the frame as it is shown.
    size_px : int
        Text height in those pixels.
    form : FrameForm
        How the frame is stored and shown.
    planes : sequence of ndarray
        Luma, Cb and Cr turned as they are shown.

    Returns
    -------
    list of Layer
        One a plane.
    ndarray of bool
        Luma samples of the plate that have neither text nor hairline.
    """
    rows, columns = planes[0].shape
    width, height = form.shown_size
    across, down = columns / width, rows / height
    # Rounded up: text of exactly the least height must not lose any of it.
    size = (math.ceil(box.width * across), math.ceil(box.height * down))
    left = min(int(box.left * across), columns - size[0])
    top = min(int(box.top * down), rows - size[1])
    black, white = (float(form.encode((tone,) * 3)[0]) for tone in (0, 255))
    layers = []
    for index, plane in enumerate(planes):
        step = (-(-columns // plane.shape[1]), -(-rows // plane.shape[0]))
        x, y = left // step[0], top // step[1]
        cells = Box(
            left=x,
            top=y,
            width=-(-(left + size[0]) // step[0]) - x,
            height=-(-(top + size[1]) // step[1]) - y,
        )
        inset = (left - x * step[0], top - y * step[1])
        shapes = [_fit(glass.shape, size, inset, step, cells) for glass in glasses]
        layers.append(
            Layer(
                box=cells,
                step=step,
                size_px=size_px * math.sqrt(across * down) / max(step),
                limits=(0, math.inf) if index else (black, white),
                keep=1 - shapes[0],
                through=tuple(
                    _fit(glass.shape * glass.through, size, inset, step, cells)
                    for glass in glasses
                ),
                color=tuple(
                    _fit(
                        glass.shape * glass.color[..., index], size, inset, step, cells
                    )
                    for glass in glasses
                ),
            )
        )
    bare = cv2.resize(glasses[0].bare.astype(np.float32), size)
    return layers, np.asarray(bare) == 1


def bare_codes(
    planes: Sequence[Plane], layers: Sequence[Layer], bare: NDArray[np.bool_]
) -> Floats:
    """Return luma, Cb and Cr of the samples of a plate that are `bare`, shape (n, 3).

    A grey frame has one column.
    """
    y, x = np.nonzero(bare)
    y, x = y + layers[0].box.top, x + layers[0].box.left
    return np.stack(
        [
            plane[y // layer.step[1], x // layer.step[0]].astype(np.float32)
            for plane, layer in zip(planes, layers, strict=True)
        ],
        axis=1,
    )


def _cut(plane: Plane, box: Box) -> Plane:
    return plane[box.top : box.top + box.height, box.left : box.left + box.width]


def _fit(
    values: Floats,
    size: tuple[int, int],
    inset: tuple[int, int],
    step: tuple[int, int],
    cells: Box,
) -> Floats:
    """Resize values to luma samples and average them over the cells of a plane.

    `inset` is where they begin in the first cell. Beyond them is nothing.
    """
    luma = np.zeros((cells.height * step[1], cells.width * step[0]), np.float32)
    resized = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    luma[inset[1] : inset[1] + size[1], inset[0] : inset[0] + size[0]] = resized
    mean = cv2.resize(luma, (cells.width, cells.height), interpolation=cv2.INTER_AREA)
    return np.asarray(mean, np.float32)
