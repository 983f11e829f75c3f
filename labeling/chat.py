"""Put the notice into a text that comes in chunks, such as the answer of a chat."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import overload

from .errors import UsageError
from .media.plain import Markdown, escaped
from .notices.text import CORNER_MARK, RAISED, TextNotice
from .notices.wording import CORE

__all__ = ["TextStream", "label_chunks"]

_GAP = "\n\n"


class TextStream:
    r"""Adds a notice to a text that comes in chunks.

    Nothing is held back: each chunk goes on at once, the first one with the notice in
    front of it, or a last one that is the notice. Chunks may be cut anywhere.

    Parameters
    ----------
    notice : TextNotice
        At the start or the end.
    markdown : bool, optional
        Whether the text is Markdown: code that is left open is then closed in front of
        a notice at the end, for which the text is kept.

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

    def __init__(self, notice: TextNotice, *, markdown: bool = False) -> None:
        if not isinstance(notice.place, str):
            raise UsageError(
                "a notice in a stream cannot stand in the middle",
                hint="Use start or end.",
            )
        self.notice = notice
        self.markdown = markdown
        self._begun = False
        self._said: list[str] = []

    def push(self, chunk: str) -> str:
        """Return the chunk as it is to be shown."""
        if self.markdown and self.notice.place == "end":
            self._said.append(chunk)
        if self._begun or not chunk:
            return chunk
        self._begun = True
        if self.notice.place == "end":
            return chunk
        # Raised letters join a word; marks of Markdown such as "#" they would undo.
        joined = self.notice.raised and (not self.markdown or chunk[0].isalpha())
        return self._line + ("" if joined else _GAP) + chunk

    def finish(self) -> str:
        """Return what is to be shown at the end; empty for a notice at the start."""
        if self.notice.place == "start" or not self._begun:
            return ""
        text = Markdown.of("".join(self._said))
        self._said = []
        joined = self.notice.raised and (not self.markdown or text.ends_in_prose)
        return text.closing() + ("" if joined else _GAP) + self._line

    @property
    def _line(self) -> str:
        if self.notice.raised:
            return RAISED
        return escaped(self.notice.text) if self.markdown else self.notice.text


@overload
def label_chunks(
    chunks: Iterable[str],
    wording: str = ...,
    *,
    place: str = ...,
    style: str = ...,
    markdown: bool = ...,
) -> Iterator[str]: ...


@overload
def label_chunks(
    chunks: AsyncIterable[str],
    wording: str = ...,
    *,
    place: str = ...,
    style: str = ...,
    markdown: bool = ...,
) -> AsyncIterator[str]: ...


def label_chunks(
    chunks: Iterable[str] | AsyncIterable[str],
    wording: str = CORE,
    *,
    place: str = "start",
    style: str = "line",
    markdown: bool = False,
) -> Iterator[str] | AsyncIterator[str]:
    """Yield the chunks of a text with a notice in the first or last of them.

    Parameters
    ----------
    chunks : iterable or asynchronous iterable of str
        As they come; the result is of the same kind.
    wording : str, optional
        The notice, with both elements of GB 45438-2025, 5.1 b); of no meaning to a
        corner mark.
    place : "start" or "end", optional
        Before the first chunk or after the last.
    style : "line" or "corner", optional
        On a line of its own, or as raised letters.
    markdown : bool, optional
        As for `TextStream`.

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
    notice = TextNotice(text=text, place=place, style=style)
    stream = TextStream(notice, markdown=markdown)
    if isinstance(chunks, AsyncIterable):
        return _labeled_later(stream, chunks)
    return _labeled(stream, chunks)


def _labeled(stream: TextStream, chunks: Iterable[str]) -> Iterator[str]:
    for chunk in chunks:
        yield stream.push(chunk)
    if last := stream.finish():
        yield last


async def _labeled_later(
    stream: TextStream, chunks: AsyncIterable[str]
) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield stream.push(chunk)
    if last := stream.finish():
        yield last
