"""Where a keyed pattern of rows lies in time: scores, paths, sums.

A pattern is a circle of rows, each of some cells with a sign. Sounds are read at every
tick: `cells` holds what a row that begins there would hold. Rows follow each other in
`step` ticks, which need not be a whole number. Blocks are runs of rows; their scores
are kept by where on the circle the whole sound would begin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._jit import jit

__all__ = [
    "PHASES",
    "agreement",
    "checkered",
    "fold",
    "scores",
    "segments",
    "track",
]

PHASES = 6  # places within a row that are told apart
JUMP, SLIP = np.float32(18.0), np.float32(0.3)

Float = NDArray[np.float32]
Ints = NDArray[np.int64]


def checkered(rest: Float, tile: int, pairs: int) -> Float:
    """Return what a row of cells that begins at each tick would hold.

    A cell is two tiles by two bands, signed as a checkerboard.

    Parameters
    ----------
    rest : ndarray of float32, shape (ticks, bands)
        At most ``2 * pairs`` bands, of an even number.
    tile : int
        Ticks.
    pairs : int
        Cells of a row; those of missing bands hold 0.

    Returns
    -------
    ndarray of float32, shape (ticks - tile, pairs)
    """
    out = np.zeros((max(0, len(rest) - tile), pairs), np.float32)
    change = rest[:-tile] - rest[tile:]
    count = rest.shape[1] // 2
    out[:, :count] = change[:, 0::2] - change[:, 1::2]
    return out


def scores(cells: Float, step: float, signs: Float, block: int) -> Float:
    """Correlate blocks with a pattern at every phase.

    Parameters
    ----------
    cells : ndarray of float32, shape (ticks, pairs)
    step : float
        Ticks from row to row.
    signs : ndarray of float32, shape (rows, pairs)
        Of the circle; 0 where nothing is known.
    block : int
        Rows.

    Returns
    -------
    ndarray of float32, shape (blocks, PHASES * rows)
        At [b, p] the correlation of block b if the sound began p phases, of a sixth of
        a row each, into the circle.
    """
    # Row t of a sound that begins j phases into a row; the first whole one is row 0.
    late = np.arange(PHASES) > 0
    rows = np.arange(int(len(cells) / step) + 1)
    begin = rows[:, None] + late - np.arange(PHASES) / PHASES
    ticks = np.floor(begin * step + 0.5).astype(np.int64)
    heard = cells[np.minimum(ticks, len(cells) - 1)]
    heard[ticks >= len(cells)] = 0
    return _gathered(heard @ np.ascontiguousarray(signs.T), block)


def agreement(cells: Float, step: float, path: Ints, signs: Float, block: int) -> Float:
    """Return how each row along a path agrees with a pattern.

    Parameters
    ----------
    cells, step, path, block
        See `fold`.
    signs : ndarray of float32, shape (rows, pairs)
        Of the circle.

    Returns
    -------
    ndarray of float32, shape (rows of the sound, 3)
        The tick where a row begins, its correlation with the pattern, and its energy.
    """
    return _agreement(cells, float(step), path, signs, block)


def fold(
    cells: Float, step: float, path: Ints, rows: int, block: int, first: int = 0
) -> Float:
    """Add up the rows of blocks where they lie on the circle.

    Parameters
    ----------
    cells : ndarray of float32, shape (ticks, pairs)
    step : float
        Ticks from row to row.
    path : ndarray of int, shape (blocks,)
        Phase of each block, as in `scores`; -1 leaves a block out.
    rows : int
        Of the circle.
    block : int
        Rows.
    first : int, optional
        Block of the path's first.

    Returns
    -------
    ndarray of float32, shape (rows, pairs)
    """
    return _fold(cells, float(step), path, rows, block, first)


def track(scores: Float) -> Ints:
    """Return the most likely path of phases: it may slip by one, seldom jump anywhere.

    Parameters
    ----------
    scores : ndarray of float32, shape (blocks, phases)
        In units of half a squared deviation.

    Returns
    -------
    ndarray of int, shape (blocks,)
    """
    return _track(scores, JUMP, SLIP)


def segments(gains: Float, switch: float) -> NDArray[np.bool_]:
    """Say which of a sequence are on, when turning on or off costs something.

    Parameters
    ----------
    gains : ndarray of float32, shape (n,)
        Log-likelihood ratio of on to off.
    switch : float
        Nats for each change.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return _segments(gains, np.float32(switch))


