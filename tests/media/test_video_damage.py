"""Videos that are broken, hostile or of a kind that is not handled: clear answers."""

from __future__ import annotations

import random
import struct
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    SynthmarkError,
    UnsupportedFormat,
)
from synthmark.labeling.media import video

Make = Callable[..., Path]


def through(path: Path, **settings: Any) -> video.Video:
    """Write a file anew without a change."""
    target = path.with_name(f"again{path.suffix}")
    return video.write(target, path, video.describe(path), lambda _: None, **settings)


def count(path: Path) -> int:
    return sum(1 for _ in video.frames(path))


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", DamagedMedia, "empty"),
        (b"RIFF", DamagedMedia, "cut off"),
        (bytes(1000), UnsupportedFormat, "not a video"),
        (random.Random(1).randbytes(5000), UnsupportedFormat, "not a video"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", DamagedMedia, "cannot be decoded"),
        (b"\x1aE\xdf\xa3\x81\0" + bytes(100), DamagedMedia, "cannot be decoded"),
        (b"FLV\x01\x05\0\0\0\x09" + bytes(100), DamagedMedia, "cannot be decoded"),
        (b"GIF89a\x01\0", DamagedMedia, "cannot be decoded"),
        # What would make other programs open other files.
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", UnsupportedFormat, "a text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", UnsupportedFormat, "a text"),
        (b"<?xml version='1.0'?><MPD></MPD>", UnsupportedFormat, "XML"),
        (b"OggS\0\2" + bytes(100), UnsupportedFormat, "Ogg"),
    ],
)
def test_what_is_no_video_is_named(
    tmp_path: Path, content: bytes, error: type[MediaError], words: str
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(error, match=words) as caught:
        video.describe(path)
    assert caught.value.path == path


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.mp4"):
        with pytest.raises(MediaError):
            video.describe(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", "mp4") as file:
        track: Any = file.add_stream("aac", rate=48_000)
        silence = np.zeros((2, 4096), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        file.mux(track.encode(frame))
        file.mux(track.encode(None))
    with pytest.raises(UnsupportedFormat, match="holds sound, but no video"):
        video.describe(path)


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    content = BytesIO()
    Image.new("RGB", (64, 48)).save(content, "PNG")
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", "mp4") as out:
        stream: Any = out.add_mux_stream("png", width=64, height=48)
        stream.disposition = av.stream.Disposition.attached_pic
        out.start_encoding()
        packet = av.Packet(content.getvalue())
        packet.stream = stream
        out.mux(packet)
    with pytest.raises(UnsupportedFormat, match="a cover picture, but no video"):
        video.describe(path)


def test_no_frames_are_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", "mp4") as file:
        stream: Any = file.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        file.start_encoding()
    with pytest.raises(MediaError):
        video.describe(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.webm"])
def test_what_is_left_of_a_cut_off_file_comes_before_the_error(
    make_clip: Make, name: str
) -> None:
    encoder = {"a.avi": "mpeg4", "a.webm": "libvpx-vp9"}.get(name, "libx264")
    fast = {"movflags": "+faststart"} if name == "a.mp4" else {}
    path = make_clip(name, encoder=encoder, frames=50, size=(320, 240), muxer=fast)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    found = video.describe(path)
    assert any("cut off" in note for note in found.notes)
    seen = 0
    with pytest.raises(DamagedMedia):  # noqa: PT012
        for _ in video.frames(path, found):
            seen += 1
    assert 10 < seen < 50
    with pytest.raises(DamagedMedia, match="cut off"):
        through(path)


def test_a_cut_off_index_is_damage(make_clip: Make) -> None:
    path = make_clip("a.mp4")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DamagedMedia):
        video.describe(path)


def test_a_broken_packet_is_damage(make_clip: Make) -> None:
    path = make_clip("a.mkv", encoder="ffv1", frames=20)
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as file:
        packet = [p for p in file.demux() if p.size][10]
        at, size = content.find(bytes(packet)[2:30]), packet.size
    content[at : at + size - 4] = random.Random(2).randbytes(size - 4)
    path.write_bytes(content)
    seen = 0
    with pytest.raises(DamagedMedia):  # noqa: PT012
        for _ in video.frames(path):
            seen += 1
    assert seen >= 10
    with pytest.raises(DamagedMedia):
        through(path)


def test_a_wrong_length_in_the_header_does_no_harm(make_clip: Make) -> None:
    path = make_clip("a.mp4", frames=20)
    content = path.read_bytes()
    for length in (0, 1, 1 << 31):
        changed = bytearray(content)
        for name, at in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):
            place = content.index(name) + at
            changed[place : place + 4] = struct.pack(">I", length)
        path.write_bytes(changed)
        assert count(path) == 20
        assert through(path).frames == 20


def test_a_size_that_changes_midway_is_refused(make_clip: Make) -> None:
    path = make_clip("a.ts")
    path.write_bytes(path.read_bytes() + make_clip("b.ts", size=(128, 96)).read_bytes())
    seen = 0
    with pytest.raises(UnsupportedFormat, match="midway"):  # noqa: PT012
        for _ in video.frames(path):
            seen += 1
    assert seen >= 8
    with pytest.raises(UnsupportedFormat, match="midway"):
        through(path, format="mp4")


def test_interlaced_frames_are_read_and_not_written(make_clip: Make) -> None:
    path = make_clip("a.mp4", options={"x264-params": "tff=1"})
    assert video.describe(path).interlaced
    assert count(path) == 10
    with pytest.raises(UnsupportedFormat, match="interlaced") as caught:
        through(path)
    assert "bwdif" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "encoder", "pixels"),
    [
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.mkv", "ffv1", "yuva420p"),
    ],
)
def test_what_can_be_seen_through_is_read_and_not_written(
    make_clip: Make, name: str, encoder: str, pixels: str
) -> None:
    path = make_clip(name, encoder=encoder, pixels=pixels)
    assert video.describe(path).alpha
    assert count(path) == 10
    with pytest.raises(UnsupportedFormat, match="seen through"):
        through(path)


