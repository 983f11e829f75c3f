"""Levels in bands over time: spectra, levels, and what neighbors do not foretell.

Time is counted in ticks of 4 ms, whatever the sample rate: a window is centered at the
sample next to each tick, so that no sound needs to be resampled. A band is a run of
frequencies about as wide as a critical band of hearing.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ._jit import jit

__all__ = [
    "BANDS",
    "EDGES",
    "TICKS",
    "bin_of",
    "centers",
    "clearness",
    "foretelling",
    "levels",
    "loudness",
    "overlap_add",
    "owners",
    "residual",
    "spectra",
    "tile_levels",
    "window",
]

TICKS = 250  # per second
BANDS = 34
WINDOW_S = 0.032
POWER = np.float32(0.15)  # of the power: 0.3 of the magnitude, as loudness
FULL_WINDOW = 512  # samples, at which a sine of full scale has a power of 2^14
FLOOR, SILENT = np.float32(1e-9), np.float32(1e-10)  # of the power in such a window
BATCH = 256  # windows that are transformed at a time

AROUND_TILES, AROUND_BANDS = 3, 2  # neighbors that foretell a level, on each side
REGIONS, NEAR_TILES = 3, 3  # of bands fitted apart; whose power weighs a level
SAMPLED = 5  # ticks between those that fits look at
RIDGE = 4.0  # dB^2
CLIP, EVEN = np.float32(12.0), np.float32(20.0)  # dB, dB^2
FLOOR_PERCENT, LOUD_PERCENT, LEAST_ABOVE = 2, 95, np.float32(0.1)
FAR, FAR_WIDTH = np.float32(38.0), np.float32(5.0)  # dB
VALLEY_BANDS = 3  # on each side
VALLEY, VALLEY_WIDTH = np.float32(6.0), np.float32(4.0)  # dB

Complex = NDArray[np.complex64]
Float = NDArray[np.float32]


def _edges() -> NDArray[np.float64]:
    edges = [200.0]
    while len(edges) <= BANDS:
        edges.append(edges[-1] + max(93.75, edges[-1] / 12))
    return np.array(edges)


EDGES = _edges()
"""Between the bands, in Hz, 200 to about 7,600: 94 Hz or 8 % of the center wide."""


@lru_cache(maxsize=16)
def window(rate: int) -> Float:
    """Return a Hann window of about 32 ms, of a length that transforms quickly."""
    half = round(WINDOW_S * rate / 2)
    while not _smooth(half):
        half += 1
    turns = np.arange(2 * half) / (2 * half)
    return (0.5 - 0.5 * np.cos(2 * np.pi * turns)).astype(np.float32)


def _smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def centers(ticks: NDArray[np.int64], rate: int) -> NDArray[np.int64]:
    """Return the samples next to some ticks."""
    return (ticks * rate + TICKS // 2) // TICKS


def bin_of(frequency_hz: float, rate: int) -> int:
    """Return the last bin at or below a frequency, or the last of all."""
    size = len(window(rate))
    return min(size // 2, int(frequency_hz * size / rate))


def owners(bins: int, rate: int) -> NDArray[np.int64]:
    """Return which band each bin belongs to, -1 for none, shape (bins,)."""
    frequencies = np.arange(bins) * rate / len(window(rate))
    found = np.searchsorted(EDGES, frequencies, side="right") - 1
    return np.where(found < BANDS, found, -1)


def tile_levels(power: Float, owner: NDArray[np.int64], size: int) -> Float:
    """Return the level of each band in tiles that do not overlap.

    Parameters
    ----------
    power : ndarray of float32, shape (windows, bins)
    owner : ndarray of int, shape (bins,)
        See `owners`.
    size : int
        Windows of a tile; the power has a whole number of tiles.

    Returns
    -------
    ndarray of float32, shape (tiles, BANDS)
        In dB; that of bands without bins is the one of silence.
    """
    inside = owner >= 0
    share = np.zeros((len(owner), BANDS), np.float32)
    share[inside, owner[inside]] = 1
    share /= np.maximum(share.sum(axis=0), 1)
    means = (power @ share).reshape(-1, size, BANDS).mean(axis=1)
    return 10 * np.log10(means + SILENT)


def spectra(signal: Float, first: int, ticks: NDArray[np.int64], rate: int) -> Complex:
    """Transform the windows around some ticks.

    Parameters
    ----------
    signal : ndarray of float32, shape (frames,)
        Around it all is silent.
    first : int
        Which sample since tick 0 the signal begins with.
    ticks : ndarray of int, shape (n,)
        In ascending order.
    rate : int
        Samples per second.

    Returns
    -------
    ndarray of complex64, shape (n, window / 2 + 1)
    """
    shape = window(rate)
    size = len(shape)
    starts = centers(ticks, rate) - first - size // 2
    before = max(0, -int(starts[0]))
    after = max(0, int(starts[-1]) + size - len(signal))
    windows = sliding_window_view(np.pad(signal, (before, after)), size)
    return np.concatenate(
        [
            np.fft.rfft(windows[part + before] * shape)
            for part in np.array_split(starts, -(-len(starts) // BATCH))
        ]
    )


def overlap_add(
    pieces: Float, starts: NDArray[np.int64], weight: Float, length: int
) -> Float:
    """Add windows up where they overlap.

    Parameters
    ----------
    pieces : ndarray of float32, shape (n, size)
    starts : ndarray of int, shape (n,)
        Where in the result each begins; parts outside are dropped.
    weight : ndarray of float32, shape (size,)
        What each counts for along it; the sum is divided by the sum of weights.
    length : int
    """
    return _overlap_add(pieces, starts, weight, length)


def loudness(power: Float, rate: int) -> Float:
    """Return running sums over frequency of how loud each bin is.

    Parameters
    ----------
    power : ndarray of float32, shape (ticks, bins)
        Of `spectra`, summed over channels.
    rate : int
        Samples per second.

    Returns
    -------
    ndarray of float32, shape (ticks, bins + 1)
    """
    sums = np.zeros((len(power), power.shape[1] + 1), np.float32)
    # Windows are longer at higher rates, and so are the sums over them.
    scale = np.float32((FULL_WINDOW / len(window(rate))) ** 2)
    np.cumsum((scale * power + FLOOR) ** POWER, axis=1, out=sums[:, 1:])
    return sums


def levels(sums: Float, spacing_hz: float, stretch: float, tile: int) -> Float:
    """Return the levels of bands at every tick, averaged over a tile.

    Parameters
    ----------
    sums : ndarray of float32, shape (ticks, bins + 1)
        See `loudness`.
    spacing_hz : float
        From bin to bin.
    stretch : float
        By which the frequencies of the bands are multiplied.
    tile : int
        Ticks.

    Returns
    -------
    ndarray of float32, shape (ticks - tile, bands)
        In dB. Only bands below the highest frequency, of an even number.
    """
    edges = EDGES * stretch / spacing_hz + 0.5
    count = int(np.searchsorted(edges, sums.shape[1] - 1)) - 1
    count = max(0, count // 2 * 2)
    return np.float32(10 / POWER) * np.log10(_means(sums, edges[: count + 1], tile))


def foretelling(level: Float, tile: int) -> Float:
    """Fit how the level of a band in a tile follows from those around it.

    Returns
    -------
    ndarray of float32, shape (7, 5, BANDS)
        Weights of the tiles before, at and after, and of the bands below, at and above,
        for each band: low, middle and high ones are fitted apart.
    """
    around = _surroundings(level, tile)
    middle = (size := around.shape[2]) // 2
    others = np.delete(np.arange(size), middle)
    ridge = RIDGE * np.eye(size - 1)
    weights = np.zeros((size, BANDS), np.float32)
    for region in np.array_split(np.arange(level.shape[1]), REGIONS):
        if len(region):
            rows = around[:, region].reshape(-1, size)
            power = rows.T @ rows / np.float32(len(rows))
            inner = power[np.ix_(others, others)] + ridge
            best = np.linalg.solve(inner, power[others, middle])
            # What lies beyond the highest region follows as it does.
            weights[others, region[0] :] = best[:, None]
    return weights.reshape(2 * AROUND_TILES + 1, 2 * AROUND_BANDS + 1, BANDS)


def clearness(level: Float) -> Float:
    """Return how much of each level is likely to be the sound's own, 0 to 1.

    It is not at the floor of its band, as of steady noise, which the band stays above
    nearly all the time; nor far below the loudest, as what a telephone does not pass.
    """
    floor = np.percentile(level[::SAMPLED], FLOOR_PERCENT, axis=0).astype(np.float32)
    below = np.exp(np.float32(np.log(10) / 10) * (floor - level))
    loud = np.float32(np.percentile(level[::SAMPLED], LOUD_PERCENT))
    beneath = 1 + np.exp(np.minimum((loud - FAR - level) / FAR_WIDTH, 50))
    return np.clip(1 - below, LEAST_ABOVE, 1) / beneath


def residual(level: Float, tile: int, weights: Float) -> Float:
    """Return what of the levels is not foretold, weighted by how much it says.

    Parameters
    ----------
    level : ndarray of float32, shape (ticks, bands)
        In dB.
    tile : int
        Ticks.
    weights : ndarray of float32, shape (7, 5, BANDS)
        See `foretelling`.

    Returns
    -------
    ndarray of float32, shape (ticks, bands)
    """
    rest, power = _unforetold(level, tile, weights)
    bands = np.arange(level.shape[1])
    low = np.maximum(bands - VALLEY_BANDS, 0)
    high = np.minimum(bands + VALLEY_BANDS + 1, len(bands))
    near = (bands[:, None] >= low) & (bands[:, None] < high)
    around = level @ (near / (high - low)).astype(np.float32)
    # Valleys between peaks say little: what is in them comes from beside them.
    rest /= (power + EVEN) * (1 + np.exp((around - level - VALLEY) / VALLEY_WIDTH))
    return rest


@jit
def _overlap_add(pieces, starts, weight, length):
    out = np.zeros(length, np.float32)
    total = np.zeros(length, np.float32)
    size = weight.size
    for k in range(starts.size):
        start = starts[k]
        for i in range(max(0, -start), min(size, length - start)):
            out[start + i] += pieces[k, i]
            total[start + i] += weight[i]
    for i in range(length):
        out[i] /= max(total[i], np.float32(1e-3))
    return out


@jit
def _means(sums, edges, tile):
    """Return the mean loudness of each band over a tile from each tick on."""
    ticks, bands = sums.shape[0], edges.size - 1
    out = np.zeros((max(0, ticks - tile), bands), np.float32)
    low = edges.astype(np.int64)
    share = (edges - low).astype(np.float32)
    total = np.zeros(bands, np.float32)
    ring = np.zeros((tile, bands), np.float32)
    below = np.empty(bands + 1, np.float32)
    for t in range(ticks - 1):
        row = sums[t]
        for b in range(bands + 1):
            i = low[b]
            below[b] = row[i] + share[b] * (row[i + 1] - row[i])
        old = ring[t % tile]
        for b in range(bands):
            new = (below[b + 1] - below[b]) / np.float32(edges[b + 1] - edges[b])
            total[b] += new - old[b]
            old[b] = new
        if t % 256 == 255:  # no error adds up
            total[:] = 0
            for k in range(tile):
                total += ring[k]
        if t >= tile - 1:
            for b in range(bands):
                out[t - tile + 1, b] = max(total[b] / tile, np.float32(1e-6))
    return out


@jit
def _surroundings(level, tile):
    """Return levels, less their mean, around some tiles, (n, bands, neighbors)."""
    ticks, bands = level.shape
    width = 2 * AROUND_BANDS + 1
    mean = np.float32(level.mean())
    count = (ticks + SAMPLED - 1) // SAMPLED
    out = np.empty((count, bands, (2 * AROUND_TILES + 1) * width), np.float32)
    for n in range(count):
        for i in range(2 * AROUND_TILES + 1):
            at = _mirror(n * SAMPLED + (i - AROUND_TILES) * tile, ticks)
            for j in range(width):
                for b in range(bands):
                    band = _mirror(b + j - AROUND_BANDS, bands)
                    out[n, b, i * width + j] = level[at, band] - mean
    return out


@jit
def _mirror(at, size):
    if size == 1:
        return 0
    at = abs(at) % (2 * size - 2)
    return at if at < size else 2 * size - 2 - at


@jit
def _unforetold(level, tile, weights):
    """Return what is not foretold, clipped, and its power near it, over 3 bands."""
    ticks, bands = level.shape
    width = weights.shape[1]
    mean = np.float32(level.mean())
    wide = np.empty((ticks, bands + width - 1), np.float32)
    for b in range(bands + width - 1):
        band = _mirror(b - AROUND_BANDS, bands)
        for t in range(ticks):
            wide[t, b] = level[t, band] - mean
    rest = level - mean
    for t in range(ticks):
        for i in range(weights.shape[0]):
            row = wide[_mirror(t + (i - AROUND_TILES) * tile, ticks)]
            for j in range(width):
                weight = weights[i, j]
                for b in range(bands):
                    rest[t, b] -= weight[b] * row[b + j]
        for b in range(bands):
            rest[t, b] = min(max(rest[t, b], -CLIP), CLIP)
    reach = (NEAR_TILES * tile) // 2
    power = np.empty((ticks, bands), np.float32)
    total = np.zeros(bands, np.float32)
    for t in range(-reach, ticks):
        if t + reach < ticks:
            for b in range(bands):
                total[b] += rest[t + reach, b] ** 2
        if t - reach - 1 >= 0:
            for b in range(bands):
                total[b] -= rest[t - reach - 1, b] ** 2
        if t >= 0:
            count = min(ticks - 1, t + reach) - max(0, t - reach) + 1
            for b in range(bands):
                first, last = max(0, b - 1), min(bands - 1, b + 1)
                near = np.float32(0)
                for i in range(first, last + 1):
                    near += total[i]
                near /= np.float32(count * (last - first + 1))
                power[t, b] = max(near, np.float32(0))
    return rest, power
