"""What happens to labeled files, and what is found out about it."""

from __future__ import annotations

import io
import sqlite3
import zlib
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from synthmark import Detector, Home, RecordStore, Report
from synthmark.labeling.errors import (
    CertificateError,
    MediaError,
    RecordStoreDamaged,
    UsageError,
)
from synthmark.labeling.metadata import image as metadata
from synthmark.labeling.model import Layer, State, Verdict
from synthmark.labeling.payload import Payload


def states(report: Report) -> dict[str, str]:
    return {item.layer.value: item.state.value for item in report.evidence}


def findings(report: Report) -> list[str]:
    return [f"{one.kind} {one.layer} {one.reason}" for one in report.findings]


def pixels(content: bytes) -> Any:
    return np.array(Image.open(io.BytesIO(content)))


GONE = ["removed aigc absent_though_recorded", "removed c2pa absent_though_recorded"]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_labeled_file_is_intact_in_every_layer(studio: Any, kind: str) -> None:
    result = getattr(studio, kind)
    report = studio.detect(result.content)
    assert result.complete
    assert states(report) == {
        "notice": "present",
        "mark": "present",
        "aigc": "present",
        "iptc": "present",
        "c2pa": "trusted",
        "record": "present",
    }
    assert report.verdict is Verdict.CONFIRMED
    assert report.findings == ()
    assert report.payload == result.payload
    assert report.produce_id == result.produce_id
    assert report.sha256 == result.sha256_after
    record = report.layer(Layer.RECORD).detail
    assert record["same_bytes"]
    assert record["found_by"] == "payload"
    assert record["sha256_before"] == result.sha256_before
    assert report.layer(Layer.AIGC).detail["label"]["produce_id"] == result.produce_id
    (notice,) = report.layer(Layer.NOTICE).detail["notices"]
    assert notice["text"] == "AI生成 · AI-generated"
    mark = report.layer(Layer.MARK).detail
    assert mark["p_value"] < 1e-9
    assert mark["keys"] == [studio.labeler.key.id] == [mark["key_id"]]


def test_the_same_bytes_give_the_same_report(studio: Any) -> None:
    assert studio.detect(studio.png.content) == studio.detect(studio.png.content)


def test_a_file_saved_anew_lost_metadata_and_manifest(
    studio: Any, save: Callable[..., bytes]
) -> None:
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 80}), ("WEBP", {})):
        again = save(pixels(studio.png.content), kind, **options)
        report = studio.detect(again)
        assert report.verdict is Verdict.SUSPECTED
        assert findings(report) == GONE
        assert report.payload == studio.png.payload
        assert report.produce_id == studio.png.produce_id  # by the record
        assert states(report)["iptc"] == "absent"


def test_without_a_log_the_mark_itself_says_what_is_gone(
    studio: Any, save: Callable[..., bytes]
) -> None:
    detector = Detector(keys=[studio.labeler.key])
    report = detector.detect(save(pixels(studio.png.content)))
    assert findings(report) == ["removed aigc absent_though_marked"]
    assert report.payload == studio.png.payload
    assert report.produce_id is None
    assert states(report)["record"] == "not_checked"


def test_one_changed_pixel_breaks_the_seal(
    studio: Any, edit_png: Callable[..., bytes]
) -> None:
    touched = pixels(studio.png.content)
    touched[100, 100, 0] ^= 1
    rows = b"".join(b"\0" + row.tobytes() for row in touched)
    chunks = chain([zlib.compress(rows)], repeat(b""))
    content = edit_png(studio.png.content, b"IDAT", lambda _: next(chunks))
    assert (pixels(content) != pixels(studio.png.content)).sum() == 1
    report = studio.detect(content)
    assert findings(report) == ["altered c2pa manifest_broken"]
    assert states(report)["c2pa"] == "tampered"
    assert report.verdict is Verdict.CONFIRMED  # the AIGC label is still there
    assert not report.layer(Layer.RECORD).detail["same_bytes"]


def test_an_edited_label_differs_from_the_signed_one(
    studio: Any, edit_png: Callable[..., bytes]
) -> None:
    def rename(data: bytes) -> bytes:
        assert b"synthmark-development" in data
        return data.replace(b"synthmark-development", b"synthmark-innocent---")

    report = studio.detect(edit_png(studio.png.content, b"iTXt", rename))
    assert findings(report) == [
        "altered c2pa manifest_broken",
        "altered aigc label_is_not_the_signed_one",
    ]


def test_a_label_turned_down_to_suspected_is_found_out(
    studio: Any, edit_png: Callable[..., bytes]
) -> None:
    def turn_down(data: bytes) -> bytes:
        return data.replace(b'"Label":"1"', b'"Label":"3"')

    report = studio.detect(edit_png(studio.png.content, b"iTXt", turn_down))
    assert "altered aigc label_is_not_the_signed_one" in findings(report)
    assert report.verdict is Verdict.SUSPECTED


