"""Loudness against the test signals of EBU Tech 3341."""

from __future__ import annotations

import numpy as np
import pytest

from synthmark.labeling.notices.loudness import (
    integrated,
    level_beside,
    short_term,
    weighted_power,
)


def sine(rate: int, seconds: float, *dbfs: float, hz: float = 1000.0) -> np.ndarray:
    time = np.arange(round(rate * seconds)) / rate
    peaks = 10 ** (np.array(dbfs) / 20)
    return (np.sin(2 * np.pi * hz * time)[:, None] * peaks).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_a_stereo_tone_has_its_level_at_every_rate(rate):
    powers = weighted_power(sine(rate, 4, -23, -23), rate)
    assert integrated(powers) == pytest.approx(-23, abs=0.1)
    assert short_term(powers) == pytest.approx(-23, abs=0.1)


def test_soft_passages_are_gated():
    parts = [sine(48000, 2, -36, -36), sine(48000, 12, -23, -23)]
    powers = weighted_power(np.concatenate([*parts, parts[0]]), 48000)
    assert integrated(powers) == pytest.approx(-23, abs=0.1)
    powers = weighted_power(np.concatenate([sine(48000, 2, -72, -72), *parts]), 48000)
    assert integrated(powers) == pytest.approx(-23, abs=0.1)


def test_surround_channels_are_weighted():
    # L, R, C, low frequencies, Ls, Rs
    sound = sine(48000, 4, -28, -28, -24, 0, -30, -30)
    assert integrated(weighted_power(sound, 48000)) == pytest.approx(-23, abs=0.1)


def test_low_frequencies_count_less():
    powers = weighted_power(sine(48000, 2, -23, -23, hz=25), 48000)
    assert integrated(powers) < -30


def test_chunks_do_not_show():
    noise = np.random.default_rng(1).normal(0, 0.1, (48000 * 5, 1)).astype(np.float32)
    whole = weighted_power(noise, 48000)
    late = weighted_power(noise[48000:], 48000)
    assert late[1:] == pytest.approx(whole[11:], rel=1e-4)


@pytest.mark.parametrize("frames", [0, 1, 100, 48000 * 4])
def test_silence_has_no_loudness(frames):
    silence = np.zeros((frames, 2), np.float32)
    assert level_beside(silence, 48000) is None


def test_a_click_of_less_than_a_block_has_a_loudness():
    assert level_beside(sine(48000, 0.02, -20), 48000) == pytest.approx(-23, abs=1)


def test_values_that_are_not_finite_count_as_silence():
    sound = sine(48000, 3, -23, -23)
    sound[::1000] = np.nan
    sound[1::1000] = np.inf
    assert level_beside(sound, 48000) == pytest.approx(-23, abs=0.2)


def test_the_level_beside_follows_a_loud_passage():
    sound = np.concatenate([sine(48000, 5, -30, -30), sine(48000, 3, -21, -21)])
    level = level_beside(sound, 48000)
    assert level >= -21 - 3
    assert level <= -21
