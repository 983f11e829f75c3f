"""Notices on videos are found, timed, and held against the rule."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices import find_video
from synthmark.labeling.notices.find_video import FoundVideoNotice, find
from synthmark.labeling.notices.frame import FrameForm
from synthmark.labeling.notices.image import draw
from synthmark.labeling.notices.video import VideoNotice, VideoOverlay

Pixels = NDArray[np.uint8]
Clip = list[tuple[float, Pixels]]

ENGLISH = "AI生成 · AI-generated"
SIZE = (240, 320)


def scene(time_s: float, seed: int = 3) -> Pixels:
    """A picture with soft shapes and grain that move."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    soft = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    moved = np.roll(soft, round(20 * time_s), axis=1)
    grain = np.random.default_rng(round(1000 * time_s)).normal(0, 4, moved.shape)
    return np.asarray(np.clip(moved + grain, 0, 255), np.uint8)


def clip(
    seconds: float,
    shown: tuple[float, float] = (0, 99),
    *,
    fps: float = 5,
    text: str = "AI生成",
    corner: str = "top-left",
) -> Clip:
    """Sampled frames with a notice between two times."""
    frames = []
    for number in range(round(seconds * fps)):
        time_s = number / fps
        pixels = scene(time_s)
        if shown[0] <= time_s < shown[1]:
            pixels, _ = draw(pixels, text, corner=corner)
        frames.append((time_s, pixels))
    return frames


def only(frames: Clip) -> FoundVideoNotice:
    (found,) = find(frames)
    return found


@pytest.mark.parametrize("corner", ["top-left", "bottom-right"])
@pytest.mark.parametrize("text", ["AI生成", ENGLISH, "人工智能合成"])
def test_a_notice_for_the_whole_clip_is_in_order(text: str, corner: str) -> None:
    found = only(clip(4, text=text, corner=corner))
    assert found.text == text
    assert found.faults == ()
    assert found.on_first_frame
    assert found.start_s == 0
    assert found.end_s == pytest.approx(4)
    assert found.score > 0.85
    assert found.height_fraction == pytest.approx(20 / 240, rel=0.04)
    assert (found.box.left < 60) == (corner == "top-left")


@pytest.mark.parametrize(("end_s", "faults"), [(2.0, ()), (1.6, ("too_short",))])
@pytest.mark.parametrize("fps", [5, 10, 30])
def test_two_seconds_are_enough_and_less_is_not(
    end_s: float, faults: tuple[str, ...], fps: float
) -> None:
    found = only(clip(4, (0, end_s), fps=fps))
    assert found.faults == faults
    assert found.end_s == pytest.approx(end_s, abs=0.201)


def test_a_clip_of_less_than_two_seconds_is_too_short() -> None:
    assert only(clip(1.4)).faults == ("too_short",)
    assert only(clip(0.2)).faults == ("too_short",)


def test_the_last_frame_counts_until_the_clip_ends() -> None:
    for frames in (clip(0.2), clip(1.4)):
        (found,) = find(frames, clip_end_s=2.1)
        assert (found.end_s, found.faults) == (2.1, ())
    (gone,) = find(clip(3, (0, 1)), clip_end_s=9)
    assert gone.faults == ("too_short",)


def test_a_notice_that_is_not_on_the_first_frame_is_late() -> None:
    found = only(clip(6, (1.2, 99)))
    assert found.faults == ("late",)
    assert not found.on_first_frame
    assert found.start_s == pytest.approx(1.2, abs=0.4)


def test_a_notice_beside_a_lawful_one_is_said_too() -> None:
    frames = clip(9, (0, 2.4))
    later = clip(9, (4, 99), corner="bottom-right")
    frames[20:] = later[20:]
    first, second = find(frames)
    assert first.faults == ()
    assert second.faults == ("late",)
    assert second.box.left > first.box.left


