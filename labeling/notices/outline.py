"""Text as outlines of its letters, which need no font where they are shown.

The letters stand as `typeset` sets them: Latin ones larger than ideographs, so that
both span the same band.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import Any

from .typeset import DROP, LATIN_SCALE, TRACKING

__all__ = ["advance", "ink_height", "outline"]


def advance(text: str, em: float) -> float:
    """Return the width of a line.

    Parameters
    ----------
    text : str
        All in the font of the notices.
    em : float
        Size of an ideograph.
    """
    _, widths, units = _font()
    widest = sum(widths(character) * _scale(character) for character in text)
    return float(widest / units + TRACKING * len(text)) * em


def ink_height(characters: Collection[str], em: float) -> float:
    """Return the least height of the ink of some characters."""
    from fontTools.pens.boundsPen import BoundsPen

    glyph, _, units = _font()
    heights: list[float] = []
    for character in characters:
        pen = BoundsPen(None)
        glyph(character).draw(pen)
        _, low, _, high = pen.bounds
        heights.append((high - low) / units * _scale(character) * em)
    return float(min(heights))


def outline(text: str, em: float, left: float, foot: float) -> str:
    """Return a line as the data of an SVG path.

    Parameters
    ----------
    text : str
        All in the font of the notices.
    em : float
        Size of an ideograph.
    left, foot : float
        Where it begins, and the lower end of its capitals; y runs down.
    """
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen

    glyph, widths, units = _font()
    pen = SVGPathPen(None, ntos=lambda value: f"{value:.1f}".removesuffix(".0"))
    x = left
    for character in text:
        scale = em / units * _scale(character)
        y = foot - (DROP * em if _is_ideograph(character) else 0)
        glyph(character).draw(TransformPen(pen, (scale, 0, 0, -scale, x, y)))
        x += widths(character) * scale + TRACKING * em
    return str(pen.getCommands())


def _is_ideograph(character: str) -> bool:
    return character >= "\u2e80"


def _scale(character: str) -> float:
    return 1 if _is_ideograph(character) else LATIN_SCALE


@lru_cache(maxsize=1)
def _font() -> tuple[Any, Any, float]:
    """Return the glyph and the width of a character, and the units of an em."""
    from fontTools.ttLib import TTFont

    file = resources.files(__package__).joinpath("fonts", "synthmark-notice.otf")
    font = TTFont(BytesIO(file.read_bytes()))
    names, glyphs = font.getBestCmap(), font.getGlyphSet()
    metrics = font["hmtx"]
    return (
        lambda character: glyphs[names[ord(character)]],
        lambda character: metrics[names[ord(character)]][0],
        font["head"].unitsPerEm,
    )
