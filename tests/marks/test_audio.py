from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import synthmark
from synthmark import Detection, Key, Payload, detect_audio, embed_audio
from synthmark.kernels import bands
from synthmark.kernels.chance import rarity
from synthmark.labeling.marks.audio import AudioReader, AudioWriter
from synthmark.labeling.marks.audio_writer import embed_blocks
from synthmark.labeling.marks.listening import UNCHANGED, Chunk, looks
from synthmark.labeling.marks.timeline import timeline_of

Sound = NDArray[np.float32]
Change = Callable[[Sound, int], Sound]

RATE = 16_000


def babble(seconds: float, rate: int = RATE, channels: int = 1, seed: int = 0) -> Sound:
    """Noise in bands whose levels come and go as those of speech do."""
    rng = np.random.default_rng(seed)
    frames = int(seconds * rate)
    spectrum = np.fft.rfft(rng.standard_normal((frames, channels)), axis=0)
    hertz = np.fft.rfftfreq(frames, 1 / rate)
    edges = np.geomspace(80, min(0.48 * rate, 16_000), 14)
    out = np.zeros((frames, channels))
    for low, high in itertools.pairwise(edges):
        part = np.where(((hertz >= low) & (hertz < high))[:, None], spectrum, 0)
        knots = rng.normal(0, 1.0, int(seconds * 7) + 3)
        envelope = np.interp(np.arange(frames) * 7 / rate, np.arange(len(knots)), knots)
        out += np.exp(envelope)[:, None] * np.fft.irfft(part, frames, axis=0)
    return (0.1 * out / out.std()).astype(np.float32)


def resampled(x: Sound, factor: float) -> Sound:
    """Play faster, by linear interpolation."""
    places = np.arange(0, len(x) - 1, factor)
    columns = [np.interp(places, np.arange(len(x)), channel) for channel in x.T]
    return np.stack(columns, axis=1).astype(np.float32)


def lowpassed(x: Sound, rate: int, hertz: float) -> Sound:
    spectrum = np.fft.rfft(x, axis=0)
    spectrum[np.fft.rfftfreq(len(x), 1 / rate) > hertz] = 0
    return np.fft.irfft(spectrum, len(x), axis=0).astype(np.float32)


def noisy(x: Sound, decibels: float, seed: int = 5) -> Sound:
    noise = np.random.default_rng(seed).standard_normal(x.shape, np.float32)
    return x + np.float32(x.std() * 10 ** (-decibels / 20)) * noise


@pytest.fixture(scope="module")
def marked(key: Key, payload: Payload) -> Sound:
    return embed_audio(babble(12), RATE, payload, key)


def assert_found(hit: Detection, payload: Payload, key: Key) -> None:
    assert hit.found
    assert hit.payload == payload
    assert 0 <= hit.p_value <= 1e-9
    assert 0 < hit.score <= 1
    assert hit.scheme == "audio-tf/1"
    assert hit.key_id == key.id
    assert hit.spans


def assert_nothing(hit: Detection) -> None:
    assert hit == Detection(
        found=False, payload=None, p_value=1.0, score=0.0, scheme="audio-tf/1"
    )


# --- round trips ----------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(
    rate=st.sampled_from([8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000]),
    channels=st.integers(1, 8),
    number=st.integers(0, 2**64 - 1),
    secret=st.binary(min_size=32, max_size=32),
)
def test_what_is_embedded_is_detected(
    rate: int, channels: int, number: int, secret: bytes
) -> None:
    key, payload = Key.from_bytes(secret), Payload.from_int(number)
    samples = babble(4.2, rate, 1, seed=number % 1000) * np.ones(channels, np.float32)
    out = embed_audio(samples, rate, payload, key)
    assert out.shape == samples.shape
    assert out.dtype == np.float32
    assert_found(detect_audio(out, rate, key), payload, key)


def test_one_axis_stays_one_axis(key: Key, payload: Payload) -> None:
    samples = babble(4)[:, 0]
    out = embed_audio(samples, RATE, payload, key)
    assert out.shape == samples.shape
    assert_found(detect_audio(out, RATE, key), payload, key)


def test_the_input_is_not_touched(key: Key, payload: Payload) -> None:
    samples = babble(3)
    before = samples.copy()
    embed_audio(samples, RATE, payload, key)
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("sides", [(1, -1), (1, 0), (0.3, 1)])
def test_every_kind_of_stereo_carries_a_mark(
    sides: tuple[float, float], key: Key, payload: Payload
) -> None:
    samples = babble(5) * np.array(sides, np.float32)
    out = embed_audio(samples, RATE, payload, key)
    assert_found(detect_audio(out, RATE, key), payload, key)
    assert_found(detect_audio(out[:, ::-1].copy(), RATE, key), payload, key)
    for side in range(2):
        if sides[side]:
            alone = detect_audio(out[:, side].copy(), RATE, key)
            assert_found(alone, payload, key)


