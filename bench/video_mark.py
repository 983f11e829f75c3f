"""Measure the invisible video mark on a folder of clips, and print tables.

Run it from a checkout: ``python bench/video_mark.py FOLDER``. The command ffmpeg does
the attacks; it needs libx264, libx265, libvpx-vp9 and libsvtav1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import video_plots
import video_reads as reads
import video_tables as tables
from report import table
from video_attacks import ATTACKS, CURVE, GROUPS
from video_speed import Cost, cost
from video_tile import Theft, steal

from synthmark.labeling.errors import SynthmarkError
from synthmark.labeling.media.video import SUFFIXES

__all__ = ["SETS", "main"]

SETS: dict[str, tuple[str, ...]] = {
    "table": tuple(name for group in GROUPS.values() for name in group),
    "quick": ("identity", "h264_28", "crop_50", "rotate_5", "trim_1", "splice"),
    **{group: tuple(names) for group, names in GROUPS.items()},
}
FALSE = ("identity", "h264_28", "rotate_5", "screen", "inside")
LENGTHS = (0.5, 1.0, 2.0, 3.0, 5.0)
WINDOWED = ("h264_28", "h264_33", "platforms")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="two videos or more")
    add("--limit", type=int, metavar="N", help="only the first N clips")
    add("--seed", type=int, metavar="N", default=0, help="default: 0")
    add("--strength", type=float, default=1.0, help="of the mark (default: 1)")
    add("--seconds", type=float, default=3.0, help="of each clip (default: 3)")
    sets = f"by name, or {', '.join(SETS)} (default: table)"
    add("--attacks", type=_names, metavar="A,B", default=SETS["table"], help=sets)
    add("--no-sizes", action="store_true", help="do not compare sizes of files")
    add("--curves", action="store_true", help="follow quality and length")
    add("--unmarked", type=int, metavar="KEYS", help="look for false alarms")
    add("--averaging", action="store_true", help="play somebody without the key")
    add("--speed", action="store_true", help="measure time and memory at 1080 lines")
    add("--json", type=command.target, metavar="FILE", help="write the figures too")
    add("--svg", type=command.target, metavar="FILE", help="draw the curves, as SVG")
    options = parser.parse_args(arguments)
    if options.svg and not options.curves:
        parser.error("--svg draws what --curves measures: give both")
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is not a folder")
    files = sorted(p for p in options.folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if len(files) < 2:
        parser.error(f"{options.folder} holds less than two videos")
    with TemporaryDirectory() as folder:
        results = _measure(files, Path(folder), options)
    figures: dict[str, Any] = {"about": command.about("av"), "seed": options.seed}
    for name, head, rows in _tables(results, options):
        if rows:
            figures[name] = {"head": [cell.strip() for cell in head], "rows": rows}
            print(f"\n{name.capitalize()}\n\n{table(head, rows)}")
    figures["reads"] = [asdict(read) for read in results.found]
    if options.json:
        command.write(figures, options.json)
    if options.svg:
        shares = tables.by_quality(results.found)
        video_plots.curves({"CRF": shares, "seconds": results.parts}, options.svg)
    return 0


@dataclass
class _Results:
    """What was measured so far."""

    marked: list[reads.Marked] = field(default_factory=list)
    found: list[reads.Read] = field(default_factory=list)
    grown: dict[str, list[float]] = field(default_factory=dict)
    wrong: dict[str, list[reads.Wrong]] = field(default_factory=dict)
    parts: dict[str, dict[float, tuple[int, int]]] = field(default_factory=dict)
    thefts: list[Theft] = field(default_factory=list)
    spent: dict[str, Cost] = field(default_factory=dict)
    refused: list[list[str]] = field(default_factory=list)


def _measure(
    files: Sequence[Path], folder: Path, options: argparse.Namespace
) -> _Results:
    results, clips = _Results(), []
    count = options.limit or len(files)
    for path in files[: count + 1]:  # and one to put beside the last
        command.progress("open", path.name)
        try:
            clips.append(reads.open_clip(path, folder, options.seconds))
        except (RuntimeError, SynthmarkError) as error:
            results.refused.append([path.name, str(error)])
    for number, clip in enumerate(clips[:count]):
        command.progress("mark", clip.name)
        try:
            one = reads.mark(clip, options.seed, options.strength)
        except SynthmarkError as error:
            results.refused.append([clip.name, str(error)])
            continue
        other = clips[(number + 1) % len(clips)]
        _attack(one, other.path, folder, options, results)
        if options.averaging:
            command.progress(clip.name, "averaging")
            results.thefts.append(steal(one, other, folder))
        one.path.unlink()
    for path in files[:count] if options.speed else ():
        command.progress("speed", path.name)
        results.spent[path.name] = cost(path, folder, options.seconds)
    command.progress()
    return results


def _attack(
    one: reads.Marked,
    other: Path,
    folder: Path,
    options: argparse.Namespace,
    results: _Results,
) -> None:
    """Measure one clip."""
    name = one.clip.name
    results.marked.append(one)
    if not options.no_sizes:
        command.progress(name, "sizes")
        results.grown[name] = reads.sizes(one, folder)
    for attack in dict.fromkeys((*options.attacks, *options.curves * CURVE)):
        command.progress(name, attack)
        try:
            results.found += reads.read(one, attack, folder, other)
        except (RuntimeError, SynthmarkError) as error:
            results.refused.append([f"{name}, {attack}", str(error)])
    for attack in options.curves * WINDOWED:
        command.progress(name, attack, "in parts")
        for length, exact in reads.windows(one, attack, LENGTHS, folder, other):
            tables.count(results.parts, attack, length, exact)
    for attack in FALSE if options.unmarked is not None else ():
        command.progress(name, attack, "unmarked")
        found = reads.wrong_reads(
            *(one, attack, options.unmarked, options.seed, folder, other)
        )
        results.wrong.setdefault(attack, []).append(found)


def _tables(
    results: _Results, options: argparse.Namespace
) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]:
    """Yield name, heading and rows of each table."""
    found = [read for read in results.found if read.attack in options.attacks]
    yield "clips", tables.CLIPS, tables.clips(results.marked, results.grown, found)
    yield "attacks", tables.READS, tables.attacks(found)
    yield "groups", tables.SUMMARY, tables.summary(found)
    yield "places", tables.PLACES, tables.places(found)
    if options.curves:
        shares = tables.by_quality(results.found)
        yield "exact by quality, %", *tables.curves("CRF", shares)
        yield "exact by length, %", *tables.curves("seconds", results.parts)
    yield "without a mark", tables.UNMARKED, tables.unmarked(results.wrong)
    yield "averaged frames", tables.THEFTS, tables.thefts(results.thefts)
    yield "speed and memory", tables.COSTS, tables.costs(results.spent)
    yield "failed", ("clip", "reason"), results.refused


def _names(text: str) -> tuple[str, ...]:
    chosen: list[str] = []
    for word in text.split(","):
        chosen += SETS.get(word, (word,))
    unknown = set(chosen) - set(ATTACKS)
    if unknown:
        known = ", ".join((*SETS, *ATTACKS))
        raise argparse.ArgumentTypeError(f"no attack {unknown}; there are: {known}")
    return tuple(dict.fromkeys(chosen))


if __name__ == "__main__":
    sys.exit(main())