def test_a_notice_that_was_cut_off_is_hidden(
    studio: Any, save: Callable[..., bytes]
) -> None:
    (notice,) = studio.detect(studio.png.content).layer(Layer.NOTICE).detail["notices"]
    cut = pixels(studio.png.content)[: notice["box"]["top"] - 12]
    report = studio.detect(save(cut))
    assert findings(report) == [*GONE, "hidden notice absent_though_recorded"]
    assert report.payload == studio.png.payload
    assert report.verdict is Verdict.SUSPECTED


def test_a_label_copied_onto_an_unlabeled_picture_is_named(
    studio: Any, make_scene: Callable[..., Any], save: Callable[..., bytes]
) -> None:
    label = metadata.read(studio.png.content).labels[0].label
    assert label
    other = save(make_scene(seed=5))
    report = studio.detect(metadata.write(other, label).content)
    assert findings(report) == ["copied aigc content_is_not_the_recorded_one"]
    assert report.layer(Layer.RECORD).detail["found_by"] == "produce_id"


def test_a_label_copied_onto_another_labeled_picture_is_forged(studio: Any) -> None:
    label = metadata.read(studio.png.content).labels[0].label
    assert label
    report = studio.detect(metadata.write(studio.jpeg.content, label).content)
    assert findings(report) == [
        "altered c2pa manifest_broken",
        "altered aigc label_is_not_the_signed_one",
        "forged aigc number_is_not_the_recorded_one",
    ]
    assert report.payload == studio.jpeg.payload


def test_the_original_is_known_by_its_digest_and_nothing_is_missing_from_it(
    studio: Any,
) -> None:
    report = studio.detect(studio.original)
    record = report.layer(Layer.RECORD).detail
    assert record["found_by"] == "original"
    assert not record["same_bytes"]
    assert record["sha256_before"] == report.sha256
    assert report.findings == ()
    assert report.payload is None
    assert report.verdict is Verdict.SUSPECTED


def test_somebody_elses_file_is_confirmed_but_its_signer_is_unknown(
    studio: Any,
) -> None:
    Home().labeler()
    report = Home().detector().detect(studio.png.content)
    assert states(report) == {
        "notice": "present",
        "mark": "absent",
        "aigc": "present",
        "iptc": "present",
        "c2pa": "untrusted",
        "record": "absent",
    }
    assert report.verdict is Verdict.CONFIRMED
    assert report.findings == ()
    # The number under the signature, which the mark would confirm.
    assert report.payload == studio.png.payload


def test_with_other_keys_than_the_marks_the_very_file_is_not_called_forged(
    studio: Any,
) -> None:
    other = Home().key()
    report = studio.home.detector(keys=[other]).detect(studio.png.content)
    assert states(report)["mark"] == "absent"
    assert states(report)["record"] == "present"
    assert report.findings == ()


def test_without_a_home_everything_is_read_that_needs_none(
    studio: Any, home: Path
) -> None:
    report = Home().detector().detect(studio.png.content)
    assert states(report) == {
        "notice": "present",
        "mark": "not_checked",
        "aigc": "present",
        "iptc": "present",
        "c2pa": "untrusted",
        "record": "not_checked",
    }
    assert not home.exists()


def test_trusting_the_signers_root_is_enough_to_trust_the_signer(studio: Any) -> None:
    root = (studio.home.signer_path / "root.pem").read_text()
    report = Detector(anchors_pem=root).detect(studio.png.content)
    assert states(report)["c2pa"] == "trusted"


def test_a_label_that_was_cut_out_is_still_known_from_under_the_signature(
    studio: Any, edit_png: Callable[..., bytes]
) -> None:
    cut = edit_png(studio.png.content, b"iTXt", lambda _: b"Comment" + bytes(5))
    report = Detector().detect(cut)
    assert states(report)["aigc"] == "absent"
    assert states(report)["c2pa"] == "tampered"
    assert report.produce_id == studio.png.produce_id
    assert report.payload == studio.png.payload


def test_several_keys_are_tried(studio: Any) -> None:
    keys = [Home().key(), studio.labeler.key]
    report = Detector(keys=keys).detect(studio.png.content)
    mark = report.layer(Layer.MARK)
    assert mark.state is State.PRESENT
    assert mark.detail["key_id"] == studio.labeler.key.id
    assert mark.detail["keys"] == [key.id for key in keys]


def test_a_plain_picture_has_nothing(
    studio: Any, make_scene: Callable[..., Any], save: Callable[..., bytes]
) -> None:
    report = studio.detect(save(make_scene(128, 160, seed=9)))
    assert set(states(report).values()) == {"absent"}
    assert report.verdict is Verdict.NONE
    assert report.findings == ()
    assert report.payload is report.produce_id is None


