"""Find notices that were drawn with the shipped font.

The usual wordings end their required elements with 生成 or 合成. These two pairs, in a
line or in a column, are looked for by normalized correlation at many sizes of a reduced
picture, light on dark and dark on light. What looks like one is compared with whole
wordings at a higher resolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import cv2
import numpy as np

from ..model import Box
from .block import Setting, set_block
from .compare import PAIRS, Candidate, Match, compare
from .image import check_picture, grey_of
from .measure import contrast_of, place_of
from .place import visible_box
from .typeset import BAND_EM, Pixels, set_line

__all__ = ["LEAST_FRACTION", "SIZE_TOLERANCE", "FoundNotice", "find", "find_again"]

LEAST_FRACTION = 0.02
"""Least text height that is looked for, by shorter side of the picture."""

# Text height in the reduced pictures, the greatest looked for by shorter side
# of the picture, and how far an enlarged picture may go to show the smallest.
_SEARCH_PX = 12
_MOST_FRACTION = 0.45
_LARGE_FRACTION = 0.046
_SEARCH_STEP = 1.08
_MAX_ENLARGEMENT = 1.35
_SEARCH_SCORE = 0.55
_MIN_DEVIATION = 4.0
_MAX_CANDIDATES = 24
_BORDER = 2

# Beyond this ratio of the sides only the ends and the middle of a picture are searched.
_LONG = 8
_END = 4

SIZE_TOLERANCE = 0.04
"""A size is measured to about 3 %."""


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
        The same by shorter side of the picture; of the rectangle around what is visible
        of it, where it is partly transparent.
    contrast : float
        Of the text to its ground, 1 to 21 (WCAG 2.2), as measured.
    place : str
        The edge or corner that it stands at, or "inside".
    """

    text: str
    box: Box
    score: float
    ink_height_px: float
    height_fraction: float
    contrast: float
    place: str

    @property
    def tall_enough(self) -> bool:
        """Whether it has 5 % of the shorter side (GB 45438-2025, 5.2), as measured."""
        return self.height_fraction >= 0.05 * (1 - SIZE_TOLERANCE)


def find(
    pixels: Pixels, *, least_fraction: float = LEAST_FRACTION
) -> tuple[FoundNotice, ...]:
    """Look for notices in the font of the package, anywhere in a picture.

    Of a picture more than eight times as long as wide, only the two ends and the middle
    are searched. Text below 4.6 % of the shorter side is looked for only where there is
    no larger one: that takes four fifths of the time.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA.
    least_fraction : float, optional
        Least text height to look for, by shorter side.

    Returns
    -------
    tuple of FoundNotice
        The best one first; empty when there is none. Text below 2 % of the shorter
        side or 9 px in height is not found, nor is turned text.

    Raises
    ------
    UsageError
        The array is not a picture.
    """
    check_picture(pixels)
    found: list[FoundNotice] = []
    parts = list(_parts(pixels))
    for least, most in ((_LARGE_FRACTION, _MOST_FRACTION), (0.0, _LARGE_FRACTION)):
        for left, top, part in parts:
            short = min(part.shape[:2])
            sizes = [
                size
                for size in _sizes(short, least_fraction)
                if least * short <= size * _SEARCH_PX < most * short
            ]
            found += _search(part, sizes, left, top, pixels)
        if found:
            break
    return _best(found)


def find_again(pixels: Pixels, notice: FoundNotice) -> FoundNotice | None:
    """Look whether a notice stands at the same place in another picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        A picture of the same size as the one in which it was found.
    notice : FoundNotice
        The notice.

    Raises
    ------
    UsageError
        The array is not a picture.
    """
    check_picture(pixels)
    box, reach = notice.box, round(notice.ink_height_px)
    left, top = max(box.left - reach, 0), max(box.top - reach, 0)
    part = pixels[
        top : box.top + box.height + reach, left : box.left + box.width + reach
    ]
    if part.size == 0:
        return None
    size = notice.ink_height_px / _SEARCH_PX
    sizes = (size / _SEARCH_STEP, size, size * _SEARCH_STEP)
    found = _best(_search(part, sizes, left, top, pixels))
    return next((one for one in found if one.box.overlaps(box)), None)


def _search(
    part: Pixels, sizes: Iterable[float], left: int, top: int, pixels: Pixels
) -> list[FoundNotice]:
    """Search a part of a picture for notices of some sizes."""
    grey = grey_of(part)
    matches = (compare(grey, candidate) for candidate in _candidates(grey, sizes))
    return [_describe(match, left, top, pixels) for match in matches if match]


def _best(found: list[FoundNotice]) -> tuple[FoundNotice, ...]:
    """Return the best ones of those that overlap, the best first."""
    found.sort(key=lambda notice: -notice.score)
    kept: list[FoundNotice] = []
    for notice in found:
        if not any(notice.box.overlaps(other.box) for other in kept):
            kept.append(notice)
    return tuple(kept)


