"""The notice of an SVG drawing: outlines on a plate in a corner, as an element.

The element is a drawing in the drawing, as large as that and with a square of its own
units in it, which is laid into a corner. So the text has its share of the shorter side
at every size and shape at which a drawing is shown, also where it does not say its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..errors import TooSmallForNotice
from .block import Setting, settings
from .outline import advance, ink_height, outline
from .place import MARGIN, MIN_HEIGHT_FRACTION
from .plate import DARK
from .typeset import BAND_EM, missing_characters, script_of
from .wording import check_wording, required_characters, segments

__all__ = [
    "CLASS",
    "SPACE",
    "TEXT_SIDE",
    "Area",
    "DrawnNotice",
    "contrast",
    "draw_element",
    "is_drawn",
]

CLASS = "aigc-notice"
"""What the element is known by."""

SPACE = "http://www.w3.org/2000/svg"
TEXT_SIDE = 50.0
"""Text height, in the units of the square."""
# By text height.
_PADDING_X, _PADDING_Y, _LEADING, _SMALL_LEADING = 0.62, 0.5, 0.42, 0.32
_RADIUS, _HAIRLINE = 0.5, 1 / 22
_SMALL_EM = (0.45, 0.66)
# What lies under the plate cannot be seen here, and cannot be blurred: it is thicker.
_OPACITY = 0.88
_STILL = (
    "display:inline!important;visibility:visible!important;opacity:1!important;"
    "filter:none!important;mask:none!important;clip-path:none!important;"
    "transform:none!important;"
)
_ALIGN = {"left": "xMin", "right": "xMax", "top": "YMin", "bottom": "YMax"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What is shown of a drawing.

    Parameters
    ----------
    x, y, width, height : float
        In its own units.
    short : float
        Shorter side of what is shown, in the units of its height; more than the
        drawing's where there is an empty margin.
    short_px : float
        The same in pixels, at its own size.
    elastic : bool
        Whether the area is all that there is room for, and not a part of it.
    """

    x: float
    y: float
    width: float
    height: float
    short: float
    short_px: float
    elastic: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnNotice:
    """A notice as it was drawn.

    Parameters
    ----------
    element : str
        To be the last one in the drawing.
    text : str
        What it says.
    corner : str
    height_fraction : float
        Height of the shortest required character by shorter side.
    contrast : float
        Of the text to the plate, whatever is under that, at least (WCAG 2.2).
    """

    element: str
    text: str
    corner: str
    height_fraction: float
    contrast: float


def draw_element(
    text: str,
    area: Area,
    *,
    corner: str = "bottom-right",
    height_fraction: float = MIN_HEIGHT_FRACTION,
    styled: bool = False,
) -> DrawnNotice:
    """Draw a notice.

    Parameters
    ----------
    text : str
        The wording; a translation from right to left is left out.
    area : Area
        What is shown of the drawing.
    corner : str, optional
        An edge or corner; ``"auto"`` is the usual one.
    height_fraction : float, optional
        Least text height by shorter side.
    styled : bool, optional
        Whether the drawing has styles, which the notice then withstands.

    Raises
    ------
    UsageError
        The wording lacks an element, or cannot be drawn.
    TooSmallForNotice
        There is no room for the notice.
    """
    check_wording(text)
    primary, translation = segments(text)
    if any(map(script_of, translation)):
        text = primary
    corner = "bottom-right" if corner == "auto" else corner
    least = min(area.width, area.height)
    side = round(TEXT_SIDE / height_fraction * least / area.short, 2)
    room = (side * area.width / least, side * area.height / least)
    for setting in settings(text):
        inside, width, height = _inside(setting, side, corner, styled=styled)
        margin = 2 * MARGIN * TEXT_SIDE
        if width + margin <= room[0] and height + margin <= room[1]:
            break
    else:
        raise TooSmallForNotice(
            "the drawing is too narrow for a legible notice",
            hint="Draw it wider, or use a shorter wording.",
        )
    sides = ("100%", "100%")
    if not area.elastic:
        sides = (f"{area.width:.6g}", f"{area.height:.6g}")
    element = (
        f'<svg xmlns="{SPACE}" class="{CLASS}" x="{area.x:.6g}" y="{area.y:.6g}" '
        f'width="{sides[0]}" height="{sides[1]}" viewBox="0 0 {side:g} {side:g}" '
        f'preserveAspectRatio="{_alignment(corner)} meet" role="img" '
        f'aria-label="{_ascii(setting.text)}"{_style(styled)}>{inside}</svg>'
    )
    return DrawnNotice(
        element=element,
        text=setting.text,
        corner=corner,
        height_fraction=height_fraction,
        contrast=contrast(),
    )


