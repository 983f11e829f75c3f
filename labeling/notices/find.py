"""Find notices that were drawn with the shipped font.

Every notice that can be drawn ends its required elements with 生成 or 合成. The two
pairs are looked for by normalized correlation at many sizes of a reduced picture,
either light on dark or dark on light. What looks like one is compared with the whole
wording at a higher resolution, and every character must match by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model import Box
from .block import Block, set_block, settings
from .typeset import BAND_EM, set_line
from .wording import CORE, WORDINGS

__all__ = ["FoundNotice", "find"]

Pixels = NDArray[np.uint8]

_PAIRS = ("生成", "合成")

# Other wordings hold one of these runs.
_RUNS = (CORE, "AI合成", "人工智能生成", "人工智能合成")

# First pass. Text height in the reduced pictures, the sizes looked for by shorter side
# of the picture, and how far an enlarged picture may go to show the smallest.
_SEARCH_PX = 12
_SEARCH_FRACTIONS = (0.02, 0.45)
_SEARCH_STEP = 1.08
_MAX_ENLARGEMENT = 1.35
_SEARCH_SCORE = 0.55
_MIN_DEVIATION = 4.0
_MAX_CANDIDATES = 24

# Second pass. Text heights at which wordings are compared, and the sizes tried around
# that of the candidate.
_COMPARE_PX = (9, 10, 12, 14, 17, 20, 24)
_COMPARE_STEPS = np.linspace(-0.1, 0.1, 11)
_RUN_SCORE = 0.75
_CHARACTER_SCORE = 0.7
_TRANSLATION_SCORE = 0.6

# Beyond this ratio of the sides only the ends of a picture are searched.
_LONG = 6
_END = 3

# A size is measured to about 3 %.
_SIZE_TOLERANCE = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNotice:
    """A notice found in a picture.

    Parameters
    ----------
    text : str
        One of `WORDINGS`, or the run of required characters that was recognized.
    box : Box
        The text, without its plate.
    score : float
        Normalized correlation with the wording as it would be drawn, 0 to 1.
    ink_height_px : float
        Height of the shortest required character.
    height_fraction : float
        The same by shorter side of the picture.
    """

    text: str
    box: Box
    score: float
    ink_height_px: float
    height_fraction: float

    @property
    def tall_enough(self) -> bool:
        """Whether it has 5 % of the shorter side (GB 45438-2025, 5.2), as measured."""
        return self.height_fraction >= 0.05 * (1 - _SIZE_TOLERANCE)


def find(pixels: Pixels) -> tuple[FoundNotice, ...]:
    """Look for notices in the font of the package, anywhere in a picture.

    Of a picture more than six times as long as wide, only the two ends are searched.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA.

    Returns
    -------
    tuple of FoundNotice
        The best one first; empty when there is none. Text below 2 % of the shorter
        side or 9 px in height is not found, nor is rotated text.

    Raises
    ------
    UsageError
        The array is not a picture.
    """
    if pixels.dtype != np.uint8 or pixels.shape[2:] not in ((), (3,), (4,)):
        raise UsageError(
            f"an array of {pixels.dtype} and shape {pixels.shape} is not a picture",
            hint="Give uint8 pixels: grey, RGB or RGBA.",
        )
    found: list[FoundNotice] = []
    for left, top, part in _parts(pixels):
        grey = _grey(part)
        for candidate in _candidates(grey):
            match = _compare(grey, candidate)
            if match is not None:
                found.append(_describe(match, left, top, pixels.shape))
    found.sort(key=lambda notice: -notice.score)
    kept: list[FoundNotice] = []
    for notice in found:
        if not any(_overlap(notice.box, other.box) for other in kept):
            kept.append(notice)
    return tuple(kept)


class _Candidate(NamedTuple):
    """Where a pair seems to be: its ink's corner and the height of 生 there, in px."""

    score: float
    pair: str
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


class _Match(NamedTuple):
    """A form in its place, all in pixels of the picture; `size` is that of its own."""

    form: _Form
    left: float
    top: float
    size: float
    score: float


