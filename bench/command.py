"""What the commands share: their arguments, the pictures they name, their progress."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

__all__ = [
    "about",
    "draw",
    "load",
    "parser",
    "pictures",
    "progress",
    "target",
    "write",
]

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")

Pixels = NDArray[np.uint8]


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of the arguments that every command about pictures has."""
    made = argparse.ArgumentParser(description=description)
    add = made.add_argument
    add("files", type=pictures, metavar="FOLDER", help="JPEG, PNG and WebP pictures")
    add("--limit", type=_whole(1), metavar="N", help="only the first N pictures")
    add("--seed", type=_whole(0), metavar="N", default=0, help="default: 0")
    return made


def pictures(text: str) -> list[Path]:
    """Parse an argument: a folder with pictures."""
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{folder} is not a folder")
    files = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    if not files:
        kinds = ", ".join(SUFFIXES)
        raise argparse.ArgumentTypeError(f"{folder} has no pictures ({kinds})")
    return sorted(files)


def target(text: str) -> Path:
    """Parse an argument: a file that can be written."""
    path = Path(text)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{path.parent} is not a folder")
    return path


def write(figures: Mapping[str, Any], path: Path) -> None:
    """Write figures as JSON."""
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def load(files: Sequence[Path]) -> Iterator[tuple[str, Pixels | OSError]]:
    """Yield each picture's name and its RGB levels, upright, or why there are none."""
    for index, path in enumerate(files, 1):
        progress(f"{index}/{len(files)} {path.name}")
        try:
            with Image.open(path) as image:
                pixels = np.array(ImageOps.exif_transpose(image).convert("RGB"))
        except OSError as error:
            yield path.name, error
        else:
            yield path.name, pixels
    progress()


def draw() -> Pixels:
    """Return a small picture to warm up on."""
    scene = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    return cv2.resize(scene, (288, 256)).astype(np.uint8)


def progress(*words: str) -> None:
    """Show what is being done, on a terminal only; no words clear the line."""
    if sys.stderr.isatty():
        print("\r\033[K" + " ".join(words), end="", file=sys.stderr, flush=True)


def about(*packages: str) -> dict[str, Any]:
    """Return the machine and the versions of everything that computes."""
    return {
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {
            "Python": platform.python_version(),
            "OpenCV": cv2.__version__,
            **{name: version(name) for name in ("synthmark", "numpy", "pillow")},
            **{name: version(name) for name in packages},
        },
    }


def _whole(least: int) -> Callable[[str], int]:
    """Return what parses an argument: a whole number from `least` up."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text} is not a whole number from {least} up"
            )
        return int(text)

    return parse
