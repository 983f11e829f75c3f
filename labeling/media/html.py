"""HTML pages: what a reader sees of them, and where a notice and a field can stand."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import ClassVar, Self

from ..errors import UnsupportedFormat
from .document import Document, Field
from .encoding import Encoding, decode
from .markup import BLOCKS, VOID, Token, tokens

__all__ = ["BLOCK_STYLE", "HtmlDocument"]

_HEAD_BYTES = 1024
_CHARSET = re.compile(
    r"<meta\s[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml\s[^>]*?encoding\s*=\s*"
    r"[\"']([\w.:-]+)",
    re.IGNORECASE,
)
_HEAD = frozenset(
    {
        *("html", "head", "title", "meta", "link", "script", "style", "base"),
        *("template", "noscript"),
    }
)
# In front of these a block of its own can stand wherever they can.
_CUTS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6"])
_HIDING = re.compile(
    r"(?:^|[\s;])(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0*\.?0+\s*"
    r"(?:;|!|$)|font-size\s*:\s*0)",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_GAPS = re.compile(r"\n{3,}")
_MARK = "AI"
_RAISED = "ᴬᴵ"

# Own colors and lines, whatever the style of the page; a whole row where the body is
# a grid or a flexible box. Contrast 15:1 (WCAG 2.2).
BLOCK_STYLE = (
    "display:block!important;visibility:visible!important;opacity:1!important;"
    "position:static!important;box-sizing:border-box;flex:none;grid-column:1/-1;"
    "margin:0 0 1em;padding:.5em 1em;border:1px solid #767676;border-radius:.4em;"
    "background:#f5f5f5!important;color:#1a1a1a!important;"
    "font:600 1rem/1.5 system-ui,sans-serif!important;text-align:center;"
    "text-indent:0;letter-spacing:normal"
)


@dataclass(slots=True)
class _Layout:
    """What stands where in a page."""

    cuts: list[int] = field(default_factory=list)
    """Where a block can stand: at the start of the body, and inside of it."""
    parts: list[str] = field(default_factory=list)
    """What is seen from each cut to the next."""
    ends: list[int] = field(default_factory=list)
    """Where the text of each part ends."""
    first: int = 0
    """Where the text of the body begins."""
    end: int = 0
    """Where the body ends."""
    head: int = 0
    """Where the head ends."""
    metas: list[Token] = field(default_factory=list)


class HtmlDocument(Document):
    """An HTML page, whole or in part."""

    format = "html"
    media_type = "text/html"
    field_place = "meta AIGC"
    xml: ClassVar[bool] = False
    """Whether it is read as XML."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        declared = _CHARSET.search(content[:_HEAD_BYTES].decode("latin-1"))
        text, self.encoding = decode(
            content, (declared and (declared[1] or declared[2])) or None
        )
        self._take(text)

    def _take(self, text: str) -> None:
        self.text = text
        first = re.search(r"\r\n|\n|\r", text)
        self.newline = first[0] if first else "\n"
        self.layout = _Reader(text, xml=self.xml).layout

    def _changed(self, *changes: tuple[int, int, str]) -> Self:
        """Return the page with stretches of it replaced."""
        pieces, kept = [], 0
        for start, stop, new in sorted(changes):
            pieces += [self.text[kept:start], new]
            kept = stop
        text = "".join([*pieces, self.text[kept:]])
        made = type(self).__new__(type(self))
        made.encoding = self.encoding
        made.content = _encode(text, self.encoding)
        made._take(text)
        return made

    def parts(self) -> list[str]:
        """Return what is seen between the places where a block can stand."""
        return list(self.layout.parts)

    def insert(self, index: int, text: str, *, raised: bool) -> Self:
        """Return the page with a block or raised letters in it."""
        layout, said = self.layout, html.escape(text)
        at_end = index >= len(layout.cuts)
        if raised:
            place = layout.ends[index - 1] if index else layout.first
            return self._changed(
                (place, place, f'<sup style="margin-inline-end:.25em">{said}</sup>')
            )
        place = layout.end if at_end else layout.cuts[index]
        element = self._block(said)
        line = self.newline + element if index == 0 else element + self.newline
        return self._changed((place, place, line))

    def _block(self, said: str) -> str:
        return (
            f'<div role="note" lang="zh-Hans" dir="ltr" translate="no" '
            f'style="{BLOCK_STYLE}">{said}</div>'
        )

    def fields(self, name: str) -> list[Field]:
        """Return the contents of the meta elements of a name."""
        return [
            Field(place=f"meta {name}", value=meta.attributes.get("content", ""))
            for meta in self._metas(name)
        ]

    def with_field(self, name: str, value: str) -> Self:
        """Return the page with one meta element of a name."""
        element = f'<meta name="{name}" content="{html.escape(value)}" />'
        earlier = self._metas(name)
        if not earlier:
            place = self.layout.head
            return self._changed((place, place, element + self.newline))
        changes = [(meta.start, meta.stop, "") for meta in earlier]
        changes[0] = (earlier[0].start, earlier[0].stop, element)
        return self._changed(*changes)

    def _metas(self, name: str) -> list[Token]:
        return [
            meta
            for meta in self.layout.metas
            if meta.attributes.get("name", "").strip().lower() == name.lower()
        ]


