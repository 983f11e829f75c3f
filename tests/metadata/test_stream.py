"""Labels in files as encoders make them: packets and tags stay as they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    MetadataError,
    UnsupportedFormat,
)
from synthmark.labeling.metadata import parts, riff, stream
from synthmark.labeling.model import AigcLabel, State

PLACES = {
    "a.wav": "AIGC chunk",
    "a.aiff": "XMP",
    "a.flac": "Vorbis comment",
    "a.mp3": "ID3 TXXX frame",
    "a.ogg": "Vorbis comment",
    "a.opus": "Vorbis comment",
    "a.m4a": "mdta key AIGC",
    "front.m4a": "mdta key AIGC",
    "pieces.m4a": "mdta key AIGC",
    "alac.m4a": "mdta key AIGC",
    "v.mp4": "mdta key AIGC",
    "front.mov": "mdta key AIGC",
    "pieces.mp4": "mdta key AIGC",
    "v.mkv": "SimpleTag AIGC",
    "room.mkv": "SimpleTag AIGC",
    "front.mkv": "SimpleTag AIGC",
    "v.webm": "SimpleTag AIGC",
    "live.webm": "SimpleTag AIGC",
    "v.avi": "LIST/INFO AIGC chunk",
    "v.flv": "onMetaData property AIGC",
    "index.flv": "onMetaData property AIGC",
}
CODECS = {
    "a.wav": ("wav", "pcm_s16le", {}),
    "a.aiff": ("aiff", "pcm_s16be", {}),
    "a.flac": ("flac", "flac", {}),
    "a.mp3": ("mp3", "libmp3lame", {"id3v2_version": "3"}),
    "a.ogg": ("ogg", "flac", {}),
    "a.opus": ("ogg", "libopus", {}),
    "a.m4a": ("ipod", "aac", {}),
    "front.m4a": ("ipod", "aac", {"movflags": "+faststart"}),
    "pieces.m4a": ("ipod", "aac", {"movflags": "+frag_keyframe+empty_moov"}),
    "alac.m4a": ("ipod", "alac", {"movflags": "+faststart"}),
    "v.mp4": ("mp4", "mpeg4", {}),
    "front.mov": ("mov", "mpeg4", {"movflags": "+faststart"}),
    "pieces.mp4": ("mp4", "mpeg4", {"movflags": "+frag_keyframe+empty_moov"}),
    "v.mkv": ("matroska", "mpeg4", {}),
    "room.mkv": ("matroska", "mpeg4", {"reserve_index_space": "2000"}),
    "front.mkv": ("matroska", "mpeg4", {"cues_to_front": "1"}),
    "v.webm": ("webm", "libvpx", {}),
    "live.webm": ("webm", "libvpx", {"live": "1"}),
    "v.avi": ("avi", "mpeg4", {}),
    "v.flv": ("flv", "flv", {}),
    "index.flv": ("flv", "flv", {"flvflags": "add_keyframe_index"}),
}
OTHER = AigcLabel(label="1", content_producer="other", produce_id="9")


def encode(path: Path, rights: str = "海") -> None:
    """Write a second of sound, or a few frames, with tags."""
    muxer, codec, options = CODECS[path.name]
    with (
        path.open("w+b") as file,
        av.open(file, "w", format=muxer, container_options=options) as container,
    ):
        if av.Codec(codec, "w").type == "video":
            track, frames = picture(container, codec)
        else:
            track, frames = sound(container, codec)
        holder = track if muxer == "ogg" else container
        holder.metadata.update({"title": "t", "copyright": rights})
        for frame in (*frames, None):
            container.mux(track.encode(frame))


def sound(container: Any, codec: str) -> tuple[Any, list[Any]]:
    samples = np.random.default_rng(1).normal(0, 3000, (48_000, 2)).astype(np.int16)
    track = container.add_stream(codec, rate=48_000, layout="stereo")
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    return track, [frame]


def picture(container: Any, codec: str) -> tuple[Any, list[Any]]:
    random = np.random.default_rng(1)
    track = container.add_stream(codec, rate=10, options={"g": "4"})
    track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
    frames = []
    for number in range(10):
        pixels = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format="yuv420p"
        )
        frame.pts, frame.time_base = number, Fraction(1, 10)
        frames.append(frame)
    return track, frames


def packets(path: Path) -> list[tuple[int | None, bool, bytes]]:
    with av.open(str(path)) as container:
        demuxed = container.demux(container.streams[0])
        found = [(p.pts, p.is_keyframe, bytes(p)) for p in demuxed if p.size]
    assert found
    return found


def seek(path: Path) -> list[bytes]:
    """Return the packets that the index of the file leads to."""
    with av.open(str(path)) as container:
        track: Any = container.streams[0]
        found = []
        for time in (0.9, 0.0, 0.5):
            container.seek(int(time / track.time_base), stream=track)
            found.append(bytes(next(container.demux(track))))
    return found


def tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        found = {**container.metadata, **container.streams[0].metadata}
    return {
        key.lower(): value
        for key, value in found.items()
        if key.upper() != "AIGC" and not key.startswith("lastkey")
    }


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    for name in PLACES:
        encode(folder / name)
    return folder


@pytest.mark.parametrize("name", PLACES)
def test_packets_and_tags_stay_and_there_is_one_label(
    sounds: Path, tmp_path: Path, label: AigcLabel, name: str
) -> None:
    source, first, second = sounds / name, tmp_path / f"1{name}", tmp_path / f"2{name}"
    assert stream.read(source).state is State.ABSENT
    written = stream.write(source, first, OTHER)
    assert (written.place, written.notes) == (PLACES[name], ())
    replaced = stream.write(first, second, label)
    assert replaced.notes == (
        f"an earlier AIGC label has been replaced: {PLACES[name]}",
    )
    reading = stream.read(second)
    assert (reading.state, reading.problems) == (State.PRESENT, ())
    assert [found.label for found in reading.labels] == [label]
    for target in (first, second):
        assert packets(target) == packets(source)
        assert tags(target) == tags(source)
        assert seek(target) == seek(source)


@pytest.mark.parametrize("name", PLACES)
def test_metadata_of_the_original_come_along(
    sounds: Path, tmp_path: Path, label: AigcLabel, name: str
) -> None:
    target, original = tmp_path / "target", tmp_path / "original"
    fresh = tmp_path / name
    encode(fresh, rights="new")
    stream.write(sounds / name, original, OTHER)
    written = stream.write(fresh, target, label, original=original)
    assert written.notes
    assert packets(target) == packets(fresh)
    # The texts in FLV are those of the writer of the new file.
    expected = "new" if name.endswith("flv") else "海"
    assert tags(target)["copyright"] == expected
    assert [found.label for found in stream.read(target).labels] == [label]


def test_an_original_of_another_format_is_left_alone(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    names = list(PLACES)
    for name, other in zip(names, names[1:6] + names[:1], strict=False):
        target = tmp_path / name
        stream.write(sounds / name, target, label, original=sounds / other)
        assert tags(target) == tags(sounds / name)


def test_an_old_mov_without_a_type_is_known(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    path, target = tmp_path / "old.mov", tmp_path / "new.mov"
    whole = (sounds / "v.mp4").read_bytes()
    first = int.from_bytes(whole[:4])
    kept = first.to_bytes(4) + b"skip" + bytes(first - 8)
    path.write_bytes(kept + whole[first:])
    stream.write(path, target, label)
    assert packets(target) == packets(sounds / "v.mp4")


def test_labels_that_differ_or_are_wrong_are_told(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    path = tmp_path / "a.wav"
    stream.write(sounds / "a.wav", path, label)
    content = path.read_bytes()
    start = content.index(b"AIGC")
    chunk = content[start : content.index(b"data")]

    def state(added: bytes) -> State:
        path.write_bytes(content[:start] + added + content[start:])
        return stream.read(path).state

    assert state(chunk) is State.PRESENT
    assert state(chunk.replace(b"0197", b"0198")) is State.CONFLICTING
    assert state(b"AIGC\4\0\0\0{}  ") is State.MALFORMED


def test_an_original_without_a_place_for_labels_is_left_alone(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    original, target = tmp_path / "a.ts", tmp_path / "v.mp4"
    original.write_bytes(b"G" * 188)
    assert stream.write(sounds / "v.mp4", target, label, original=original).notes == ()
    assert tags(target) == tags(sounds / "v.mp4")


def test_a_label_that_another_format_had_is_told(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    original, target = tmp_path / "v.mkv", tmp_path / "v.mp4"
    stream.write(sounds / "v.mkv", original, OTHER)
    written = stream.write(sounds / "v.mp4", target, label, original=original)
    assert written.notes == ("an earlier AIGC label has been replaced: SimpleTag AIGC",)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that copies the file and leaves the label out."""

    def edit(file: Any, text: str, original: Any = None) -> list[parts.Part]:
        return [range(parts.size_of(file))]

    monkeypatch.setattr(riff, "edit", edit)


