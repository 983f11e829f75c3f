"""How loud a sound is to the ear, in LUFS (ITU-R BS.1770-4)."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["integrated", "level_beside", "short_term", "weighted_power"]

Floats = NDArray[np.float32]
Powers = NDArray[np.float64]
Complex = NDArray[np.complex128]

SILENCE_LUFS = -70.0
"""What is softer counts as silence (BS.1770-4, absolute gate)."""

_OFFSET = -0.691
_RELATIVE_GATE = -10.0
_TOLERANCE_LU = 3.0

# Powers are taken by 0.1 s; gating blocks overlap by three quarters.
_HOPS_PER_S = 10
_GATING_HOPS = 4
_SHORT_TERM_HOPS = 30

# The filters have rung out below -200 dB after this time.
_RINGING_S = 0.1
_CHUNK_HOPS = 20

# Channels by number, in the order of WAVE files. Surround channels count 1.5 dB more
# and the one for low frequencies not at all.
_WEIGHTS = {
    5: (1, 1, 1, 1.41, 1.41),
    6: (1, 1, 1, 0, 1.41, 1.41),
    7: (1, 1, 1, 0, 1, 1.41, 1.41),
    8: (1, 1, 1, 0, 1, 1, 1.41, 1.41),
}


def weighted_power(samples: Floats, rate: int) -> Powers:
    """Return the K-weighted power of each tenth of a second.

    Parameters
    ----------
    samples : ndarray of float32, shape (frames, channels)
        Values that are not finite count as zero. The filters start from silence.
    rate : int
        Frames a second.

    Returns
    -------
    ndarray of float64, shape (hops,)
        Sum of the channels, weighted. A last part of less than 0.1 s is left out,
        unless there is nothing else.
    """
    frames, channels = samples.shape
    hop = round(rate / _HOPS_PER_S)
    weights = np.array(_WEIGHTS.get(channels, (1,) * channels), np.float64)
    if frames < hop:
        samples = np.pad(samples, ((0, hop - frames), (0, 0)))
    hops = len(samples) // hop
    lead, chunk = round(_RINGING_S * rate), _CHUNK_HOPS * hop
    size = 1 << (2 * lead + chunk - 1).bit_length()
    response = _response(rate, size)[:, None]
    powers = []
    for start in range(0, hops * hop, chunk):
        part = samples[max(start - lead, 0) : min(start + chunk, hops * hop)]
        spectrum = np.fft.rfft(np.nan_to_num(part, posinf=0, neginf=0), size, axis=0)
        heard = np.fft.irfft(spectrum * response, size, axis=0)
        heard = heard[min(start, lead) : len(part)]
        powers.append((heard**2).reshape(-1, hop, channels).mean(axis=1) @ weights)
    if frames == 0:
        return np.zeros(0)
    if frames < hop:
        return np.asarray(powers[0] * (hop / frames))
    return np.asarray(np.concatenate(powers))


def integrated(powers: Powers) -> float | None:
    """Return the gated loudness in LUFS (BS.1770-4, annex 1), None for silence."""
    blocks = _means(powers, _GATING_HOPS)
    blocks = blocks[blocks > _power(SILENCE_LUFS)]
    if len(blocks):
        blocks = blocks[blocks > _power(_lufs(blocks.mean()) + _RELATIVE_GATE)]
    return _lufs(blocks.mean()) if len(blocks) else None


def short_term(powers: Powers) -> float | None:
    """Return the loudness of the loudest 3 s (EBU Tech 3341), None for silence."""
    loudest = _means(powers, _SHORT_TERM_HOPS).max(initial=0)
    return _lufs(loudest) if loudest > _power(SILENCE_LUFS) else None


def level_beside(samples: Floats, rate: int) -> float | None:
    """Return the level that a notice beside this sound shall have.

    It is the gated loudness, and no less than 3 LU below the loudest three seconds.

    Parameters
    ----------
    samples : ndarray of float32, shape (frames, channels)
        The sound near the notice.
    rate : int
        Frames a second.

    Returns
    -------
    float or None
        In LUFS; None for silence.
    """
    powers = weighted_power(samples, rate)
    gated, loudest = integrated(powers), short_term(powers)
    if gated is None or loudest is None:
        return gated
    return max(gated, loudest - _TOLERANCE_LU)


def _means(powers: Powers, length: int) -> Powers:
    """Return the means of all runs of a length, or of all there is."""
    length = min(length, len(powers))
    if length == 0:
        return powers
    sums = np.cumsum(np.append(0, powers))
    return np.asarray((sums[length:] - sums[:-length]) / length)


def _lufs(power: float) -> float:
    return _OFFSET + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET) / 10))


@lru_cache(maxsize=8)
def _response(rate: int, size: int) -> Complex:
    """Return the response of the two filters of K-weighting at the bins of an FFT.

    The standard tabulates them at 48 kHz; their analog prototypes, and so the
    coefficients at other rates, are those of De Man, "Evaluation of implementations
    of the EBU R128 loudness measurement", AES 145 (2018).
    """
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    k, q = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196
    shelf = _biquad(high + k * k, 2 * (k * k - high), band * k / q, z)
    shelf /= _biquad(1 + k * k, 2 * (k * k - 1), k / q, z)
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    highpass = (1 - z) ** 2 * (1 + k / q + k * k)
    highpass /= _biquad(1 + k * k, 2 * (k * k - 1), k / q, z)
    return np.asarray(shelf * highpass)


def _biquad(outer: float, middle: float, tilt: float, z: Complex) -> Complex:
    return (outer + tilt) + middle * z + (outer - tilt) * z**2