class _Reader:
    """Goes through a page once."""

    def __init__(self, text: str, *, xml: bool) -> None:
        self.layout = _Layout()
        self.xml = xml
        self.pieces: list[str] = []
        self.hidden, self.depth = "", 0
        self.raised = False
        self.begun = False
        self.closed = self.head = self.first = -1
        for token in tokens(text, xml=xml):
            if token.name:
                self._tag(token)
            else:
                self._text(token)
        if not self.begun:
            self._begin(len(text))
        self._finish_part()
        layout = self.layout
        layout.head = self.head
        layout.first = layout.cuts[0] if self.first < 0 else self.first
        layout.end = len(text) if self.closed < 0 else self.closed

    def _tag(self, tag: Token) -> None:
        name, layout = tag.name, self.layout
        if name == "frameset":
            raise UnsupportedFormat(
                "the page is a frameset, which shows no text",
                hint="Label the pages in its frames.",
            )
        if name == "meta" and not tag.closing:
            layout.metas.append(tag)
        if name == "head" and tag.closing and self.head < 0:
            self.head = tag.start
        if not self.begun and name not in _HEAD and not tag.closing:
            inside = name == "body"
            self._begin(tag.stop if inside else tag.start, tag.start)
            if inside:
                return
        if not self.begun:
            return
        if tag.closing and name in ("body", "html"):
            if self.closed < 0 or name == "body":
                self.closed = tag.start
            return
        if self._is_hidden(tag):
            return
        if name == "sup":
            self.raised = not tag.closing
        if name in _CUTS and not tag.closing and tag.start > layout.cuts[-1]:
            self._finish_part()
            self._cut(tag.start)
        if name in BLOCKS:
            self.pieces.append("\n" if name == "br" else "\n\n")

    def _is_hidden(self, tag: Token) -> bool:
        """Follow elements that are not to be seen."""
        if not self.hidden:
            if tag.closing or self._is_empty(tag):
                return False
            attributes = tag.attributes
            if (
                tag.name in ("template", "noscript")
                or "hidden" in attributes
                or _HIDING.search(attributes.get("style", ""))
            ):
                self.hidden, self.depth = tag.name, 1
            return bool(self.hidden)
        # A paragraph ends where the next block begins.
        if self.hidden == "p" and tag.name in BLOCKS - {"p", "br"}:
            self.hidden = ""
            return False
        if tag.name == self.hidden and not self._is_empty(tag):
            self.depth += -1 if tag.closing else 1
            if not self.depth:
                self.hidden = ""
        return True

    def _is_empty(self, tag: Token) -> bool:
        return tag.name in VOID or (self.xml and tag.written.endswith("/>"))

    def _text(self, token: Token) -> None:
        bare = token.written.strip()
        if self.hidden or not bare:
            self.pieces.append(" ")
            return
        first = token.start + token.written.index(bare)
        if not self.begun:
            self._begin(first)
        said = token.text
        if self.raised and said.strip() == _MARK:
            said = _RAISED
        if self.first < 0:
            self.first = first
        # Some write behind the end of the body: it is shown all the same.
        self.closed = -1
        self.layout.ends[-1] = first + len(bare)
        self.pieces.append(_BLANKS.sub(" ", said))

    def _begin(self, place: int, head: int | None = None) -> None:
        """Note where the body begins, and the head ends."""
        self.begun = True
        self.pieces = []
        self._cut(place)
        if self.head < 0:
            self.head = place if head is None else head

    def _cut(self, place: int) -> None:
        self.layout.cuts.append(place)
        self.layout.ends.append(place)

    def _finish_part(self) -> None:
        lines = [_BLANKS.sub(" ", line) for line in "".join(self.pieces).split("\n")]
        said = _GAPS.sub("\n\n", "\n".join(line.strip() for line in lines))
        self.layout.parts.append(said.strip())
        self.pieces = []


def _encode(text: str, encoding: Encoding) -> bytes:
    """Encode a page; what its encoding lacks becomes a character reference."""
    return encoding.encode(text, "xmlcharrefreplace")
