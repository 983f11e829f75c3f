"""Find notices that were drawn with the shipped font.

The usual wordings end their required elements with 生成 or 合成. These two pairs are
looked for by normalized correlation at many sizes of a reduced picture, light on dark
and dark on light. What looks like one is compared with whole wordings at a higher
resolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ..model import Box
from .compare import PAIRS, Candidate, Match, compare
from .image import check_picture
from .typeset import BAND_EM, Pixels, set_line

__all__ = ["LEAST_FRACTION", "SIZE_TOLERANCE", "FoundNotice", "find", "find_again"]

LEAST_FRACTION = 0.02
"""Least text height that is looked for, by shorter side of the picture."""

# Text height in the reduced pictures, the greatest looked for by shorter side
# of the picture, and how far an enlarged picture may go to show the smallest.
_SEARCH_PX = 12
_MOST_FRACTION = 0.45
_SEARCH_STEP = 1.08
_MAX_ENLARGEMENT = 1.35
_SEARCH_SCORE = 0.55
_MIN_DEVIATION = 4.0
_MAX_CANDIDATES = 24
_BORDER = 2

# Beyond this ratio of the sides only the ends of a picture are searched.
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
        return self.height_fraction >= 0.05 * (1 - SIZE_TOLERANCE)


def find(
    pixels: Pixels, *, least_fraction: float = LEAST_FRACTION
) -> tuple[FoundNotice, ...]:
    """Look for notices in the font of the package, anywhere in a picture.

    Of a picture more than eight times as long as wide, only the two ends are searched.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA.
    least_fraction : float, optional
        Least text height to look for, by shorter side. At 0.04 the search takes a
        fifth of the time that it takes at 0.02.

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
    check_picture(pixels)
    found: list[FoundNotice] = []
    for left, top, part in _parts(pixels):
        found += _search(
            part, _sizes(min(part.shape[:2]), least_fraction), left, top, pixels.shape
        )
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
    found = _best(_search(part, sizes, left, top, pixels.shape))
    return next((one for one in found if _overlap(one.box, box)), None)


def _search(
    part: Pixels, sizes: Iterable[float], left: int, top: int, shape: tuple[int, ...]
) -> list[FoundNotice]:
    """Search a part of a picture of some shape for notices of some sizes."""
    grey = _grey(part)
    matches = (compare(grey, candidate) for candidate in _candidates(grey, sizes))
    return [_describe(match, left, top, shape) for match in matches if match]


def _best(found: list[FoundNotice]) -> tuple[FoundNotice, ...]:
    """Return the best ones of those that overlap, the best first."""
    found.sort(key=lambda notice: -notice.score)
    kept: list[FoundNotice] = []
    for notice in found:
        if not any(_overlap(notice.box, other.box) for other in kept):
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


def _candidates(grey: Pixels, sizes: Iterable[float]) -> list[Candidate]:
    """Return the places that look like a pair, the best first."""
    found = []
    for size, reduced in _pyramid(grey, sizes):
        for pair in PAIRS:
            template = _pair_template(pair)
            rows, columns = template.shape
            if rows > reduced.shape[0] or columns > reduced.shape[1]:
                continue
            score = cv2.matchTemplate(reduced, template, cv2.TM_CCOEFF_NORMED)
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
            one.pair == other.pair
            and abs(one.x - other.x) < reach
            and abs(one.y - other.y) < reach
            for other in kept
        ):
            kept.append(one)
    return kept


def _sizes(short: int, least_fraction: float) -> Iterator[float]:
    """Yield how many pixels become one of a reduced picture, by its shorter side."""
    size = max(least_fraction * short / _SEARCH_PX, 1 / _MAX_ENLARGEMENT)
    while size * _SEARCH_PX <= _MOST_FRACTION * short:
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


def _describe(match: Match, left: int, top: int, shape: tuple[int, ...]) -> FoundNotice:
    """Put a match into pixels of the whole picture."""
    limits = (shape[1], shape[0]) * 2
    edges = (left + match.left, top + match.top, left + match.right, top + match.bottom)
    x0, y0, x1, y1 = (
        min(max(round(edge), 0), limit)
        for edge, limit in zip(edges, limits, strict=True)
    )
    return FoundNotice(
        text=match.text,
        box=Box(left=x0, top=y0, width=x1 - x0, height=y1 - y0),
        score=match.score,
        ink_height_px=match.ink_height_px,
        height_fraction=match.ink_height_px / min(shape[:2]),
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
