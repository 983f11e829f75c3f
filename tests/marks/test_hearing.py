from __future__ import annotations

import numpy as np
import pytest

from synthmark.labeling.marks import hearing


def noise(tiles: int, deviation: float) -> np.ndarray:
    rng = np.random.default_rng(2)
    return (60 + deviation * rng.standard_normal((tiles, 34))).astype(np.float32)


def gains(levels: np.ndarray) -> np.ndarray:
    return hearing.gains(levels, np.ones(len(levels), np.float32))


def test_what_varies_may_change_more() -> None:
    means = [gains(noise(200, d)).mean() for d in (0.0, 0.3, 1.0, 3.0, 9.0)]
    assert means == sorted(means)
    assert means[0] < 0.4
    assert means[-1] > 2.4


def test_changes_are_bounded() -> None:
    levels = noise(300, 4.0)
    levels[100:150] = -100
    allowed = gains(levels)
    assert allowed.shape == levels.shape
    assert allowed.min() > 0.25
    assert allowed.max() <= hearing.MOST


@pytest.mark.parametrize("slope", [-0.5, 0.0, 2.0])
def test_a_level_that_rises_or_falls_evenly_counts_as_steady(slope: float) -> None:
    course = (slope * np.arange(100)[:, None] + np.zeros(34)).astype(np.float32)
    allowed = gains(course)[10:-10]
    assert allowed.max() == pytest.approx(hearing.LEAST, abs=0.01)


def test_the_beginning_of_a_tone_is_no_licence() -> None:
    levels = np.full((60, 34), 10.0, np.float32)
    levels[30:] = 60
    allowed = gains(levels)
    assert allowed[:29].max() < 0.4
    assert allowed[32:].max() < 0.4


@pytest.mark.parametrize("tiles", [2.4, 4.0, 7.3])
def test_a_beat_counts_as_steady(tiles: float) -> None:
    turns = np.arange(400)[:, None] / tiles + np.linspace(0, 1, 34)
    beating = (60 + 4 * np.sin(2 * np.pi * turns)).astype(np.float32)
    assert gains(beating)[20:-20].max() < 0.45
    assert gains(beating + noise(400, 3.0) - 60)[20:-20].mean() > 1.5


def test_what_noise_would_bury_needs_more() -> None:
    levels = np.full((400, 34), 60.0, np.float32)
    usual = float(hearing.power(levels).mean())
    means = [hearing.need(levels - less, usual).mean() for less in (0.0, 18.0, 30.0)]
    assert means[0] == 1.0
    assert means == sorted(means)
    assert means[-1] == pytest.approx(hearing.MOST_NEEDED)


def test_need_looks_at_what_is_near_only() -> None:
    levels = noise(400, 8.0) - 11
    other = levels.copy()
    other[: 200 - hearing.REACH_TILES] = 0
    other[200 + hearing.REACH_TILES + 1 :] = 0
    usual = float(hearing.power(noise(400, 8.0)).mean())
    found = [hearing.need(one, usual)[200] for one in (levels, other)]
    assert 1 < found[0] < hearing.MOST_NEEDED
    assert found[0] == pytest.approx(found[1], rel=1e-5)
