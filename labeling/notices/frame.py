"""How the frames of a clip are stored, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .plate import Color, Floats, luminance

__all__ = ["BITS", "MATRICES", "ROTATIONS", "TRANSFERS", "FrameForm", "Plane"]

Plane = NDArray[np.uint8] | NDArray[np.uint16]
"""One plane of a frame: luma, or a color difference."""

ROTATIONS = (0, 90, 180, 270)
BITS = (8, 10, 12)
TRANSFERS = ("sdr", "pq", "hlg")
# Luma of red and blue (ITU-R BT.601, BT.709 and BT.2020).
MATRICES = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}

# Diffuse white (ITU-R BT.2408): 203 cd/m2, which HLG puts at 75 % of its signal.
_WHITE_NITS = 203
_HLG_WHITE = 0.75
# System gamma of HLG at 1,000 cd/m2 (ITU-R BT.2100).
_HLG_GAMMA = 1.2

# ITU-R BT.2100, tables 4 and 5.
_PQ = (2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32)
_HLG = (0.17883277, 0.28466892, 0.55991073)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameForm:
    """How the frames of a clip are stored, and how they are shown.

    Parameters
    ----------
    width, height : int
        Of the luma plane as stored.
    rotation_deg : int
        Clockwise turn of the stored frame that shows it upright: 0, 90, 180 or 270.
    flipped : bool
        Whether it is mirrored left to right before that.
    pixel_aspect : Fraction
        Width of a stored pixel by its height, 1/16 to 16.
    bits : int
        8, 10 or 12. More than 8 are in the lower bits of uint16.
    full_range : bool
        Whether the codes go from 0 to the last, not from 16 to 235 of 255.
    transfer : str
        "sdr", "pq" or "hlg".
    matrix : str
        "bt601", "bt709" or "bt2020".

    Raises
    ------
    UsageError
        A value cannot be meant.
    """

    width: int
    height: int
    rotation_deg: int = 0
    flipped: bool = False
    pixel_aspect: Fraction = Fraction(1)
    bits: int = 8
    full_range: bool = False
    transfer: str = "sdr"
    matrix: str = "bt709"

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1:
            raise UsageError(f"a frame cannot have {self.width} x {self.height} pixels")
        if not Fraction(1, 16) <= self.pixel_aspect <= 16:
            raise UsageError(f"pixels cannot have the aspect {self.pixel_aspect}")
        for name, value, known in (
            ("rotation", self.rotation_deg, ROTATIONS),
            ("number of bits", self.bits, BITS),
            ("transfer", self.transfer, TRANSFERS),
            ("matrix", self.matrix, tuple(MATRICES)),
        ):
            if value not in known:
                raise UsageError(
                    f"frames cannot have the {name} {value!r}",
                    hint=f"Use one of {', '.join(map(str, known))}.",
                )

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the frame as it is shown, in square pixels.

        They follow from the stored height, as in players: the width gives way to the
        pixel aspect.
        """
        width = max(1, round(self.width * self.pixel_aspect))
        turned = self.rotation_deg in (90, 270)
        return (self.height, width) if turned else (width, self.height)

    def upright(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return a plane as it is shown: a view, which writes into the plane."""
        mirrored = plane[:, ::-1] if self.flipped else plane
        return np.rot90(mirrored, -(self.rotation_deg // 90))

    def encode(self, color: Color | NDArray[Any]) -> Floats:
        """Return the luma and color-difference codes of sRGB colors, shape (..., 3).

        White becomes diffuse white, which is far below the peak of PQ and HLG.
        """
        values = np.asarray(color, np.float32)
        rgb = np.asarray(values.reshape(-1, 3) / 255, np.float32)
        if self.transfer != "sdr":
            light = luminance(values.reshape(-1, 1)).reshape(-1, 3)
            rgb = _pq(light) if self.transfer == "pq" else _hlg(light)
        return np.asarray(self._differences(rgb).reshape(values.shape), np.float32)

    def extremes(self) -> Floats:
        """Return the codes of the strongest colors a frame can hold, shape (8, 3).

        Luma stops at diffuse white.
        """
        cube = np.array(list(product((0, 1), repeat=3)), np.float32)
        codes = self._differences(cube)
        white = self.encode((255, 255, 255))[0]
        codes[:, 0] = np.minimum(codes[:, 0], white)
        return codes

    def luminance(self, codes: Floats) -> Floats:
        """Return the luminance relative to diffuse white of codes, shape (n, 3)."""
        red, blue = MATRICES[self.matrix]
        low, span, middle, reach = self._codes()
        luma = (codes[:, 0] - low) / span
        r = luma + (codes[:, 2] - middle) / reach * (2 - 2 * red)
        b = luma + (codes[:, 1] - middle) / reach * (2 - 2 * blue)
        g = (luma - red * r - blue * b) / (1 - red - blue)
        rgb = np.clip(np.stack([r, g, b], axis=1), 0, 1)
        if self.transfer == "sdr":
            return luminance(255 * rgb)
        light = _pq_light(rgb) if self.transfer == "pq" else _hlg_light(rgb)
        red, blue = MATRICES["bt2020"]
        return np.asarray(light @ np.array([red, 1 - red - blue, blue]), np.float32)

    def tone(self, luma: float) -> float:
        """Return how bright a luma code looks: the sRGB value of such a grey."""
        low, span, middle, _ = self._codes()
        if self.transfer == "sdr":
            return 255 * (luma - low) / span
        light = float(self.luminance(np.array([[luma, middle, middle]], np.float32))[0])
        light = min(light, 1)
        return 255 * (
            12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
        )

    def _differences(self, rgb: Floats) -> Floats:
        """Return the codes of signals 0 to 1 of red, green and blue, shape (n, 3)."""
        red, blue = MATRICES[self.matrix]
        luma = rgb @ np.array([red, 1 - red - blue, blue], np.float32)
        low, span, middle, reach = self._codes()
        codes = [
            low + span * luma,
            middle + reach * (rgb[:, 2] - luma) / (2 - 2 * blue),
            middle + reach * (rgb[:, 0] - luma) / (2 - 2 * red),
        ]
        return np.asarray(np.stack(codes, axis=1), np.float32)

    def _codes(self) -> tuple[float, float, float, float]:
        """Return black, black to white, neutral, and the range of differences."""
        step = 2 ** (self.bits - 8)
        if self.full_range:
            return 0, 256 * step - 1, 128 * step, 256 * step - 1
        return 16 * step, 219 * step, 128 * step, 224 * step


def _pq(light: Floats) -> Floats:
    """Return the PQ signal of light relative to diffuse white."""
    m1, m2, c1, c2, c3 = _PQ
    part = (light * (_WHITE_NITS / 10_000)) ** m1
    return np.asarray(((c1 + c2 * part) / (1 + c3 * part)) ** m2, np.float32)


def _pq_light(signal: Floats) -> Floats:
    m1, m2, c1, c2, c3 = _PQ
    part = signal ** (1 / m2)
    light = (np.maximum(part - c1, 0) / (c2 - c3 * part)) ** (1 / m1)
    return np.asarray(light * (10_000 / _WHITE_NITS), np.float32)


def _hlg(light: Floats) -> Floats:
    """Return the HLG signal of light relative to diffuse white."""
    a, b, c = _HLG
    scene = _hlg_scene(np.array([_HLG_WHITE])) * light ** (1 / _HLG_GAMMA)
    high = a * np.log(np.maximum(12 * scene, 1) - b) + c
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), high), np.float32)


def _hlg_light(signal: Floats) -> Floats:
    white = _hlg_scene(np.array([_HLG_WHITE]))
    return np.asarray((_hlg_scene(signal) / white) ** _HLG_GAMMA, np.float32)


def _hlg_scene(signal: NDArray[Any]) -> NDArray[Any]:
    a, b, c = _HLG
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
