"""Fingerprints of sounds: sixteen bits for every eighth of a second.

Each bit says whether the step in loudness between two neighboring bands is above or
below its mean over the second around. That is the idea of Haitsma and Kalker (2002,
"A highly robust audio fingerprinting system"), with fewer and longer frames: a codec,
a filter or a change of level moves a step and its mean alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .fingerprint import AUDIO, MAX_BYTES, Fingerprint

__all__ = ["fingerprint_audio", "span_agreements", "words_of"]

HOP_S = 0.125
WINDOW_S = 0.5
BANDS, LOW_HZ, HIGH_HZ = 16, 200.0, 3000.0
AROUND = 4  # frames on either side that make the mean
QUIET = 1e-9  # power of a band, where 1 is full scale, that is no sound (-90 dB)
MAX_WORDS = MAX_BYTES // 2
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
PIECE = 1 << 16  # samples handled at once

SPAN = 64  # words that are laid over the other sound at once: eight seconds
LEAST_HEARD = 24  # words of these that must count: three seconds
MOST_SPANS = 16
TEMPOS = tuple(1 + 0.02 * step for step in range(-3, 4))

Words = NDArray[np.uint32]
Samples = NDArray[np.float32]


def fingerprint_audio(
    sound: NDArray[np.float32] | Iterable[NDArray[np.float32]], rate: int
) -> Fingerprint:
    """Fingerprint a sound as it streams by.

    Parameters
    ----------
    sound : ndarray of float32, or iterable of such
        Samples of shape (frames,) or (frames, channels), full scale 1, at once or in
        blocks of any length. The first 68 minutes count.
    rate : int
        Frames a second, 4,000 to 384,000.

    Returns
    -------
    Fingerprint
        Sixteen bytes a second, at most 65,536.

    Raises
    ------
    UsageError
        The rate is out of range, or these are no samples.
    """
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise UsageError(f"the rate must be {MIN_RATE_HZ:,} to {MAX_RATE_HZ:,} Hz")
    blocks = [sound] if isinstance(sound, np.ndarray) else sound
    levels = list(islice(_levels(_mono(blocks), rate), MAX_WORDS))
    if not levels:
        return Fingerprint(algorithm=AUDIO, value=bytes(2))
    value = _words(np.array(levels)).astype(">u2").tobytes()
    return Fingerprint(algorithm=AUDIO, value=value)


def words_of(fingerprint: Fingerprint) -> Words:
    """Return the words of a sound, shape (n,), 0 where nothing was heard.

    Raises
    ------
    UsageError
        The fingerprint is malformed.
    """
    if len(fingerprint.value) % 2:
        raise UsageError("the fingerprint is not one of a sound")
    return np.frombuffer(fingerprint.value, ">u2").astype(np.uint32)


def span_agreements(first: Words, second: Words) -> list[tuple[float, float]]:
    """Look for spans of the shorter sound in the longer one.

    Returns
    -------
    list of (float, float)
        For each of up to sixteen spans, spread over the shorter sound, that hold
        enough: deviations above chance at the best place and tempo, and the share of
        bits that agree there.
    """
    from ...kernels.alignment import slide

    short, long = sorted((first, second), key=len)
    length = min(SPAN, len(short))
    count = max(1, min(MOST_SPANS, len(short) // SPAN))
    starts = np.linspace(0, len(short) - length, count).astype(int)
    steps = np.rint(np.outer(TEMPOS, np.arange(length))).astype(np.int64)
    return [
        slide(short[start : start + length], long, steps, LEAST_HEARD)
        for start in starts.tolist()
        if np.count_nonzero(short[start : start + length]) >= LEAST_HEARD
    ]


def _mono(blocks: Iterable[NDArray[np.float32]]) -> Iterator[Samples]:
    """Yield one channel in pieces of bounded length, all finite."""
    for block in blocks:
        if not isinstance(block, np.ndarray) or block.ndim not in (1, 2):
            raise UsageError("samples come as arrays of shape (frames[, channels])")
        if not np.issubdtype(block.dtype, np.floating):
            raise UsageError("samples come as floating-point numbers")
        for start in range(0, len(block), PIECE):
            part = np.asarray(block[start : start + PIECE], np.float32)
            part = np.nan_to_num(part, nan=0, posinf=0, neginf=0).clip(-8, 8)
            if part.ndim == 2 and part.shape[1]:
                yield part.mean(axis=1, dtype=np.float32)
            elif part.ndim == 1:
                yield part


def _levels(pieces: Iterable[Samples], rate: int) -> Iterator[NDArray[np.float64]]:
    """Yield the power of each band in each window, shape (17,)."""
    length = round(WINDOW_S * rate)
    window = np.hanning(length + 1)[:length].astype(np.float32)
    edges = np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 2) * length / rate
    bins = np.minimum(np.rint(edges).astype(int), length // 2)
    norm = 2 / (length * float(np.square(window).sum()))
    kept = np.zeros(0, np.float32)
    origin = number = 0  # of the first kept sample, and of the next window
    for piece in pieces:
        kept = np.concatenate([kept, piece])
        while (start := round(number * HOP_S * rate) - origin) + length <= len(kept):
            spectrum = np.fft.rfft(kept[start : start + length] * window)
            power = np.square(spectrum.real) + np.square(spectrum.imag)
            sums = np.cumsum(power, dtype=np.float64)
            yield norm * np.diff(sums[bins])
            number += 1
        drop = min(max(0, start), len(kept))
        kept, origin = kept[drop:], origin + drop


def _words(power: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return sixteen bits for each window, 0 where it is silent."""
    steps = -np.diff(np.log(power + QUIET), axis=1)
    sums = np.cumsum(np.vstack([np.zeros(BANDS), steps]), axis=0)
    frames = np.arange(len(steps))
    first = np.maximum(frames - AROUND, 0)
    last = np.minimum(frames + AROUND + 1, len(steps))
    mean = (sums[last] - sums[first]) / (last - first)[:, None]
    bits = np.packbits(steps > mean, axis=1).astype(np.uint16)
    words = 256 * bits[:, 0] + bits[:, 1]
    heard = power.max(axis=1) > 4 * QUIET
    return np.where(heard, np.maximum(words, 1), 0).astype(np.uint16)