def test_pixels_in_memory_have_no_metadata_and_no_manifest(studio: Any) -> None:
    array = pixels(studio.png.content)
    image = Image.open(io.BytesIO(studio.png.content))
    for source in (array, image):
        report = studio.detect(source)
        assert report.payload == studio.png.payload
        assert {name for name, state in states(report).items() if state != "present"}
        assert states(report)["aigc"] == "not_checked"
        assert states(report)["iptc"] == "not_checked"
        assert states(report)["c2pa"] == "not_checked"
        assert report.findings == ()  # what was not looked for is not missed


def test_an_array_that_was_labeled_is_known_again(
    studio: Any, make_scene: Callable[..., Any]
) -> None:
    array = make_scene(128, 160, seed=3)
    labeler = Home().labeler(key=studio.labeler.key)
    before = array.copy()
    result = labeler.label(array)
    np.testing.assert_array_equal(array, before)
    report = Home().detector().detect(array)
    assert report.sha256 == result.sha256_before
    assert report.layer(Layer.RECORD).detail["found_by"] == "original"


def test_a_report_names_its_file(studio: Any, tmp_path: Path) -> None:
    path = tmp_path / "肖像.png"
    path.write_bytes(studio.png.content)
    assert studio.detect(path).file == str(path)
    assert studio.detect(str(path)).file == str(path)
    assert studio.detect(studio.png.content).file is None


def test_a_rotated_and_scaled_screenshot_still_leads_to_the_record(
    studio: Any, save: Callable[..., bytes]
) -> None:
    large = cv2.resize(pixels(studio.png.content), None, fx=1.5, fy=1.5)
    report = studio.detect(save(np.rot90(large), "JPEG", quality=85))
    assert report.payload == studio.png.payload
    assert findings(report)[:2] == GONE
    transform = report.layer(Layer.MARK).detail["transform"]
    assert abs(abs(transform["rotation_deg"]) - 90) < 1


def test_a_broken_label_is_a_finding_and_not_an_error(
    studio: Any, edit_png: Callable[..., bytes]
) -> None:
    def damage(data: bytes) -> bytes:
        return data.replace(b'"ProduceID"', b'"ProduceXX"')

    report = studio.detect(edit_png(studio.png.content, b"iTXt", damage))
    assert states(report)["aigc"] == "malformed"
    assert "altered aigc label_malformed" in findings(report)
    problems = report.layer(Layer.AIGC).detail["problems"]
    assert "missing key ProduceID" in problems


def test_unreadable_xmp_is_a_finding_and_not_an_error(
    studio: Any, edit_png: Callable[..., bytes]
) -> None:
    cut = edit_png(studio.png.content, b"iTXt", lambda data: data[: len(data) // 2])
    report = studio.detect(cut)
    assert states(report)["aigc"] == "malformed"
    assert "altered aigc label_malformed" in findings(report)


def test_a_damaged_manifest_is_a_finding_and_not_an_error(
    studio: Any, edit_png: Callable[..., bytes]
) -> None:
    for damage in (
        lambda data: data[: len(data) // 2],
        lambda data: bytes(len(data)),
        lambda data: b"",
    ):
        report = studio.detect(edit_png(studio.png.content, b"caBX", damage))
        assert states(report)["c2pa"] in ("malformed", "tampered", "absent")
        assert report.findings
        assert report.findings[0].layer is Layer.C2PA
        assert report.verdict is Verdict.CONFIRMED


@pytest.mark.parametrize("length", [0, 7, 100, -40])
def test_what_is_no_whole_picture_is_an_error(studio: Any, length: int) -> None:
    with pytest.raises(MediaError):
        studio.detect(studio.png.content[:length])


def test_errors_know_the_file(studio: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("empty.png", "missing.png"):
        with pytest.raises(MediaError) as caught:
            studio.detect(tmp_path / name)
        assert caught.value.path == tmp_path / name
    with pytest.raises(UsageError):
        studio.detect(42)


def test_anchors_that_are_none_are_refused(studio: Any) -> None:
    with pytest.raises(CertificateError, match="cannot be read as PEM"):
        Detector(anchors_pem="no certificate").detect(studio.png.content)


def test_a_record_that_was_changed_is_not_believed(tmp_path: Path, studio: Any) -> None:
    copy = tmp_path / "records.sqlite"
    copy.write_bytes(studio.home.records_path.read_bytes())
    with sqlite3.connect(copy) as connection:
        connection.execute("DROP TRIGGER record_update")
        connection.execute("UPDATE record SET layers = 'mark'")
    detector = Detector(
        keys=[studio.labeler.key], records=RecordStore(copy, read_only=True)
    )
    with pytest.raises(RecordStoreDamaged, match="was changed"):
        detector.detect(studio.png.content)


def test_reports_become_json(studio: Any) -> None:
    document = studio.detect(studio.png.content).to_dict()
    assert document["payload"]["hex"] == str(studio.png.payload)
    assert Payload.from_int(int(document["payload"]["hex"], 16)) == studio.png.payload
    assert document["verdict"] == "confirmed"
    assert [item["layer"] for item in document["evidence"]] == [*map(str, Layer)]
