"""Lapped block transforms: flatten a picture's spectrum, window by window.

A mark spread over many carriers is read best when no frequency and no place of the
host dominates. Every bin of a short-time Fourier transform is therefore divided by
its own magnitude, so that only its phase counts (the phase-only, or "smoothed
coherence", transform of Knapp and Carter 1976), within the band where marks live.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ._jit import jit

__all__ = ["whiten"]

WINDOW = 32
HOP = WINDOW // 2
HIGH_PASS_SIGMA = 2.0
LEVEL_SIGMA = 3.0
CLIP = 2.5
LEVEL_FLOOR = 0.02  # below it lies rounding, not content
# Power of white noise of one level in a windowed bin; weaker bins are not raised to it.
LEAST_POWER = np.float32(256)

Float = NDArray[np.float32]


def whiten(luma: Float, band: float) -> Float:
    """Return the picture with a flat local spectrum and a flat local level.

    Parameters
    ----------
    luma : ndarray of float32, shape (height, width)
        Levels, 0 to 255.
    band : float
        Highest frequency to keep, in cycles per pixel, up to 0.45.

    Returns
    -------
    ndarray of float32, shape (height, width)
        Zero mean, local deviation near 1, clipped at 2.5.

    Notes
    -----
    Windows of 32 pixels at half overlap under a square-root Hann window. The host's
    1/f slope is taken off first by a high-pass: without it the windows leak low
    frequencies over the whole band.
    """
    height, width = luma.shape
    rough = luma - cv2.GaussianBlur(luma, (0, 0), HIGH_PASS_SIGMA)
    padded = cv2.copyMakeBorder(
        np.asarray(rough, np.float32),
        HOP,
        HOP + (-height) % HOP,
        HOP,
        HOP + (-width) % HOP,
        cv2.BORDER_REFLECT_101 if min(height, width) > WINDOW else cv2.BORDER_REFLECT,
    )
    flat = _flatten(np.asarray(padded, np.float32), band)[
        HOP : HOP + height, HOP : HOP + width
    ]
    level = np.sqrt(cv2.GaussianBlur(flat * flat, (0, 0), LEVEL_SIGMA))
    level += np.float32(LEVEL_FLOOR)
    return np.clip(flat / level, -CLIP, CLIP)


def _flatten(padded: Float, band: float) -> Float:
    """Normalize every bin within the band by its own magnitude; overlap-add.

    The transforms are matrix products with the few rows of the Fourier matrix that
    lie in the band, first down all columns of a strip, then along its windows.
    """
    waves = _waves(int(np.ceil(band * WINDOW)))
    height, width = padded.shape
    strips = as_strided(
        padded,
        (height // HOP - 1, WINDOW, width),
        (HOP * padded.strides[0], *padded.strides),
        writeable=False,
    )
    lines = waves @ strips
    back = np.zeros_like(lines)
    for start in (0, HOP):  # every other window
        count = (width - start) // WINDOW
        part = slice(start, start + count * WINDOW)
        windows = lines[..., part].reshape(-1, WINDOW) @ waves.T
        shape = (len(lines), len(waves), count, len(waves))
        _normalize(windows.reshape(shape), np.float32((band * WINDOW) ** 2))
        back[..., part] += (windows @ waves).reshape(len(lines), len(waves), -1)
    halves = (waves.T @ back).reshape(-1, 2, HOP, width)
    out = np.zeros((height // HOP, HOP, width), np.float32)
    out[:-1] = halves[:, 0]
    out[1:] += halves[:, 1]
    return out.reshape(-1, width)


@lru_cache(maxsize=8)
def _waves(top: int) -> Float:
    """Return windowed cosines, then sines, of 0 to `top` cycles, shape (n, 32)."""
    phase = 2 * np.pi * np.outer(np.arange(top + 1), np.arange(WINDOW)) / WINDOW
    ramp = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    return np.concatenate([np.cos(phase), np.sin(phase)]).astype(np.float32) * (
        ramp.astype(np.float32)
    )


@jit
def _normalize(windows, radius2):
    """Divide the bins by their magnitude, in place; those off the band become zero.

    Axes are strip, vertical wave, window, horizontal wave. The products of the waves
    of k and of m cycles make up the bins (k, m) and (k, -m).
    """
    strips, waves, count, _ = windows.shape
    bins = waves // 2
    for strip in range(strips):
        for k in range(bins):
            for i in range(count):
                cosine = windows[strip, k, i]
                sine = windows[strip, bins + k, i]
                for m in range(bins):
                    plus_re = cosine[m] - sine[bins + m]
                    plus_im = cosine[bins + m] + sine[m]
                    minus_re = cosine[m] + sine[bins + m]
                    minus_im = sine[m] - cosine[bins + m]
                    # The zero frequencies stand for themselves, all others for two.
                    weight = np.float32(k * k + m * m <= radius2)
                    if m == 0:
                        weight *= np.float32(0.5)
                    if k == 0:
                        weight *= np.float32(0.5)
                    a = weight / np.sqrt(
                        plus_re * plus_re + plus_im * plus_im + LEAST_POWER
                    )
                    b = weight / np.sqrt(
                        minus_re * minus_re + minus_im * minus_im + LEAST_POWER
                    )
                    cosine[m] = plus_re * a + minus_re * b
                    sine[bins + m] = minus_re * b - plus_re * a
                    sine[m] = plus_im * a + minus_im * b
                    cosine[bins + m] = plus_im * a - minus_im * b
