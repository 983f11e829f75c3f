"""Find the notice of an SVG drawing: the element, or a text that says as much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from .drawing import CLASS, SPACE, TEXT_SIDE, Area, contrast, is_drawn
from .phrase import has_elements, is_notice
from .wording import MAX_LENGTH

__all__ = ["FoundDrawnNotice", "SpelledText", "find_elements", "find_texts"]

_EDGE = 0.125
_IDEOGRAPH_INK = 0.88
_HEAD = re.compile(
    rf'<svg xmlns="{SPACE}" class="{CLASS}" x="([^"]*)" y="([^"]*)" '
    r'width="([^"]*)" height="([^"]*)" viewBox="0 0 (\d+(?:\.\d+)?) \5" '
    r'preserveAspectRatio="(x\w{3}Y\w{3}) meet" role="img" aria-label="([^"]*)"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpelledText:
    """A text in a drawing that is set by whoever shows it.

    Parameters
    ----------
    text : str
    x, y, size : float
        Where it begins, and the size of its font, in the units of the area.
    """

    text: str
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDrawnNotice:
    """A notice found in a drawing.

    Parameters
    ----------
    text : str
        What it says.
    ink_height_px : float
        Height of the shortest required character, at the drawing's own size.
    height_fraction : float
        The same by shorter side.
    contrast : float or None
        Of the text to its plate, at least; None where it has none.
    place : str
        The edge or corner that it stands at, or "inside".
    outlined : bool
        Whether it is one of synthmark's; for others, size and place are as written.
    """

    text: str
    ink_height_px: float
    height_fraction: float
    contrast: float | None
    place: str
    outlined: bool


def find_elements(elements: Sequence[str], area: Area) -> Iterator[FoundDrawnNotice]:
    """Yield the notices among elements that are known by their class.

    One that has been changed, or reaches out of what is shown, is none.

    Parameters
    ----------
    elements : list of str
        As they are written.
    area : Area
        What is shown of the drawing.
    """
    for element in elements:
        if not (head := _HEAD.match(element)):
            continue
        corner, box = _corner(head[6]), _box(head, area)
        text, side = unescape(head[7]), float(head[5])
        if corner is None or box is None or not side or len(text) > MAX_LENGTH:
            continue
        if not has_elements(text) or not is_drawn(element, text, side, corner):
            continue
        fraction = TEXT_SIDE / side * min(box) / area.short
        yield FoundDrawnNotice(
            text=text,
            ink_height_px=fraction * area.short_px,
            height_fraction=fraction,
            contrast=contrast(),
            place=corner,
            outlined=True,
        )


def find_texts(texts: Sequence[SpelledText], area: Area) -> Iterator[FoundDrawnNotice]:
    """Yield the notices among the texts of a drawing."""
    for one in texts:
        text = " ".join(one.text.split())
        if not is_notice(text):
            continue
        across = (one.x - area.x) / area.width
        down = (one.y - area.y) / area.height
        if not (0 <= across <= 1 and 0 <= down <= 1):
            continue
        fraction = _IDEOGRAPH_INK * one.size / area.short
        if not 0 < fraction <= 1:
            continue
        # A line that ends at the right edge begins well before it.
        ends = across + one.size * len(text) / area.width
        yield FoundDrawnNotice(
            text=text,
            ink_height_px=fraction * area.short_px,
            height_fraction=fraction,
            contrast=None,
            place=_place(across, ends, down),
            outlined=False,
        )


def _corner(alignment: str) -> str | None:
    across = {"xMin": "left", "xMid": "", "xMax": "right"}.get(alignment[:4])
    down = {"YMin": "top", "YMid": "", "YMax": "bottom"}.get(alignment[4:])
    if across is None or down is None:
        return None
    return "-".join(filter(None, (down, across))) or None


def _box(head: re.Match[str], area: Area) -> tuple[float, float] | None:
    """Return the sides of an element that lies in what is shown; else None."""
    try:
        x, y = float(head[1]), float(head[2])
        width, height = (
            whole if written == "100%" else float(written)
            for written, whole in zip(
                (head[3], head[4]), (area.width, area.height), strict=True
            )
        )
    except ValueError:
        return None
    slack = 1e-3 * max(area.width, area.height)
    inside = (
        x >= area.x - slack
        and y >= area.y - slack
        and x + width <= area.x + area.width + slack
        and y + height <= area.y + area.height + slack
    )
    return (width, height) if inside and min(width, height) > 0 else None


def _place(across: float, ends: float, down: float) -> str:
    side = "left" if across < _EDGE else "right" if ends > 1 - _EDGE else ""
    edge = "top" if down < _EDGE else "bottom" if down > 1 - _EDGE else ""
    return "-".join(filter(None, (edge, side))) or "inside"
