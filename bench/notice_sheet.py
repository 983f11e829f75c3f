"""Draw the notice in every place and style on eight kinds of pictures, on one sheet.

Run it from a checkout: ``python bench/notice_sheet.py -o sheet.png``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import command
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthmark.labeling.errors import TooSmallForNotice
from synthmark.labeling.notices.image import draw
from synthmark.labeling.notices.logo import Logo, read_logo
from synthmark.labeling.notices.typeset import face
from synthmark.labeling.notices.wording import WORDINGS

__all__ = ["kinds", "logo", "looks", "main"]

Pixels = NDArray[np.uint8]

CELL = 440  # pixels, the longest side of a picture on the sheet
GAP = 24
HEAD = 44
PAPER = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("files", type=command.pictures, metavar="FOLDER", nargs="?", default=())
    add("-o", "--output", type=command.target, metavar="FILE", required=True)
    add("--scale", type=float, default=1.0, help="of the sheet; default: 1")
    options = parser.parse_args(arguments)
    pictures = dict(kinds()) if not options.files else dict(_reduced(options.files))
    sheet = _sheet(pictures)
    size = tuple(round(n * options.scale) for n in sheet.shape[1::-1])
    shown = cv2.resize(sheet, size, interpolation=cv2.INTER_AREA)
    Image.fromarray(shown).save(options.output, quality=85)
    return 0


def looks() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what is drawn: a name, the wording, and the other arguments of `draw`."""
    zh, en = WORDINGS["zh"], WORDINGS["en"]
    sign = logo()
    yield "bottom-right", zh, {}
    yield "bottom-left", en, {"corner": "bottom-left"}
    yield "top-right", en, {"corner": "top-right"}
    yield "top-left, feed", zh, {"corner": "top-left", "safe_area": "feed"}
    yield "top", en, {"corner": "top"}
    yield "bottom, player", zh, {"corner": "bottom", "safe_area": "player"}
    yield "left, column", zh, {"corner": "left", "vertical": True}
    yield "right, column", en, {"corner": "right", "vertical": True}
    yield "logo", zh, {"logo": sign}
    yield "top-left, logo", en, {"corner": "top-left", "logo": sign}
    yield "column, logo", zh, {"vertical": True, "logo": sign}
    yield "auto, long", "本图片由人工智能生成，请注意甄别", {"corner": "auto"}


def logo() -> Logo:
    """Return a logo made for looking at: a ring and a wedge, blue on nothing."""
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    radius, turn = np.hypot(x, y), np.arctan2(y, x)
    ring = (radius < 0.95) & (radius > 0.62)
    wedge = (radius < 0.45) & (np.abs(turn) < 2.3)
    sign = np.zeros((256, 256, 4), np.uint8)
    sign[..., :3] = (64, 132, 255)
    sign[..., 3] = 255 * (ring | wedge)
    return read_logo(sign)


