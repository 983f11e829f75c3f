"""How much of a mark the frames of a video hide."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.labeling.marks import motion
from synthmark.labeling.marks.motion import Hiding, reduce

Float = NDArray[np.float32]

SHAPE = (180, 320)
SHUTTER_S = 1 / 25


def grain(level: float, deviation: float, seed: int = 0) -> Float:
    noise = np.random.default_rng(seed).normal(level, deviation, SHAPE)
    return np.clip(noise, 0, 255).astype(np.float32)


def cloth(deviation: float, seed: int = 0) -> Float:
    """Soft texture around middle gray that repeats at the edges."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=SHAPE))
    y, x = np.meshgrid(*map(np.fft.fftfreq, SHAPE), indexing="ij")
    spectrum *= np.exp(-(((y**2 + x**2)[:, : spectrum.shape[1]]) * 300))
    out = np.fft.irfft2(spectrum, SHAPE)
    return np.asarray(128 + deviation * out / out.std(), np.float32)


def rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def passing(speed: int, number: int) -> Float:
    return np.roll(cloth(12), speed * number, axis=1)


def settled(frames: Callable[[int], Float], seconds: float = 1.0) -> Float:
    """Return the strength after some time of a scene."""
    hiding = Hiding(1.0)
    for number in range(round(seconds / SHUTTER_S)):
        out = hiding.levels(frames(number), number * SHUTTER_S)
    return out


@pytest.mark.parametrize("slope", [0.1, 0.2])
@pytest.mark.parametrize("gain", [0.4, 1.0, 2.0])
def test_plain_places_get_less_than_half_a_level(gain: float, slope: float) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    sky = np.rint(110 + slope * x + slope / 2 * y).astype(np.float32)
    assert 0.1 < rms(Hiding(gain).levels(sky, 0)) < 0.5


def test_texture_hides_more_the_more_there_is_and_by_the_gain() -> None:
    soft, hard = (Hiding(1.0).levels(cloth(d), 0) for d in (3, 9))
    assert rms(soft) < 0.9 * rms(hard)
    more = Hiding(1.5).levels(cloth(3), 0)
    assert (more >= soft).mean() > 0.99
    assert rms(more) > 1.1 * rms(soft)


@pytest.mark.parametrize("level", [4.0, 252.0])
def test_black_and_white_get_less(level: float) -> None:
    end, middle = (Hiding(1.0).levels(grain(v, 2), 0) for v in (level, 128.0))
    assert rms(end) < 0.7 * rms(middle)


def test_what_is_drawn_empty_stays_empty() -> None:
    drawn = cloth(9)
    drawn[60:120, 100:220] = 128
    strength = Hiding(2.0).levels(drawn, 0)
    assert not strength[70:110, 110:210].any()
    assert strength[:50].min() > 0.05
    assert not Hiding(2.0).levels(np.full(SHAPE, 90, np.float32), 0).any()


@pytest.mark.parametrize("gain", [1.0, 2.0])
@pytest.mark.parametrize("deviation", [5.0, 20.0, 60.0])
def test_the_whole_frame_gets_no_more_than_its_bound(
    deviation: float, gain: float
) -> None:
    everywhere = grain(128, deviation)
    partly = np.where(np.arange(SHAPE[1]) < 200, grain(128, 0.8), everywhere)
    for frame in (everywhere, partly.astype(np.float32)):
        strength = Hiding(gain).levels(frame, 0)
        assert strength.max() <= motion.MOST
        assert rms(strength) <= 1.03 * motion.MOST_MEAN


@given(
    st.integers(1, 24),
    st.integers(1, 24),
    st.integers(0, 2**32 - 1),
    st.floats(0, 3),
    st.floats(0.1, 4),
)
def test_peaks_are_cut_off_where_the_mean_asks_for_it(
    rows: int, columns: int, seed: int, shape: float, scale: float
) -> None:
    drawn = np.random.default_rng(seed).uniform(0, 1, (rows, columns)) ** shape
    # What is looked at is every fourth place.
    strength = (scale * drawn).astype(np.float32).repeat(4, 0).repeat(4, 1)
    capped = motion._capped(strength)
    kept = capped == strength
    np.testing.assert_array_equal(capped[~kept], capped.max())
    if rms(strength) <= motion.MOST_MEAN * (1 - 1e-5):
        assert kept.all()
    elif rms(strength) > motion.MOST_MEAN * (1 + 1e-5):
        assert rms(capped) == pytest.approx(motion.MOST_MEAN, rel=1e-4)


