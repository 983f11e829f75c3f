from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.kernels import correlation

Float = NDArray[np.float32]


def lag_by_sums(power: NDArray[np.float64], y: int, x: int) -> float:
    """One value of the inverse transform of a full power spectrum."""
    fy, fx = np.fft.fftfreq(power.shape[0]), np.fft.fftfreq(power.shape[1])
    wave = np.cos(2 * np.pi * (fy[:, None] * y + fx * x))
    return float((power * wave).mean())


def leveled_power(
    flat: Float, rows: int, columns: int, period: float, band: float
) -> NDArray[np.float64]:
    """Power over its mean in a box of 2.5 line spacings, clipped, less one.

    The first column, and the one at the limit if there is one, count nowhere.
    """
    power = np.abs(np.fft.fft2(flat, s=(rows, columns))) ** 2
    up, along = round(1.25 * rows / period), round(1.25 * columns / period)
    last = (columns - 1) // 2
    out = np.zeros_like(power)
    for v in range(rows):
        for u in range(1, last + 1):
            near = [1 + abs(i - 1) for i in range(u - along, u + along + 1)]
            near = [2 * last - i if i > last else i for i in near]
            level = power[np.ix_(np.arange(v - up, v + up + 1) % rows, near)].mean()
            fy, fx = min(v, rows - v) / rows, u / columns
            if np.hypot(fy, fx) <= band:
                out[v, u] = min(power[v, u] / level, correlation.POWER_CLIP) - 1
    for v in range(rows):
        for u in range(columns // 2 + 1, columns):
            out[v, u] = out[-v % rows, columns - u]
    return out


@pytest.mark.parametrize("width", [52, 55])
def test_autocorrelation_equals_the_direct_sums(width: int) -> None:
    height, reach, period = 45, 20, 15.0
    flat = np.random.default_rng(1).normal(size=(height, width)).astype(np.float32)
    found = correlation.autocorrelation(flat, period, 0.3, reach)
    assert found.values.shape == (reach + 1, 2 * reach + 1)
    assert found.size == (height, width)

    rows = cv2.getOptimalDFTSize(height + reach)
    columns = cv2.getOptimalDFTSize(width + reach)
    assert columns % 2 == width % 2  # with and without a column at the limit
    power = leveled_power(flat, rows, columns, period, 0.3)
    lags = [(0, 1), (0, -1), (0, 20), (1, 0), (5, -7), (20, 20), (20, -20), (13, 2)]
    expected = [
        lag_by_sums(power, y, x) / np.sqrt((height - y) * (width - abs(x)))
        for y, x in lags
    ]
    got = np.array([found.values[y, x + reach] for y, x in lags])
    # The unit is the robust deviation of all values; one factor fits them all.
    unit = np.dot(got, expected) / np.dot(expected, expected)
    np.testing.assert_allclose(got, unit * np.array(expected), atol=0.02)


def test_autocorrelation_of_noise_is_in_robust_deviations() -> None:
    reach = 218
    flat = np.random.default_rng(2).normal(size=(330, 360)).astype(np.float32)
    values = correlation.autocorrelation(flat, 64, 0.25, reach).values
    assert 1.4826 * np.median(np.abs(values)) == pytest.approx(1, rel=0.01)
    middle = values[40:, :][:, np.abs(np.arange(-reach, reach + 1)) > 40]
    assert middle.std() == pytest.approx(1, rel=0.1)
    assert values[0, reach] == 0
    np.testing.assert_allclose(values[0], values[0, ::-1], atol=1e-3)
