"""The commands on the visible notice: a sheet to look at, a table of what is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image


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