def test_strength_scales_the_change(key: Key, payload: Payload) -> None:
    samples = babble(4)
    weak, strong = (
        np.std(embed_audio(samples, RATE, payload, key, strength=s) - samples)
        for s in (0.5, 1.0)
    )
    assert 1.8 < strong / weak < 2.3


# --- what is heard --------------------------------------------------------------------


def test_digital_silence_stays(key: Key, payload: Payload) -> None:
    samples = babble(9, channels=2)
    samples[3 * RATE : 5 * RATE] = 0
    samples[6 * RATE : 7 * RATE, 1] = 0
    out = embed_audio(samples, RATE, payload, key)
    assert not out[3 * RATE : 5 * RATE].any()
    assert not out[6 * RATE : 7 * RATE, 1].any()
    assert_found(detect_audio(out, RATE, key), payload, key)


def test_nothing_but_silence_comes_back_as_it_is(key: Key, payload: Payload) -> None:
    samples = np.zeros((4 * RATE, 2), np.float32)
    out = embed_audio(samples, RATE, payload, key)
    np.testing.assert_array_equal(out, samples)
    assert_nothing(detect_audio(out, RATE, key))


def test_a_steady_tone_does_not_flutter(key: Key, payload: Payload) -> None:
    times = np.arange(6 * RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    out = embed_audio(tone, RATE, payload, key)
    windows = np.lib.stride_tricks.sliding_window_view(out, 512)[::64]
    levels = 10 * np.log10((windows.astype(float) ** 2).mean(axis=1))
    assert levels.std() < 0.3
    assert np.abs(out - tone).max() > 0


def test_what_was_not_overloaded_does_not_become_so(key: Key, payload: Payload) -> None:
    samples = np.clip(8 * babble(4), -1, 1)
    out = embed_audio(samples, RATE, payload, key)
    assert np.abs(out).max() <= 1
    assert_found(detect_audio(out, RATE, key), payload, key)


def test_the_band_above_the_mark_stays(key: Key, payload: Payload) -> None:
    rate = 48_000
    samples = babble(4, rate)
    change = embed_audio(samples, rate, payload, key) - samples
    power = np.abs(np.fft.rfft(change[:, 0])) ** 2
    hertz = np.fft.rfftfreq(len(change), 1 / rate)
    assert power[hertz > 8_000].sum() < 1e-4 * power.sum()


# --- streams --------------------------------------------------------------------------


@settings(max_examples=5, deadline=None)
@given(sizes=st.lists(st.integers(0, 70_000), max_size=8), seconds=st.floats(2.0, 21.0))
def test_blocks_make_no_difference(sizes: list[int], seconds: float) -> None:
    key, payload = Key.from_bytes(bytes(32)), Payload(issuer=1, serial=2)
    samples = babble(seconds, 8_000, 2)
    whole = embed_audio(samples, 8_000, payload, key)
    reader = AudioReader(8_000, 2, key)
    cuts = np.minimum(np.cumsum(sizes), len(samples)).astype(int)
    parts = list(embed_blocks(np.split(samples, cuts), 8_000, payload, key))
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    for block in np.split(whole, cuts):
        reader.push(block)
    assert reader.finish() == detect_audio(whole, 8_000, key)


def test_a_writer_holds_a_few_seconds_only(key: Key, payload: Payload) -> None:
    writer = AudioWriter(8_000, 1, payload, key)
    block = babble(5, 8_000)
    out = sum(len(writer.push(block)) for _ in range(12))
    assert out > 12 * len(block) - 11 * 8_000
    assert len(writer.finish()) == 12 * len(block) - out


# --- survival -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda x: lowpassed(x, RATE, 3_400),
        lambda x: noisy(x, 20),
        lambda x: np.round(127 * x) / 127,
        lambda x: 0.05 * x,
        lambda x: -x,
        lambda x: np.tanh(4 * x),
        lambda x: x[4_321 : 4_321 + 3 * RATE],
        lambda x: x[777 : 777 + 2 * RATE],
        lambda x: np.concatenate([x[: 3 * RATE], x[5 * RATE + 31 : 8 * RATE]]),
        lambda x: np.repeat(x, 2, axis=1),
        lambda x: resampled(x, 1.003),
        lambda x: resampled(x, 0.8),
        lambda x: resampled(x, 1.25),
        lambda x: lowpassed(resampled(x, 1.1), RATE, 3_400),
    ],
)
def test_a_mark_survives(
    change: Callable[[Sound], Sound], marked: Sound, payload: Payload, key: Key
) -> None:
    changed = np.ascontiguousarray(change(marked), np.float32)
    assert_found(detect_audio(changed, RATE, key), payload, key)


def test_a_mark_of_any_key_is_named(
    marked: Sound, payload: Payload, key: Key, others: list[Key]
) -> None:
    assert_found(detect_audio(marked, RATE, [*others[:3], key]), payload, key)


