from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark import Key, Payload, detect_audio, embed_audio
from synthmark.labeling.errors import TooShortForMark, UsageError
from synthmark.labeling.marks.audio import AudioReader, AudioWriter

Sound = NDArray[np.float32]

RATE = 16_000


def hiss(seconds: float, channels: int = 1) -> Sound:
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.1, (int(seconds * RATE), channels)).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.2, 1.99])
def test_what_is_too_short_is_refused(
    seconds: float, key: Key, payload: Payload
) -> None:
    with pytest.raises(TooShortForMark, match="too short for a mark: 2 s are needed"):
        embed_audio(hiss(seconds), RATE, payload, key)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([0.0] * 40_000, "float32"),
        (np.zeros(40_000), "float64"),
        (np.zeros(40_000, np.int16), "int16"),
        (np.zeros((40_000, 2, 1), np.float32), r"\(40000, 2, 1\)"),
        (np.zeros((40_000, 9), np.float32), "9 channels"),
        (np.zeros((40_000, 0), np.float32), "channels|empty"),
        (np.zeros(0, np.float32), "empty"),
        (np.full(40_000, np.nan, np.float32), "finite"),
        (np.full(40_000, -np.inf, np.float32), "finite"),
        (np.full(40_000, 20_000, np.float32), "full scale is 1"),
    ],
)
def test_what_is_not_a_sound_is_refused(
    samples: Sound, words: str, key: Key, payload: Payload
) -> None:
    with pytest.raises(UsageError, match=words):
        embed_audio(samples, RATE, payload, key)
    with pytest.raises(UsageError, match=words):
        detect_audio(samples, RATE, key)


@pytest.mark.parametrize("rate", [0, -1, 7_999, 192_001, 10**9, 44_100.0, True, None])
def test_rates_that_are_not_handled_are_refused(
    rate: int, key: Key, payload: Payload
) -> None:
    with pytest.raises(UsageError, match="rate"):
        embed_audio(hiss(3), rate, payload, key)
    with pytest.raises(UsageError, match="rate"):
        detect_audio(hiss(3), rate, key)


def test_strength_and_keys_are_checked(key: Key, payload: Payload) -> None:
    for strength in (0.2, 4.1, float("nan")):
        with pytest.raises(UsageError, match="strength"):
            embed_audio(hiss(3), RATE, payload, key, strength=strength)
    with pytest.raises(UsageError, match="no key"):
        detect_audio(hiss(3), RATE, [])


def test_blocks_of_another_kind_are_refused(key: Key, payload: Payload) -> None:
    writer, reader = AudioWriter(RATE, 2, payload, key), AudioReader(RATE, 2, key)
    for block in (hiss(1), hiss(1)[:, 0], hiss(1, 2).astype(float)):
        with pytest.raises(UsageError, match=r"\(frames, 2\)"):
            writer.push(block)
        with pytest.raises(UsageError, match=r"\(frames, 2\)"):
            reader.push(block)