def test_a_still_scene_gets_the_same_in_each_frame() -> None:
    hiding = Hiding(1.0)
    first = hiding.levels(cloth(6), 0)
    for number in range(1, 5):
        strength = hiding.levels(cloth(6), number * SHUTTER_S)
        np.testing.assert_allclose(strength, first, rtol=1e-5)


def test_what_moves_gets_less() -> None:
    still, slow, fast = (rms(settled(partial(passing, speed))) for speed in (0, 1, 4))
    assert fast < slow < still
    assert fast < 0.85 * still


def test_only_the_part_that_moves_gets_less() -> None:
    left = np.arange(SHAPE[1]) < 160

    def scene(number: int) -> Float:
        return np.where(left, np.roll(cloth(12), 4 * number, axis=0), cloth(12))

    strength, still = settled(scene), settled(lambda _: cloth(12))
    np.testing.assert_allclose(strength[:, 180:], still[:, 180:], rtol=1e-3)
    assert rms(strength[:, :140]) < 0.85 * rms(still[:, :140])


def test_strength_falls_at_once_and_rises_slowly() -> None:
    rough, plain = cloth(9), cloth(0.75)
    hiding = Hiding(1.0)
    high = rms(hiding.levels(rough, 0))
    own = rms(Hiding(1.0).levels(plain, 0))
    assert own < 0.6 * high
    assert rms(hiding.levels(plain, SHUTTER_S)) <= 1.5 * own + 0.1
    rising = [rms(hiding.levels(rough, (2 + n) * SHUTTER_S)) for n in range(60)]
    assert rising[0] < own + 0.5 * (high - own)
    assert rising[-1] > own + 0.9 * (high - own)
    assert np.diff(rising).max() < 0.3 * (high - own)


def test_strength_starts_anew_at_a_cut() -> None:
    hiding = Hiding(1.0)
    for number in range(10):
        dark = np.roll(cloth(2), 4 * number, axis=1) - np.float32(60)
        hiding.levels(dark, number / 25)
    after = cloth(12, seed=1)
    fresh = Hiding(1.0).levels(after, 0)
    np.testing.assert_array_equal(hiding.levels(after, 10 / 25), fresh)


def test_motion_as_fast_as_a_cut_is_none() -> None:
    hiding = Hiding(1.0)
    fast = [cloth(24, seed=number % 3) for number in range(12)]
    assert rms(fast[1] - fast[0]) > 1.3 * motion.CUT
    strength = [rms(hiding.levels(frame, n / 25)) for n, frame in enumerate(fast)]
    assert max(strength[2:]) < 0.9 * strength[0]
    # Only what differs by far more is a cut.
    fresh = Hiding(1.0).levels(cloth(3, seed=5) + np.float32(110), 0)
    after = hiding.levels(cloth(3, seed=5) + np.float32(110), 12 / 25)
    np.testing.assert_array_equal(after, fresh)


def test_where_nothing_can_be_foretold_the_mark_is_cheap_again() -> None:
    def changing(deviation: float, number: int) -> Float:
        return cloth(12) + np.float32(deviation) * (cloth(1, seed=9 + number) - 128)

    calm, mild, wild = (rms(settled(partial(changing, d))) for d in (0, 5, 12))
    assert mild < 0.9 * wild
    assert wild < calm


def test_a_time_that_does_not_go_on_is_no_harm() -> None:
    hiding = Hiding(1.0)
    for time_s in (5.0, 5.0, 1.0):
        strength = hiding.levels(cloth(6, seed=int(time_s)), time_s)
        assert np.isfinite(strength).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize(
    ("height", "width", "side"),
    [(362, 644, 362), (725, 1289, 362), (1081, 641, 362), (180, 320, 256)],
)
def test_reduced_frames_are_what_they_were(
    height: int, width: int, side: int, bits: int
) -> None:
    y, x = np.mgrid[:height, :width] / min(height, width)
    levels = 120 + 60 * np.sin(5 * x) + 40 * np.cos(7 * y)
    kind = np.uint8 if bits == 8 else np.uint16
    luma = np.rint(levels * 2 ** (bits - 8)).astype(kind)
    wide = np.zeros((height, width + 24), kind)
    wide[:, :width] = luma
    small = reduce(wide[:, :width], bits, side)
    assert small.dtype == np.float32
    assert min(small.shape) == side
    size = small.shape[::-1]
    expected = cv2.resize(levels, size, interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(small, expected, atol=2.0)
    assert rms(small - expected) < 0.6