_BORDER = 2


def _parts(pixels: Pixels) -> Iterator[tuple[int, int, Pixels]]:
    """Yield the parts to search, each with its left and top."""
    height, width = pixels.shape[:2]
    short, long = sorted((height, width))
    if short == 0:
        return
    if long <= _LONG * short:
        yield 0, 0, pixels
    elif width == long:
        yield 0, 0, pixels[:, : _END * short]
        yield width - _END * short, 0, pixels[:, -_END * short :]
    else:
        yield 0, 0, pixels[: _END * short]
        yield 0, height - _END * short, pixels[-_END * short :]


def _grey(pixels: Pixels) -> Pixels:
    """Return the luma; a transparent picture is seen on mid-grey."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY)
    if pixels.shape[2] == 4:
        alpha = np.ascontiguousarray(pixels[..., 3])
        seen = cv2.multiply(grey, alpha, scale=1 / 255)
        through = cv2.multiply(
            cv2.bitwise_not(alpha), np.full_like(alpha, 128), scale=1 / 255
        )
        grey = cv2.add(seen, through)
    return np.asarray(grey, np.uint8)


def _candidates(grey: Pixels) -> list[_Candidate]:
    """Return the places that look like a pair, the best first."""
    found = []
    for size, reduced in _pyramid(grey):
        for pair in _PAIRS:
            template = _pair_template(pair)
            rows, columns = template.shape
            if rows > reduced.shape[0] or columns > reduced.shape[1]:
                continue
            score = cv2.matchTemplate(reduced, template, cv2.TM_CCOEFF_NORMED)
            strength = np.abs(score)
            peak = cv2.dilate(strength, np.ones((9, 13), np.uint8))
            spots = np.argwhere((strength == peak) & (strength >= _SEARCH_SCORE))
            for y, x in spots[:1000]:
                # On flat ground the correlation is that of rounding errors.
                window = reduced[y : y + rows, x : x + columns]
                if window.std() >= _MIN_DEVIATION:
                    found.append(
                        _Candidate(
                            score=float(strength[y, x]),
                            pair=pair,
                            x=(x + _BORDER) * size,
                            y=(y + _BORDER) * size,
                            height=_SEARCH_PX * size,
                            light=bool(score[y, x] > 0),
                        )
                    )
    found.sort(reverse=True)
    kept: list[_Candidate] = []
    for one in found:
        if len(kept) == _MAX_CANDIDATES:
            break
        reach = one.height / 2
        if not any(
            one.pair == other.pair
            and abs(one.x - other.x) < reach
            and abs(one.y - other.y) < reach
            for other in kept
        ):
            kept.append(one)
    return kept


def _pyramid(grey: Pixels) -> Iterator[tuple[float, Pixels]]:
    """Yield the picture at falling sizes, each with its original pixels per pixel."""
    short = min(grey.shape)
    low, high = _SEARCH_FRACTIONS
    size = max(low * short / _SEARCH_PX, 1 / _MAX_ENLARGEMENT)
    source = grey
    while size * _SEARCH_PX <= high * short:
        height, width = (max(1, round(n / size)) for n in grey.shape)
        shrinks = width < source.shape[1]
        reduced = cv2.resize(
            source,
            (width, height),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        if source is grey and shrinks:
            source = np.asarray(reduced, np.uint8)
        yield size, np.asarray(reduced, np.uint8)
        size *= _SEARCH_STEP


def _compare(grey: Pixels, candidate: _Candidate) -> _Match | None:
    """Return the fullest wording of which every part matches a place, if any."""
    target = max(
        (px for px in _COMPARE_PX if px <= 1.05 * candidate.height),
        default=_COMPARE_PX[0],
    )
    patch = _patch(grey, candidate, target)
    matches = [_fit(patch, candidate, form) for form in _forms(target, candidate.pair)]
    return max(
        filter(None, matches),
        key=lambda match: (len(match.form.parts), match.score),
        default=None,
    )


def _fit(patch: _Patch, candidate: _Candidate, form: _Form) -> _Match | None:
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
    return _Match(form, left, top, size, run_score)


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
        matrix = np.array(
            [
                [
                    size / self.size_x,
                    0,
                    (left + size / 2 - self.left) / self.size_x - 0.5,
                ],
                [
                    0,
                    size / self.size_y,
                    (top + size / 2 - self.top) / self.size_y - 0.5,
                ],
            ]
        )
        seen = cv2.warpAffine(
            self.image,
            matrix,
            shape,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(seen, np.uint8)


def _patch(grey: Pixels, candidate: _Candidate, target: int) -> _Patch:
    """Cut out what any wording around a pair can cover."""
    reach_x, reach_y = 7 * candidate.height, 3 * candidate.height
    left = max(int(candidate.x - reach_x), 0)
    top = max(int(candidate.y - reach_y), 0)
    image = grey[top : int(candidate.y + reach_y), left : int(candidate.x + reach_x)]
    if not candidate.light:
        image = cv2.bitwise_not(image)
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


def _describe(
    match: _Match, left: int, top: int, shape: tuple[int, ...]
) -> FoundNotice:
    """Put a match into pixels of the whole picture."""
    rows, columns = match.form.image.shape
    edges = [
        left + match.left + _BORDER * match.size,
        top + match.top + _BORDER * match.size,
        left + match.left + (columns - _BORDER) * match.size,
        top + match.top + (rows - _BORDER) * match.size,
    ]
    limits = (shape[1], shape[0]) * 2
    x0, y0, x1, y1 = (
        min(max(round(edge), 0), limit)
        for edge, limit in zip(edges, limits, strict=True)
    )
    ink_height_px = match.form.ink_height_px * match.size
    return FoundNotice(
        text=match.form.text,
        box=Box(left=x0, top=y0, width=x1 - x0, height=y1 - y0),
        score=match.score,
        ink_height_px=ink_height_px,
        height_fraction=ink_height_px / min(shape[:2]),
    )


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.left + other.width
        and other.left < one.left + one.width
        and one.top < other.top + other.height
        and other.top < one.top + one.height
    )


@lru_cache(maxsize=8)
def _pair_template(pair: str) -> Pixels:
    """Return a pair at the size of the first pass, coverage 0 to 255."""
    line = set_line(pair, _SEARCH_PX / BAND_EM)
    return np.pad(np.rint(line.mask * 255).astype(np.uint8), _BORDER)


@lru_cache(maxsize=32)
def _forms(size_px: int, pair: str) -> tuple[_Form, ...]:
    """Return everything that a pair may be the end of, at a text height."""
    broken = [setting for text in _RUNS for setting in settings(text)]
    whole = [next(settings(text)) for text in WORDINGS.values() if text != CORE]
    return tuple(
        _form(set_block(setting, size_px), pair)
        for setting in (*broken, *whole)
        if setting.lines[-1].endswith(pair)
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
            ends = [(glyphs[0][1], glyphs[-1][2])]
        else:
            # A bar like the letter I is not much of a shape: it goes with the A.
            ends = [(a, b) for character, a, b in glyphs if character not in "AI"]
            latin = [(a, b) for character, a, b in glyphs if character in "AI"]
            ends += [(latin[0][0], latin[-1][1])] if latin else []
        floor = _TRANSLATION_SCORE if part is block.translation else _CHARACTER_SCORE
        parts += [(rows, slice(x + a - 1, x + b + 1)) for a, b in ends]
        floors += [floor] * len(ends)
    last = block.lines[-1]
    start = next(a for character, a, _ in last.line.glyphs if character == pair[0])
    ink = np.flatnonzero(last.line.mask[:, start:].max(axis=1))
    image = np.rint(block.coverage(*placed)[top:bottom, left:right] * 255)
    return _Form(
        text=block.text,
        image=image.astype(np.uint8),
        band=last.line.band,
        ink_height_px=block.ink_height_px,
        pair_at=(last.left - left + start, last.top - top + int(ink[0])),
        parts=tuple(parts),
        floors=tuple(floors),
    )
