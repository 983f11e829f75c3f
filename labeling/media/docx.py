"""Word documents: what is read in them, and where a notice can stand.

Every part that is not changed keeps its bytes, and so does all around a change.

References
----------
ISO/IEC 29500-1 (WordprocessingML).
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from ..errors import DamagedMedia
from .office import WORD_TYPE, OfficeDocument
from .package import edited, walk

__all__ = ["WordDocument"]

# Files of the strict form of the standard have other namespaces.
_WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_MARK = "AI"
_RAISED = "ᴬᴵ"
_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t"}


class WordDocument(OfficeDocument):
    """A DOCX file."""

    format = "docx"
    media_type = (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    )
    main_type = WORD_TYPE

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.body = _Body(self.package.read(self.main))

    def parts(self) -> list[str]:
        """Return the text of each paragraph and table."""
        return list(self.body.parts)

    def insert(self, index: int, text: str, *, raised: bool) -> WordDocument:
        """Return the document with a paragraph or raised letters in it."""
        body = self.body
        run = _run(body.space, text, raised)
        place = None
        if raised:
            place = body.ends[index - 1] if index else body.first_run
        if place is None:
            run = _paragraph(body.space, run)
            place = body.cuts[index] if index < len(body.cuts) else body.end
        part = edited(body.content, [(place, place, run)])
        return WordDocument(self.package.replaced({self.main: part}))


class _Body:
    """The text of a document, and where in its XML."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.space = ""
        self.cuts: list[int] = []
        self.parts: list[str] = []
        self.ends: list[int | None] = []
        self.first_run: int | None = None
        self.end = -1
        self._path: list[str] = []
        self._said: list[str] = []
        self._run: tuple[int, bool, bool] = (0, False, False)
        self._in_text = False
        self._fallback = 0
        self._paragraph_says = False
        walk(content, self._start, self._close, self._text)
        if self.end < 0:
            raise DamagedMedia("the document has no body")

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        space, _, local = name.rpartition(" ")
        if not self._path:
            self.space = space
            if space not in _WORD or local != "document":
                raise DamagedMedia("the main part of the document is no such document")
        self._path.append(name)
        if name == _FALLBACK:
            self._fallback += 1
        if space != self.space:
            return
        if len(self._path) == 3 and self._path[1].endswith(" body"):
            # The last section's properties end the body.
            if local == "sectPr":
                self.end = place
            else:
                self.cuts.append(place)
                self.ends.append(None)
                self._said = []
        if local == "p":
            self._paragraph_says = False
        elif local == "r":
            self._run = (place, False, False)
        elif local == "vertAlign":
            start, _, hidden = self._run
            raised = attributes.get(f"{space} val") == "superscript"
            self._run = (start, raised, hidden)
        elif local == "vanish" and len(self._path) > 2:
            start, raised, _ = self._run
            off = attributes.get(f"{space} val") in ("0", "false", "off")
            in_run = self._path[-3] == f"{space} r"
            self._run = (start, raised, in_run and not off)
        elif local == "t":
            self._in_text = True
        elif local in _BREAKS and self._path[-2] == f"{space} r":
            self._said.append(_BREAKS[local])

    def _text(self, characters: str) -> None:
        start, raised, hidden = self._run
        if not self._in_text or hidden or self._fallback or not self.cuts:
            return
        if raised and characters.strip() == _MARK:
            characters = _RAISED
        self._said.append(characters)
        self._paragraph_says = True
        if self.first_run is None:
            self.first_run = start

    def _close(self, name: str, inside: int, stop: int) -> None:
        self._path.pop()
        space, _, local = name.rpartition(" ")
        if name == _FALLBACK:
            self._fallback -= 1
        if space != self.space:
            return
        if local == "t":
            self._in_text = False
        elif local == "p":
            self._said.append("\n")
            if self._paragraph_says and self.ends:
                self.ends[-1] = inside
        if len(self._path) == 2 and self.cuts and local != "sectPr":
            self.parts.append("".join(self._said).strip())
        if len(self._path) == 1 and local == "body" and self.end < 0:
            self.end = inside if stop > inside else -1


def _run(space: str, text: str, raised: bool) -> str:
    style = (
        '<w:vertAlign w:val="superscript"/>'
        if raised
        else '<w:rFonts w:hint="eastAsia"/><w:b/><w:color w:val="1A1A1A"/>'
    )
    return (
        f'<w:r xmlns:w="{space}"><w:rPr>{style}</w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    )


def _paragraph(space: str, run: str) -> str:
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="4" w:color="767676"/>'
        for side in ("top", "left", "bottom", "right")
    )
    return (
        f'<w:p xmlns:w="{space}"><w:pPr><w:keepLines/><w:pBdr>{sides}</w:pBdr>'
        '<w:shd w:val="clear" w:color="auto" w:fill="F5F5F5"/>'
        '<w:spacing w:before="120" w:after="240"/><w:jc w:val="center"/></w:pPr>'
        f"{run}</w:p>"
    )
