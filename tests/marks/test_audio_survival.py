"""What the mark in sounds survives, and what it does to them: floors on the samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark import Detection, Key, Payload, detect_audio, embed_audio
from synthmark.labeling.media import audio

Sound = NDArray[np.float32]

SAMPLES = Path(__file__).parents[2] / "samples"
NAMES = ("speech", "music", "tone")


def sample(name: str) -> tuple[Sound, int]:
    """Return five seconds of a sample, and its rate."""
    path = SAMPLES / f"{name}.flac"
    rate = audio.describe(path).rate_hz
    return np.concatenate(list(audio.blocks(path)))[: 5 * rate], rate


@pytest.fixture(scope="module")
def marked(key: Key, payload: Payload) -> dict[str, tuple[Sound, int]]:
    found = {}
    for name in NAMES:
        sound, rate = sample(name)
        found[name] = embed_audio(sound, rate, payload, key), rate
    return found


def coded(suffix: str) -> Callable[[Sound, int, Path], tuple[Sound, int]]:
    def change(sound: Sound, rate: int, folder: Path) -> tuple[Sound, int]:
        told, block = audio.from_array(sound, rate)
        path = folder / f"sound{suffix}"
        audio.write(path, [block], told, format=audio.format_of(path))
        decoded = np.concatenate(list(audio.blocks(path)))
        return decoded, audio.describe(path).rate_hz

    return change


def resampled(sound: Sound, length: int) -> Sound:
    """Return a sound of another length by its Fourier coefficients."""
    spectrum = np.fft.rfft(sound, axis=0)
    out = np.fft.irfft(spectrum, length, axis=0) * (length / len(sound))
    return np.ascontiguousarray(out, np.float32)


def noisy(sound: Sound, rate: int, _: Path) -> tuple[Sound, int]:
    noise = np.random.default_rng(5).normal(size=sound.shape)
    level = np.sqrt(np.mean(sound**2)) * 10 ** (-20 / 20)
    return (sound + level * noise).astype(np.float32), rate


CHANGES = {
    "mp3": coded(".mp3"),
    "aac": coded(".m4a"),
    "opus": coded(".opus"),
    "a telephone's rate": lambda s, r, _: (resampled(s, len(s) * 8000 // r), 8000),
    "mono": lambda s, r, _: (s.mean(axis=1), r),
    "upside down, softer": lambda s, r, _: (-0.1 * s, r),
    "three seconds of it": lambda s, r, _: (s[r : 4 * r], r),
    "a second cut out": lambda s, r, _: (np.concatenate([s[: 2 * r], s[3 * r :]]), r),
    "faster by a tenth": lambda s, r, _: (resampled(s, round(len(s) / 1.1)), r),
    "slower by a tenth": lambda s, r, _: (resampled(s, round(len(s) / 0.9)), r),
    "noise": noisy,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_payload_is_read_after(
    name: str,
    change: str,
    marked: dict[str, tuple[Sound, int]],
    key: Key,
    payload: Payload,
    tmp_path: Path,
) -> None:
    sound, rate = CHANGES[change](*marked[name], tmp_path)
    hit: Detection = detect_audio(np.asarray(sound, np.float32), rate, key)
    assert hit.payload == payload
    assert hit.p_value <= 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_unmarked_samples_hold_nothing(name: str, key: Key) -> None:
    assert not detect_audio(*sample(name), key).found


@pytest.mark.parametrize(
    ("name", "least_db"), [("speech", 12), ("music", 24), ("tone", 28)]
)
def test_the_change_is_small(
    name: str, least_db: float, marked: dict[str, tuple[Sound, int]]
) -> None:
    before, _ = sample(name)
    change = marked[name][0] - before
    ratio = float((before**2).sum() / (change**2).sum())
    assert 10 * np.log10(ratio) > least_db


def test_a_steady_tone_hardly_flutters(marked: dict[str, tuple[Sound, int]]) -> None:
    before, rate = sample("tone")
    after, _ = marked["tone"]
    frame = rate // 50

    def levels(sound: Sound) -> NDArray[np.float64]:
        framed = sound[: len(sound) // frame * frame].reshape(-1, frame)
        return 10 * np.log10(np.mean(framed**2, axis=1) + 1e-12)

    inside = slice(10, -10)
    change = (levels(after) - levels(before))[inside]
    assert change.std() < 0.4
