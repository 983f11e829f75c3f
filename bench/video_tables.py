"""Figures of the video mark as rows of Markdown tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from report import percent, upper_bound
from video_attacks import CURVE, GROUPS
from video_reads import LARGE, SIZES, Marked, Read, Wrong
from video_speed import Cost
from video_tile import Theft

__all__ = [
    "CLIPS",
    "COSTS",
    "PLACES",
    "READS",
    "SUMMARY",
    "THEFTS",
    "UNMARKED",
    "attacks",
    "by_quality",
    "clips",
    "costs",
    "count",
    "curves",
    "places",
    "summary",
    "thefts",
    "unmarked",
]

Rows = list[list[object]]
Shares = Mapping[str, Mapping[float, tuple[int, int]]]
"""Exact reads and all reads, by line and place on the axis."""

CLIPS = (
    *("clip", " size", " frames", " gain", " PSNR-Y", " flat, RMS", " steps, RMS"),
    *(f" CRF {crf}, %" for crf in SIZES),
    *(" reads", " exact", "lost"),
)
READS = ("attack", " reads", " exact", " %", " wrong", " p, most", " detect, fps")
SUMMARY = ("attacks", " reads", " exact", " %")
PLACES = ("attack", " reads", " exact", " IoU, mean", " least")
UNMARKED = ("attack", " windows", " reads", " found", " least p-value", " 95 % bound")
THEFTS = (
    *("clip", " s", " correlation", "taken off", " at, dB"),
    *("copied", " at, dB"),
)
COSTS = (
    *("clip", " size", " frames", " mark, fps", " mark and encode, fps"),
    *(" detect, fps", " search, fps", " embed, MiB", " detect, MiB"),
)


def clips(
    marked: Sequence[Marked],
    grown: Mapping[str, Sequence[float]],
    found: Sequence[Read],
) -> Rows:
    """Return a row for each clip: what the mark changes, and what was lost."""
    rows: Rows = []
    for one in marked:
        name, video = one.clip.name, one.clip.video
        reads = [read for read in found if read.clip == name]
        lost = [read.attack for read in reads if not read.exact]
        counts = {attack: lost.count(attack) for attack in lost}
        rows.append(
            [
                name,
                f"{video.width} x {video.height}",
                one.change.frames,
                f"{one.plan.gain:.2f}",
                f"{one.change.psnr:.1f}",
                f"{one.change.flat_rms:.2f}",
                f"{one.change.step_rms:.2f}",
                *(f"{size:+.1f}" for size in grown.get(name, ())),
                *("" for _ in SIZES if name not in grown),
                len(reads),
                sum(read.exact for read in reads),
                ", ".join(f"{a} x {n}" if n > 1 else a for a, n in counts.items()),
            ]
        )
    return rows


def attacks(found: Sequence[Read]) -> Rows:
    """Return a row for each attack, and one for all."""
    rows: Rows = []
    if not found:
        return rows
    for attack, some in [*_by(found, _named).items(), ("all", list(found))]:
        exact = sum(read.exact for read in some)
        played = [read for read in some if read.frames > 1]
        spent = sum(read.detect_ms for read in played) / 1000
        frames = sum(read.frames for read in played)
        p_value = max((read.p_value for read in some if read.exact), default=1.0)
        rows.append(
            [
                attack,
                len(some),
                exact,
                percent(exact, len(some)),
                sum(read.wrong for read in some),
                f"{p_value:.0e}",
                f"{frames / max(spent, 1e-9):.0f}" if played else "",
            ]
        )
    return rows


def summary(found: Sequence[Read]) -> Rows:
    """Return a row for each group of attacks."""
    groups = {name: group for group, names in GROUPS.items() for name in names}
    rows: Rows = []
    for group, some in _by(found, lambda read: groups.get(read.attack, "")).items():
        if group in ("", "splice", "frame"):
            continue
        exact = sum(read.exact for read in some)
        rows.append([group, len(some), exact, percent(exact, len(some))])
    return rows


def places(found: Sequence[Read]) -> Rows:
    """Return a row for each attack of which the marked seconds are known."""
    rows: Rows = []
    known = [read for read in found if read.overlap is not None]
    for attack, some in _by(known, lambda read: read.attack).items():
        overlaps = [read.overlap or 0.0 for read in some]
        rows.append(
            [
                attack,
                len(some),
                sum(read.exact for read in some),
                f"{sum(overlaps) / len(overlaps):.3f}",
                f"{min(overlaps):.3f}",
            ]
        )
    return rows


def count(
    shares: dict[str, dict[float, tuple[int, int]]], line: str, x: float, exact: bool
) -> None:
    """Count a read at a place on a line."""
    known = shares.setdefault(line, {})
    before, total = known.get(x, (0, 0))
    known[x] = (before + exact, total + 1)


def by_quality(found: Iterable[Read]) -> Shares:
    """Return exact reads by CRF."""
    shares: dict[str, dict[float, tuple[int, int]]] = {}
    for read in found:
        if read.attack in CURVE:
            name, _, crf = read.attack.partition("_")
            count(shares, name, float(crf), read.exact)
    return shares


def curves(axis: str, shares: Shares) -> tuple[Sequence[str], Rows]:
    """Return heading and rows of a table of exact reads along an axis."""
    stops = sorted({place for known in shares.values() for place in known})
    rows: Rows = [
        [line, *(percent(*known[x]) if x in known else "" for x in stops)]
        for line, known in shares.items()
    ]
    return (axis, *(f" {place:g}" for place in stops)), rows


def unmarked(wrong: Mapping[str, Sequence[Wrong]]) -> Rows:
    """Return a row for each attack on clips in which nothing must be found."""
    rows: Rows = []
    if not wrong:
        return rows
    every = [one for some in wrong.values() for one in some]
    for attack, some in [*wrong.items(), ("all", every)]:
        reads, found = sum(one.reads for one in some), sum(one.found for one in some)
        least = min(one.least for one in some)
        bound = upper_bound(found, reads)
        windows = sum(one.windows for one in some)
        rows.append([attack, windows, reads, found, f"{least:.1e}", f"{bound:.1e}"])
    return rows


def thefts(found: Sequence[Theft]) -> Rows:
    """Return a row for each clip: what averaging its frames gives."""
    return [
        [
            one.clip,
            f"{one.seconds:.1f}",
            f"{one.correlation:.2f}",
            "yes" if one.removed else "no",
            f"{one.removed_psnr:.1f}",
            "yes" if one.copied else "no",
            f"{one.copied_psnr:.1f}",
        ]
        for one in found
    ]


def costs(spent: Mapping[str, Cost]) -> Rows:
    """Return a row for each clip: frames a second of CPU time, and memory."""
    rows: Rows = []
    for name, one in spent.items():
        speeds = (one.mark, one.embed, one.detect, one.search)
        peaks = (one.embed_mb, one.detect_mb)
        figures = ("" if x is None else f"{x:.0f}" for x in (*speeds, *peaks))
        rows.append([name, f"{one.width} x {one.height}", one.frames, *figures])
    return rows


def _named(read: Read) -> str:
    """Tell single pictures of small clips apart: less is expected of them."""
    is_small = read.attack.startswith("frame") and read.short < LARGE
    return f"{read.attack} below {LARGE} lines" if is_small else read.attack


def _by(found: Iterable[Read], name: Callable[[Read], str]) -> dict[str, list[Read]]:
    some: dict[str, list[Read]] = defaultdict(list)
    for read in found:
        some[name(read)].append(read)
    return some
