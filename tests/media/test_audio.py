"""Sounds: what goes through a file comes out as long and as it was."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.media import audio, pcm_output
from synthmark.labeling.media.audio import Sound, blocks, describe, from_array, write
from synthmark.labeling.media.probe import audio_format, is_audio, open_file
from synthmark.labeling.media.samples import from_bytes, sample_width, to_bytes

Samples = NDArray[np.float32]
SUFFIXES = ("wav", "aiff", "flac", "mp3", "m4a", "ogg", "opus")


def tones(frames: int, channels: int = 2, rate_hz: int = 44_100) -> Samples:
    """Return another tone in each channel, with grain, so that it can be aligned."""
    time = np.arange(frames)[:, None] / rate_hz
    pitch = 220 * (1 + np.arange(channels))
    grain = np.random.default_rng(frames).normal(0, 0.02, (frames, channels))
    return (0.2 * np.sin(2 * np.pi * pitch * time) + grain).astype(np.float32)


def whole(path: Path) -> Samples:
    return np.concatenate(list(blocks(path)))


def saved(
    path: Path, samples: Samples, rate_hz: int = 44_100, **changes: Any
) -> tuple[Sound, Sound]:
    """Write samples; return the sound that they were, and that of the file."""
    sound = replace(from_array(samples, rate_hz)[0], **changes)
    return sound, write(path, [samples], sound, format=audio.format_of(path))


def wave(
    content: bytes = bytes(8000),
    *,
    tag: int = 1,
    channels: int = 1,
    rate_hz: int = 44_100,
    bits: int = 16,
    size: int | None = None,
) -> bytes:
    block = channels * bits // 8
    form = struct.pack(
        "<HHIIHH", tag, channels, rate_hz, block * rate_hz & (1 << 32) - 1, block, bits
    )
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data"
    chunks += struct.pack("<I", len(content) if size is None else size) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "kind", ["int8", "int16", "int24", "float32", "float64", "alaw", "mulaw"]
)
@given(st.binary(min_size=24, max_size=240))
@settings(max_examples=25)
def test_stored_samples_come_back_as_they_were(
    kind: str, order: str, content: bytes
) -> None:
    width = sample_width(kind)
    content = content[: len(content) // width * width]
    samples = from_bytes(content, kind, order)
    again = from_bytes(to_bytes(samples, kind, order), kind, order)
    np.testing.assert_array_equal(again, samples)
    if kind.startswith("int"):
        assert to_bytes(samples, kind, order) == content


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
@pytest.mark.parametrize("kind", ["int8", "int16", "int24", "int32", "float32", "alaw"])
def test_a_second_copy_of_plain_samples_is_the_first(
    tmp_path: Path, suffix: str, kind: str
) -> None:
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    saved(first, tones(30_001, 3), sample_type=kind, layout="3.0")
    sound = describe(first)
    assert (sound.sample_type, sound.frames, sound.channels) == (kind, 30_001, 3)
    written = write(second, blocks(first), sound, source=first)
    assert second.read_bytes() == first.read_bytes()
    assert written.frames == 30_001


@pytest.mark.parametrize(("suffix", "kind"), [("flac", "int16"), ("flac", "int24")])
def test_flac_keeps_samples_and_depth(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"a.{suffix}"
    samples = np.round(tones(50_000) * 2**15).astype(np.float32) / np.float32(2**15)
    samples[20_000:30_000] = 0
    saved(path, samples, sample_type=kind)
    assert describe(path).sample_type == kind
    np.testing.assert_array_equal(whole(path), samples)


@pytest.mark.parametrize("kind", ["int16", "int24"])
def test_alac_stays_alac(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.m4a"
    samples = np.round(tones(50_000) * 2**15).astype(np.float32) / np.float32(2**15)
    saved(path, samples, codec="alac", format="m4a", sample_type=kind)
    found = describe(path)
    assert (found.codec, found.sample_type, found.frames) == ("alac", kind, 50_000)
    np.testing.assert_array_equal(whole(path), samples)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("frames", [48, 3_000, 40_123])
def test_length_and_place_of_the_sound_stay(
    tmp_path: Path, suffix: str, rate_hz: int, frames: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    samples = tones(frames, 2, rate_hz)
    _, written = saved(path, samples, rate_hz)
    found = whole(path)
    assert len(found) == written.frames == -(-frames * written.rate_hz // rate_hz)
    assert (describe(path).frames, describe(path).notes) == (len(found), ())
    assert written.rate_hz == (48_000 if suffix == "opus" else rate_hz)
    if frames > 3_000 and written.rate_hz == rate_hz:
        size = 2 * frames
        spectra = np.fft.rfft(found[:, 0], size), np.fft.rfft(samples[:, 0], size)
        assert np.argmax(np.fft.irfft(spectra[0] * np.conj(spectra[1]))) == 0


@pytest.mark.parametrize(
    ("suffix", "layout", "channels"),
    [
        ("wav", "5.1(side)", 6),
        ("wav", "7.1", 8),
        ("flac", "5.1", 6),
        ("flac", "7.1", 8),
        ("m4a", "5.1", 6),
        ("m4a", "7.1", 8),
        ("opus", "5.1", 6),
        ("opus", "7.1", 8),
        ("mp3", "mono", 1),
        ("ogg", "mono", 1),
    ],
)
def test_every_channel_keeps_its_place(
    tmp_path: Path, suffix: str, layout: str, channels: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    time = np.arange(48_000)[:, None] / 48_000
    # The channel for low frequencies carries no others.
    pitches = np.array([300, 500, 700, 60, 900, 1100, 1300, 1500][:channels])
    samples = (0.1 * np.sin(2 * np.pi * pitches * time)).astype(np.float32)
    saved(path, samples, 48_000, layout=layout)
    assert (describe(path).layout, describe(path).channels) == (layout, channels)
    heard = np.abs(np.fft.rfft(whole(path), axis=0)).argmax(axis=0)
    np.testing.assert_array_equal(heard, pitches)


@pytest.mark.parametrize("kind", ["int16", ""])
def test_mono_ogg_holds_flac_and_says_so(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.ogg"
    _, written = saved(
        path, tones(20_000, 1), codec="vorbis", format="ogg", sample_type=kind
    )
    assert (written.codec, describe(path).codec) == ("flac", "flac")
    assert any("FLAC in Ogg" in note for note in written.notes)


@pytest.mark.parametrize(
    ("suffix", "codec", "bit_rate"), [("mp3", "mp3", 320_000), ("m4a", "aac", 300_000)]
)
def test_bit_rate_is_not_below_that_of_the_source(
    tmp_path: Path, suffix: str, codec: str, bit_rate: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    saved(path, tones(88_200), codec=codec, bit_rate=bit_rate, sample_type="")
    assert describe(path).bit_rate >= bit_rate


def test_silence_stays_silence(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"a.{suffix}"
        saved(path, np.zeros((10_000, 2), np.float32))
        assert not whole(path).any(), suffix


def test_a_wave_file_beyond_its_limit_becomes_rf64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    monkeypatch.setattr(pcm_output, "_LIMIT", 10_000)
    saved(path, tones(9_999, 1), sample_type="int16")
    content = path.read_bytes()
    assert content.startswith(b"RF64\xff\xff\xff\xff")
    lengths = struct.unpack("<QQQ", content[20:44])
    assert lengths == (len(content) - 8, 19_998, 9_999)
    assert describe(path).frames == len(whole(path)) == 9_999


def test_a_stream_without_length_goes_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave(size=0xFFFFFFFF))
    sound = describe(path)
    assert (sound.frames, len(whole(path))) == (4_000, 4_000)
    assert sound.notes


BAD = {
    "empty": (b"", DamagedMedia),
    "cut after ten bytes": (wave()[:10], DamagedMedia),
    "header alone": (wave()[:44], DamagedMedia),
    "no channels": (wave(channels=0), DamagedMedia),
    "96 channels": (wave(bytes(192 * 99), channels=96), UnsupportedFormat),
    "1 GHz": (wave(rate_hz=10**9), UnsupportedFormat),
    "1 Hz": (wave(rate_hz=1), UnsupportedFormat),
    "ADPCM": (wave(tag=2, bits=4), UnsupportedFormat),
    "text": (b"no sound", UnsupportedFormat),
    "playlist": (b"#EXTM3U\nhttp://127.0.0.1/a.mp3\n", UnsupportedFormat),
    "list of files": (b"ffconcat version 1.0\nfile /etc/passwd\n", UnsupportedFormat),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), UnsupportedFormat),
    "MP3 of noise": (b"\xff\xfb\x90" + b"\x5a" * 9_000, DamagedMedia),
    "FLAC cut off": (b"fLaC\x00\x00\x00\x22" + bytes(20), DamagedMedia),
    "MP4 without index": (b"\0\0\0\x14ftypM4A " + bytes(8), DamagedMedia),
    "Ogg cut off": (b"OggS" + bytes(22) + b"\1\x13OpusHead" + bytes(11), DamagedMedia),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_sound_is_refused_by_name(tmp_path: Path, name: str) -> None:
    content, kind = BAD[name]
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(kind) as caught:
        describe(path)
    assert caught.value.path == path
    with pytest.raises(kind):
        list(blocks(path))


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.wav"):
        with pytest.raises(MediaError):
            describe(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "a.wav"
    content = np.array([0, value, 0], np.float32).tobytes()
    path.write_bytes(wave(content, tag=3, bits=32))
    with pytest.raises(DamagedMedia, match="not numbers"):
        list(blocks(path))
    with pytest.raises(UsageError):
        from_array(np.array([0, value]), 8_000)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_file_gives_what_it_has_and_says_so(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    samples = tones(150_000)
    saved(path, samples)
    content = path.read_bytes()
    if suffix == "m4a":  # with the index in front, as a stream has it
        content = fast_start(content)
    path.write_bytes(content[: len(content) // 2])
    found: list[Samples] = []

    def listen() -> None:
        for block in blocks(path):
            found.append(block)

    if suffix in ("ogg", "opus"):  # they tell their length at the end alone
        listen()
        assert any("cut off" in note for note in describe(path).notes)
    else:
        with pytest.raises(DamagedMedia):
            listen()
    assert 30_000 < sum(map(len, found)) < 150_000


def fast_start(content: bytes) -> bytes:
    """Move the index of an MP4 file in front of its samples."""
    index = content.index(b"moov") - 4
    samples = content.index(b"mdat") - 4
    moov = bytearray(content[index:])
    place = moov.index(b"stco") + 4
    count = int.from_bytes(moov[place + 4 : place + 8])
    for entry in range(place + 8, place + 8 + 4 * count, 4):
        moved = int.from_bytes(moov[entry : entry + 4]) + len(moov)
        moov[entry : entry + 4] = moved.to_bytes(4)
    return content[:samples] + bytes(moov) + content[samples:index]


def test_encrypted_sound_and_video_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    saved(path, tones(20_000))
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"drms", 1))
    with pytest.raises(UnsupportedFormat, match="encrypted"):
        describe(path)
    path = tmp_path / "b.m4a"
    with path.open("w+b") as file, av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5, width=32, height=32)
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
            frame.pts, frame.time_base = number, Fraction(1, 5)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UnsupportedFormat, match="video"):
        describe(path)


def test_damage_never_raises_anything_else(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    for suffix in SUFFIXES:
        path = tmp_path / f"a.{suffix}"
        saved(path, tones(20_000))
        content = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(25):
            broken = content.copy()
            places = random.integers(0, min(len(broken), 3_000), 8)
            broken[places] = random.choice([0, 1, 127, 128, 255], 8)
            path.write_bytes(broken.tobytes())
            try:
                list(blocks(path))
            except MediaError as error:
                assert error.problem  # noqa: PT017 - often nothing is raised


def test_years_of_silence_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    saved(path, np.zeros((4_608 * 3, 1), np.float32), sample_type="int16")
    content = bytearray(path.read_bytes())
    # The number of samples: the last 36 bits of the first 18 bytes of STREAMINFO.
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(MediaTooLarge):
        describe(path)


def cover(kind: str) -> bytes:
    """Return a small picture."""
    context: Any = av.CodecContext.create(kind, "w")
    context.width = context.height = 16
    context.time_base = Fraction(1, 1)
    context.pix_fmt = "rgb24" if kind == "png" else "yuvj420p"
    frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
    return bytes(context.encode(frame.reformat(format=context.pix_fmt))[0])


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """An MP3 file with texts, a cover and two chapters."""
    path = tmp_path / "tagged.mp3"
    with path.open("w+b") as file, av.open(file, "w", format="mp3") as container:
        stream: Any = container.add_stream("libmp3lame", rate=44_100, layout="stereo")
        picture: Any = container.add_mux_stream("png", width=16, height=16)
        picture.disposition = av.stream.Disposition.attached_pic
        container.metadata.update(
            {"title": "海", "artist": "A", "replaygain_track_gain": "-3.2 dB"}
        )
        second = Fraction(1, 1)
        container.set_chapters(
            [
                {"id": i, "start": i, "end": i + 1, "time_base": second, "metadata": {}}
                for i in range(2)
            ]
        )
        packet = av.Packet(cover("png"))
        packet.stream = picture
        container.start_encoding()
        container.mux(packet)
        samples = tones(88_200).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="stereo")
        frame.sample_rate, frame.pts = 44_100, 0
        frame.time_base = Fraction(1, 44_100)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def said(path: Path) -> tuple[dict[str, str], int, int]:
    """Return texts, and the numbers of pictures and chapters."""
    with av.open(str(path)) as container:
        texts = {**container.metadata, **container.streams.audio[0].metadata}
        pictures = [s for s in container.streams.video if s.disposition & 1024]
        lowered = {key.lower(): value for key, value in texts.items()}
        return lowered, len(pictures), len(container.chapters())


@pytest.mark.parametrize(
    ("suffix", "pictures", "chapters"),
    [
        *(("mp3", 1, 2), ("m4a", 1, 2), ("flac", 1, 2), ("ogg", 0, 2)),
        *(("opus", 0, 2), ("wav", 0, 0)),
    ],
)
def test_tags_cover_and_chapters_come_along(
    tagged: Path, suffix: str, pictures: int, chapters: int
) -> None:
    target = tagged.with_name(f"b.{suffix}")
    sound = describe(tagged)
    written = write(
        target, blocks(tagged), sound, format=audio.format_of(target), source=tagged
    )
    texts, found_pictures, found_chapters = said(target)
    assert (texts["title"], texts["artist"]) == ("海", "A")
    assert found_pictures == pictures
    assert found_chapters >= chapters
    assert any("cover" in note for note in written.notes) == (pictures == 0)
    if suffix in ("mp3", "flac", "ogg"):
        assert texts["replaygain_track_gain"] == "-3.2 dB"


def starts_s(path: Path) -> tuple[float, ...]:
    return audio.chapters(path, describe(path))


def test_chapters_follow_a_sound_that_became_longer(tagged: Path) -> None:
    sound = describe(tagged)
    assert starts_s(tagged) == (0, 1)
    for suffix in ("m4a", "flac", "ogg", "opus"):
        target = tagged.with_name(f"later.{suffix}")
        longer = itertools.chain([np.zeros((44_100, 2), np.float32)], blocks(tagged))
        write(
            target,
            longer,
            sound,
            format=audio.format_of(target),
            source=tagged,
            later=lambda time_s: time_s + (1.0 if time_s else 0.0),
        )
        assert starts_s(target) == pytest.approx((0, 2), abs=0.001)


def test_chapters_behind_the_end_are_left_out(tagged: Path) -> None:
    assert audio.chapters(tagged, replace(describe(tagged), frames=40_000)) == (0,)
    assert audio.chapters(tagged, replace(describe(tagged), frames=None)) == (0, 1)


def test_arrays_are_taken_as_they_are(tmp_path: Path) -> None:
    numbers = np.arange(-3000, 3000, dtype=np.int16)
    sound, block = from_array(numbers, 16_000)
    assert (sound.sample_type, sound.channels, sound.layout) == ("int16", 1, "mono")
    path = tmp_path / "a.wav"
    write(path, [block], sound)
    assert path.read_bytes().endswith(numbers.tobytes())


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0), np.zeros((2, 2, 2)), np.zeros(9, bool), np.zeros(9, np.uint8)],
)
def test_other_arrays_are_refused(samples: NDArray[Any]) -> None:
    with pytest.raises(UsageError):
        from_array(samples, 44_100)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    samples = tones(3_000, 6)
    with pytest.raises(UnsupportedFormat, match="mp3"):
        saved(tmp_path / "a.mp3", samples)
    with pytest.raises(UnsupportedFormat, match="short"):
        saved(tmp_path / "a.mp3", samples[:1, :2])
    with pytest.raises(UnsupportedFormat, match="channels"):
        from_array(np.zeros((9, 9)), 44_100)
    sound, block = from_array(samples, 44_100)
    with pytest.raises(DamagedMedia):
        write(tmp_path / "a.wav", [], sound)
    for suffix in ("wav", "flac"):
        with pytest.raises(UsageError):
            write(tmp_path / "a", [block[:, :2]], sound, format=suffix)
    with pytest.raises(UsageError):
        write(tmp_path / "a.xyz", [block], sound, format="xyz")
    with pytest.raises(UnsupportedFormat):
        audio.format_of("a.xyz")


def test_the_content_tells_the_format(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"a.{suffix}"
        saved(path, tones(5_000))
        renamed = path.rename(tmp_path / "sound")
        with open_file(renamed) as file:
            assert is_audio(file.read(64))
            assert audio_format(file) == suffix
    tag = b"ID3\4\0\0\0\0\x7f\x7f" + bytes(0x3FFF)
    saved(tmp_path / "a.flac", tones(5_000))
    path = tmp_path / "tagged"
    path.write_bytes(tag + (tmp_path / "a.flac").read_bytes())
    assert describe(path).format == "flac"
    assert len(whole(path)) == 5_000


def test_a_long_sound_is_not_held_in_memory(tmp_path: Path) -> None:
    held = 0

    def endless() -> Iterator[Samples]:
        nonlocal held
        for _ in range(30):
            held += 1
            yield tones(8_000, 1, 8_000)

    sound, _ = from_array(tones(8_000, 1, 8_000), 8_000)
    write(tmp_path / "a.flac", endless(), sound, format="flac")
    assert held == 30
    stream = blocks(tmp_path / "a.flac")
    assert len(next(stream)) <= 2 * 8_000
    assert sum(map(len, stream)) == 240_000 - 8_000
