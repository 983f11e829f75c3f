"""What was measured on pictures, as figures and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from attacks import ATTACKS
from image_reads import Picture, Read
from report import percent, table, upper_bound

__all__ = ["figures", "render"]

SCHEMA_VERSION = 1

UPRIGHT = {"none", "codec", "color", "filter", "noise"}
GEOMETRIC = {"crop", "rotate", "geometry"}
TRIALS = {
    "unmarked": "unmarked",
    "attacked": "unmarked, attacked",
    "wrong_key": "marked, wrong key",
}


def figures(
    pictures: Sequence[Picture], refused: Mapping[str, str], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Condense what was measured, as JSON types.

    Parameters
    ----------
    pictures : sequence of Picture
        At least one, all under the same attacks.
    refused : mapping
        Why a picture could not be marked, by its name.
    about : mapping
        Settings and versions.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "bench": "image_mark",
        **about,
        "summary": _summary(pictures, refused),
        "attacks": _attacks(pictures),
        "pictures": [_picture(picture) for picture in pictures],
        "false_alarms": _false_alarms(pictures),
    }


def render(values: Mapping[str, Any]) -> str:
    """Return the tables of `figures` as Markdown."""
    versions = ", ".join(f"{name} {v}" for name, v in values["versions"].items())
    parts = [
        f"# Image mark {values['scheme']}",
        f"Seed {values['seed']}, strength {values['strength']:g}; "
        f"{values['machine']}, {versions}.",
        "## Attacks",
        _attack_table(values["attacks"]),
        "## Summary",
        _summary_table(values["summary"]),
        "## Pictures",
        _picture_table(values["pictures"]),
    ]
    if values["false_alarms"]:
        parts += ["## False alarms", _false_alarm_table(values["false_alarms"])]
    return "\n\n".join(parts)


def _attacks(pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    rows = []
    for reads in zip(*(picture.reads for picture in pictures), strict=True):
        name = reads[0].attack
        rows.append(
            {
                "group": ATTACKS[name].group,
                "name": name,
                "exact": sum(read.exact for read in reads),
                "reads": len(reads),
            }
        )
    return rows


def _summary(pictures: Sequence[Picture], refused: Mapping[str, str]) -> dict[str, Any]:
    reads = [read for picture in pictures for read in picture.reads]
    quality = [picture.quality for picture in pictures]
    psnr = [one.psnr_db for one in quality]
    delta = [one.flat_delta_l for one in quality]
    return {
        "pictures": len(pictures),
        "refused": dict(refused),
        "attacks": len(pictures[0].reads),
        "reads": len(reads),
        "exact": sum(read.exact for read in reads),
        "other_payload": sum(read.other for read in reads),
        "psnr_db": {"mean": fmean(psnr), "min": min(psnr)},
        "ssim": {"mean": fmean(one.ssim for one in quality)},
        "flat_delta_l": {"mean": fmean(delta), "max": max(delta)},
        "cpu_ms": {
            "embed": median(picture.embed_ms for picture in pictures),
            "embed_per_megapixel": median(
                picture.embed_ms / (picture.width * picture.height / 1e6)
                for picture in pictures
            ),
            "detect_upright": _median_ms(reads, UPRIGHT),
            "detect_geometric": _median_ms(reads, GEOMETRIC),
            "detect_unmarked": _median(
                [
                    trial.cpu_ms
                    for picture in pictures
                    for trial in picture.trials
                    if trial.kind == "unmarked"
                ]
            ),
        },
    }


def _median_ms(reads: Sequence[Read], groups: set[str]) -> float | None:
    return _median([r.cpu_ms for r in reads if ATTACKS[r.attack].group in groups])


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        "name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "psnr_db": picture.quality.psnr_db,
        "ssim": picture.quality.ssim,
        "flat_delta_l": picture.quality.flat_delta_l,
        "embed_ms": picture.embed_ms,
        "failed": [read.attack for read in picture.reads if not read.exact],
    }


def _false_alarms(pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    trials = [trial for picture in pictures for trial in picture.trials]
    rows = []
    for kind in TRIALS:
        group = [trial for trial in trials if trial.kind == kind]
        if not group:
            continue
        reads = sum(trial.reads for trial in group)
        found = sum(trial.found for trial in group)
        rows.append(
            {
                "input": kind,
                "reads": reads,
                "false_positives": found,
                "least_p_value": min(trial.p_value for trial in group),
                "rate_upper_bound": upper_bound(found, reads),
            }
        )
    return rows


def _attack_table(rows: Sequence[Mapping[str, Any]]) -> str:
    groups = [None, *(row["group"] for row in rows)]
    return table(
        ["group", "attack", " exact", " %"],
        [
            (
                row["group"] if row["group"] != before else "",
                row["name"],
                f"{row['exact']}/{row['reads']}",
                percent(row["exact"], row["reads"]),
            )
            for before, row in zip(groups, rows, strict=False)
        ],
    )


def _summary_table(summary: Mapping[str, Any]) -> str:
    times = {
        name: "-" if ms is None else f"{ms:.0f} ms"
        for name, ms in summary["cpu_ms"].items()
    }
    delta = summary["flat_delta_l"]
    # Every attack has as many reads: the mean of the rates is the rate of all.
    share = percent(summary["exact"], summary["reads"])
    rows = [
        ("pictures", summary["pictures"]),
        *((f"refused: {name}", why) for name, why in summary["refused"].items()),
        ("attacks", summary["attacks"]),
        ("exact payload", f"{summary['exact']}/{summary['reads']}"),
        ("exact payload, mean over attacks", f"{share} %"),
        ("another payload read", summary["other_payload"]),
        ("PSNR, mean", f"{summary['psnr_db']['mean']:.1f} dB"),
        ("PSNR, least", f"{summary['psnr_db']['min']:.1f} dB"),
        ("SSIM, mean", f"{summary['ssim']['mean']:.4f}"),
        ("dL* in flat parts, mean", f"{delta['mean']:.3f}"),
        ("dL* in flat parts, most", f"{delta['max']:.3f}"),
        ("embed, median", times["embed"]),
        ("embed, median per megapixel", times["embed_per_megapixel"]),
        ("detect upright, median", times["detect_upright"]),
        ("detect geometric, median", times["detect_geometric"]),
        ("detect unmarked, median", times["detect_unmarked"]),
    ]
    return table(["measure", " value"], rows)


def _picture_table(rows: Sequence[Mapping[str, Any]]) -> str:
    return table(
        ["picture", " size", " PSNR", " SSIM", " dL*", " embed ms", "failed attacks"],
        [
            (
                row["name"],
                f"{row['width']} x {row['height']}",
                f"{row['psnr_db']:.1f}",
                f"{row['ssim']:.4f}",
                f"{row['flat_delta_l']:.3f}",
                f"{row['embed_ms']:.0f}",
                ", ".join(row["failed"]) or "none",
            )
            for row in rows
        ],
    )


def _false_alarm_table(rows: Sequence[Mapping[str, Any]]) -> str:
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
