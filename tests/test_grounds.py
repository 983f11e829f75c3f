"""Consent and exemption: asked for, recorded, signed, and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import synthmark as sm
from synthmark.labeling.errors import UsageError
from synthmark.labeling.grounds import NO_PERSON, Exemption, reference
from synthmark.labeling.model import FindingKind, Layer, Reason

Run = Callable[..., Any]

EXEMPT = Exemption(recipient="Studio 7", agreement="A-2026-31")
ASKED = ["--without-notice", "--recipient", "Studio 7", "--agreement", "A-2026-31"]


@pytest.fixture(scope="module")
def original(make_scene: Callable[..., Any], save: Callable[..., bytes]) -> bytes:
    return save(make_scene())


@pytest.fixture
def picture(original: bytes, tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(original)
    return tmp_path / "a.png"


# Consent


@pytest.mark.parametrize("service", ["face", "voice"])
def test_editing_a_face_or_voice_needs_consent_before_anything_is_written(
    run: Run, picture: Path, service: str
) -> None:
    ran = run("label", "a.png", "--service", service)
    assert ran.code == 2
    for said in ("consent", "Art. 14", "--consent", "--no-real-person"):
        assert said in ran.err
    assert not picture.with_name("a.labeled.png").exists()


def test_its_reference_is_recorded_signed_and_shown(run: Run, picture: Path) -> None:
    run("label", "a.png", "-o", "b.png", "--service", "face", "--consent", "同意 17")
    for asked, shown in ((["--personal"], "同意 17"), ([], "hidden")):
        ran = run("detect", "b.png", "--json", *asked)
        details = {x["layer"]: x["detail"] for x in ran.json["files"][0]["evidence"]}
        assert details["record"]["consent"] == details["c2pa"]["consent"] == shown
    ran = run("check", "b.png", "--service", "face")
    assert ran.code == 0
    assert "ok   consent: yes: 同意 17 [" in ran.out
    assert run("records", "verify").code == 0


def test_nobody_real_is_recorded_too(run: Run, picture: Path) -> None:
    ran = run("label", "a.png", "--service", "face", "--no-real-person")
    assert ran.code == 0
    ran = run("records", "show", "1")
    assert ran.json["records"][0]["consent"] == NO_PERSON
    ran = run(
        *("label", "a.png", "-o", "c.png", "--service", "face"),
        *("--no-real-person", "--consent", "x"),
    )
    assert ran.code == 2
    assert "exclude each other" in ran.err


def test_other_places_do_not_ask_and_the_record_tells_that(original: bytes) -> None:
    labeler = sm.Home().labeler(service="face", jurisdictions=("eu",))
    report = sm.Home().detector().detect(labeler.label(original).content)
    assert report.layer(Layer.RECORD).detail["consent"] is None
    (one,) = [x for x in sm.check(report, "face").checks if x.rule.asks == "consent"]
    assert one.outcome == "fail"


# Exemption


def test_without_a_notice_nothing_counts_as_missing_or_hidden(
    run: Run, picture: Path
) -> None:
    ran = run("label", "a.png", "-o", "b.png", "--service", "scene", *ASKED, "--json")
    assert ran.code == 0
    (file,) = ran.json["files"]
    assert file["complete"] is True
    notice = file["layers"][0]
    assert (notice["layer"], notice["written"]) == ("notice", False)
    assert notice["reason"] == "exempt"
    found = run("detect", "b.png", "--json", "--personal").json["files"][0]
    assert (found["verdict"], found["findings"]) == ("confirmed", [])
    assert found["evidence"][0]["state"] == "absent"
    assert found["evidence"][-1]["detail"]["exemption"] == {
        "recipient": "Studio 7",
        "agreement": "A-2026-31",
    }
    ran = run("check", "b.png", "--service", "scene")
    assert ran.code == 0
    assert "left out on request, as the record says" in ran.out
    assert run("records", "verify").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ASKED[:1], "--recipient and --agreement"),
        (ASKED[:3], "--recipient and --agreement"),
        (ASKED[1:], "--without-notice"),
        ([*ASKED, "--jurisdiction", "eu"], "eu exempt nobody"),
        ([*ASKED, "--jurisdiction", "cn", "--jurisdiction", "kr"], "kr exempt nobody"),
        ([*ASKED[:-1], "two\nlines"], "control character"),
        ([*ASKED[:-1], " "], "no name"),
    ],
)
def test_an_exemption_that_does_not_hold_is_refused(
    run: Run, picture: Path, options: list[str], said: str
) -> None:
    ran = run("label", "a.png", *options)
    assert ran.code == 2
    assert said in ran.err
    assert not picture.with_name("a.labeled.png").exists()


def test_sounds_videos_and_texts_can_go_without(
    make_film: Callable[..., Any],
    save_film: Callable[..., Path],
    make_voice: Callable[..., Any],
    tmp_path: Path,
) -> None:
    clip = save_film(
        tmp_path / "a.mp4", make_film(180, 320, 8, 1.0), 8, sound=make_voice(1.0)
    )
    sound = Path(__file__).parent.parent / "samples" / "music.flac"
    labeler = sm.Home().labeler(exemption=EXEMPT)
    detector = sm.Home().detector()
    for source, name in ((clip, "b.mp4"), (sound, "b.flac"), (b"A text.\n", "b.txt")):
        result = labeler.label(source, tmp_path / name)
        assert result.complete
        report = detector.detect(tmp_path / name)
        assert report.layer(Layer.NOTICE).detail["notices"] == []
        assert report.findings == ()
    # Nor is its first frame held for a notice to be read.
    before, after = (
        sm.Home().detector().detect(path).layer(Layer.NOTICE).detail["extent"]
        for path in (clip, tmp_path / "b.mp4")
    )
    assert before["duration_s"] == after["duration_s"]


def test_a_record_outlives_every_wish_to_forget_it(run: Run, picture: Path) -> None:
    import sqlite3

    run("label", "a.png", *ASKED)
    log = sqlite3.connect(sm.Home().records_path)
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        log.execute("DELETE FROM record")
    log.close()


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "a\u2028b", "x" * 201, "\ud800"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError):
        reference(text, "the consent")


# What was written as a notice is recorded, and tells how it went


def test_a_covered_notice_is_told_from_one_that_was_cut_away(
    original: bytes, save: Callable[..., bytes]
) -> None:
    import io

    import numpy as np
    from PIL import Image

    home = sm.Home()
    labeled = home.labeler().label(original).content
    detector = home.detector()
    box = detector.detect(labeled).layer(Layer.RECORD).detail["notice"]["box"]
    pixels = np.array(Image.open(io.BytesIO(labeled)).convert("RGB"))
    painted = pixels.copy()
    rows = slice(box["top"] - 4, box["top"] + box["height"] + 4)
    columns = slice(box["left"] - 4, box["left"] + box["width"] + 4)
    painted[rows, columns] = painted[: rows.stop - rows.start, columns]
    cut = pixels[: box["top"], : box["left"]]
    height, width = pixels.shape[:2]
    scaled = Image.fromarray(painted).resize((width * 3 // 2, height * 3 // 2))
    for picture, reason in (
        (Image.fromarray(painted), Reason.COVERED),
        (scaled, Reason.COVERED),
        (Image.fromarray(cut), Reason.ABSENT_THOUGH_RECORDED),
    ):
        found = detector.detect(save(picture))
        (hidden,) = [x for x in found.findings if x.kind is FindingKind.HIDDEN]
        assert hidden.reason is reason
