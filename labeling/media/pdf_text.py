"""The text of PDF pages, as far as a notice needs it: lines from top to bottom.

Fonts tell what their codes mean by a ToUnicode map, or are in one of the usual
encodings; the text of others, and of scans, stays unread.

References
----------
ISO 32000-2, 9.4 (text objects), 9.7.5 (CMaps), 9.10 (extraction of text).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import pikepdf

from ..errors import MediaTooLarge

__all__ = ["OWN", "Matrix", "page_lines", "times", "unended"]

OWN = "/SynthmarkNotice"
"""Beginning of the names of notices that were drawn here."""

Matrix: TypeAlias = tuple[float, float, float, float, float, float]

_MARK, _RAISED = "AI", "ᴬᴵ"
_ONE: Matrix = (1, 0, 0, 1, 0, 0)
_MOST_OPERATORS = 100_000
_MOST_STEPS, _MOST_STEPS_READ = 2_000_000, 300_000
_MOST_CODES = 70_000
_MOST_BYTES = 16 << 20
_MAX_DEPTH = 4
_SAME_LINE = 2.0
# Encodings of Chinese fonts that are not embedded.
_NAMED = (("UCS2", "utf-16-be"), ("UTF16", "utf-16-be"), ("GBK", "gb18030"))
_WANTED = "q Q cm Do BT Tf Td TD Tm T* TL Tj TJ ' \""
_WORD = re.compile(rb"[A-Za-z'\"*]+")
_BFCHAR = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
_BFRANGE = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
_PAIR = re.compile(rb"<([0-9a-fA-F\s]+)>\s*<([0-9a-fA-F\s]*)>")
_TRIPLE = re.compile(
    rb"<([0-9a-fA-F\s]+)>\s*<([0-9a-fA-F\s]+)>\s*(?:<([0-9a-fA-F\s]*)>|\[([^\]]*)\])"
)
_HEX = re.compile(rb"<([0-9a-fA-F\s]*)>")


def page_lines(page: pikepdf.Page, turned: Matrix) -> list[str]:
    """Return the lines of a page from top to bottom.

    Parameters
    ----------
    page : pikepdf.Page
        The page.
    turned : tuple of float
        The matrix from its own space to the page as it is shown.

    Raises
    ------
    pikepdf.PdfError
        Its content cannot be parsed.
    MediaTooLarge
        Its content is beyond any reason.
    """
    reader = _Reader()
    reader.read(page.obj, page.obj.get("/Resources", page.resources), turned, 0, False)
    found = [line for line in reader.lines if line[3].strip()]
    found.sort(key=lambda line: (line[0], -line[1], line[2]))
    lines = []
    for rank, _, _, text in found:
        # A notice stands apart from the text.
        lines += ["", " ".join(text.split())] if rank else [" ".join(text.split())]
        lines += [""] if rank else []
    return lines


def unended(page: pikepdf.Page) -> int:
    """Return how many saved states of graphics the page leaves behind.

    Raises
    ------
    MediaTooLarge
        Its content is beyond any reason.
    """
    depth = 0
    for instruction in _steps(page.obj, "q Q", _MOST_STEPS):
        depth = max(0, depth + (1 if str(instruction.operator) == "q" else -1))
    return depth


def _steps(content: Any, wanted: str, most: int) -> Iterable[Any]:
    """Return the steps of a page or form, which are all in memory at once."""
    is_form = isinstance(content, pikepdf.Stream)
    parts = content if is_form else content.get("/Contents", [])
    streams = list(parts) if isinstance(parts, pikepdf.Array | list) else [parts]
    written = b"\n".join(stream.read_bytes() for stream in streams)
    words = itertools.islice(_WORD.finditer(written), most)
    if len(written) > _MOST_BYTES or sum(1 for _ in words) == most:
        raise MediaTooLarge("a page of the PDF document has too many parts")
    return pikepdf.parse_content_stream(content, wanted)


class _Reader:
    """Goes through content streams and collects lines with where they stand."""

    def __init__(self) -> None:
        # Rank (own notices at the very top or bottom), height, left, text.
        self.lines: list[tuple[int, float, float, str]] = []
        self.left = _MOST_OPERATORS
        self.fonts: dict[tuple[int, int], Callable[[bytes], str]] = {}

    def read(
        self, content: Any, resources: Any, matrix: Matrix, depth: int, own: bool
    ) -> None:
        """Read the text of a page or form."""
        stack: list[Matrix] = []
        line = place = _ONE
        leading = 0.0
        decode: Callable[[bytes], str] = _unread
        for instruction in _steps(content, _WANTED, _MOST_STEPS_READ):
            self.left -= 1
            if self.left < 0:
                return
            operator = str(instruction.operator)
            values: Any = instruction.operands
            try:
                if operator == "q":
                    stack.append(matrix)
                elif operator == "Q":
                    matrix = stack.pop() if stack else matrix
                elif operator == "cm":
                    matrix = times(_matrix(values), matrix)
                elif operator == "Do":
                    self._form(resources, values[0], matrix, depth, own)
                elif operator == "BT":
                    line = place = _ONE
                elif operator == "Tf":
                    decode = self._font(resources, values[0])
                elif operator == "TL":
                    leading = float(values[0])
                elif operator in ("Td", "TD"):
                    x, y = (float(value) for value in values)
                    leading = -y if operator == "TD" else leading
                    line = place = times((1, 0, 0, 1, x, y), line)
                elif operator == "Tm":
                    line = place = _matrix(values)
                else:
                    if operator in ("T*", "'", '"'):
                        line = place = times((1, 0, 0, 1, 0, -leading), line)
                    if operator != "T*":
                        self._show(values[-1], decode, times(place, matrix), own)
            except (IndexError, KeyError, TypeError, ValueError, AttributeError):
                continue  # one bad operator does not hide the rest

    def _form(
        self, resources: Any, name: Any, matrix: Matrix, depth: int, own: bool
    ) -> None:
        form = resources["/XObject"][name]
        if depth >= _MAX_DEPTH or form.get("/Subtype") != "/Form":
            return
        inner = _matrix(form.get("/Matrix", _ONE))
        own = own or str(name).startswith(OWN)
        self.read(
            form,
            form.get("/Resources", resources),
            times(inner, matrix),
            depth + 1,
            own,
        )

    def _show(
        self, value: Any, decode: Callable[[bytes], str], place: Matrix, own: bool
    ) -> None:
        said = []
        for item in value if isinstance(value, pikepdf.Array) else [value]:
            if isinstance(item, pikepdf.String):
                said.append(decode(bytes(item)))
            elif float(item) < -200:  # a gap as wide as a blank, in thousandths of em
                said.append(" ")
        text = "".join(said)
        if own and text == _MARK:
            text = _RAISED
        left, height = place[4], place[5]
        rank = 0 if not own else -1 if height > 0 else 1
        if self.lines:
            before = self.lines[-1]
            if before[0] == rank and abs(before[1] - height) < _SAME_LINE:
                gap = " " if abs(left - before[2]) > _SAME_LINE else ""
                self.lines[-1] = (*before[:3], before[3] + gap + text)
                return
        self.lines.append((rank, height, left, text))

    def _font(self, resources: Any, name: Any) -> Callable[[bytes], str]:
        font = resources["/Font"][name]
        if font.objgen not in self.fonts or font.objgen == (0, 0):
            self.fonts[font.objgen] = _decoder(font)
        return self.fonts[font.objgen]


def _decoder(font: Any) -> Callable[[bytes], str]:
    """Return what turns the codes of a font into text."""
    wide = font.get("/Subtype") == "/Type0"
    if isinstance(stream := font.get("/ToUnicode"), pikepdf.Stream):
        cmap = stream.read_bytes()[:_MOST_BYTES]
        return _mapped(_to_unicode(cmap), 2 if wide else 1)
    encoding = str(font.get("/Encoding", ""))
    if wide:
        for part, name in _NAMED:
            if part in encoding:
                return lambda codes: codes.decode(name, "replace")
        return _unread
    return lambda codes: codes.decode("cp1252", "replace")


def _mapped(codes: dict[int, str], width: int) -> Callable[[bytes], str]:
    def decode(text: bytes) -> str:
        found = (
            codes.get(int.from_bytes(text[start : start + width]), "")
            for start in range(0, len(text), width)
        )
        return "".join(found)

    return decode


def _to_unicode(cmap: bytes) -> dict[int, str]:
    """Return the characters behind the codes of a CMap."""
    codes: dict[int, str] = {}
    for block in _BFCHAR.findall(cmap):
        for code, text in _PAIR.findall(block):
            codes[int(_bare(code), 16)] = _text(text)
    for block in _BFRANGE.findall(cmap):
        for first, last, text, many in _TRIPLE.findall(block):
            start, stop = int(_bare(first), 16), int(_bare(last), 16) + 1
            if len(codes) + stop - start > _MOST_CODES:
                return codes
            if many:
                texts = map(_text, _HEX.findall(many))
                codes.update(zip(range(start, stop), texts, strict=False))
            elif said := _text(text):
                for code in range(start, stop):
                    last_one = ord(said[-1]) + code - start
                    codes[code] = said[:-1] + chr(min(last_one, 0x10FFFF))
    return codes


def _bare(digits: bytes) -> bytes:
    return b"".join(digits.split())


def _text(digits: bytes) -> str:
    bare = _bare(digits)
    return bytes.fromhex(bare.decode() + "0" * (len(bare) % 2)).decode(
        "utf-16-be", "replace"
    )


def _unread(codes: bytes) -> str:
    return ""


def _matrix(values: Any) -> Matrix:
    a, b, c, d, e, f = (float(value) for value in values)
    return a, b, c, d, e, f


def times(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that does one after the other (ISO 32000-2, 8.3.4)."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )
