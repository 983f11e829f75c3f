"""When a mark is in a video or a sound, as numbers and as a picture."""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synthmark import (
    Detection,
    Detector,
    Key,
    MarkTimeline,
    Payload,
    detect_video,
    embed_audio,
    embed_frames,
)
from synthmark.labeling import timeline
from synthmark.labeling.errors import DamagedMedia
from synthmark.labeling.media import video

Film = list[NDArray[np.uint8]]
Pixels = NDArray[np.uint8]

RATE = 8
KEY = Key.from_bytes(bytes(range(32)))
PAYLOAD = Payload(issuer=7, serial=123456)
BLUE, GREY, LIGHT = (0, 114, 178), (221, 221, 221), (121, 183, 221)
LEFT, WIDTH = 90, 1480


@pytest.fixture(scope="module")
def film(make_film: Callable[..., Film]) -> Film:
    return make_film(180, 320, RATE, 2, seed=4)


@pytest.fixture(scope="module")
def joined(
    film: Film,
    make_film: Callable[..., Film],
    save_film: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Two seconds without the mark, two with it, and two without."""
    marked = embed_frames(film, RATE, PAYLOAD, KEY)
    other = make_film(180, 320, RATE, 2, seed=5)
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return save_film(path, [*other, *marked, *other], RATE)


def locate(source: Path | bytes, *keys: Key) -> MarkTimeline:
    found = Detector(keys=keys or [KEY]).locate(source)
    assert isinstance(found, MarkTimeline)
    return found


def drawn(found: MarkTimeline) -> Pixels:
    with Image.open(io.BytesIO(found.png())) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.array(image)


def columns(pixels: Pixels, color: Sequence[int]) -> NDArray[np.bool_]:
    """Tell which columns of the time have a pixel of a color."""
    there = (pixels == np.array(color, np.uint8)).all(axis=2).any(axis=0)
    return np.asarray(there[LEFT : LEFT + WIDTH])


def row(pixels: Pixels, color: Sequence[int]) -> int:
    """Return the row that has most of a color."""
    return int((pixels == np.array(color, np.uint8)).all(axis=2).sum(axis=1).argmax())


def test_the_joined_part_is_found_and_drawn(joined: Path) -> None:
    found = locate(joined, Key.generate(), KEY)
    assert found.detection == dataclasses.replace(
        detect_video(joined, KEY), p_value=found.detection.p_value
    )
    assert found.detection.payload == PAYLOAD
    assert found.end_s == pytest.approx(6)
    ((start, end),) = found.detection.spans or ()
    assert (start, end) == pytest.approx((2, 4), abs=0.3)
    assert found.missing == pytest.approx(1 - (end - start) / 6)
    inside = [z for time, z in found.evidence if start < time < end]
    outside = [z for time, z in found.evidence if not start < time < end]
    assert len(inside) >= 6
    assert min(inside) > 5 > max(outside)
    pixels = drawn(found)
    band = pixels[row(pixels, BLUE)][LEFT : LEFT + WIDTH]
    blue = np.flatnonzero((band == BLUE).all(axis=1))
    assert blue[[0, -1]] / WIDTH * 6 == pytest.approx((start, end), abs=0.02)
    bars = np.flatnonzero(columns(pixels, LIGHT))
    assert bars[[0, -1]] / WIDTH * 6 == pytest.approx((start, end), abs=0.02)


def test_bytes_are_located_like_their_file(joined: Path) -> None:
    assert locate(joined.read_bytes()).png() == locate(joined).png()


def test_without_a_mark_or_a_key_there_is_no_timeline(
    joined: Path, film: Film, save_film: Callable[..., Path], tmp_path: Path
) -> None:
    assert Detector(keys=[Key.generate()]).locate(joined) is None
    assert Detector().locate(joined) is None
    plain = save_film(tmp_path / "b.mp4", film[:4], RATE)
    assert Detector(keys=[KEY]).locate(plain) is None
    tiny = save_film(tmp_path / "c.mp4", [film[0][:16, :16]], RATE)
    assert Detector(keys=[KEY]).locate(tiny) is None


def test_a_header_that_claims_years_is_not_believed(
    joined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = video.describe

    def describe(path: Path) -> video.Video:
        return dataclasses.replace(real(path), duration_s=1e12)

    monkeypatch.setattr(video, "describe", describe)
    found = locate(joined)
    assert found.end_s == 86_400
    drawn(found)


def test_a_broken_video_is_told(joined: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.mp4"
    path.write_bytes(joined.read_bytes()[:20_000])
    with pytest.raises(DamagedMedia):
        Detector(keys=[KEY]).locate(path)


def test_frames_of_the_strip_are_upright_and_undistorted(
    save_film: Callable[..., Path], tmp_path: Path
) -> None:
    # Stored on its side, with pixels twice as wide as high.
    picture = np.full((180, 320, 3), (200, 160, 40), np.uint8)
    picture[:, :40] = 0, 80, 255
    path = save_film(tmp_path / "b.mp4", [picture] * 3, RATE)
    clip = video.describe(path)
    strip = timeline._Strip(
        dataclasses.replace(clip, rotation_deg=90, pixel_aspect=Fraction(2))
    )
    for frame in video.frames(path, clip):
        strip.take(frame)
    assert [time for time, _ in strip.pictures] == pytest.approx([0, 0.125, 0.25])
    for _, small in strip.pictures:
        assert small.shape == (200, round(200 * 180 / 640), 3)
        # What is stored at the left is shown at the top.
        assert small[:20, :, 2].min() > 180 > 100 > small[30:, :, 2].max()


def test_the_strip_stays_small_and_even(
    film: Film, save_film: Callable[..., Path], tmp_path: Path
) -> None:
    path = save_film(tmp_path / "b.mp4", [frame[:64, :64] for frame in film] * 20, RATE)
    strip = timeline._Strip(video.describe(path))
    most = 0
    for frame in video.frames(path):
        strip.take(frame)
        most = max(most, len(strip.pictures))
    times = [time for time, _ in strip.pictures]
    assert most <= 48
    assert len(times) > 20
    assert times[0] == 0
    assert times[-1] > 37
    assert max(np.diff(times)) < 2.5 * min(np.diff(times))


def saved_sound(path: Path, samples: NDArray[np.float32], rate: int) -> Path:
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("pcm_s16le", rate, layout="mono")
        block: Any = av.AudioFrame.from_ndarray(
            np.rint(samples * 32767).astype(np.int16)[None], "s16", "mono"
        )
        block.sample_rate = rate
        file.mux(stream.encode(block))
        file.mux(stream.encode(None))
    return path


def test_a_sound_shows_how_loud_it_is(
    make_voice: Callable[..., NDArray[np.int16]], tmp_path: Path
) -> None:
    voice, other = (
        make_voice(seconds, seed=seed).astype(np.float32) / 32768
        for seconds, seed in ((8, 3), (4, 7))
    )
    marked = embed_audio(voice, 24_000, PAYLOAD, KEY)
    whole = np.concatenate([marked, other / 4])
    path = saved_sound(tmp_path / "a.wav", whole, 24_000)
    found = locate(path)
    assert found.detection.scheme == "audio-tf/1"
    assert found.end_s == 12
    assert found.missing == pytest.approx(1 / 3, abs=0.1)
    assert (found.evidence, found.pictures) == ((), ())
    loud = np.abs(whole).reshape(1200, -1).max(axis=1)
    assert np.abs(found.peaks - loud).max() < 1e-4
    pixels = drawn(found)
    wave = pixels[: row(pixels, BLUE), LEFT : LEFT + WIDTH]
    heights = (wave == 166).all(axis=2).sum(axis=0)
    early, late = heights[: WIDTH * 2 // 3].max(), heights[WIDTH * 2 // 3 + 1 :].max()
    assert early == pytest.approx(130, abs=2)
    assert late / early == pytest.approx(loud[800:].max() / loud[:800].max(), abs=0.03)
    unmarked = saved_sound(tmp_path / "b.wav", voice, 24_000)
    assert Detector(keys=[KEY]).locate(unmarked) is None


def test_a_mark_in_the_sound_of_a_video_alone_is_shown(
    film: Film,
    make_voice: Callable[..., NDArray[np.int16]],
    save_film: Callable[..., Path],
    tmp_path: Path,
) -> None:
    voice = embed_audio(
        make_voice(4).astype(np.float32) / 32768, 24_000, PAYLOAD, KEY, strength=2
    )
    sound = np.rint(32767 * voice).astype(np.int16)
    path = save_film(tmp_path / "a.mp4", film * 3, RATE, sound=sound)
    found = locate(path)
    assert (found.detection.payload, found.evidence) == (PAYLOAD, ())
    assert found.end_s == pytest.approx(6, abs=0.01)
    assert len(found.pictures) >= 12
    assert len(found.peaks) == pytest.approx(600, abs=2)
    assert not found.peaks[420:].any()
    drawn(found)


@settings(max_examples=25)
@example(1.0, [(0.0, 0.0)], 1, -11.0, 0.0, (1, 1))
@given(
    st.floats(0.001, 86_400),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60),
    st.integers(1, 200),
    st.floats(-40, 400),
    st.sampled_from([0.0, 3e-10, 1e-308]),
    st.tuples(st.integers(1, 200), st.integers(1, 360)),
)
def test_no_text_is_cut_off_or_meets_another(
    end_s: float,
    places: list[tuple[float, float]],
    frames: int,
    most: float,
    p_value: float,
    shape: tuple[int, int],
) -> None:
    times = np.linspace(0, end_s, frames, endpoint=False).tolist()
    black = np.zeros((*shape, 3), np.uint8)
    found = MarkTimeline(
        detection=Detection(
            found=True,
            payload=PAYLOAD,
            p_value=p_value,
            score=1.0,
            scheme="video-lattice/1",
            spans=tuple((end_s * min(one), end_s * max(one)) for one in places),
        ),
        end_s=end_s,
        evidence=tuple((time, most * math.cos(time)) for time in times),
        pictures=tuple((time, black) for time in times),
    )
    assert 0 <= found.missing <= 1
    boxes: list[tuple[float, float, float, float]] = []

    def write(
        draw: Any, at: Any, text: str, color: str, font: Any, *, anchor: str
    ) -> None:
        boxes.append(draw.textbbox(at, text, font, anchor))
        written(draw, at, text, color, font, anchor=anchor)

    written = ImageDraw.ImageDraw.text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageDraw.ImageDraw, "text", write)
        pixels = drawn(found)
    assert columns(pixels, BLUE).any()
    height, width, _ = pixels.shape
    for left, top, right, bottom in boxes:
        assert min(left, top, width - right, height - bottom) >= 6
    for one, other in combinations(boxes, 2):
        beside = one[2] + 6 <= other[0] or other[2] + 6 <= one[0]
        assert beside or one[3] <= other[1] or other[3] <= one[1]
