"""PDF documents, with pikepdf and what poppler shows as second opinions."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MediaError, UnsupportedFormat
from synthmark.labeling.media.pdf import PdfDocument

Name, Dictionary = pikepdf.Name, pikepdf.Dictionary
SAID = "AI生成 · AI-generated"


def made(
    *turns: int, box: tuple[float, ...] = (10, 20, 610, 820), **save: Any
) -> bytes:
    """Make pages of two lines each, whose graphics are left in disorder."""
    with pikepdf.new() as pdf:
        for number, turn in enumerate(turns):
            lines = f"BT /F 12 Tf 80 700 Td (Page {number}) Tj 0 -20 Td (Low) Tj ET"
            font = Dictionary(
                Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica
            )
            page = Dictionary(
                Type=Name.Page,
                MediaBox=list(box),
                Rotate=turn,
                Contents=pdf.make_stream(f"{lines} q 2 0 0 2 0 0 cm q".encode()),
                Resources=Dictionary(Font=Dictionary(F=font)),
            )
            pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        pdf.docinfo["/Title"] = "Kept"
        file = io.BytesIO()
        pdf.save(file, **save)
    return file.getvalue()


CONTENT = made(0, 90, 180, 270)


def test_the_lines_of_each_page_are_read() -> None:
    # Pages that are turned are read from top to bottom as they are shown.
    texts = [sorted(part.split("\n")) for part in PdfDocument(CONTENT).parts()]
    assert texts[0] == ["Low", "Page 0"]
    assert len(texts) == 4


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("raised", [False, True])
def test_the_notice_stands_inside_the_page_as_shown(index: int, raised: bool) -> None:
    text = "AI" if raised else SAID
    labeled = PdfDocument(CONTENT).insert(index, text, raised=raised)
    at_end = index == 4 or (raised and index > 0)
    number = min(index, 3) if not (raised and index) else index - 1
    lines = labeled.parts()[number].split("\n")
    assert (lines[-1] if at_end else lines[0]) == ("ᴬᴵ" if raised else SAID)
    with pikepdf.open(io.BytesIO(labeled.content)) as pdf:
        page = pdf.pages[number]
        last = [step for step in pikepdf.parse_content_stream(page)][-5:]
        assert [str(step.operator) for step in last] == ["Q", "q", "cm", "Do", "Q"]
        a, b, c, d, e, f = (float(value) for value in last[2].operands)
        form = page.Resources.XObject[str(last[3].operands[0])]
        _, _, width, height = (float(value) for value in form.BBox)
        corners = [
            (a * x + c * y + e, b * x + d * y + f)
            for x in (0, width)
            for y in (0, height)
        ]
        assert all(10 <= x <= 610 and 20 <= y <= 820 for x, y in corners)
        # Letters stand upright once the page is turned.
        turn = {0: (1, 0), 1: (0, 1), 2: (-1, 0), 3: (0, -1)}[number]
        assert (round(a), round(b)) == turn
        assert float(pdf.docinfo.Title == "Kept")


def test_the_field_is_a_key_of_the_info_dictionary_and_only_one() -> None:
    once = PdfDocument(CONTENT).with_field("AIGC", "old")
    twice = once.with_field("AIGC", '{"Label":"1"}')
    (field,) = twice.fields("AIGC")
    assert field.value == '{"Label":"1"}'
    with pikepdf.open(io.BytesIO(twice.content)) as pdf:
        assert str(pdf.docinfo["/AIGC"]) == '{"Label":"1"}'
        assert str(pdf.docinfo["/Title"]) == "Kept"
    assert twice.parts() == PdfDocument(CONTENT).parts()


def test_encrypted_documents_are_refused_or_only_read() -> None:
    closed = made(0, encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(UnsupportedFormat, match="encrypted"):
        PdfDocument(closed)
    readable = PdfDocument(made(0, encryption=pikepdf.Encryption(owner="a", user="")))
    assert readable.parts()
    assert readable.locked


def test_a_signed_document_can_only_be_read() -> None:
    with pikepdf.open(io.BytesIO(CONTENT)) as pdf:
        pdf.Root.AcroForm = Dictionary(SigFlags=3, Fields=[])
        file = io.BytesIO()
        pdf.save(file)
    document = PdfDocument(file.getvalue())
    assert document.locked
    assert "signed" in document.locked[0]


def test_damaged_documents_are_refused() -> None:
    for content in (b"%PDF-1.7\n" + bytes(500), b"%PDF-1.4\n%%EOF"):
        with pytest.raises(DamagedMedia):
            PdfDocument(content)
    with pytest.raises(DamagedMedia, match="points large"):
        PdfDocument(made(0, box=(0, 0, 3, 3))).parts()
    cut = PdfDocument(CONTENT[:-300])
    assert cut.locked
    assert "damaged" in cut.locked[0]


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
@settings(max_examples=100)
def test_one_changed_byte_gives_a_document_or_an_error(place: int, by: int) -> None:
    content = bytearray(CONTENT)
    content[place] ^= by
    try:
        document = PdfDocument(bytes(content))
        document.parts()
        document.insert(0, SAID, raised=False).with_field("AIGC", "x").parts()
    except MediaError:
        pass


def bomb(content: bytes) -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        pdf.pages[0].Contents = pdf.make_stream(content)
        file = io.BytesIO()
        pdf.save(file, compress_streams=True)
    return file.getvalue()


@pytest.mark.parametrize("content", [b" " * (65 << 20), b"q Q " * 1_100_000])
def test_a_page_that_unpacks_beyond_reason_is_refused(content: bytes) -> None:
    with pytest.raises(MediaError):
        PdfDocument(bomb(content)).insert(0, SAID, raised=False)
    assert pikepdf.settings.get_qpdf_limits()["flate_max_memory"] == 0


def test_a_page_with_many_steps_is_not_read_but_labeled() -> None:
    document = PdfDocument(bomb(b"BT (a) Tj ET " * 110_000))
    assert document.parts() == [""]
    labeled = document.insert(0, SAID, raised=False)
    with pikepdf.open(io.BytesIO(labeled.content)) as pdf:
        assert "/SynthmarkNotice1" in pdf.pages[0].Resources.XObject
