"""Documents on their way through the layers, and strings."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pikepdf
import pptx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark import label_text
from synthmark.labeling.errors import UnsupportedFormat, UsageError
from synthmark.labeling.media.document import document_source
from synthmark.labeling.media.package import Package
from synthmark.labeling.model import Layer, Media, State

TEXT = "第一段文字。\n\n" + "Ordinary words stand here.\n\n" * 8 + "The end.\n"
PAGE = "<!DOCTYPE html><title>t</title><body>" + "".join(
    f"<p>{line}</p>\n" for line in TEXT.split("\n\n")
)


def word() -> bytes:
    document = docx.Document()
    for line in TEXT.split("\n\n"):
        document.add_paragraph(line)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def workbook() -> bytes:
    made = openpyxl.Workbook()
    for number, line in enumerate(TEXT.split("\n\n")):
        (made.create_sheet(f"{number}") if number else made.active).append([line])
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def presentation() -> bytes:
    made = pptx.Presentation()
    for line in TEXT.split("\n\n"):
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = line
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def book() -> bytes:
    page = f'<html xmlns="http://www.w3.org/1999/xhtml">{PAGE.partition(">")[2]}'
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<a><b/><x:rootfile xmlns:x="urn:x" '
        'full-path="a.opf"/></a>',
        "a.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata></metadata>'
        '<manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="a"/></spine></package>',
        "a.xhtml": page + "</body></html>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def pdf() -> bytes:
    with pikepdf.new() as made:
        for _ in range(3):
            made.add_blank_page(page_size=(595, 842))
        file = io.BytesIO()
        made.save(file)
    return file.getvalue()


DOCUMENTS = {
    "txt": TEXT.encode(),
    "md": TEXT.encode(),
    "html": PAGE.encode(),
    "docx": word(),
    "xlsx": workbook(),
    "pptx": presentation(),
    "epub": book(),
    "pdf": pdf(),
}


@pytest.mark.parametrize(
    ("format", "style"),
    # Cells have no place for a corner mark.
    [*((format, "line") for format in DOCUMENTS)]
    + [(format, "corner") for format in DOCUMENTS if format != "xlsx"],
)
@pytest.mark.parametrize(
    ("at", "place"), [("start", "start"), ("end", "end"), (0.5, "middle")]
)
def test_every_layer_that_the_format_can_hold_reads_back(
    studio: Any, format: str, style: str, at: Any, place: str
) -> None:
    labeler = studio.home.labeler(text_style=style, notice_at=at)
    result = labeler.label(DOCUMENTS[format], media_format=format)
    assert result.complete
    assert (result.media, result.payload) == (Media.TEXT, None)
    report = studio.detect(result.content)
    (notice,) = report.layer(Layer.NOTICE).detail["notices"]
    # In a page without text everything is near the start.
    assert notice["place"] in (place, "start" if format == "pdf" else place)
    assert notice["style"] == style
    assert report.layer(Layer.MARK).state is State.UNSUPPORTED
    holds = format != "txt"
    aigc = report.layer(Layer.AIGC)
    assert aigc.state is (State.PRESENT if holds else State.UNSUPPORTED)
    assert result.layer(Layer.AIGC).written is holds
    if holds:
        assert aigc.detail["label"]["produce_id"] == result.produce_id
    sealed = format in ("txt", "md", "pdf")
    assert result.layer(Layer.C2PA).written is sealed
    state = report.layer(Layer.C2PA).state
    assert state is (State.TRUSTED if sealed else State.UNSUPPORTED)
    assert report.verdict == "confirmed"
    assert report.produce_id == result.produce_id
    assert report.layer(Layer.RECORD).detail["same_bytes"]
    assert report.findings == ()


@pytest.mark.parametrize("format", DOCUMENTS)
@pytest.mark.parametrize("at", ["start", "end", 0.4])
def test_labeling_twice_leaves_one_notice_and_one_field(
    studio: Any, format: str, at: Any
) -> None:
    labeler = studio.home.labeler(notice_at=at)
    once = labeler.label(DOCUMENTS[format], media_format=format)
    twice = labeler.label(once.content, media_format=format)
    report = studio.detect(twice.content)
    assert len(report.layer(Layer.NOTICE).detail["notices"]) == 1
    if format != "txt":
        assert len(report.layer(Layer.AIGC).detail["places"]) == 1
        assert any("earlier AIGC label" in note for note in twice.notes)
        assert report.produce_id == twice.produce_id != once.produce_id
    if format in ("txt", "md", "pdf"):
        assert twice.layer(Layer.C2PA).detail["action"] == "c2pa.opened"


@pytest.mark.parametrize(
    ("format", "part", "end"),
    [
        ("docx", "docProps/custom.xml", b"</Properties>"),
        ("xlsx", "docProps/custom.xml", b"</Properties>"),
        ("pptx", "docProps/custom.xml", b"</Properties>"),
        ("epub", "a.opf", b"</metadata>"),
    ],
)
def test_a_second_field_that_disagrees_is_told_and_replaced(
    studio: Any, format: str, part: str, end: bytes
) -> None:
    labeled = studio.labeler.label(DOCUMENTS[format], media_format=format).content
    package = Package(labeled)
    content = package.read(part)
    field = re.search(rb"<(property|meta)\b.*?(/>|</property>)", content, re.DOTALL)
    assert field
    other = field[0].replace(b"synthmark-development", b"somebody-else")
    both = package.replaced({part: content.replace(end, other + end)})
    report = studio.detect(both)
    assert report.layer(Layer.AIGC).state is State.CONFLICTING
    assert "altered" in {finding.kind for finding in report.findings}
    again = studio.labeler.label(both).content
    assert studio.detect(again).layer(Layer.AIGC).state is State.PRESENT


def test_what_a_package_is_shows_inside_of_it(studio: Any, tmp_path: Path) -> None:
    for format in ("docx", "xlsx", "pptx", "epub"):
        path = tmp_path / f"a.{format}"
        path.write_bytes(DOCUMENTS[format])
        assert document_source(path) == (DOCUMENTS[format], format)
        assert document_source(DOCUMENTS[format]) == (DOCUMENTS[format], format)
    path.write_bytes(DOCUMENTS["docx"])
    with pytest.raises(UnsupportedFormat, match="docx cannot become epub"):
        studio.labeler.label(path, tmp_path / "b.epub")


def test_a_changed_pdf_is_told(studio: Any) -> None:
    labeled = studio.labeler.label(DOCUMENTS["pdf"], media_format="pdf").content
    place = labeled.index(b"595")
    changed = labeled[:place] + b"6" + labeled[place + 1 :]
    report = studio.detect(changed)
    assert report.layer(Layer.C2PA).state is State.TAMPERED
    assert "altered" in {finding.kind for finding in report.findings}


def test_a_removed_field_is_told(studio: Any, tmp_path: Path) -> None:
    labeled = studio.labeler.label(DOCUMENTS["html"], tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text("utf-8")
    start = text.index("<meta name")
    report = studio.detect(
        text[:start].encode() + text[text.index(">", start) :].encode()
    )
    assert labeled.complete
    assert report.layer(Layer.AIGC).state is State.ABSENT
    assert report.verdict == "suspected"


def test_a_text_may_begin_like_any_other_file(studio: Any) -> None:
    for start in (b"RIFF is a format", b"abcdftyp is none", b"The wide river"):
        report = studio.detect(start + b", and so on.\n")
        assert report.media is Media.TEXT
        assert report.layer(Layer.C2PA).state is State.ABSENT
        assert report.findings == ()


def test_texts_change_into_texts_and_nothing_else(studio: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text(TEXT, "utf-8")
    result = studio.labeler.label(source, tmp_path / "a.md")
    assert result.layer(Layer.AIGC).written
    for name in ("a.pdf", "a.docx", "a.html", "a.png"):
        with pytest.raises(UnsupportedFormat):
            studio.labeler.label(source, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_places_of_sounds_are_none_of_texts(studio: Any) -> None:
    with pytest.raises(UsageError, match="share of the text"):
        studio.home.labeler(notice_at=30.0).label(b"A text.\n")
    with pytest.raises(UsageError, match="of style 'banner'"):
        studio.home.labeler(text_style="banner")


@given(st.text(), st.sampled_from(["start", "end", 0.5]), st.booleans())
def test_a_string_is_kept_but_for_the_notice(
    text: str, place: Any, markdown: bool
) -> None:
    labeled = label_text(text, place=place, markdown=markdown)
    assert label_text(labeled, place=place, markdown=markdown) == labeled
    rest = labeled.replace("AI生成", "", 1).split()
    assert rest[: len(text.split())] == text.split()


def test_wordings_of_strings_are_checked() -> None:
    assert label_text("a\n\nb", "人工智能合成", place=0.5) == "a\n\n人工智能合成\n\nb"
    assert label_text("a", "unused", place="end", style="corner") == "aᴬᴵ"
    with pytest.raises(UsageError, match="lacks"):
        label_text("a", "made by machines")
