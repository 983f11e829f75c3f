"""Videos marked: how strong, where, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark import Key, Payload, embed_frames
from synthmark.labeling.errors import TooSmallForMark, UsageError
from synthmark.labeling.marks import video_writer
from synthmark.labeling.marks.lattice import VIDEO, View, flatten, layout_of
from synthmark.labeling.marks.motion import reduce
from synthmark.labeling.marks.video_writer import VideoWriter, plan

Frame = NDArray[np.uint8]
Film = list[Frame]
MakeFilm = Callable[..., Film]

RATE = 12


def change(before: Film, after: Film) -> NDArray[np.float64]:
    return np.array(after, np.float64) - np.array(before, np.float64)


def rms(values: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def psnr(values: NDArray[Any]) -> float:
    return float(20 * np.log10(255 / rms(values)))


@pytest.fixture(scope="module")
def calm(make_film: MakeFilm) -> Film:
    return make_film(362, 644, RATE, 1.5, speed=6, contrast=0.5)


@pytest.fixture(scope="module")
def marked(calm: Film, key: Key, payload: Payload) -> Film:
    return list(embed_frames(calm, RATE, payload, key))


def test_the_change_is_small_and_steady(calm: Film, marked: Film) -> None:
    found = change(calm, marked)
    assert psnr(found) >= 46
    assert max(rms(b - a) for a, b in itertools.pairwise(found)) <= 0.3


@pytest.mark.parametrize("contrast", [1.0, 2.5])
def test_texture_everywhere_is_changed_within_bounds(
    contrast: float, make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    frames = make_film(180, 320, RATE, 0.5, contrast=contrast)
    after = list(embed_frames(frames, RATE, payload, key))
    assert psnr(change(frames, after)) >= 44


def test_plain_places_are_changed_by_less_than_half_a_level(
    calm: Film, key: Key, payload: Payload
) -> None:
    y, x = np.mgrid[:362, :320]
    frames = [frame.copy() for frame in calm[:6]]
    for frame in frames:
        frame[:, :320] = np.rint(110 + 0.1 * x + 0.05 * y)
    found = change(frames, list(embed_frames(frames, RATE, payload, key)))
    assert rms(found[:, :, :300]) < 0.5
    assert rms(found[:, :, 340:]) > 0.5


def test_what_is_drawn_empty_is_not_touched(
    calm: Film, key: Key, payload: Payload
) -> None:
    frames = [frame.copy() for frame in calm[:6]]
    for index, frame in enumerate(frames):
        frame[100:260, 200 + index : 440 + index] = 90
        frame[280:300, 100:500] = 255
    found = change(frames, list(embed_frames(frames, RATE, payload, key)))
    assert not found[:, 112:248, 218:428].any()
    assert found[:, :80].any(axis=(1, 2)).all()


def test_a_still_clip_is_changed_the_same_way_throughout(
    calm: Film, key: Key, payload: Payload
) -> None:
    found = change([calm[0]] * 8, list(embed_frames([calm[0]] * 8, 8, payload, key)))
    np.testing.assert_array_equal(found, found[:1].repeat(8, axis=0))


def test_the_same_clip_gives_the_same_frames(
    calm: Film, marked: Film, key: Key, payload: Payload
) -> None:
    again = list(embed_frames(calm, RATE, payload, key))
    np.testing.assert_array_equal(again, marked)


def test_colors_change_by_what_luma_does(
    calm: Film, marked: Film, key: Key, payload: Payload
) -> None:
    colored = [np.stack([frame] * 3, axis=2) for frame in calm]
    before = [frame.copy() for frame in colored]
    after = list(embed_frames(colored, RATE, payload, key))
    np.testing.assert_array_equal(colored, before)
    for one, gray in zip(after, marked, strict=True):
        assert one.dtype == np.uint8
        np.testing.assert_array_equal(one, np.stack([gray] * 3, axis=2))


def test_frames_come_out_before_all_have_gone_in(
    calm: Film, key: Key, payload: Payload
) -> None:
    taken = 0

    def source() -> Iterator[Frame]:
        nonlocal taken
        for taken in range(1, 1000):
            yield calm[taken % len(calm)]

    frames = embed_frames(source(), 4, payload, key)
    for _ in range(10):
        next(frames)
    assert taken <= 14


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_more_bits_hold_the_same_mark(
    bits: int, calm: Film, marked: Film, key: Key, payload: Payload
) -> None:
    scale = 1 << (bits - 8)
    wide = [frame.astype(np.uint16) * scale for frame in calm]
    tried = plan(wide[:3], payload, key, bits=bits)
    coarse = plan(calm[:3], payload, key)
    assert tried.gain == pytest.approx(coarse.gain, rel=1e-3)
    assert tried.shift == coarse.shift
    writer = VideoWriter(362, 644, payload, key, bits=bits, plan=tried)
    narrow = VideoWriter(362, 644, payload, key, plan=coarse)
    luma, levels = wide[0].copy(), calm[0].copy()
    writer.mark(luma, 0)
    narrow.mark(levels, 0)
    fine = (luma.astype(np.float64) - wide[0]) / scale
    np.testing.assert_allclose(fine, change([calm[0]], [levels])[0], atol=0.51)
    assert len(np.unique(luma % scale)) > 1


@pytest.mark.parametrize("bits", [8, 10])
def test_codes_stay_in_range_and_in_their_place(
    bits: int, key: Key, payload: Payload
) -> None:
    most = (1 << bits) - 1
    kind = np.uint8 if bits == 8 else np.uint16
    memory = np.random.default_rng(0).choice([0, most // 2, most], (260, 400))
    memory = memory.astype(kind)
    before = memory.copy()
    VideoWriter(256, 380, payload, key, bits=bits).mark(memory[2:258, :380], 0)
    assert memory.max() <= most
    assert not np.array_equal(memory, before)
    memory[2:258, :380] = before[2:258, :380]
    np.testing.assert_array_equal(memory, before)


def test_hdr_gets_less_of_its_codes(calm: Film, key: Key, payload: Payload) -> None:
    wide = [calm[0].astype(np.uint16) * 4]
    found = {}
    for transfer in ("sdr", "hlg", "pq"):
        luma = wide[0].copy()
        VideoWriter(362, 644, payload, key, bits=10, transfer=transfer).mark(luma, 0)
        found[transfer] = rms(luma.astype(np.float64) - wide[0])
    assert 0.4 * found["sdr"] < found["pq"] < found["hlg"] < found["sdr"]


def test_the_mark_shows_at_a_cut_at_once(
    make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    # Shaking first, so that there is little strength to go on from.
    rng = np.random.default_rng(0)
    shaking = [
        np.roll(frame // 2, tuple(rng.integers(-9, 9, 2)), (0, 1))
        for frame in make_film(256, 384, RATE, 0.5)
    ]
    after = np.clip(make_film(256, 384, RATE, 0.2, seed=4)[0] + 60.0, 0, 255)
    scene = after.astype(np.uint8)
    writer, fresh = (VideoWriter(256, 384, payload, key) for _ in range(2))
    for index, frame in enumerate(shaking):
        writer.mark(frame.copy(), index / RATE)
    one, other = scene.copy(), scene.copy()
    writer.mark(one, 0.5)
    fresh.mark(other, 0)
    np.testing.assert_array_equal(one, other)


def test_the_plan_follows_the_need_of_the_clip(
    make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    calm = make_film(480, 640, 4, 0.5, contrast=0.3)
    rough = [
        np.clip(frame + np.random.default_rng(7).normal(0, 25, frame.shape), 0, 255)
        for frame in make_film(480, 640, 4, 0.5, contrast=1.5)
    ]
    easy = plan(calm, payload, key).gain
    hard = plan([frame.astype(np.uint8) for frame in rough], payload, key).gain
    assert video_writer.LEAST_GAIN <= easy < hard <= video_writer.MOST_GAIN


def test_strength_is_relative_to_the_need(
    calm: Film, key: Key, payload: Payload
) -> None:
    gains = [
        plan(calm[:2], payload, key, strength=strength).gain
        for strength in (1, 0.25, 4)
    ]
    assert gains[1:] == [pytest.approx(0.25 * gains[0]), pytest.approx(4 * gains[0])]


def test_the_plan_takes_no_more_frames_than_it_needs(
    make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    source = iter(make_film(128, 192, RATE, 3))
    plan(source, payload, key)
    assert len(list(source)) == 3 * RATE - video_writer.SAMPLES


def test_the_tile_lies_where_the_clip_speaks_for_it(
    calm: Film, key: Key, payload: Payload
) -> None:
    layout = layout_of(key, VIDEO)
    spectrum = layout.spectrum(payload)
    tried = plan(calm[:1], payload, key)
    flat = flatten(reduce(calm[0], 8, 362), 362, VIDEO.band)
    total = View.through(flat, VIDEO.carriers).total()

    def agreement(shift: tuple[int, int]) -> float:
        placed = VIDEO.carriers.shifted(spectrum, *shift)
        return float((total * np.conj(placed)).real.sum())

    others = np.random.default_rng(0).integers(-127, 1, (300, 2)).tolist()
    assert agreement(tried.shift) > max(agreement((x, y)) for x, y in others)
    assert agreement(tried.shift) > 0


# What cannot be marked


@pytest.mark.parametrize(
    ("height", "width"), [(127, 400), (400, 127), (128, 1025), (0, 0), (1, 9)]
)
def test_frames_without_room_are_refused(
    height: int, width: int, key: Key, payload: Payload
) -> None:
    with pytest.raises(TooSmallForMark):
        VideoWriter(height, width, payload, key)
    if height and width:
        frames = [np.zeros((height, width), np.uint8)]
        with pytest.raises(TooSmallForMark):
            plan(frames, payload, key)
        with pytest.raises(TooSmallForMark):
            next(embed_frames(frames, 25, payload, key))


@pytest.mark.parametrize(
    "options", [{"bits": 7}, {"bits": 17}, {"transfer": "log"}, {"transfer": ""}]
)
def test_what_no_video_is_like_is_refused(
    options: dict[str, Any], key: Key, payload: Payload
) -> None:
    with pytest.raises(UsageError):
        VideoWriter(256, 256, payload, key, **options)
    with pytest.raises(UsageError):
        plan([np.full((256, 256), 128, np.uint8)], payload, key, **options)


def test_a_frame_of_another_size_is_refused(
    calm: Film, key: Key, payload: Payload
) -> None:
    writer = VideoWriter(362, 644, payload, key)
    for luma in (calm[0].T.copy(), calm[0][1:], np.zeros((362, 644, 3), np.uint8)):
        with pytest.raises(UsageError, match="shape"):
            writer.mark(luma, 0)
    with pytest.raises(UsageError, match="one size"):
        plan([calm[0], calm[0][2:]], payload, key)
    for at in (3, 8):  # read ahead, and later
        frames = [*calm[:at], calm[at][:-2], *calm[:3]]
        with pytest.raises(UsageError, match=r"size|shape"):
            list(embed_frames(frames, 5, payload, key))


def test_no_frames_are_refused(key: Key, payload: Payload) -> None:
    with pytest.raises(UsageError, match="no frame"):
        plan([], payload, key)
    with pytest.raises(UsageError, match="no frame"):
        list(embed_frames([], 25, payload, key))


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_meant_is_refused(
    rate: float, calm: Film, key: Key, payload: Payload
) -> None:
    with pytest.raises(UsageError, match="frames a second"):
        list(embed_frames(calm, rate, payload, key))


@pytest.mark.parametrize("strength", [0.2, 4.1, float("nan"), -1])
def test_strength_out_of_range_is_refused(
    strength: float, calm: Film, key: Key, payload: Payload
) -> None:
    with pytest.raises(UsageError, match="strength"):
        list(embed_frames(calm, RATE, payload, key, strength=strength))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((256, 256), np.float32),
        np.zeros((256, 256), np.uint16),
        np.zeros((256, 256, 2), np.uint8),
        np.zeros((0, 256), np.uint8),
        "frame",
    ],
    ids=["float", "wide", "two colors", "empty", "text"],
)
def test_what_is_no_picture_is_refused(frame: Any, key: Key, payload: Payload) -> None:
    with pytest.raises(UsageError, match="a picture is"):
        list(embed_frames([frame], 25, payload, key))
