"""Word documents: what is read in them, and where a notice and a field can stand.

Every part that is not changed keeps its bytes, and so does all around a change.

References
----------
ISO/IEC 29500-1 (WordprocessingML), 29500-2 (packages), 15.2.12.2 (custom properties).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ..errors import DamagedMedia, UnsupportedFormat
from .document import Document, Field
from .package import Package, walk

__all__ = ["WordDocument"]

_TYPES = "[Content_Types].xml"
_RELATIONS = "_rels/.rels"
_CUSTOM = "docProps/custom.xml"
_MAIN_TYPE = (
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
)
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_FORMAT_ID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
# Files of the strict form of the standard have other namespaces.
_WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_MARK = "AI"
_RAISED = "ᴬᴵ"
_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t"}


class WordDocument(Document):
    """A DOCX file."""

    format = "docx"
    media_type = (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    )
    field_place = "custom property AIGC"

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.package = Package(content)
        names = self.package.names
        relations = _relations(self.package) if _RELATIONS in names else {}
        self.main = relations.get("officeDocument", "")
        if self.main not in names or _TYPES not in names:
            raise UnsupportedFormat(
                "the file is a ZIP archive, but not a Word document",
                hint="Save it as DOCX, PDF, HTML, Markdown or plain text.",
            )
        if _content_type(self.package, self.main) != _MAIN_TYPE:
            raise UnsupportedFormat(
                "the file is an office document of another kind",
                hint="Save it as DOCX, without macros, or as PDF.",
            )
        self.custom = relations.get("custom-properties", "")
        if "origin" in relations:
            self.locked = (
                "the document is signed, and a label would break the signature",
                "Label it first, and sign it then.",
            )
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
        part = _edited(body.content, [(place, place, run)])
        return WordDocument(self.package.replaced({self.main: part}))

    def fields(self, name: str) -> list[Field]:
        """Return the custom properties of a name."""
        return [
            Field(place=f"custom property {name}", value=one.value)
            for one in self._properties().named(name)
        ]

    def with_field(self, name: str, value: str) -> WordDocument:
        """Return the document with one custom property of a name, as text."""
        properties = self._properties()
        content = properties.content
        number = max([1, *(one.number for one in properties.all)]) + 1
        new = (
            f'<property xmlns="{properties.space}" fmtid="{_FORMAT_ID}" '
            f"pid={quoteattr(str(number))} name={quoteattr(name)}>"
            f'<vt:lpwstr xmlns:vt="{_OFFICE}/docPropsVTypes">{escape(value)}'
            "</vt:lpwstr></property>"
        )
        changes = [(properties.end, properties.end, new)]
        changes += [(one.start, one.stop, "") for one in properties.named(name)]
        changed = {self.custom or _CUSTOM: _edited(content, changes)}
        if not self.custom:
            changed |= self._registered()
        return WordDocument(self.package.replaced(changed))

    def _properties(self) -> _Properties:
        if self.custom in self.package.names:
            found = _Properties(self.package.read(self.custom))
            if found.end >= 0:
                return found
        return _Properties(
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<Properties xmlns="{_OFFICE}/custom-properties"></Properties>'.encode()
        )

    def _registered(self) -> dict[str, bytes]:
        """Return the parts that tell of the custom properties."""
        relations = _Listing(self.package.read(_RELATIONS))
        ids = relations.values("Id")
        number = next(n for n in range(1, len(ids) + 2) if f"rId{n}" not in ids)
        parts = {
            _RELATIONS: relations.appended(
                f'<Relationship xmlns="{_PACKAGE}/relationships" Id="rId{number}" '
                f'Type="{_OFFICE}/relationships/custom-properties" '
                f'Target="{_CUSTOM}"/>'
            )
        }
        types = _Listing(self.package.read(_TYPES))
        known = {name.lower() for name in types.values("PartName")}
        if f"/{_CUSTOM}".lower() not in known:
            parts[_TYPES] = types.appended(
                f'<Override xmlns="{_PACKAGE}/content-types" PartName="/{_CUSTOM}" '
                f'ContentType="{_CUSTOM_TYPE}"/>'
            )
        return parts


class _Listing:
    """The part that lists relationships, or content types."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.items: list[dict[str, str]] = []
        self.end = -1

        def end(name: str, inside: int, stop: int) -> None:
            self.end = inside if stop > inside else -1

        walk(content, lambda _, attributes, place: self.items.append(attributes), end)
        if self.end < 0:
            raise DamagedMedia("the package has an empty list of its parts")

    def values(self, attribute: str) -> list[str]:
        """Return the values of an attribute."""
        return [item[attribute] for item in self.items if attribute in item]

    def appended(self, element: str) -> bytes:
        """Return the part with one more element."""
        return _edited(self.content, [(self.end, self.end, element)])


def _relations(package: Package) -> dict[str, str]:
    """Return the parts that the package names, by the last word of their kind."""
    found: dict[str, str] = {}
    for item in _Listing(package.read(_RELATIONS)).items:
        if item.get("TargetMode") != "External" and "Target" in item:
            target = posixpath.normpath(posixpath.join("/", item["Target"]))
            found.setdefault(item.get("Type", "").rsplit("/", 1)[-1], target[1:])
    return found


def _content_type(package: Package, name: str) -> str:
    types = _Listing(package.read(_TYPES)).items
    named = (item for item in types if item.get("PartName", "")[1:] == name)
    return next(named, {}).get("ContentType", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Property:
    """A custom property and where it stands."""

    name: str
    number: int
    value: str
    start: int
    stop: int


class _Properties:
    """The part of custom properties."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.all: list[_Property] = []
        self.end = -1
        self.space = ""
        self.path: list[str] = []
        self.opened: tuple[dict[str, str], int] = ({}, 0)
        self.said: list[str] = []
        walk(content, self._start, self._end, self.said.append)

    def named(self, name: str) -> list[_Property]:
        """Return the properties of a name, in any letters."""
        return [one for one in self.all if one.name.lower() == name.lower()]

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        self.path.append(name)
        if len(self.path) == 1:
            self.space = name.rpartition(" ")[0]
        elif len(self.path) == 2:
            self.opened = (attributes, place)
            self.said.clear()

    def _end(self, name: str, inside: int, stop: int) -> None:
        self.path.pop()
        if not self.path:
            self.end = inside if stop > inside else -1
        elif len(self.path) == 1:
            attributes, start = self.opened
            number = attributes.get("pid", "")
            self.all.append(
                _Property(
                    name=attributes.get("name", ""),
                    number=int(number[:9]) if number.isdecimal() else 1,
                    value="".join(self.said),
                    start=start,
                    stop=stop,
                )
            )


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


def _edited(content: bytes, changes: list[tuple[int, int, str]]) -> bytes:
    """Return bytes with stretches of them replaced."""
    pieces, kept = [], 0
    for start, stop, new in sorted(changes):
        pieces += [content[kept:start], new.encode()]
        kept = stop
    return b"".join([*pieces, content[kept:]])