def is_drawn(element: str, text: str, side: float, corner: str) -> bool:
    """Tell whether an element ends as `draw_element` would draw it.

    Parameters
    ----------
    element : str
    text : str
        What it should say.
    side : float
        Of the square that it stands in.
    corner : str
    """
    if missing_characters(text) or any(map(script_of, text)):
        return False
    return any(
        element.endswith(f"{_style(styled)}>{inside}</svg>")
        for setting in settings(text)
        for styled in (False, True)
        for inside, *_ in [_inside(setting, side, corner, styled=styled)]
    )


def contrast() -> float:
    """Return the contrast of the text to its plate over a white ground (WCAG 2.2)."""
    level: float = (DARK.plate[0] * _OPACITY + 255 * (1 - _OPACITY)) / 255
    linear = ((level + 0.055) / 1.055) ** 2.4
    return float(round(1.05 / (linear + 0.05), 2))


def _inside(
    setting: Setting, side: float, corner: str, *, styled: bool
) -> tuple[str, float, float]:
    """Return plate and letters, and the size of the plate."""
    required = required_characters(setting.text)
    em = TEXT_SIDE / ink_height(required, 1)
    band = BAND_EM * em
    widths = [advance(line, em) for line in setting.lines]
    widest = max(widths)
    small = 0.0
    if setting.translation:
        low, high = _SMALL_EM
        natural = advance(setting.translation, em)
        small = em * min(max(widest / natural, low), high)
        widest = max(widest, advance(setting.translation, small))
    width = widest + 2 * _PADDING_X * TEXT_SIDE
    foot = _PADDING_Y * TEXT_SIDE
    set_lines = []
    for line, length in zip(setting.lines, widths, strict=True):
        foot += band
        set_lines.append((line, em, (width - length) / 2, foot))
        foot += _LEADING * TEXT_SIDE
    foot -= _LEADING * TEXT_SIDE
    if setting.translation:
        foot += _SMALL_LEADING * TEXT_SIDE + BAND_EM * small
        length = advance(setting.translation, small)
        set_lines.append((setting.translation, small, (width - length) / 2, foot))
    height = foot + _PADDING_Y * TEXT_SIDE
    x, y = _spot(corner, side, width, height)
    color = "#{:02x}{:02x}{:02x}"
    plate, ink = color.format(*DARK.plate), color.format(*DARK.ink)
    line_width = _HAIRLINE * TEXT_SIDE
    rect = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{_RADIUS * TEXT_SIDE:g}"'
        + _paint(styled, fill=plate, opacity=_OPACITY, stroke=ink, width=line_width)
        + "/>"
    )
    data = "".join(
        outline(one, size, x + at, y + low) for one, size, at, low in set_lines
    )
    letters = f'<path d="{data}"' + _paint(styled, fill=ink) + "/>"
    return rect + letters, width, height


def _paint(
    styled: bool,
    *,
    fill: str,
    opacity: float = 1,
    stroke: str = "none",
    width: float = 0,
) -> str:
    paints = {
        "fill": fill,
        "fill-opacity": f"{opacity:g}",
        "fill-rule": "nonzero",
        "stroke": stroke,
        "stroke-opacity": "0.3",
        "stroke-width": f"{width:.3g}",
        "stroke-dasharray": "none",
    }
    if not styled:
        return "".join(f' {name}="{value}"' for name, value in paints.items())
    kept = "".join(f"{name}:{value}!important;" for name, value in paints.items())
    return f' style="{_STILL}{kept}"'


def _style(styled: bool) -> str:
    return f' style="{_STILL}"' if styled else ' visibility="visible"'


def _spot(corner: str, side: float, width: float, height: float) -> tuple[float, float]:
    gap = MARGIN * TEXT_SIDE
    x = gap if "left" in corner else side - gap - width
    y = gap if "top" in corner else side - gap - height
    if corner in ("top", "bottom"):
        x = (side - width) / 2
    if corner in ("left", "right"):
        y = (side - height) / 2
    return x, y


def _alignment(corner: str) -> str:
    across = next((_ALIGN[s] for s in ("left", "right") if s in corner), "xMid")
    down = next((_ALIGN[s] for s in ("top", "bottom") if s in corner), "YMid")
    return across + down


def _ascii(text: str) -> str:
    return escape(text, quote=False).encode("ascii", "xmlcharrefreplace").decode()
