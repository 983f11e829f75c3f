"""The command that measures the image mark: its tables, its figures, its refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

ATTACKS = "jpeg_q70"

Draw = Callable[[int, int, int], Image.Image]


def run(bench: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("skimage", reason="the bench extra is not installed")
    command = [sys.executable, bench / "image_mark.py", *arguments]
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, draw: Draw) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    draw(200, 256, 1).save(folder / "a.png")
    draw(240, 200, 2).save(folder / "b.JPG", quality=95)
    (folder / "broken.webp").write_bytes(b"RIFF")
    draw(30, 30, 3).save(folder / "small.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture(scope="module")
def outcome(bench: Path, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the tables and the figures of a run with all options."""
    target = folder.parent / "figures.json"
    done = run(
        bench, folder, "--attacks", ATTACKS, "--unmarked", "--json", target, "--seed", 5
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout, json.loads(target.read_text("utf-8"))


def test_tables_hold_every_attack_and_every_picture(
    outcome: tuple[str, dict[str, Any]],
) -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in outcome[0].splitlines()
        if line.startswith("|")
    ]
    assert ["codec", "jpeg_q70", "2/2", "100"] in rows
    assert [row[:2] for row in rows if row[0] in ("a.png", "b.JPG")] == [
        ["a.png", "256 x 200"],
        ["b.JPG", "200 x 240"],
    ]
    assert ["unmarked, attacked", "2", "0", "1", "100.00 %"] in rows
    assert "![" not in outcome[0]
    assert any(row[0] == "refused: small.png" for row in rows)


def test_figures_are_those_of_the_pictures(
    outcome: tuple[str, dict[str, Any]],
) -> None:
    figures = outcome[1]
    assert figures["table"] == {"attacks": 1, "exact": 2, "reads": 2}
    assert figures["other_payload"] == 0
    assert sorted(figures["refused"]) == ["broken.webp", "small.png"]
    assert list(figures["attacks"]) == ["jpeg_q70"]
    assert [row["failed"] for row in figures["pictures"]] == [[], []]
    quality = figures["quality"]
    assert 30 < quality["psnr_db"]["min"] <= quality["psnr_db"]["mean"] < 60
    assert 0.9 < quality["ssim"]["mean"] < 1
    assert 0 < quality["flip"]["mean"] < 0.1
    assert 0 < quality["flat_delta_l"]["mean"] <= quality["flat_delta_l"]["max"] < 2
    times = dict(figures["cpu_ms"])
    assert times.pop("detect_geometric") is None
    assert all(ms > 0 for ms in times.values())
    alarms = {row["input"]: row for row in figures["false_alarms"]}
    assert {kind: row["reads"] for kind, row in alarms.items()} == {
        "unmarked": 2,
        "attacked": 2,
        "wrong_key": 12,
        "all": 16,
    }
    assert all(row["false_positives"] == 0 for row in alarms.values())
    assert figures["seed"] == 5


def test_a_second_run_differs_in_times_only_whatever_else_is_measured(
    bench: Path, folder: Path, outcome: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    target = tmp_path / "again.json"
    done = run(
        bench,
        *(folder, "--attacks", "jpeg_q70,blur1+crop60", "--limit", 1, "--seed", 5),
        *("--json", target),
    )
    assert done.returncode == 0, done.stderr
    assert "## False alarms" not in done.stdout
    (pair,) = (line for line in done.stdout.splitlines() if line.startswith("| blur1"))
    cells = [cell.strip() for cell in pair.strip("|").split("|")]
    assert cells == ["blur1", "-", "-", "-", "100", "-", "-", "-"]
    first, again = outcome[1], json.loads(target.read_text("utf-8"))
    assert again["pairs"] == {"attacks": 1, "exact": 1, "reads": 1}
    assert again["cpu_ms"]["detect_unmarked"] is None
    for row in (first["pictures"][0], again["pictures"][0]):
        del row["embed_ms"]
    assert again["pictures"] == first["pictures"][:1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["empty"], "has no pictures"),
        (["missing"], "is not a folder"),
        (["full", "--attacks", "jpeg_q70,acid"], "no attack acid; there are: table"),
        (["full", "--json", "missing/figures.json"], "is not a folder"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused_at_once(
    bench: Path, tmp_path: Path, arguments: list[str], reason: str, draw: Draw
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    draw(64, 64, 1).save(tmp_path / "full" / "a.png")
    places = {"empty", "missing", "full", "missing/figures.json"}
    done = run(
        bench, *(tmp_path / part if part in places else part for part in arguments)
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert reason in " ".join(done.stderr.split())


def test_without_any_picture_that_can_be_marked_it_fails(
    bench: Path, tmp_path: Path, draw: Draw
) -> None:
    draw(30, 30, 3).save(tmp_path / "small.png")
    done = run(bench, tmp_path, "--attacks", "identity")
    assert done.returncode == 1
    assert "small.png: " in done.stderr


@pytest.mark.parametrize("reads", [1, 24, 1000, 10**6])
def test_no_event_is_bounded_by_the_rule_of_three(
    report: ModuleType, reads: int
) -> None:
    assert report.upper_bound(0, reads) == pytest.approx(min(1, 2.9957 / reads), 1e-4)


@pytest.mark.parametrize(("events", "mean"), [(1, 4.7439), (2, 6.2958), (10, 16.9622)])
def test_events_are_bounded_as_poisson_tables_say(
    report: ModuleType, events: int, mean: float
) -> None:
    assert report.upper_bound(events, 500) == pytest.approx(mean / 500, rel=1e-4)


def test_only_all_is_100_percent(report: ModuleType) -> None:
    assert report.percent(1999, 2000) == "99.9"
    assert report.percent(2000, 2000) == "100"


def test_quality_of_a_known_change(image_quality: ModuleType, draw: Draw) -> None:
    from skimage.color import rgb2lab

    original = np.asarray(draw(64, 96, 4))
    brighter = original + np.uint8(1)
    quality = image_quality.compare(original, brighter)
    assert quality.psnr_db == pytest.approx(48.1308, abs=1e-3)
    assert 0.99 < quality.ssim <= 1
    expected = rgb2lab(brighter)[..., 0] - rgb2lab(original)[..., 0]
    assert quality.flat_delta_l == pytest.approx(expected.mean(), rel=0.1)
    same = image_quality.compare(original, original)
    assert same.psnr_db > 80
    assert same.ssim == pytest.approx(1)
    assert same.flat_delta_l == same.flip == 0
    assert 0 < quality.flip < 0.05
