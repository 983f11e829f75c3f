from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from synthmark.kernels import masking

Float = NDArray[np.float32]

# Single precision leaves a little deviation in a bright flat place.
ROUNDING = 0.1

pictures = arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
).map(lambda levels: levels.astype(np.float32))


def framed(plane: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    return np.pad(plane, reach, mode="reflect")


def box(plane: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(
        framed(plane, side // 2), (side, side)
    )
    return windows.mean(axis=(2, 3))


def eroded(plane: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    inside = np.pad(plane, side // 2, constant_values=np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(inside, (side, side))
    return windows.min(axis=(2, 3))


def texture_by_definition(luma: Float) -> NDArray[np.float64]:
    """The lesser eigenvalue of each pixel's structure tensor, from scratch."""
    around = framed(luma.astype(np.float64), 1)
    smooth, slope = np.array([1, 2, 1]) / 4, np.array([-1, 0, 1]) / 2

    def filtered(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Float:
        windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3))
        return np.einsum("yxij,i,j->yx", windows, rows, columns)

    across, down = filtered(smooth, slope), filtered(slope, smooth)
    steep = np.maximum(np.sqrt(across**2 + down**2) / masking.STEEPEST, 1)
    across, down = across / steep, down / steep
    side = masking.TENSOR_REACH
    mixed = box(across * down, side)
    tensors = np.array([[box(across**2, side), mixed], [mixed, box(down**2, side)]])
    lesser = np.linalg.eigvalsh(np.moveaxis(tensors, (0, 1), (2, 3)))[..., 0]
    least = eroded(np.sqrt(np.maximum(lesser, 0)), masking.TENSOR_EROSION)
    return 1 + masking.TEXTURE_STRENGTH * least


def noise(height: int, width: int, seed: int = 1) -> Float:
    rng = np.random.default_rng(seed)
    return (rng.normal(100, 1, (height, width)) * np.linspace(0.1, 2, width)).astype(
        np.float32
    )


def test_texture_is_the_lesser_eigenvalue() -> None:
    luma = 100 + 12 * (noise(31, 42) - 100)
    np.testing.assert_allclose(
        masking.texture(luma), texture_by_definition(luma), rtol=5e-3, atol=5e-3
    )


def test_deviation_is_the_eroded_one_of_each_window() -> None:
    luma = noise(31, 42)
    side = masking.REACH
    exact = luma.astype(np.float64)
    local = np.sqrt(np.maximum(box(exact**2, side) - box(exact, side) ** 2, 0))
    np.testing.assert_allclose(
        masking.deviation(luma), eroded(local, masking.EROSION), atol=0.02
    )


@settings(deadline=None)
@given(st.integers(0, 255))
def test_a_flat_place_has_strength_one(level: int) -> None:
    luma = np.full((20, 30), level, np.float32)
    np.testing.assert_allclose(masking.texture(luma), 1, atol=ROUNDING)
    np.testing.assert_allclose(masking.reliability(luma), 1, atol=ROUNDING)


@pytest.mark.parametrize("angle", [0, 30, 45, 90])
def test_edges_lines_and_shades_hide_nothing(angle: float) -> None:
    y, x = np.mgrid[:80, :80] - 40.0
    along = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle))
    lines = 120 + 60 * np.sin(along / 2)
    shade = 120 + 1.4 * along
    edge = 120 + 80 * np.clip(along / 2, -1, 1)
    for luma in (lines, shade, edge):
        strength = masking.texture(luma.astype(np.float32))
        assert strength[10:-10, 10:-10].max() < 2.5


def test_texture_hides_more_than_its_rim() -> None:
    luma = np.full((60, 120), 128, np.float32)
    luma[:, 60:] += np.random.default_rng(5).normal(0, 25, (60, 60))
    strength = masking.texture(luma)
    assert strength[:, :54].max() < 1 + ROUNDING
    assert strength[:, 75:].min() > 8


def test_paper_between_letters_hides_less_than_dense_texture() -> None:
    page = np.full((120, 200), 255, np.uint8)
    for row in range(10, 120, 12):
        cv2.putText(page, "letters on paper", (0, row), 0, 0.4, 0, 1, cv2.LINE_AA)
    grain = np.random.default_rng(8).normal(128, page.std(), page.shape)
    text, dense = (masking.texture(p.astype(np.float32)) for p in (page, grain))
    assert np.median(text) < 0.7 * np.median(dense)


def test_a_place_that_a_codec_emptied_counts_less() -> None:
    rng = np.random.default_rng(6)
    luma = np.clip(128 + rng.normal(0, 1.5, (128, 128)), 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", luma, (cv2.IMWRITE_JPEG_QUALITY, 10))
    emptied = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    before = masking.reliability(luma.astype(np.float32)).mean()
    assert masking.reliability(emptied).mean() < 0.6 * before


@settings(deadline=None)
@given(pictures)
def test_stays_within_its_range(luma: Float) -> None:
    for strength, most in (
        (masking.texture(luma), masking.TEXTURE_STRENGTH * masking.STEEPEST / 2**0.5),
        (
            masking.reliability(luma),
            masking.RELIABILITY_SLOPE * masking.RELIABILITY_CEILING,
        ),
    ):
        assert strength.shape == luma.shape
        assert strength.dtype == np.float32
        assert strength.min() >= 1
        assert strength.max() <= 1 + most + 1e-4


def test_reliability_follows_the_deviation_up_to_its_ceiling() -> None:
    grain = np.random.default_rng(7).normal(size=(31, 42)) * np.linspace(0.1, 9, 42)
    luma = (100 + grain).astype(np.float32)
    alive = masking.deviation(luma)
    assert alive.min() < masking.RELIABILITY_CEILING < alive.max()
    alive = np.minimum(alive, masking.RELIABILITY_CEILING)
    expected = 1 + masking.RELIABILITY_SLOPE * alive
    np.testing.assert_allclose(masking.reliability(luma), expected, rtol=1e-5)


@settings(deadline=None)
@given(pictures)
def test_a_turned_picture_hides_the_same(luma: Float) -> None:
    turned = np.ascontiguousarray(np.rot90(luma))
    for measure in (masking.texture, masking.reliability):
        np.testing.assert_allclose(
            measure(turned), np.rot90(measure(luma)), rtol=1e-3, atol=2 * ROUNDING
        )
