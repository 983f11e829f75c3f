"""Look at a sound as if its speed, tempo or pitch had been changed.

Played faster, a sound is shorter and higher; stretched, it is longer; shifted, it is
higher. Each is a factor of all durations and one of all frequencies. The known cells
tell which, over a few busy seconds: coarsely first, then finely around the best.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ...kernels import timing
from .listening import UNCHANGED, Chunk, Look, Scale, looks
from .timeline import KNOWN, ROW_TICKS, Timeline

__all__ = ["search"]

SEARCHED = 2000  # ticks that are looked at: 8 s
LEAST_ROWS = 18
KEPT, READ, EACH = 16, 10, 4  # scales that are refined, and read, and looks at each
SPEEDS = np.exp(np.arange(-0.236, 0.2361, 0.005))  # 0.79 to 1.27
PITCHES = np.exp(np.arange(-0.07, 0.0701, 0.014))  # a semitone and a fifth
PACES = np.exp(np.arange(-0.125, 0.1251, 0.005))  # 0.88 to 1.13
PITCH_STEP = 0.014  # of a logarithm, by which bands are moved for the speeds
NEAR_PITCH, NEAR_PACE = 0.02, 0.006  # of a logarithm, too near to be another one
FINE_PITCH, FINE_PACE = 0.006, 0.0014

Float = NDArray[np.float32]


def search(chunk: Chunk, timelines: Sequence[Timeline]) -> Iterator[Look]:
    """Look at a chunk through other scales, the likely ones first.

    Parameters
    ----------
    chunk : Chunk
    timelines : sequence of Timeline
        Of the keys to look for.
    """
    if len(chunk.sums) < LEAST_ROWS * ROW_TICKS:
        return
    part = _busiest(chunk)
    weights = part.weights()
    found = []
    for peak, scale in _apart(_tried(part, weights, timelines, _grid())):
        around = [
            Scale(pitch=scale.pitch * math.exp(high), pace=scale.pace * math.exp(slow))
            for high in (-FINE_PITCH, 0, FINE_PITCH)
            for slow in (-FINE_PACE, 0, FINE_PACE)
        ]
        tried = _tried(part, weights, timelines, around)
        found.append(max([(peak, scale), *tried], key=lambda item: item[0]))
    for _, scale in sorted(found, key=lambda item: -item[0])[:READ]:
        yield from looks(chunk.cells(scale), scale, timelines)[:EACH]


def _busiest(chunk: Chunk) -> Chunk:
    """Return the few seconds of a chunk whose cells hold most."""
    energy = np.cumsum((chunk.cells(UNCHANGED) ** 2).sum(axis=1))
    if len(energy) <= SEARCHED:
        return chunk
    return chunk.part(int(np.argmax(energy[SEARCHED:] - energy[:-SEARCHED])), SEARCHED)


def _grid() -> list[Scale]:
    """Return the scales that are tried, those of one pitch and tile in a row."""
    speeds = [
        (math.exp(PITCH_STEP * round(math.log(speed) / PITCH_STEP)), 1 / speed)
        for speed in SPEEDS
    ]
    changes = [(pitch, pace) for pitch in PITCHES for pace in PACES]
    both = [Scale(pitch=float(p), pace=float(t)) for p, t in speeds + changes]
    return sorted(both, key=lambda scale: (scale.pitch, scale.tile))


def _tried(
    part: Chunk,
    weights: Float,
    timelines: Sequence[Timeline],
    scales: Sequence[Scale],
) -> Iterator[tuple[float, Scale]]:
    """Yield how well the known cells of some key agree at each scale."""
    for _, alike in groupby(scales, lambda scale: (scale.pitch, scale.tile)):
        group = list(alike)
        cells = part.cells(group[0], weights=weights)
        power = float((cells**2).mean()) if cells.size else 0.0
        for scale in group:
            rows = int(len(cells) / scale.step)
            if rows < LEAST_ROWS or power == 0:
                continue
            best = max(
                timing.scores(cells, scale.step, one.known, rows + 1)[0].max()
                for one in timelines
            )
            yield float(best) / math.sqrt(KNOWN * rows * power), scale


def _apart(tried: Iterator[tuple[float, Scale]]) -> list[tuple[float, Scale]]:
    """Return the best of what was tried, none beside another."""
    kept: list[tuple[float, Scale]] = []
    for peak, scale in sorted(tried, key=lambda item: -item[0]):
        if all(
            abs(math.log(scale.pitch / other.pitch)) > NEAR_PITCH
            or abs(math.log(scale.pace / other.pace)) > NEAR_PACE
            for _, other in kept
        ):
            kept.append((peak, scale))
        if len(kept) == KEPT:
            break
    return kept
