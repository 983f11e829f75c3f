"""The rules on the command line, and labels made by them."""

from __future__ import annotations

import re
import unicodedata
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthmark.labeling import policy

DOCS = Path(__file__).resolve().parent.parent / "docs" / "json.md"

Run = Callable[..., Any]


def documented(heading: str) -> set[str]:
    """Return the keys in the table below a heading of the documentation."""
    text = DOCS.read_text("utf-8").partition(f"\n### {heading}\n")[2]
    assert text, heading
    rows = re.split(r"\n#", text)[0].splitlines()
    return {row.split("`")[1] for row in rows if row.startswith("| `")}


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_the_list_names_every_service_and_place_with_its_dates(run: Run) -> None:
    ran = run("policy", "list")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    for name in (*policy.SERVICES, *policy.JURISDICTIONS):
        assert any(line.startswith(f"  {name} ") for line in lines), name
    text = " ".join(ran.out.split())
    assert "checked 2026-11-22" in text
    assert "in force since 2026-08-02" in text
    assert max(map(columns, lines)) <= 100
    told = run("policy", "list", "--json").json
    assert set(told) == documented("list of the rules")
    for place in told["jurisdictions"]:
        assert set(place) == documented("place")
        assert all(set(item) == documented("source") for item in place["sources"])


def test_what_is_due_is_told_with_its_clauses(run: Run) -> None:
    ran = run("policy", "show", "face", "--jurisdiction", "cn", "--media", "video")
    assert (ran.code, ran.err) == (0, "")
    assert "  notice      required" in ran.out
    assert "cn: GB 45438-2025, 5.4; text seen by 3, since 2025-09-01" in ran.out
    assert "at least 5% of the shorter side" in ran.out
    assert "at least 2 s" in ran.out
    assert "checked 2026-11-22" in ran.out
    assert "Section 2" not in ran.out
    # China is what there is without a place.
    assert run("policy", "show", "face", "--media", "video").out == ran.out


@pytest.mark.parametrize("service", policy.SERVICES)
def test_the_page_fits_a_terminal(run: Run, service: str) -> None:
    named = [word for name in policy.JURISDICTIONS for word in ("--jurisdiction", name)]
    ran = run("policy", "show", service, *named)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert max(map(columns, lines)) <= 100
    assert not any(line != line.rstrip() for line in lines)
    for rule in policy.due(service, [*policy.JURISDICTIONS]).rules:
        assert rule.clause in " ".join(ran.out.split())