def test_a_notice_inside_a_larger_picture_breaks_other_rules() -> None:
    def wall(pixels: Pixels, top: int, left: int, size: int) -> Pixels:
        large = np.full((size, size, 3), 90, np.uint8)
        large[top : top + SIZE[0], left : left + SIZE[1]] = pixels
        return large

    frames = clip(3)
    small = [(time_s, wall(pixels, 0, 0, 640)) for time_s, pixels in frames]
    assert only(small).faults == ("too_small",)
    middle = [(time_s, wall(pixels, 120, 60, 380)) for time_s, pixels in frames]
    assert only(middle).faults == ("off_edge",)


@pytest.mark.parametrize("bad", [[0], [3], [7], [4, 9]])
def test_single_bad_frames_do_no_harm(bad: list[int]) -> None:
    frames = clip(4)
    rng = np.random.default_rng(1)
    for number in bad:
        time_s, pixels = frames[number]
        if number:
            pixels = rng.integers(0, 256, pixels.shape, dtype=np.uint8)
        else:
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.6), np.uint8)
        frames[number] = time_s, pixels
    assert only(frames).faults == ()


def test_what_is_seen_once_is_no_notice() -> None:
    assert find(clip(4, (1.2, 1.39))) == []


@pytest.mark.parametrize("fps", [1, 60])
def test_any_rate_will_do(fps: float) -> None:
    found = only(clip(4, fps=fps))
    assert found.faults == ()
    assert found.end_s == pytest.approx(4)


def test_a_long_clip_is_looked_at_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched, looked = [], []

    def search(pixels: Pixels, **_: float) -> tuple[()]:
        searched.append(pixels)
        return ()

    monkeypatch.setattr(find_video, "find_in_picture", search)
    blank = np.zeros((64, 64, 3), np.uint8)

    def hour() -> Iterator[tuple[float, Pixels]]:
        for number in range(4 * 3600):
            looked.append(number)
            yield number / 4, blank

    assert find(hour()) == []
    assert len(looked) == 4 * 3600
    assert len(searched) < 420


def test_nothing_is_found_where_nothing_is() -> None:
    assert find([]) == []
    assert find(clip(5, (9, 9))) == []


def test_frames_that_are_no_pictures_are_refused() -> None:
    with pytest.raises(UsageError, match="not a picture"):
        find([(0.0, np.zeros((9, 9), np.uint8)[0])])


@pytest.mark.parametrize("seconds", [None, 2])
def test_found_again_after_a_codec(seconds: float | None) -> None:
    height, width, fps = 240, 320, 10
    buffer = io.BytesIO()
    overlay = VideoOverlay(
        VideoNotice(corner="bottom-left", seconds=seconds),
        FrameForm(width=width, height=height),
    )
    with av.open(buffer, "w", format="matroska") as target:
        stream = target.add_stream("libx264", rate=fps, options={"crf": "30"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(4 * fps):
            shown = cv2.cvtColor(scene(number / fps), cv2.COLOR_RGB2YUV_I420)
            i420 = np.asarray(shown, np.uint8)
            flat = i420.reshape(-1)
            size = width * height
            blue, red = flat[size:].reshape(2, height // 2, width // 2)
            overlay.draw(i420[:height], [blue, red], number / fps)
            frame = av.VideoFrame.from_ndarray(i420, format="yuv420p")
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as source:
        frames = [
            (
                float(frame.time or 0),
                np.asarray(frame.to_ndarray(format="rgb24"), np.uint8),
            )
            for frame in source.decode(video=0)
        ]
    found = only(frames)
    placed = overlay.placed()
    assert found.faults == ()
    assert found.text == placed.text
    assert found.height_fraction == pytest.approx(placed.height_fraction, rel=0.04)
    # The fade counts until it is hardly seen.
    assert placed.end_s - 0.21 <= found.end_s <= placed.end_s + 0.6
    assert placed.box.top < found.box.top < placed.box.top + placed.box.height
