"""Find the spoken notices of the package by their spectra.

Each recording is a template: the level of each bin up to 3.4 kHz, less what is usual
around it in time and in frequency, so that neither loudness nor an equalizer matters.
It is compared with every place of a sound by normalized correlation.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .heard import Heard, best
from .spectrum import BIN_HZ, HOP_S, spectra
from .voice import recording

__all__ = ["LONGEST_S", "MIN_SCORE", "NAMES", "false_alarms", "search"]

Floats = NDArray[np.float32]

NAMES = ("zh", "zh-short", "en", "en-short")
"""The recordings."""

LONGEST_S = 4.5
"""Length of the longest recording, rounded up, with its margins."""

MIN_SCORE = 0.3
"""Least correlation of a spoken notice; equal sounds have 1."""

_RATE = 8000
_BAND = slice(round(150 / BIN_HZ), round(3400 / BIN_HZ))
_AROUND_FRAMES = round(0.2 / HOP_S)
_AROUND_BINS = round(170 / BIN_HZ)
_MAX_DB = 8.0
_RANGE_DB = 70.0
_FLOOR = 1e-12
_MARGIN_S = 0.1
# Windows may fall anywhere on the speech: one template between two of them.
_PHASES_S = (0.0, HOP_S / 2)
# With less than this share of a template's energy there is nothing to compare.
_LEAST_ENERGY = 0.1

# The logarithm of how many matches there are by chance in an hour: above all counts of
# the recordings and their reversals in speech and music.
_INTERCEPT = 4.8
_SLOPE = 25.0


def false_alarms(heard: Heard, length_s: float) -> float:
    """Return how many matches as good as this chance makes in such a length."""
    return float(length_s / 3600 * 10 ** (_INTERCEPT - _SLOPE * heard.score))


def search(powers: Floats) -> list[Heard]:
    """Return what looks like a spoken notice.

    Parameters
    ----------
    powers : ndarray of float32, shape (windows, bins)
        Spectra of the module `spectrum`.

    Returns
    -------
    list of Heard
        The best one at each place, in seconds from the first window.
    """
    found = []
    features = _features(powers)
    size = 1 << (len(features) - 1).bit_length()
    spectrum = np.fft.rfft(features, size, axis=0)
    energies = np.cumsum(
        np.append(0, np.square(features).sum(axis=1, dtype=np.float64))
    )
    for name in NAMES:
        length_s = len(recording(name, _RATE)) / _RATE
        for late_s in _PHASES_S:
            template = _template(name, late_s)
            places = len(features) - len(template) + 1
            if places <= 0:
                continue
            product = spectrum * _conjugate(name, late_s, size)
            alike = np.fft.irfft(product.sum(axis=1), size)[:places]
            own = np.square(template).sum()
            energy = energies[len(template) :] - energies[: -len(template)]
            scores = alike / np.sqrt(np.maximum(energy, _LEAST_ENERGY * own) * own)
            for place in np.flatnonzero(scores >= MIN_SCORE).tolist():
                start_s = place * HOP_S + _MARGIN_S + late_s
                found.append(
                    Heard(
                        score=float(scores[place]),
                        name=name,
                        start_s=start_s,
                        end_s=start_s + length_s,
                    )
                )
    return best(found)


@lru_cache(maxsize=16)
def _template(name: str, late_s: float) -> Floats:
    """Return the features of a recording that starts a little late."""
    sound = recording(name, _RATE)
    margins = round((_MARGIN_S + late_s) * _RATE), round(_MARGIN_S * _RATE)
    return _features(spectra(np.pad(sound, margins)[:, None], _RATE))


@lru_cache(maxsize=16)
def _conjugate(name: str, late_s: float, size: int) -> NDArray[np.complex64]:
    return np.asarray(np.conj(np.fft.rfft(_template(name, late_s), size, axis=0)))


def _features(powers: Floats) -> Floats:
    """Return how far each bin stands out from what is around it, within 8 dB."""
    level = 10 * np.log10(powers[:, _BAND] + _FLOOR)
    level = np.maximum(level, level.max(initial=-np.inf) - _RANGE_DB)
    level -= _mean_around(level, _AROUND_FRAMES)
    level -= _mean_around(level.T, _AROUND_BINS).T
    return np.asarray(np.clip(level, -_MAX_DB, _MAX_DB), np.float32)


def _mean_around(level: Floats, reach: int) -> Floats:
    """Return the means over `reach` rows to both sides."""
    padded = np.pad(level, ((reach + 1, reach), (0, 0)), mode="edge")
    sums = np.cumsum(padded, axis=0, dtype=np.float64)
    width = 2 * reach + 1
    return np.asarray((sums[width:] - sums[:-width]) / width, np.float32)
