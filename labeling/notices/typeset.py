"""Text as coverage masks, in the fonts that the package ships.

Latin letters are set larger than ideographs and lowered a little, so that capitals
span the same band from top to bottom as 生 does. A notice then reaches its legal
height without any character that is larger than it needs to be.

Words in Arabic and Hebrew letters are shaped, and stand from right to left among the
others (Unicode Bidirectional Algorithm, for lines that run from right to left).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

__all__ = [
    "BAND_EM",
    "DROP",
    "LATIN_SCALE",
    "TRACKING",
    "Line",
    "Mask",
    "Pixels",
    "can_shape",
    "face",
    "fit_lines",
    "missing_characters",
    "script_of",
    "set_line",
    "wrap",
]

Pixels = NDArray[np.uint8]
"""A picture, or a part of one."""

Mask = NDArray[np.float32]
"""Coverage of pixels by ink, 0 to 1, shape (height, width)."""

BAND_EM = 0.897
"""Height of 生, and of capitals as they are set, in em of the ideographs."""

DROP = 0.053
"""How far 生 goes below the baseline, in em; measured on the shipped font."""

LATIN_SCALE = BAND_EM / 0.737
"""What makes a capital, 0.737 em by itself, as tall as 生."""

TRACKING = 0.02
"""Space between characters, in em."""

# What a line break must not tear apart, with the marks that must not begin or end a
# line.
_ATOM = re.compile(
    r"[（《「『【(]*"
    r"(?:(?:人工智能|AI)?(?:生成|合成)+|人工智能|[A-Za-z0-9À-ÿ'’-]+|.)"
    r"[，。、：；！？）》」』】,.:;!?)]*\s*"
)


_RUN = re.compile(r"([\u0590-\u05ff]+|[\u0600-\u06ff]+)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One line of text as drawn.

    Parameters
    ----------
    mask : ndarray of float32, shape (height, width)
        Coverage, 0 to 1, cut to the ink.
    top, band : int
        First row and height, in pixels, of the band that capitals span; ideographs
        may reach a little beyond it at either end.
    glyphs : tuple of (str, int, int)
        Every visible character, or word that is shaped, with the first column of its
        ink and the one past its last.
    """

    mask: Mask
    top: int
    band: int
    glyphs: tuple[tuple[str, int, int], ...]

    def ink_height(self, characters: Collection[str]) -> int:
        """Return the least height in pixels of the ink of some of its characters.

        A row counts from the first to the last in which a pixel is at least half
        covered.
        """
        heights = []
        for character, left, right in self.glyphs:
            if character in characters:
                rows = np.flatnonzero(self.mask[:, left:right].max(axis=1) >= 0.5)
                heights.append(int(rows[-1] - rows[0]) + 1 if rows.size else 0)
        return min(heights, default=0)


def missing_characters(text: str) -> list[str]:
    """Return the characters of a text that the notice fonts cannot draw."""
    lacking = []
    for character in dict.fromkeys(text):
        font = face(32, script_of(character))
        if bytes(font.getmask(character)) == bytes(font.getmask("\uffff")):
            lacking.append(character)
    return lacking


def script_of(character: str) -> str:
    """Return ``"arabic"`` or ``"hebrew"``, and nothing for all other letters."""
    if not "\u0590" <= character < "\u0700":
        return ""
    return "hebrew" if character < "\u0600" else "arabic"


def can_shape() -> bool:
    """Tell whether letters that join, or run from right to left, can be set."""
    return bool(features.check("raqm"))


