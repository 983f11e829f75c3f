"""Plain text and Markdown: paragraphs between blank lines, and front matter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ..errors import UnsupportedFormat
from .document import Document, Field
from .encoding import Encoding, decode

__all__ = ["Markdown", "PlainText", "escaped"]

_RAISED = str.maketrans("AI", "ᴬᴵ")
_BREAK = re.compile(r"(?>\r\n|\n|\r)(?:[ \t\u3000]*(?>\r\n|\n|\r))+")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\r\n]*)")
_FRONT = re.compile(r"---[ \t]*(?:\r\n|\n|\r)")
_FRONT_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$")
_KEY = re.compile(r"[\"']?([\w-]+)[\"']?[ \t]*:(?:[ \t]+(.*))?$")
_MAPPING = re.compile(r"[^\s:#\-][^:]*:(\s|$)|#")
_ESCAPED = re.compile(r"([\\`*_\[\]<>&#~|$])")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
# What makes a list, a rule or a heading of a line.
_LEADING = re.compile(r"^(\d*)([-+=.)])")
# A word and what ends a sentence; not the marks of a table, rule or attribute.
_PROSE_END = re.compile(r"\w[^\w|`~<>{}=+*-]*\Z")
_MAX_FRONT = 1 << 20


class PlainText(Document):
    """A text in one of the encodings that are recognized."""

    format = "txt"
    media_type = "text/plain"
    field_place = ""

    def __init__(self, content: bytes) -> None:
        self.content = content
        text, self.encoding = decode(content)
        self._take(text)

    @classmethod
    def of(cls, text: str) -> PlainText:
        """Return a string as a document in UTF-8."""
        made = cls.__new__(cls)
        made.encoding = Encoding()
        made._take(text)
        return made

    def _take(self, text: str) -> None:
        self.text = text
        first = re.search(r"\r\n|\n|\r", text)
        self.newline = first[0] if first else "\n"

    def _changed(self, text: str) -> PlainText:
        made = type(self).of(text)
        made.encoding = self.encoding
        made.newline = self.newline
        made.content = self.encoding.encode(text)
        return made

    @property
    def begin(self) -> int:
        """Where the visible text begins."""
        return 0

    def parts(self) -> list[str]:
        """Return the paragraphs, without blanks around them."""
        return [self.text[start:stop] for start, stop in self._spans()]

    def insert(self, index: int, text: str, *, raised: bool) -> Document:
        """Return the text with a line of its own, or raised letters, in it."""
        spans, newline = self._spans(), self.newline
        if raised:
            text = text.translate(_RAISED)
            if spans and self._takes_letters(spans, index):
                place = spans[index - 1][1] if index else spans[0][0]
                return self._changed(self.text[:place] + text + self.text[place:])
        if index < len(spans):
            # In front of the blanks that indent the first line of the paragraph.
            place = self._start_of_line(spans[index][0])
            line = self._escaped(text) + 2 * newline
        else:
            place = spans[-1][1] if spans else len(self.text)
            # Front matter may be all, without a line end.
            last = self.text[self.begin - 1 : self.begin]
            gap = 2 * newline if spans or last not in ("", "\n", "\r") else ""
            line = self.closing() + gap + self._escaped(text)
            # A text that ends without a line end keeps doing so.
        return self._changed(self.text[:place] + line + self.text[place:])

    def fields(self, name: str) -> list[Field]:
        """Return nothing: plain text has no named place."""
        return []

    def with_field(self, name: str, value: str) -> Document:
        """Refuse: plain text has no named place."""
        raise UnsupportedFormat(
            "plain text has no place for a field",
            hint="Save it as Markdown to carry one.",
        )

    def _escaped(self, text: str) -> str:
        return text

    def closing(self) -> str:
        """Return what ends the last paragraph, so that another one can follow."""
        return ""

    @property
    def ends_in_prose(self) -> bool:
        """Whether letters that follow are part of the last sentence."""
        spans = self._spans()
        return bool(
            spans
            and spans[-1][1] == len(self.text)
            and self._takes_letters(spans, len(spans))
        )

    def _takes_letters(self, spans: list[tuple[int, int]], index: int) -> bool:
        """Tell whether raised letters can stand inside of a paragraph."""
        return True

    def _start_of_line(self, place: int) -> int:
        before = self.text[self.begin : place]
        return place - len(before) + max(before.rfind("\n"), before.rfind("\r")) + 1

    def _spans(self) -> list[tuple[int, int]]:
        """Return start and end of each paragraph, in characters."""
        spans: list[tuple[int, int]] = []
        start = self.begin
        for gap in [*self._gaps(), (len(self.text), len(self.text))]:
            part = self.text[start : gap[0]]
            if bare := part.strip():
                first = start + part.index(bare)
                spans.append((first, first + len(bare)))
            start = gap[1]
        return spans

    def _gaps(self) -> list[tuple[int, int]]:
        """Return the stretches of blank lines at which the text may be cut."""
        return [found.span() for found in _BREAK.finditer(self.text, self.begin)]


class Markdown(PlainText):
    """A Markdown text, with or without YAML front matter."""

    format = "md"
    media_type = "text/markdown"
    field_place = "front matter AIGC"

    def _take(self, text: str) -> None:
        super()._take(text)
        if text.startswith("+++"):
            self.locked = (
                "the text has front matter in TOML, which has no place for the field",
                "Turn it into YAML, between lines of ---, first.",
            )

    @property
    def begin(self) -> int:
        """Where the body begins, behind the front matter."""
        return self._front()[1]

    def parts(self) -> list[str]:
        """Return the paragraphs as they read, without escapes."""
        return [_ESCAPE.sub(r"\1", part) for part in super().parts()]

    def fields(self, name: str) -> list[Field]:
        """Return the mappings and texts of a name in the front matter."""
        return [
            Field(place=f"front matter {name}", value=value)
            for _, _, value in self._entries(name)
        ]

    def with_field(self, name: str, value: str) -> Document:
        """Return the text with a mapping of a name in its front matter."""
        newline = self.newline
        entry = f"{name}:{newline}" + "".join(
            f"  {key}: '{_quoted(item)}'{newline}"
            for key, item in json.loads(value).items()
        )
        if not self._front()[1]:
            return self._changed(
                f"---{newline}{entry}---{2 * newline}{self.text}"
                if self.text
                else f"---{newline}{entry}---{newline}"
            )
        stretches = [(start, stop) for start, stop, _ in self._entries(name)]
        end = self._front()[0]
        pieces, kept = [], 0
        for start, stop in stretches or [(end, end)]:
            pieces += [self.text[kept:start], entry if not kept else ""]
            kept = stop
        return self._changed("".join([*pieces, self.text[kept:]]))

    def with_end(self) -> PlainText:
        """Return the text with a blank line at its end.

        What comes then, seen or not, is no part of a table or list.
        """
        ended = re.search(r"(?:\r\n|\n|\r)[ \t]*(?:\r\n|\n|\r)\Z", self.text)
        if ended or not self.text:
            return self
        missing = 1 if self.text.endswith(("\n", "\r")) else 2
        return self._changed(self.text + missing * self.newline)

    def _escaped(self, text: str) -> str:
        return escaped(text)

    def _takes_letters(self, spans: list[tuple[int, int]], index: int) -> bool:
        """Leave marks of headings, lists, tables, rules and code alone."""
        start, stop = spans[max(0, index - 1)]
        if any(fence[0] < stop and start < fence[1] for fence in self._fences()):
            return False
        if not index:
            return self.text[start:stop][:1].isalpha()
        last = re.split(r"[\r\n]", self.text[start:stop])[-1]
        return not last.startswith(("    ", "\t")) and bool(_PROSE_END.search(last))

    def closing(self) -> str:
        """Return what ends fenced code that is left open."""
        fences = self._fences()
        return f"{self.newline}{fences[-1][2]}" if fences and fences[-1][2] else ""

    def _gaps(self) -> list[tuple[int, int]]:
        """Leave out blank lines inside fenced code."""
        fences = iter(self._fences())
        fence = next(fences, None)
        kept = []
        for start, stop in super()._gaps():
            while fence and fence[1] <= start:
                fence = next(fences, None)
            if not fence or start < fence[0]:
                kept.append((start, stop))
        return kept

    def _fences(self) -> list[tuple[int, int, str]]:
        """Return where fenced code begins and ends, and what is missing to end it."""
        found, opened, position = [], ("", 0), self.begin
        while position < len(self.text):
            line = _LINE.match(self.text, position)
            assert line is not None
            fence = _FENCE.match(line[0])
            if fence and not opened[0]:
                if not (fence[1][0] == "`" and "`" in fence[2]):
                    opened = (fence[1], position)
            elif fence and fence[1].startswith(opened[0]) and not fence[2].strip():
                found.append((opened[1], position + len(line[0].rstrip()), ""))
                opened = ("", 0)
            position = line.end()
        last = (opened[1], len(self.text), opened[0])
        return [*found, last] if opened[0] else found

    def _front(self) -> tuple[int, int]:
        """Return where the entries of the front matter end, and where the body begins.

        Both are 0 where there is no front matter.
        """
        head = _FRONT.match(self.text)
        position = head.end() if head else 0
        empty = True
        while head and position < min(len(self.text), _MAX_FRONT):
            line = _LINE.match(self.text, position)
            assert line is not None
            bare = line[0].rstrip("\r\n")
            if _FRONT_END.match(bare):
                return position, line.end()
            # Two rules with a text between them are no front matter.
            if empty and bare.strip() and not _MAPPING.match(bare):
                break
            empty = empty and not bare.strip()
            position = line.end()
        return 0, 0

    def _entries(self, name: str) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and value of the entries of a name, as JSON where mapped."""
        end, _ = self._front()
        head = _FRONT.match(self.text)
        position = head.end() if head and end else end
        while position < end:
            start, lines = position, list[str]()
            while position < end:
                line = _LINE.match(self.text, position)
                assert line is not None
                if lines and line[0].strip() and not line[0].startswith((" ", "\t")):
                    break
                lines.append(line[0].rstrip("\r\n"))
                position = line.end()
            key = _KEY.match(lines[0].rstrip())
            if key and key[1] == name:
                yield start, position, _value(key[2] or "", lines[1:])


def escaped(text: str) -> str:
    """Return a text that reads in Markdown as it stands."""
    return _LEADING.sub(r"\1\\\2", _ESCAPED.sub(r"\\\1", text))


def _value(inline: str, lines: list[str]) -> str:
    """Return an entry as text; a mapping as JSON, double keys and all."""
    inline = inline.strip()
    if inline and not inline.startswith("#"):
        return _scalar(inline)
    pairs = []
    for line in lines:
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if (key := _KEY.match(bare)) is None:
            return bare  # whoever parses it says that it is no label
        pairs.append(f"{json.dumps(key[1])}:{json.dumps(_scalar(key[2] or ''))}")
    return "{" + ",".join(pairs) + "}"


def _scalar(text: str) -> str:
    """Return a YAML scalar on one line as text."""
    text = text.strip()
    if found := re.match(r"'((?:[^']|'')*)'", text):
        return found[1].replace("''", "'")
    if found := re.match(r'"(?:[^"\\]|\\.)*"', text):
        try:
            return str(json.loads(found[0]))
        except ValueError:
            return found[0]
    return re.sub(r"\s+#.*$", "", text)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
