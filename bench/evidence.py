"""Remake every figure, table and plot on the image mark that the documentation shows.

Run it from a checkout: ``python bench/evidence.py FOLDER -o docs/figures``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import image_mark
import image_tables
import peers
from attacks import ATTACKS
from image_reads import Settings

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command.parser(__doc__.partition("\n")[0])
    parser.add_argument(
        "-o", "--output", type=_folder, metavar="DIR", required=True, help="for all"
    )
    options = parser.parse_args(arguments)
    try:
        from image_plots import PLOTS
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"{error.name} is missing: pip install 'synthmark[bench]'"
        ) from error
    files, output = options.files[: options.limit], options.output
    settings = Settings(
        attacks=tuple(ATTACKS),
        seed=options.seed,
        strength=1.0,
        unmarked=image_mark.SETS["table"],
        calibrate=True,
    )
    figures = image_mark.run(files, settings)
    plots = {}
    for title, draw in PLOTS.items():
        plots[title] = f"image-mark-{title.lower()}.svg"
        draw(figures, output / plots[title])
    _write(output / "image-mark", figures, image_tables.render(figures, plots))
    beside = peers.run(files, options.seed)
    _write(output / "image-peers", beside, peers.render(beside))
    return 0


def _write(place: Path, figures: Mapping[str, Any], page: str) -> None:
    command.write(figures, place.with_suffix(".json"))
    place.with_suffix(".md").write_text(page + "\n", encoding="utf-8")


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is not a folder")
    return path


if __name__ == "__main__":
    sys.exit(main())
