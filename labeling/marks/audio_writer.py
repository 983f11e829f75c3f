"""Write the mark into a sound, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ...kernels import bands, timing
from ...kernels.threads import single_threaded
from ..errors import UsageError
from ..keys import Key
from ..payload import Payload
from . import hearing
from .listening import UNCHANGED, Chunk, looks
from .tape import Tape, check_format
from .timeline import ROWS, TILE_TICKS, timeline_of

__all__ = ["AudioWriter", "embed_blocks"]

WINDOWS = 3  # of a tile, one each 8 ms
WINDOW_TICKS = TILE_TICKS // WINDOWS
SEGMENT = 400  # tiles that are marked at a time: 9.6 s
MARGIN = hearing.REACH_TILES + 3
SILENCE_S = 0.005  # of nothing but zeros, which stay

NEAR_TILES, NEAR_BANDS = 9, 3
EVEN = 20.0  # dB^2
CLIP = 12.0  # dB

TRIED = 3  # looks for an earlier mark
SURE = 1e-9
STANDING = 10.0  # deviations by which an earlier mark must show to be taken as one

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]
Ints = NDArray[np.int64]


class AudioWriter:
    """Marks a sound of any length; what it returns lags by up to twelve seconds.

    Parameters
    ----------
    rate : int
        Samples per second, 8,000 to 192,000.
    channels : int
        1 to 8. All of them become louder and softer together.
    payload : Payload
        What to hide. An earlier mark of the same key is replaced; where it says the
        same already, samples stay as they are.
    key : Key
        Who can find it again.
    strength : float, optional
        Change in dB relative to the default, 0.25 to 4.

    Raises
    ------
    UsageError
        A value is out of range.

    Notes
    -----
    However a sound is cut into blocks, the result is the same.
    """

    def __init__(
        self,
        rate: int,
        channels: int,
        payload: Payload,
        key: Key,
        *,
        strength: float = 1.0,
    ) -> None:
        self._rate = check_format(rate, channels)
        if not 0.25 <= strength <= 4:
            raise UsageError(f"strength {strength} is outside 0.25..4")
        self._strength = strength
        self._timeline = timeline_of(key)
        self._pattern = self._timeline.pattern(payload)
        self._earlier: Float | None = None
        self._phase: int | None = None
        self._tape = Tape(channels)
        self._segment = 0
        self._heard = np.zeros(2)  # power and number of tiles so far

    @single_threaded
    def push(self, block: Float) -> Float:
        """Take samples, return marked ones.

        Parameters
        ----------
        block : ndarray of float32, shape (frames, channels)
            Full scale is 1.

        Returns
        -------
        ndarray of float32, shape (n, channels)
            Those that are ready, in order.

        Raises
        ------
        UsageError
            The block has another type or shape, or values that are not finite.
        """
        self._tape.append(block)
        out = [np.zeros((0, block.shape[1]), np.float32)]
        while self._tape.end >= self._sample(self._last_tile() + 1):
            out.append(self._mark())
        return np.concatenate(out)

    @single_threaded
    def finish(self) -> Float:
        """Return the samples that have not been returned yet."""
        out = [self._tape.samples()[:0]]
        while self._sample(self._segment * SEGMENT) < self._tape.end:
            out.append(self._mark())
        return np.concatenate(out)

    def _sample(self, tile: int) -> int:
        return int(bands.centers(np.array(tile * TILE_TICKS), self._rate))

    def _last_tile(self) -> int:
        """Return the tile before which a segment must be known to be marked."""
        return (self._segment + 1) * SEGMENT + MARGIN

    def _mark(self) -> Float:
        """Return the marked samples of the segment whose turn it is."""
        tape, rate = self._tape, self._rate
        shape = bands.window(rate)
        half = len(shape) // 2
        first = max(0, self._segment * SEGMENT - MARGIN)
        # Tiles that begin after the sound has ended do not exist.
        last = 1 + (tape.end + half) * bands.TICKS // (rate * TILE_TICKS)
        tiles = np.arange(first, max(first + 1, min(self._last_tile(), last)))
        ticks = (
            tiles[:, None] * TILE_TICKS + WINDOW_TICKS * np.arange(WINDOWS)
        ).ravel()
        begin = self._sample(self._segment * SEGMENT)
        end = min(tape.end, self._sample((self._segment + 1) * SEGMENT))
        here = slice(begin - tape.first, end - tape.first)
        samples = tape.samples()
        top = bands.bin_of(bands.EDGES[-1], rate) + 1
        spectra = [
            bands.spectra(channel, tape.first, ticks, rate)[:, :top]
            for channel in samples.T
        ]
        change = self._change(spectra, tiles)
        starts = bands.centers(ticks, rate) - begin - half
        marked = samples[here].copy()
        for channel, spectrum in enumerate(spectra):
            pieces = np.fft.irfft(spectrum * change, len(shape)).astype(np.float32)
            pieces *= shape
            added = bands.overlap_add(pieces, starts, shape**2, len(marked))
            added[_silent(samples[:, channel], SILENCE_S * rate)[here]] = 0
            marked[:, channel] += added
        # What was not overloaded does not become so.
        peaks = np.maximum(np.abs(samples[here]), 1)
        np.clip(marked, -peaks, peaks, out=marked)
        self._segment += 1
        tape.drop(self._sample(max(0, self._segment * SEGMENT - MARGIN)) - half)
        return marked

    def _change(self, spectra: list[Complex], tiles: Ints) -> Float:
        """Return by which factor each bin of each window changes, less one."""
        power = np.zeros_like(spectra[0], np.float32)
        for spectrum in spectra:
            power += spectrum.real**2 + spectrum.imag**2
        owner = bands.owners(power.shape[1], self._rate)
        levels = bands.tile_levels(power, owner, WINDOWS)
        powers = hearing.power(levels[tiles // SEGMENT == self._segment])
        self._heard += np.array([powers.sum(dtype=float), len(powers)])
        needed = hearing.need(levels, self._heard[0] / self._heard[1])
        decibels = self._strength * hearing.gains(levels, needed)
        windows = WINDOWS * int(tiles[0]) + np.arange(len(power))
        chunk = self._chunk(power)
        if self._phase is None:
            self._phase = self._look_for_earlier(chunk)
        if self._phase is None:
            self._phase = _favorable(levels, decibels, self._pattern)
        signs = _chips(self._pattern, windows + self._phase)
        if self._earlier is not None and self._stands(chunk, int(windows[0])):
            signs -= _chips(self._earlier, windows + self._phase)
        factors = 10 ** (np.repeat(decibels, WINDOWS, axis=0) * signs / 20) - 1
        change = np.zeros(power.shape, np.float32)
        used = owner >= 0
        change[:, used] = factors[:, owner[used]]
        return change

    def _chunk(self, power: Float) -> Chunk:
        """Return what a reader would see, at half the resolution in time."""
        spacing = self._rate / len(bands.window(self._rate))
        sums = bands.loudness(power, self._rate)
        return Chunk(np.repeat(sums, WINDOW_TICKS, axis=0), spacing)

    def _look_for_earlier(self, chunk: Chunk) -> int | None:
        """Return the phase of an earlier mark, and keep its pattern."""
        found = looks(chunk.cells(UNCHANGED), UNCHANGED, [self._timeline])
        for look in found[:TRIED]:
            hit = look.decode()
            if hit is not None and hit.p_value * TRIED < SURE:
                self._earlier = self._timeline.pattern(hit.payload)
                return int(look.path[0])
        return None

    def _stands(self, chunk: Chunk, window: int) -> bool:
        """Say whether the earlier mark is in a chunk that begins with some window."""
        assert self._earlier is not None
        assert self._phase is not None
        cells = chunk.cells(UNCHANGED)
        path = np.array([(window + self._phase) % (timing.PHASES * ROWS)])
        folded = timing.fold(cells, UNCHANGED.step, path, ROWS, len(cells) + 1)
        agreed = float((folded * self._earlier).sum())
        return agreed > STANDING * math.sqrt(float((folded**2).sum()))


def embed_blocks(
    blocks: Iterable[Float],
    rate: int,
    payload: Payload,
    key: Key,
    *,
    strength: float = 1.0,
) -> Iterator[Float]:
    """Hide a payload in a sound on its way through a pipeline.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, shape (frames, channels)
        The sound, in order. Up to twelve seconds are read ahead.
    rate : int
        Samples per second, 8,000 to 192,000.
    payload : Payload
        What to hide.
    key : Key
        Who can find it again.
    strength : float, optional
        Change in dB relative to the default, 0.25 to 4.

    Yields
    ------
    ndarray of float32, shape (frames, channels)
        The marked sound, in blocks of other lengths.

    Raises
    ------
    UsageError
        A block has another type or shape, or values that are not finite, or an
        argument is out of range.
    """
    writer: AudioWriter | None = None
    for block in blocks:
        if writer is None:
            channels = block.shape[1] if block.ndim == 2 else 1
            writer = AudioWriter(rate, channels, payload, key, strength=strength)
        yield writer.push(block)
    if writer is not None:
        yield writer.finish()


def _chips(pattern: Float, phases: Ints) -> Float:
    """Return whether each band becomes louder (1) or softer (-1), (phases, bands)."""
    rows = pattern[phases // timing.PHASES % ROWS]
    second = phases // WINDOWS % 2
    rows = rows * (1 - 2 * second[:, None])
    return np.stack([rows, -rows], axis=2).reshape(len(phases), -1)


def _favorable(levels: Float, decibels: Float, pattern: Float) -> int:
    """Return the phase to begin with: the one that the host itself speaks for most."""
    rest = levels - _blur(_blur(levels, 3, 0), 3, 1)
    np.clip(rest, -CLIP, CLIP, out=rest)
    power = _blur(_blur(rest**2, NEAR_TILES, 0), NEAR_BANDS, 1)
    wanted = rest / (power + EVEN) * decibels
    circle = _chips(pattern, WINDOWS * np.arange(2 * ROWS))
    folded = np.zeros(circle.shape)
    np.add.at(folded, np.arange(len(wanted)) % len(folded), wanted)
    products = np.conj(np.fft.rfft(folded, axis=0)) * np.fft.rfft(circle, axis=0)
    fits = np.fft.irfft(products.sum(axis=1), len(circle))
    return WINDOWS * int(np.argmax(fits))


def _blur(values: Float, size: int, axis: int) -> Float:
    """Return the mean over `size` neighbors, an odd number, fewer at the ends."""
    half = size // 2
    sums = np.cumsum(values, axis=axis, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
    here = np.arange(values.shape[axis])
    low = np.maximum(here - half, 0)
    high = np.minimum(here + half + 1, values.shape[axis])
    shape = (-1, 1) if axis == 0 else (1, -1)
    means = (sums.take(high, axis) - sums.take(low, axis)) / (high - low).reshape(shape)
    return np.asarray(means, np.float32)


def _silent(channel: Float, least: float) -> NDArray[np.bool_]:
    """Say which samples lie in a run of at least so many zeros."""
    zero = np.concatenate([[False], channel == 0, [False]])
    turns = np.flatnonzero(zero[1:] != zero[:-1]).reshape(-1, 2)
    out = np.zeros(len(channel), np.bool_)
    for start, stop in turns[turns[:, 1] - turns[:, 0] >= least]:
        out[start:stop] = True
    return out
