"""Measure other programs' invisible marks beside ours, on the same attacked pictures.

Run it from a checkout, with the `peers` extra: ``python bench/peers.py FOLDER``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import numpy as np
from image_reads import Settings
from peer_marks import MARKS, Mark
from peer_reads import Outcome, measure, reduced
from report import percent, table

__all__ = ["ATTACKS", "main", "render", "run"]

ATTACKS = (
    *("identity", "jpeg_q90", "jpeg_q70", "jpeg_q50", "jpeg_q30", "webp_q50"),
    *("resize_0.75", "resize_0.5", "resize_1.5", "aspect_1.2x"),
    *("crop_keep80", "crop_keep50", "crop_keep25"),
    *("rot2_black", "rot5_inside", "rot45_inside", "hflip"),
    *("brightness_1.5", "contrast_0.5", "gamma_2", "grayscale"),
    *("blur_s2", "median_5", "noise_s10", "overlay_25pct", "letterbox_20pct"),
    *("screenshot", "social"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command.parser(__doc__.partition("\n")[0])
    parser.add_argument(
        "--json", type=command.target, metavar="FILE", help="write the figures too"
    )
    options = parser.parse_args(arguments)
    figures = run(options.files[: options.limit], options.seed)
    print(render(figures))
    if options.json:
        command.write(figures, options.json)
    return 0


def run(files: Sequence[Path], seed: int) -> dict[str, Any]:
    """Measure every mark that is installed; return figures of JSON types."""
    marks: dict[str, Mark] = {}
    missing: dict[str, str] = {}
    for name, make in MARKS.items():
        try:
            marks[name] = make()
        except ImportError:
            missing[name] = "not installed"
    for mark in marks.values():  # once before anything is timed
        mark.read(mark.embed(command.draw(), np.zeros(mark.size, np.uint8)))
    outcomes: dict[str, list[Outcome]] = {name: [] for name in marks}
    settings = Settings(attacks=ATTACKS, seed=seed, strength=1.0)
    for picture, pixels in command.load(files):
        if isinstance(pixels, OSError):
            continue
        for name, mark in marks.items():
            command.progress(picture, name)
            small, number = reduced(pixels), settings.number(picture)
            outcome = measure(mark, small, number, ATTACKS)
            if outcome is not None:
                outcomes[name].append(outcome)
    missing |= {name: "no picture marked" for name in marks if not outcomes[name]}
    return {
        "schema_version": 1,
        "bench": "peers",
        "seed": seed,
        **command.about(*dict.fromkeys(name.split()[0] for name in marks)),
        "attacks": list(ATTACKS),
        "missing": missing,
        "marks": {
            name: {"bits": marks[name].size, **_figures(rows)}
            for name, rows in outcomes.items()
            if rows
        },
    }


def _figures(rows: Sequence[Outcome]) -> dict[str, Any]:
    columns = zip(*(row.right for row in rows), strict=True)
    return {
        "pictures": len(rows),
        "psnr_db": fmean(row.quality.psnr_db for row in rows),
        "ssim": fmean(row.quality.ssim for row in rows),
        "flip": fmean(row.quality.flip for row in rows),
        "flat_delta_l": fmean(row.quality.flat_delta_l for row in rows),
        "embed_ms_per_megapixel": median(row.embed_ms for row in rows),
        "read_ms_per_megapixel": median(row.read_ms for row in rows),
        "attacks": {
            name: {
                "exact": sum(right == 1 for right in column),
                "reads": len(column),
                "bit_accuracy": fmean(column),
            }
            for name, column in zip(ATTACKS, columns, strict=True)
        },
    }


def render(figures: Mapping[str, Any]) -> str:
    """Return the figures as a page in Markdown."""
    marks = figures["marks"]
    versions = ", ".join(f"{name} {v}" for name, v in figures["versions"].items())
    return "\n\n".join(
        (
            "# Other marks beside ours",
            f"Pictures of at most a megapixel, seed {figures['seed']}; "
            f"{figures['machine']}, {versions}.",
            "## Summary",
            _summary_table(marks, figures["missing"]),
            "## Attacks",
            "Exact messages in percent; in brackets the bits that were read right, of "
            "which guessing gets 50 %.",
            table(
                ["attack", *(f" {mark}" for mark in marks)],
                [
                    (name, *(_cell(row["attacks"][name]) for row in marks.values()))
                    for name in figures["attacks"]
                ],
            ),
        )
    )


def _cell(row: Mapping[str, Any]) -> str:
    exact = percent(row["exact"], row["reads"])
    return f"{exact} ({100 * row['bit_accuracy']:.0f})"


def _summary_table(
    marks: Mapping[str, Mapping[str, Any]], missing: Mapping[str, str]
) -> str:
    rows = [
        (
            name,
            row["bits"],
            row["pictures"],
            percent(
                sum(one["exact"] for one in row["attacks"].values()),
                sum(one["reads"] for one in row["attacks"].values()),
            ),
            f"{row['psnr_db']:.1f}",
            f"{row['ssim']:.4f}",
            f"{row['flip']:.4f}",
            f"{row['flat_delta_l']:.3f}",
            f"{row['embed_ms_per_megapixel']:.0f}",
            f"{row['read_ms_per_megapixel']:.0f}",
        )
        for name, row in marks.items()
    ]
    heads = [" bits", " pictures", " exact, %", " PSNR, dB", " SSIM", " FLIP", " dL*"]
    absent = [(f"{name}: {why}", *"---------") for name, why in missing.items()]
    return table(
        ["mark", *heads, " embed, ms/MP", " read, ms/MP"],
        [*rows, *absent],
    )


if __name__ == "__main__":
    sys.exit(main())
