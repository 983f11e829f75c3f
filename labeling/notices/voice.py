"""The spoken notices that the package ships, and the tones of the rhythm."""

from __future__ import annotations

import io
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

__all__ = ["recording", "tones"]

Floats = NDArray[np.float32]

# Start and end of the tones of "AI" in Morse code, in units: three for the long one,
# one between tones and three between letters (ITU-R M.1677-1).
_RHYTHM = ((0, 1), (2, 5), (8, 9), (10, 11))
_UNIT_S = 0.15
# High enough for small loudspeakers, with an overtone that lifts it out of music.
_PITCH_HZ = 880.0
_OVERTONE = 0.2
_EDGE_S = 0.008


def tones(rate: int) -> Floats:
    """Return the rhythm "short-long short-short".

    Parameters
    ----------
    rate : int
        Frames a second.

    Returns
    -------
    ndarray of float32, shape (frames,)
        It starts and ends with a tone; 1.65 s, peak 1.
    """
    time = np.arange(round(_RHYTHM[-1][1] * _UNIT_S * rate)) / rate
    envelope = np.zeros(len(time))
    for start, end in _RHYTHM:
        inside = np.minimum(time - start * _UNIT_S, end * _UNIT_S - time)
        envelope += np.sin(np.pi / 2 * np.clip(inside / _EDGE_S, 0, 1)) ** 2
    phase = 2 * np.pi * _PITCH_HZ * time
    wave = np.sin(phase) + _OVERTONE * np.sin(2 * phase)
    return np.asarray(envelope * wave / np.abs(wave).max(), np.float32)


@lru_cache(maxsize=8)
def recording(name: str, rate: int) -> Floats:
    """Return a recording of the folder `voices`, such as "zh" or "en-short".

    Parameters
    ----------
    name : str
        Name of the file, without its ending.
    rate : int
        Frames a second of what is returned.

    Returns
    -------
    ndarray of float32, shape (frames,)
        Read-only; it starts and ends with speech.
    """
    import av

    folder = resources.files(__package__)
    data = folder.joinpath("voices", f"{name}.opus").read_bytes()
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    with av.open(io.BytesIO(data), mode="r") as file:
        frames = [*file.decode(audio=0), None]
    parts = [part for frame in frames for part in resampler.resample(frame)]
    sound: Floats = np.concatenate([part.to_ndarray()[0] for part in parts])
    sound.flags.writeable = False
    return sound
