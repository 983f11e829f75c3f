from __future__ import annotations

import numpy as np
import pytest

from synthmark.labeling.marks import hearing


def noise(tiles: int, deviation: float) -> np.ndarray:
    rng = np.random.default_rng(2)
    return (60 + deviation * rng.standard_normal((tiles, 34))).astype(np.float32)


def test_what_varies_may_change_more() -> None:
    means = [hearing.gains(noise(200, d)).mean() for d in (0.0, 0.3, 1.0, 3.0, 9.0)]
    assert means == sorted(means)
    assert means[0] < 0.4
    assert means[-1] > 2.4


def test_changes_are_bounded() -> None:
    levels = noise(300, 4.0)
    levels[100:150] = -100
    allowed = hearing.gains(levels)
    assert allowed.shape == levels.shape
    assert allowed.min() > 0.25
    assert allowed.max() <= hearing.MOST


@pytest.mark.parametrize("slope", [-0.5, 0.0, 2.0])
def test_a_level_that_rises_or_falls_evenly_counts_as_steady(slope: float) -> None:
    course = (slope * np.arange(100)[:, None] + np.zeros(34)).astype(np.float32)
    allowed = hearing.gains(course)[10:-10]
    assert allowed.max() == pytest.approx(hearing.LEAST, abs=0.01)


def test_the_beginning_of_a_tone_is_no_licence() -> None:
    levels = np.full((60, 34), 10.0, np.float32)
    levels[30:] = 60
    allowed = hearing.gains(levels)
    assert allowed[:29].max() < 0.4
    assert allowed[32:].max() < 0.4


def test_only_what_is_near_counts() -> None:
    levels = noise(100, 2.0)
    other = levels.copy()
    other[: 50 - hearing.REACH_TILES] = 0
    other[50 + hearing.REACH_TILES + 1 :] = 0
    np.testing.assert_allclose(
        hearing.gains(levels)[50], hearing.gains(other)[50], 1e-5
    )
