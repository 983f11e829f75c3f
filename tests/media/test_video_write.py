"""Videos written: changed frames in, and all else as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from synthmark.labeling.errors import UnsupportedFormat, UsageError
from synthmark.labeling.media import video
from synthmark.labeling.media.frame import Frame

Make = Callable[..., Path]
Blocks = Iterator[np.ndarray[Any, Any]]


# What stands in MP4 between subtitles.
NO_WORDS = b"\0\0"


def same(frame: Frame) -> None:
    """Leave a frame as it is."""


def brighter(frame: Frame) -> None:
    frame.luma[:] += 20 << (2 if frame.luma.dtype == np.uint16 else 0)


def later(blocks: Blocks) -> Blocks:
    """Pass samples on two blocks later."""
    held = []
    for block in blocks:
        held.append(block)
        if len(held) > 2:
            yield held.pop(0)
    yield from held


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as file:
        (stream, *_) = file.streams.video
        return [
            (f.pts if f.pts is not None else f.dts) * stream.time_base
            for p in file.demux(stream)
            for f in stream.codec_context.decode(p if p.size else None)
        ]


def tracks(path: Path) -> list[tuple[Any, ...]]:
    """Return what is told of each track but the coding."""
    with av.open(str(path)) as file:
        return [
            (
                *(stream.type, stream.disposition, stream.language),
                stream.metadata.get("title", stream.metadata.get("name")),
            )
            for stream in file.streams
        ]


def packets(path: Path, kind: str) -> list[tuple[Any, ...]]:
    with av.open(str(path)) as file:
        return [
            (p.stream.index, p.pts * p.time_base, p.duration * p.time_base, bytes(p))
            for p in file.demux()
            if p.stream.type == kind and p.size
        ]


def click_s(path: Path) -> float:
    """Return when the click sounds by the clock of the file."""
    with av.open(str(path)) as file:
        (stream,) = file.streams.audio
        best, at = 0.0, 0.0
        for frame in file.decode(stream):
            samples = np.abs(frame.to_ndarray().astype(np.float64))
            samples = samples.reshape(-1) if not frame.format.is_planar else samples[0]
            step = len(samples) // frame.samples
            if samples.max() > best:
                best = samples.max()
                at = frame.time + samples.argmax() // step / frame.sample_rate
        return at


@pytest.mark.parametrize(
    ("name", "encoder", "pixels"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.m4v", "libx264", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.mov", "mpeg4", "yuv420p"),
        ("a.mp4", "libx265", "yuv420p10le"),
        ("a.mkv", "libx264", "yuv444p"),
        ("a.mkv", "ffv1", "yuv420p10le"),
        ("a.mkv", "ffv1", "gray"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.mp4", "libsvtav1", "yuv420p10le"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.flv", "libx264", "yuv420p"),
    ],
)
def test_frames_change_and_the_coding_stays(
    make_clip: Make, capfd: Any, name: str, encoder: str, pixels: str
) -> None:
    brand = {"brand": "M4V "} if name == "a.m4v" else {}
    path = make_clip(name, encoder=encoder, pixels=pixels, muxer=brand)
    capfd.readouterr()
    source = video.describe(path)
    target = path.with_name(f"b{path.suffix}")
    written = video.write(target, path, source, brighter)
    assert (written.format, written.codec) == (source.format, source.codec)
    assert written.pixel_format == pixels
    assert written.frame_rate == source.frame_rate
    assert times(target) == times(path)
    scale = 4 if "10" in pixels else 1
    for old, new in zip(video.frames(path), video.frames(target), strict=True):
        assert new.luma.mean() == pytest.approx(old.luma.mean() + 20 * scale, abs=scale)
        for before, after in zip(old.chroma, new.chroma, strict=True):
            assert after.mean() == pytest.approx(before.mean(), abs=scale)
    assert "".join(capfd.readouterr()) == ""  # encoders like to talk


def test_uneven_times_stay(make_clip: Make) -> None:
    at = [3, 4, 9, 30, 31, 33, 80, 81, 90, 200]
    for name in ("a.mp4", "a.mkv"):
        path = make_clip(name, times=at, unit=Fraction(1, 100), rate=100)
        target = path.with_name(f"b{path.suffix}")
        video.write(target, path, video.describe(path), same)
        assert times(target) == times(path)


def test_colors_light_turn_and_pixel_aspect_stay(make_clip: Make) -> None:
    light = (
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
        "L(10000000,1):max-cll=1000,400:log-level=none"
    )
    path = make_clip(
        "a.mp4",
        encoder="libx265",
        pixels="yuv420p10le",
        options={"x265-params": light},
        prepare=lambda _, stream: stream.set_display_rotation(90, hflip=True),
        color_primaries=9,
        color_trc=16,
        colorspace=9,
        color_range=1,
        sample_aspect_ratio=Fraction(4, 3),
    )
    target = path.with_name("b.mp4")
    source = video.describe(path)
    written = video.write(target, path, source, same)
    assert (source.rotation_deg, source.flipped) != (0, False)
    assert source.pixel_aspect == Fraction(4, 3)
    for name in (
        *("transfer", "matrix", "primaries", "full_range", "pixel_aspect"),
        *("rotation_deg", "flipped"),
    ):
        assert getattr(written, name) == getattr(source, name)
    found = []
    for file in (path, target):
        with av.open(str(file)) as clip:
            assert clip.streams.video[0].codec_context.codec_tag == "hvc1" or (
                file == path
            )
            data = next(clip.decode(video=0)).side_data
            found.append(
                {
                    part.type.name: bytes(part)
                    for part in data
                    if part.type.name
                    in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
                }
            )
    assert len(found[0]) == 2
    assert found[0] == found[1]


@pytest.mark.parametrize("lead_in_s", [0, 1])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_all_other_tracks_stay_with_the_pictures(
    make_clip: Make, tmp_path: Path, name: str, lead_in_s: int
) -> None:
    plain = make_clip(f"plain{name[1:]}", sound="aac", frames=25)
    path = tmp_path / name
    cover = BytesIO()
    Image.new("RGB", (8, 8), "red").save(cover, "PNG")
    format = "matroska" if name == "a.mkv" else name[2:]
    with ExitStack() as stack:
        file = stack.enter_context(av.open(str(plain)))
        out = stack.enter_context(av.open(str(path), "w", format))
        copies = {}
        for stream in (*file.streams.video, *file.streams.audio):
            copies[stream.index] = out.add_stream_from_template(stream, opaque=True)
        other = out.add_stream_from_template(file.streams.audio[0], opaque=True)
        other.metadata.update(language="chi", title="Second")
        other.disposition = 0
        copies[1].metadata["language"] = "eng"
        copies[1].disposition = av.stream.Disposition.default
        words: Any = out.add_stream("mov_text" if name != "a.mkv" else "ass")
        words.codec_context.subtitle_header = b"[Script Info]\n[Events]\n"
        words.metadata["language"] = "fre"
        if name == "a.mkv":
            out.add_attachment("font.otf", "font/otf", b"OTTO and so on")
            out.add_attachment("cover.png", "image/png", cover.getvalue())
        elif name == "a.mp4":
            picture: Any = out.add_mux_stream("png", width=8, height=8)
            picture.disposition = av.stream.Disposition.attached_pic
        out.metadata.update(title="A title", comment="A comment")
        part = {"id": 1, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}
        rest = {"id": 2, "metadata": {"title": "Two"}, "start": 500, "end": 1000}
        out.set_chapters([part | {"start": 0, "end": 500}, part | rest])
        out.start_encoding()
        if name == "a.mp4":
            packet = av.Packet(cover.getvalue())
            packet.stream = picture
            out.mux(packet)
        for packet in file.demux():
            if packet.size:
                if packet.stream.type == "audio":
                    twin = av.Packet(bytes(packet))
                    twin.pts, twin.dts = packet.pts, packet.dts
                    twin.duration, twin.time_base = packet.duration, packet.time_base
                    twin.stream, twin.is_keyframe = other, True
                    out.mux(twin)
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
        line = av.Packet(b"\0\x05Hello" if name != "a.mkv" else b"Hello")
        line.pts = line.dts = 100
        line.duration, line.time_base, line.stream = 300, Fraction(1, 1000), words
        out.mux(line)
    target = tmp_path / f"b{path.suffix}"
    source = video.describe(path)
    written = video.write(target, path, source, brighter, lead_in_s=lead_in_s)
    assert written.notes == ()
    assert tracks(target) == tracks(path)
    for kind in ("audio", "subtitle"):
        found = [
            (index, time + lead_in_s, *rest)
            for index, time, *rest in packets(path, kind)
            if rest[-1] != NO_WORDS
        ]
        assert found
        assert [p for p in packets(target, kind) if p[-1] != NO_WORDS] == found
    with av.open(str(path)) as old, av.open(str(target)) as new:
        for key in ("title", "comment"):
            names = {k.lower(): v for k, v in new.metadata.items()}
            assert names[key] == f"A {key}"
        before, after = (
            [
                (c["metadata"], *(c[at] * c["time_base"] for at in ("start", "end")))
                for c in f.chapters()
            ]
            for f in (old, new)
        )
        # The first one begins with the file.
        assert len(before) == 2
        assert after == [
            (texts, start + lead_in_s if start else 0, end + lead_in_s)
            for texts, start, end in before
        ]
    if name != "a.mov":
        with av.open(str(target)) as new:
            pictures = [
                bytes(packet)
                for packet in new.demux()
                if packet.size and packet.stream.disposition & 1 << 10
            ]
        assert pictures == [cover.getvalue()]


@pytest.mark.parametrize("start_s", [0.0, 0.25])
@pytest.mark.parametrize(
    ("name", "encoder", "codec"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.mp4", "libx264", "libmp3lame"),
        ("a.mp4", "libx264", "ac3"),
        ("a.mov", "libx264", "pcm_s16le"),
        ("a.mkv", "libx264", "libopus"),
        ("a.mkv", "libx264", "flac"),
        ("a.mkv", "libx264", "aac"),
        ("a.webm", "libvpx-vp9", "libopus"),
        ("a.avi", "mpeg4", "pcm_s16le"),
        ("a.flv", "libx264", "aac"),
    ],
)
def test_changed_sound_stays_in_step(
    make_clip: Make, name: str, encoder: str, codec: str, start_s: float
) -> None:
    path = make_clip(
        name, encoder=encoder, frames=100, sound=codec, click_s=1.1, sound_at_s=start_s
    )
    target = path.with_name(f"b{path.suffix}")
    source = video.describe(path)
    written = video.write(target, path, source, same, sound=later)
    assert source.sound is not None
    assert written.sound is not None
    assert written.sound.codec == source.sound.codec
    assert times(target) == times(path)
    assert click_s(target) == pytest.approx(click_s(path), abs=0.001)
    before, after = (
        sum(map(len, video.sound_blocks(file, about)))
        for file, about in ((path, source), (target, written))
    )
    assert after == pytest.approx(before, abs=1.1 * 1152)


def test_the_sound_that_comes_back_is_written(make_clip: Make) -> None:
    def quieter(blocks: Blocks) -> Blocks:
        for block in blocks:
            yield block * 0.5

    path = make_clip("a.mkv", frames=25, sound="flac")
    target = path.with_name("b.mkv")
    source = video.describe(path)
    written = video.write(target, path, source, same, sound=quieter)
    old, new = (
        np.concatenate(list(video.sound_blocks(file, about)))
        for file, about in ((path, source), (target, written))
    )
    assert new == pytest.approx(old * 0.5, abs=2**-15)


def test_sound_must_come_back_as_long(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=50, sound="aac")
    source = video.describe(path)

    def lost(blocks: Blocks) -> Blocks:
        yield next(blocks)
        for _ in blocks:
            pass

    def mono(blocks: Blocks) -> Blocks:
        for block in blocks:
            yield block[:, :1]

    target = path.with_name("b.mp4")
    for change in (lost, mono):
        with pytest.raises(UsageError):
            video.write(target, path, source, same, sound=change)
    silent = make_clip("c.mp4")
    with pytest.raises(UsageError, match="no sound"):
        video.write(target, silent, video.describe(silent), same, sound=later)


def test_the_index_stands_where_it_stood(make_clip: Make) -> None:
    for flags in ({}, {"movflags": "+faststart"}):
        path = make_clip("a.mp4", muxer=flags)
        target = path.with_name("b.mp4")
        video.write(target, path, video.describe(path), same)
        content = target.read_bytes()
        assert (content.index(b"moov") < content.index(b"mdat")) is bool(flags)


def test_key_frames_come_about_as_often(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=60, options={"g": "12", "sc_threshold": "0"})
    target = path.with_name("b.mp4")
    video.write(target, path, video.describe(path), same)
    with av.open(str(target)) as file:
        keys = [p.is_keyframe for p in file.demux(video=0) if p.size]
    assert 5 <= sum(keys) <= 7


def test_codec_quality_and_preset_can_be_chosen(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=5, size=(320, 240))
    source = video.describe(path)
    target = path.with_name("b.mkv")
    written = video.write(
        *(target, path, source, same), format="mkv", codec="hevc", preset="ultrafast"
    )
    assert (written.format, written.codec) == ("mkv", "hevc")
    for wrong in (
        {"codec": "h266"},
        {"codec": "vp8"},
        {"crf": 99},
        {"preset": "fastest"},
        {"format": "ogv"},
        {"codec": "mpeg4", "preset": "medium"},
    ):
        with pytest.raises(UsageError) as caught:
            video.write(target, path, source, same, **wrong)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("codec", "best", "worst"),
    [
        *[("h264", 10, 40), ("hevc", 10, 40), ("vp9", 10, 50), ("av1", 10, 50)],
        *[("vp8", 4, 50), ("mpeg4", 2, 20), ("mjpeg", 2, 20)],
    ],
)
def test_quality_steers_the_size(
    make_clip: Make, codec: str, best: int, worst: int
) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    encoder = "mjpeg" if codec == "mjpeg" else "ffv1"
    path = make_clip("a.mkv", encoder=encoder, frames=4, size=(160, 128), pixels=pixels)
    noise = np.random.default_rng(1).integers(0, 60, (128, 160), np.uint8)

    def rough(frame: Frame) -> None:
        frame.luma[:] += noise

    target = path.with_name("b.mkv")
    sizes = []
    for crf in (best, worst):
        video.write(target, path, video.describe(path), rough, codec=codec, crf=crf)
        sizes.append(target.stat().st_size)
    assert sizes[0] > 2 * sizes[1]


def test_a_source_of_few_bits_does_not_grow_without_bounds(make_clip: Make) -> None:
    grain = np.random.default_rng(1).integers(0, 120, (24, 32), np.uint8)
    cloth = np.kron(grain, np.ones((10, 10), np.uint8))

    def rough(frame: Frame) -> None:
        step = round(frame.time_s * 25)
        frame.luma[:] += np.roll(cloth, (step * 3, step * 5), (0, 1))

    plain = make_clip("a.mp4", size=(320, 240), frames=20)
    source = video.describe(plain)
    poor = plain.with_name("poor.mp4")
    video.write(poor, plain, source, rough, crf=46)
    target = plain.with_name("b.mp4")
    written = video.write(target, poor, video.describe(poor), same)
    assert target.stat().st_size < 3 * poor.stat().st_size
    chosen = video.plan(poor, video.describe(poor))
    best = video.plan(plain, source)
    assert chosen.crf is not None
    assert best.crf is not None
    assert chosen.crf > best.crf
    assert written.notes == chosen.notes
    again = plain.with_name("c.mp4")
    quality = {"codec": chosen.codec, "crf": chosen.crf, "preset": chosen.preset}
    video.write(again, poor, video.describe(poor), same, **quality)
    assert again.stat().st_size == pytest.approx(target.stat().st_size, rel=0.02)


def test_what_cannot_be_encoded_becomes_the_nearest_that_can(make_clip: Make) -> None:
    # Ten bits of odd size: neither VP9, H.264 nor HEVC can hold them here.
    path = make_clip("a.webm", encoder="libsvtav1", size=(65, 49), pixels="yuv420p10le")
    source = video.describe(path)
    pretended = video.Video(
        **{name: getattr(source, name) for name in source.__slots__} | {"codec": "vp9"}
    )
    target = path.with_name("b.webm")
    written = video.write(target, path, pretended, brighter)
    assert (written.codec, written.width, written.height) == ("av1", 65, 49)
    assert any("vp9" in note for note in written.notes)
    assert times(target) == times(path)


def test_odd_sizes_are_kept_or_refused(make_clip: Make) -> None:
    path = make_clip("a.webm", encoder="libvpx-vp9", size=(65, 49))
    source = video.describe(path)
    target = path.with_name("b.webm")
    written = video.write(target, path, source, same)
    assert (written.width, written.height) == (65, 49)
    with pytest.raises(UnsupportedFormat, match="even"):
        video.write(target, path, source, same, format="mp4", codec="h264")


def test_a_container_that_cannot_hold_it_is_refused(make_clip: Make) -> None:
    path = make_clip("a.mkv", sound="flac")
    source = video.describe(path)
    for format in ("webm", "avi", "ts", "gif"):
        with pytest.raises(UnsupportedFormat) as caught:
            video.write(path.with_name("b"), path, source, same, format=format)
        assert caught.value.hint


def test_progress_is_told_each_second(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=90)
    told: list[tuple[float, float]] = []
    video.write(
        *(path.with_name("b.mp4"), path, video.describe(path), same),
        progress=lambda done, total: told.append((done, total)),
    )
    assert [round(done) for done, _ in told] == [1, 2, 3]
    assert [total for _, total in told] == pytest.approx([3.6] * 3)


def test_errors_of_the_caller_pass_and_leave_nothing_open(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=30, sound="aac", muxer={"movflags": "+faststart"})
    source = video.describe(path)
    target = path.with_name("b.mp4")

    def stop(error: BaseException) -> Callable[[Frame], None]:
        def change(frame: Frame) -> None:
            if frame.time_s > 0.5:
                raise error

        return change

    folder = Path("/proc/self/fd")
    before = len(list(folder.iterdir())) if folder.exists() else 0
    for error in (ValueError("mine"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            video.write(target, path, source, stop(error), sound=later)
    after = len(list(folder.iterdir())) if folder.exists() else 0
    assert after == before


def test_a_full_disk_is_told_and_leaves_nothing_open(make_clip: Make) -> None:
    limits = pytest.importorskip("resource")
    path = make_clip("a.mkv", encoder="ffv1", frames=40, size=(320, 240))
    source = video.describe(path)
    noise = np.random.default_rng(1).integers(0, 60, (240, 320), np.uint8)

    def rough(frame: Frame) -> None:
        frame.luma[:] += noise

    target = path.with_name("b.mkv")
    soft, hard = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (500_000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            video.write(target, path, source, rough)
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))


def test_the_source_is_not_overwritten(make_clip: Make) -> None:
    path = make_clip("a.mp4")
    content = path.read_bytes()
    with pytest.raises(UsageError, match="one file"):
        video.write(path, path, video.describe(path), same)
    assert path.read_bytes() == content


def test_sound_that_starts_late_does_so_still(make_clip: Make, tmp_path: Path) -> None:
    path = make_clip("a.mp4", frames=30, sound="aac", sound_at_s=0.3)
    target = tmp_path / "b.mp4"
    video.write(target, path, video.describe(path), brighter)
    for old, new in zip(packets(path, "audio"), packets(target, "audio"), strict=True):
        assert old == new
    with av.open(str(path)) as old, av.open(str(target)) as new:
        assert old.streams.audio[0].duration == new.streams.audio[0].duration
        assert old.streams.audio[0].start_time == new.streams.audio[0].start_time
        assert old.streams.video[0].duration == new.streams.video[0].duration


# The first frame held in front


@pytest.mark.parametrize("sound", [None, later], ids=["copied", "anew"])
@pytest.mark.parametrize(
    ("name", "encoder", "codec"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.mov", "libx264", "pcm_s16le"),
        ("a.mkv", "libx264", "libopus"),
        ("a.webm", "libvpx-vp9", "libopus"),
        ("a.avi", "mpeg4", "pcm_s16le"),
        ("a.avi", "mpeg4", "libmp3lame"),
        ("a.flv", "libx264", "aac"),
    ],
)
def test_all_is_later_by_a_lead_in(
    make_clip: Make, name: str, encoder: str, codec: str, sound: Any
) -> None:
    path = make_clip(
        name, encoder=encoder, frames=20, sound=codec, click_s=0.6, sound_at_s=0.1
    )
    target = path.with_name(f"b{path.suffix}")
    source = video.describe(path)
    asked: list[float] = []

    def change(frame: Frame) -> None:
        asked.append(frame.time_s)
        assert frame.luma.mean() == pytest.approx(40 + 2 * max(0, len(asked) - 31), 4)
        frame.luma[:] += 20

    written = video.write(target, path, source, change, lead_in_s=1.18, sound=sound)
    lead_in_s = Fraction(30, 25)
    old, new = times(path), times(target)
    held = [old[0] + Fraction(number, 25) for number in range(30)]
    assert new == held + [time + lead_in_s for time in old]
    assert asked == pytest.approx([float(time - new[0]) for time in new])
    assert written.duration_s == pytest.approx(2, abs=0.15)
    assert written.frame_rate == source.frame_rate
    assert written.notes == ()
    lumas = [frame.luma.mean() for frame in video.frames(target)]
    assert lumas[:31] == pytest.approx([60] * 31, abs=2)
    assert lumas[30:] == pytest.approx(range(60, 100, 2), abs=4)
    assert click_s(target) == pytest.approx(click_s(path) + 1.2, abs=0.001)
    if sound is not None:
        before, after = (
            sum(map(len, video.sound_blocks(file, about)))
            for file, about in ((path, source), (target, written))
        )
        assert after == pytest.approx(before + 1.2 * 48_000, abs=2 * 1152)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_uneven_times_and_frames_out_of_order_stay_behind_a_lead_in(
    make_clip: Make, name: str
) -> None:
    at = [3, 4, 9, 30, 31, 33, 80, 81, 90, 150]
    uneven = {"times": at, "unit": Fraction(1, 100), "rate": 100}
    for settings in (uneven, {"options": {"preset": "medium", "bf": "3"}}):
        path = make_clip(name, **settings)
        target = path.with_name(f"b{path.suffix}")
        video.write(target, path, video.describe(path), same, lead_in_s=0.5)
        old, new = times(path), times(target)
        moved = new[-1] - old[-1]
        assert 0.5 <= moved < 0.6
        assert new[-len(old) :] == [time + moved for time in old]
        held = np.diff([float(time) for time in new[: -len(old)]])
        assert new[0] == old[0]
        assert np.ptp(held) <= 0.001


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.flv"])
@pytest.mark.parametrize("count", [1, 7, 49, 50, 51])
def test_a_lead_in_is_as_long_as_needed(make_clip: Make, name: str, count: int) -> None:
    encoder = "mpeg4" if name == "a.avi" else "libx264"
    path = make_clip(name, encoder=encoder, frames=count)
    lead_in_s = video.lead_in_s(path, video.describe(path), 2.0)
    assert lead_in_s == Fraction(max(50 - count, 0), 25)


def test_what_counts_is_how_long_pictures_are_shown(make_clip: Make) -> None:
    def needed(name: str, **settings: Any) -> float:
        path = make_clip(name, **settings)
        return float(video.lead_in_s(path, video.describe(path), 2.0))

    # A length that is stated nowhere.
    assert needed("a.mkv", frames=60, muxer={"live": "1"}) == 0
    assert needed("a.mkv", frames=20, muxer={"live": "1"}) == pytest.approx(1.2)
    parts = {"movflags": "frag_keyframe+empty_moov"}
    keys = {"options": {"g": "10"}, "muxer": parts}
    assert needed("a.mp4", frames=60, **keys) == 0
    assert needed("a.mp4", frames=20, **keys) >= 1.2
    # Whole milliseconds are no reason.
    film = {"unit": Fraction(1, 24), "rate": 24}
    assert needed("a.mkv", frames=48, **film) == 0
    assert needed("a.mkv", frames=47, **film) == pytest.approx(1 / 24, abs=0.001)
    # Times far apart are not the rate to hold a frame at.
    slow = {"unit": Fraction(1, 100), "times": [0, 150], "frames": 2}
    assert 0.45 < needed("a.mp4", **slow) < 0.6


def test_other_tracks_may_be_longer_than_the_pictures(make_clip: Make) -> None:
    def add_words(file: Any, _: Any) -> None:
        words = file.add_stream("ass")
        words.codec_context.subtitle_header = b"[Script Info]\n[Events]\n"
        line = av.Packet(b"Hello")
        line.pts = line.dts = line.duration = 3000
        line.time_base, line.stream = Fraction(1, 1000), words
        file.start_encoding()
        file.mux(line)

    path = make_clip("a.mkv", frames=20, prepare=add_words)
    source = video.describe(path)
    assert source.duration_s == pytest.approx(0.8)
    assert video.lead_in_s(path, source, 2.0) == Fraction(6, 5)


def test_a_second_sound_of_an_avi_cannot_be_later(make_clip: Make) -> None:
    def add_sound(file: Any, _: Any) -> None:
        file.add_stream("pcm_s16le", rate=8000)

    path = make_clip("a.avi", encoder="mpeg4", sound="pcm_s16le", prepare=add_sound)
    source, target = video.describe(path), path.with_name("b.avi")
    written = video.write(target, path, source, same, lead_in_s=1)
    assert any("1.00 s too early" in note for note in written.notes)


@pytest.mark.parametrize("lead_in_s", [-1.0, 1e9, float("nan")])
def test_a_lead_in_must_be_a_length(make_clip: Make, lead_in_s: float) -> None:
    path = make_clip("a.mp4", frames=2)
    target = path.with_name("b.mp4")
    with pytest.raises(UsageError, match="held"):
        video.write(target, path, video.describe(path), same, lead_in_s=lead_in_s)
    assert not target.exists()
