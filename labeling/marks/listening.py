"""A chunk of a sound, looked at under a scale and a key.

Levels become cells, cells become evidence for the known ones at every phase of the
circle, over the whole chunk and over parts of it, along straight and broken paths.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ...kernels import bands, timing
from .timeline import KNOWN, PAIRS, ROW_TICKS, ROWS, TILE_TICKS, Timeline
from .words import Hit

__all__ = ["UNCHANGED", "Chunk", "Look", "Scale", "looks", "spans"]

BLOCK = 18  # rows: 0.86 s
LENGTHS = (3, 6, 12)  # blocks that are read together, besides all
PEAKS = 24  # phases tried in each window
EACH = 24  # looks at windows of each length
TRACKED = 1.0  # deviations that a path finds more by chance than a fixed phase
TINY = 1e-12
SURE = 6.0  # deviations by which a block says that it is marked
SWITCH = 12.0  # nats that it takes to say that a mark begins or ends
TRUST = 3.5  # of a block's score in a path, in deviations that a mark makes

Float = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a sound was changed since it was marked.

    Parameters
    ----------
    pitch : float
        Factor of all frequencies.
    pace : float
        Factor of all durations.
    """

    pitch: float
    pace: float

    @property
    def tile(self) -> int:
        """Ticks of a tile."""
        return max(1, round(TILE_TICKS * self.pace))

    @property
    def step(self) -> float:
        """Ticks from row to row."""
        return ROW_TICKS * self.pace


UNCHANGED = Scale(pitch=1.0, pace=1.0)


@dataclass(frozen=True, eq=False)
class Chunk:
    """A part of a sound.

    Parameters
    ----------
    sums : ndarray of float32, shape (ticks, bins + 1)
        See `bands.loudness`.
    spacing_hz : float
        From bin to bin.
    """

    sums: Float
    spacing_hz: float

    def cells(
        self, scale: Scale, *, weights: Float | None = None, clear: bool = True
    ) -> Float:
        """Return what a row of cells beginning at each tick holds, (ticks, PAIRS).

        Parameters
        ----------
        scale : Scale
        weights : ndarray of float32, shape (7, 5, BANDS), optional
            How levels are foretold, instead of a fit to this chunk.
        clear : bool, optional
            Whether what is near the floor of its band or far below the loudest counts
            less: that helps where it is noise, and harms where it is the sound itself.
        """
        level = bands.levels(self.sums, self.spacing_hz, scale.pitch, scale.tile)
        if level.size == 0:
            return np.zeros((0, PAIRS), np.float32)
        if weights is None:
            weights = bands.foretelling(level, scale.tile)
        rest = bands.residual(level, scale.tile, weights)
        if clear:
            rest *= bands.clearness(level)
        return timing.checkered(rest, scale.tile, PAIRS)

    def weights(self) -> Float:
        """Return how levels are foretold in this chunk."""
        level = bands.levels(self.sums, self.spacing_hz, 1.0, TILE_TICKS)
        return bands.foretelling(level, TILE_TICKS)

    def part(self, first: int, count: int) -> Chunk:
        """Return some ticks of it."""
        return Chunk(self.sums[first : first + count], self.spacing_hz)


@dataclass(frozen=True, eq=False)
class Look:
    """Cells at one scale, under one key, along one path of phases.

    Parameters
    ----------
    timeline : Timeline
    cells : ndarray of float32, shape (ticks, PAIRS)
    scale : Scale
    path : ndarray of int, shape (blocks,)
        Phase of each block from `first` on.
    first : int
        Block.
    peak : float
        Correlation with the known cells, in deviations.
    """

    timeline: Timeline
    cells: Float
    scale: Scale
    path: Ints
    first: int
    peak: float

    def folded(self) -> Float:
        """Return what the cells of the circle hold along the path, (ROWS, PAIRS)."""
        step = self.scale.step
        return timing.fold(self.cells, step, self.path, ROWS, BLOCK, self.first)

    def decode(self) -> Hit | None:
        """See `Timeline.decode`."""
        return self.timeline.decode(self.folded())

    def beside(self) -> Iterator[Look]:
        """Yield looks a little later and earlier: by half a phase, and by one."""
        late = self.cells[1:]
        for cells, ahead in ((late, 0), (late, 1), (self.cells, 1), (self.cells, -1)):
            path = (self.path + ahead) % (timing.PHASES * ROWS)
            yield replace(self, cells=cells, path=path)