def kinds() -> Iterator[tuple[str, Pixels]]:
    """Yield eight kinds of pictures, each with its name."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:1:330j, 0:1:440j]
    light = 250 - 34 * y[..., None] * np.array([1.0, 0.7, 0.3])
    yield "light", light.astype(np.uint8)
    dark = 26 + 30 * np.exp(-6 * ((x - 0.3) ** 2 + y**2))[..., None] * np.array(
        [0.5, 0.8, 1.6]
    )
    yield "dark", dark.astype(np.uint8)
    grain = rng.integers(0, 256, (42, 56, 3), dtype=np.uint8)
    yield "busy", np.asarray(cv2.resize(grain, (440, 330)), np.uint8)
    yield "portrait", _portrait()
    hills = np.zeros((140, 440, 3), np.uint8)
    hills[:] = (150, 190, 225)
    for level, color in (
        (70, (110, 140, 120)),
        (95, (70, 105, 80)),
        (118, (40, 70, 50)),
    ):
        ridge = level + 14 * np.sin(np.arange(440) / (17 + level / 4) + level)
        hills[np.arange(140)[:, None] > ridge] = color
    yield "panorama", hills
    small = rng.integers(40, 220, (4, 4, 3), dtype=np.uint8)
    yield "tiny", np.asarray(cv2.resize(small, (72, 64)), np.uint8)
    disk = np.zeros((400, 400, 4), np.uint8)
    disk[..., :3] = np.linspace(230, 120, 400)[:, None, None] * np.array([0.7, 0.5, 1])
    cv2.circle(disk, (200, 200), 180, (0, 0, 0, 0), -1)
    inside = np.hypot(*(np.indices((400, 400)) - 199.5)) < 180
    disk[..., :3][inside] = (96, 170, 160)
    disk[..., 3] = 255 * inside
    yield "circle", disk
    yield "comic", _comic()


def _portrait() -> Pixels:
    """Return a head before a wall."""
    picture = np.full((440, 320, 3), (196, 186, 172), np.uint8)
    cv2.ellipse(picture, (160, 470), (150, 170), 0, 0, 360, (60, 70, 96), -1)
    cv2.ellipse(picture, (160, 190), (86, 112), 0, 0, 360, (58, 40, 34), -1)
    cv2.ellipse(picture, (160, 206), (70, 94), 0, 0, 360, (222, 176, 150), -1)
    for eye in (132, 188):
        cv2.circle(picture, (eye, 196), 8, (40, 30, 30), -1)
    cv2.ellipse(picture, (160, 252), (24, 9), 0, 0, 180, (150, 60, 60), 3)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.uint8)


def _comic() -> Pixels:
    """Return flat panels with outlines and lines of writing."""
    picture = np.full((360, 440, 3), 255, np.uint8)
    colors = ((255, 214, 64), (90, 190, 240), (240, 110, 90), (150, 210, 110))
    for index, color in enumerate(colors):
        left, top = 8 + index % 2 * 216, 8 + index // 2 * 176
        cv2.rectangle(picture, (left, top), (left + 208, top + 168), color, -1)
        cv2.rectangle(picture, (left, top), (left + 208, top + 168), (0, 0, 0), 4)
        cv2.ellipse(
            picture, (left + 104, top + 40), (84, 28), 0, 0, 360, (255,) * 3, -1
        )
        cv2.ellipse(picture, (left + 104, top + 40), (84, 28), 0, 0, 360, (0,) * 3, 2)
        for row in (32, 46):
            cv2.line(
                picture, (left + 52, top + row), (left + 156, top + row), (0,) * 3, 4
            )
    return picture


def _reduced(files: Sequence[Path]) -> Iterator[tuple[str, Pixels]]:
    """Yield the pictures of a folder as large as they can be shown."""
    for name, pixels in command.load(files):
        if isinstance(pixels, OSError):
            print(f"{name}: {pixels}", file=sys.stderr)
            continue
        scale = min(CELL / max(pixels.shape[:2]), 1)
        size = tuple(max(1, round(n * scale)) for n in pixels.shape[1::-1])
        yield name, np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _sheet(pictures: dict[str, Pixels]) -> Pixels:
    styles = list(looks())
    step = CELL + GAP
    height = HEAD + sum(picture.shape[0] + GAP for picture in pictures.values())
    sheet = np.full((height, GAP + len(styles) * step, 3), 244, np.uint8)
    for column, (name, _, _) in enumerate(styles):
        _write(sheet, name, GAP + column * step, 8)
    top = HEAD
    for picture in pictures.values():
        for column, (_, text, options) in enumerate(styles):
            try:
                drawn, _ = draw(picture, text, **options)
            except TooSmallForNotice as error:
                print(error, file=sys.stderr)
                drawn = picture
            shown = _on_paper(drawn)
            left = GAP + column * step + (CELL - shown.shape[1]) // 2
            sheet[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
        top += picture.shape[0] + GAP
    return sheet


def _write(sheet: Pixels, text: str, left: int, top: int) -> None:
    mask = face(24.0).getmask(text)
    ink = np.array(mask, np.float32).reshape(mask.size[::-1])[..., None] / 255
    area = sheet[top : top + ink.shape[0], left : left + ink.shape[1]]
    area[...] = area * (1 - ink) + 40 * ink


def _on_paper(pixels: Pixels) -> Pixels:
    """Return a picture as seen on squares of two greys where it is transparent."""
    if pixels.shape[2] == 3:
        return pixels
    y, x = np.indices(pixels.shape[:2])
    paper = PAPER + 30 * np.asarray((x // 12 + y // 12) % 2)[..., None]
    alpha = pixels[..., 3:] / 255
    seen = pixels[..., :3] * alpha + paper * (1 - alpha)
    return np.asarray(np.rint(seen), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
