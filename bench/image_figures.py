"""What was measured on pictures, condensed to figures of JSON types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

import calibration
import numpy as np
from attacks import GROUPS, PAIRS
from image_reads import Picture, Read
from report import upper_bound

__all__ = ["TRIALS", "figures"]

SCHEMA_VERSION = 2

UPRIGHT = ("none", "codec", "color", "filter", "noise")
GEOMETRIC = ("crop", "rotate", "geometry")
TRIALS = {
    "unmarked": "unmarked",
    "attacked": "unmarked, attacked",
    "wrong_key": "marked, attacked, wrong keys",
    "all": "all",
}

Figures = dict[str, Any]


def figures(
    pictures: Sequence[Picture], refused: Mapping[str, str], about: Mapping[str, Any]
) -> Figures:
    """Condense what was measured.

    Parameters
    ----------
    pictures : sequence of Picture
        At least one, all under the same attacks.
    refused : mapping
        Why a picture could not be marked, by its name.
    about : mapping
        Settings and versions.
    """
    attacks = _attacks(pictures)
    groups = [name for names in GROUPS.values() for name in names]
    return {
        "schema_version": SCHEMA_VERSION,
        "bench": "image_mark",
        **about,
        "refused": dict(refused),
        "table": _total(attacks, groups),
        "pairs": _total(attacks, PAIRS),
        "other_payload": sum(read.other for one in pictures for read in one.reads),
        "quality": _quality(pictures),
        "cpu_ms": _times(pictures),
        "attacks": attacks,
        "pictures": [_picture(picture) for picture in pictures],
        "false_alarms": _false_alarms(pictures),
        "calibration": _calibration(pictures),
    }


def _attacks(pictures: Sequence[Picture]) -> dict[str, dict[str, int]]:
    """Return the exact reads of every attack, by its name."""
    return {
        reads[0].attack: {
            "exact": sum(read.exact for read in reads),
            "reads": len(reads),
        }
        for reads in zip(*(picture.reads for picture in pictures), strict=True)
    }


def _total(
    attacks: Mapping[str, Mapping[str, int]], names: Iterable[str]
) -> dict[str, int]:
    rows = [attacks[name] for name in names if name in attacks]
    return {
        "attacks": len(rows),
        "exact": sum(row["exact"] for row in rows),
        "reads": sum(row["reads"] for row in rows),
    }


def _quality(pictures: Sequence[Picture]) -> Figures:
    psnr = [one.quality.psnr_db for one in pictures]
    delta = [one.quality.flat_delta_l for one in pictures]
    return {
        "psnr_db": {"mean": fmean(psnr), "min": min(psnr)},
        "ssim": {"mean": fmean(one.quality.ssim for one in pictures)},
        "flip": {"mean": fmean(one.quality.flip for one in pictures)},
        "flat_delta_l": {"mean": fmean(delta), "max": max(delta)},
    }


def _times(pictures: Sequence[Picture]) -> dict[str, float | None]:
    reads = [read for picture in pictures for read in picture.reads]
    return {
        "embed": median(picture.embed_ms for picture in pictures),
        "embed_per_megapixel": median(
            picture.embed_ms / (picture.width * picture.height / 1e6)
            for picture in pictures
        ),
        "detect_upright": _median_ms(reads, UPRIGHT),
        "detect_geometric": _median_ms(reads, GEOMETRIC),
        "detect_unmarked": _median(
            trial.cpu_ms
            for picture in pictures
            for trial in picture.trials
            if trial.kind == "unmarked"
        ),
    }


def _median_ms(reads: Sequence[Read], groups: Iterable[str]) -> float | None:
    names = {name for group in groups for name in GROUPS[group]}
    return _median(read.cpu_ms for read in reads if read.attack in names)


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return median(known) if known else None


def _picture(picture: Picture) -> Figures:
    return {
        "name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "psnr_db": picture.quality.psnr_db,
        "ssim": picture.quality.ssim,
        "flip": picture.quality.flip,
        "flat_delta_l": picture.quality.flat_delta_l,
        "embed_ms": picture.embed_ms,
        "failed": [read.attack for read in picture.reads if not read.exact],
    }


def _false_alarms(pictures: Sequence[Picture]) -> list[Figures]:
    trials = [trial for picture in pictures for trial in picture.trials]
    rows = []
    for kind in TRIALS:
        group = [trial for trial in trials if kind in (trial.kind, "all")]
        if group:
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


def _calibration(pictures: Sequence[Picture]) -> Figures | None:
    """Return how many p-values, by line, are at most each of the stated ones."""
    null = [picture.null for picture in pictures if picture.null is not None]
    if not null:
        return None
    return {
        "stated": calibration.LEVELS.tolist(),
        "counts": {
            line: np.sum([one[line] for one in null], axis=0).tolist()
            for line in calibration.LINES
        },
    }
