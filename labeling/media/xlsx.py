"""Workbooks: what is read in their sheets, and where a notice can stand.

A notice is a sheet of its own. In a sheet of the workbook it would move or cover cells
that formulas and other programs count on; in a header it would only be seen on paper.

References
----------
ISO/IEC 29500-1, 18.2 (workbook), 18.3 (worksheets), 18.4 (shared strings).
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from .document import MAX_TEXT_BYTES
from .office import WORKBOOK_TYPE, OfficeDocument, registered, relations
from .package import attribute, edited, walk

__all__ = ["WorkbookDocument"]

_SPACES = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    ),
    "http://purl.oclc.org/ooxml/spreadsheetml/main": (
        "http://purl.oclc.org/ooxml/officeDocument/relationships"
    ),
}
_SHEET_TYPE = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
)
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_VIEW = re.compile(rb"<(?:[\w.-]+:)?sheetView(?=\s)")
_MAX_NAME = 31
_MAX_CELL = 32_767
_NO = ("0", "false")


class WorkbookDocument(OfficeDocument):
    """An XLSX file."""

    format = "xlsx"
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    main_type = WORKBOOK_TYPE
    _parts: list[str] | None = None

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.workbook = _Workbook(self.package.read(self.main))
        named = {one.id: one.target for one in relations(self.package, self.main)}
        self.places = [named.get(one.relation, "") for one in self.workbook.sheets]
        self.shown = [n for n, one in enumerate(self.workbook.sheets) if one.is_shown]

    def parts(self) -> list[str]:
        """Return the text of each sheet that is shown, its rows in lines."""
        if self._parts is None:
            self._parts = self._read()
        return list(self._parts)

    def insert(self, index: int, text: str, *, raised: bool) -> WorkbookDocument:
        """Return the workbook with a sheet that says the text.

        In front it is also the sheet that is shown first.

        Raises
        ------
        UnsupportedFormat
            Raised letters are asked for: cells are values, not text.
        """
        if raised:
            raise UnsupportedFormat(
                "a workbook has no place for a corner mark",
                hint="Use a notice of the style line, which is a sheet of its own.",
            )
        workbook = self.workbook
        at_start = index <= 0
        behind = index >= len(self.shown)
        number = len(workbook.sheets) if behind else self.shown[index]
        taken = {name.lower() for name in self.package.names}
        folder = posixpath.dirname(self.main)
        part = next(
            name
            for n in range(1, len(taken) + 2)
            if (name := posixpath.join(folder, "worksheets", f"sheet{n}.xml")).lower()
            not in taken
        )
        kind = _SPACES[workbook.space]
        id, parts = registered(
            self.package, self.main, part, f"{kind}/worksheet", _SHEET_TYPE
        )
        parts[self.main] = workbook.with_sheet(number, text, id, first=at_start)
        parts[part] = _sheet(workbook, text, selected=at_start)
        if at_start:
            parts |= self._deselected()
        return WorkbookDocument(self.package.replaced(parts))

    def _deselected(self) -> dict[str, bytes]:
        """Return the sheets that are selected, unselected.

        What is typed into one of several that are selected goes into all.
        """
        parts = {}
        for place in dict.fromkeys(self.places):
            if place in self.package.names:
                content = self.package.read(place)
                if spans := _selections(content):
                    parts[place] = edited(content, [(*span, '"0"') for span in spans])
        return parts

    def _read(self) -> list[str]:
        package = self.package
        named = relations(package, self.main)
        strings = [one.target for one in named if one.kind == "sharedStrings"][:1]
        read = [self.places[number] for number in self.shown]
        if sum(package.sizes.get(name, 0) for name in strings + read) > MAX_TEXT_BYTES:
            raise MediaTooLarge(
                f"the sheets have more than {MAX_TEXT_BYTES:,} bytes",
                hint="Label the workbook in parts.",
            )
        known = [name for name in strings if name in package.names]
        shared = _Strings(package.read(known[0])).all if known else []
        budget = _Budget(MAX_TEXT_BYTES)
        return [
            _Cells(package.read(name), shared, budget).text
            if name in package.names
            else ""
            for name in read
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A sheet in the list of the workbook."""

    name: str
    number: int
    relation: str
    is_shown: bool
    start: int