def test_spans_tell_where_the_mark_is(
    marked: Sound, payload: Payload, key: Key
) -> None:
    around = babble(40, seed=9)
    start, end = 14.0, 26.0
    around[int(start * RATE) : int(end * RATE)] = marked
    hit = detect_audio(around, RATE, key)
    assert_found(hit, payload, key)
    assert hit.spans is not None
    assert len(hit.spans) == 1
    assert hit.spans[0] == pytest.approx((start, end), abs=0.35)


def test_spans_leave_out_what_was_put_between(
    marked: Sound, payload: Payload, key: Key
) -> None:
    foreign = babble(4, seed=3)
    parts = [marked[: 5 * RATE], foreign, marked[5 * RATE : 11 * RATE]]
    hit = detect_audio(np.concatenate(parts), RATE, key)
    assert_found(hit, payload, key)
    assert hit.spans is not None
    np.testing.assert_allclose(hit.spans, [(0, 5), (9, 15)], atol=0.4)


# --- no mark --------------------------------------------------------------------------


def test_no_mark_is_found_where_there_is_none(
    marked: Sound, key: Key, others: list[Key]
) -> None:
    assert_nothing(detect_audio(babble(7, seed=4), RATE, key))
    assert_nothing(detect_audio(marked, RATE, others[:4]))


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(1, np.float32),
        np.full(3 * RATE, 0.5, np.float32),
        np.ones(RATE // 5, np.float32),
        np.sign(np.sin(np.arange(3 * RATE, dtype=np.float32))),
        np.eye(1, 4 * RATE, 2 * RATE, dtype=np.float32)[0],
    ],
    ids=["one sample", "constant", "short", "square wave", "click"],
)
def test_strange_sounds_hold_nothing(samples: Sound, key: Key) -> None:
    assert_nothing(detect_audio(samples, RATE, key))


def test_stated_p_values_are_reached_less_often_than_stated() -> None:
    # Chance agreement of random payloads with a rhythm that fits the pattern's rows.
    beats = (np.arange(6 * RATE) // (RATE // 10)) % 3 == 0
    rhythm = babble(6)[:, 0] * np.where(beats, 1, 0.05)
    ticks = np.arange(6 * bands.TICKS)
    power = np.abs(bands.spectra(rhythm.astype(np.float32), 0, ticks, RATE)) ** 2
    chunk = Chunk(bands.loudness(power, RATE), RATE / len(bands.window(RATE)))
    rng = np.random.default_rng(0)
    nats = []
    for number in range(20):
        timeline = timeline_of(Key.from_bytes(bytes([number]) * 32))
        look = looks(chunk.cells(UNCHANGED), UNCHANGED, [timeline])[0]
        folded = look.folded()
        for serial in rng.integers(0, 1 << 40, 200).tolist():
            payload = Payload(issuer=3, serial=serial)
            nats.append(rarity(*timeline.evidence(folded, payload)))
    for level in (0.1, 0.01, 0.001):
        assert np.mean(np.array(nats) >= -np.log(level)) <= level


# --- marking again --------------------------------------------------------------------


def test_marking_again_with_the_same_changes_nothing(
    marked: Sound, payload: Payload, key: Key
) -> None:
    np.testing.assert_array_equal(embed_audio(marked, RATE, payload, key), marked)


@pytest.mark.parametrize("late", [0, 12_345])
def test_another_payload_replaces_an_earlier_one(
    late: int, marked: Sound, payload: Payload, key: Key
) -> None:
    other = Payload(issuer=7, serial=99)
    before = marked[late:]
    again = embed_audio(before, RATE, other, key)
    hit = detect_audio(again, RATE, key)
    assert_found(hit, other, key)
    assert hit.score > 0.8 * detect_audio(before, RATE, key).score


def test_what_comes_after_an_earlier_mark_is_marked_too(
    marked: Sound, payload: Payload, key: Key
) -> None:
    other = Payload(issuer=7, serial=99)
    longer = np.concatenate([marked, babble(14, seed=8)])
    hit = detect_audio(embed_audio(longer, RATE, other, key), RATE, key)
    assert_found(hit, other, key)
    assert hit.spans is not None
    assert hit.spans[-1][1] == pytest.approx(26, abs=0.3)


def test_marks_of_two_keys_are_both_found(
    marked: Sound, payload: Payload, key: Key, others: list[Key]
) -> None:
    second = Payload(issuer=1, serial=1)
    twice = embed_audio(marked, RATE, second, others[0])
    assert_found(detect_audio(twice, RATE, key), payload, key)
    assert_found(detect_audio(twice, RATE, others[0]), second, others[0])


def test_the_names_are_public() -> None:
    assert {"embed_audio", "detect_audio"} <= set(synthmark.__all__)
