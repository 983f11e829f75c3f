"""The tags of an HTML page and where they stand, in one pass over the text.

Every browser makes something of every text; so does this reader, in time that grows no
faster than the text, and it changes nothing.

References
----------
HTML Living Standard, section 13.2.5 (tokenization).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["BLOCKS", "VOID", "Token", "tokens"]

VOID = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"),
        *("source", "track", "wbr"),
    }
)
BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "center"),
        *("dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset"),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *(
            "header",
            "hr",
            "html",
            "legend",
            "li",
            "main",
            "menu",
            "nav",
            "ol",
            "option",
        ),
        *("p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th"),
        *("thead", "tr", "ul"),
    }
)
"""Elements that begin a line of their own, or end one."""

# What is in them is no text to be seen, or not as it stands.
_RAW = frozenset(
    {
        *("script", "style", "textarea", "title", "xmp", "iframe", "noembed"),
        *("noframes", "noscript"),
    }
)
_OPEN = re.compile(r"<(?:(!--)|([!?])|(/?)([a-zA-Z][^\s/>]*))")
_COMMENT_END = re.compile(r"--!?>")
_NEXT = re.compile(r">|=\s*([\"'])")
_ATTRIBUTE = re.compile(
    r"([^\s\"'>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?"
)
_MAX_TAG = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A tag, or the text between two.

    Parameters
    ----------
    start, stop : int
        Where it stands.
    name : str
        Of the tag, in small letters; empty for text.
    closing : bool
        Whether it is an end tag.
    written : str
        As it stands there.
    """

    start: int
    stop: int
    written: str
    name: str = ""
    closing: bool = False

    @property
    def text(self) -> str:
        """The text that is meant."""
        return html.unescape(self.written)

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of a tag, by names in small letters; the first one counts."""
        inside = self.written[1 + len(self.name) : _MAX_TAG].rstrip(">")
        found: dict[str, str] = {}
        for name, *values in _ATTRIBUTE.findall(inside):
            found.setdefault(name.lower(), html.unescape("".join(values)))
        return found


def tokens(text: str, *, xml: bool = False) -> Iterator[Token]:
    """Yield the tags of a page and the text between them.

    Comments, declarations, and what is inside scripts, styles, titles and the like are
    passed over.

    Parameters
    ----------
    text : str
        The page.
    xml : bool, optional
        Whether it is read as XML, where "<title/>" is a whole element.
    """
    position = 0
    while tag := _OPEN.search(text, position):
        if tag.start() > position:
            yield _text(text, position, tag.start())
        if tag[1]:
            # "<!-->" is a whole comment.
            end = _COMMENT_END.search(text, tag.end() - 2)
        elif tag[2]:
            end = re.compile(">").search(text, tag.end())
        else:
            end = _end_of_tag(text, tag.end())
        if end is None:
            return
        position = end.end()
        if not tag[4]:
            continue
        name = tag[4].lower()
        yield Token(
            start=tag.start(),
            stop=position,
            written=text[tag.start() : position],
            name=name,
            closing=bool(tag[3]),
        )
        if name == "plaintext":
            return
        if name in _RAW and not tag[3] and not (xml and text[position - 2] == "/"):
            closing = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
            if (end := closing.search(text, position)) is None:
                return
            position = end.start()
    if position < len(text):
        yield _text(text, position, len(text))


def _text(text: str, start: int, stop: int) -> Token:
    return Token(start=start, stop=stop, written=text[start:stop])


def _end_of_tag(text: str, position: int) -> re.Match[str] | None:
    """Return the end of a tag; None where the page ends inside of it."""
    while (found := _NEXT.search(text, position)) and found[1]:
        close = text.find(found[1], found.end())
        if close < 0:
            return None
        position = close + 1
    return found
