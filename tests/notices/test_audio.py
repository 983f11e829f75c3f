"""The notice as it is put into a sound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.audio import LANGUAGES, TEXTS, AudioNotice, render
from synthmark.labeling.notices.insertion import AudioInsertion, check_place
from synthmark.labeling.notices.loudness import (
    integrated,
    level_beside,
    weighted_power,
)
from synthmark.labeling.notices.voice import recording

NOTICES = [
    *(
        AudioNotice(language=language, short=short)
        for language in LANGUAGES
        for short in (False, True)
    ),
    AudioNotice(kind="rhythm"),
]


def noise(seconds: float, rate: int = 16000, channels: int = 1, level: float = 0.1):
    rng = np.random.default_rng(3)
    shape = round(seconds * rate), channels
    return rng.normal(0, level, shape).astype(np.float32)


def cut(sound: np.ndarray, length: int):
    return [sound[i : i + length] for i in range(0, len(sound), length)]


def insert(sound: np.ndarray, rate: int, *places, notice=None, **options):
    insertion = AudioInsertion(
        cut(sound, 5000), notice or AudioNotice(), rate=rate, places=places, **options
    )
    return np.concatenate(list(insertion)), insertion.placed


@settings(deadline=None, max_examples=25)
@given(
    frames=st.integers(1, 40_000),
    length=st.integers(1, 50_000),
    points=st.sets(st.floats(0.001, 1), max_size=2),
    ends=st.sets(st.sampled_from(["start", "end"]), min_size=1),
    channels=st.integers(1, 8),
)
def test_the_sound_stays_as_it_is(frames, length, points, ends, channels):
    rate = 8000
    sound = noise(frames / rate, rate, channels)
    places = (*ends, *{max(1, round(p * frames)) / rate for p in points})
    insertion = AudioInsertion(
        cut(sound, max(length, frames // 50)),
        AudioNotice(kind="rhythm"),
        rate=rate,
        places=places,
    )
    labeled = np.concatenate(list(insertion))
    assert labeled.dtype == np.float32
    assert len(insertion.placed) == len(places)
    kept, at = [], 0
    for placed in sorted(insertion.placed, key=lambda p: p.start_s):
        position, length_s = (round(s * rate) for s in placed.inserted_s)
        done = sum(map(len, kept))
        kept.append(labeled[at : at + position - done])
        at += position - done + length_s
    kept.append(labeled[at:])
    np.testing.assert_array_equal(np.concatenate(kept), sound)


@pytest.mark.parametrize("notice", NOTICES, ids=lambda n: n.name)
@pytest.mark.parametrize(
    ("rate", "channels"), [(8000, 1), (44100, 2), (48000, 6), (192000, 2)]
)
def test_it_is_as_loud_as_the_sound(notice, rate, channels):
    for level in (0.02, 0.2):
        sound = noise(2, rate, channels, level)
        labeled, (placed,) = insert(sound, rate, "start", notice=notice)
        start, end = round(placed.start_s * rate), round(placed.end_s * rate)
        part = labeled[start:end]
        heard = integrated(weighted_power(part, rate))
        assert heard == pytest.approx(placed.level_lufs, abs=0.1)
        assert abs(heard - level_beside(sound, rate)) < 3
        assert np.abs(part).max() < 0.9
        assert (part == part[:, :1]).all()


@pytest.mark.parametrize("notice", NOTICES, ids=lambda n: n.name)
def test_it_does_not_clip_beside_loud_music(notice):
    # White noise of this level is at about -8 LUFS, as the loudest records.
    sound = np.clip(noise(4, 44100, 2, 0.18), -1, 1)
    labeled, (placed,) = insert(sound, 44100, "end", notice=notice)
    assert placed.content_lufs > -10
    assert placed.level_lufs > placed.content_lufs - 3
    assert np.abs(labeled[len(sound) :]).max() < 0.9


def test_beside_silence_it_is_heard():
    for sound in (np.zeros((16000, 1), np.float32), np.full((9, 1), np.nan, "f4")):
        labeled, (placed,) = insert(sound, 16000, "start")
        assert placed.content_lufs is None
        assert placed.level_lufs == pytest.approx(-23, abs=0.1)
        assert np.isfinite(labeled[: round(placed.end_s * 16000)]).all()
    _, (placed,) = insert(noise(2, level=5e-4), 16000, "start")
    assert placed.content_lufs < -60
    assert placed.level_lufs == pytest.approx(-40, abs=0.1)


def test_the_level_is_that_of_the_place():
    sound = np.concatenate([noise(20, level=0.01), noise(20, level=0.1)])
    _, placed = insert(sound, 16000, "start", 20.0, "end")
    soft, both, loud = (p.content_lufs for p in placed)
    assert loud - soft == pytest.approx(20, abs=1)
    assert loud - 4 < both <= loud


@pytest.mark.parametrize("places", [("start",), ("end",), (0.5133,)])
def test_no_click(places):
    rate = 48000
    time = np.arange(rate) / rate
    # It starts and ends at a peak, where silence would click.
    sound = 0.5 * np.cos(2 * np.pi * 100 * time)[:, None].astype(np.float32)
    labeled, (placed,) = insert(sound, rate, *places)
    start, end = round(placed.start_s * rate), round(placed.end_s * rate)
    outside = np.abs(np.diff(np.concatenate([labeled[:start], labeled[end:]]), axis=0))
    assert outside.max() < 1.6 * np.abs(np.diff(sound, axis=0)).max()
    assert np.abs(labeled[[start, end - 1]]).max() < 0.01
    assert not labeled[start - 1].any()
    assert not labeled[end].any()


def test_times_and_pauses():
    sound = noise(10)
    labeled, placed = insert(sound, 16000, "end", 4.0, "start")
    assert [p.place for p in placed] == ["start", "middle", "end"]
    assert [p.inserted_s[0] for p in placed] == [0, 4, 10]
    assert len(labeled) / 16000 == pytest.approx(
        10 + sum(p.inserted_s[1] for p in placed)
    )
    first, second, third = placed
    assert first.start_s == pytest.approx(0.2, abs=0.01)
    assert second.start_s == pytest.approx(first.inserted_s[1] + 4 + 0.5, abs=0.01)
    assert third.end_s == pytest.approx(len(labeled) / 16000 - 0.2, abs=0.01)


def test_little_is_held():
    pulled = 0

    def blocks():
        nonlocal pulled
        for _ in range(600):
            pulled += 1
            yield noise(0.1, 8000)

    insertion = AudioInsertion(
        blocks(), AudioNotice(), rate=8000, places=("start", 30.0, "end")
    )
    given = sum(p.inserted_s[1] for p in insertion.placed)
    for block in insertion:
        given += len(block) / 8000
        assert pulled * 0.1 <= given + 8.2
    assert pulled == 600


def test_a_known_loudness_costs_no_delay():
    pulled = 0

    def blocks():
        nonlocal pulled
        for _ in range(50):
            pulled += 1
            yield noise(0.1, 8000)

    notice = AudioNotice(short=True)
    insertion = AudioInsertion(blocks(), notice, rate=8000, content_lufs=-20.0)
    next(iter(insertion))
    assert pulled == 1
    assert insertion.placed[0].level_lufs == pytest.approx(-20, abs=0.1)


def test_a_known_sound_costs_nothing_at_all():
    pulled = 0

    def blocks():
        nonlocal pulled
        for _ in range(5):
            pulled += 1
            yield noise(0.1, 8000, 2)

    options = {"rate": 8000, "content_lufs": -20.0}
    insertion = AudioInsertion(blocks(), AudioNotice(), channels=2, **options)
    coming = iter(insertion)
    first = next(coming)
    assert pulled == 0
    labeled = np.concatenate([first, *coming])
    late = np.concatenate(list(AudioInsertion(blocks(), AudioNotice(), **options)))
    np.testing.assert_array_equal(labeled, late)
    with pytest.raises(UsageError, match="differ in channels"):
        list(AudioInsertion(blocks(), AudioNotice(), channels=1, **options))


def test_a_sound_without_samples_is_told_after_a_notice_too():
    insertion = AudioInsertion(
        [], AudioNotice(), rate=8000, content_lufs=-20.0, channels=1
    )
    with pytest.raises(UsageError, match="without samples"):
        list(insertion)


def test_how_much_is_listened_to():
    sound = np.concatenate([noise(2, level=0.01), noise(20, level=0.1)])
    near, far = (
        insert(sound, 16000, "start", near_s=seconds)[1][0].content_lufs
        for seconds in (1.0, 8.0)
    )
    assert far - near > 10


@pytest.mark.parametrize("options", [{"channels": 0}, {"near_s": 0}, {"near_s": 9}])
def test_options_that_cannot_be_meant_are_refused(options):
    with pytest.raises(UsageError):
        AudioInsertion([], AudioNotice(), rate=8000, **options)


def test_what_is_heard_again_may_be_shorter():
    short = AudioNotice(short=True)
    _, placed = insert(noise(10), 16000, 4.0, "end", "start", again=short)
    assert [one.text for one in placed] == [TEXTS["zh"], *[TEXTS["zh-short"]] * 2]


def test_points_of_the_sound_are_found_again():
    rate = 8000
    sound = noise(10, rate)
    sound[:] = 0
    moments = [0.0, 0.7, 3.9, 4.0, 4.0005, 4.5, 10.0]
    insertion = AudioInsertion(
        [sound], AudioNotice(), rate=rate, places=("start", 4.0, "end")
    )
    before = [insertion.later(at) for at in moments]
    for at in (0.7, 3.9, 4.5):
        sound[round(at * rate)] = 0.5
    labeled = np.concatenate(list(insertion))
    first, second, third = (placed.inserted_s[1] for placed in insertion.placed)
    after = [insertion.later(at) for at in moments]
    # Known from the start on, but for what stands at the end.
    assert before[:-1] == after[:-1]
    assert after[-1] == pytest.approx(before[-1] + third)
    assert after[-1] == pytest.approx(len(labeled) / rate)
    for index in (1, 2, 5):
        assert labeled[round(after[index] * rate)] == 0.5
    # What begins where a notice stands begins with the notice.
    assert after[0] == 0
    assert after[3] == pytest.approx(4 + first)
    assert after[4] == pytest.approx(4.0005 + first)
    assert after[5] == pytest.approx(4.5 + first + second)


def test_the_rate_of_speech():
    for name in ("zh", "zh-short"):
        minutes = len(recording(name, 48000)) / 48000 / 60
        assert 120 <= len(TEXTS[name]) / minutes <= 160


def test_chinese_texts_have_both_elements():
    for name in ("zh", "zh-short"):
        assert "人工智能" in TEXTS[name]
        assert "生成" in TEXTS[name]


@pytest.mark.parametrize("rate", [8000, 11025, 24000, 48000, 192000])
def test_a_recording_is_the_same_at_every_rate(rate):
    sound, level = render(AudioNotice(), rate, lufs=-20)
    reference, _ = render(AudioNotice(), 48000, lufs=-20)
    assert level == pytest.approx(-20, abs=0.1)
    assert len(sound) / rate == pytest.approx(len(reference) / 48000, abs=0.002)


@pytest.mark.parametrize(
    "options",
    [{"kind": "sung"}, {"language": "fr"}, {"kind": "rhythm", "language": ""}],
)
def test_unknown_notices_are_refused(options):
    with pytest.raises(UsageError, match="no audible notice"):
        AudioNotice(**options)


@pytest.mark.parametrize("place", ["middle", 0, -1, math.nan, math.inf])
def test_what_is_no_place_is_refused(place):
    with pytest.raises(UsageError, match="cannot stand"):
        check_place(place)
    with pytest.raises(UsageError, match="cannot stand"):
        AudioInsertion([], AudioNotice(), rate=8000, places=(place,))


@pytest.mark.parametrize("places", [("end", "end"), (1.0, 1.00001)])
def test_places_differ(places):
    with pytest.raises(UsageError, match="different places"):
        AudioInsertion([], AudioNotice(), rate=8000, places=places)


def test_without_a_place_the_sound_stays_as_it_is():
    sound = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)[:, None]
    insertion = AudioInsertion([sound], AudioNotice(), rate=8000, places=())
    assert np.array_equal(np.concatenate([*insertion]), sound)
    assert insertion.placed == ()
    assert insertion.later(1.5) == 1.5


@pytest.mark.parametrize("rate", [0, 7999, 192001])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(UsageError, match="frames a second"):
        AudioInsertion([], AudioNotice(), rate=rate)


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [np.zeros((0, 2), np.float32)],
        [np.zeros(100, np.float32)],
        [np.zeros((100, 1), np.int16)],
        [np.zeros((100, 0), np.float32)],
        [np.zeros((100, 1), np.float32), np.zeros((100, 2), np.float32)],
    ],
)
def test_what_is_no_sound_is_refused(blocks):
    with pytest.raises(UsageError):
        list(AudioInsertion(blocks, AudioNotice(), rate=8000))


def test_a_point_beyond_the_end_is_refused():
    with pytest.raises(UsageError, match=r"ends at 2 s"):
        list(AudioInsertion([noise(2)], AudioNotice(), rate=16000, places=(2.5,)))
