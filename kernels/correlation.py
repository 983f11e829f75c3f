"""The autocorrelation of a whitened picture, where a repeated tile shows as peaks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Autocorrelation", "autocorrelation"]

POWER_CLIP = 4.0

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Autocorrelation:
    """Normalized autocorrelation of a picture.

    Parameters
    ----------
    values : ndarray of float32, shape (reach + 1, 2 * reach + 1)
        Values at lags y = 0..reach and x = -reach..reach, in robust deviations.
    size : tuple of int
        Height and width of the picture, in pixels.
    """

    values: Float
    size: tuple[int, int]


def autocorrelation(
    flat: Float, period: float, band: float, reach: int
) -> Autocorrelation:
    """Correlate a whitened picture with itself.

    Parameters
    ----------
    flat : ndarray of float32, shape (height, width)
        Whitened picture, zero mean.
    period : float
        Expected period in pixels; the power spectrum is leveled over 2.5 of the
        spacings (1 / period) of its lines.
    band : float
        Highest frequency of the mark, in cycles per pixel.
    reach : int
        Largest lag in pixels along each axis; at most the short side, less one.

    Returns
    -------
    Autocorrelation

    Notes
    -----
    A generalized correlation (Knapp and Carter 1976): each line of the power spectrum
    is leveled by those around it, so that no texture outweighs the lines of a tile.
    """
    height, width = flat.shape
    reach = min(reach, min(height, width) - 1)
    rows = cv2.getOptimalDFTSize(height + reach)
    columns = cv2.getOptimalDFTSize(width + reach)
    # Packed real spectrum: columns 1, 2 are the real and imaginary part at frequency 1,
    # and so on. The first and the last column, the axis and the limit, are left out.
    padded = cv2.copyMakeBorder(
        flat, 0, rows - height, 0, columns - width, cv2.BORDER_CONSTANT
    )
    packed = np.asarray(cv2.dft(padded), np.float32)
    last = 2 * ((columns - 1) // 2)
    power = packed[:, 1:last:2] ** 2
    power += packed[:, 2 : last + 1 : 2] ** 2
    span = (
        2 * round(1.25 * columns / period) + 1,
        2 * round(1.25 * rows / period) + 1,
    )
    # The spectrum is periodic in y and mirrored in x.
    border = span[1] // 2
    around = cv2.blur(
        np.concatenate([power[-border:], power, power[:border]]),
        span,
        borderType=cv2.BORDER_REFLECT_101,
    )
    power /= np.asarray(around, np.float32)[border:-border] + np.float32(1e-9)
    np.minimum(power, POWER_CLIP, out=power)
    power -= 1
    fy = np.fft.fftfreq(rows).astype(np.float32)[:, None]
    fx = (np.arange(1, last // 2 + 1) / columns).astype(np.float32)
    power[fy * fy + fx * fx > band * band] = 0
    packed[:] = 0
    packed[:, 1:last:2] = power
    full = cv2.idft(packed, flags=cv2.DFT_SCALE)
    values = np.concatenate(
        [full[: reach + 1, -reach:], full[: reach + 1, : reach + 1]], axis=1
    )
    overlap_y = (height - np.arange(reach + 1)).astype(np.float32)
    overlap_x = (width - np.abs(np.arange(-reach, reach + 1))).astype(np.float32)
    values /= np.sqrt(overlap_y[:, None] * overlap_x[None, :])
    values[0, reach] = 0
    values /= 1.4826 * np.median(np.abs(values)) + np.float32(1e-12)
    return Autocorrelation(np.ascontiguousarray(values), (height, width))
