"""Videos read: what they are, and frames at their times."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from synthmark.labeling.errors import UnsupportedFormat, UsageError
from synthmark.labeling.media import probe, video

Make = Callable[..., Path]


def means(path: Path, **settings: Any) -> list[int]:
    return [round(frame.luma.mean()) for frame in video.frames(path, **settings)]


@pytest.mark.parametrize(
    ("name", "encoder", "sound", "codec", "heard"),
    [
        ("a.mp4", "libx264", "aac", "h264", "aac"),
        ("a.m4v", "libx264", "aac", "h264", "aac"),
        ("a.mov", "mpeg4", "pcm_s16le", "mpeg4", "pcm_s16le"),
        ("a.mkv", "libx265", "flac", "hevc", "flac"),
        ("a.webm", "libvpx-vp9", "libopus", "vp9", "opus"),
        ("a.avi", "mjpeg", "pcm_s16le", "mjpeg", "pcm_s16le"),
        ("a.flv", "libx264", "aac", "h264", "aac"),
        ("a.ts", "libx264", "aac", "h264", "aac"),
    ],
)
def test_the_content_tells_what_it_is(
    make_clip: Make, name: str, encoder: str, sound: str, codec: str, heard: str
) -> None:
    pixels = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
    brand = {"brand": "M4V "} if name == "a.m4v" else {}
    path = make_clip(name, encoder=encoder, sound=sound, pixels=pixels, muxer=brand)
    plain = path.rename(path.with_name("clip.bin"))
    found = video.describe(plain)
    assert (found.format, found.codec) == (name[2:], codec)
    assert (found.width, found.height, found.bits) == (64, 48, 8)
    assert found.pixel_format == pixels
    assert found.full_range is (encoder == "mjpeg")
    assert found.frame_rate == 25
    assert found.sound is not None
    assert (found.sound.codec, found.sound.rate_hz) == (heard, 48_000)
    frames = list(video.frames(plain, found))
    assert [round(frame.time_s, 3) for frame in frames] == pytest.approx(
        [n / 25 for n in range(10)], abs=0.001
    )
    assert means(plain) == pytest.approx(range(40, 60, 2), abs=1)
    assert {(f.luma.shape, *(c.shape for c in f.chroma)) for f in frames} == {
        ((48, 64), (24, 32), (24, 32))
    }


@pytest.mark.parametrize(
    ("pixels", "chroma", "dtype"),
    [
        ("yuv444p", (49, 65), np.uint8),
        ("yuv422p10le", (49, 33), np.uint16),
        ("gray", None, np.uint8),
    ],
)
def test_planes_are_without_padding_and_samples_in_the_lower_bits(
    make_clip: Make, pixels: str, chroma: tuple[int, int] | None, dtype: type
) -> None:
    path = make_clip("a.mkv", encoder="ffv1", size=(65, 49), pixels=pixels)
    found = video.describe(path)
    bits = 10 if "10" in pixels else 8
    assert found.bits == bits
    for number, frame in enumerate(video.frames(path, found)):
        assert (frame.luma.dtype, frame.luma.shape) == (dtype, (49, 65))
        assert (frame.luma == (40 + 2 * number) << (bits - 8)).all()
        assert [plane.shape for plane in frame.chroma] == (
            [chroma] * 2 if chroma else []
        )


def test_hdr_and_turn_are_told(make_clip: Make) -> None:
    def turn(_: Any, stream: Any) -> None:
        stream.set_display_rotation(90)

    path = make_clip(
        "a.mp4",
        encoder="libx265",
        pixels="yuv420p10le",
        prepare=turn,
        color_primaries=9,
        color_trc=16,
        colorspace=9,
        color_range=1,
    )
    found = video.describe(path)
    assert (found.transfer, found.matrix, found.primaries) == ("pq", "bt2020", "bt2020")
    # FFmpeg counts turns against the clock.
    assert (found.rotation_deg, found.flipped) == (270, False)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turn_and_flip_are_those_of_the_matrix(
    make_clip: Make, degrees: int, flipped: bool
) -> None:
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    side = -1 if flipped else 1
    numbers = [side * cosine, side * sine, 0, -sine, cosine, 0, 0, 0, 1 << 14]
    matrix = [n << 16 for n in numbers]

    def turn(_: Any, stream: Any) -> None:
        stream.set_display_matrix(matrix)

    found = video.describe(make_clip("a.mp4", prepare=turn))
    assert (found.rotation_deg, found.flipped) == (degrees, flipped)


@pytest.mark.parametrize("every_s", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_sampled_frames_keep_their_distance(
    make_clip: Make, name: str, every_s: float
) -> None:
    encoder = "mpeg4" if name == "a.avi" else "libx264"
    path = make_clip(name, encoder=encoder, frames=60, options={"bf": "0"})
    frames = list(video.frames(path, every_s=every_s))
    assert frames[0].time_s == 0
    gaps = np.diff([frame.time_s for frame in frames])
    ordinary = [not frame.picture.key_frame for frame in frames[1:]]
    assert (gaps[ordinary] >= every_s - 0.001).all()
    assert (gaps < every_s + 0.041).all()


def test_key_frames_are_never_left_out(make_clip: Make) -> None:
    options = {"bf": "0", "g": "15", "sc_threshold": "0"}
    path = make_clip("a.mp4", frames=60, options=options)
    keys = [f.time_s for f in video.frames(path) if f.picture.key_frame]
    sampled = {f.time_s for f in video.frames(path, every_s=0.5)}
    assert len(keys) == 4
    assert sampled.issuperset(keys)


def test_glimpses_are_from_all_over(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=100)
    described = video.describe(path)
    assert len(list(video.glimpses(path, described, 5))) == 5


def test_frames_that_others_need_are_sampled_with_b_frames(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=75, options={"bf": "3", "preset": "fast"})
    frames = list(video.frames(path, every_s=0.4))
    assert frames[0].time_s == 0
    assert (np.diff([frame.time_s for frame in frames]) >= 0.399).all()
    assert len(frames) >= 6
    levels = [40 + 2 * 25 * frame.time_s for frame in frames]
    assert [frame.luma.mean() for frame in frames] == pytest.approx(levels, abs=2)


def test_uneven_times_are_those_of_the_file(make_clip: Make) -> None:
    times = [3, 4, 9, 30, 31, 33, 80, 81, 90, 200]
    path = make_clip("a.mp4", times=times, unit=Fraction(1, 100), rate=100)
    found = [frame.time_s for frame in video.frames(path)]
    assert found == pytest.approx([(t - 3) / 100 for t in times], abs=1e-6)
    sampled = [frame.time_s for frame in video.frames(path, every_s=0.3)]
    assert sampled == pytest.approx([0, 0.3, 0.77, 1.97], abs=1e-6)


def test_times_that_go_back_still_rise(make_clip: Make, tmp_path: Path) -> None:
    first = make_clip("a.ts").read_bytes()
    both = tmp_path / "both.ts"
    both.write_bytes(first + first)
    times = [frame.time_s for frame in video.frames(both)]
    assert len(times) == 20
    assert (np.diff(times) > 0).all()


def test_single_and_animated_pictures_are_videos_of_gray(tmp_path: Path) -> None:
    color = Image.new("RGB", (31, 17), (200, 100, 50))
    level = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    for format in ("png", "jpeg", "webp"):
        path = tmp_path / f"a.{format}"
        color.save(path, format, quality=100)
        found = video.describe(path)
        assert (found.format, found.frames, found.sound) == (format, 1, None)
        (frame,) = video.frames(path, found)
        assert frame.luma.shape == (17, 31)
        if format == "png":
            assert frame.chroma == ()
            assert (frame.luma == level).all()
    moving = tmp_path / "a.gif"
    others = [Image.new("RGB", (31, 17), (n, n, n)) for n in (0, 100, 200)]
    others[0].save(moving, save_all=True, append_images=others[1:], duration=100)
    assert video.describe(moving).format == "gif"
    assert means(moving) == [0, 100, 200]


def test_the_sound_comes_as_it_is_played(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=25, sound="aac", click_s=0.5)
    found = video.describe(path)
    sound = np.concatenate(list(video.sound_blocks(path, found)))
    assert sound.shape[1] == 2
    assert len(sound) == pytest.approx(48_000, abs=1024)
    assert np.abs(sound[:, 0]).argmax() == pytest.approx(24_012, abs=3)
    silent = make_clip("b.mp4")
    with pytest.raises(UsageError, match="no sound"):
        list(video.sound_blocks(silent, video.describe(silent)))


def test_a_gap_in_the_sound_is_silence(make_clip: Make) -> None:
    path = make_clip("a.mkv", frames=50, sound="flac")

    late = path.with_name("late.mkv")
    with av.open(str(path)) as source, av.open(str(late), "w", "matroska") as target:
        track = target.add_stream_from_template(source.streams.audio[0])
        picture = target.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux():
            if not packet.size:
                continue
            if packet.stream.type == "audio":
                if packet.pts >= 1000:  # milliseconds
                    packet.pts += 500
                    packet.dts += 500
                packet.stream = track
            else:
                packet.stream = picture
            target.mux(packet)
    sound = np.concatenate(list(video.sound_blocks(late, video.describe(late))))
    assert len(sound) == pytest.approx(2.5 * 48_000, abs=1500)


def test_the_suffix_names_the_format() -> None:
    assert video.format_of("a/B.MKV") == "mkv"
    assert set(map(video.format_of, ("a.mp4", "a.m4v", "a.mov"))) == {
        *("mp4", "m4v", "mov")
    }
    with pytest.raises(UnsupportedFormat, match=r"\.gif"):
        video.format_of("a.gif")


def test_the_beginning_tells_videos_from_pictures() -> None:
    for head in (
        b"\0\0\0\x14ftypisom",
        b"\0\0\0\x14ftypqt  ",
        b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm",
        b"RIFF\0\0\0\0AVI ",
        b"FLV\x01\x05",
    ):
        assert probe.is_video(head)
    assert not probe.is_video(b"\0\0\0\x14ftypM4A ")
    assert not probe.is_video(b"\0\0\0\x14ftypavif")
    assert not probe.is_video(b"\x89PNG\r\n\x1a\n")
    assert not probe.is_video(b"ID3\x04")
    assert not probe.is_video(b"GIF89a")  # read as a video, but labeled as a picture
    webm = BytesIO(b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm")
    assert probe.video_format(webm) == "webm"


def test_the_distance_of_frames_must_be_a_length_of_time(make_clip: Make) -> None:
    path = make_clip("a.mp4")
    for every_s in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError):
            next(video.frames(path, every_s=every_s))
