"""What is left of a mark when others are laid over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import tiles
from command import progress
from image_quality import psnr
from image_reads import Settings
from report import percent, table
from tiles import Pixels

from synthmark import detect_image, embed_image

__all__ = ["render", "run"]

TIMES = (1, 2, 4, 8)
KINDS = ("same key, other payloads", "another key each time")


def run(pictures: Mapping[str, Pixels], settings: Settings) -> list[dict[str, Any]]:
    """Mark pictures several times over."""
    reads: dict[tuple[str, int], Counter[str]] = {}
    quality: dict[tuple[str, int], list[float]] = {}
    for name, pixels in pictures.items():
        progress("remarking:", name)
        for kind in KINDS:
            marked = pixels
            for time in range(1, max(TIMES) + 1):
                key = settings.key(0 if kind == KINDS[0] else 100 + time)
                payload = tiles.payload_of(settings.number(f"{name} {time}"))
                marked = embed_image(marked, payload, key)
                if time not in TIMES:
                    continue
                quality.setdefault((kind, time), []).append(psnr(pixels, marked))
                counts = reads.setdefault((kind, time), Counter())
                counts.update(_readable(marked, name, kind, time, settings))
    return [
        {
            "marked": kind,
            "times": time,
            "pictures": len(quality[kind, time]),
            "first": counts["first"],
            "last": counts["last"],
            "any": counts["any"],
            "other": counts["other"],
            "psnr_db": float(np.mean(quality[kind, time])),
        }
        for (kind, time), counts in sorted(
            reads.items(), key=lambda item: item[0][::-1]
        )
    ]


def render(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a table in Markdown."""
    return "\n\n".join(
        (
            "## Marking again",
            "Reads of the first mark and of the last, % of the pictures, and of all "
            "marks, % of them. Of one key the detector reports one mark; of several "
            "keys each is looked for by itself.",
            table(
                [
                    *("marked with", " times", " first", " last", " of all marks"),
                    *(" never embedded", " PSNR, dB"),
                ],
                [
                    (
                        row["marked"],
                        row["times"],
                        percent(row["first"], row["pictures"]),
                        percent(row["last"], row["pictures"]),
                        percent(row["any"], row["pictures"] * row["times"]),
                        row["other"],
                        f"{row['psnr_db']:.1f}",
                    )
                    for row in rows
                ],
            ),
        )
    )


def _readable(
    marked: Pixels, name: str, kind: str, times: int, settings: Settings
) -> Counter[str]:
    payloads = [
        tiles.payload_of(settings.number(f"{name} {time}"))
        for time in range(1, times + 1)
    ]
    keys = (
        [settings.key(0)]
        if kind == KINDS[0]
        else [settings.key(100 + time) for time in range(1, times + 1)]
    )
    found = [detect_image(marked, key).payload for key in keys]
    read = [payload in found for payload in payloads]
    return Counter(
        first=read[0],
        last=read[-1],
        any=sum(read),
        other=sum(one is not None and one not in payloads for one in found),
    )