def _parts(pixels: Pixels) -> Iterator[tuple[int, int, Pixels]]:
    """Yield the parts to search, each with its left and top."""
    height, width = pixels.shape[:2]
    short, long = sorted((height, width))
    if short == 0:
        return
    if long <= _LONG * short:
        yield 0, 0, pixels
        return
    length = _END * short
    for start in (0, (long - length) // 2, long - length):
        if width == long:
            yield start, 0, pixels[:, start : start + length]
        else:
            yield 0, start, pixels[start : start + length]


def _candidates(grey: Pixels, sizes: Iterable[float]) -> list[Candidate]:
    """Return the places that look like a pair, the best first."""
    found = []
    for size, reduced in _pyramid(grey, sizes):
        for pair, vertical in product(PAIRS, (False, True)):
            template = _pair_template(pair, vertical)
            rows, columns = template.shape
            if rows > reduced.shape[0] or columns > reduced.shape[1]:
                continue
            score = cv2.matchTemplate(reduced, template, cv2.TM_CCOEFF_NORMED)
            low, high, _, _ = cv2.minMaxLoc(score)
            if max(-low, high) < _SEARCH_SCORE:
                continue
            strength = np.abs(score)
            peak = cv2.dilate(strength, np.ones((9, 13), np.uint8))
            spots = np.argwhere((strength == peak) & (strength >= _SEARCH_SCORE))
            for y, x in spots[:300]:
                # On flat ground the correlation is that of rounding errors.
                window = reduced[y : y + rows, x : x + columns]
                if window.std() >= _MIN_DEVIATION:
                    found.append(
                        Candidate(
                            score=float(strength[y, x]),
                            pair=pair,
                            vertical=vertical,
                            x=(x + _BORDER) * size,
                            y=(y + _BORDER) * size,
                            height=_SEARCH_PX * size,
                            light=bool(score[y, x] > 0),
                        )
                    )
    found.sort(reverse=True)
    kept: list[Candidate] = []
    for one in found:
        if len(kept) == _MAX_CANDIDATES:
            break
        reach = one.height / 2
        if not any(
            (one.pair, one.vertical) == (other.pair, other.vertical)
            and abs(one.x - other.x) < reach
            and abs(one.y - other.y) < reach
            for other in kept
        ):
            kept.append(one)
    return kept


def _sizes(short: int, least_fraction: float) -> Iterator[float]:
    """Yield how many pixels become one of a reduced picture, by its shorter side."""
    size = max(least_fraction * short / _SEARCH_PX, 1 / _MAX_ENLARGEMENT)
    while size * _SEARCH_PX < _MOST_FRACTION * short:
        yield size
        size *= _SEARCH_STEP


def _pyramid(grey: Pixels, sizes: Iterable[float]) -> Iterator[tuple[float, Pixels]]:
    """Yield the picture at falling sizes, each with its original pixels per pixel."""
    source = grey
    for size in sizes:
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


def _describe(match: Match, left: int, top: int, pixels: Pixels) -> FoundNotice:
    """Put a match into pixels of the whole picture."""
    limits = (pixels.shape[1], pixels.shape[0]) * 2
    seen = visible_box(pixels)
    short = min(seen.width, seen.height)
    edges = (left + match.left, top + match.top, left + match.right, top + match.bottom)
    x0, y0, x1, y1 = (
        min(max(round(edge), 0), limit)
        for edge, limit in zip(edges, limits, strict=True)
    )
    box = Box(left=x0, top=y0, width=x1 - x0, height=y1 - y0)
    inside = Box(
        left=x0 - seen.left, top=y0 - seen.top, width=box.width, height=box.height
    )
    return FoundNotice(
        text=match.text,
        box=box,
        score=match.score,
        ink_height_px=match.ink_height_px,
        height_fraction=match.ink_height_px / short,
        contrast=round(contrast_of(grey_of(pixels[y0:y1, x0:x1])), 2),
        place=place_of(inside, match.ink_height_px, seen.width, seen.height),
    )


@lru_cache(maxsize=8)
def _pair_template(pair: str, vertical: bool) -> Pixels:
    """Return a pair at the size of the first pass, coverage 0 to 255."""
    if vertical:
        block = set_block(
            Setting(text=pair, lines=tuple(pair), vertical=True), _SEARCH_PX
        )
        mask = block.coverage(*block.lines)
        rows, columns = (np.flatnonzero(mask.max(axis=axis)) for axis in (1, 0))
        mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    else:
        mask = set_line(pair, _SEARCH_PX / BAND_EM).mask
    return np.pad(np.rint(mask * 255).astype(np.uint8), _BORDER)
