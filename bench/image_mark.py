"""Measure the invisible image mark on a folder of pictures, and print tables.

Run it from a checkout: ``python bench/image_mark.py FOLDER``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import image_figures
import image_tables
import numpy as np
import published
from attacks import ATTACKS, CURVES, GROUPS, PAIRS
from image_reads import Picture, Settings, measure

from synthmark import SynthmarkError, detect_image

__all__ = ["SETS", "main", "run"]

SETS = {
    "table": tuple(name for names in GROUPS.values() for name in names),
    "pairs": PAIRS,
    "curves": tuple(name for curve in CURVES for name in curve.points.values()),
    "published": published.ATTACKS,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command.parser(__doc__.partition("\n")[0])
    add = parser.add_argument
    sets = f"by name, or {', '.join(SETS)} (default: table)"
    add("--attacks", type=_names, metavar="A,B", default=SETS["table"], help=sets)
    add("--strength", type=float, default=1.0, help="of the mark (default: 1)")
    add("--unmarked", action="store_true", help="look for false alarms, at length")
    add("--calibrate", action="store_true", help="look at p-values without a mark")
    add("--json", type=command.target, metavar="FILE", help="write the figures too")
    options = parser.parse_args(arguments)
    settings = Settings(
        attacks=options.attacks,
        seed=options.seed,
        strength=options.strength,
        unmarked=tuple(dict.fromkeys(("identity", *options.attacks)))
        if options.unmarked
        else (),
        calibrate=options.calibrate,
    )
    try:
        figures = run(options.files[: options.limit], settings)
    except SynthmarkError as error:
        parser.error(str(error))
    print(image_tables.render(figures))
    if options.json:
        command.write(figures, options.json)
    return 0


def run(files: Sequence[Path], settings: Settings) -> dict[str, Any]:
    """Measure pictures; return `image_figures.figures`.

    Raises
    ------
    SynthmarkError
        The strength is out of range.
    SystemExit
        No picture could be marked.
    """
    # Everything that is timed or may be missing runs once before.
    warm = Settings(
        attacks=("identity", "rot5_inside"),
        seed=settings.seed,
        strength=settings.strength,
        unmarked=("identity",),
    )
    measure("warm-up", command.draw(), warm)
    pictures: list[Picture] = []
    refused: dict[str, str] = {}
    for name, pixels in command.load(files):
        try:
            if isinstance(pixels, OSError):
                raise pixels
            pictures.append(measure(name, pixels, settings))
        except (SynthmarkError, OSError) as error:
            refused[name] = str(error)
    if not pictures:
        reasons = "".join(f"\n{name}: {why}" for name, why in refused.items())
        raise SystemExit(f"no picture could be marked{reasons}")
    return image_figures.figures(pictures, refused, _about(settings))


def _about(settings: Settings) -> dict[str, Any]:
    blank = np.zeros((64, 64, 3), np.uint8)
    return {
        "scheme": detect_image(blank, settings.key(0)).scheme,
        "seed": settings.seed,
        "strength": settings.strength,
        **command.about(),
    }


def _names(text: str) -> tuple[str, ...]:
    chosen: set[str] = set()
    for word in text.split(","):
        chosen.update(SETS.get(word, (word,)))
    unknown = ", ".join(sorted(chosen - set(ATTACKS)))
    if unknown:
        known = ", ".join((*SETS, *ATTACKS))
        raise argparse.ArgumentTypeError(f"no attack {unknown}; there are: {known}")
    return tuple(name for name in ATTACKS if name in chosen)


if __name__ == "__main__":
    sys.exit(main())
