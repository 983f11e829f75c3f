from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.labeling.errors import UsageError
from synthmark.labeling.fingerprints import audio
from synthmark.labeling.fingerprints.audio import fingerprint_audio
from synthmark.labeling.fingerprints.comparison import compare
from synthmark.labeling.fingerprints.fingerprint import AUDIO, Fingerprint

Samples = NDArray[np.float32]
Sounds = dict[str, tuple[Samples, int]]
RATE = 8000


def stretched(x: Samples, factor: float) -> Samples:
    """Play windows of 60 ms at other distances than they were taken: same pitch."""
    size = 1200
    window = np.hanning(size).astype(np.float32)
    count = int(len(x) / factor / (size // 2)) - 2
    out = np.zeros((count + 1) * (size // 2) + size, np.float32)
    for i in range(count):
        start = int(i * (size // 2) * factor)
        part = x[start : start + size]
        if len(part) == size:
            out[i * (size // 2) : i * (size // 2) + size] += part * window
    return out


def resampled(x: Samples, factor: float) -> Samples:
    places = np.arange(0, len(x) - 1, factor)
    return np.interp(places, np.arange(len(x)), x).astype(np.float32)


CHANGES: dict[str, Callable[[Samples], Samples]] = {
    "quiet": lambda x: 0.05 * x,
    "loud and clipped": lambda x: (3 * x).clip(-1, 1),
    "upside down": lambda x: -x,
    "noise at 20 dB": lambda x: (
        x
        + 0.1
        * x.std()
        * np.random.default_rng(0).standard_normal(len(x)).astype(np.float32)
    ),
    "ten seconds of it": lambda x: x[len(x) // 5 :],
    "eight bits": lambda x: (np.round(127 * x) / 127).astype(np.float32),
    "telephone": lambda x: np.convolve(x, np.ones(5) / 5, "same").astype(np.float32),
    "5 % slower": lambda x: stretched(x, 0.95),
    "5 % faster": lambda x: stretched(x, 1.05),
}


@pytest.mark.parametrize("name", CHANGES)
def test_handling_leaves_the_content_the_same(name: str, sounds: Sounds) -> None:
    for title, (samples, rate) in sounds.items():
        found = compare(
            fingerprint_audio(CHANGES[name](samples), rate),
            fingerprint_audio(samples, rate),
        )
        assert found.same is True, (title, found)
        assert found.p_value < 1e-3


def test_other_rates_and_channels_are_the_same_sound(sounds: Sounds) -> None:
    samples, rate = sounds["music"]
    record = fingerprint_audio(samples, rate)
    stereo = np.stack([samples, 0.5 * samples], axis=1)
    assert compare(fingerprint_audio(stereo, rate), record).same
    lower = resampled(samples, rate / 16_000)
    assert compare(fingerprint_audio(lower, 16_000), record).same


def test_different_sounds_differ(sounds: Sounds) -> None:
    made = {name: fingerprint_audio(*sound) for name, sound in sounds.items()}
    noise = np.random.default_rng(0).normal(0, 0.1, 20 * RATE).astype(np.float32)
    made["noise"] = fingerprint_audio(noise, RATE)
    for name, other in (("speech", "music"), ("speech", "noise"), ("noise", "music")):
        found = compare(made[name], made[other])
        assert found.same is False, found
        assert found.p_value > 0.01


def test_half_of_another_sound_is_neither(sounds: Sounds) -> None:
    samples, rate = sounds["music"]
    speech = resampled(sounds["speech"][0], sounds["speech"][1] / rate)
    both = np.concatenate([samples[: 8 * rate], speech[: 30 * rate]])
    mixed = fingerprint_audio(np.concatenate([both, speech[: 20 * rate]]), rate)
    longer = fingerprint_audio(np.tile(samples, 4), rate)
    assert compare(mixed, longer).same is not True


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 30_000), max_size=12), st.integers(0, 5))
def test_blocks_of_any_length_give_the_same(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 0.2, (3 * RATE + 77, 2)).astype(np.float32)
    blocks = np.split(samples, sorted(min(cut, len(samples)) for cut in cuts))
    assert fingerprint_audio(iter(blocks), RATE) == fingerprint_audio(samples, RATE)


def test_sixteen_bytes_a_second_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 60 * RATE).astype(np.float32)
    assert len(fingerprint_audio(samples, RATE).value) == pytest.approx(960, abs=16)
    monkeypatch.setattr(audio, "MAX_WORDS", 100)
    endless = (samples[:RATE] for _ in iter(int, 1))
    assert len(fingerprint_audio(endless, RATE).value) == 200


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros((0, 2), np.float32),
        np.ones(50, np.float32),
        np.zeros(20 * RATE, np.float32),
        np.full(20 * RATE, np.nan, np.float32),
        np.full((20 * RATE, 2), np.inf, np.float32),
        np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32),
    ],
    ids=["empty", "no frames", "short", "silence", "nan", "infinite", "two seconds"],
)
def test_too_little_cannot_be_told(samples: Samples) -> None:
    little = fingerprint_audio(samples, RATE)
    found = compare(little, little)
    assert (found.same, found.p_value) == (None, 1)


def test_a_few_broken_samples_do_not_matter(sounds: Sounds) -> None:
    samples, rate = sounds["speech"]
    broken = samples.copy()
    broken[::9973] = np.nan
    broken[5::9973] = -np.inf
    record = fingerprint_audio(samples, rate)
    assert compare(fingerprint_audio(broken, rate), record).same


@pytest.mark.parametrize("rate", [4000, 11025, 384_000])
def test_every_rate_is_taken(rate: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, rate).astype(np.float32)
    assert len(fingerprint_audio(samples, rate).value) == 2 * 5


@pytest.mark.parametrize("rate", [0, -1, 3999, 400_000])
def test_other_rates_are_refused(rate: int) -> None:
    with pytest.raises(UsageError, match="rate"):
        fingerprint_audio(np.zeros(9, np.float32), rate)


@pytest.mark.parametrize(
    "samples", [[np.zeros(9, np.int16)], [np.zeros((3, 3, 3), np.float32)], ["noise"]]
)
def test_what_are_no_samples_is_refused(samples: list[Samples]) -> None:
    with pytest.raises(UsageError, match="samples"):
        fingerprint_audio(samples, RATE)


def test_malformed_values_are_refused() -> None:
    odd = Fingerprint(algorithm=AUDIO, value=b"abc")
    with pytest.raises(UsageError, match="sound"):
        compare(odd, odd)
