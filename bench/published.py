"""Figures that others published for their marks, beside ours at the nearest attack.

Nothing here was measured by this bench but our own column. Pictures, sizes and what
counts as success differ from paper to paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from report import percent, table

__all__ = ["ATTACKS", "render"]

# Bit accuracy in percent, SA-1B photographs: Petrov et al., "We Can Hide More Bits",
# arXiv 2510.12812, Tables 4 and 5. Crop and scale are shares of the sides there: 84 %
# of the sides is 70 % of the area. A kernel of 9 or 17 pixels has sigma 1.7 or 2.9.
MARKS = ("TrustMark", "WAM", "Video Seal 1.0", "Chunky Seal")
ABOUT = {
    "payload, bits": (100, 32, 256, 1024),
    "PSNR, dB": (42.3, 38.2, 44.4, 45.3),
    "SSIM": (0.994, 0.984, 0.996, 0.995),
}
STEPS: dict[str, tuple[str, tuple[float, ...]]] = {
    "none": ("identity", (99.8, 100, 99.9, 99.7)),
    "mirrored": ("hflip", (99.8, 100, 99.9, 99.7)),
    "rotated by 5 degrees": ("rot5_black", (56.9, 98.8, 99.4, 99.3)),
    "rotated by 10 degrees": ("rot10_black", (48.2, 75.0, 98.3, 97.3)),
    "rotated by 30 degrees": ("rot30_black", (49.7, 51.8, 51.3, 49.6)),
    "rotated by 90 degrees": ("rot90_black", (49.4, 50.8, 81.1, 51.4)),
    "scaled to 32 %": ("resize_0.32", (99.8, 100, 99.9, 99.8)),
    "cropped, 84 % of the sides": ("crop_keep70", (99.9, 99.6, 98.3, 97.8)),
    "cropped, 71 %": ("crop_keep50", (56.4, 98.8, 87.3, 95.9)),
    "cropped, 55 %": ("crop_keep30", (51.6, 96.2, 52.7, 86.9)),
    "cropped, 45 %": ("crop_keep20", (51.7, 94.1, 50.7, 65.2)),
    "brightness 0.5": ("brightness_0.5", (99.5, 100, 99.8, 99.7)),
    "brightness 1.5": ("brightness_1.5", (92.4, 100, 96.2, 97.3)),
    "contrast 0.5": ("contrast_0.5", (99.2, 100, 99.8, 99.7)),
    "contrast 1.5": ("contrast_1.5", (95.2, 100, 99.0, 99.1)),
    "hue 0.1": ("hue_0.1", (98.5, 100, 99.1, 99.7)),
    "JPEG 90": ("jpeg_q90", (99.7, 100, 99.9, 99.6)),
    "JPEG 50": ("jpeg_q50", (99.6, 100, 99.6, 98.4)),
    "JPEG 40": ("jpeg_q40", (99.5, 100, 99.4, 97.2)),
    "blurred, kernel of 9": ("blur_s1.7", (99.8, 100, 99.9, 99.7)),
    "blurred, kernel of 17": ("blur_s2.9", (99.7, 100, 99.8, 99.7)),
}

# Share detected at 0.1 % false positives, in percent, over 30 changes: Gowal et al.,
# "SynthID-Image", arXiv 2510.09263.
DETECTED = {
    "SynthID-O": {
        "all": 99.98,
        "color": 100,
        "combination": 99.96,
        "noise": 99.98,
        "overlay": 100,
        "quality": 99.99,
        "spatial": 99.97,
    },
    "WAM": {"all": 90.62, "color": 81.29, "combination": 96.08, "spatial": 76.04},
}

ATTACKS: tuple[str, ...] = tuple(attack for attack, _ in STEPS.values())


def render(figures: Mapping[str, Any]) -> str:
    """Return the published tables, or nothing unless all their steps were measured.

    Parameters
    ----------
    figures : mapping
        From `image_figures.figures`.
    """
    rates, quality = figures["attacks"], figures["quality"]
    if not set(ATTACKS) <= set(rates):
        return ""
    steps = [
        (step, percent(rates[attack]["exact"], rates[attack]["reads"]), *cells)
        for step, (attack, cells) in STEPS.items()
    ]
    ours = (64, round(quality["psnr_db"]["mean"], 1), round(quality["ssim"]["mean"], 3))
    about = [
        (name, own, *cells)
        for own, (name, cells) in zip(ours, ABOUT.items(), strict=True)
    ]
    kinds = list(DETECTED["SynthID-O"])
    return "\n\n".join(
        (
            "Bit accuracy in percent as published (arXiv 2510.12812, Tables 4 and 5, "
            "SA-1B photographs); half of the bits is chance. Our column is measured "
            "here on other pictures and counts only reads in which all 64 bits are "
            "exact.",
            table(
                ["", " synthmark, exact", *(f" {name}" for name in MARKS)],
                [*about, *steps],
            ),
            "Share detected, in percent, at 0.1 % false positives as published (arXiv "
            "2510.09263; no public detector).",
            table(
                ["", *(f" {kind}" for kind in kinds)],
                [
                    (name, *(row.get(kind, "-") for kind in kinds))
                    for name, row in DETECTED.items()
                ],
            ),
        )
    )
