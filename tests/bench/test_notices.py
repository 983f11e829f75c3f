"""The commands on the visible notice: a sheet to look at, a table of what is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from types import ModuleType

import pytest
from PIL import Image

from synthmark.labeling.notices import find


def test_the_sheet_has_eight_kinds_of_pictures_in_every_style(
    notice_sheet: ModuleType, tmp_path: Path
) -> None:
    assert notice_sheet.main(["-o", str(tmp_path / "sheet.png"), "--scale", "0.2"]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > sheet.height > 400
    kinds = dict(notice_sheet.kinds())
    assert len(kinds) == 8
    styles = [options for _, _, options in notice_sheet.looks()]
    assert any(options.get("vertical") for options in styles)
    assert any("logo" in options for options in styles)


def test_every_class_of_service_is_labeled_and_checked_for_every_place(
    cells: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, page = tmp_path / "cells.json", tmp_path / "cells.md"
    arguments = ["--media", "text", "--json", str(target), "-o", str(page)]
    assert cells.main(arguments) == 0
    checked = json.loads(target.read_text())["cells"]
    assert len(checked) == 25
    assert all(one["passed"] and one["verdict"] == "confirmed" for one in checked)
    # Of texts California asks nothing, so that one without a label passes there.
    free = {one["jurisdictions"][0] for one in checked if one["passed_without_label"]}
    assert free == {"us-ca"}
    assert page.read_text() == capsys.readouterr().out
    assert page.read_text().count("nothing asked") == 5


def test_a_cell_without_its_label_fails(
    cells: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        cells, "label", lambda home, source, target, *_: copy(source, target)
    )
    assert cells.main(["--media", "text"]) == 1
    table = capsys.readouterr().out
    assert table.count("**FAILS** ") == 20
    assert "aigc (Labeling Measures, Art. 5)" in table


def test_what_is_drawn_is_found_and_nothing_else(
    notice_recall: ModuleType,
    draw: Callable[[int, int, int], Image.Image],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    draw(240, 320, 1).save(tmp_path / "hills.png")
    target = tmp_path / "figures.json"
    assert notice_recall.main([str(tmp_path), "--json", str(target)]) == 0
    figures = json.loads(target.read_text())
    assert figures["found"][-1][0] == "share, %"
    assert figures["missed"] == []
    assert not any(figures["false"].values())
    assert "Missed: none" in capsys.readouterr().out


def test_notices_in_other_fonts_are_drawn_and_read(
    notice_like: ModuleType,
    draw: Callable[[int, int, int], Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    font = next(Path(find.__file__).with_name("fonts").glob("*.otf"))
    monkeypatch.setattr(notice_like, "WORDINGS", {"AI生成": {"shipped": str(font)}})
    monkeypatch.setattr(notice_like, "SIZES", (0.01, 0.06))
    monkeypatch.setattr(notice_like, "STYLES", notice_like.STYLES[1:2])
    draw(300, 360, 1).save(tmp_path / "hills.png")
    target = tmp_path / "figures.json"
    assert notice_like.main([str(tmp_path), "--json", str(target)]) == 0
    figures = json.loads(target.read_text())
    # The smaller one has three pixels, which nobody reads.
    assert [row[:2] for row in figures["read"]][-1] == ["all", 1]
    assert figures["read"][0] == ["6%", 1, "100", "100", *figures["read"][0][4:]]
    assert not any(figures["false"].values())
