"""Videos on their way through the layers, from file to file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark import (
    Detector,
    Home,
    Key,
    Labeler,
    Payload,
    Report,
    check,
    detect_video,
    embed_video,
)
from synthmark.labeling import footage as route
from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    OutputExists,
    TooSmallForMark,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.media import audio, video
from synthmark.labeling.metadata import stream as metadata
from synthmark.labeling.model import (
    UNSUPPORTED,
    Detection,
    FindingKind,
    LabelResult,
    Layer,
    LayerResult,
    Media,
)
from synthmark.labeling.provenance import manifest

Film = list[NDArray[np.uint8]]
Make = Callable[..., Path]

RATE = 8
FORMATS = ("mp4", "mov", "mkv", "webm", "avi", "flv")
SEALED = ("mp4", "mov", "avi")


@pytest.fixture(scope="session")
def shots(make_film: Callable[..., Film]) -> Film:
    return make_film(180, 320, RATE, 2.5)


@pytest.fixture
def make(
    tmp_path: Path,
    shots: Film,
    save_film: Make,
    make_voice: Callable[..., NDArray[np.int16]],
) -> Make:
    """Return what writes a video into a file."""

    def filmed(
        name: str = "in.mp4",
        frames: Film | None = None,
        sound: float = 0,
        **options: Any,
    ) -> Path:
        return save_film(
            tmp_path / name,
            shots if frames is None else frames,
            RATE,
            sound=make_voice(sound) if sound else None,
            **options,
        )

    return filmed


@pytest.fixture
def labeler() -> Iterator[Labeler]:
    made = Home().labeler(service="face", consent="C-1")
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


def kinds(report: Report) -> set[tuple[str, str]]:
    return {(finding.kind.value, finding.layer.value) for finding in report.findings}


def written(result: LabelResult, layer: Layer) -> LayerResult:
    found = result.layer(layer)
    assert found is not None
    return found


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"home"}


def lumas(path: Path) -> NDArray[np.float64]:
    return np.array([frame.luma.astype(np.float64) for frame in video.frames(path)])


def psnr(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(10 * np.log10(255**2 / np.mean((one - other) ** 2)))


# Through all layers


@pytest.mark.parametrize("format", FORMATS)
def test_every_layer_of_every_format_reads_back(
    format: str, make: Make, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    # AVI states no times of frames that another container could have.
    source = make("in.avi" if format == "avi" else "in.mp4")
    target = tmp_path / f"out.{format}"
    before = source.read_bytes()
    result = labeler.label(source, target)
    assert result.complete
    assert result.media is Media.VIDEO
    assert result.media_type == video.describe(target).media_type
    assert source.read_bytes() == before
    sealed = written(result, Layer.C2PA)
    assert sealed.written == (format in SEALED)
    assert sealed.reason == ("" if format in SEALED else UNSUPPORTED)
    report = detector.detect(target)
    assert report.media is Media.VIDEO
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
    spans = report.layer(Layer.MARK).detail["spans"]
    assert np.ravel(spans) == pytest.approx([0, 2.5], abs=0.3)


def test_the_layers_refer_to_each_other_and_all_else_stays(
    make: Make, labeler: Labeler, tmp_path: Path
) -> None:
    source, target = make(sound=2), tmp_path / "out.mp4"
    result = labeler.label(source, target)
    mark = written(result, Layer.MARK).detail
    assert mark["scheme"] == "video-lattice/1"
    assert mark["sound"] is True
    notice = written(result, Layer.NOTICE).detail
    assert notice["first_contrast"] >= 4.5
    assert (notice["start_s"], notice["end_s"]) == (0, 2.5)
    sealed = manifest.read(target)
    assert sealed.payload == result.payload
    assert sealed.mark_scheme == "video-lattice/1"
    before, after = video.describe(source), video.describe(target)
    for name in ("width", "height", "codec", "pixel_format", "frame_rate"):
        assert getattr(before, name) == getattr(after, name)
    one, other = lumas(source), lumas(target)
    assert one.shape == other.shape
    # Away from the notice there is the mark alone, and what the codec does.
    assert psnr(one[:, 100:, 120:], other[:, 100:, 120:]) > 38
    assert after.sound is not None


def test_the_sound_holds_the_same_payload(
    make: Make, labeler: Labeler, detector: Detector, save_film: Make, tmp_path: Path
) -> None:
    result = labeler.label(make(sound=5), tmp_path / "out.mp4")
    described = video.describe(tmp_path / "out.mp4")
    sound = list(video.sound_blocks(tmp_path / "out.mp4", described))
    # Other pictures, with the sound of the labeled ones.
    levels = np.concatenate(sound)[:, 0]
    samples = np.asarray(np.clip(levels * 32768, -32768, 32767), np.int16)
    frames = [np.full((180, 320), 90, np.uint8)] * 40
    save_film(tmp_path / "other.mp4", frames, RATE, sound=samples)
    report = detector.detect(tmp_path / "other.mp4")
    assert report.payload == result.payload
    assert report.layer(Layer.MARK).detail["scheme"] == "audio-tf/1"
    assert not detect_video(tmp_path / "other.mp4", labeler.key).found


def test_bytes_go_in_and_come_out(make: Make, labeler: Labeler) -> None:
    result = labeler.label(make().read_bytes(), media_format="mkv")
    assert result.media_type == "video/matroska"
    assert result.content.startswith(b"\x1aE\xdf\xa3")
    report = Home().detector().detect(result.content)
    assert report.file is None
    assert report.payload == result.payload


def test_the_notice_stands_as_long_as_was_asked_for(
    make: Make, shots: Film, tmp_path: Path
) -> None:
    labeler = Home().labeler(notice_seconds=2.0, corner="bottom-right")
    source = make(frames=[*shots, *shots[::-1]])
    result = labeler.label(source, tmp_path / "out.mp4")
    assert written(result, Layer.NOTICE).detail["end_s"] == pytest.approx(2.0, abs=0.15)
    report = Home().detector().detect(tmp_path / "out.mp4")
    (seen,) = report.layer(Layer.NOTICE).detail["notices"]
    assert seen["on_first_frame"]
    assert seen["faults"] == []
    assert 2 <= seen["end_s"] < 3.5
    assert seen["box"]["left"] > 160


def test_coding_and_progress_are_those_asked_for(make: Make, tmp_path: Path) -> None:
    told: list[tuple[float, float]] = []
    other = Home().labeler(
        encoding={"codec": "hevc", "crf": 20, "preset": "ultrafast"},
        progress=lambda done, total: told.append((done, total)),
    )
    source = make()
    other.label(source, tmp_path / "out.mp4")
    assert video.describe(tmp_path / "out.mp4").codec == "hevc"
    done = [seconds for seconds, _ in told]
    assert done == sorted(done)
    assert len(done) == 3
    assert told[-1] == pytest.approx((2.5, 2.5), abs=0.01)


def test_a_turned_clip_is_labeled_as_it_is_shown(
    labeler: Labeler, detector: Detector, shots: Film, tmp_path: Path, save_film: Make
) -> None:
    import av

    plain = save_film(tmp_path / "plain.mp4", shots, RATE)
    source = tmp_path / "in.mp4"
    with av.open(str(plain)) as one, av.open(str(source), "w") as other:
        track: Any = other.add_stream_from_template(one.streams.video[0])
        track.set_display_rotation(90)
        for packet in one.demux(one.streams.video[0]):
            if packet.size:
                packet.stream = track
                other.mux(packet)
    assert video.describe(source).rotation_deg == 270
    result = labeler.label(source, tmp_path / "out.mp4")
    assert video.describe(tmp_path / "out.mp4").rotation_deg == 270
    report = detector.detect(tmp_path / "out.mp4")
    assert report.verdict == "confirmed"
    (seen,) = report.layer(Layer.NOTICE).detail["notices"]
    box = written(result, Layer.NOTICE).detail["box"]
    assert box["left"] + box["width"] <= 180
    assert seen["box"]["left"] == pytest.approx(box["left"], abs=box["width"])


# Where there is nothing, and where something was taken away


def test_the_notice_of_a_360_degree_video_stands_where_people_look_first(
    make: Make,
    make_film: Callable[..., Film],
    make_spherical: Make,
    labeler: Labeler,
    detector: Detector,
    tmp_path: Path,
) -> None:
    path = make(frames=make_film(512, 1024, RATE, 2.5))
    path = make_spherical(path, yaw_deg=60, pitch_deg=-20)
    result = labeler.label(path, tmp_path / "out.mp4")
    assert written(result, Layer.NOTICE).detail["view"]["yaw_deg"] == 60
    assert video.describe(tmp_path / "out.mp4").sphere is not None
    report = detector.detect(tmp_path / "out.mp4")
    assert not report.findings
    notice = report.layer(Layer.NOTICE).detail
    assert notice["extent"]["medium"] == "scene"
    (found,) = notice["notices"]
    assert (found["place"], found["faults"]) == ("bottom", [])
    assert check(report, "scene", ["cn"]).passed


def test_nothing_is_found_where_nothing_was_done(make: Make) -> None:
    report = Detector(keys=[Key.generate()]).detect(make())
    assert report.verdict == "none"
    assert states(report) == {
        "notice": "absent",
        "mark": "absent",
        "aigc": "absent",
        "iptc": "unsupported",
        "c2pa": "absent",
        "record": "not_checked",
    }


def test_another_key_finds_nothing(
    make: Make, labeler: Labeler, tmp_path: Path
) -> None:
    labeler.label(make(), tmp_path / "out.mkv")
    report = Detector(keys=[Key.generate()]).detect(tmp_path / "out.mkv")
    assert states(report)["mark"] == "absent"
    assert Detector().detect(tmp_path / "out.mkv").payload is None


def test_the_mark_tells_of_a_label_that_was_taken_away(
    make: Make, labeler: Labeler, detector: Detector, save_film: Make, tmp_path: Path
) -> None:
    result = labeler.label(make(), tmp_path / "out.mp4")
    # Encoded anew, without the rows in which the notice is.
    frames = [luma[66:].astype(np.uint8) for luma in lumas(tmp_path / "out.mp4")]
    save_film(tmp_path / "bare.mp4", frames, RATE, crf="24")
    report = detector.detect(tmp_path / "bare.mp4")
    assert report.payload == result.payload
    assert {("removed", "aigc"), ("removed", "c2pa"), ("hidden", "notice")} <= kinds(
        report
    )


def test_a_changed_video_is_told(
    make: Make, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    labeler.label(make(), target)
    content = target.read_bytes()
    target.write_bytes(content.replace(b"VideoHandler", b"VideoHandled"))
    assert target.read_bytes() != content
    report = detector.detect(target)
    assert states(report)["c2pa"] == "tampered"
    assert FindingKind.ALTERED in {finding.kind for finding in report.findings}


def test_a_second_labeling_keeps_the_history(
    make: Make, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    first = labeler.label(make(), tmp_path / "one.mp4")
    again = labeler.label(tmp_path / "one.mp4", tmp_path / "two.mov")
    assert written(again, Layer.C2PA).detail["action"] == "c2pa.opened"
    report = detector.detect(tmp_path / "two.mov")
    # The older mark stays beneath, and may be the one that is read.
    assert report.payload in (first.payload, again.payload)
    assert states(report)["c2pa"] == "trusted"


# When the mark cannot be


def test_a_mark_that_does_not_read_back_is_made_stronger(
    make: Make, labeler: Labeler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, calls = route._read_pictures, 0
    nothing = Detection(found=False, payload=None, p_value=1.0, score=0.0, scheme="")

    def find(*args: Any) -> tuple[Detection, Any]:
        nonlocal calls
        calls += 1
        return (nothing, None) if calls == 1 else true(*args)

    monkeypatch.setattr(route, "_read_pictures", find)
    result = labeler.label(make(), tmp_path / "out.mp4")
    assert result.complete
    assert written(result, Layer.MARK).detail["strength"] == 1.4
    # The notice is drawn once, not over itself.
    weak = (
        Home()
        .labeler(service="face", consent="C-1")
        .label(make(), tmp_path / "weak.mp4")
    )
    for name in ("box", "text", "start_s", "end_s"):
        drawn = written(weak, Layer.NOTICE).detail[name]
        assert written(result, Layer.NOTICE).detail[name] == drawn


def test_a_mark_that_never_reads_back_is_left_out_and_told(
    make: Make, labeler: Labeler, tmp_path: Path
) -> None:
    # A clip of one color has nowhere to hide anything.
    frames = [np.full((180, 320), 90, np.uint8)] * 3
    result = labeler.label(make(frames=frames), tmp_path / "out.mp4")
    assert not result.complete
    assert written(result, Layer.MARK).reason == "mark_not_readable"
    assert result.payload is None
    assert np.ptp(lumas(tmp_path / "out.mp4")[:, 120:, 160:]) <= 1
    report = Detector(keys=[labeler.key]).detect(tmp_path / "out.mp4")
    assert states(report)["mark"] == "absent"
    assert states(report)["notice"] == "present"
    assert states(report)["aigc"] == "present"


def test_a_small_clip_gets_the_layers_that_it_has_room_for(
    make: Make, shots: Film, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    small = [np.ascontiguousarray(frame[:64, :64]) for frame in shots]
    result = labeler.label(make(frames=small), tmp_path / "out.mp4")
    assert not result.complete
    assert result.payload is None
    assert not written(result, Layer.MARK).written
    assert written(result, Layer.MARK).reason == "too_small_for_mark"
    notice = written(result, Layer.NOTICE)
    assert notice.written or notice.reason == "too_small_for_notice"
    for layer in (Layer.AIGC, Layer.C2PA, Layer.RECORD):
        assert written(result, layer).written
    report = detector.detect(tmp_path / "out.mp4")
    assert report.verdict == "confirmed"
    assert report.produce_id == result.produce_id
    tiny = [np.ascontiguousarray(frame[:16, :16]) for frame in shots]
    result = labeler.label(make(frames=tiny), tmp_path / "tiny.mp4")
    assert written(result, Layer.NOTICE).reason == "too_small_for_notice"


def test_a_single_frame_is_a_video(
    make: Make, shots: Film, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    result = labeler.label(make(frames=shots[:1]), tmp_path / "out.mp4")
    assert result.complete
    assert video.describe(tmp_path / "out.mp4").duration_s == 2
    notice = written(result, Layer.NOTICE).detail
    assert [notice[name] for name in ("start_s", "end_s", "added_s")] == [0, 2, 1.875]
    report = detector.detect(tmp_path / "out.mp4")
    assert report.payload == result.payload
    (seen,) = report.layer(Layer.NOTICE).detail["notices"]
    assert seen["faults"] == []


# When the clip is shorter than the notice must stand


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv"])
def test_a_short_clip_is_led_in_by_its_first_frame(
    make: Make,
    shots: Film,
    labeler: Labeler,
    detector: Detector,
    tmp_path: Path,
    name: str,
) -> None:
    source = make(name, frames=shots[:6], sound=0.75)
    target = tmp_path / f"out{source.suffix}"
    result = labeler.label(source, target)
    assert result.complete
    notice = written(result, Layer.NOTICE).detail
    assert (notice["start_s"], notice["added_s"]) == (0, 1.25)
    assert notice["end_s"] == pytest.approx(2, abs=0.01)
    (note,) = (note for note in result.notes if "held" in note)
    assert "1.25 s" in note
    times = [frame.time_s for frame in video.frames(target)]
    assert times == [number / RATE for number in range(16)]
    one, other = lumas(source), lumas(target)
    # The mark is in the frames that are held, too: away from the notice all is as it
    # was but for it.
    for held in other[:10]:
        assert 35 < psnr(one[0, 100:, 120:], held[100:, 120:]) < 60
    assert psnr(one[:, 100:, 120:], other[10:, 100:, 120:]) > 35
    spans = written(result, Layer.MARK).detail["spans"]
    assert np.ravel(spans) == pytest.approx([0, 2], abs=0.1)
    before, after = (
        np.concatenate(list(video.sound_blocks(path, video.describe(path))))
        for path in (source, target)
    )
    silence = round(1.25 * 24_000)
    assert len(after) == pytest.approx(len(before) + silence, abs=2 * 1024)
    # What the mark adds to such a short sound is far less than the sound.
    assert np.abs(after[: silence - 2048]).max() < 0.01
    sound = before[:16_000, 0]
    alike = [
        float(np.corrcoef(sound, after[silence + late :, 0][: len(sound)])[0, 1])
        for late in (0, 30)
    ]
    assert alike[0] > max(0.98, alike[1])
    report = detector.detect(target)
    assert (report.verdict, report.payload) == ("confirmed", result.payload)
    assert report.findings == ()
    (seen,) = report.layer(Layer.NOTICE).detail["notices"]
    assert seen["on_first_frame"]
    assert seen["faults"] == []
    again = labeler.label(target, tmp_path / f"again{source.suffix}")
    assert written(again, Layer.NOTICE).detail["added_s"] == 0
    assert not any("held" in note for note in again.notes)


def test_what_needs_no_lead_in_has_none(
    make: Make, shots: Film, labeler: Labeler, tmp_path: Path
) -> None:
    result = labeler.label(make(frames=shots[:16]), tmp_path / "long.mp4")
    assert written(result, Layer.NOTICE).detail["added_s"] == 0
    assert len(lumas(tmp_path / "long.mp4")) == 16
    # No notice, no time for it.
    short = make(frames=shots[:4])
    payload = Payload(issuer=3, serial=99)
    embed_video(short, tmp_path / "mark.mp4", payload, Key.generate())
    tiny = make(
        "tiny.mp4", [np.ascontiguousarray(shot[:16, :16]) for shot in shots[:4]]
    )
    result = labeler.label(tiny, tmp_path / "out.mp4")
    assert written(result, Layer.NOTICE).reason == "too_small_for_notice"
    for name in ("mark.mp4", "out.mp4"):
        assert len(lumas(tmp_path / name)) == 4


def test_a_long_last_frame_is_time_for_the_notice(
    shots: Film, labeler: Labeler, detector: Detector, tmp_path: Path
) -> None:
    import av

    source = tmp_path / "in.mkv"
    with av.open(str(source), "w", format="matroska") as file:
        stream: Any = file.add_stream("ffv1", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for index, frame in enumerate(shots[:2]):
            picture = av.VideoFrame.from_ndarray(frame, "gray")
            picture = picture.reformat(format="yuv420p")
            picture.pts = index
            for packet in stream.encode(picture):
                packet.duration = 14 * index or 1
                file.mux(packet)
        file.mux(stream.encode(None))
    result = labeler.label(source, tmp_path / "out.mkv")
    notice = written(result, Layer.NOTICE).detail
    assert notice["added_s"] == pytest.approx(0.125, abs=0.001)
    assert notice["end_s"] == pytest.approx(2, abs=0.01)
    report = detector.detect(tmp_path / "out.mkv")
    (seen,) = report.layer(Layer.NOTICE).detail["notices"]
    assert seen["faults"] == []


# What is refused, and what is left of it


def refused(
    labeler: Labeler, source: Path, kind: type[Exception], text: str, target: str = ""
) -> Exception:
    """Check that a labeling fails and leaves everything as it was."""
    folder = source.parent
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    with pytest.raises(kind, match=text) as caught:
        labeler.label(source, folder / (target or "out.mp4"))
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == before
    assert labeler.records is not None
    assert labeler.records.verify().count == 0
    return caught.value


def test_interlaced_video_is_refused_with_what_to_do(
    make: Make, labeler: Labeler, detector: Detector
) -> None:
    source = make(**{"x264-params": "tff=1"})
    error = refused(labeler, source, UnsupportedFormat, "interlaced")
    assert isinstance(error, UnsupportedFormat)
    assert "bwdif" in error.hint
    assert error.path == source
    assert detector.detect(source).verdict == "none"


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.avi"])
def test_a_file_cut_short_is_refused(
    name: str, share: float, make: Make, labeler: Labeler
) -> None:
    path = make(name)
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    refused(labeler, path, DamagedMedia, ".")


@pytest.mark.parametrize("size", [0, 12, 40, 300])
def test_a_file_of_next_to_nothing_is_refused(
    size: int, make: Make, labeler: Labeler
) -> None:
    path = make()
    path.write_bytes(path.read_bytes()[:size])
    refused(labeler, path, MediaError, ".")
    with pytest.raises(MediaError):
        Home().detector().detect(path)


def test_sound_alone_in_a_container_of_both_is_a_sound(
    labeler: Labeler,
    detector: Detector,
    tmp_path: Path,
    make_voice: Callable[..., NDArray[np.int16]],
) -> None:
    sound, block = audio.from_array(make_voice()[:, None], 24_000)
    audio.write(tmp_path / "in.m4a", [block], sound, format="m4a")
    source = (tmp_path / "in.m4a").rename(tmp_path / "in.mp4")
    content = bytearray(source.read_bytes())
    content[8:12] = b"isom"
    source.write_bytes(content)
    assert detector.detect(source).media is Media.AUDIO
    result = labeler.label(source, tmp_path / "out.m4a")
    assert result.media is Media.AUDIO
    assert result.complete
    with pytest.raises(UnsupportedFormat):
        detect_video(source, labeler.key)


def test_a_video_does_not_become_something_else(make: Make, labeler: Labeler) -> None:
    source = make()
    refused(labeler, source, UnsupportedFormat, "png", "out.png")
    refused(labeler, source, UnsupportedFormat, "mp3", "out.mp3")
    refused(labeler, source, UnsupportedFormat, "AVI", "out.avi")


def test_an_existing_target_stays(make: Make, labeler: Labeler, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"mine")
    refused(labeler, make(), OutputExists, "exist")
    result = labeler.label(make(), tmp_path / "out.mp4", overwrite=True)
    assert (tmp_path / "out.mp4").stat().st_size > 1000
    assert result.complete


@pytest.mark.parametrize(
    "encoding", [{"codec": "rot13"}, {"crf": 999}, {"preset": "yesterday"}]
)
def test_coding_that_cannot_be_meant_is_refused(
    encoding: dict[str, Any], make: Make
) -> None:
    labeler = Home().labeler(encoding=encoding)
    refused(labeler, make(), UsageError, str(next(iter(encoding.values()))))


@pytest.mark.parametrize("options", [{"notice_seconds": 1.0}, {"corner": "middle"}])
def test_options_that_cannot_be_meant(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Home().labeler(**options)


def test_an_error_on_the_way_leaves_nothing(
    make: Make, labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise DamagedMedia("lightning struck")

    source = make()
    monkeypatch.setattr(metadata, "write", fail)
    refused(labeler, source, DamagedMedia, "lightning")


# The mark alone


def test_the_mark_alone_is_written_and_read(make: Make, tmp_path: Path) -> None:
    key, payload = Key.generate(), Payload(issuer=3, serial=99)
    source, target = make(), tmp_path / "out.mkv"
    embed_video(source, target, payload, key)
    hit = detect_video(target, [Key.generate(), key])
    assert (hit.payload, hit.key_id) == (payload, key.id)
    assert hit.spans is not None
    assert np.ravel(hit.spans) == pytest.approx([0, 2.5], abs=0.3)
    assert psnr(lumas(source), lumas(target)) > 38
    assert not detect_video(target, Key.generate()).found
    assert not detect_video(source, key).found
    report = Detector(keys=[key]).detect(target)
    assert states(report)["notice"] == states(report)["aigc"] == "absent"
    with pytest.raises(OutputExists):
        embed_video(source, target, payload, key)
    embed_video(source, target, payload, key, overwrite=True, crf=20)
    assert detect_video(str(target), key).payload == payload


def test_the_mark_is_read_from_a_picture_of_the_video(
    make: Make, tmp_path: Path
) -> None:
    from PIL import Image

    key, payload = Key.generate(), Payload(issuer=3, serial=99)
    embed_video(make(), tmp_path / "out.mp4", payload, key)
    frames = lumas(tmp_path / "out.mp4").astype(np.uint8)
    Image.fromarray(frames[7]).save(tmp_path / "frame.jpg", quality=85)
    assert detect_video(tmp_path / "frame.jpg", key).payload == payload


def test_ten_bits_stay_ten_bits(make: Make, shots: Film, tmp_path: Path) -> None:
    import av

    key, payload = Key.generate(), Payload(issuer=3, serial=99)
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w", format="matroska") as file:
        stream: Any = file.add_stream("ffv1", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p10le"
        for index, frame in enumerate(shots[:12]):
            picture = av.VideoFrame.from_ndarray(frame, "gray")
            picture = picture.reformat(format="yuv420p10le")
            picture.pts = index
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    embed_video(source, tmp_path / "out.mkv", payload, key)
    written = video.describe(tmp_path / "out.mkv")
    assert (written.pixel_format, written.bits) == ("yuv420p10le", 10)
    assert detect_video(tmp_path / "out.mkv", key).payload == payload
    change = (lumas(tmp_path / "out.mkv") - lumas(source)) / 4
    assert 0.3 < np.sqrt(np.mean(change**2)) < 1.8


def test_the_mark_alone_is_refused_where_it_has_no_room(
    make: Make, shots: Film, tmp_path: Path
) -> None:
    small = [np.ascontiguousarray(frame[:100, :100]) for frame in shots[:3]]
    source = make(frames=small)
    with pytest.raises(TooSmallForMark):
        embed_video(
            source, tmp_path / "out.mp4", Payload(issuer=0, serial=1), Key.generate()
        )
    with pytest.raises(UsageError, match="strength"):
        embed_video(
            make("large.mp4"),
            tmp_path / "out.mp4",
            Payload(issuer=0, serial=1),
            Key.generate(),
            strength=9,
        )
    assert names(tmp_path) == {"in.mp4", "large.mp4"}


def test_without_a_key_nothing_is_looked_for(make: Make) -> None:
    with pytest.raises(UsageError, match="no key"):
        detect_video(make(), [])
