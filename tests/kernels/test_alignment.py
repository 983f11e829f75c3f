from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.kernels import alignment

Words = NDArray[np.uint32]


def slide_word_by_word(
    words: Words, track: Words, steps: NDArray[np.int64], least: int
) -> tuple[float, float]:
    best, share = 0.0, 0.0
    half = len(words) // 2
    for places in steps.tolist():
        for start in range(-half, len(track) - half):
            pairs = [
                (int(word), int(track[start + place]))
                for word, place in zip(words, places, strict=True)
                if 0 <= start + place < len(track)
            ]
            heard = [(a, b) for a, b in pairs if a and b]
            if len(heard) < max(1, least):
                continue
            wrong = sum((a ^ b).bit_count() for a, b in heard)
            bits = 16 * len(heard)
            if (score := (bits - 2 * wrong) / math.sqrt(bits)) > best:
                best, share = score, 1 - wrong / bits
    return best, share


def steps_of(count: int, *tempos: float) -> NDArray[np.int64]:
    return np.rint(np.outer(tempos, np.arange(count))).astype(np.int64)


@pytest.mark.parametrize("seed", range(6))
def test_equals_going_word_by_word(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 2**16, 9).astype(np.uint32)
    track = rng.integers(0, 2**16, 31).astype(np.uint32)
    words[rng.random(9) < 0.2] = 0
    track[rng.random(31) < 0.2] = 0
    steps = steps_of(9, 0.8, 1, 1.3)
    found = alignment.slide(words, track, steps, 3)
    assert found == pytest.approx(slide_word_by_word(words, track, steps, 3))


def test_finds_a_part_that_was_slowed_down() -> None:
    track = np.random.default_rng(1).integers(1, 2**16, 200).astype(np.uint32)
    words = track[np.rint(70 + 1.1 * np.arange(40)).astype(int)]
    score, share = alignment.slide(words, track, steps_of(40, 1.0, 1.1), 8)
    assert share == 1
    assert score == pytest.approx(math.sqrt(16 * 40))


def test_nothing_to_compare_scores_nothing() -> None:
    silent, track = np.zeros(5, np.uint32), np.ones(9, np.uint32)
    assert alignment.slide(silent, track, steps_of(5, 1.0), 2) == (0, 0)
    assert alignment.slide(track[:5], track[:0], steps_of(5, 1.0), 2) == (0, 0)
