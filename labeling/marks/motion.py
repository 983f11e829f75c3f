"""How much of a mark the frames of a video hide, smoothed in time."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels import masking

__all__ = ["Hiding", "reduce"]

PLAIN = 0.25  # levels that plain places get
HIDDEN, SOFT = 0.22, 0.15  # levels more for each of texture beyond so much
MOST, MOST_MEAN = 4.0, 1.2  # levels; the mean is that of the power, 46.5 dB
EMPTY = 1.0  # deviation in levels below which a place is taken to be drawn, not seen
EMPTY_REACH, EMPTY_RIM = 9, 5

# A code of 8 bits is a smaller step of light in the middle of the range than it is at
# its ends: black is rounded to nothing on screens, and white clips.
DARK, DARKEST = 60.0, 0.35  # level, and share of it that black gets
LIGHT, LIGHT_RANGE = 250.0, 15.0

# What moves has to be coded anew in every frame, and hides less than it seems to; but
# where nothing can be foretold, all is coded anew, and the mark costs little again.
MOTION = 3.0  # mean difference of frames in levels that halves the strength
WILD, MOST_WILD = 24.0, 0.4  # levels that would restore it, and how far they do
MOTION_REACH = 11

SMOOTH_S = 0.5
MOST_LAG, LEAST_LAG = 1.15, 0.03  # of what the frame itself hides

# Mean difference of frames in levels, and by that of the frames before.
CUT, CUT_RATIO = 18.0, 3.0

Float = NDArray[np.float32]


class Hiding:
    """Strength of a mark, place by place, from frame to frame.

    It follows the frames slowly, so that nothing flickers, but falls at once where a
    frame hides less, and starts anew at a cut.

    Parameters
    ----------
    gain : float
        Of what texture hides, relative to the default.
    plain : float, optional
        Of what plain places get, relative to the default.
    """

    def __init__(self, gain: float, plain: float = 1.0) -> None:
        self.gain = gain
        self.plain = plain
        self._before: Float | None = None
        self._motion: Float | None = None
        self._strength: Float | None = None
        self._activity: float | None = None
        self._time_s = 0.0

    def levels(self, small: Float, time_s: float) -> Float:
        """Return the deviation of the mark that the next frame shall get.

        Parameters
        ----------
        small : ndarray of float32, shape (rows, columns)
            Luma at the canonical size, in levels of 8 bits.
        time_s : float
            When it is shown.

        Returns
        -------
        ndarray of float32, shape (rows, columns)
            In levels of 8 bits.
        """
        before, self._before = self._before, small
        keep = np.float32(math.exp(-max(0.0, time_s - self._time_s) / SMOOTH_S))
        self._time_s = time_s
        change = None if before is None else np.abs(small - before)
        if change is None or self._strength is None or self._cuts(change, keep):
            self._motion, self._strength = None, self._still(small)
            return _capped(self._strength)
        still = self._still(small)
        change = np.asarray(cv2.blur(change, (MOTION_REACH, MOTION_REACH)), np.float32)
        motion = change if self._motion is None else self._motion
        falling = keep * motion + (1 - keep) * change
        rising = (change + motion) / 2
        self._motion = np.where(change > motion, rising, falling).astype(np.float32)
        own = still * _share(self._motion)
        smooth = keep * self._strength + (1 - keep) * own
        most = np.float32(MOST_LAG) * own + np.float32(LEAST_LAG)
        self._strength = np.minimum(smooth, most)
        return _capped(self._strength)

    def _cuts(self, change: Float, keep: np.float32) -> bool:
        """Tell whether a scene ends before a frame."""
        mean = cv2.mean(change)[0]
        usual, self._activity = self._activity, mean
        if usual is not None:
            if mean > max(CUT, CUT_RATIO * usual):
                self._activity = None
                return True
            self._activity = float(keep * usual + (1 - keep) * mean)
        return False

    def _still(self, small: Float) -> Float:
        """Return the strength that a frame hides by itself."""
        level = cv2.blur(small, (EMPTY_REACH, EMPTY_REACH))
        power = cv2.blur(small * small, (EMPTY_REACH, EMPTY_REACH))
        alive = np.sqrt(np.maximum(power - level * level, 0))
        alive = cv2.dilate(alive, np.ones((EMPTY_RIM, EMPTY_RIM), np.uint8))
        shade = np.clip(level / DARK, DARKEST, 1) * np.clip(
            (LIGHT - level) / LIGHT_RANGE, 0.3, 1
        )
        texture = np.maximum(masking.texture(small) - np.float32(1 + SOFT), 0)
        strength = np.float32(self.gain * HIDDEN) * texture
        strength += np.float32(self.plain * PLAIN)
        strength = np.minimum(strength, np.float32(MOST))
        return np.asarray(strength * shade * np.minimum(alive / EMPTY, 1), np.float32)


def _share(motion: Float) -> Float:
    """Return the part of the strength that moving places keep."""
    wild = np.minimum(motion / np.float32(WILD), np.float32(MOST_WILD))
    tame = 1 / (1 + motion / np.float32(MOTION))
    return np.asarray(np.maximum(tame, wild), np.float32)


def _capped(strength: Float) -> Float:
    """Cut off the peaks of what is more than enough in all.

    At equal power a flat distribution is read best.
    """
    sample = np.sort(strength[::4, ::4], axis=None).astype(np.float64)
    below = np.cumsum(sample**2)
    above = sample**2 * np.arange(len(sample) - 1, -1, -1)
    most = MOST_MEAN**2 * len(sample)
    fits = int(np.searchsorted(below + above, most))
    if fits == len(sample):
        return strength
    rest = most - (below[fits - 1] if fits else 0.0)
    return np.minimum(strength, np.float32(math.sqrt(rest / (len(sample) - fits))))


def reduce(luma: NDArray[Any], bits: int, side: int) -> Float:
    """Return luma at a short side, in levels of 8 bits.

    Parameters
    ----------
    luma : ndarray of uint8 or uint16, shape (height, width)
    bits : int
        Bits of a sample.
    side : int
        Short side of the result in pixels.

    Returns
    -------
    ndarray of float32
    """
    height, width = luma.shape
    scale = side / min(height, width)
    size = (round(width * scale), round(height * scale))
    # Halves first: whole boxes of integers are far quicker than parts of floats.
    while min(height, width) >= 2 * side:
        height, width = height // 2, width // 2
        whole = luma[: 2 * height, : 2 * width]
        luma = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(luma.astype(np.float32), size, interpolation=how)
    return np.asarray(small, np.float32) * np.float32(0.5 ** (bits - 8))