def test_colors_without_luma_are_read_and_not_written(make_clip: Make) -> None:
    path = make_clip("a.mkv", encoder="ffv1", pixels="bgr0")
    found = video.describe(path)
    assert (found.bits, found.full_range) == (8, True)
    assert count(path) == 10
    with pytest.raises(UnsupportedFormat, match="luma and chroma"):
        through(path)


def test_protected_pictures_are_refused(make_clip: Make) -> None:
    guard = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00" * 16,
        "encryption_kid": "11" * 16,
    }
    path = make_clip("a.mp4", muxer=guard)
    with pytest.raises(UnsupportedFormat, match="encrypted"):
        video.describe(path)


def test_one_pixel_is_a_video(make_clip: Make) -> None:
    path = make_clip("a.webm", encoder="libvpx-vp9", size=(1, 1))
    found = video.describe(path)
    assert (found.width, found.height) == (1, 1)
    assert through(path).frame_rate == found.frame_rate


def test_sizes_beyond_reason_are_refused_before_decoding(
    make_clip: Make, tmp_path: Path
) -> None:
    header = struct.pack(">IIBBBBB", 16_384, 16_384, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b"")]
    picture = tmp_path / "a.png"
    picture.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data))
            + name
            + data
            + struct.pack(">I", zlib.crc32(name + data))
            for name, data in parts
        )
    )
    for path in (picture, _huge(make_clip("a.avi", encoder="mjpeg", **MJPEG))):
        with pytest.raises((MediaTooLarge, DamagedMedia)):
            count(path)
    later = make_clip("b.avi", encoder="mjpeg", **MJPEG)
    _huge(later, skip=5)
    seen = 0
    with pytest.raises(MediaError):  # noqa: PT012
        for _ in video.frames(later):
            seen += 1
    assert seen == 9


MJPEG = {"pixels": "yuvj420p"}


def _huge(path: Path, skip: int = 0) -> Path:
    """Let a frame claim 16,384 x 16,384 pixels."""
    content = bytearray(path.read_bytes())
    at = -1
    for _ in range(skip + 1):
        at = content.index(b"\xff\xc0\0\x11", at + 1)
    content[at + 5 : at + 9] = struct.pack(">HH", 16_384, 16_384)
    path.write_bytes(content)
    return path


def test_a_reference_to_another_file_is_not_followed(
    make_clip: Make, tmp_path: Path
) -> None:
    path = make_clip("a.mov", encoder="mpeg4")
    content = path.read_bytes()
    at = content.index(b"dref")
    # Says that the samples are not in this file.
    changed = bytearray(content)
    kind = content.index(b"url ", at)
    changed[kind + 4 : kind + 8] = bytes(4)
    path.write_bytes(changed)
    opened: list[Any] = []

    def audit(event: str, arguments: Any) -> None:
        if event == "open" and watching:
            opened.append(arguments[0])

    watching = False
    sys.addaudithook(audit)
    watching = True
    try:
        count(path)
    except MediaError:
        pass
    finally:
        watching = False
    assert {str(name) for name in opened if isinstance(name, str | Path)} <= {str(path)}


CLIPS = [
    ("a.mp4", "libx264", "aac", {}),
    ("f.mp4", "libx264", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    ("a.mov", "mpeg4", "pcm_s16le", {}),
    ("a.mkv", "libx264", "libopus", {}),
    ("a.webm", "libvpx-vp9", "libopus", {}),
    ("a.avi", "mpeg4", "libmp3lame", {}),
    ("a.flv", "libx264", "aac", {}),
    ("a.ts", "libx264", "aac", {}),
]


@pytest.mark.parametrize(("name", "encoder", "sound", "muxer"), CLIPS)
def test_flipped_bytes_make_clear_errors(
    make_clip: Make, name: str, encoder: str, sound: str, muxer: dict[str, str]
) -> None:
    path = make_clip(name, encoder=encoder, sound=sound, muxer=muxer, frames=8)
    whole = path.read_bytes()
    rng = random.Random(name)
    refused = 0
    for turn in range(40):
        content = bytearray(whole)
        reach = len(whole) if turn % 2 else min(len(whole), 1500)
        for _ in range(rng.choice((1, 3, 12))):
            content[rng.randrange(reach)] ^= 1 << rng.randrange(8)
        if turn % 5 == 0:
            del content[rng.randrange(len(content)) :]
        path.write_bytes(content)
        try:
            found = video.describe(path)
            for _ in video.frames(path, found, every_s=rng.choice((0, 0.2))):
                pass
            if found.sound is not None:
                for _ in video.sound_blocks(path, found):
                    pass
            if turn % 4 == 0 and name != "a.ts":
                through(path, crf=30 if encoder == "libx264" else None)
        except SynthmarkError:
            refused += 1
    assert refused