class _Workbook:
    """The main part: which sheets there are, and what counts them."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.space = ""
        self.sheets: list[_Sheet] = []
        self.end = -1
        self.has_view = False
        # Where and what attributes count the sheets, and which of them tells a view.
        self.counts: list[tuple[int, str, int]] = []
        walk(content, self._start, self._close)
        if self.end < 0 or not self.sheets:
            raise DamagedMedia("the workbook has no sheets")

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        space, _, local = name.rpartition(" ")
        if not self.space:
            self.space = space
            if space not in _SPACES or local != "workbook":
                raise DamagedMedia("the main part of the document is no workbook")
        if space != self.space:
            return
        if local == "sheet":
            self.sheets.append(
                _Sheet(
                    name=attributes.get("name", ""),
                    number=_number(attributes.get("sheetId", "")),
                    relation=attributes.get(f"{_SPACES[space]} id", ""),
                    is_shown=attributes.get("state", "visible") == "visible",
                    start=place,
                )
            )
        elif local == "workbookView":
            self.has_view = True
        for counted in ("activeTab", "firstSheet", "localSheetId"):
            if counted in attributes and local in ("workbookView", "definedName"):
                value = _number(attributes[counted])
                self.counts.append((place, counted, value))

    def _close(self, name: str, inside: int, stop: int) -> None:
        if name == f"{self.space} sheets" and stop > inside:
            self.end = inside

    def with_sheet(self, number: int, text: str, id: str, *, first: bool) -> bytes:
        """Return the part with one more sheet, in front of the one of a number."""
        at_end = number >= len(self.sheets)
        place = self.end if at_end else self.sheets[number].start
        free = max(one.number for one in self.sheets) + 1
        element = (
            f'<sheet xmlns="{self.space}" name={quoteattr(self._free_name(text))} '
            f'sheetId="{free}" xmlns:r="{_SPACES[self.space]}" r:id="{id}"/>'
        )
        changes = [(place, place, element)]
        for spot, counted, value in self.counts:
            later = value + (value >= number)
            if first and counted != "localSheetId":
                later = number if counted == "activeTab" else 0
            span = attribute(self.content, spot, counted)
            if span and later != value:
                changes.append((*span, f'"{later}"'))
        return edited(self.content, changes)

    def _free_name(self, text: str) -> str:
        taken = {one.name.lower() for one in self.sheets}
        bare = _NOT_IN_NAMES.sub(" ", text).strip(" '")
        ends = ["", *(f" ({n})" for n in range(2, len(taken) + 3))]
        names = (bare[: _MAX_NAME - len(end)].strip(" '") + end for end in ends)
        return next(name for name in names if name.lower() not in taken)


class _Strings:
    """The strings that cells share."""

    def __init__(self, content: bytes) -> None:
        self.all: list[str] = []
        self._said: list[str] = []
        self._path: list[str] = []
        walk(content, self._start, self._close, self._text)

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        self._path.append(name.rpartition(" ")[2])
        if len(self._path) == 2:
            self._said = []

    def _text(self, characters: str) -> None:
        if self._path[-1] == "t" and "rPh" not in self._path:
            self._said.append(characters)

    def _close(self, name: str, inside: int, stop: int) -> None:
        if len(self._path) == 2:
            self.all.append("".join(self._said)[:_MAX_CELL])
        self._path.pop()


class _Budget:
    """How many characters may still be read: cells may share a long string."""

    def __init__(self, size: int) -> None:
        self.left = size

    def spend(self, size: int) -> None:
        """Take some of them."""
        self.left -= size
        if self.left < 0:
            raise MediaTooLarge("the cells of the workbook have too much text")


class _Cells:
    """The text of a sheet; rows that are hidden are not read."""

    def __init__(self, content: bytes, shared: list[str], budget: _Budget) -> None:
        self.shared, self.budget = shared, budget
        self._rows: list[str] = []
        self._row: list[str] = []
        self._said: list[str] = []
        self._kind = ""
        self._in_text = self._hidden = False
        walk(content, self._start, self._close, self._said_more)
        self.text = "\n".join(self._rows).strip()

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        local = name.rpartition(" ")[2]
        if local == "row":
            self._row = []
            self._hidden = attributes.get("hidden", "0") not in _NO
        elif local == "c":
            self._kind, self._said = attributes.get("t", "n"), []
        self._in_text = local in ("v", "t")

    def _said_more(self, characters: str) -> None:
        if self._in_text:
            self._said.append(characters)

    def _close(self, name: str, inside: int, stop: int) -> None:
        local = name.rpartition(" ")[2]
        self._in_text = False
        if local == "c":
            said = "".join(self._said)[:_MAX_CELL]
            if self._kind == "s":
                index = _number(said.strip())
                said = self.shared[index] if index < len(self.shared) else ""
            if said and not self._hidden:
                self.budget.spend(len(said) + 1)
                self._row.append(said)
        elif local == "row" and self._row:
            self._rows.append("\t".join(self._row))


def _sheet(workbook: _Workbook, text: str, *, selected: bool) -> bytes:
    """Return a sheet with one large line at its top."""
    view = (
        f'<sheetViews><sheetView showGridLines="0" tabSelected="{selected:d}" '
        'workbookViewId="0"/></sheetViews>'
        if workbook.has_view
        else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{workbook.space}">{view}'
        '<sheetFormatPr defaultRowHeight="15"/>'
        '<cols><col min="1" max="1" width="80" customWidth="1"/></cols>'
        '<sheetData><row r="1" ht="48" customHeight="1">'
        '<c r="A1" t="inlineStr"><is><r><rPr><b/><sz val="28"/>'
        '<rFont val="Calibri"/></rPr>'
        f'<t xml:space="preserve">{escape(text)}</t></r></is></c></row></sheetData>'
        "</worksheet>"
    ).encode()


def _selections(content: bytes) -> list[tuple[int, int]]:
    """Return where a sheet says that it is selected."""
    # Views stand in front of the cells, of which there may be millions.
    head = content[: content.find(b"sheetData")]
    views = (view.start() for view in _VIEW.finditer(head))
    spans = (attribute(content, place, "tabSelected") for place in views)
    return [span for span in spans if span]


def _number(text: str) -> int:
    return int(text[:9]) if text.isdecimal() else 0