@jit
def _gathered(fits, block):
    """Add up how rows of a sound fit to rows of the circle, as they follow each other.

    `fits` has the shape (rows of the sound, PHASES, rows of the circle).
    """
    count, _, rows = fits.shape
    blocks = (count - 1) // block + 1
    out = np.zeros((blocks, PHASES * rows), np.float32)
    sums = np.empty(rows, np.float32)
    for b in range(blocks):
        for j in range(PHASES):
            sums[:] = 0
            for t in range(b * block, min(count, (b + 1) * block)):
                fit = fits[t, j]
                shift = (t + (1 if j else 0)) % rows
                for r in range(rows - shift):
                    sums[r] += fit[r + shift]
                for r in range(rows - shift, rows):
                    sums[r] += fit[r + shift - rows]
            for r in range(rows):
                out[b, r * PHASES + j] = sums[r]
    return out


@jit
def _fold(cells, step, path, rows, block, first):
    ticks, pairs = cells.shape
    out = np.zeros((rows, pairs), np.float32)
    for b in range(path.size):
        if path[b] < 0:
            continue
        r, j = path[b] // PHASES, path[b] % PHASES
        for t in range((first + b) * block, (first + b + 1) * block):
            late = 1 if j else 0
            at = int(np.floor((t + late - j / PHASES) * step + 0.5))
            if at >= ticks:
                break
            row = (r + t + late) % rows
            for k in range(pairs):
                out[row, k] += cells[at, k]
    return out


@jit
def _agreement(cells, step, path, signs, block):
    ticks, pairs = cells.shape
    rows = signs.shape[0]
    out = np.empty((path.size * block, 3), np.float32)
    count = 0
    for b in range(path.size):
        r, j = path[b] // PHASES, path[b] % PHASES
        late = 1 if j else 0
        for t in range(b * block, (b + 1) * block):
            at = int(np.floor((t + late - j / PHASES) * step + 0.5))
            if at >= ticks:
                break
            row = (r + t + late) % rows
            agreed, energy = np.float32(0), np.float32(0)
            for k in range(pairs):
                agreed += signs[row, k] * cells[at, k]
                energy += cells[at, k] ** 2
            out[count, 0], out[count, 1], out[count, 2] = at, agreed, energy
            count += 1
    return out[:count]


@jit
def _track(scores, jump, slip):
    blocks, count = scores.shape
    back = np.empty((blocks, count), np.int32)
    best = scores[0].copy()
    new = np.empty_like(best)
    for b in range(1, blocks):
        top = np.argmax(best)
        leap = best[top] - jump
        for p in range(count):
            here, came = best[p], p
            before = p - 1 if p else count - 1
            after = p + 1 if p + 1 < count else 0
            if best[before] - slip > here:
                here, came = best[before] - slip, before
            if best[after] - slip > here:
                here, came = best[after] - slip, after
            if leap > here:
                here, came = leap, top
            new[p] = here + scores[b, p]
            back[b, p] = came
        best, new = new, best
    path = np.empty(blocks, np.int64)
    path[-1] = np.argmax(best)
    for b in range(blocks - 1, 0, -1):
        path[b - 1] = back[b, path[b]]
    return path


@jit
def _segments(gains, switch):
    size = gains.size
    came = np.zeros((size, 2), np.uint8)
    off, on = np.float32(0), np.float32(0)
    for t in range(size):
        stay, turn = off, on - switch
        came[t, 0] = turn > stay
        new_off = max(stay, turn)
        stay, turn = on, off - switch
        came[t, 1] = not turn > stay
        on = max(stay, turn) + gains[t]
        off = new_off
    out = np.zeros(size, np.bool_)
    state = 1 if on > off else 0
    for t in range(size - 1, -1, -1):
        out[t] = state == 1
        state = came[t, state]
    return out
