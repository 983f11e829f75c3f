"""Notices are heard again, after codecs and in noise, and nothing else is."""

from __future__ import annotations

import io
from functools import cache

import av
import numpy as np
import pytest

from synthmark.labeling.notices.audio import LANGUAGES, AudioNotice, render
from synthmark.labeling.notices.find_audio import find
from synthmark.labeling.notices.insertion import AudioInsertion
from synthmark.labeling.notices.voice import recording

SPOKEN = [
    AudioNotice(language=language, short=short)
    for language in LANGUAGES
    for short in (False, True)
]
NOTICES = [*SPOKEN, AudioNotice(kind="rhythm")]
A = ((0, 1), (2, 5))
I_LATER = ((8, 9), (10, 11))


def noise(seconds: float, rate: int = 16000, channels: int = 1, level: float = 0.05):
    rng = np.random.default_rng(4)
    shape = round(seconds * rate), channels
    return rng.normal(0, level, shape).astype(np.float32)


@cache
def music(seconds: float, rate: int = 16000):
    """Return chords of soft decaying notes, three a second."""
    rng = np.random.default_rng(5)
    sound = np.zeros(round((seconds + 2) * rate))
    time = np.arange(rate) / rate
    for start in np.arange(0, seconds, 1 / 3):
        for pitch in 110 * 2 ** (rng.choice([0, 3, 7, 10, 12, 15, 19, 24], 3) / 12):
            note = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3, 4))
            at = round(start * rate)
            sound[at : at + rate] += 0.05 * note * np.exp(-4 * time)
    return sound[: round(seconds * rate), None].astype(np.float32)


def tones(pattern, unit_s: float, hz: float, rate: int = 16000, square: bool = False):
    time = np.arange(round((pattern[-1][1] * unit_s + 2) * rate)) / rate - 1
    edges = [
        np.minimum(time - start * unit_s, end * unit_s - time) for start, end in pattern
    ]
    envelope = sum(np.clip(edge / 0.005, 0, 1) for edge in edges)
    wave = np.sin(2 * np.pi * hz * time)
    if square:
        wave = np.sign(wave)
    return (0.1 * envelope * wave)[:, None].astype(np.float32)


