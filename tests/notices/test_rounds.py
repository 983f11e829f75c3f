"""Each round of a conversation has its notice."""

from __future__ import annotations

import numpy as np
import pytest

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.audio import AudioNotice
from synthmark.labeling.notices.find_audio import find
from synthmark.labeling.notices.loudness import level_beside
from synthmark.labeling.notices.rounds import RoundNotice

RATE = 16_000


def speech(seconds: float, level: float = 0.1, seed: int = 1, channels: int = 1):
    """Return noise that comes and goes four times a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    envelope = 0.1 + np.sin(2 * np.pi * 2 * time) ** 2
    sound = rng.normal(0, level, (len(time), channels)) * envelope[:, None]
    return sound.astype(np.float32)


class Talk:
    """Blocks of 20 ms, and how many of them were asked for."""

    def __init__(self, sound: np.ndarray) -> None:
        self.sound = sound
        self.asked_s = 0.0

    def __iter__(self):
        step = RATE // 50
        for start in range(0, len(self.sound), step):
            self.asked_s += step / RATE
            yield self.sound[start : start + step]


def test_every_round_has_a_notice_as_loud_as_its_speech():
    rounds = RoundNotice(RATE, 2)
    for number, level in enumerate((0.05, 0.05, 0.2, 0.2)):
        said = speech(9, level, seed=number, channels=2)
        heard = np.concatenate(list(rounds.round(Talk(said))))
        placed = rounds.placed
        assert placed.text == "人工智能生成"
        np.testing.assert_array_equal(heard[-len(said) :], said)
        (found,) = find([heard], RATE)
        assert found.text == placed.text
        assert found.start_s == pytest.approx(placed.start_s, abs=0.08)
        # From the second round on it is as loud as the one before.
        expected = {2: 0.05}.get(number, level)
        beside = level_beside(speech(9, expected, seed=number, channels=2), RATE)
        assert placed.level_lufs == pytest.approx(beside, abs=1)


def test_only_the_first_round_waits():
    rounds = RoundNotice(RATE, 1)
    talk = Talk(speech(3))
    first = next(iter(rounds.round(talk)))
    assert talk.asked_s == pytest.approx(1.0)
    assert len(first) / RATE > 2.5
    for _ in range(2):
        talk = Talk(speech(3))
        coming = rounds.round(talk)
        first = next(coming)
        assert talk.asked_s == 0
        assert len(first) / RATE > 2.5
        given_s = 0.0
        next(coming)  # the rest of the pause
        for block in coming:
            given_s += len(block) / RATE
            assert talk.asked_s <= given_s + 0.03


def test_a_known_loudness_lets_the_first_round_wait_for_nothing_either():
    rounds = RoundNotice(RATE, 1, content_lufs=-30.0)
    for level in (0.05, 0.2):
        talk = Talk(speech(3, level))
        coming = rounds.round(talk)
        next(coming)
        assert talk.asked_s == 0
        assert rounds.placed.level_lufs == pytest.approx(-30, abs=0.1)
        list(coming)


def test_a_round_may_be_broken_off():
    rounds = RoundNotice(RATE, 1)
    coming = rounds.round(Talk(speech(9, 0.2)))
    for _ in range(100):
        next(coming)
    coming.close()
    next(rounds.round(Talk(speech(3, 0.01))))
    loud = level_beside(speech(9, 0.2), RATE)
    assert rounds.placed.level_lufs == pytest.approx(loud, abs=1.5)


def test_silence_teaches_nothing():
    rounds = RoundNotice(RATE, 1)
    silence = np.zeros((2 * RATE, 1), np.float32)
    list(rounds.round(Talk(silence)))
    assert rounds.placed.level_lufs == pytest.approx(-23, abs=0.1)
    list(rounds.round(Talk(speech(4, 0.2))))
    list(rounds.round(Talk(silence)))
    level = rounds.placed.level_lufs
    assert level == pytest.approx(level_beside(speech(4, 0.2), RATE), abs=1)


def test_other_notices_may_be_heard():
    rounds = RoundNotice(RATE, 1, AudioNotice(language="en", short=True))
    list(rounds.round(Talk(speech(2))))
    assert rounds.placed.text == "AI-generated"


@pytest.mark.parametrize("form", [(7999, 1), (16_000, 0)])
def test_what_cannot_be_meant_is_refused_at_once(form):
    with pytest.raises(UsageError):
        RoundNotice(*form)


@pytest.mark.parametrize("blocks", [[], [np.zeros((9, 2), np.float32)]])
def test_a_round_of_no_or_other_sound_is_refused(blocks):
    with pytest.raises(UsageError):
        list(RoundNotice(RATE, 1).round(blocks))
