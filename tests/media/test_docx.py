"""Word documents, with python-docx as a second opinion."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MediaError, UnsupportedFormat
from synthmark.labeling.media import package as room
from synthmark.labeling.media.docx import WordDocument

VALUE = '{"Label":"1","ProduceID":"<&7>"}'


def made(*texts: str) -> bytes:
    document = docx.Document()
    for text in texts:
        document.add_paragraph(text)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


CONTENT = made("第一段", "Two & <two>", "three")


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(edits: dict[str, Callable[[bytes], bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts(CONTENT).items():
            archive.writestr(name, edits.get(name, lambda part: part)(part))
    return file.getvalue()


def paragraphs(content: bytes) -> list[Any]:
    return list(docx.Document(io.BytesIO(content)).paragraphs)


@pytest.mark.parametrize("index", range(4))
def test_another_reader_sees_the_notice_and_all_else(index: int) -> None:
    document = WordDocument(CONTENT)
    labeled = document.insert(index, "AI生成 <&>", raised=False)
    texts = document.parts()
    texts.insert(index, "AI生成 <&>")
    assert [one.text for one in paragraphs(labeled.content)] == texts
    assert labeled.parts() == texts
    before, after = parts(CONTENT), parts(labeled.content)
    assert {name for name in after if before[name] != after[name]} == {
        "word/document.xml"
    }
    assert list(before) == list(after)


@pytest.mark.parametrize("index", range(4))
def test_raised_letters_stand_in_a_paragraph_that_is_there(index: int) -> None:
    labeled = WordDocument(CONTENT).insert(index, "AI", raised=True)
    shown = paragraphs(labeled.content)
    assert len(shown) == 3
    (run,) = [r for one in shown for r in one.runs if r.font.superscript]
    assert run.text == "AI"
    said = labeled.parts()[max(0, index - 1)]
    assert said.endswith("ᴬᴵ") if index else said.startswith("ᴬᴵ")


@given(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "P", "Zs"]))))
@settings(max_examples=20)
def test_texts_go_through(texts: list[str]) -> None:
    document = WordDocument(made(*texts))
    labeled = document.insert(len(document.parts()), "AI生成", raised=False)
    assert labeled.parts() == [*(text.strip() for text in texts), "AI生成"]
    assert [one.text for one in paragraphs(labeled.content)] == [*texts, "AI生成"]


def test_the_field_is_a_registered_custom_property_and_only_one() -> None:
    once = WordDocument(CONTENT).with_field("AIGC", "old")
    twice = once.with_field("AIGC", VALUE)
    (field,) = twice.fields("AIGC")
    assert field.value == VALUE
    package = docx.Document(io.BytesIO(twice.content)).part.package
    (relation,) = [
        one
        for one in package.rels.values()
        if one.reltype.endswith("/custom-properties")
    ]
    part = relation.target_part
    assert str(part.partname) == "/docProps/custom.xml"
    assert part.content_type.endswith("custom-properties+xml")
    assert part.blob.count(b"<property ") == 1
    assert b'pid="3"' in part.blob
    before, after = parts(CONTENT), parts(twice.content)
    assert {name for name in before if before[name] != after[name]} == {
        "[Content_Types].xml",
        "_rels/.rels",
    }


def test_other_properties_stay() -> None:
    once = WordDocument(CONTENT).with_field("Client", "them")
    twice = once.with_field("AIGC", VALUE)
    assert [field.value for field in twice.fields("Client")] == ["them"]
    assert [field.value for field in twice.fields("AIGC")] == [VALUE]


def test_what_is_hidden_is_not_seen() -> None:
    hidden = b"<w:r><w:rPr><w:vanish/></w:rPr><w:t>AI</w:t></w:r>"

    def hide(part: bytes) -> bytes:
        return part.replace(b"<w:r>", hidden + b"<w:r>", 1)

    assert WordDocument(changed({"word/document.xml": hide})).parts()[0] == "第一段"


def test_a_signed_document_can_only_be_read() -> None:
    kind = b"http://schemas.openxmlformats.org/package/2006/relationships/digital-signature"

    def sign(part: bytes) -> bytes:
        relation = b'<Relationship Id="s" Type="%s/origin" Target="x"/>' % kind
        return part.replace(b"</Relationships>", relation + b"</Relationships>")

    document = WordDocument(changed({"_rels/.rels": sign}))
    assert document.parts()
    assert document.locked
    assert "signed" in document.locked[0]


def broken_zip(kind: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "bomb":
            for index in range(3):
                archive.writestr(f"{index}", bytes(300 << 10))
        archive.writestr("readme", "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "error", "problem"),
    [
        (CONTENT[:2000], DamagedMedia, "cut off"),
        (b"PK\x03\x04" + bytes(100), DamagedMedia, "cut off"),
        (broken_zip("plain"), UnsupportedFormat, "not a document"),
        (broken_zip("bomb"), MediaError, "unpacks to more"),
        (
            changed({"word/document.xml": lambda part: part[:-30]}),
            DamagedMedia,
            "malformed",
        ),
        (
            changed(
                {
                    "word/document.xml": lambda part: part.replace(
                        b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1
                    )
                }
            ),
            DamagedMedia,
            "document type",
        ),
        (
            changed(
                {
                    "word/document.xml": lambda part: part.replace(
                        b"<w:body>", b"<w:body>" + b"<w:p>" * 2000, 1
                    )
                }
            ),
            DamagedMedia,
            "nested",
        ),
        (
            changed(
                {
                    "[Content_Types].xml": lambda part: part.replace(
                        b"openxmlformats-officedocument.wordprocessingml.document.main",
                        b"ms-word.document.macroEnabled.main",
                    )
                }
            ),
            UnsupportedFormat,
            "another kind",
        ),
    ],
)
def test_damaged_and_hostile_packages_are_refused(
    content: bytes,
    error: type[MediaError],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "_MAX_BYTES", 850_000)
    with pytest.raises(error, match=problem):
        WordDocument(content)


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
@settings(max_examples=60)
def test_one_changed_byte_gives_a_document_or_an_error(place: int, by: int) -> None:
    content = bytearray(CONTENT)
    content[place] ^= by
    try:
        document = WordDocument(bytes(content))
        document.with_field("AIGC", VALUE).parts()
    except MediaError:
        pass
