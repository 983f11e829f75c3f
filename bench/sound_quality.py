"""What the mark changes in a sound: speech and music quality, and flutter of tones.

PESQ and ViSQOL compare as a whole, and hardly see a level that flutters twenty times a
second. So levels in critical bands are compared as well, moment by moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from sound_changes import resample

__all__ = ["Flutter", "flutter", "pesq_wb", "steady_tones", "visqol"]

Sound = NDArray[np.float32]
Array = NDArray[np.float64]

HOP_S, WINDOW_S, SLOW_S = 0.004, 0.032, 0.3
AUDIBLE_DB = 60.0  # below the loudest band and moment
OFFSET_DB, UPWARD_DB, DOWNWARD_DB = 14.0, 10.0, 27.0  # of masking, and per ERB
LEAST_SHARE = 0.1  # of the time that a band must be audible
STEADY_DB = 1.0  # of flutter that a band may have by itself to count as steady


@dataclass(frozen=True)
class Flutter:
    """How levels in critical bands flutter at 3 to 60 Hz, as rms in dB.

    Attributes
    ----------
    hertz : ndarray, shape (n,)
        Centers of the bands that are heard.
    added : ndarray, shape (n,)
        Of the difference in level.
    own : ndarray, shape (n,)
        Of the host.
    """

    hertz: Array
    added: Array
    own: Array

    @property
    def worst_steady(self) -> float:
        """Most that is added to a band that hardly flutters by itself."""
        return float(self.added[self.own <= STEADY_DB].max(initial=0))

    @property
    def worst_ratio(self) -> float:
        """Most that is added to another band, over what it has itself."""
        other = self.own > STEADY_DB
        return float((self.added[other] / self.own[other]).max(initial=0))

    @property
    def mean(self) -> float:
        """Mean over the bands."""
        return float(self.added.mean()) if len(self.added) else 0.0

    @property
    def most(self) -> float:
        """Most of any band."""
        return float(self.added.max(initial=0))


def flutter(original: Sound, marked: Sound, rate: int) -> Flutter:
    """Compare the levels of two sounds in bands of one ERB.

    Bands are rounded exponentials one ERB apart (Moore and Glasberg 1983; Glasberg and
    Moore 1990). A band is heard where it is not more than 60 dB below the loudest, nor
    masked: 14 dB below another one that is spread by 10 dB per ERB upward and 27 dB
    downward.
    """
    centers = _hertz(np.arange(_erbs(150), _erbs(min(7500, 0.45 * rate))))
    before, after = (_levels(x, rate, centers) for x in (original, marked))
    distance = _erbs(centers)[None] - _erbs(centers)[:, None]
    spread = np.where(distance > 0, -UPWARD_DB * distance, DOWNWARD_DB * distance)
    np.fill_diagonal(spread, -np.inf)
    masked = 10 * np.log10(
        10 ** (before / 10) @ 10 ** ((spread - OFFSET_DB) / 10) + 1e-12
    )
    heard = (before > before.max() - AUDIBLE_DB) & (before > masked)
    count = heard.sum(axis=0)
    chosen = count > LEAST_SHARE * len(heard)

    def rms(values: Array) -> Array:
        size = round(SLOW_S / HOP_S)
        fast = values - signal.fftconvolve(
            np.pad(values, ((size // 2, size - 1 - size // 2), (0, 0)), "edge"),
            np.full((size, 1), 1 / size),
            "valid",
            axes=0,
        )
        power = (fast**2 * heard).sum(axis=0)[chosen] / count[chosen]
        return np.asarray(np.sqrt(power))

    return Flutter(centers[chosen], rms(after - before), rms(before))


def _erbs(hertz: Any) -> Any:
    return 21.4 * np.log10(4.37 * np.asarray(hertz) / 1000 + 1)


def _hertz(erbs: Array) -> Array:
    return np.asarray((10 ** (erbs / 21.4) - 1) / 4.37 * 1000)


def _levels(x: Sound, rate: int, centers: Array) -> Array:
    size, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    shape = signal.get_window("hann", size)
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=0)[::hop]
    power = sum(
        np.abs(np.fft.rfft(windows[:, channel] * shape, axis=1)) ** 2
        for channel in range(x.shape[1])
    )
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    width = 24.7 * (4.37 * centers / 1000 + 1)
    away = 4 * np.abs(frequencies[:, None] - centers) / width
    return np.asarray(10 * np.log10(power @ ((1 + away) * np.exp(-away)) + 1e-12))


def pesq_wb(original: Sound, marked: Sound, rate: int) -> float:
    """Return PESQ, wide band (ITU-T P.862.2), of the first 20 s in one channel."""
    from pesq import pesq

    one, other = (_mono(x, rate, 16_000, 20) for x in (original, marked))
    return float(pesq(16_000, one, other, "wb"))


def visqol(original: Sound, marked: Sound, rate: int) -> float:
    """Return ViSQOL in audio mode, at most about 4.73, of the first 15 s."""
    one, other = (_mono(x, rate, 48_000, 15) for x in (original, marked))
    pair = (one.astype(np.float64), other.astype(np.float64))
    return float(_visqol().measure_from_arrays(*pair, 48_000).moslqo)


@cache
def _visqol() -> Any:
    from visqol import VisqolApi

    made = VisqolApi()
    made.create(mode="audio")
    return made


def _mono(x: Sound, rate: int, new: int, seconds: int) -> Sound:
    return resample(x[: seconds * rate].mean(axis=1, keepdims=True), rate, new)[:, 0]


def steady_tones(rate: int = 44_100, seconds: float = 8.0) -> dict[str, Sound]:
    """Make sounds whose levels hold still, shape (frames, 1) each."""
    t = np.arange(int(seconds * rate)) / rate
    turn = 2 * np.pi * t

    def vowel(phase: Array) -> Array:
        formants = ((700, 80, 1.0), (1150, 90, 0.5), (2600, 120, 0.2), (3300, 150, 0.1))
        out = np.zeros_like(t)
        for k in range(1, 30):
            gain = sum(g / (1 + ((200 * k - f) / w) ** 2) for f, w, g in formants)
            out += 0.15 * gain * np.sin(k * phase)
        return out

    def organ(*notes: float) -> Array:
        out = np.zeros_like(t)
        for note in notes:
            for k in (1, 2, 3, 4, 6, 8, 10, 12):
                out += 0.06 / k * np.sin(turn * note * k + k)
        return out

    notes = (220, 277.2, 329.6, 440, 330, 262, 220, 165)
    piano = np.zeros_like(t)
    for start, note in enumerate(notes):
        u = np.maximum(t - start, 0)
        for k in range(1, 16):
            sharp = k * np.sqrt(1 + 0.0004 * k * k)
            fading = np.exp(-u * (0.8 + 0.4 * k)) * np.minimum(u / 0.004, 1)
            piano += 0.12 / k * fading * np.sin(2 * np.pi * note * sharp * u)
    vibrato = 2 * np.pi * np.cumsum(200 * (1 + 0.012 * np.sin(5.5 * turn))) / rate
    made = {
        "sine 440 Hz": 0.3 * np.sin(440 * turn),
        "sine 2 kHz": 0.3 * np.sin(2000 * turn),
        "harmonics of 220 Hz": sum(
            0.1 * np.sin(220 * k * turn + k * k) / k**0.7 for k in range(1, 20)
        ),
        "organ, one note": organ(196.0),
        "organ, chord that beats": organ(130.8, 196.0, 261.6, 329.6),
        "sung vowel": vowel(200 * turn),
        "sung vowel, vibrato": vowel(vibrato),
        "piano": piano,
    }
    return {
        name: np.asarray(x, np.float64).astype(np.float32)[:, None]
        for name, x in made.items()
    }
