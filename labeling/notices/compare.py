"""Compare a place in a picture with every wording that it could be the end of.

The place is brought to about the size at which the wordings were drawn, each wording
is fitted to it in position and size, and every character must match by itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from .block import Block, set_block, settings
from .typeset import Pixels
from .wording import CORE, WORDINGS

__all__ = ["PAIRS", "Candidate", "Match", "compare"]

PAIRS = ("生成", "合成")
"""One of these ends the required elements of a wording."""

# Other wordings hold one of these runs.
_RUNS = (CORE, "AI合成", "人工智能生成", "人工智能合成")

# Text heights at which wordings are drawn, and the sizes tried around a place's own.
_COMPARE_PX = (9, 10, 12, 14, 17, 20, 24)
_COMPARE_STEPS = np.linspace(-0.1, 0.1, 11)
_RUN_SCORE = 0.75
_CHARACTER_SCORE = 0.7
_TRANSLATION_SCORE = 0.6

_BORDER = 2


class Candidate(NamedTuple):
    """Where a pair seems to be: the corner of its ink, the height of 生; in pixels."""

    score: float
    pair: str
    vertical: bool
    x: float
    y: float
    height: float
    light: bool


class _Form(NamedTuple):
    """A wording to compare with: coverage 0 to 255, and where its parts are in it."""

    text: str
    image: Pixels
    band: int
    ink_height_px: int
    pair_at: tuple[int, int]
    parts: tuple[tuple[slice, slice], ...]
    floors: tuple[float, ...]


class Match(NamedTuple):
    """A wording in its place; edges of its ink and height in pixels of the picture."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    ink_height_px: float
    score: float
    parts: int


def compare(grey: Pixels, candidate: Candidate) -> Match | None:
    """Return the fullest wording of which every part matches a place, if any."""
    target = max(
        (px for px in _COMPARE_PX if px <= 1.05 * candidate.height),
        default=_COMPARE_PX[0],
    )
    patch = _patch(grey, candidate, target)
    matches = [
        _fit(patch, candidate, form)
        for form in _forms(target, candidate.pair, candidate.vertical)
    ]
    return max(
        filter(None, matches),
        key=lambda match: (match.parts, match.score),
        default=None,
    )


def _fit(patch: _Patch, candidate: Candidate, form: _Form) -> Match | None:
    """Fit a wording in place and size, and return it if every part of it matches."""
    rows, columns = form.image.shape
    slack = 0.2 * candidate.height
    fits = []
    for step in _COMPARE_STEPS:
        size = candidate.height / form.band * (1 + float(step))
        left = candidate.x - form.pair_at[0] * size - slack
        top = candidate.y - form.pair_at[1] * size - slack
        play = round(2 * slack / size)
        view = patch.view(left, top, size, (columns + play, rows + play))
        score = cv2.matchTemplate(view, form.image, cv2.TM_CCOEFF_NORMED)
        _, value, _, (x, y) = cv2.minMaxLoc(score)
        window = view[y : y + rows, x : x + columns]
        fits.append((value, size, left + x * size, top + y * size, window))
    best = max(range(len(fits)), key=lambda index: fits[index][0])
    run_score, size, left, top, window = fits[best]
    scores = [_correlation(window[part], form.image[part]) for part in form.parts]
    if run_score < _RUN_SCORE or any(
        score < floor for score, floor in zip(scores, form.floors, strict=True)
    ):
        return None
    if 0 < best < len(fits) - 1:
        before, after = fits[best - 1][0], fits[best + 1][0]
        bend = before - 2 * run_score + after
        if bend < 0:
            step = float(_COMPARE_STEPS[1] - _COMPARE_STEPS[0])
            size *= 1 + step * (before - after) / (2 * bend)
    return Match(
        text=form.text,
        left=left + _BORDER * size,
        top=top + _BORDER * size,
        right=left + (columns - _BORDER) * size,
        bottom=top + (rows - _BORDER) * size,
        ink_height_px=form.ink_height_px * size,
        score=run_score,
        parts=len(form.parts),
    )


