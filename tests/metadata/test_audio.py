"""Labels in sound files as encoders make them: packets and tags stay as they are."""

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
from synthmark.labeling.metadata import audio, parts, riff
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
}
OTHER = AigcLabel(label="1", content_producer="other", produce_id="9")


def encode(path: Path, title: str = "海") -> None:
    """Write a second of sound with tags."""
    muxer, codec, options = CODECS[path.name]
    samples = np.random.default_rng(1).normal(0, 3000, (48_000, 2)).astype(np.int16)
    with (
        path.open("w+b") as file,
        av.open(file, "w", format=muxer, container_options=options) as container,
    ):
        stream: Any = container.add_stream(codec, rate=48_000, layout="stereo")
        holder: Any = stream if muxer == "ogg" else container
        holder.metadata.update({"title": title, "artist": "A"})
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def packets(path: Path) -> list[tuple[int | None, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        found = [(p.pts, bytes(p)) for p in container.demux(stream) if p.size]
    assert found
    return found


def tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        found = {**container.metadata, **container.streams.audio[0].metadata}
    return {key: value for key, value in found.items() if key.upper() != "AIGC"}


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
    assert audio.read(source).state is State.ABSENT
    written = audio.write(source, first, OTHER)
    assert (written.place, written.notes) == (PLACES[name], ())
    replaced = audio.write(first, second, label)
    assert replaced.notes == (
        f"an earlier AIGC label has been replaced: {PLACES[name]}",
    )
    reading = audio.read(second)
    assert (reading.state, reading.problems) == (State.PRESENT, ())
    assert [found.label for found in reading.labels] == [label]
    for target in (first, second):
        assert packets(target) == packets(source)
        assert tags(target) == tags(source)


@pytest.mark.parametrize("name", PLACES)
def test_metadata_of_the_original_come_along(
    sounds: Path, tmp_path: Path, label: AigcLabel, name: str
) -> None:
    target, original = tmp_path / "target", tmp_path / "original"
    fresh = tmp_path / name
    encode(fresh, title="new")
    audio.write(sounds / name, original, OTHER)
    written = audio.write(fresh, target, label, original=original)
    assert written.notes
    assert packets(target) == packets(fresh)
    assert tags(target)["title"] == "海"
    assert [found.label for found in audio.read(target).labels] == [label]


def test_an_original_of_another_format_is_left_alone(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    names = list(PLACES)
    for name, other in zip(names, names[1:6] + names[:1], strict=False):
        target = tmp_path / name
        audio.write(sounds / name, target, label, original=sounds / other)
        assert tags(target) == tags(sounds / name)


def test_labels_that_differ_or_are_wrong_are_told(
    sounds: Path, tmp_path: Path, label: AigcLabel
) -> None:
    path = tmp_path / "a.wav"
    audio.write(sounds / "a.wav", path, label)
    content = path.read_bytes()
    start = content.index(b"AIGC")
    chunk = content[start : content.index(b"data")]

    def state(added: bytes) -> State:
        path.write_bytes(content[:start] + added + content[start:])
        return audio.read(path).state

    assert state(chunk) is State.PRESENT
    assert state(chunk.replace(b"0197", b"0198")) is State.CONFLICTING
    assert state(b"AIGC\4\0\0\0{}  ") is State.MALFORMED


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
        audio.write(sounds / "a.wav", tmp_path / "b.wav", label)


def test_a_label_that_does_not_conform_is_not_written(
    sounds: Path, tmp_path: Path
) -> None:
    wrong = AigcLabel(label="1", content_producer="有", produce_id="9")
    with pytest.raises(MetadataError):
        audio.write(sounds / "a.mp3", tmp_path / "b.mp3", wrong)
    assert not (tmp_path / "b.mp3").exists()


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_other_files_are_refused(
    tmp_path: Path, label: AigcLabel, content: bytes
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    for act in (audio.read, lambda p: audio.write(p, tmp_path / "b", label)):
        with pytest.raises(UnsupportedFormat) as caught:
            act(path)
        assert caught.value.path == path
    with pytest.raises(MediaError):
        audio.read(tmp_path / "none.mp3")


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
        audio.read(path)


@pytest.mark.parametrize("name", PLACES)
def test_damage_never_raises_anything_else(
    sounds: Path, tmp_path: Path, label: AigcLabel, name: str
) -> None:
    source, path = tmp_path / "s", tmp_path / "d"
    audio.write(sounds / name, source, label)
    content = np.frombuffer(source.read_bytes(), np.uint8)
    random = np.random.default_rng(3)
    done: list[Callable[[], object]] = [
        lambda: audio.read(path),
        lambda: audio.write(path, tmp_path / "t", label),
        lambda: audio.write(source, tmp_path / "t", label, original=path),
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
    for name in ("a.wav", "front.m4a"):
        whole, half = tmp_path / name, tmp_path / f"half{name}"
        audio.write(sounds / name, whole, label)
        shutil.copy(whole, half)
        half.write_bytes(whole.read_bytes()[:10_000])
        reading = audio.read(half)
        assert reading.labels[0].label == label
        assert reading.problems
        with pytest.raises(DamagedMedia):
            audio.write(half, tmp_path / "t", label)
