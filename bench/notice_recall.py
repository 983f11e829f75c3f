"""Measure whether notices are found again, and none where there is none.

Run it from a checkout: ``python bench/notice_recall.py FOLDER``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import clock

# isort: split
import changes
import command
import numpy as np
from notice_sheet import looks
from numpy.typing import NDArray
from report import percent, table, upper_bound

from synthmark.labeling.errors import TooSmallForNotice
from synthmark.labeling.notices.find import find
from synthmark.labeling.notices.image import Notice, draw

__all__ = ["main"]

Pixels = NDArray[np.uint8]

AFTER = {
    "as drawn": changes.same,
    "JPEG 50": changes.jpeg(50),
    "half the size": changes.scale(0.5),
    "both": changes.chain(changes.scale(0.5), changes.jpeg(50)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command.parser(__doc__.partition("\n")[0])
    parser.add_argument("--json", type=command.target, metavar="FILE")
    options = parser.parse_args(arguments)
    styles = list(looks())
    found: Counter[tuple[str, str]] = Counter()
    drawn: Counter[str] = Counter()
    false: dict[str, list[str]] = {way: [] for way in AFTER}
    missed, least, looked, spent = [], [], 0, 0.0
    for name, pixels in command.load(options.files[: options.limit]):
        if isinstance(pixels, OSError):
            print(f"{name}: {pixels}", file=sys.stderr)
            continue
        looked += 1
        rng = np.random.default_rng(options.seed)
        for way, change in AFTER.items():
            hits, ms = clock.timed(find, change(pixels, rng))
            spent += ms
            false[way] += [f"{name}: {hit.text}" for hit in hits]
        for style, text, look in styles:
            command.progress(name, style)
            try:
                shown, notice = draw(pixels, text, **look)
            except TooSmallForNotice:
                continue
            drawn[style] += 1
            least.append(notice.contrast)
            for way, change in AFTER.items():
                hit = _is_found(change(shown, rng), pixels, notice)
                found[style, way] += hit
                if not hit:
                    missed.append(f"{name}, {style}, {way}")
    command.progress()
    rows: list[list[Any]] = [
        [style, drawn[style], *(found[style, way] for way in AFTER)]
        for style, _, _ in styles
    ]
    total = sum(drawn.values())
    shares = [
        percent(sum(found[style, way] for style, _, _ in styles), total)
        for way in AFTER
    ]
    rows.append(["share, %", total, *shares])
    print(table(("notice", " drawn", *(f" {way}" for way in AFTER)), rows))
    print("\nMissed:", "; ".join(missed) or "none")
    alarms = [
        [way, looked, len(hits), f"{100 * upper_bound(len(hits), looked):.0f} %"]
        for way, hits in false.items()
    ]
    print("\n" + table(("unmarked", " pictures", " alarms", " 95 % bound"), alarms))
    for names in false.values():
        print(*names, sep="\n", end="\n" if names else "")
    spent /= looked * len(AFTER)
    print(f"\nLeast contrast: {min(least):.2f}. Search: {spent:.0f} ms.")
    if options.json:
        figures = {"about": command.about(), "found": rows, "false": false}
        command.write(figures | {"missed": missed}, options.json)
    return 0


def _is_found(seen: Pixels, pixels: Pixels, notice: Notice) -> bool:
    """Tell whether a notice is found within its plate, and tall enough."""
    scale = seen.shape[0] / pixels.shape[0]
    box = notice.box
    for one in find(seen):
        x = (one.box.left + one.box.width / 2) / scale
        y = (one.box.top + one.box.height / 2) / scale
        within = (
            box.left < x < box.left + box.width and box.top < y < box.top + box.height
        )
        if within and one.tall_enough:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
