"""Presentations, with python-pptx as a second opinion."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.util import Emu

from synthmark.labeling.errors import DamagedMedia, MediaError, UnsupportedFormat
from synthmark.labeling.media.package import Package
from synthmark.labeling.media.pptx import PresentationDocument

VALUE = '{"Label":"1","ProduceID":"<&7>"}'
NOTICE = "AI生成 · AI-generated"


def made(*titles: str, size: tuple[int, int] | None = None) -> bytes:
    deck = pptx.Presentation()
    if size:
        deck.slide_width, deck.slide_height = Emu(size[0]), Emu(size[1])
    for title in titles:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = title
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


CONTENT = made("第一页", "Two & <two>", "three")


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(edits: dict[str, Callable[[bytes], bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts(CONTENT).items():
            archive.writestr(name, edits.get(name, lambda part: part)(part))
    return file.getvalue()


def shapes(content: bytes) -> list[list[Any]]:
    return [
        list(slide.shapes) for slide in pptx.Presentation(io.BytesIO(content)).slides
    ]


@pytest.mark.parametrize(
    ("index", "slide", "below"),
    [(0, 0, False), (1, 1, False), (2, 2, False), (3, 2, True)],
)
def test_another_reader_sees_a_box_in_a_corner(
    index: int, slide: int, below: bool
) -> None:
    document = PresentationDocument(CONTENT)
    labeled = document.insert(index, "AI生成 <&>", raised=False)
    *_, box = shapes(labeled.content)[slide]
    deck = pptx.Presentation(io.BytesIO(CONTENT))
    assert box.text_frame.text == "AI生成 <&>"
    (run,) = box.text_frame.paragraphs[0].runs
    assert run.font.size.pt >= 0.03 * deck.slide_height.pt
    assert box.left + box.width <= deck.slide_width
    assert box.top + box.height <= deck.slide_height
    assert (box.top > deck.slide_height / 2) is below
    assert box.fill.fore_color.rgb != run.font.color.rgb
    ids = [one.shape_id for one in shapes(labeled.content)[slide]]
    assert len(set(ids)) == len(ids)
    texts = document.parts()
    pair = [texts[slide], "AI生成 <&>"]
    texts[slide] = "\n\n".join(pair if below else pair[::-1])
    assert labeled.parts() == texts
    before, after = parts(CONTENT), parts(labeled.content)
    assert [name for name in after if before[name] != after[name]] == [
        f"ppt/slides/slide{slide + 1}.xml"
    ]
    assert list(before) == list(after)


@pytest.mark.parametrize("size", [(914_400, 20_000_000), (20_000_000, 914_400)])
def test_the_box_stays_on_slides_of_every_shape(size: tuple[int, int]) -> None:
    labeled = PresentationDocument(made("a", size=size)).insert(0, NOTICE, raised=False)
    *_, box = shapes(labeled.content)[0]
    assert box.left >= 0
    assert box.top + box.height <= size[1]


@pytest.mark.parametrize("index", range(4))
def test_raised_letters_stand_below_the_slide_before(index: int) -> None:
    labeled = PresentationDocument(CONTENT).insert(index, "AI", raised=True)
    said = labeled.parts()[max(0, index - 1)]
    assert said.endswith("ᴬᴵ") if index else said.startswith("ᴬᴵ")


def test_what_is_not_shown_is_not_seen() -> None:
    def hide_slide(part: bytes) -> bytes:
        return part.replace(b"<p:sld ", b'<p:sld show="0" ', 1)

    def hide_shape(part: bytes) -> bytes:
        return part.replace(b'<p:cNvPr id="2"', b'<p:cNvPr hidden="1" id="2"')

    def outside(part: bytes) -> bytes:
        place = b'<a:xfrm><a:off x="0" y="99999999"/><a:ext cx="9" cy="9"/></a:xfrm>'
        return part.replace(b"<p:spPr/>", b"<p:spPr>" + place + b"</p:spPr>", 1)

    content = changed(
        {
            "ppt/slides/slide1.xml": hide_slide,
            "ppt/slides/slide2.xml": hide_shape,
            "ppt/slides/slide3.xml": outside,
        }
    )
    document = PresentationDocument(content)
    assert document.parts() == ["", ""]
    labeled = document.insert(0, NOTICE, raised=False)
    assert labeled.parts() == [NOTICE, ""]
    assert [len(one) for one in shapes(labeled.content)] == [1, 2, 1]


def test_the_strict_form_keeps_its_own_names() -> None:
    def strict(part: bytes) -> bytes:
        for name in (b"presentationml", b"drawingml"):
            part = part.replace(
                b"http://schemas.openxmlformats.org/%s/2006/main" % name,
                b"http://purl.oclc.org/ooxml/%s/main" % name,
            )
        return part.replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        )

    names = [name for name in parts(CONTENT) if name != "[Content_Types].xml"]
    document = PresentationDocument(changed(dict.fromkeys(names, strict)))
    assert document.parts() == PresentationDocument(CONTENT).parts()
    labeled = document.insert(0, NOTICE, raised=False)
    assert labeled.parts()[0].startswith(NOTICE)
    slide = parts(labeled.content)["ppt/slides/slide1.xml"]
    assert b"schemas.openxmlformats.org/drawingml/2006/main" not in slide


def test_a_presentation_without_slides_takes_no_notice() -> None:
    document = PresentationDocument(made())
    assert document.parts() == []
    with pytest.raises(UnsupportedFormat, match="shows no slides"):
        document.insert(0, NOTICE, raised=False)


def test_the_field_is_a_custom_property_and_only_one() -> None:
    once = PresentationDocument(CONTENT).with_field("AIGC", "old")
    twice = once.with_field("AIGC", VALUE)
    assert [field.value for field in twice.fields("AIGC")] == [VALUE]
    package = pptx.Presentation(io.BytesIO(twice.content)).part.package
    (relation,) = [
        one
        for one in package._rels.values()
        if one.reltype.endswith("/custom-properties")
    ]
    assert relation.target_part.blob.count(b"<property ") == 1
    before, after = parts(CONTENT), parts(twice.content)
    assert {name for name in before if before[name] != after[name]} == {
        "[Content_Types].xml",
        "_rels/.rels",
    }


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", categories=["L", "P", "S"]), max_size=20),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=10)
def test_texts_go_through(titles: list[str]) -> None:
    document = PresentationDocument(made(*titles))
    assert document.parts() == titles
    labeled = document.insert(len(titles), NOTICE, raised=False)
    seen = [slide[0].text_frame.text for slide in shapes(labeled.content)]
    assert seen == titles


@pytest.mark.parametrize(
    ("name", "edit", "problem"),
    [
        ("ppt/presentation.xml", lambda part: part[:-30], "malformed"),
        (
            "ppt/presentation.xml",
            lambda part: part.replace(b'cx="9144000"', b'cx="7"'),
            "EMU large",
        ),
        ("ppt/slides/slide1.xml", lambda _: b"<a/>", "none"),
        (
            "ppt/slides/slide1.xml",
            lambda part: part.replace(b"<p:sp>", b"<p:grpSp>" * 2000 + b"<p:sp>", 1),
            "nested",
        ),
    ],
)
def test_damaged_parts_are_refused(
    name: str, edit: Callable[[bytes], bytes], problem: str
) -> None:
    with pytest.raises(DamagedMedia, match=problem):
        PresentationDocument(changed({name: edit})).parts()


READ = [
    name
    for name in parts(CONTENT)
    if name[0] in "[_" or name.startswith(("ppt/slides/", "ppt/presentation"))
]


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
        document = PresentationDocument(package.replaced({name: bytes(part)}))
        document.insert(0, NOTICE, raised=False).with_field("AIGC", VALUE).parts()
    except MediaError:
        pass
