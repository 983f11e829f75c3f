"""Put the notice that people read into a text.

It stands on a line of its own, at the start, at the end, or between two paragraphs
(GB 45438-2025, 5.1), or as a corner mark: raised letters beside the text, which need
say no more than AI (5.1 c).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..errors import UsageError
from .wording import CORE, check_wording

__all__ = [
    "CORNER_MARK",
    "RAISED",
    "STYLES",
    "Place",
    "TextNotice",
]

Place = str | float
"""``"start"`` or ``"end"``, or the share of the text before the notice, 0 to 1."""

STYLES = ("line", "corner")

CORNER_MARK = "AI"
RAISED = "ᴬᴵ"
"""The corner mark where there are no styles: superscript letters of Unicode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNotice:
    """A notice to be read.

    Parameters
    ----------
    text : str
        The wording; of a corner mark always ``"AI"``.
    place : str or float
        ``"start"``, ``"end"``, or the share of the text before the notice, 0 to 1; it
        then stands between the nearest two paragraphs.
    style : str
        ``"line"`` or ``"corner"``.

    Raises
    ------
    UsageError
        The wording lacks an element that is due in its style, or the place or style
        cannot be meant.
    """

    text: str = CORE
    place: Place = "start"
    style: str = "line"

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise UsageError(
                f"there is no notice in a text of style {self.style!r}",
                hint=f"Use {' or '.join(STYLES)}.",
            )
        if not self.raised:
            check_wording(self.text)
        elif self.text != CORNER_MARK:
            raise UsageError(
                f"a corner mark says {CORNER_MARK}, not {self.text!r}",
                hint="Use the style line for a whole wording.",
            )
        share = self.place
        if isinstance(share, str):
            known = share in ("start", "end")
        else:
            known = math.isfinite(share) and 0 <= share <= 1
        if not known:
            raise UsageError(
                f"a notice in a text cannot stand at {share!r}",
                hint="Use start, end, or the share of the text before it, 0 to 1.",
            )

    @property
    def raised(self) -> bool:
        """Whether it is a corner mark."""
        return self.style == "corner"

    def boundary(self, parts: Sequence[str]) -> int:
        """Return before which part of a text it stands; their number for the end."""
        if not isinstance(self.place, str):
            before = [*accumulate(map(len, parts), initial=0)]
            wanted = self.place * before[-1]
            return min(range(len(before)), key=lambda i: abs(before[i] - wanted))
        return len(parts) if self.place == "end" else 0
