"""The bench of attacks on the mark: what a thief learns, and the command's tables."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

Draw = Callable[[int, int, int], Image.Image]
Load = Callable[[str], ModuleType]


@pytest.fixture
def load(bench: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    for package in ("skimage", "flip_evaluator"):
        pytest.importorskip(package, reason="the bench extra is not installed")
    monkeypatch.syspath_prepend(str(bench))
    return import_module


@pytest.fixture
def folder(tmp_path: Path, draw: Draw) -> Path:
    (tmp_path / "pictures").mkdir()
    draw(200, 256, 1).save(tmp_path / "pictures" / "a.png")
    draw(30, 30, 2).save(tmp_path / "pictures" / "small.png")
    return tmp_path / "pictures"


def noisy(spectrum: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(size=(2, spectrum.size)) * 0.3
    return (spectrum + noise[0] + 1j * noise[1]).astype(np.complex64)


def test_what_tiles_have_in_common_comes_out_whatever_their_shifts(load: Load) -> None:
    tiles = load("tiles")
    rng = np.random.default_rng(1)
    size = len(tiles.IMAGE.carriers.frequencies)
    common, stranger = np.exp(2j * np.pi * rng.random((2, size)))
    common[size // 3 :] = 0

    def one() -> np.ndarray:
        own = np.exp(2j * np.pi * rng.random(size))
        own[: size // 3] = 0
        return tiles.IMAGE.carriers.shifted(
            noisy(common + own, rng), *rng.integers(96, size=2)
        )

    aligned = tiles.align([*(one() for _ in range(12)), noisy(stranger, rng)])
    assert aligned[:12].any(axis=1).all()
    assert not aligned[12].any()
    assert tiles.likeness(aligned.sum(axis=0), common) > 0.8
    assert tiles.likeness(aligned.sum(axis=0), stranger) < 0.25


def test_a_tile_laid_as_it_stands_is_seen_there(load: Load, draw: Draw) -> None:
    tiles, reads = load("tiles"), load("image_reads")
    settings = reads.Settings(attacks=(), seed=0, strength=1.0)
    pixels = np.asarray(draw(300, 400, 3))
    rng = np.random.default_rng(2)
    spectrum = np.exp(2j * np.pi * rng.random(len(tiles.IMAGE.carriers.frequencies)))
    laid = tiles.Thief(settings.key(1)).lay(pixels, spectrum.astype(np.complex64), 1)
    assert tiles.likeness(tiles.read(laid), spectrum) > 0.5
    assert 35 < load("image_quality").psnr(pixels, laid) < 55


def test_more_keys_take_longer_and_lose_nothing(
    load: Load, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_keys, reads = load("many_keys"), load("image_reads")
    monkeypatch.setattr(many_keys, "COUNTS", (1, 8))
    monkeypatch.setattr(many_keys, "READ_COUNTS", (1, 8))
    monkeypatch.setattr(many_keys, "HARD", ("jpeg_q70",))
    settings = reads.Settings(attacks=(), seed=0, strength=1.0)
    figures = many_keys.run({"a": np.asarray(draw(200, 256, 1))}, settings)
    times = figures["cpu_ms"]["unmarked"]
    assert times["8"] > times["1"] > 0
    assert [row["exact"] for row in figures["reads"]["jpeg_q70"].values()] == [1, 1]
    assert "| jpeg_q70 |     100 |" in many_keys.render(figures)


def test_the_command_prints_the_parts_that_are_asked_for(
    bench: Path, load: Load, folder: Path
) -> None:
    target = folder.parent / "figures.json"
    done = subprocess.run(
        [
            *(sys.executable, bench / "security.py", folder),
            *("--only", "remarking,copying", "--json", target),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    heads = [line for line in done.stdout.splitlines() if line.startswith("## ")]
    assert heads == ["## Copying", "## Marking again"]
    assert "Refused: small.png: " in done.stdout
    figures = json.loads(target.read_text("utf-8"))
    assert figures["pictures"] == ["a.png"]
    once = [row for row in figures["remarking"] if row["times"] == 1]
    assert [(row["first"], row["last"], row["other"]) for row in once] == [
        (1, 1, 0)
    ] * 2
    for rows in figures["copying"]["reads"].values():
        falling = [cell["psnr_db"] for cell in rows.values()]
        assert falling == sorted(falling, reverse=True)


def test_a_part_that_does_not_exist_is_refused(
    load: Load, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        load("security").main([str(folder), "--only", "removal,acid"])
    assert "no part acid; there are: averaging" in capsys.readouterr().err