def set_line(text: str, em: float) -> Line:
    """Set one line of text.

    Parameters
    ----------
    text : str
        At least one visible character; all in the font.
    em : float
        Size of an ideograph, in pixels, at least 4.

    Returns
    -------
    Line
        The text, the foot of its band on a pixel boundary.
    """
    # Drawn much larger and averaged: no hinting, and the same on every platform.
    zoom = int(np.clip(np.ceil(192 / em), 4, 16))
    border = int(np.ceil(0.7 * em))
    band = round(BAND_EM * em)
    foot = (border + band) * zoom
    pen = float(border * zoom)
    glyphs = []
    for piece in _pieces(text):
        ideograph = ord(piece[0]) >= 0x2E80
        script = script_of(piece[0])
        font = face(em * zoom * (1 if ideograph else LATIN_SCALE), script)
        baseline = foot - (round(DROP * em * zoom) if ideograph else 0)
        way = "rtl" if script else None
        glyphs.append((piece, round(pen), baseline, font, way))
        pen += font.getlength(piece, direction=way) + TRACKING * em * zoom
    width, height = int(np.ceil(pen / zoom)) + border, band + 2 * border
    canvas = Image.new("L", (width * zoom, height * zoom))
    draw = ImageDraw.Draw(canvas)
    ends = []
    for piece, x, y, font, way in glyphs:
        draw.text((x, y), piece, font=font, fill=255, anchor="ls", direction=way)
        bitmap, offset = font.getmask2(piece, mode="L", anchor="ls", direction=way)
        if ink := bitmap.getbbox():
            left, right = x + offset[0] + ink[0], x + offset[0] + ink[2]
            ends.append((piece, left // zoom, -(-right // zoom)))
    small = cv2.resize(
        np.asarray(canvas), (width, height), interpolation=cv2.INTER_AREA
    )
    rows, columns = (np.flatnonzero(small.max(axis=axis)) for axis in (1, 0))
    x0, y0 = int(columns[0]), int(rows[0])
    inked = small[y0 : rows[-1] + 1, x0 : columns[-1] + 1]
    return Line(
        mask=np.divide(inked, 255, dtype=np.float32),
        top=border - y0,
        band=band,
        glyphs=tuple((c, max(left - x0, 0), right - x0) for c, left, right in ends),
    )


def _pieces(text: str) -> list[str]:
    """Return what is drawn from left to right: characters, and shaped words."""
    runs = [run for run in _RUN.split(text) if run]
    if len(runs) == 1 and not script_of(runs[0][0]):
        return [*text]
    pieces: list[str] = []
    for run in reversed(runs):
        pieces += [run] if script_of(run[0]) else run
    return pieces


def fit_lines(
    texts: Collection[str], required: Collection[str], ink_px: int
) -> list[Line]:
    """Set lines at the smallest size at which required characters are tall enough.

    Parameters
    ----------
    texts : collection of str
        The lines.
    required : collection of str
        The characters that count; where the lines have none of them, capitals do.
    ink_px : int
        Least height of their ink, in pixels.

    Returns
    -------
    list of Line
        The lines, with ``line.ink_height(required) >= ink_px`` in those that hold any.
    """
    counted = set(required) & set("".join(texts))
    em = ink_px / min([_ink_ratio(c) for c in counted], default=BAND_EM)
    while True:
        lines = [set_line(text, em) for text in texts]
        heights = [
            line.ink_height(counted)
            for line, text in zip(lines, texts, strict=True)
            if counted & set(text)
        ]
        if min(heights, default=ink_px) >= ink_px:
            return lines
        em *= 1 + 0.2 / ink_px


def wrap(text: str, lines: int) -> list[str]:
    """Break a text into lines of about equal width.

    Parameters
    ----------
    text : str
        The text.
    lines : int
        Number of lines, >= 1; fewer come back when there is no place to break.

    Returns
    -------
    list of str
        The lines, without spaces at their ends.
    """
    atoms = _ATOM.findall(text)
    lines = min(lines, len(atoms))
    widths = [sum(0.6 if c < "\u2e80" else 1.0 for c in atom) for atom in atoms]
    ends = [0, *itertools.accumulate(widths)]
    breaks = min(
        (
            (0, *inner, len(atoms))
            for inner in itertools.combinations(range(1, len(atoms)), lines - 1)
        ),
        key=lambda cut: max(ends[b] - ends[a] for a, b in itertools.pairwise(cut)),
    )
    return ["".join(atoms[a:b]).strip() for a, b in itertools.pairwise(breaks)]


@lru_cache(maxsize=1024)
def _ink_ratio(character: str) -> float:
    """Return the height of a character's ink in em of the ideographs."""
    _, top, _, bottom = face(1000).getbbox(character, anchor="ls")
    return (bottom - top) / 1000 * (1 if ord(character) >= 0x2E80 else LATIN_SCALE)


@lru_cache(maxsize=3)
def _font_bytes(script: str) -> bytes:
    name = f"synthmark-{script}.ttf" if script else "synthmark-notice.otf"
    return resources.files(__package__).joinpath("fonts", name).read_bytes()


@lru_cache(maxsize=32)
def face(size: float, script: str = "") -> ImageFont.FreeTypeFont:
    """Return the shipped font, or that of another script, at a size in pixels."""
    layout = ImageFont.Layout.RAQM if script else ImageFont.Layout.BASIC
    return ImageFont.truetype(BytesIO(_font_bytes(script)), size, layout_engine=layout)
