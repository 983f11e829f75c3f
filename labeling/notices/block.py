"""A wording set in lines or in a column, with the space that its plate needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .logo import Logo
from .typeset import Line, Mask, Pixels, fit_lines, set_line, wrap
from .wording import CORE, SEPARATOR, cells, required_characters, segments

__all__ = ["Block", "Placed", "PlacedLogo", "Setting", "set_block", "settings"]

_MAX_LINES = 3

# By text height.
_PADDING_X = 0.62
_PADDING_Y = 0.5
_LEADING = 0.42
_TRANSLATION_LEADING = 0.32
_COLUMN_LEADING = 0.2
_LOGO_GAP = 0.45

# Height of a logo beside one line of text, the most beside several, and the most width.
_LOGO_HEIGHT = 1.3
_MOST_LOGO_HEIGHT = 1.9
_MOST_LOGO_WIDTH = 6.0

# A translation is as wide as the line above it, within these bounds of its size.
_TRANSLATION_EM = (0.45, 0.66)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A way to break a wording: lines at the legal height, and a translation.

    The lines of a column are its characters from top to bottom.
    """

    text: str
    lines: tuple[str, ...]
    translation: str = ""
    vertical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A line in a block, with the pixel where its mask begins."""

    line: Line
    left: int
    top: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedLogo:
    """A logo in a block, RGBA, with the pixel where it begins."""

    pixels: Pixels
    left: int
    top: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """A wording as set.

    Parameters
    ----------
    text : str
        The wording.
    size_px : int
        The text height that was asked for; all spacing follows from it.
    ink_height_px : int
        Height of the ink of the shortest required character.
    width, height : int
        Size of the plate in pixels.
    lines : tuple of Placed
        The lines at the legal height.
    translation : Placed or None
        The smaller line under them; left of a column, turned clockwise.
    logo : PlacedLogo or None
        What stands left of them; above a column.
    """

    text: str
    size_px: int
    ink_height_px: int
    width: int
    height: int
    lines: tuple[Placed, ...]
    translation: Placed | None
    logo: PlacedLogo | None = None

    def coverage(self, *parts: Placed | None) -> Mask:
        """Return how much some of its lines cover every pixel of the plate, 0 to 1."""
        canvas = np.zeros((self.height, self.width), np.float32)
        for part in filter(None, parts):
            rows, columns = part.line.mask.shape
            inside = np.s_[part.top : part.top + rows, part.left : part.left + columns]
            canvas[inside] = np.maximum(canvas[inside], part.line.mask)
        return canvas


def settings(text: str, *, vertical: bool = False) -> Iterator[Setting]:
    """Yield the ways to break a checked wording, the one with fewest lines first.

    A column is not broken.
    """
    primary, translation = segments(text)
    whole = SEPARATOR.join(filter(None, (primary, translation)))
    if vertical:
        broken = [tuple(cells(primary))]
    elif text == CORE:
        broken = [(CORE,), ("AI", "生成")]
    else:
        broken = [tuple(wrap(primary, count)) for count in range(1, _MAX_LINES + 1)]
    for lines in dict.fromkeys(broken):
        yield Setting(
            text=whole, lines=lines, translation=translation, vertical=vertical
        )


def set_block(setting: Setting, size_px: int, logo: Logo | None = None) -> Block:
    """Set a wording.

    Parameters
    ----------
    setting : Setting
        The lines.
    size_px : int
        Least height of the ink of the required characters, in pixels, at least 9.
    logo : Logo, optional
        What stands beside it.

    Returns
    -------
    Block
        The lines, centered.
    """
    required = required_characters(setting.text)
    lines = fit_lines(setting.lines, required, size_px)
    ink_heights = [
        line.ink_height(required)
        for line, text in zip(lines, setting.lines, strict=True)
        if required & set(text)
    ]
    arrange = _column if setting.vertical else _rows
    placed, width, height = arrange(setting, lines, size_px)
    along, across = round(_PADDING_X * size_px), round(_PADDING_Y * size_px)
    pad_x, pad_y = (across, along) if setting.vertical else (along, across)
    # What accents and descenders take of the padding, beyond half of it, is added.
    above = max(pad_y, pad_y // 2 - min(part.top for part in placed))
    foot = max(part.top + part.line.mask.shape[0] for part in placed)
    below = max(pad_y, pad_y // 2 + foot - height)
    left, top, sign = pad_x, above, None
    if logo is not None and setting.vertical:
        drawn = logo.fit(
            max(width, round(_LOGO_HEIGHT * size_px)),
            round(_MOST_LOGO_HEIGHT * size_px),
        )
        rows, columns = drawn.shape[:2]
        whole = max(width, columns)
        sign = PlacedLogo(pixels=drawn, left=pad_x + (whole - columns) // 2, top=pad_y)
        left += (whole - width) // 2
        top = pad_y + rows + round(_LOGO_GAP * size_px)
        width, above = whole, top
    elif logo is not None:
        drawn = logo.fit(
            round(_MOST_LOGO_WIDTH * size_px),
            round(
                min(max(height, _LOGO_HEIGHT * size_px), _MOST_LOGO_HEIGHT * size_px)
            ),
        )
        rows, columns = drawn.shape[:2]
        sign = PlacedLogo(pixels=drawn, left=pad_x, top=above + (height - rows) // 2)
        left += columns + round(_LOGO_GAP * size_px)
        width += left - pad_x
    placed = [
        replace(part, left=part.left + left, top=part.top + top) for part in placed
    ]
    return Block(
        text=setting.text,
        size_px=size_px,
        ink_height_px=min(ink_heights),
        width=width + 2 * pad_x,
        height=above + height + below,
        lines=tuple(placed[: len(lines)]),
        translation=placed[-1] if setting.translation else None,
        logo=sign,
    )


def _rows(
    setting: Setting, lines: list[Line], size_px: int
) -> tuple[list[Placed], int, int]:
    """Set lines one under the other, and return their width and height with them."""
    lines = list(lines)
    gaps = [_LEADING] * (len(lines) - 1)
    width = max(line.mask.shape[1] for line in lines)
    if setting.translation:
        lines.append(_small(setting.translation, width, size_px))
        width = max(width, lines[-1].mask.shape[1])
        gaps.append(_TRANSLATION_LEADING)
    drops = [
        line.band + round(gap * size_px)
        for line, gap in zip(lines, [*gaps, 0], strict=True)
    ]
    tops = itertools.accumulate(drops, initial=0)
    placed = [
        Placed(line=line, left=(width - line.mask.shape[1]) // 2, top=top - line.top)
        for line, top in zip(lines, tops, strict=False)
    ]
    return placed, width, sum(drops)


def _column(
    setting: Setting, lines: list[Line], size_px: int
) -> tuple[list[Placed], int, int]:
    """Set characters in a column, and return its width and height with them."""
    width = max(line.mask.shape[1] for line in lines)
    pitch = round((1 + _COLUMN_LEADING) * lines[0].band)
    height = pitch * (len(lines) - 1) + lines[-1].band
    small, left, top = None, 0, 0
    if setting.translation:
        upright = _small(setting.translation, height, size_px)
        mask = np.rot90(upright.mask, -1)
        small = Line(mask=mask, top=0, band=mask.shape[0], glyphs=())
        left = mask.shape[1] + round(_TRANSLATION_LEADING * size_px)
        top = max(mask.shape[0] - height, 0) // 2
        height = max(height, mask.shape[0])
    placed = [
        Placed(
            line=line,
            left=left + (width - line.mask.shape[1]) // 2,
            top=top + index * pitch - line.top,
        )
        for index, line in enumerate(lines)
    ]
    if small is not None:
        middle = (height - small.band) // 2
        placed.append(Placed(line=small, left=0, top=middle))
    return placed, left + width, height


def _small(translation: str, length: int, size_px: int) -> Line:
    """Set a translation to about a length."""
    natural = set_line(translation, size_px).mask.shape[1]
    return set_line(
        translation, size_px * float(np.clip(length / natural, *_TRANSLATION_EM))
    )
