from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.kernels import timing

Float = NDArray[np.float32]
ROWS, PAIRS, BLOCK = 10, 5, 4


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def pattern(rng: np.random.Generator) -> Float:
    signs = rng.choice([-1, 0, 0, 1], (ROWS, PAIRS)).astype(np.float32)
    signs[3] = 0
    return signs


def tick_of(row: int, phase: int, step: float) -> int:
    """Return where a row of the sound begins, counted from its first whole row."""
    late = phase % timing.PHASES
    return int(np.floor((row + (late > 0) - late / timing.PHASES) * step + 0.5))


def row_of(row: int, phase: int) -> int:
    return (phase // timing.PHASES + row + (phase % timing.PHASES > 0)) % ROWS


@pytest.mark.parametrize("step", [12.0, 9.7, 14.3])
def test_scores_match_a_plain_sum(
    rng: np.random.Generator, pattern: Float, step: float
) -> None:
    cells = rng.standard_normal((300, PAIRS), np.float32)
    found = timing.scores(cells, step, pattern, BLOCK)
    assert found.shape[1] == timing.PHASES * ROWS
    for block, phase in ((0, 0), (1, 7), (2, 59), (len(found) - 1, 23)):
        wanted = 0.0
        for row in range(block * BLOCK, (block + 1) * BLOCK):
            tick = tick_of(row, phase, step)
            if tick < len(cells):
                wanted += pattern[row_of(row, phase)] @ cells[tick]
        assert found[block, phase] == pytest.approx(wanted, abs=1e-3)


def test_scores_are_highest_where_the_pattern_lies(
    rng: np.random.Generator, pattern: Float
) -> None:
    phase, step = 27, 12.0
    cells = 0.1 * rng.standard_normal((400, PAIRS), np.float32)
    for row in range(30):
        cells[tick_of(row, phase, step)] += pattern[row_of(row, phase)]
    found = timing.scores(cells, step, pattern, 40)[0]
    assert np.argmax(found) == phase


@pytest.mark.parametrize("path", [[13, 13, 13], [0, -1, 44], [59]])
def test_fold_and_agreement_match_a_plain_sum(
    rng: np.random.Generator, pattern: Float, path: list[int]
) -> None:
    step, first = 11.3, 1
    cells = rng.standard_normal((260, PAIRS), np.float32)
    wanted = np.zeros((ROWS, PAIRS))
    rows = []
    for number, phase in enumerate(path):
        if phase < 0:
            continue
        for row in range((first + number) * BLOCK, (first + number + 1) * BLOCK):
            tick = tick_of(row, phase, step)
            wanted[row_of(row, phase)] += cells[tick]
    found = timing.fold(cells, step, np.array(path), ROWS, BLOCK, first)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    if -1 not in path:
        rows = timing.agreement(cells, step, np.array(path), pattern, BLOCK)
        assert len(rows) == len(path) * BLOCK
        tick = tick_of(0, path[0], step)
        sign = pattern[row_of(0, path[0])]
        np.testing.assert_allclose(
            rows[0], [tick, sign @ cells[tick], cells[tick] @ cells[tick]], rtol=1e-4
        )


def test_a_checkerboard_is_two_tiles_by_two_bands(rng: np.random.Generator) -> None:
    rest = rng.standard_normal((30, 6), np.float32)
    found = timing.checkered(rest, 4, 5)
    assert found.shape == (26, 5)
    assert not found[:, 3:].any()
    wanted = rest[3, 2] - rest[7, 2] - rest[3, 3] + rest[7, 3]
    assert found[3, 1] == pytest.approx(wanted)
    assert timing.checkered(rest[:3], 4, 5).shape == (0, 5)


def test_a_path_follows_slips_and_one_jump(rng: np.random.Generator) -> None:
    truth = np.array([20, 20, 21, 21, 22, 22, 55, 55, 54, 54, 54])
    scores = rng.standard_normal((len(truth), 60), np.float32)
    scores[np.arange(len(truth)), truth] += 12
    np.testing.assert_array_equal(timing.track(scores), truth)


def test_a_path_does_not_jump_for_a_little() -> None:
    scores = np.zeros((6, 30), np.float32)
    scores[:, 4] = 5
    scores[3, 20] = 12
    assert set(timing.track(scores)) == {4}


def test_segments_maximize_the_gains_less_the_switches(
    rng: np.random.Generator,
) -> None:
    gains = rng.standard_normal(12).astype(np.float32)

    def worth(on: NDArray[np.bool_]) -> float:
        # A sound may begin and end on, at the price of a beginning.
        switches = np.count_nonzero(np.diff(on, prepend=False))
        return float(gains[on].sum()) - 0.8 * switches

    every = (np.arange(1 << 12)[:, None] >> np.arange(12) & 1).astype(bool)
    found = timing.segments(gains, 0.8)
    assert worth(found) == pytest.approx(max(worth(on) for on in every), abs=1e-5)
