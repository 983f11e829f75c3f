"""Figures of the image mark as plots that read well on light and dark pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import calibration
import matplotlib
from attacks import CURVES
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

__all__ = ["PLOTS", "curves", "p_values"]

# Middle tones, at least 3:1 against black and white, apart for every color vision.
GRAY = "#7f7f7f"
BLUE, ORANGE, GREEN = "#2c82c9", "#d9541a", "#1d9a6c"

STYLE: dict[Any, object] = {
    "axes.edgecolor": GRAY,
    "axes.labelcolor": GRAY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.alpha": 0.25,
    "grid.color": GRAY,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "synthmark",
    "text.color": GRAY,
    "xtick.color": GRAY,
    "ytick.color": GRAY,
}


def curves(figures: Mapping[str, Any], path: Path) -> None:
    """Draw the exact share against quality, scale, angle and so on, as SVG."""
    rates = figures["attacks"]
    with _sheet(path, 8.4, 6.6) as sheet:
        grid = sheet.subplots(3, 3, sharey=True).ravel()
        for axes, curve in zip(grid, CURVES, strict=False):
            known = {x: rates[y] for x, y in curve.points.items() if y in rates}
            share = [100 * row["exact"] / row["reads"] for row in known.values()]
            axes.plot(list(known), share, color=BLUE, marker="o")
            axes.set(xlabel=curve.axis, ylim=(-4, 104), yticks=(0, 25, 50, 75, 100))
            axes.grid(True)
            if curve.logarithmic:
                _logarithmic(axes, list(known))
        for axes in grid[len(CURVES) :]:
            axes.set_axis_off()
        for axes in grid[::3]:
            axes.set_ylabel("exact, %")


def p_values(figures: Mapping[str, Any], path: Path) -> None:
    """Draw how often chance reaches each stated p-value, as SVG."""
    calibrated = figures["calibration"]
    stated = calibrated["stated"]
    styles = zip((BLUE, ORANGE, GREEN), ("o", "s", "^"), strict=True)
    with _sheet(path, 5.6, 4.6) as sheet:
        axes = sheet.subplots()
        axes.plot(stated, stated, "--", color=GRAY, label="as often as stated")
        for (line, counts), (color, marker) in zip(
            calibrated["counts"].items(), styles, strict=True
        ):
            reached = [
                (p_value, count / counts[0])
                for p_value, count in zip(stated, counts, strict=True)
                if count >= calibration.FEWEST
            ]
            axes.plot(
                *zip(*reached, strict=True),
                color=color,
                marker=marker,
                markevery=4,
                label=calibration.LINES[line],
            )
        axes.set(xscale="log", yscale="log", xlim=(1.5, 1e-8), ylim=(1e-8, 1.5))
        axes.set(xlabel="stated p-value", ylabel="share of p-values up to it")
        axes.grid(True)
        axes.legend(loc="lower left")


PLOTS: dict[str, Callable[[Mapping[str, Any], Path], None]] = {
    "Curves": curves,
    "P-values": p_values,
}


def _logarithmic(axes: Axes, values: list[float]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    shown = values[:: 2 if len(values) > 7 else 1]
    axes.set_xticks(shown, [f"{value:g}" for value in shown])


@contextmanager
def _sheet(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure, and write it: the same figures give the same bytes."""
    with matplotlib.rc_context(STYLE):
        sheet = Figure(figsize=(width, height), layout="constrained")
        yield sheet
        sheet.savefig(path, metadata={"Creator": None, "Date": None})
