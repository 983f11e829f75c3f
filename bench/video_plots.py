"""Figures of the video mark as plots that read well on light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
from image_plots import BLUE, GREEN, ORANGE, STYLE
from matplotlib.figure import Figure

__all__ = ["curves"]

LINES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"))

Shares = Mapping[str, Mapping[float, tuple[int, int]]]
"""Exact reads and all reads, by line and place on the axis."""


def curves(by_axis: Mapping[str, Shares], path: Path) -> None:
    """Draw the share of exact reads along each axis, as SVG."""
    with matplotlib.rc_context(STYLE):
        sheet = Figure(figsize=(8.4, 2.9), layout="constrained")
        grid = sheet.subplots(1, len(by_axis), sharey=True, squeeze=False)[0]
        for axes, (axis, lines) in zip(grid, by_axis.items(), strict=True):
            for (line, known), (color, marker) in zip(
                lines.items(), LINES, strict=False
            ):
                percents = [100 * exact / reads for exact, reads in known.values()]
                axes.plot(list(known), percents, color=color, marker=marker, label=line)
            axes.set(xlabel=axis, ylim=(-4, 104), yticks=(0, 25, 50, 75, 100))
            axes.grid(True)
            axes.legend(loc="best")
        grid[0].set_ylabel("exact, %")
        sheet.savefig(path, metadata={"Creator": None, "Date": None})
