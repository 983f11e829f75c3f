"""Figures of the image mark as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import calibration
import published
from attacks import CURVES, EVERYDAY, GROUPS
from image_figures import TRIALS
from report import percent, table

__all__ = ["render"]

Rates = Mapping[str, Mapping[str, int]]


def render(figures: Mapping[str, Any], plots: Mapping[str, str] | None = None) -> str:
    """Return a page with a section for everything that was measured.

    Parameters
    ----------
    figures : mapping
        From `image_figures.figures`.
    plots : mapping, optional
        Names of image files, by the title of their section.
    """
    rates = figures["attacks"]
    sections = {
        "Attacks": _attack_table(rates),
        "Summary": _summary_table(figures),
        "Pairs": _pair_table(rates),
        "Curves": _curve_tables(rates),
        "False alarms": _false_alarm_table(figures["false_alarms"]),
        "P-values": _calibration_table(figures["calibration"]),
        "Beside published figures": published.render(figures),
        "Pictures": _picture_table(figures["pictures"]),
    }
    versions = ", ".join(f"{name} {v}" for name, v in figures["versions"].items())
    parts = [
        f"# Image mark {figures['scheme']}",
        f"Seed {figures['seed']}, strength {figures['strength']:g}; "
        f"{figures['machine']}, {versions}.",
    ]
    for title, text in sections.items():
        if text:
            parts.append(f"## {title}")
            if plots and title in plots:
                parts.append(f"![{title}]({plots[title]})")
            parts.append(text)
    return "\n\n".join(parts)


def _share(rates: Rates, name: str) -> str:
    row = rates.get(name)
    return percent(row["exact"], row["reads"]) if row else "-"


def _attack_table(rates: Rates) -> str:
    rows = []
    for group, names in GROUPS.items():
        shown = [name for name in names if name in rates]
        for name in shown:
            count = f"{rates[name]['exact']}/{rates[name]['reads']}"
            label = group if name == shown[0] else ""
            rows.append((label, name, count, _share(rates, name)))
    return table(["group", "attack", " exact", " %"], rows) if rows else ""


def _pair_table(rates: Rates) -> str:
    """Return exact shares: the first change in the row, the second in the column."""
    rows = [
        (first, *(_share(rates, f"{first}+{second}") for second in EVERYDAY))
        for first in EVERYDAY
    ]
    if all(cell == "-" for row in rows for cell in row[1:]):
        return ""
    head = ["first, then", *(f" {second}" for second in EVERYDAY)]
    return "Exact, in percent.\n\n" + table(head, rows)


def _curve_tables(rates: Rates) -> str:
    parts = []
    for curve in CURVES:
        known = {x: name for x, name in curve.points.items() if name in rates}
        if set(known.values()) - {"identity"}:
            head = [curve.axis, *(f" {x:g}" for x in known)]
            cells = ["exact, %", *(_share(rates, name) for name in known.values())]
            parts.append(table(head, [cells]))
    return "\n\n".join(parts)


def _summary_table(figures: Mapping[str, Any]) -> str:
    times = {
        name: "-" if ms is None else f"{ms:.0f} ms"
        for name, ms in figures["cpu_ms"].items()
    }
    quality = figures["quality"]
    delta = quality["flat_delta_l"]
    rows = [
        ("pictures", len(figures["pictures"])),
        *((f"refused: {name}", why) for name, why in figures["refused"].items()),
        *_totals("attacks", figures["table"]),
        *_totals("pairs", figures["pairs"]),
        ("another payload read", figures["other_payload"]),
        ("PSNR, mean", f"{quality['psnr_db']['mean']:.1f} dB"),
        ("PSNR, least", f"{quality['psnr_db']['min']:.1f} dB"),
        ("SSIM, mean", f"{quality['ssim']['mean']:.4f}"),
        ("FLIP, mean", f"{quality['flip']['mean']:.4f}"),
        ("dL* in flat parts, mean", f"{delta['mean']:.3f}"),
        ("dL* in flat parts, most", f"{delta['max']:.3f}"),
        ("embed, median", times["embed"]),
        ("embed, median per megapixel", times["embed_per_megapixel"]),
        ("detect upright, median", times["detect_upright"]),
        ("detect geometric, median", times["detect_geometric"]),
        ("detect unmarked, median", times["detect_unmarked"]),
    ]
    return table(["measure", " value"], rows)


def _totals(kind: str, total: Mapping[str, int]) -> list[tuple[str, object]]:
    """Return rows on a set of attacks, each read as often: shares average to one."""
    if not total["attacks"]:
        return []
    exact, reads = total["exact"], total["reads"]
    return [
        (kind, total["attacks"]),
        (f"exact payload, {kind}", f"{exact}/{reads}"),
        (f"exact payload, mean over {kind}", f"{percent(exact, reads)} %"),
    ]


def _picture_table(rows: Sequence[Mapping[str, Any]]) -> str:
    table_names = {name for names in GROUPS.values() for name in names}
    heads = ["picture", " size", " PSNR", " SSIM", " FLIP", " dL*", " embed ms"]
    return table(
        [*heads, "failed attacks of the first table"],
        [
            (
                row["name"],
                f"{row['width']} x {row['height']}",
                f"{row['psnr_db']:.1f}",
                f"{row['ssim']:.4f}",
                f"{row['flip']:.4f}",
                f"{row['flat_delta_l']:.3f}",
                f"{row['embed_ms']:.0f}",
                ", ".join(x for x in row["failed"] if x in table_names) or "none",
            )
            for row in rows
        ],
    )


def _false_alarm_table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    return table(
        ["input", " reads", " false positives", " least p-value", " rate, 95 % bound"],
        [
            (
                TRIALS[row["input"]],
                row["reads"],
                row["false_positives"],
                f"{row['least_p_value']:.2g}",
                f"{100 * row['rate_upper_bound']:.2f} %",
            )
            for row in rows
        ],
    )


def _calibration_table(calibrated: Mapping[str, Any] | None) -> str:
    """Return how often chance reached a stated p-value; it must not be more often."""
    if calibrated is None:
        return ""
    exponents = [-math.log10(p_value) for p_value in calibrated["stated"]]
    places = [exponents.index(x) for x in exponents if round(x, 6) in range(1, 7)]
    heads = [f" {calibrated['stated'][place]:.0e}" for place in places]
    return table(
        ["share of p-values up to", " p-values", *heads],
        [
            (
                calibration.LINES[line],
                f"{counts[0]:,}",
                *(_tail(counts[place], counts[0]) for place in places),
            )
            for line, counts in calibrated["counts"].items()
        ],
    )


def _tail(count: int, total: int) -> str:
    return f"{count / total:.1g}" if count >= calibration.FEWEST else "-"