def test_the_json_of_what_is_due_is_as_documented(run: Run) -> None:
    named = ["--jurisdiction", "cn", "--jurisdiction", "eu"]
    told = run("policy", "show", "voice", *named, "--json").json
    assert set(told) == documented("what is due")
    assert list(told["media"]) == list(policy.MEDIA)
    for asked in told["media"].values():
        assert set(asked) == documented("due of a medium")
        assert list(asked["layers"]) == list(policy.LAYERS)
    assert told["media"]["video"]["asks"]["corners"] == ["top-right"]
    assert told["media"]["audio"]["asks"]["spoken_languages"] == ["zh", "en"]
    for rule in told["rules"]:
        assert set(rule) == documented("rule")
        assert set(rule["source"]) == documented("source")


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (("faces",), ("unknown service 'faces'", "dialogue, voice, face")),
        (("face", "--jurisdiction", "xx"), ("unknown jurisdiction 'xx'", "us-ca")),
        (("face", "--media", "pdf"), ("unknown medium 'pdf'", "audio")),
    ],
)
def test_what_is_unknown_is_refused(
    run: Run, arguments: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    for more in ((), ("--json",)):
        ran = run("policy", "show", *arguments, *more)
        assert (ran.code, ran.out) == (2, "")
        assert all(text in ran.err for text in texts)


# Labels made by the rules


def noticed(file: dict[str, Any]) -> dict[str, Any]:
    (notice,) = [item for item in file["layers"] if item["layer"] == "notice"]
    assert notice["written"]
    return dict(notice["detail"])


@pytest.fixture
def picture(tmp_path: Path, make_scene: Any, save: Any) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(save(make_scene(200, 400)))
    return path


@pytest.fixture
def sound(tmp_path: Path, make_voice: Any) -> Path:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(make_voice(8).tobytes())
    return path


@pytest.mark.usefixtures("picture")
def test_a_picture_for_europe_has_its_notice_at_the_top_right_in_english(
    run: Run,
) -> None:
    # Even for a user who reads Chinese.
    ran = run("label", "a.png", "--jurisdiction", "eu", "--lang", "zh", "--json")
    assert ran.code == 0
    (file,) = ran.json["files"]
    assert file["jurisdictions"] == ["eu"]
    notice = noticed(file)
    assert "AI-generated" in notice["text"]
    box = notice["box"]
    assert box["left"] + box["width"] > 380
    assert box["top"] < 20
    assert file["notes"] == []
    found = run("detect", "a.labeled.png", "--json").json["files"][0]
    (layer,) = [item for item in found["evidence"] if item["layer"] == "notice"]
    assert layer["state"] == "present"


@pytest.mark.usefixtures("picture")
def test_another_corner_than_europe_names_is_noted(run: Run) -> None:
    options = ["--jurisdiction", "eu", "--corner", "bottom-left", "--json"]
    (file,) = run("label", "a.png", *options).json["files"]
    assert noticed(file)["box"]["left"] < 20
    assert file["notes"] == [
        "eu asks for corner top-right (Code of Practice, Section 2)"
    ]


@pytest.mark.usefixtures("picture")
def test_a_wording_without_the_letters_is_refused_in_europe(run: Run) -> None:
    options = ["--notice", "人工智能生成", "--jurisdiction"]
    ran = run("label", "a.png", *options, "cn", "--jurisdiction", "eu")
    assert ran.code == 2
    assert "eu asks for letters AI (Code of Practice, Section 2)" in ran.err
    assert run("label", "a.png", *options, "cn").code == 0


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize(
    ("places", "language", "text"),
    [
        (["eu"], "en", "This audio was generated by AI"),
        (["in"], "en", "This audio was generated by AI"),
        (
            ["cn", "eu"],
            "zh-en",
            "本内容由人工智能生成 This audio was generated by AI",
        ),
    ],
)
def test_a_sound_begins_in_the_languages_that_are_due(
    run: Run, places: list[str], language: str, text: str
) -> None:
    named = [word for name in places for word in ("--jurisdiction", name)]
    ran = run("label", "a.wav", "-o", "b.wav", *named, "--json")
    assert ran.code == 0
    notice = noticed(ran.json["files"][0])
    assert (notice["language"], notice["text"]) == (language, text)
    assert notice["place"] == "start"
    found = run("detect", "b.wav", "--json").json["files"][0]
    (layer,) = [item for item in found["evidence"] if item["layer"] == "notice"]
    heard = {item["language"] for item in layer["detail"]["notices"]}
    assert heard == {*language.split("-")}


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize(
    ("place", "options", "problem"),
    [
        ("eu", ("--sound-notice", "rhythm"), "eu asks for form spoken"),
        ("in", ("--sound-notice", "rhythm"), "in asks for form spoken"),
        ("eu", ("--notice-at", "end"), "eu asks for when start"),
        ("in", ("--notice-at", "3"), "in asks for when start"),
    ],
)
def test_a_sound_notice_that_a_place_does_not_allow_is_refused(
    run: Run, tmp_path: Path, place: str, options: tuple[str, ...], problem: str
) -> None:
    ran = run("label", "a.wav", "--jurisdiction", place, *options)
    assert ran.code == 1
    assert problem in ran.err
    assert not (tmp_path / "a.labeled.wav").exists()


def test_a_video_for_europe_has_its_notice_throughout(
    run: Run, tmp_path: Path, make_film: Any, save_film: Any
) -> None:
    save_film(tmp_path / "a.mp4", make_film(180, 320, 8, 2.5), 8)
    options = ["--jurisdiction", "eu", "--lang", "zh", "--json"]
    ran = run("label", "a.mp4", *options)
    assert ran.code == 0
    notice = noticed(ran.json["files"][0])
    left, top, width, _ = notice["area"]
    assert left + width > 0.9
    assert top < 0.1
    assert notice["start_s"] == 0
    assert notice["end_s"] >= 2.4
    ran = run("label", "a.mp4", "-f", "--jurisdiction", "eu", "--notice-seconds", "2")
    assert ran.code == 1
    assert "eu asks for the notice throughout (Code of Practice, Section 2)" in ran.err
