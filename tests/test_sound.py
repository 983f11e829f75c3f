"""Sounds on their way through the layers, from file to file."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark import Detector, Home, Key, Labeler, Report
from synthmark.labeling import sound as route
from synthmark.labeling.errors import (
    DamagedMedia,
    MediaTooLarge,
    OutputExists,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.media import audio as media
from synthmark.labeling.media import source as intake
from synthmark.labeling.media.tags import Tags
from synthmark.labeling.model import Detection, FindingKind, LabelResult, Layer, State

RATE = 24_000
SEALED = ("wav", "flac", "mp3", "m4a")
FORMATS = (*SEALED, "ogg", "opus", "aiff")

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, make_voice: Callable[..., NDArray[np.int16]]) -> Make:
    """Return what writes a sound into a file."""

    def written(name: str = "in.wav", seconds: float = 6, channels: int = 1) -> Path:
        path = tmp_path / name
        samples = np.stack([make_voice(seconds, RATE)] * channels, axis=1)
        sound, block = media.from_array(samples, RATE)
        media.write(path, [block], sound, format=media.format_of(path))
        return path

    return written


@pytest.fixture
def labeler() -> Iterator[Labeler]:
    made = Home().labeler(service="voice", consent="C-1")
    yield made
    assert made.records is not None
    made.records.close()


@pytest.fixture
def detector() -> Iterator[Detector]:
    made = Home().detector()
    yield made
    assert made.records is not None
    made.records.close()


def states(report: Report) -> dict[str, str]:
    return {item.layer.value: item.state.value for item in report.evidence}


def decoded(path: Path) -> NDArray[np.float32]:
    return np.concatenate(list(media.blocks(path)))


@pytest.mark.parametrize("format", FORMATS)
def test_every_layer_of_every_format_reads_back(
    format: str, make: Make, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    source, target = make(), tmp_path / f"out.{format}"
    before = source.read_bytes()
    result = labeler.label(source, target)
    assert result.complete
    assert source.read_bytes() == before
    sealed = result.layer(Layer.C2PA)
    assert sealed is not None
    assert sealed.written == (format in SEALED)
    report = detector.detect(target)
    assert report.verdict == "confirmed"
    assert report.findings == ()
    assert report.payload == result.payload
    assert report.produce_id == result.produce_id
    assert states(report) == {
        "notice": "present",
        "mark": "present",
        "aigc": "present",
        "iptc": "unsupported",
        "c2pa": "trusted" if format in SEALED else "unsupported",
        "record": "present",
    }
    added = result.layer(Layer.NOTICE).detail["added_s"]
    expected = len(decoded(source)) + added * RATE
    stated = media.describe(target)
    assert len(decoded(target)) / stated.rate_hz == pytest.approx(
        expected / RATE, abs=0.002
    )


def test_nothing_is_found_where_nothing_was_done(make: Make) -> None:
    report = Detector(keys=[Key.generate()]).detect(make())
    assert report.verdict == "none"
    assert states(report)["mark"] == "absent"
    assert states(report)["notice"] == "absent"


def test_another_key_finds_nothing(
    make: Make, labeler: Labeler, tmp_path: Path
) -> None:
    labeler.label(make(), tmp_path / "out.flac")
    other = Detector(keys=[Key.generate()])
    report = other.detect(tmp_path / "out.flac")
    assert states(report)["mark"] == "absent"


def test_bytes_go_in_and_come_out(make: Make, labeler: Labeler) -> None:
    content = make("in.flac").read_bytes()
    result = labeler.label(content)
    assert result.media_type == "audio/flac"
    assert result.content.startswith(b"ID3")  # the manifest stands in front
    report = Home().detector().detect(bytearray(result.content))
    assert report.file is None
    assert report.payload == result.payload


def test_bytes_that_may_have_been_cut_off_are_refused(
    make: Make, labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = make("in.mp3").read_bytes()
    monkeypatch.setattr(intake, "MAX_BYTES", len(content) - 1)
    with pytest.raises(MediaTooLarge, match="path"):
        labeler.label(content)


@pytest.mark.parametrize(("place", "start"), [("start", 0.0), ("end", 6.0), (2.5, 2.5)])
@pytest.mark.parametrize("kind", ["spoken", "rhythm"])
def test_the_notice_is_heard_where_it_was_asked_for(
    make: Make, tmp_path: Path, kind: str, place: str | float, start: float
) -> None:
    labeler = Home().labeler(sound_notice=kind, notice_at=place)
    result = labeler.label(make(channels=2), tmp_path / "out.wav")
    written = result.layer(Layer.NOTICE).detail
    assert written["kind"] == kind
    assert start <= written["start_s"] <= start + 0.6
    report = Home().detector().detect(tmp_path / "out.wav")
    (heard,) = report.layer(Layer.NOTICE).detail["notices"]
    assert heard["kind"] == kind
    assert heard["start_s"] == pytest.approx(written["start_s"], abs=0.2)


def test_a_round_of_a_conversation_has_a_short_notice(
    make: Make, tmp_path: Path
) -> None:
    labeler = Home().labeler(service="dialogue", sound_notice="round")
    result = labeler.label(make(seconds=4), tmp_path / "out.wav")
    assert result.layer(Layer.NOTICE).detail["text"] == "人工智能生成"
    report = Home().detector().detect(tmp_path / "out.wav")
    (heard,) = report.layer(Layer.NOTICE).detail["notices"]
    assert heard["text"] == "人工智能生成"


CHAPTERS_S = (0.0, 2.5, 4.0)


@pytest.fixture
def podcast(make: Make, tmp_path: Path) -> Make:
    """Return what writes a sound with three chapters into a file."""

    def written(suffix: str) -> Path:
        path = tmp_path / f"podcast.{suffix}"
        sound = media.describe(plain := make("plain.wav", seconds=6))
        edges = (*CHAPTERS_S, 6.0)
        chapters = [
            {
                "id": index,
                "start": round(1000 * start),
                "end": round(1000 * end),
                "time_base": Fraction(1, 1000),
                "metadata": {"title": f"Part {index}"},
            }
            for index, (start, end) in enumerate(pairwise(edges))
        ]
        with pytest.MonkeyPatch.context() as patch:
            tags = Tags(chapters=tuple(chapters))
            patch.setattr(media, "_tags", lambda *_: tags)
            media.write(path, media.blocks(plain), sound, format=media.format_of(path))
        return path

    return written


@pytest.mark.parametrize("suffix", ["m4a", "mp3", "flac", "ogg", "opus"])
def test_every_chapter_begins_with_a_notice(
    suffix: str, podcast: Make, tmp_path: Path
) -> None:
    source, target = podcast(suffix), tmp_path / f"out.{suffix}"
    result = Home().labeler(notice_at="chapters").label(source, target)
    assert result.complete
    written = result.layer(Layer.NOTICE).detail
    again = written["again"]
    assert written["text"] == "本内容由人工智能生成"
    assert [one["text"] for one in again] == ["人工智能生成"] * 2
    # Each chapter begins half a second before its notice; the first with the sound.
    starts = media.chapters(target, media.describe(target))
    expected = (0, *(one["start_s"] - 0.5 for one in again))
    assert starts == pytest.approx(expected, abs=0.003)
    with av.open(str(target)) as container:
        chapters = container.chapters()
        ends = [float(c["end"] * c["time_base"]) for c in chapters]
        assert [c["metadata"]["title"] for c in chapters] == [
            "Part 0",
            "Part 1",
            "Part 2",
        ]
    assert ends[:2] == pytest.approx(starts[1:], abs=0.003)
    report = Home().detector().detect(target)
    heard = report.layer(Layer.NOTICE).detail["notices"]
    assert [one["text"] for one in heard] == [
        written["text"],
        *(one["text"] for one in again),
    ]
    for found, put in zip(heard, (written, *again), strict=True):
        assert found["start_s"] == pytest.approx(put["start_s"], abs=0.1)
        assert found["end_s"] == pytest.approx(put["end_s"], abs=0.1)


@pytest.mark.parametrize("place", [1.5, "end"])
def test_chapters_stay_where_they_belong(
    place: float | str, podcast: Make, tmp_path: Path
) -> None:
    source, target = podcast("flac"), tmp_path / "out.flac"
    result = Home().labeler(notice_at=place).label(source, target)
    added = result.layer(Layer.NOTICE).detail["added_s"]
    starts = media.chapters(target, media.describe(target))
    before = CHAPTERS_S if place == "end" else (0.0, 2.5 + added, 4.0 + added)
    assert starts == pytest.approx(before, abs=0.002)


def test_without_chapters_there_is_no_place_for_it(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no chapters"):
        Home().labeler(notice_at="chapters").label(make(), tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


def test_at_chapters_is_at_the_start_too(podcast: Make, tmp_path: Path) -> None:
    # Where only the start will do, it may be heard again.
    labeler = Home().labeler(notice_at="chapters", jurisdictions=("eu",))
    result = labeler.label(podcast("mp3"), tmp_path / "out.mp3")
    assert result.layer(Layer.NOTICE).detail["place"] == "start"
    assert "AI-generated" in result.layer(Layer.NOTICE).detail["again"][0]["text"]


@pytest.mark.parametrize(
    "options", [{"sound_notice": "sung"}, {"notice_at": "never"}, {"notice_at": -1.0}]
)
def test_options_that_cannot_be_meant(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Home().labeler(**options)


def test_a_notice_behind_the_end_leaves_no_file(make: Make, tmp_path: Path) -> None:
    source = make()
    labeler = Home().labeler(notice_at=99.0)
    with pytest.raises(UsageError, match="ends at 6"):
        labeler.label(source, tmp_path / "out.wav")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "in.wav"}


def test_a_changed_sound_is_told(
    make: Make, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    target = tmp_path / "out.wav"
    labeler.label(make(), target)
    content = bytearray(target.read_bytes())
    at = content.index(b"data") + 8 + 4 * RATE
    content[at : at + 2000] = bytes(2000)
    target.write_bytes(content)
    report = detector.detect(target)
    assert states(report)["c2pa"] == "tampered"
    assert FindingKind.ALTERED in {finding.kind for finding in report.findings}


def test_the_mark_tells_of_a_label_that_was_taken_away(
    make: Make, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    result = labeler.label(make(), tmp_path / "out.flac")
    samples = decoded(tmp_path / "out.flac")
    added = round(result.layer(Layer.NOTICE).detail["added_s"] * RATE)
    sound, block = media.from_array(samples[added:], RATE)
    media.write(tmp_path / "bare.wav", [block], sound)
    report = detector.detect(tmp_path / "bare.wav")
    assert report.payload == result.payload
    kinds = {(finding.kind, finding.layer) for finding in report.findings}
    assert (FindingKind.REMOVED, Layer.AIGC) in kinds
    assert (FindingKind.REMOVED, Layer.C2PA) in kinds
    assert (FindingKind.HIDDEN, Layer.NOTICE) in kinds


def test_a_second_labeling_keeps_the_history(
    make: Make, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    labeler.label(make(), tmp_path / "one.wav")
    again = labeler.label(tmp_path / "one.wav", tmp_path / "two.wav")
    assert again.layer(Layer.C2PA).detail["action"] == "c2pa.opened"
    report = detector.detect(tmp_path / "two.wav")
    assert report.payload == again.payload
    assert report.findings == ()


def test_a_mark_that_does_not_read_back_is_told(
    make: Make, labeler: Labeler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Detection(found=False, payload=None, p_value=1.0, score=0.0, scheme="")
    monkeypatch.setattr(route, "read_sound", lambda *_: (nothing, None))
    result: LabelResult = labeler.label(make(), tmp_path / "out.wav")
    assert not result.complete
    assert result.layer(Layer.MARK).reason == "mark_not_readable"
    assert result.payload is None


def test_an_existing_target_stays(make: Make, labeler: Labeler, tmp_path: Path) -> None:
    source = make()
    (tmp_path / "out.wav").write_bytes(b"mine")
    with pytest.raises(OutputExists):
        labeler.label(source, tmp_path / "out.wav")
    assert (tmp_path / "out.wav").read_bytes() == b"mine"


def test_a_sound_does_not_become_a_picture(
    make: Make, labeler: Labeler, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedFormat, match="png"):
        labeler.label(make(), tmp_path / "out.png")


def test_a_rate_beyond_the_mark_is_told(labeler: Labeler, tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 4000, 0, "NONE", ""))
        file.writeframes(bytes(8000))
    with pytest.raises(UnsupportedFormat, match="4,000"):
        labeler.label(path, tmp_path / "out.wav")


def test_a_file_cut_short_is_told(make: Make, labeler: Labeler, tmp_path: Path) -> None:
    path = make("in.mp3")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DamagedMedia):
        labeler.label(path, tmp_path / "out.mp3")
    assert not (tmp_path / "out.mp3").exists()


def test_silence_is_labeled_by_its_notice(
    labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    sound, block = media.from_array(np.zeros(RATE, np.int16), RATE)
    media.write(tmp_path / "silent.wav", [block], sound)
    result = labeler.label(tmp_path / "silent.wav", tmp_path / "out.wav")
    assert result.layer(Layer.NOTICE).written
    samples = decoded(tmp_path / "out.wav")
    assert not samples[-RATE // 2 :].any()
    assert states(detector.detect(tmp_path / "out.wav"))["notice"] == State.PRESENT
