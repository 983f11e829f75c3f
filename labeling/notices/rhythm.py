"""Find the rhythm "short-long short-short" at any pitch and at any tempo.

What counts is a narrow tone that is there four times at the same level, and not there
between, before and after. The standard gives no proportions, so several are tried.
"""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from .heard import Heard, best
from .spectrum import BIN_HZ, HOP_S, WINDOW_S

__all__ = ["LONGEST_S", "MAX_SCORE", "MIN_SCORE", "false_alarms", "search"]

Floats = NDArray[np.float32]
Means = NDArray[np.float64]
Places = tuple[NDArray[np.intp], NDArray[np.intp]]

# In units: the long tone, the pause between the letters, which may be one between
# words, and the quiet before and after.
_LONG = (2, 3, 4)
_GAPS = (2, 3, 5, 7)
_QUIET = 2
_UNITS_S = 0.075 * 1.08 ** np.arange(17)
_PITCH_HZ = (300, 3000)

LONGEST_S = float(_UNITS_S[-1] * (5 + _LONG[-1] + _GAPS[-1] + 2 * _QUIET))
"""Length of the slowest rhythm that is looked for, with the quiet around it."""

# Left out at both ends of a tone or a pause, in units.
_EDGE = 0.3
# Bins from a tone to the neighbors that it stands out from.
_RING = 6
_FLOOR = 1e-12
_UNEVENNESS = 3.0

MAX_SCORE = 30.0
MIN_SCORE = 13.0
"""Largest score of a rhythm, and the least that counts as one."""

# The logarithm of how many there are by chance in an hour: above all counts of other
# patterns of four tones, one of them long, in speech and music.
_INTERCEPT = 1.75
_SLOPE = 0.22


def false_alarms(heard: Heard, length_s: float) -> float:
    """Return how many rhythms as good as this chance makes in such a length."""
    return float(length_s / 3600 * 10 ** (_INTERCEPT - _SLOPE * heard.score))


def search(powers: Floats) -> list[Heard]:
    """Return what sounds like the rhythm.

    Parameters
    ----------
    powers : ndarray of float32, shape (windows, bins)
        Spectra of the module `spectrum`.

    Returns
    -------
    list of Heard
        The best one at each place, in seconds from the first window.
    """
    tones = _Tones(powers)
    found = []
    for unit_s, long in product(_UNITS_S.tolist(), _LONG):
        unit = unit_s / HOP_S
        starts = tones.starts(unit, long)
        for gap in _GAPS:
            frames, scores = tones.scores(unit, long, gap, starts)
            good = scores >= MIN_SCORE
            for frame, score in zip(
                frames[good].tolist(), scores[good].tolist(), strict=True
            ):
                start_s = frame * HOP_S + WINDOW_S / 2
                end_s = start_s + unit_s * (5 + long + gap)
                found.append(
                    Heard(score=score, name="rhythm", start_s=start_s, end_s=end_s)
                )
    return best(found)


class _Tones:
    """The power in narrow bands of each pitch, and how plainly it is a tone."""

    def __init__(self, powers: Floats) -> None:
        first, last = (round(hz / BIN_HZ) for hz in _PITCH_HZ)
        three = powers[:, :-2] + powers[:, 1:-1] + powers[:, 2:]
        three = three[:, first - _RING - 1 : last + _RING] + _FLOOR
        # Every other bin: each tone is within three of them all the same.
        power = three[:, _RING:-_RING:2]
        around = (three[:, : -2 * _RING : 2] + three[:, 2 * _RING :: 2]) / 2
        level = 10 * np.log10(power)
        self._length = len(powers)
        self._power = _sums(power)
        self._level = _sums(level)
        self._square = _sums(level**2)
        self._prominence = _sums(level - 10 * np.log10(around))

    def starts(self, unit: float, long: int) -> Places:
        """Return frames and pitches at which the first letter seems to be."""
        lead = math.ceil(_QUIET * unit)
        edges = (-_QUIET, 0, 1, 2, 2 + long)
        runs = [_inner(start, end, unit) for start, end in pairwise(edges)]
        count = self._length - runs[-1][1] + 1
        quiet, short, pause, tone = (
            _everywhere(self._level, run, lead, count) for run in runs
        )
        louder, softer = np.minimum(short, tone), np.maximum(quiet, pause)
        frames, pitches = np.nonzero(louder - softer >= MIN_SCORE)
        return frames + lead, pitches

    def scores(
        self, unit: float, long: int, gap: int, starts: Places
    ) -> tuple[NDArray[np.intp], Means]:
        """Return the frames at which there is room, and the score at each.

        It is the least of how far the softest tone is above the loudest pause and
        twice of how far a tone stands out, less thrice the deviation of the level.
        """
        edges = np.cumsum([-_QUIET, _QUIET, 1, 1, long, gap, 1, 1, 1, _QUIET]).tolist()
        parts = [_inner(start, end, unit) for start, end in pairwise(edges)]
        room = starts[0] + parts[-1][1] <= self._length
        places = starts[0][room], starts[1][room]
        pauses, tones = parts[::2], parts[1::2]
        loudest = np.max([_at(self._power, pause, places) for pause in pauses], axis=0)
        levels = np.array([_at(self._level, tone, places) for tone in tones])
        squares = np.array([_at(self._square, tone, places) for tone in tones])
        plain = np.min([_at(self._prominence, tone, places) for tone in tones], axis=0)
        lengths = [last - first for first, last in tones]
        mean = np.average(levels, axis=0, weights=lengths)
        variance = np.average(squares, axis=0, weights=lengths) - mean**2
        over = levels.min(axis=0) - 10 * np.log10(np.maximum(loudest, _FLOOR))
        score = np.minimum(np.minimum(over, MAX_SCORE), 2 * plain)
        score -= _UNEVENNESS * np.sqrt(np.maximum(variance, 0))
        return places[0], score


def _inner(start: int, end: int, unit: float) -> tuple[int, int]:
    """Return first and last frame of a part given in units, without its edges."""
    first = math.ceil((start + _EDGE) * unit)
    last = math.floor((end - _EDGE) * unit) + 1
    if last > first:
        return first, last
    middle = round((start + end) / 2 * unit)
    return middle, middle + 1


def _sums(values: Floats) -> Means:
    sums = np.zeros((len(values) + 1, values.shape[1]), np.float64)
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _everywhere(sums: Means, run: tuple[int, int], start: int, stop: int) -> Means:
    """Return the means of runs after all frames from `start` to `stop`."""
    first, last = run
    stop = max(start, stop)
    total = sums[start + last : stop + last] - sums[start + first : stop + first]
    return np.asarray(total / (last - first))


def _at(sums: Means, run: tuple[int, int], places: Places) -> Means:
    """Return the means of runs after some frames, each at a pitch."""
    first, last = run
    frames, pitches = places
    total = sums[frames + last, pitches] - sums[frames + first, pitches]
    return np.asarray(total / (last - first))
