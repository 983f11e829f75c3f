"""Put the notice that people read into a text.

It stands on a line of its own, at the start, at the end, or between two paragraphs
(GB 45438-2025, 5.1), or as a corner mark: raised letters beside the text, which need
say no more than AI (5.1 c).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
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
    "TextStream",
    "label_chunks",
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


class TextStream:
    r"""Adds a notice to a text that comes in chunks, such as the answer of a chat.

    Nothing is held back: each chunk goes on at once, the first one with the notice in
    front of it, or a last one that is the notice.

    Parameters
    ----------
    notice : TextNotice
        At the start or the end.

    Raises
    ------
    UsageError
        The notice has its place at a share of a text whose length is not known.

    Examples
    --------
    >>> stream = TextStream(TextNotice(place="end"))
    >>> stream.push("Hello"), stream.finish()
    ('Hello', '\n\nAI生成')
    """

    def __init__(self, notice: TextNotice) -> None:
        if not isinstance(notice.place, str):
            raise UsageError(
                "a notice in a stream cannot stand in the middle",
                hint="Use start or end.",
            )
        self.notice = notice
        self._begun = False

    def push(self, chunk: str) -> str:
        """Return the chunk as it is to be shown."""
        if self._begun or not chunk:
            return chunk
        self._begun = True
        if self.notice.place == "end":
            return chunk
        front = RAISED if self.notice.raised else f"{self.notice.text}\n\n"
        return front + chunk

    def finish(self) -> str:
        """Return what is to be shown at the end; empty for a notice at the start."""
        if self.notice.place == "start" or not self._begun:
            return ""
        return RAISED if self.notice.raised else f"\n\n{self.notice.text}"


def label_chunks(
    chunks: Iterable[str],
    wording: str = CORE,
    *,
    place: str = "start",
    style: str = "line",
) -> Iterator[str]:
    """Yield the chunks of a text with a notice in the first or last of them.

    Parameters
    ----------
    chunks : iterable of str
        As they come; in asynchronous code use `TextStream`, which needs none.
    wording : str, optional
        The notice, with both elements of GB 45438-2025, 5.1 b); of no meaning to a
        corner mark.
    place : "start" or "end", optional
        Before the first chunk or after the last.
    style : "line" or "corner", optional
        On a line of its own, or as raised letters.

    Raises
    ------
    UsageError
        The wording, place or style cannot be meant.

    Examples
    --------
    >>> list(label_chunks(["Hel", "lo"], place="end", style="corner"))
    ['Hel', 'lo', 'ᴬᴵ']
    """
    text = CORNER_MARK if style == "corner" else wording
    stream = TextStream(TextNotice(text=text, place=place, style=style))
    return _labeled(stream, chunks)


def _labeled(stream: TextStream, chunks: Iterable[str]) -> Iterator[str]:
    for chunk in chunks:
        yield stream.push(chunk)
    if last := stream.finish():
        yield last
