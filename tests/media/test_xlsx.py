"""Workbooks, with openpyxl as a second opinion."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    UnsupportedFormat,
)
from synthmark.labeling.media import xlsx as room
from synthmark.labeling.media.package import Package
from synthmark.labeling.media.xlsx import WorkbookDocument

VALUE = '{"Label":"1","ProduceID":"<&7>"}'
NOTICE = "AI生成 · AI-generated"


def made(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(row)
        sheet.sheet_view.tabSelected = number == 1
        sheet.print_area = f"A1:B{number}"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


CONTENT = made(
    [["产品", 3], ["<&>", "=B1*2"]], [["=S1!B2"]], [["last", "word"], ["end"]]
)


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(edits: dict[str, Callable[[bytes], bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts(CONTENT).items():
            archive.writestr(name, edits.get(name, lambda part: part)(part))
    return file.getvalue()


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content), rich_text=False)


@pytest.mark.parametrize("index", range(4))
def test_another_reader_sees_a_sheet_and_all_else_where_it_was(index: int) -> None:
    document = WorkbookDocument(CONTENT)
    labeled = document.insert(index, NOTICE, raised=False)
    names = ["S1", "S2", "S3"]
    names.insert(index, NOTICE)
    before, after = opened(CONTENT), opened(labeled.content)
    assert after.sheetnames == names
    assert after[NOTICE]["A1"].value == NOTICE
    for sheet in before:
        same = after[sheet.title]
        assert list(same.values) == list(sheet.values)
        assert same.print_area == sheet.print_area
    assert after.active.title == (NOTICE if index == 0 else "S1")
    texts = document.parts()
    assert texts == ["产品\t3\n<&>", "", "last\tword\nend"]
    texts.insert(index, NOTICE)
    assert labeled.parts() == texts


def test_only_the_sheet_in_front_is_selected() -> None:
    labeled = WorkbookDocument(CONTENT).insert(0, NOTICE, raised=False)
    book = opened(labeled.content)
    assert [bool(one.sheet_view.tabSelected) for one in book] == [True] + [False] * 3


def test_a_notice_touches_the_lists_and_selections_alone() -> None:
    before = parts(CONTENT)
    at_end = parts(WorkbookDocument(CONTENT).insert(9, NOTICE, raised=False).content)
    assert {name for name in before if before[name] != at_end[name]} == {
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/workbook.xml",
    }
    assert at_end.keys() - before.keys() == {"xl/worksheets/sheet4.xml"}


def test_hidden_sheets_and_rows_are_not_seen() -> None:
    def hide_sheet(part: bytes) -> bytes:
        return re.sub(rb'(name="S1"[^>]*?)state="visible"', rb'\1state="hidden"', part)

    def hide_row(part: bytes) -> bytes:
        return part.replace(b'<row r="1"', b'<row r="1" hidden="1"')

    content = changed(
        {"xl/workbook.xml": hide_sheet, "xl/worksheets/sheet3.xml": hide_row}
    )
    document = WorkbookDocument(content)
    assert document.parts() == ["", "end"]
    labeled = document.insert(0, NOTICE, raised=False)
    assert labeled.parts() == [NOTICE, "", "end"]
    book = opened(labeled.content)
    assert book.sheetnames == ["S1", NOTICE, "S2", "S3"]
    assert book.active.title == NOTICE


def test_names_of_sheets_stay_different_and_legal() -> None:
    document = WorkbookDocument(CONTENT)
    wording = "AI生成[*]: /a rather long wording\\?"
    for _ in range(2):
        document = document.insert(0, wording, raised=False)
    second, first, *_ = opened(document.content).sheetnames
    assert first == "AI生成      a rather long wording"
    assert second.endswith(" (2)")
    assert max(len(first), len(second)) <= 31
    assert document.parts()[:2] == [wording, wording]


def test_the_strict_form_keeps_its_own_names() -> None:
    def strict(part: bytes) -> bytes:
        return part.replace(
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        ).replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        )

    names = [name for name in parts(CONTENT) if name != "[Content_Types].xml"]
    document = WorkbookDocument(changed(dict.fromkeys(names, strict)))
    labeled = document.insert(0, NOTICE, raised=False)
    assert labeled.parts() == [NOTICE, *document.parts()]
    after = parts(labeled.content)
    for name in ("xl/workbook.xml", "xl/worksheets/sheet4.xml"):
        assert b"schemas.openxmlformats.org/spreadsheetml" not in after[name]
    assert after["xl/_rels/workbook.xml.rels"].count(b"purl.oclc.org") == len(
        parts(CONTENT)["xl/_rels/workbook.xml.rels"].split(b"<Relationship ")
    )


def test_cells_are_no_place_for_raised_letters() -> None:
    with pytest.raises(UnsupportedFormat, match="corner mark"):
        WorkbookDocument(CONTENT).insert(0, "AI", raised=True)


def test_the_field_is_a_custom_property_and_only_one() -> None:
    once = WorkbookDocument(CONTENT).with_field("AIGC", "old")
    twice = once.with_field("AIGC", VALUE)
    assert [field.value for field in twice.fields("AIGC")] == [VALUE]
    properties = opened(twice.content).custom_doc_props
    assert {one.name: one.value for one in properties.props} == {"AIGC": VALUE}
    before, after = parts(CONTENT), parts(twice.content)
    assert {name for name in before if before[name] != after[name]} == {
        "[Content_Types].xml",
        "_rels/.rels",
    }


@given(
    st.lists(
        st.text(
            st.characters(codec="utf-8", categories=["L", "P", "S"]),
            min_size=1,
            max_size=20,
        ).filter(lambda text: not text.startswith("=")),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=20)
def test_texts_of_cells_go_through(cells: list[str]) -> None:
    document = WorkbookDocument(made([cells]))
    assert document.parts() == ["\t".join(cells)]
    labeled = document.insert(1, NOTICE, raised=False)
    (row,) = opened(labeled.content)["S1"].values
    assert list(row) == cells


def shared(string: str, cells: int) -> bytes:
    """Return a workbook whose cells share a string."""
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sound = b'<rPh sb="0" eb="1"><t>no</t></rPh>'
    strings = b'<sst xmlns="%s"><si><r><t>%s</t></r>' + sound + b"</si></sst>"
    row = b"<row>" + b'<c t="s"><v>0</v></c>' * cells + b"</row>"

    def fill(part: bytes) -> bytes:
        head, _, rest = part.partition(b"<sheetData>")
        return head + b"<sheetData>" + row + rest[rest.index(b"</sheetData>") :]

    def relate(part: bytes) -> bytes:
        kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        relation = b'<Relationship Id="s" Type="%s/sharedStrings" Target="x.xml"/>'
        return part.replace(b"</Rel", relation % kind + b"</Rel")

    def declare(part: bytes) -> bytes:
        kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.%s+xml"
        name = b'<Override PartName="/xl/x.xml" ContentType="%s"/>'
        return part.replace(b"</Types", name % (kind % b"sharedStrings") + b"</Types")

    content = changed(
        {
            "xl/worksheets/sheet1.xml": fill,
            "xl/_rels/workbook.xml.rels": relate,
            "[Content_Types].xml": declare,
        }
    )
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/x.xml", strings % (space, string.encode()))
    return file.getvalue()


def test_strings_that_cells_share_are_read() -> None:
    content = shared("&lt;AI生成&gt;", 2)
    assert WorkbookDocument(content).parts()[0] == "<AI生成>\t<AI生成>"
    assert [*opened(content)["S1"].values] == [("<AI生成>", "<AI生成>")]


def test_a_long_string_in_many_cells_is_not_read_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = shared("x" * 30_000, 100)
    monkeypatch.setattr(room, "MAX_TEXT_BYTES", 1 << 20)
    with pytest.raises(MediaTooLarge, match="too much text"):
        WorkbookDocument(content).parts()
    monkeypatch.setattr(room, "MAX_TEXT_BYTES", 1 << 10)
    with pytest.raises(MediaTooLarge, match="the sheets have more"):
        WorkbookDocument(content).parts()


@pytest.mark.parametrize(
    ("name", "edit", "problem"),
    [
        ("xl/workbook.xml", lambda part: part[:-30], "malformed"),
        (
            "xl/workbook.xml",
            lambda part: re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", part),
            "no sheets",
        ),
        (
            "xl/workbook.xml",
            lambda part: part.replace(b"<workbook", b"<!DOCTYPE a><workbook", 1),
            "document type",
        ),
        (
            "xl/worksheets/sheet1.xml",
            lambda part: part.replace(b"<row", b"<row>" * 2000 + b"<row", 1),
            "nested",
        ),
    ],
)
def test_damaged_parts_are_refused(
    name: str, edit: Callable[[bytes], bytes], problem: str
) -> None:
    with pytest.raises(DamagedMedia, match=problem):
        WorkbookDocument(changed({name: edit})).parts()


READ = [name for name in parts(CONTENT) if "xl/w" in name or name[0] in "[_"]


@given(
    st.sampled_from(READ),
    st.integers(0, 5000),
    st.sampled_from([b"", b"<", b"/", b'"', b"&", b"0", b"-9", b"\xff", b"<a/>", b":"]),
)
def test_a_changed_part_gives_a_document_or_an_error(
    name: str, place: int, new: bytes
) -> None:
    package = Package(CONTENT)
    part = bytearray(package.read(name))
    place %= len(part)
    part[place : place + 1] = new
    try:
        document = WorkbookDocument(package.replaced({name: bytes(part)}))
        document.insert(0, NOTICE, raised=False).with_field("AIGC", VALUE).parts()
    except MediaError:
        pass
