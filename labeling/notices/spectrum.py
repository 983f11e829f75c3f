"""Power spectra of a stream, the same at every rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["BIN_HZ", "HOP_S", "WINDOW_S", "spectra", "stream"]

Floats = NDArray[np.float32]

WINDOW_S = 0.048
HOP_S = 0.016
BIN_HZ = 1 / WINDOW_S

# Up to 3.75 kHz, which telephones and the lowest bit rates still carry.
_BINS = 180
_PIECE_S = 1.0
# Far beyond full scale; keeps powers finite.
_LIMIT = 100.0


def spectra(samples: Floats, rate: int) -> Floats:
    """Return the power spectra of a sound, summed over its channels.

    Parameters
    ----------
    samples : ndarray of float32, shape (frames, channels)
        What is left at the end and shorter than a window is not used.
    rate : int
        Frames a second.

    Returns
    -------
    ndarray of float32, shape (windows, 180)
        Windows of `WINDOW_S` every `HOP_S`, bins of `BIN_HZ`. A tone of full scale has
        a power of 1 in each channel.
    """
    size = round(WINDOW_S * rate)
    window = np.hanning(size).astype(np.float32)
    window *= 2 / window.sum()
    count = max(0, math.floor((len(samples) - size) / rate / HOP_S) + 1)
    total = np.zeros((count, _BINS), np.float32)
    if not count:
        return total
    starts = np.round(np.arange(count) * HOP_S * rate).astype(int)
    tame = np.clip(np.nan_to_num(samples), -_LIMIT, _LIMIT)
    for channel in tame.T:
        views = np.lib.stride_tricks.sliding_window_view(channel, size)[starts]
        spectrum = np.fft.rfft(views * window, axis=1)[:, :_BINS]
        total[:, : spectrum.shape[1]] += np.abs(spectrum) ** 2
    return total


def stream(blocks: Iterable[Floats], rate: int, quiet_s: float) -> Iterator[Floats]:
    """Yield the power spectra of a stream, with silence before and after it.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, shape (frames, channels)
    rate : int
        Frames a second.
    quiet_s : float
        Length of each silence.

    Yields
    ------
    ndarray of float32, shape (windows, 180)
        As `spectra` returns them, of about one second each.
    """
    piece = round(_PIECE_S * rate)
    done = 0
    rest: Floats | None = None
    for block in _padded(blocks, round(quiet_s * rate)):
        for start in range(0, len(block), piece):
            part = block[start : start + piece]
            rest = part if rest is None else np.concatenate([rest, part])
            if len(rest) >= piece:
                powers = spectra(rest, rate)
                yield powers
                # Windows are placed by time, not by a rounded number of frames.
                first, done = done, done + len(powers)
                rest = rest[round(done * HOP_S * rate) - round(first * HOP_S * rate) :]
    if rest is not None:
        yield spectra(rest, rate)


def _padded(blocks: Iterable[Floats], frames: int) -> Iterator[Floats]:
    channels = None
    for block in blocks:
        if channels is None:
            channels = block.shape[1]
            yield np.zeros((frames, channels), np.float32)
        yield block
    if channels is not None:
        yield np.zeros((frames, channels), np.float32)
