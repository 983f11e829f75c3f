"""Find the notices that people hear in a sound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import rhythm, speech
from .audio import TEXTS
from .heard import Heard, best
from .spectrum import HOP_S, stream

__all__ = ["FoundAudioNotice", "find"]

Floats = NDArray[np.float32]

# The rhythm needs quiet before and after it, the templates their margins.
_QUIET_S = 0.5
_OVERLAP = round(max(rhythm.LONGEST_S, speech.LONGEST_S) / HOP_S)
_WINDOWS = round(30 / HOP_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAudioNotice:
    """A notice found in a sound.

    Parameters
    ----------
    kind : str
        "spoken" or "rhythm".
    language : str
        "zh" or "en", empty for the rhythm.
    text : str
        What is said.
    start_s, end_s : float
        When, to about 0.03 s; the rhythm to about a unit.
    score : float
        Likeness to the notice, 0 to 1.
    p_value : float
        Chance that an unmarked sound as long as this gives such a score anywhere.
    """

    kind: str
    language: str
    text: str
    start_s: float
    end_s: float
    score: float
    p_value: float


def find(blocks: Iterable[Floats], rate: int) -> tuple[FoundAudioNotice, ...]:
    """Look for audible notices, anywhere in a sound.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, shape (frames, channels)
        The sound. All blocks have the same channels.
    rate : int
        Frames a second.

    Returns
    -------
    tuple of FoundAudioNotice
        By time; empty when there is none. The rhythm is found at any pitch from 300
        to 3,000 Hz with units of 0.08 to 0.25 s; speech where it is the package's.
    """
    tones: list[Heard] = []
    words: list[Heard] = []
    length_s = 0.0
    for start_s, powers in _stretches(stream(blocks, rate, _QUIET_S)):
        tones += (one.later(start_s - _QUIET_S) for one in rhythm.search(powers))
        words += (one.later(start_s - _QUIET_S) for one in speech.search(powers))
        length_s = start_s + len(powers) * HOP_S
    found = [
        _weighed(one, one.score / rhythm.MAX_SCORE, rhythm.false_alarms(one, length_s))
        for one in best(tones)
    ]
    found += [
        _weighed(one, one.score, speech.false_alarms(one, length_s))
        for one in best(words)
    ]
    return tuple(sorted(found, key=lambda notice: notice.start_s))


def _stretches(pieces: Iterable[Floats]) -> Iterator[tuple[float, Floats]]:
    """Join spectra into long stretches that overlap, each with its start."""
    first = 0
    held: list[Floats] = []
    for piece in pieces:
        held.append(piece)
        if sum(map(len, held)) >= _WINDOWS:
            stretch = np.concatenate(held)
            yield first * HOP_S, stretch
            first += len(stretch) - _OVERLAP
            held = [stretch[-_OVERLAP:]]
    if held:
        yield first * HOP_S, np.concatenate(held)


def _weighed(heard: Heard, score: float, expected: float) -> FoundAudioNotice:
    spoken = heard.name != "rhythm"
    return FoundAudioNotice(
        kind="spoken" if spoken else "rhythm",
        language=heard.name[:2] if spoken else "",
        text=TEXTS[heard.name],
        start_s=heard.start_s,
        end_s=heard.end_s,
        score=score,
        p_value=-math.expm1(-expected),
    )
