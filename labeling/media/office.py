"""Office documents: their parts, and the custom properties where a field stands.

Every part that is not changed keeps its bytes, and so does all around a change.

References
----------
ISO/IEC 29500-2 (packages), 29500-1, 15.2.12.2 (custom properties).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import ClassVar, Self
from xml.sax.saxutils import escape, quoteattr

from ..errors import DamagedMedia, UnsupportedFormat
from .document import Document, Field
from .package import Package, edited, walk

__all__ = [
    "PRESENTATION_TYPE",
    "WORD_TYPE",
    "WORKBOOK_TYPE",
    "Listing",
    "OfficeDocument",
    "Relation",
    "format_of_package",
    "registered",
    "relations",
]

_OPEN = "application/vnd.openxmlformats-officedocument"
WORD_TYPE = f"{_OPEN}.wordprocessingml.document.main+xml"
WORKBOOK_TYPE = f"{_OPEN}.spreadsheetml.sheet.main+xml"
PRESENTATION_TYPE = f"{_OPEN}.presentationml.presentation.main+xml"
_FORMATS = {WORD_TYPE: "docx", WORKBOOK_TYPE: "xlsx", PRESENTATION_TYPE: "pptx"}
_BOOK_TYPE = b"application/epub+zip"

_TYPES = "[Content_Types].xml"
_CUSTOM = "docProps/custom.xml"
_CUSTOM_TYPE = f"{_OPEN}.custom-properties+xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_FORMAT_ID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What a part says of another one: its own name for it, the kind, and the part."""

    id: str
    kind: str
    target: str


class OfficeDocument(Document):
    """A file in one of the office formats that are ZIP packages of XML."""

    field_place = "custom property AIGC"
    main_type: ClassVar[str]

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.package = Package(content)
        named = {one.kind: one.target for one in reversed(relations(self.package))}
        self.main = named.get("officeDocument", "")
        if _main_type(self.package) != self.main_type:
            raise UnsupportedFormat(
                "the file is an office document of another kind than its name says",
                hint="Give it the ending of its kind.",
            )
        self.custom = named.get("custom-properties", "")
        if "origin" in named:
            self.locked = (
                "the document is signed, and a label would break the signature",
                "Label it first, and sign it then.",
            )

    def fields(self, name: str) -> list[Field]:
        """Return the custom properties of a name."""
        return [
            Field(place=f"custom property {name}", value=one.value)
            for one in self._properties().named(name)
        ]

    def with_field(self, name: str, value: str) -> Self:
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
        changed = {self.custom or _CUSTOM: edited(content, changes)}
        if not self.custom:
            kind = f"{_OFFICE}/relationships/custom-properties"
            changed |= registered(self.package, "", _CUSTOM, kind, _CUSTOM_TYPE)[1]
        return type(self)(self.package.replaced(changed))

    def _properties(self) -> _Properties:
        if self.custom in self.package.names:
            found = _Properties(self.package.read(self.custom))
            if found.end >= 0:
                return found
        return _Properties(
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<Properties xmlns="{_OFFICE}/custom-properties"></Properties>'.encode()
        )


class Listing:
    """The part that lists relationships, or content types.

    Raises
    ------
    DamagedMedia
        It is malformed or empty.
    """

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
        return edited(self.content, [(self.end, self.end, element)])


def format_of_package(content: bytes) -> str:
    """Tell which document a ZIP package is.

    Returns
    -------
    str
        ``"docx"``, ``"xlsx"``, ``"pptx"`` or ``"epub"``.

    Raises
    ------
    MediaError
        It is damaged, too large, or another kind of archive.
    """
    package = Package(content)
    if "mimetype" in package.names and package.read("mimetype").strip() == _BOOK_TYPE:
        return "epub"
    kind = _main_type(package)
    if kind not in _FORMATS:
        raise UnsupportedFormat(
            "the file is an office document of another kind",
            hint="Save it as DOCX, XLSX or PPTX, without macros, or as PDF.",
        )
    return _FORMATS[kind]


def relations(package: Package, part: str = "") -> list[Relation]:
    """Return the parts that a part, or the package itself, names."""
    place = _relations_of(part)
    if place not in package.names:
        return []
    return [
        Relation(
            id=item.get("Id", ""),
            kind=item.get("Type", "").rsplit("/", 1)[-1],
            target=posixpath.normpath(
                posixpath.join("/", posixpath.dirname(part), item["Target"])
            )[1:],
        )
        for item in Listing(package.read(place)).items
        if item.get("TargetMode") != "External" and "Target" in item
    ]


def registered(
    package: Package, owner: str, part: str, kind: str, content_type: str
) -> tuple[str, dict[str, bytes]]:
    """Make a new part known.

    Parameters
    ----------
    package : Package
    owner : str
        The part that names it; empty for the package itself.
    part : str
        Its name.
    kind : str
        Of the relationship, as a URI.
    content_type : str

    Returns
    -------
    id : str
        How the owner names it.
    parts : dict of str to bytes
        What must be replaced for that.
    """
    place = _relations_of(owner)
    listing = Listing(package.read(place))
    ids = listing.values("Id")
    number = next(n for n in range(1, len(ids) + 2) if f"rId{n}" not in ids)
    target = posixpath.relpath(f"/{part}", f"/{posixpath.dirname(owner)}")
    parts = {
        place: listing.appended(
            f'<Relationship xmlns="{_PACKAGE}/relationships" Id="rId{number}" '
            f'Type="{kind}" Target="{target}"/>'
        )
    }
    types = Listing(package.read(_TYPES))
    if f"/{part}".lower() not in {name.lower() for name in types.values("PartName")}:
        parts[_TYPES] = types.appended(
            f'<Override xmlns="{_PACKAGE}/content-types" PartName="/{part}" '
            f'ContentType="{content_type}"/>'
        )
    return f"rId{number}", parts


def _relations_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _main_type(package: Package) -> str:
    """Return the content type of the main part."""
    named = (one for one in relations(package) if one.kind == "officeDocument")
    main = next((one.target for one in named), "")
    if main not in package.names or _TYPES not in package.names:
        raise UnsupportedFormat(
            "the file is a ZIP archive, but not a document",
            hint="Save it as DOCX, XLSX, PPTX, EPUB, PDF, HTML, Markdown or text.",
        )
    types = Listing(package.read(_TYPES)).items
    typed = (item for item in types if item.get("PartName", "")[1:] == main)
    return next(typed, {}).get("ContentType", "")


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
