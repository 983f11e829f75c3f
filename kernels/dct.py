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
    padded = np.pad(
        rough,
        ((HOP, HOP + (-height) % HOP), (HOP, HOP + (-width) % HOP)),
        mode="reflect" if min(height, width) > WINDOW else "symmetric",
    )
    cosine, sine, window = _tables(int(np.ceil(band * WINDOW)))
    flat = _flatten(padded, cosine, sine, window, np.float32((band * WINDOW) ** 2))
    flat = flat[HOP : HOP + height, HOP : HOP + width]
    level = cv2.GaussianBlur(flat * flat, (0, 0), LEVEL_SIGMA)
    np.sqrt(level, out=level)
    level += LEVEL_FLOOR
    return np.clip(flat / level, -CLIP, CLIP)


@lru_cache(maxsize=8)
def _tables(top: int) -> tuple[Float, Float, Float]:
    """Return cosine and sine, shape (top + 1, 32), and the 2-D window."""
    phase = 2 * np.pi * np.outer(np.arange(top + 1), np.arange(WINDOW)) / WINDOW
    ramp = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    return (
        np.cos(phase).astype(np.float32),
        np.sin(phase).astype(np.float32),
        np.outer(ramp, ramp).astype(np.float32),
    )


@jit
def _flatten(padded, cosine, sine, window, radius2):
    """Normalize every bin within the radius by its own magnitude; overlap-add.

    The transforms are plain products with the few rows of the Fourier matrix that
    lie in the band; the innermost loops run over contiguous memory.
    """
    height, width = padded.shape
    bins = cosine.shape[0]
    out = np.zeros((height, width), np.float32)
    block = np.empty((WINDOW, WINDOW), np.float32)
    # Vertical frequency k of column x, real and imaginary, transposed to (x, k).
    re = np.empty((WINDOW, bins), np.float32)
    im = np.empty((WINDOW, bins), np.float32)
    row_re = np.empty(WINDOW, np.float32)
    row_im = np.empty(WINDOW, np.float32)
    f = np.empty((4, bins), np.float32)
    g = np.zeros((4, bins, bins), np.float32)
    back_re = np.empty((bins, WINDOW), np.float32)
    back_im = np.empty((bins, WINDOW), np.float32)
    for top in range(0, height - WINDOW + 1, HOP):
        for left in range(0, width - WINDOW + 1, HOP):
            for y in range(WINDOW):
                for x in range(WINDOW):
                    block[y, x] = padded[top + y, left + x] * window[y, x]
            for k in range(bins):
                row_re[:] = 0
                row_im[:] = 0
                for y in range(WINDOW):
                    c = cosine[k, y]
                    s = sine[k, y]
                    for x in range(WINDOW):
                        row_re[x] += c * block[y, x]
                        row_im[x] -= s * block[y, x]
                for x in range(WINDOW):
                    re[x, k] = row_re[x]
                    im[x, k] = row_im[x]
            for m in range(bins):
                f[:] = 0
                for x in range(WINDOW):
                    c = cosine[m, x]
                    s = sine[m, x]
                    for k in range(bins):
                        f[0, k] += c * re[x, k]
                        f[1, k] += s * im[x, k]
                        f[2, k] += c * im[x, k]
                        f[3, k] += s * re[x, k]
                for k in range(bins):
                    # Horizontal frequencies +m and -m at vertical frequency k.
                    inside = np.float32(k * k + m * m <= radius2)
                    plus_re = f[0, k] + f[1, k]
                    plus_im = f[2, k] - f[3, k]
                    minus_re = f[0, k] - f[1, k]
                    minus_im = f[2, k] + f[3, k]
                    a = inside / np.sqrt(
                        plus_re * plus_re + plus_im * plus_im + LEAST_POWER
                    )
                    b = inside / np.sqrt(
                        minus_re * minus_re + minus_im * minus_im + LEAST_POWER
                    )
                    # The zero frequencies stand for themselves, all others for two.
                    if m == 0:
                        a *= np.float32(0.5)
                        b *= np.float32(0.5)
                    if k == 0:
                        a *= np.float32(0.5)
                        b *= np.float32(0.5)
                    g[0, m, k] = plus_re * a + minus_re * b
                    g[1, m, k] = plus_im * a - minus_im * b
                    g[2, m, k] = plus_im * a + minus_im * b
                    g[3, m, k] = plus_re * a - minus_re * b
            for k in range(bins):
                row_re[:] = 0
                row_im[:] = 0
                for m in range(bins):
                    p = g[0, m, k]
                    q = g[1, m, k]
                    r = g[2, m, k]
                    t = g[3, m, k]
                    for x in range(WINDOW):
                        row_re[x] += p * cosine[m, x] - q * sine[m, x]
                        row_im[x] += r * cosine[m, x] + t * sine[m, x]
                back_re[k] = row_re
                back_im[k] = row_im
            for y in range(WINDOW):
                row_re[:] = 0
                for k in range(bins):
                    c = cosine[k, y]
                    s = sine[k, y]
                    for x in range(WINDOW):
                        row_re[x] += c * back_re[k, x] - s * back_im[k, x]
                for x in range(WINDOW):
                    out[top + y, left + x] += row_re[x] * window[y, x]
    return out
