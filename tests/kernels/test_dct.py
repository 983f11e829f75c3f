from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import dct

Float = NDArray[np.float32]


def blur(plane: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Gaussian filter cut off at four deviations."""
    reach = round(4 * sigma)
    line = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    line /= line.sum()
    framed = np.pad(plane, reach, mode="reflect")
    rows = np.array([np.convolve(row, line, "valid") for row in framed])
    return np.array([np.convolve(row, line, "valid") for row in rows.T]).T


def whiten_by_windows(luma: Float, band: float) -> NDArray[np.float64]:
    """Windows that lie in the picture only: true in the interior."""
    side, hop = dct.WINDOW, dct.HOP
    rough = luma - blur(luma.astype(np.float64), dct.HIGH_PASS_SIGMA)
    ramp = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(side) + 0.5) / side))
    window = np.outer(ramp, ramp)
    frequency = np.fft.fftfreq(side)
    inside = frequency[:, None] ** 2 + frequency**2 <= band**2
    flat = np.zeros(luma.shape)
    for top in range(0, luma.shape[0] - side + 1, hop):
        for left in range(0, luma.shape[1] - side + 1, hop):
            place = np.s_[top : top + side, left : left + side]
            bins = np.fft.fft2(rough[place] * window)
            phases = np.where(inside, bins / np.abs(bins), 0)
            flat[place] += np.fft.ifft2(phases).real * window
    level = np.sqrt(blur(flat**2, dct.LEVEL_SIGMA))
    return np.clip(flat / (level + 1e-12), -dct.CLIP, dct.CLIP)


def texture(height: int, width: int, seed: int = 0) -> Float:
    rng = np.random.default_rng(seed)
    return rng.normal(128, 40, (height, width)).astype(np.float32)


def cosine(a: Float, b: Float) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


@pytest.mark.parametrize("band", [0.11, 0.25, 0.45])
@pytest.mark.parametrize("shape", [(128, 128), (97, 150), (131, 100)])
def test_equals_the_windows_in_the_interior(
    shape: tuple[int, int], band: float
) -> None:
    # A contrast far beyond 255 levels, where every bin counts by its phase alone.
    luma = texture(*shape) * 1e4
    margin = dct.WINDOW + round(4 * dct.LEVEL_SIGMA)
    inner = np.s_[margin:-margin, margin:-margin]
    np.testing.assert_allclose(
        dct.whiten(luma, band)[inner], whiten_by_windows(luma, band)[inner], atol=0.01
    )


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    contrast=st.floats(0.3, 3),
    brightness=st.floats(-100, 100),
)
def test_contrast_and_brightness_do_not_matter(
    seed: int, contrast: float, brightness: float
) -> None:
    luma = texture(70, 90, seed)
    changed = (contrast * luma + brightness).astype(np.float32)
    assert cosine(dct.whiten(luma, 0.25), dct.whiten(changed, 0.25)) > 0.99


@settings(deadline=None)
@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    band=st.floats(0.02, 0.45),
    seed=st.integers(0, 1000),
)
def test_every_size_gives_finite_values_of_that_size(
    height: int, width: int, band: float, seed: int
) -> None:
    flat = dct.whiten(texture(height, width, seed), band)
    assert flat.shape == (height, width)
    assert flat.dtype == np.float32
    assert np.isfinite(flat).all()
    assert np.abs(flat).max() <= dct.CLIP


@pytest.mark.parametrize("shape", [(128, 128), (200, 300), (256, 341)])
def test_a_constant_picture_shows_nothing(shape: tuple[int, int]) -> None:
    # Rounding in the filters must not be taken for a texture.
    for level in range(0, 256, 15):
        flat = dct.whiten(np.full(shape, level, np.float32), 0.25)
        assert np.abs(flat).max() < 0.1


def test_a_single_level_of_difference_still_shows() -> None:
    luma = np.full((128, 128), 128, np.float32)
    luma[64, 64] += 1
    assert dct.whiten(luma, 0.25)[64, 64] > 1


def test_spectrum_of_a_photograph_like_picture_becomes_flat() -> None:
    # Amplitude falls as 1 / f, a thousandfold in power over the band.
    rng = np.random.default_rng(5)
    fy, fx = np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1
    noise = np.fft.rfft2(rng.normal(size=(512, 512))) / radius
    luma = np.fft.irfft2(noise)
    luma = (128 + 40 * luma / luma.std()).astype(np.float32)

    power = np.abs(np.fft.rfft2(dct.whiten(luma, 0.25))) ** 2
    edges = np.arange(0.04, 0.24, 0.04)
    rings = [
        power[(radius >= low) & (radius < high)].mean()
        for low, high in itertools.pairwise(edges)
    ]
    assert max(rings) < 2 * min(rings)
    assert power[radius > 0.35].mean() < 0.1 * min(rings)


def test_no_place_dominates() -> None:
    luma = texture(256, 256)
    luma[:, :128] = 128 + (luma[:, :128] - 128) * 0.1
    flat = dct.whiten(luma, 0.25)
    assert flat[:, :100].std() == pytest.approx(flat[:, 156:].std(), rel=0.1)
