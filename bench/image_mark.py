"""Measure the invisible image mark on a folder of pictures, and print tables.

Run it from a checkout: ``python bench/image_mark.py FOLDER``.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import attacks
import cv2
import image_tables
import numpy as np
import PIL
from image_reads import Picture, Settings, measure
from numpy.typing import NDArray
from PIL import Image, ImageOps

import synthmark
from synthmark import SynthmarkError, detect_image

__all__ = ["main"]

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")

Pixels = NDArray[np.uint8]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    settings = Settings(
        attacks=options.attacks,
        seed=options.seed,
        strength=options.strength,
        unmarked=options.unmarked,
    )
    try:
        _warm_up(settings)
    except SynthmarkError as error:
        parser.error(str(error))
    pictures: list[Picture] = []
    refused: dict[str, str] = {}
    files = options.files[: options.limit]
    for index, path in enumerate(files, 1):
        progress = partial(_progress, f"{index}/{len(files)}")
        try:
            pictures.append(measure(path.name, _load(path), settings, progress))
        except (SynthmarkError, OSError) as error:
            refused[path.name] = str(error)
    _progress()
    if not pictures:
        reasons = "".join(f"\n{name}: {why}" for name, why in refused.items())
        print(f"no picture could be marked{reasons}", file=sys.stderr)
        return 1
    figures = image_tables.figures(pictures, refused, _about(settings))
    print(image_tables.render(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _load(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))


def _warm_up(settings: Settings) -> None:
    """Run everything that is timed or may be missing once, and forget the result."""
    scene = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    measure(
        "warm-up",
        cv2.resize(scene, (256, 192)).astype(np.uint8),
        Settings(
            attacks=("identity", "rot5_inside"),
            seed=settings.seed,
            strength=settings.strength,
            unmarked=True,
        ),
        _progress,
    )


def _progress(*words: str) -> None:
    """Show what is being done, on a terminal only; no words clear the line."""
    if sys.stderr.isatty():
        print("\r\033[K" + " ".join(words), end="", file=sys.stderr, flush=True)


def _about(settings: Settings) -> dict[str, Any]:
    blank = np.zeros((64, 64, 3), np.uint8)
    return {
        "scheme": detect_image(blank, settings.key(0)).scheme,
        "seed": settings.seed,
        "strength": settings.strength,
        "versions": {
            "synthmark": synthmark.__version__,
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            "OpenCV": cv2.__version__,
            "Pillow": PIL.__version__,
        },
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("files", type=_pictures, metavar="FOLDER", help="JPEG, PNG and WebP pictures")
    add("--attacks", type=_names, metavar="A,B", help="only these (default: all)")
    add("--limit", type=_whole(1), metavar="N", help="only the first N pictures")
    add("--seed", type=_whole(0), metavar="N", default=0, help="default: 0")
    add("--strength", type=float, default=1.0, help="of the mark (default: 1)")
    add("--json", type=_target, metavar="FILE", help="write the figures as JSON too")
    add("--unmarked", action="store_true", help="look for false alarms, at length")
    parser.set_defaults(attacks=tuple(attacks.ATTACKS))
    return parser


def _pictures(text: str) -> list[Path]:
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{folder} is not a folder")
    files = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    if not files:
        kinds = ", ".join(SUFFIXES)
        raise argparse.ArgumentTypeError(f"{folder} has no pictures ({kinds})")
    return sorted(files)


def _names(text: str) -> tuple[str, ...]:
    chosen = set(text.split(","))
    unknown = ", ".join(sorted(chosen - set(attacks.ATTACKS)))
    if unknown:
        known = ", ".join(attacks.ATTACKS)
        raise argparse.ArgumentTypeError(f"no attack {unknown}; there are: {known}")
    return tuple(name for name in attacks.ATTACKS if name in chosen)


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text} is not a whole number from {least} up"
            )
        return int(text)

    return parse


def _target(text: str) -> Path:
    path = Path(text)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{path.parent} is not a folder")
    return path


if __name__ == "__main__":
    sys.exit(main())