def coded(sound: np.ndarray, rate: int, codec: str, form: str, bit_rate: int):
    """Return a sound as another program would play it after coding."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as target:
        stream = target.add_stream(codec, rate=rate, layout="mono", bit_rate=bit_rate)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound.T), format="flt", layout="mono"
        )
        frame.sample_rate = rate
        to_codec = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        for part in to_codec.resample(frame):
            target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    file.seek(0)
    plain = av.AudioResampler(format="flt", layout="mono", rate=rate)
    with av.open(file) as source:
        parts = [plain.resample(frame) for frame in source.decode(audio=0)]
    return np.concatenate([p.to_ndarray()[0] for part in parts for p in part])[:, None]


def check(found, placed):
    assert len(found) == len(placed)
    for one, other in zip(found, placed, strict=True):
        assert (one.kind, one.language, one.text) == (
            other.kind,
            other.language,
            other.text,
        )
        assert one.start_s == pytest.approx(other.start_s, abs=0.08)
        assert one.end_s == pytest.approx(other.end_s, abs=0.08)
        assert one.p_value < 1e-3


@pytest.mark.parametrize("notice", NOTICES, ids=lambda n: n.name)
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_found_where_it_stands(notice, rate):
    sound = noise(2, rate, 2)
    insertion = AudioInsertion(
        [sound], notice, rate=rate, places=("start", 1.37, "end")
    )
    blocks = list(insertion)
    check(find(iter(blocks), rate), insertion.placed)
    labeled = np.concatenate(blocks) * np.float32([0.1, -0.1])
    check(find([labeled], rate), insertion.placed)


@pytest.mark.parametrize("notice", NOTICES, ids=lambda n: n.name)
@pytest.mark.parametrize(
    "codec", [("mp3", "mp3", 32000), ("aac", "adts", 32000), ("libopus", "ogg", 12000)]
)
def test_found_after_codecs(notice, codec):
    insertion = AudioInsertion([music(4, 48000)], notice, rate=48000, places=("start",))
    sound = coded(np.concatenate(list(insertion)), 48000, *codec)
    check(find([sound], 48000), insertion.placed)


@pytest.mark.parametrize("notice", NOTICES, ids=lambda n: n.name)
def test_found_inside_music_of_the_same_level(notice):
    host = music(6).copy()
    sound, level = render(notice, 16000, lufs=-20)
    assert level == pytest.approx(-20, abs=0.1)
    at = round(1.234 * 16000)
    host[at : at + len(sound)] += sound[:, None]
    (found,) = find([host], 16000)
    assert found.text == find([sound[:, None]], 16000)[0].text
    assert found.start_s == pytest.approx(1.234, abs=0.08)


def test_found_anywhere_in_a_long_sound():
    # Stretches of half a minute are searched; the notices lie across their joints.
    sound = noise(100, 8000, 1)
    points = tuple(np.arange(8, 100, 7.7).tolist())
    insertion = AudioInsertion([sound], AudioNotice(), rate=8000, places=points)
    labeled = np.concatenate(list(insertion))
    blocks = (labeled[i : i + 777] for i in range(0, len(labeled), 777))
    check(find(blocks, 8000), insertion.placed)


@pytest.mark.parametrize("unit_s", [0.08, 0.12, 0.2, 0.25])
@pytest.mark.parametrize("hz", [300, 1000, 3000])
def test_a_rhythm_of_others_is_found(unit_s, hz):
    (found,) = find([tones((*A, *I_LATER), unit_s, hz)], 16000)
    assert found.kind == "rhythm"
    assert found.start_s == pytest.approx(1, abs=unit_s)
    assert found.end_s == pytest.approx(1 + 11 * unit_s, abs=unit_s)


@pytest.mark.parametrize(
    "pattern",
    [
        ((0, 1), (2, 4), (6, 7), (8, 9)),
        ((0, 1), (2, 6), (10, 11), (12, 13)),
        (*A, (10, 11), (12, 13)),
        (*A, (12, 13), (14, 15)),
    ],
)
def test_a_rhythm_with_other_proportions_is_found(pattern):
    for square in (False, True):
        (found,) = find([tones(pattern, 0.12, 800, square=square)], 16000)
        assert found.kind == "rhythm"


@pytest.mark.parametrize(
    "pattern",
    [
        A,
        I_LATER,
        ((0, 3), (4, 5), (8, 9), (10, 11)),
        ((0, 1), (2, 3), (6, 9), (10, 11)),
        ((0, 1), (2, 3), (6, 7), (8, 11)),
        ((0, 1), (2, 3), (6, 7), (8, 9)),
        ((0, 3), (4, 7), (10, 13), (14, 17)),
        (*A, (8, 9), (10, 11), (12, 13)),
        ((-2, -1), *A, *I_LATER),
    ],
)
def test_other_rhythms_are_not_it(pattern):
    start = pattern[0][0]
    moved = tuple((a - start, b - start) for a, b in pattern)
    assert find([tones(moved, 0.15, 800)], 16000) == ()


@pytest.mark.parametrize("name", ["zh", "en", "en-short"])
def test_other_speech_is_not_it(name):
    speech = recording(name, 16000)[:, None]
    assert find([speech[::-1]], 16000) == ()
    quarter = len(speech) // 4
    assert find([np.roll(speech, 2 * quarter, axis=0)[:quarter]], 16000) == ()


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros((0, 1), np.float32),
        np.zeros((1, 2), np.float32),
        np.zeros((80000, 1), np.float32),
        np.full((80000, 1), np.nan, np.float32),
        np.full((80000, 1), 1e30, np.float32),
        np.ones((80000, 1), np.float32),
        noise(60),
        music(40),
        (noise(10) > 0.2).astype(np.float32),
    ],
    ids=["none", "one", "silence", "nan", "huge", "dc", "noise", "music", "clicks"],
)
def test_nothing_is_found_in_nothing(sound):
    assert find([sound], 16000) == ()
    assert find([], 16000) == ()


@pytest.mark.parametrize("rate", [100, 4000, 400000])
def test_odd_rates_are_searched(rate):
    assert find([noise(5, rate)], rate) == ()
