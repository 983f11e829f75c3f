"""Lines of text as masks: what is drawn, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

from synthmark.labeling.notices.typeset import can_shape, set_line

shaping = pytest.mark.skipif(not can_shape(), reason="Pillow has no Raqm")


def order(text: str) -> list[str]:
    """Return what stands in a line, from left to right."""
    line = set_line(text, 40)
    lefts = [left for _, left, _ in line.glyphs]
    assert lefts == sorted(lefts)
    return [piece for piece, _, _ in line.glyphs]


def test_letters_stand_from_left_to_right() -> None:
    assert order("AI 生成") == ["A", "I", "生", "成"]


@shaping
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("אב גד", ["גד", "אב"]),
        ("אב AI גד", ["גד", "A", "I", "אב"]),
        ("ذكاء اصطناعي", ["اصطناعي", "ذكاء"]),
        ("אב.", [".", "אב"]),
    ],
)
def test_words_of_other_scripts_stand_from_right_to_left(
    text: str, shown: list[str]
) -> None:
    assert order(text) == shown


@shaping
def test_arabic_letters_join() -> None:
    joined = set_line("محتوى", 60).mask
    apart = set_line("م ح ت و ى", 60).mask
    assert gaps(joined) < gaps(apart) == 4


@shaping
def test_vowel_signs_and_descenders_are_not_cut_off() -> None:
    plain, marked = (set_line(text, 60) for text in ("مولد", "مُولَّد"))
    assert marked.mask.shape[0] > plain.mask.shape[0]
    for edge in (marked.mask[0], marked.mask[-1]):  # the ink fades out
        assert edge.max() < 1


def gaps(mask: np.ndarray) -> int:
    """Return how often a line has columns without ink."""
    empty = mask.max(axis=0) < 0.05
    return int(np.count_nonzero(empty[1:] & ~empty[:-1]))
