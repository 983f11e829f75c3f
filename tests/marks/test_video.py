"""Videos read: what a mark survives, in which seconds it is, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from io import BytesIO
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark import Detection, Key, Payload, detect_frames, embed_frames
from synthmark.labeling.errors import UsageError
from synthmark.labeling.marks import search, video
from synthmark.labeling.marks.video import VideoReader
from synthmark.labeling.marks.video_writer import VideoWriter, plan

Frame = NDArray[np.uint8]
Film = list[Frame]
MakeFilm = Callable[..., Film]
# Frames and whether they are key frames.
Coded = list[tuple[Frame, bool]]

RATE, SECONDS = 12, 3
NOTHING = Detection(
    found=False, payload=None, p_value=1.0, score=0.0, scheme="video-lattice/1"
)


@pytest.fixture(scope="module")
def marked(make_film: MakeFilm, key: Key, payload: Payload) -> Film:
    frames = make_film(362, 644, RATE, SECONDS, seed=1, speed=4)
    return list(embed_frames(frames, RATE, payload, key))


@pytest.fixture(scope="module")
def plain(make_film: MakeFilm) -> Film:
    return make_film(362, 644, RATE, SECONDS, seed=2, speed=4)


def coded(frames: Film, rate: float = RATE, crf: int = 28) -> Coded:
    """Encode as H.264 and decode."""
    file = BytesIO()
    height, width = (size // 2 * 2 for size in frames[0].shape)
    options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
    with av.open(file, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=round(rate), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index, frame in enumerate(frames):
            part = np.ascontiguousarray(frame[:height, :width])
            picture = av.VideoFrame.from_ndarray(part, "gray")
            picture = picture.reformat(format="yuv420p")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as decoded:
        return [
            (
                np.array(picture.to_ndarray()[:height, :width], np.uint8),
                picture.key_frame,
            )
            for picture in decoded.decode(video=0)
        ]


def read(frames: Coded, keys: Key | list[Key], rate: float = RATE) -> Detection:
    """Read some of the frames, as those of a file are."""
    reader = VideoReader(keys)
    step = max(1, round(video.EVERY_S * rate))
    for index, (luma, is_key) in enumerate(frames):
        if is_key or index % step == 0:
            reader.push(luma, index / rate, is_key=is_key)
    return reader.finish(len(frames) / rate)


def check(hit: Detection, payload: Payload, key: Key, seconds: float) -> None:
    """Check what must hold for every hit."""
    assert hit.found
    assert hit.payload == payload
    assert 0 <= hit.p_value <= search.P_VALUE_LIMIT
    assert 0 < hit.score <= 1
    assert (hit.scheme, hit.key_id) == ("video-lattice/1", key.id)
    assert hit.transform is not None
    assert hit.spans
    edges = [edge for span in hit.spans for edge in span]
    assert edges == sorted(edges)
    assert 0 <= edges[0] < edges[-1] <= seconds + 0.001


def overlap(hit: Detection, start_s: float, end_s: float) -> float:
    """Return the intersection over union of the spans with one that is true."""
    both = sum(max(0.0, min(b, end_s) - max(a, start_s)) for a, b in hit.spans or ())
    found = sum(b - a for a, b in hit.spans or ())
    return both / (found + end_s - start_s - both)


# What is written is read


@pytest.mark.parametrize(
    ("height", "width"),
    [(128, 128), (128, 500), (241, 427), (480, 270), (720, 1280)],
)
def test_frames_of_any_size_read_back(
    height: int, width: int, make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    frames = make_film(height, width, 8, 1)
    after = list(embed_frames(frames, 8, payload, key))
    hit = detect_frames(after, 8, key)
    check(hit, payload, key, 1)
    assert hit.spans == ((0.0, 1.0),)


@pytest.mark.parametrize("rate", [8, 23.976, 60])
def test_clips_of_any_rate_read_back(
    rate: float, make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    frames = make_film(180, 320, round(rate), 1)
    hit = detect_frames(embed_frames(frames, rate, payload, key), rate, key)
    check(hit, payload, key, len(frames) / rate)
    assert overlap(hit, 0, len(frames) / rate) > 0.99


@pytest.mark.parametrize(
    ("bits", "limited"), [(8, True), (10, False), (10, True), (12, False)]
)
def test_codes_of_any_kind_read_back(
    bits: int, limited: bool, make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    reader = VideoReader(key)
    kind = np.uint8 if bits == 8 else np.uint16
    film = []
    for frame in make_film(256, 456, 4, 1):
        full = 16 + frame * (219 / 255) if limited else frame.astype(float)
        film.append(np.rint(full * 2 ** (bits - 8)).astype(kind))
    tried = plan(film, payload, key, bits=bits)
    writer = VideoWriter(256, 456, payload, key, bits=bits, plan=tried)
    for index, luma in enumerate(film):
        writer.mark(luma, index / 4)
        reader.push(luma, index / 4, bits=bits)
    check(reader.finish(1.0), payload, key, 1)


@settings(max_examples=5)
@given(
    st.integers(0, 2**64 - 1).map(Payload.from_int),
    st.binary(min_size=32, max_size=32).map(Key.from_bytes),
)
def test_any_payload_reads_back_with_any_key(
    make_film: MakeFilm, payload: Payload, key: Key
) -> None:
    frames = make_film(180, 320, 4, 0.5)
    after = list(embed_frames(frames, 4, payload, key))
    check(detect_frames(after, 4, key), payload, key, 0.5)


def test_colors_and_gray_read_the_same(
    marked: Film, key: Key, payload: Payload
) -> None:
    some = marked[:RATE]
    hit = detect_frames(some, RATE, key)
    check(hit, payload, key, 1)
    assert detect_frames([np.stack([f] * 3, axis=2) for f in some], RATE, key) == hit


# What it survives


def scaled(by: float) -> Callable[[Film], Film]:
    how = cv2.INTER_AREA if by < 1 else cv2.INTER_CUBIC

    def change(frames: Film) -> Film:
        return [
            np.asarray(cv2.resize(f, None, fx=by, fy=by, interpolation=how), np.uint8)
            for f in frames
        ]

    return change


def cropped(frames: Film) -> Film:
    return [frame[40:-52, 30:-91] for frame in frames]


def inside(frames: Film) -> Film:
    out = [np.full((720, 1024), 16, np.uint8) for _ in frames]
    for large, frame in zip(out, frames, strict=True):
        large[180 : 180 + 362, 190 : 190 + 644] = frame
    return out


CHANGES: dict[str, Callable[[Film], Film]] = {
    "nothing else": lambda frames: frames,
    "cropped": cropped,
    "inside a larger one": inside,
    "half the size": scaled(0.5),
    "larger": scaled(1.4),
    "mirrored": lambda frames: [frame[:, ::-1] for frame in frames],
    "turned": lambda frames: [np.rot90(frame) for frame in frames],
    "one second of it": lambda frames: frames[14:26],
    "half the frames": lambda frames: frames[::2],
    "twice as slow": lambda frames: [f for frame in frames[:18] for f in (frame,) * 2],
    "backwards": lambda frames: frames[::-1],
    "brighter": lambda frames: [(40 + 0.8 * f).astype(np.uint8) for f in frames],
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_read_from_compressed_video(
    change: str, marked: Film, key: Key, payload: Payload
) -> None:
    frames = CHANGES[change](marked)
    crf = 28 if change == "nothing else" else 23
    hit = read(coded(frames, RATE, crf), key)
    check(hit, payload, key, len(frames) / RATE)
    assert hit.transform is not None
    turns = {"turned": (90, False), "mirrored": (0, True)}
    turn, flipped = turns.get(change, (0, False))
    assert hit.transform.rotation_deg == pytest.approx(turn, abs=1.0)
    assert hit.transform.flipped is flipped
    scale = {"half the size": 0.5, "larger": 1.4}.get(change, 1.0)
    assert hit.transform.scale_x == pytest.approx(scale, rel=0.02)
    assert hit.transform.scale_y == pytest.approx(scale, rel=0.02)


def test_it_is_read_from_ten_bits(marked: Film, key: Key, payload: Payload) -> None:
    reader = VideoReader(key)
    for index, frame in enumerate(marked[:RATE:3]):
        reader.push(frame.astype(np.uint16) * 4, index / 4, bits=10)
    check(reader.finish(), payload, key, 1)


@pytest.mark.parametrize("number", [0, 20])
def test_it_is_read_from_a_single_frame(
    number: int, marked: Film, key: Key, payload: Payload
) -> None:
    picture = marked[number]
    _, file = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 60))
    small = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
    check(read([(np.asarray(small, np.uint8), True)], key), payload, key, 1)
    check(detect_frames([picture], 25, key), payload, key, 0.04)


def test_frames_that_say_nothing_alone_are_read_together(
    marked: Film, key: Key, payload: Payload
) -> None:
    rng = np.random.default_rng(5)
    noisy = [
        np.clip(frame + rng.normal(0, 50, frame.shape), 0, 255).astype(np.uint8)
        for frame in marked[::3]
    ]
    assert not all(detect_frames([frame], 4, key).found for frame in noisy[:4])
    check(detect_frames(noisy, 4, key), payload, key, 3)


# In which seconds it is


@pytest.mark.parametrize("crf", [18, 25])
def test_a_part_between_unmarked_ones_is_told(
    crf: int, marked: Film, plain: Film, key: Key, payload: Payload
) -> None:
    frames = [*plain, *marked, *plain[::-1]]
    hit = read(coded(frames, RATE, crf), key)
    check(hit, payload, key, 3 * SECONDS)
    assert overlap(hit, SECONDS, 2 * SECONDS) >= 0.8


def test_parts_that_come_again_are_all_told(
    marked: Film, plain: Film, key: Key
) -> None:
    film = [*marked, *plain, *marked]
    spans = detect_frames(film, RATE, key).spans
    assert spans is not None
    assert np.ravel(spans) == pytest.approx([0, 3, 6, 9], abs=0.3)


def test_parts_of_two_marks_are_those_of_the_first(
    marked: Film, make_film: MakeFilm, key: Key, payload: Payload
) -> None:
    other = make_film(362, 644, RATE, SECONDS, seed=3)
    second = embed_frames(other, RATE, Payload(issuer=1, serial=2), key)
    hit = detect_frames([*marked, *second], RATE, key)
    check(hit, payload, key, 6)
    # The two share the carriers that are known from the key.
    assert overlap(hit, 0, 3) > 0.45


def test_what_came_before_the_mark_was_found_is_told_too(
    marked: Film, key: Key
) -> None:
    """Frames too poor to find it in still tell that they carry it, once it is known."""
    rng = np.random.default_rng(5)
    poor = [
        np.clip(frame + rng.normal(0, 100, frame.shape), 0, 255).astype(np.uint8)
        for frame in marked[::3]
    ]
    assert not detect_frames(poor[:4], 4, key).found
    film = [*poor[:4], *marked[::3]]
    spans = detect_frames(film, 4, key).spans
    assert spans is not None
    assert spans[0][0] < 0.6
    assert spans[-1][1] == 4.0


# Where there is none


def test_another_key_finds_nothing(marked: Film, others: list[Key]) -> None:
    assert detect_frames(marked, RATE, others[:3]) == NOTHING


def test_a_list_of_keys_tells_which_one(
    marked: Film, others: list[Key], key: Key, payload: Payload
) -> None:
    check(detect_frames(marked, RATE, [*others[:3], key]), payload, key, SECONDS)


def test_unmarked_clips_show_nothing(plain: Film, others: list[Key]) -> None:
    assert read(coded(plain), others[:3]) == NOTHING


@pytest.mark.parametrize("level", [0, 255])
def test_a_clip_of_one_color_shows_nothing(level: int, key: Key) -> None:
    frames = [np.full((200, 300), level, np.uint8)] * 4
    assert detect_frames(frames, 4, key) == NOTHING


@settings(max_examples=6)
@given(
    st.integers(1, 200), st.integers(1, 300), st.integers(0, 2**32 - 1), st.booleans()
)
def test_whatever_the_frames_they_show_nothing(
    key: Key, height: int, width: int, seed: int, drawn: bool
) -> None:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (2, height, width), np.uint8)
    if drawn:
        frames = (frames > 128).astype(np.uint8) * 255
    assert detect_frames(list(frames), 4, key) == NOTHING


def test_no_frames_show_nothing(key: Key) -> None:
    assert detect_frames([], 25, key) == NOTHING
    assert VideoReader(key).finish() == NOTHING


# What is refused, and what it costs


def test_memory_does_not_grow_with_the_length(
    plain: Film, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "PENDING", 2)
    reader = VideoReader(key)
    for index in range(round(5 * video.CHUNK_S / video.EVERY_S)):
        reader.push(plain[index % 12][:64, :96], video.EVERY_S * index)
    frames = video.CHUNK_S / video.EVERY_S
    assert sum(map(len, (reader._chunk, *reader._pending))) <= 3 * frames
    assert reader.finish() == NOTHING


def test_key_frames_alone_do_not_fill_the_memory(plain: Film, key: Key) -> None:
    reader = VideoReader(key)
    for index in range(2 * video.MOST_FRAMES):
        reader.push(plain[index % 12][:64, :96], 0.001 * index, is_key=True)
    assert len(reader._chunk) <= video.MOST_FRAMES


def test_no_key_is_refused(plain: Film) -> None:
    with pytest.raises(UsageError, match="no key"):
        detect_frames(plain, RATE, [])


def test_frames_of_other_sizes_are_refused(plain: Film, key: Key) -> None:
    with pytest.raises(UsageError, match="shape"):
        detect_frames([plain[0], plain[0].T], 1, key)


def test_what_is_no_picture_is_refused(key: Key) -> None:
    frame: Any
    for frame in (np.zeros((9, 9)), np.zeros((9, 9, 2), np.uint8), None):
        with pytest.raises(UsageError, match="a picture is"):
            detect_frames([frame], 25, key)


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf])
def test_a_rate_that_cannot_be_meant_is_refused(rate: float, key: Key) -> None:
    with pytest.raises(UsageError, match="frames a second"):
        detect_frames([], rate, key)
