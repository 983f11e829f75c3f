"""A wording set in lines, with the space that its plate needs around it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .typeset import Line, Mask, fit_height, set_line, wrap
from .wording import CORE, SEPARATOR, required_characters, segments

__all__ = ["Block", "Placed", "Setting", "set_block", "settings"]

_MAX_LINES = 3

# By text height.
_PADDING_X = 0.62
_PADDING_Y = 0.5
_LEADING = 0.42
_TRANSLATION_LEADING = 0.32

# A translation is as wide as the line above it, within these bounds of its size.
_TRANSLATION_EM = (0.45, 0.66)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A way to break a wording: lines at the legal height, and a translation."""

    text: str
    lines: tuple[str, ...]
    translation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A line in a block, with the pixel where its mask begins."""

    line: Line
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
        The smaller line under them.
    """

    text: str
    size_px: int
    ink_height_px: int
    width: int
    height: int
    lines: tuple[Placed, ...]
    translation: Placed | None

    def coverage(self, *parts: Placed | None) -> Mask:
        """Return how much some of its lines cover every pixel of the plate, 0 to 1."""
        canvas = np.zeros((self.height, self.width), np.float32)
        for part in filter(None, parts):
            rows, columns = part.line.mask.shape
            inside = np.s_[part.top : part.top + rows, part.left : part.left + columns]
            canvas[inside] = np.maximum(canvas[inside], part.line.mask)
        return canvas


def settings(text: str) -> Iterator[Setting]:
    """Yield the ways to break a checked wording, the one with fewest lines first."""
    primary, translation = segments(text)
    whole = SEPARATOR.join(filter(None, (primary, translation)))
    broken = [tuple(wrap(primary, count)) for count in range(1, _MAX_LINES + 1)]
    if text == CORE:
        broken = [(CORE,), ("AI", "生成")]
    for lines in dict.fromkeys(broken):
        yield Setting(text=whole, lines=lines, translation=translation)


def set_block(setting: Setting, size_px: int) -> Block:
    """Set a wording.

    Parameters
    ----------
    setting : Setting
        The lines.
    size_px : int
        Least height of the ink of the required characters, in pixels, at least 9.

    Returns
    -------
    Block
        The lines, centered.
    """
    required = required_characters(setting.text)
    lines = [fit_height(line, required, size_px) for line in setting.lines]
    ink_heights = [line.ink_height(required) for line in lines]
    width = max(line.mask.shape[1] for line in lines)
    gaps = [_LEADING] * (len(lines) - 1)
    if setting.translation:
        natural = set_line(setting.translation, size_px).mask.shape[1]
        em = size_px * float(np.clip(width / natural, *_TRANSLATION_EM))
        lines.append(set_line(setting.translation, em))
        width = max(width, lines[-1].mask.shape[1])
        gaps.append(_TRANSLATION_LEADING)
    # What accents and descenders take of the padding, beyond half of it, is added.
    first, last = lines[0], lines[-1]
    pad_x, pad_y = round(_PADDING_X * size_px), round(_PADDING_Y * size_px)
    above = max(pad_y, first.top + pad_y // 2)
    below = max(pad_y, last.mask.shape[0] - last.top - last.band + pad_y // 2)
    drops = [
        line.band + round(gap * size_px)
        for line, gap in zip(lines, [*gaps, 0], strict=True)
    ]
    tops = itertools.accumulate(drops, initial=above)
    placed = [
        Placed(
            line=line,
            left=pad_x + (width - line.mask.shape[1]) // 2,
            top=top - line.top,
        )
        for line, top in zip(lines, tops, strict=False)
    ]
    return Block(
        text=setting.text,
        size_px=size_px,
        ink_height_px=min(filter(None, ink_heights)),
        width=width + 2 * pad_x,
        height=above + sum(drops) + below,
        lines=tuple(placed[: len(setting.lines)]),
        translation=placed[-1] if setting.translation else None,
    )
