"""Follow the audio mark from mild to hard, and draw the exact reads as curves.

Run it from a checkout: ``python bench/sound_plots.py FOLDER --svg FILE``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import matplotlib
import sound_reads as reads
from image_plots import BLUE, GREEN, ORANGE, STYLE
from matplotlib.figure import Figure
from report import percent, table
from sound_changes import CURVES

__all__ = ["main"]

LENGTHS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)
SHORT = ("identity", "mp3_32", "aac_32", "opus_24", "opus_12", "gsm")
WINDOW = "window, s"
COLORS = (BLUE, ORANGE, GREEN) * 2
STYLES = ("o-", "s-", "^-", "o--", "s--", "^--")

Shares = dict[str, dict[str, dict[float, tuple[int, int]]]]
"""Exact reads and all reads, by axis, line and place on the axis."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="FLAC and WAV sounds")
    add("--limit", type=int, metavar="N", help="only the first N sounds")
    add("--seed", type=int, metavar="N", default=0, help="default: 0")
    add("--windows", type=int, default=4, help="read of each sound (default: 4)")
    add("--svg", type=command.target, metavar="FILE", help="draw the curves")
    add("--json", type=command.target, metavar="FILE", help="write the figures")
    options = parser.parse_args(arguments)
    clips = reads.open_folder(options.folder, options.limit)
    if not clips:
        parser.error(f"{options.folder} holds no FLAC or WAV files")
    shares: Shares = {axis: {} for axis in (*CURVES, WINDOW)}
    for clip in clips:
        one = reads.mark(clip, options.seed, 1.0, compare=False)
        scene = reads.scene_without(clips, clip)
        for axis, line, place, attack, seconds in _points():
            command.progress(clip.name, attack, f"{seconds:g} s")
            found = list(
                reads.read(one, attack, seconds, options.windows, options.seed, scene)
            )
            known = shares[axis].setdefault(line, {})
            exact, total = known.get(place, (0, 0))
            known[place] = (exact + sum(x.exact for x in found), total + len(found))
    command.progress()
    for axis, lines in shares.items():
        places = sorted({place for known in lines.values() for place in known})
        head = (axis, *(f" {place:g}" for place in places))
        print(f"\n{table(head, list(_rows(lines, places)))}", flush=True)
    if options.json:
        command.write({"about": command.about(), "curves": shares}, options.json)
    if options.svg:
        draw(shares, options.svg)
    return 0


def draw(shares: Mapping[str, Any], path: Path) -> None:
    """Draw the share of exact reads along each axis, as SVG."""
    with matplotlib.rc_context(STYLE):
        sheet = Figure(figsize=(8.4, 5.6), layout="constrained")
        grid = sheet.subplots(2, 2, sharey=True).ravel()
        for axes, (axis, lines) in zip(grid, shares.items(), strict=True):
            styles = zip(lines.items(), COLORS, STYLES, strict=False)
            for (line, known), color, style in styles:
                places = sorted(known)
                percents = [100 * known[x][0] / known[x][1] for x in places]
                axes.plot(places, percents, style, color=color, label=line)
            axes.set(xlabel=axis, ylim=(-4, 104), yticks=(0, 25, 50, 75, 100))
            axes.grid(True)
            if "kbit" in axis:
                axes.set_xscale("log")
                axes.set_xticks((6, 12, 24, 64, 128), ("6", "12", "24", "64", "128"))
                axes.minorticks_off()
            if len(lines) > 1:
                axes.legend(loc="lower right")
        for axes in grid[::2]:
            axes.set_ylabel("exact, %")
        sheet.savefig(path, metadata={"Creator": None, "Date": None})


def _points() -> Iterator[tuple[str, str, float, str, float]]:
    """Yield axis, line, place, attack, and seconds that are read."""
    for axis, lines in CURVES.items():
        for line, places in lines.items():
            for place in places:
                yield axis, line, place, f"{line}_{place:g}", 5.0
    for attack in SHORT:
        for seconds in LENGTHS:
            yield WINDOW, attack, seconds, attack, seconds


def _rows(
    lines: Mapping[str, Mapping[float, tuple[int, int]]], places: Sequence[float]
) -> Iterator[list[object]]:
    for line, known in lines.items():
        cells = (percent(*known[x]) if x in known else "" for x in places)
        yield [line, *cells]


if __name__ == "__main__":
    sys.exit(main())
