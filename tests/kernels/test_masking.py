from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from synthmark.kernels import masking

Float = NDArray[np.float32]

# Single precision leaves a little deviation in a bright flat place.
ROUNDING = 0.1 * masking.SLOPE

pictures = arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
).map(lambda levels: levels.astype(np.float32))


def texture_by_loops(luma: Float, exponent: float) -> NDArray[np.float64]:
    height, width = luma.shape
    reach = masking.REACH // 2
    framed = np.pad(luma.astype(np.float64), reach, mode="reflect")
    deviation = np.empty((height, width))
    for y, x in np.ndindex(height, width):
        near = framed[y : y + masking.REACH, x : x + masking.REACH]
        deviation[y, x] = near.std()
    out = np.empty((height, width))
    reach = masking.EROSION // 2
    for y, x in np.ndindex(height, width):
        rows = slice(max(y - reach, 0), y + reach + 1)
        columns = slice(max(x - reach, 0), x + reach + 1)
        least = min(deviation[rows, columns].min(), masking.CEILING)
        out[y, x] = (1 + masking.SLOPE * least) ** exponent
    return out


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0])
def test_equals_the_loops(exponent: float) -> None:
    rng = np.random.default_rng(1)
    luma = rng.normal(100, 1, (31, 42)) * np.linspace(0.1, 2, 42)
    luma = luma.astype(np.float32)
    np.testing.assert_allclose(
        masking.texture(luma, exponent), texture_by_loops(luma, exponent), rtol=5e-3
    )


@settings(deadline=None)
@given(st.integers(0, 255))
def test_a_flat_place_has_strength_one(level: int) -> None:
    luma = np.full((20, 30), level, np.float32)
    np.testing.assert_allclose(masking.texture(luma, 1.0), 1, atol=ROUNDING)


@settings(deadline=None)
@given(pictures, st.floats(0, 1))
def test_stays_within_its_range(luma: Float, exponent: float) -> None:
    strength = masking.texture(luma, exponent)
    most = (1 + masking.SLOPE * masking.CEILING) ** exponent
    assert strength.shape == luma.shape
    assert strength.dtype == np.float32
    assert strength.min() >= 1
    assert strength.max() <= most * 1.0001


def test_the_flat_side_of_an_edge_counts_as_flat() -> None:
    luma = np.zeros((40, 60), np.float32)
    luma[:, 30:] = 255
    np.testing.assert_allclose(masking.texture(luma, 1.0), 1, atol=ROUNDING)


def test_a_thin_line_counts_as_flat() -> None:
    luma = np.full((40, 60), 255, np.float32)
    luma[:, 30] = 90
    np.testing.assert_allclose(masking.texture(luma, 1.0), 1, atol=ROUNDING)


def test_more_texture_hides_more() -> None:
    grain = np.random.default_rng(2).normal(size=(40, 40)).astype(np.float32)
    means = [masking.texture(128 + s * grain, 0.7).mean() for s in (0, 1, 3, 9, 27)]
    assert np.all(np.diff(means) > 0)
