"""Draw what happens in time: pictures, a sound, bars, and the seconds of a mark.

Time goes from left to right over the same columns in every row. The colors are those
that Okabe and Ito chose for color-blind eyes, and differ in lightness too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .notices.typeset import face

__all__ = ["CELLS", "CELL_SIZE", "WIDTH", "Chart"]

WIDTH = 1480
"""Columns that the time is spread over."""

CELLS = 12
"""Most pictures of a film strip."""

CELL_SIZE = (360, 200)
"""Most width and height of one of them."""

LEFT, RIGHT, TOP = 90, 50, 28
MOST_HEIGHT = 1000
GAP = 26
EVIDENCE_HEIGHT, WAVE_HEIGHT, BAND_HEIGHT = 190, 130, 26
LARGE, NORMAL, SMALL = 27, 21, 18
LEAST_BAR = 6  # columns from which on bars stand apart

PAPER, INK, FADED, RULE = "#ffffff", "#1a1a1a", "#5f5f5f", "#dddddd"
MARKED, LIGHT, TINT = "#0072b2", "#79b7dd", "#e6f2fa"
BARE, LIMIT = "#a6a6a6", "#c64600"

STEPS_S = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 86_400),
)
LEVELS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
# Of clips without a mark, one in a hundred has a frame beyond what chance gives.
BEYOND_CHANCE = 0.01

Spans = Sequence[tuple[float, float]]


class Chart:
    """A picture that grows downwards, row by row.

    Parameters
    ----------
    end_s : float
        When what it shows ends, in seconds: above 0, up to some days.
    """

    def __init__(self, end_s: float) -> None:
        self._end_s = end_s
        self._size = (LEFT + WIDTH + RIGHT, MOST_HEIGHT)
        self._image = Image.new("RGB", self._size, PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._y = TOP

    def head(self, left: str, right: str) -> None:
        """Write the first line."""
        self._text(LEFT, self._y, left, LARGE, INK, "lt")
        self._text(LEFT + WIDTH, self._y, right, LARGE, MARKED, "rt")
        self._y += LARGE + GAP

    def film(self, pictures: Sequence[tuple[float, NDArray[np.uint8]]]) -> None:
        """Show what is seen in the middle of equal parts of the time.

        Parameters
        ----------
        pictures : sequence of (float, ndarray of uint8, shape (height, width, 3))
            From when on each is shown, in order, and its colors; all of one size.
        """
        times = np.array([time_s for time_s, _ in pictures])
        count = min(CELLS, len(pictures))
        rows, columns = pictures[0][1].shape[:2]
        most = min(WIDTH / count - 6, CELL_SIZE[0])
        scale = min(most / columns, CELL_SIZE[1] / rows, 1)
        size = max(1, round(scale * columns)), max(1, round(scale * rows))
        for cell in range(count):
            middle = (cell + 0.5) / count
            index = int(np.searchsorted(times, middle * self._end_s, "right")) - 1
            small = cv2.resize(
                pictures[max(index, 0)][1], size, interpolation=cv2.INTER_AREA
            )
            x = LEFT + round(middle * WIDTH - size[0] / 2)
            self._image.paste(Image.fromarray(small), (x, self._y))
        self._y += size[1] + GAP

    def wave(self, peaks: NDArray[np.float32]) -> None:
        """Draw how loud a sound is.

        Parameters
        ----------
        peaks : ndarray of float32, shape (n,)
            The largest values of equal parts of the time, 0 to 1.
        """
        firsts = np.arange(WIDTH) * len(peaks) // WIDTH
        tops = np.maximum.reduceat(peaks, firsts) / max(float(peaks.max()), 1e-6)
        middle = self._y + WAVE_HEIGHT // 2
        for x, top in enumerate(tops.tolist(), LEFT):
            reach = round(top * WAVE_HEIGHT / 2)
            self._draw.line((x, middle - reach, x, middle + reach), BARE)
        self._y += WAVE_HEIGHT + GAP // 2

    def evidence(self, moments: Sequence[tuple[float, float]], spans: Spans) -> None:
        """Draw how much each moment speaks for the mark.

        Parameters
        ----------
        moments : sequence of (float, float)
            Seconds, in order, and deviations of what chance gives.
        spans : sequence of (float, float)
            Begin and end of what holds the mark, in seconds.
        """
        limit = NormalDist().inv_cdf(1 - BEYOND_CHANCE / len(moments))
        edges = self._edges([time_s for time_s, _ in moments])
        values = self._means(edges, [value for _, value in moments])
        high = 1.1 * max(limit, float(values.max()))
        low = min(-0.1 * high, 1.1 * float(values.min()))
        self._legend(limit)
        top, bottom = self._y, self._y + EVIDENCE_HEIGHT

        def at(value: float) -> int:
            return bottom - round((value - low) / (high - low) * EVIDENCE_HEIGHT)

        inside = np.zeros(WIDTH, bool)
        for start_s, end_s in spans:
            left, right = self._reach(start_s, end_s)
            self._draw.rectangle((left, top, right - 1, bottom), TINT)
            inside[left - LEFT : right - LEFT] = True
        step = next((one for one in LEVELS if (high - low) / one < 5), LEVELS[-1])
        for level in range(0, int(high) + 1, step):
            self._draw.line((LEFT, at(level), LEFT + WIDTH, at(level)), RULE)
            self._text(LEFT - 10, at(level), str(level), SMALL, FADED, "rm")
        apart = len(moments) * LEAST_BAR < WIDTH
        gaps = {int(LEFT + x) for x in edges / self._end_s * WIDTH} if apart else set()
        for x, (value, marked) in enumerate(zip(values, inside, strict=True), LEFT):
            if x not in gaps:
                color = LIGHT if marked else BARE
                self._draw.line((x, at(0), x, at(float(value))), color)
        self._draw.line((LEFT, at(0), LEFT + WIDTH, at(0)), FADED)
        self._dashes(LEFT, LEFT + WIDTH, at(limit))
        self._y = bottom

    def axis(self) -> None:
        """Write the time."""
        step = next(one for one in STEPS_S if self._end_s / one <= 12)
        self._draw.line((LEFT, self._y, LEFT + WIDTH, self._y), FADED, 2)
        for index in range(int(self._end_s / step + 1e-6) + 1):
            x = self._x(index * step)
            self._draw.line((x, self._y, x, self._y + 8), FADED, 2)
            text = _tick(index * step, self._end_s, step)
            self._text(x, self._y + 14, text, SMALL, FADED, "mt")
        self._y += 14 + SMALL + GAP // 2

    def band(self, spans: Spans) -> None:
        """Draw what holds the mark, and write its seconds as far as they have room.

        The longest come first.
        """
        top, bottom = self._y, self._y + BAND_HEIGHT
        self._draw.rectangle((LEFT, top, LEFT + WIDTH - 1, bottom), RULE)
        self._text(LEFT - 10, (top + bottom) // 2, "mark", SMALL, FADED, "rm")
        taken: list[tuple[float, float]] = []
        for start_s, end_s in sorted(spans, key=lambda span: span[0] - span[1]):
            left, right = self._reach(start_s, end_s)
            self._draw.rectangle((left, top, right - 1, bottom), MARKED)
            text = _seconds(start_s, end_s, self._end_s)
            half = face(NORMAL).getlength(text) / 2
            at = (left + right) // 2
            middle = min(max(at, LEFT + half), LEFT + WIDTH - half)
            if all(abs(middle - x) > half + other + 20 for x, other in taken):
                taken.append((middle, half))
                self._draw.line((at, bottom, at, bottom + 8), MARKED, 2)
                self._text(middle, bottom + 13, text, NORMAL, MARKED, "mt")
        self._y = bottom + 13 + NORMAL + GAP

    def png(self) -> bytes:
        """Return what was drawn as a PNG file."""
        file = BytesIO()
        shown = self._image.crop((0, 0, self._size[0], self._y))
        shown.save(file, "PNG", optimize=True)
        return file.getvalue()

    def _x(self, time_s: float) -> int:
        share = time_s / self._end_s
        return LEFT + round(min(max(share, 0), 1) * WIDTH)

    def _reach(self, start_s: float, end_s: float) -> tuple[int, int]:
        """Return the first column of a span, and the one past its last."""
        left = min(self._x(start_s), LEFT + WIDTH - 1)
        return left, max(self._x(end_s), left + 1)

    def _edges(self, times_s: Sequence[float]) -> NDArray[np.float64]:
        """Return where moments begin and end: each goes half the way to the next."""
        times = np.array(times_s)
        return np.concatenate([times[:1], (times[1:] + times[:-1]) / 2, [self._end_s]])

    def _means(
        self, edges: NDArray[np.float64], values: Sequence[float]
    ) -> NDArray[np.float64]:
        """Return the mean over the time of each column."""
        sums = np.concatenate([[0.0], np.cumsum(np.diff(edges) * values)])
        at = np.linspace(0, self._end_s, WIDTH + 1)
        return np.asarray(np.diff(np.interp(at, edges, sums)) / np.diff(at))

    def _legend(self, limit: float) -> None:
        text = "evidence of each frame, in deviations of what chance gives"
        self._text(LEFT, self._y, text, SMALL, FADED, "lt")
        x = LEFT + WIDTH
        text = f"chance ends here: {limit:.1f}"
        self._text(x, self._y, text, SMALL, LIMIT, "rt")
        x -= round(face(SMALL).getlength(text)) + 12
        self._dashes(x - 42, x, self._y + SMALL // 2)
        self._y += SMALL + 12

    def _dashes(self, left: int, right: int, y: int) -> None:
        for x in range(left, right, 14):
            self._draw.line((x, y, min(x + 8, right), y), LIMIT, 2)

    def _text(
        self, x: float, y: float, text: str, size: int, color: str, anchor: str
    ) -> None:
        self._draw.text((round(x), y), text, color, face(size), anchor=anchor)


def _tick(time_s: float, end_s: float, step: float) -> str:
    if end_s < 60:
        return f"{time_s:.{max(0, -math.floor(math.log10(step) + 1e-9))}f} s"
    return _clock(time_s, end_s, 0)


def _seconds(start_s: float, end_s: float, whole_s: float) -> str:
    if whole_s < 60:
        digits = 2 if whole_s < 10 else 1
        return f"{start_s:.{digits}f}–{end_s:.{digits}f} s"
    digits = 1 if whole_s < 600 else 0
    return f"{_clock(start_s, whole_s, digits)}–{_clock(end_s, whole_s, digits)}"


def _clock(time_s: float, whole_s: float, digits: int) -> str:
    minutes, seconds = divmod(round(time_s, digits), 60)
    shown = f"{seconds:0{3 + digits if digits else 2}.{digits}f}"
    if whole_s < 3600:
        return f"{minutes:.0f}:{shown}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:.0f}:{minutes:02.0f}:{shown}"