class _Patch(NamedTuple):
    """The surroundings of a candidate, reduced, as light text on dark."""

    image: Pixels
    left: int
    top: int
    size_x: float
    size_y: float

    def view(
        self, left: float, top: float, size: float, shape: tuple[int, int]
    ) -> Pixels:
        """Return a rectangle of the picture in pixels of `size` by `size`.

        `shape` is (width, height); beyond the patch its edge is repeated.
        """
        x = (left + size / 2 - self.left) / self.size_x - 0.5
        y = (top + size / 2 - self.top) / self.size_y - 0.5
        matrix = np.array([[size / self.size_x, 0, x], [0, size / self.size_y, y]])
        seen = cv2.warpAffine(
            self.image,
            matrix,
            shape,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(seen, np.uint8)


def _patch(grey: Pixels, candidate: Candidate, target: int) -> _Patch:
    """Cut out what any wording around a pair can cover."""
    reach_x, reach_y = 7 * candidate.height, 3 * candidate.height
    if candidate.vertical:
        reach_x, reach_y = reach_y, reach_x
    left = max(int(candidate.x - reach_x), 0)
    top = max(int(candidate.y - reach_y), 0)
    image = grey[top : int(candidate.y + reach_y), left : int(candidate.x + reach_x)]
    if not candidate.light:
        image = np.bitwise_not(image)
    height, width = image.shape
    shrink = max(candidate.height / (1.25 * target), 1)
    reduced = cv2.resize(
        image,
        (max(1, round(width / shrink)), max(1, round(height / shrink))),
        interpolation=cv2.INTER_AREA,
    )
    return _Patch(
        image=np.asarray(reduced, np.uint8),
        left=left,
        top=top,
        size_x=width / reduced.shape[1],
        size_y=height / reduced.shape[0],
    )


def _correlation(one: Pixels, other: Pixels) -> float:
    """Return the normalized correlation of two arrays of the same shape."""
    score = cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)
    return float(score[0, 0])


@lru_cache(maxsize=32)
def _forms(size_px: int, pair: str, vertical: bool) -> tuple[_Form, ...]:
    """Return everything that a pair may be the end of, at a text height."""
    broken = [
        setting for text in _RUNS for setting in settings(text, vertical=vertical)
    ]
    whole = [
        next(settings(text, vertical=vertical))
        for text in WORDINGS.values()
        if text != CORE
    ]
    end = pair[-1] if vertical else pair
    return tuple(
        _form(set_block(setting, size_px), pair)
        for setting in (*broken, *whole)
        if "".join(setting.lines).endswith(pair) and setting.lines[-1].endswith(end)
    )


def _form(block: Block, pair: str) -> _Form:
    """Cut a block to its text and list the parts that must match one by one."""
    placed = [*block.lines, *filter(None, [block.translation])]
    left = min(part.left for part in placed) - _BORDER
    top = min(part.top for part in placed) - _BORDER
    right = max(part.left + part.line.mask.shape[1] for part in placed) + _BORDER
    bottom = max(part.top + part.line.mask.shape[0] for part in placed) + _BORDER
    parts, floors = [], []
    for part in placed:
        y, x = part.top - top, part.left - left
        rows = slice(y - 1, y + part.line.mask.shape[0] + 1)
        glyphs = part.line.glyphs
        if part is block.translation:
            ends = [(0, part.line.mask.shape[1])]
        else:
            # A bar like the letter I is not much of a shape: it goes with the A.
            ends = [(a, b) for character, a, b in glyphs if character not in "AI"]
            latin = [(a, b) for character, a, b in glyphs if character in "AI"]
            ends += [(latin[0][0], latin[-1][1])] if latin else []
        floor = _TRANSLATION_SCORE if part is block.translation else _CHARACTER_SCORE
        parts += [(rows, slice(x + a - 1, x + b + 1)) for a, b in ends]
        floors += [floor] * len(ends)
    every = [(part, a, b) for part in block.lines for _, a, b in part.line.glyphs]
    at = [
        (
            part.left + a,
            part.top + int(np.flatnonzero(part.line.mask[:, a:b].any(1))[0]),
        )
        for part, a, b in every[-len(pair) :]
    ]
    image = np.rint(block.coverage(*placed)[top:bottom, left:right] * 255)
    return _Form(
        text=block.text,
        image=image.astype(np.uint8),
        band=block.lines[-1].line.band,
        ink_height_px=block.ink_height_px,
        pair_at=(min(x for x, _ in at) - left, min(y for _, y in at) - top),
        parts=tuple(parts),
        floors=tuple(floors),
    )