def looks(cells: Float, scale: Scale, timelines: Sequence[Timeline]) -> list[Look]:
    """Find where the known cells of each key agree, the best first.

    Parameters
    ----------
    cells : ndarray of float32, shape (ticks, PAIRS)
        See `Chunk.cells`.
    scale : Scale
    timelines : sequence of Timeline
    """
    if len(cells) < ROW_TICKS:
        return []
    found = []
    for timeline in timelines:
        scores = timing.scores(cells, scale.step, timeline.known, BLOCK)
        noise = np.sqrt(_noise(cells, scale.step, len(scores)) + TINY)
        for first, count in _windows(len(scores)):
            total = scores[first : first + count].sum(axis=0)
            total /= math.sqrt(float((noise[first : first + count] ** 2).sum()))
            for phase in _peaks(total):
                path = np.full(count, phase)
                peak = float(total[phase])
                found.append(Look(timeline, cells, scale, path, first, peak))
        if len(scores) > 1:
            path = timing.track((TRUST * scores / noise[:, None]).astype(np.float32))
            agreed = float(scores[np.arange(len(path)), path].sum())
            peak = agreed / math.sqrt(float((noise**2).sum())) - TRACKED
            found.append(Look(timeline, cells, scale, path, 0, peak))
    return _best(found)


def spans(
    cells: Float, scale: Scale, pattern: Float, usual: float
) -> tuple[list[tuple[float, float]], float]:
    """Find which parts of a chunk agree with a known pattern.

    Parameters
    ----------
    cells : ndarray of float32, shape (ticks, PAIRS)
    scale : Scale
    pattern : ndarray of float32, shape (ROWS, PAIRS)
    usual : float
        How much marked rows agreed before, in deviations; 0 if that is not known.

    Returns
    -------
    list of (float, float)
        First and last tick of each part.
    float
        How much marked rows agree here, or what was given if none does.
    """
    if len(cells) < ROW_TICKS:
        return [], usual
    scores = timing.scores(cells, scale.step, pattern, BLOCK)
    noise = np.sqrt(PAIRS / KNOWN * _noise(cells, scale.step, len(scores)) + TINY)
    z = (scores / noise[:, None]).astype(np.float32)
    path = timing.track(TRUST * z)
    ticks, agreed, energy = timing.agreement(cells, scale.step, path, pattern, BLOCK).T
    sure = np.repeat(z[np.arange(len(path)), path] > SURE, BLOCK)[: len(ticks)]
    if sure.any():
        deviation = math.sqrt(float(energy[sure].mean()))
        usual = float(agreed[sure].mean()) / deviation
    else:
        deviation = math.sqrt(float(energy.mean()) + TINY)
    # Rows in which nothing is heard say nothing.
    gains = usual * agreed / deviation - usual**2 / 2 * energy / deviation**2
    marked = timing.segments(gains, SWITCH)
    turns = np.flatnonzero(np.diff(marked, prepend=False, append=False))
    parts = turns.reshape(-1, 2)
    return [
        (float(ticks[a]), float(ticks[b - 1]) + scale.step) for a, b in parts
    ], usual


def _windows(blocks: int) -> Iterator[tuple[int, int]]:
    yield 0, blocks
    for length in LENGTHS:
        if length < blocks:
            for first in range(0, blocks - length + 1, max(1, length // 3)):
                yield first, length


def _noise(cells: Float, step: float, blocks: int) -> NDArray[np.float64]:
    """Return the variance of each block's score without a mark."""
    ends = np.minimum(np.arange(blocks + 1) * BLOCK * step, len(cells)).astype(int)
    energy = np.concatenate([[0.0], np.cumsum((cells**2).mean(axis=1, dtype=float))])
    return np.asarray((energy[ends[1:]] - energy[ends[:-1]]) / step * KNOWN)


def _peaks(total: Float) -> list[int]:
    """Return the highest phases that are not beside each other."""
    peaks: list[int] = []
    for phase in np.argsort(-total)[: 3 * PEAKS].tolist():
        if all(abs(phase - other) > 1 for other in peaks):
            peaks.append(phase)
    return peaks[:PEAKS]


def _best(found: list[Look]) -> list[Look]:
    """Return the best looks for each key, those of different lengths apart."""
    kept: dict[tuple[int, int], list[Look]] = {}
    for look in sorted(found, key=lambda one: -one.peak):
        alike = kept.setdefault((id(look.timeline), len(look.path)), [])
        if len(alike) < EACH:
            alike.append(look)
    return sorted(chain(*kept.values()), key=lambda one: -one.peak)
