from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

RATE = 16_000
PLAIN = (
    *("white_20", "pink_20", "echo", "room_0.5", "speaker_mic", "shift", "drop_1%"),
    *("splice", "mono", "polarity", "swap", "speed_0.8", "speed_1.25", "gain_0.1"),
)


@pytest.fixture
def sound_changes(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("scipy", reason="the bench extra is not installed")
    monkeypatch.syspath_prepend(str(bench))
    return import_module("sound_changes")


@pytest.fixture
def sound_quality(sound_changes: ModuleType) -> ModuleType:
    return import_module("sound_quality")


def tone(depth: float = 0.0, hertz: float = 1_000.0) -> NDArray[np.float32]:
    """A tone that becomes louder and softer twenty times a second, in dB."""
    times = np.arange(3 * RATE) / RATE
    flutter = 10 ** (depth * np.sin(2 * np.pi * 20 * times) / 20)
    wave = 0.3 * flutter * np.sin(2 * np.pi * hertz * times)
    return wave.astype(np.float32)[:, None]


@pytest.mark.parametrize("depth", [0.2, 0.5, 1.0])
def test_flutter_is_the_rms_of_the_change_in_level(
    depth: float, sound_quality: ModuleType
) -> None:
    found = sound_quality.flutter(tone(), tone(depth), RATE)
    # A Hann window of 32 ms sees nine tenths of the depth at 20 Hz.
    assert found.most == pytest.approx(0.89 * depth / np.sqrt(2), rel=0.1)
    assert found.worst_steady == found.most
    assert found.own.max() < 0.05


def test_flutter_that_was_there_before_is_not_added(sound_quality: ModuleType) -> None:
    found = sound_quality.flutter(tone(3.0), tone(3.0), RATE)
    assert found.most == 0
    assert found.own.max() > 1


def test_bands_far_from_a_tone_are_not_heard(sound_quality: ModuleType) -> None:
    found = sound_quality.flutter(tone(), tone(), RATE)
    assert np.all(np.abs(np.log2(found.hertz / 1_000)) < 1)


@pytest.mark.parametrize("name", PLAIN)
def test_changes_keep_the_channels(name: str, sound_changes: ModuleType) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    scene = sound_changes.Scene()
    once, again = (sound_changes.change(name, x, RATE, 3, scene) for _ in range(2))
    assert once.dtype == np.float32
    assert once.shape[1] == 2
    assert np.isfinite(once).all()
    np.testing.assert_array_equal(once, again)


def test_splicing_takes_a_tenth_out(sound_changes: ModuleType) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, (10 * RATE, 1)).astype(np.float32)
    cut = sound_changes.change("splice", x, RATE, 1, sound_changes.Scene())
    assert len(cut) == pytest.approx(0.9 * len(x), rel=0.01)


def test_noise_has_the_level_of_its_name(sound_changes: ModuleType) -> None:
    x = tone()
    noise = sound_changes.change("white_20", x, RATE, 1, sound_changes.Scene()) - x
    assert 20 * np.log10(x.std() / noise.std()) == pytest.approx(20, abs=0.1)


def test_steady_tones_are_sounds(sound_quality: ModuleType) -> None:
    for x in sound_quality.steady_tones(RATE, 1.0).values():
        assert x.shape == (RATE, 1)
        assert 0.01 < np.abs(x).max() <= 1.2


def test_every_place_on_a_curve_is_an_attack(sound_changes: ModuleType) -> None:
    names = {
        f"{line}_{place:g}"
        for lines in sound_changes.CURVES.values()
        for line, places in lines.items()
        for place in places
    }
    assert names <= set(sound_changes.ATTACKS)
