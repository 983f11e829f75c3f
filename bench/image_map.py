"""Measure the map of where a picture's mark is missing, and print a table.

Run it from a checkout: ``python bench/image_map.py FOLDER``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import cv2
import numpy as np
import tiles
from changes import jpeg, same, scale
from image_reads import Settings
from numpy.typing import NDArray
from peer_reads import reduced
from report import percent, table
from tiles import Pixels

from synthmark import SynthmarkError, detect_image, embed_image
from synthmark.labeling.marks.presence import MISSING, locate_image

__all__ = ["main", "render", "run"]

PATCHES = (0.0, 0.05, 0.15, 0.25, 0.4)  # of the picture's area
LATER = {"": same, "JPEG 70": jpeg(70), "JPEG 50": jpeg(50), "half size": scale(0.5)}
ENOUGH = 0.6

Mask = NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = command.parser(__doc__.partition("\n")[0]).parse_args(arguments)
    print(render(run(options.files[: options.limit], options.seed)))
    return 0


def run(files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
    """Patch every picture with the next one; return figures of JSON types."""
    settings = Settings(attacks=(), seed=seed, strength=1.0)
    key = settings.key(0)
    pictures = {
        name: reduced(pixels)
        for name, pixels in command.load(files)
        if not isinstance(pixels, OSError)
    }
    names = list(pictures)
    shares: dict[tuple[float, str], list[float | None]] = {}
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        number = settings.number(name)
        try:
            marked = embed_image(pictures[name], tiles.payload_of(number), key)
        except SynthmarkError:
            continue
        rng = np.random.default_rng(number)
        for patch, later, pixels, foreign in _patched(marked, pictures[other], rng):
            command.progress("map:", name, f"{patch:.0%}", later)
            hit = detect_image(pixels, key)
            share = None
            if hit.found:
                missing = locate_image(pixels, key, hit) < MISSING
                share = _agreement(missing, foreign) if patch else missing.mean()
            shares.setdefault((patch, later), []).append(share)
    command.progress()
    return [
        {"patch": patch, "later": later, "shares": values}
        for (patch, later), values in shares.items()
    ]


def render(rows: list[dict[str, Any]]) -> str:
    """Return the figures as two tables in Markdown."""
    whole, patched = [], []
    for row in rows:
        later = row["later"] or "nothing"
        read = [share for share in row["shares"] if share is not None]
        count = f"{len(read)} of {len(row['shares'])}"
        if not read:
            continue
        if row["patch"]:
            enough = sum(share >= ENOUGH for share in read)
            cells = f"{np.mean(read):.2f}", percent(enough, len(read))
            patched.append((f"{row['patch']:.0%}", later, count, *cells))
        else:
            middle, most = 100 * np.median(read), 100 * max(read)
            whole.append((later, count, f"{middle:.1f}", f"{most:.1f}"))
    return "\n\n".join(
        (
            "## A patch of another picture over part of a marked one",
            "Overlap of the pixels said to lack the mark and those that do, over their "
            "union (IoU).",
            table(
                ["patch", "then", "read", " mean IoU", f" IoU >= {ENOUGH}, %"], patched
            ),
            "## Nothing missing",
            "Share of a marked picture that is said to lack the mark.",
            table(["then", "read", " median, %", " most, %"], whole),
        )
    )


def _patched(
    marked: Pixels, other: Pixels, rng: np.random.Generator
) -> Iterator[tuple[float, str, Pixels, Mask]]:
    height, width = marked.shape[:2]
    foreign = cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA)
    for patch in PATCHES:
        rows, columns = (round(size * patch**0.5) for size in (height, width))
        top, left = (
            int(rng.integers(size - part + 1))
            for size, part in ((height, rows), (width, columns))
        )
        inside = np.s_[top : top + rows, left : left + columns]
        pixels = marked.copy()
        pixels[inside] = foreign[inside]
        mask = np.zeros((height, width), np.uint8)
        mask[inside] = 1
        for later, change in LATER.items():
            changed = change(pixels, rng)
            size = changed.shape[1::-1]
            covered = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST) > 0
            yield patch, later, changed, covered


def _agreement(found: Mask, true: Mask) -> float:
    return float(np.sum(found & true) / np.sum(found | true))


if __name__ == "__main__":
    sys.exit(main())
