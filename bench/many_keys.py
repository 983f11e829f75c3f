"""What many keys cost when they are tried at once, and whether they cost reads."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

import attacks
import tiles
from clock import timed
from command import progress
from image_reads import Settings
from report import percent, table
from tiles import Pixels

from synthmark import detect_image, embed_image

__all__ = ["render", "run"]

COUNTS = (1, 2, 5, 10, 30, 100)
TIMED = {"upright": "jpeg_q70", "rotated": "rot5_inside", "unmarked": "identity"}
TIMED_PICTURES = 3
HARD = ("jpeg_q10", "resize_0.25", "crop_keep10", "screenshot")
READ_COUNTS = (1, 30)

Figures = dict[str, Any]


def run(pictures: Mapping[str, Pixels], settings: Settings) -> Figures:
    """Look for marks with more and more keys, the right one last."""
    ours = settings.key(0)
    keys = [settings.key(100 + number) for number in range(max(COUNTS) - 1)]
    times: dict[str, dict[int, list[float]]] = {
        kind: {count: [] for count in COUNTS} for kind in TIMED
    }
    reads: dict[str, dict[int, list[str]]] = {
        attack: {count: [] for count in READ_COUNTS} for attack in HARD
    }
    for index, (name, pixels) in enumerate(pictures.items()):
        number = settings.number(name)
        payload = tiles.payload_of(number)
        marked = embed_image(pixels, payload, ours)
        if index < TIMED_PICTURES:
            for kind, attack in TIMED.items():
                progress("keys:", name, kind)
                source = pixels if kind == "unmarked" else marked
                attacked = attacks.apply(attack, source, number)
                for count in COUNTS:
                    tried = [*keys[: count - 1], ours]
                    _, cpu_ms = timed(detect_image, attacked, tried)
                    times[kind][count].append(cpu_ms)
        for attack in HARD:
            progress("keys:", name, attack)
            attacked = attacks.apply(attack, marked, number)
            for count in READ_COUNTS:
                tried = [*keys[: count - 1], ours]
                result = tiles.outcome(attacked, tried, payload)
                reads[attack][count].append(result)
    return {
        "cpu_ms": {
            kind: {str(count): median(values) for count, values in rows.items()}
            for kind, rows in times.items()
        },
        "reads": {
            attack: {
                str(count): {
                    "exact": results.count("payload"),
                    "other": results.count("another"),
                    "reads": len(results),
                }
                for count, results in rows.items()
            }
            for attack, rows in reads.items()
        },
    }


def render(figures: Mapping[str, Any]) -> str:
    """Return the figures as tables in Markdown."""
    return "\n\n".join(
        (
            "## Many keys",
            f"CPU time of one search with so many keys, ms, median over "
            f"{TIMED_PICTURES} pictures; in brackets how many times that of one key.",
            table(
                ["picture", *(f" {count}" for count in COUNTS)],
                [
                    (kind, *(f"{ms:.0f} ({ms / row['1']:.1f})" for ms in row.values()))
                    for kind, row in figures["cpu_ms"].items()
                ],
            ),
            "Exact reads after hard attacks, %, with one key and with several of which "
            "the last is the right one.",
            table(
                [
                    "attack",
                    *(f" keys: {count}" for count in READ_COUNTS),
                    *(" another payload", " reads"),
                ],
                [
                    (
                        attack,
                        *(percent(cell["exact"], cell["reads"]) for cell in cells),
                        sum(cell["other"] for cell in cells),
                        cells[0]["reads"],
                    )
                    for attack, row in figures["reads"].items()
                    for cells in [list(row.values())]
                ],
            ),
        )
    )
