"""The command that remakes the documentation's figures, with next to nothing in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

Draw = Callable[[int, int, int], Image.Image]


def test_one_command_writes_pages_figures_and_plots(
    evidence: ModuleType,
    image_reads: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    draw: Draw,
) -> None:
    few = {name: evidence.ATTACKS[name] for name in ("identity", "jpeg_q50", "jpeg_q5")}
    monkeypatch.setattr(evidence, "ATTACKS", few)
    monkeypatch.setitem(evidence.image_mark.SETS, "table", ("identity",))
    monkeypatch.setattr(image_reads, "NULL_KEYS", 4)
    monkeypatch.setattr(evidence.peers, "ATTACKS", ("identity",))
    ours = {"synthmark": evidence.peers.MARKS["synthmark"]}
    monkeypatch.setattr(evidence.peers, "MARKS", ours)
    pictures, output = tmp_path / "pictures", tmp_path / "figures"
    pictures.mkdir()
    output.mkdir()
    draw(200, 256, 1).save(pictures / "a.png")
    assert evidence.main([str(pictures), "-o", str(output)]) == 0
    page = (output / "image-mark.md").read_text("utf-8")
    for plot in ("image-mark-curves.svg", "image-mark-p-values.svg"):
        assert f"]({plot})" in page
        assert (output / plot).read_text("utf-8").startswith("<?xml")
    assert "JPEG quality" in (output / "image-mark-curves.svg").read_text("utf-8")
    figures = json.loads((output / "image-mark.json").read_text("utf-8"))
    assert figures["table"] == {"attacks": 2, "exact": 2, "reads": 2}
    assert figures["calibration"]["counts"]["search"][0] == 2
    beside = json.loads((output / "image-peers.json").read_text("utf-8"))
    assert list(beside["marks"]) == ["synthmark"]
    assert "| synthmark" in (output / "image-peers.md").read_text("utf-8")


def test_a_plot_of_the_same_figures_is_the_same_file(
    image_plots: ModuleType, calibration: ModuleType, tmp_path: Path
) -> None:
    levels = calibration.LEVELS.tolist()
    counts = [round(1e6 * level) for level in levels]
    figures = {
        "attacks": {"identity": {"exact": 3, "reads": 3}},
        "calibration": {
            "stated": levels,
            "counts": dict.fromkeys(calibration.LINES, counts),
        },
    }
    for title, plot in image_plots.PLOTS.items():
        paths = [tmp_path / f"{title}{number}.svg" for number in range(2)]
        for path in paths:
            plot(figures, path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