@pytest.mark.usefixtures("deaf")
def test_what_does_not_read_back_is_an_error(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    with pytest.raises(MetadataError, match="does not read back"):
        stream.write(sounds / "a.wav", tmp_path / "b.wav", label)


def test_a_label_that_does_not_conform_is_not_written(
    sounds: Path, tmp_path: Path
) -> None:
    wrong = AigcLabel(label="1", content_producer="有", produce_id="9")
    with pytest.raises(MetadataError):
        stream.write(sounds / "a.mp3", tmp_path / "b.mp3", wrong)
    assert not (tmp_path / "b.mp3").exists()


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_other_files_are_refused(
    tmp_path: Path, label: AigcLabel, content: bytes
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    for act in (stream.read, lambda p: stream.write(p, tmp_path / "b", label)):
        with pytest.raises(UnsupportedFormat) as caught:
            act(path)
        assert caught.value.path == path
    with pytest.raises(MediaError):
        stream.read(tmp_path / "none.mp3")


def test_too_much_metadata_is_refused(
    sounds: Path,
    tmp_path: Path,
    label: AigcLabel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "a.mp3"
    tag = b"ID3\4\0\0\0\0\x0f\0" + b"PRIV\0\0\x0e\0\0\0" + bytes(15 * 128 - 10)
    path.write_bytes(tag + (sounds / "a.mp3").read_bytes())
    monkeypatch.setattr(parts, "MAX_METADATA_BYTES", 1000)
    with pytest.raises(MediaTooLarge):
        stream.read(path)


@pytest.mark.parametrize("name", PLACES)
def test_damage_never_raises_anything_else(
    sounds: Path, tmp_path: Path, label: AigcLabel, name: str
) -> None:
    source, path = tmp_path / "s", tmp_path / "d"
    stream.write(sounds / name, source, label)
    content = np.frombuffer(source.read_bytes(), np.uint8)
    random = np.random.default_rng(3)
    done: list[Callable[[], object]] = [
        lambda: stream.read(path),
        lambda: stream.write(path, tmp_path / "t", label),
        lambda: stream.write(source, tmp_path / "t", label, original=path),
    ]
    for round_ in range(40):
        broken = content.copy()
        places = random.integers(0, min(len(broken), 2_500), 4)
        broken[places] = random.choice([0, 1, 127, 128, 255], 4)
        whole = broken.tobytes()
        path.write_bytes(whole[: len(whole) // 2] if round_ % 4 == 0 else whole)
        for act in done:
            try:
                act()
            except (MediaError, MetadataError) as error:
                assert error.problem  # noqa: PT017 - often nothing is raised


def test_a_truncated_file_is_read_and_not_written(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    for name in ("a.wav", "front.m4a", "v.avi", "v.flv", "room.mkv"):
        whole, half = tmp_path / name, tmp_path / f"half{name}"
        stream.write(sounds / name, whole, label)
        shutil.copy(whole, half)
        half.write_bytes(whole.read_bytes()[:-500])
        reading = stream.read(half)
        assert reading.labels[0].label == label
        assert reading.problems
        with pytest.raises(DamagedMedia):
            stream.write(half, tmp_path / "t", label)
