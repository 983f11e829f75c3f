"""Plain text and Markdown: encodings, paragraphs, front matter."""

from __future__ import annotations

import codecs
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MediaError, UnsupportedFormat
from synthmark.labeling.media import document as room
from synthmark.labeling.media.document import document_source, open_document
from synthmark.labeling.media.encoding import decode
from synthmark.labeling.media.plain import Markdown, PlainText

VALUE = json.dumps({"Label": "1", "ContentProducer": "it's", "ProduceID": '"7"'})
LINES = st.sampled_from(
    ["a", "  b", "", " ", "```", "---", "中文 x", "- i", "~~~", "# h"]
)
TEXTS = st.builds(
    lambda lines, end: end.join(lines),
    st.lists(LINES),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "gb18030"),
    ],
)
def test_an_encoding_is_kept_with_its_mark(mark: bytes, name: str) -> None:
    content = mark + "这是一段中文。\r\n\r\n第二段。\r\n".encode(name)
    assert document_source(content) == (content, "txt")
    document = open_document(content, "txt")
    labeled = document.insert(0, "AI生成", raised=False).content
    assert labeled == mark + "AI生成\r\n\r\n".encode(name) + content[len(mark) :]


@pytest.mark.parametrize(
    ("content", "error", "problem"),
    [
        ("café für größere Straßen\n".encode("latin-1"), UnsupportedFormat, "encoding"),
        ("abc".encode("utf-32"), UnsupportedFormat, "UTF-32"),
        (b"abc\0def", DamagedMedia, r"U\+0000"),
        (b"abc\xff\xfe\xfd", UnsupportedFormat, "no encoding"),
    ],
)
def test_what_is_no_text_is_refused(
    content: bytes, error: type[MediaError], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        open_document(content, "txt")


def test_a_huge_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_TEXT_BYTES", 10)
    with pytest.raises(MediaError, match="more than 10"):
        open_document(b"x" * 11, "txt")


@given(st.binary(max_size=200))
def test_bytes_become_a_text_that_gives_them_back_or_an_error(content: bytes) -> None:
    try:
        text, encoding = decode(content)
    except MediaError:
        return
    assert encoding.encode(text) == content


@given(TEXTS, st.data())
def test_a_line_leaves_the_text_as_it_was(text: str, data: Any) -> None:
    for kind in (PlainText, Markdown):
        document = kind.of(text)
        parts = document.parts()
        index = data.draw(st.integers(0, len(parts)))
        labeled: Any = document.insert(index, "AI生成", raised=False)
        words, rest = text.split(), labeled.text.replace("AI生成", "", 1).split()
        assert rest[: len(words)] == words
        # Code that was left open is closed in front of a notice.
        assert set(rest[len(words) :]) <= {"```", "~~~"}
        assert labeled.parts()[index] == "AI生成"
        assert len(labeled.parts()) == len(parts) + 1


@given(TEXTS, st.data())
def test_raised_letters_touch_nothing_else(text: str, data: Any) -> None:
    document = PlainText.of(text)
    index = data.draw(st.integers(0, len(document.parts())))
    labeled: Any = document.insert(index, "AI", raised=True)
    assert labeled.text.count("ᴬᴵ") == 1
    assert labeled.text.replace("ᴬᴵ", "") == text


def test_code_in_fences_is_not_cut() -> None:
    document = Markdown.of("a\n\n```\n1\n\n2\n```\n\nb\n\n~~~\nopen\n\nend")
    assert document.parts() == ["a", "```\n1\n\n2\n```", "b", "~~~\nopen\n\nend"]


def test_a_wording_is_no_markup() -> None:
    labeled: Any = Markdown.of("x").insert(0, "1. *AI生成* <b>", raised=False)
    assert labeled.text.startswith("1\\. \\*AI生成\\* \\<b\\>\n\n")
    assert labeled.parts()[0] == "1. *AI生成* <b>"


@given(TEXTS)
def test_a_field_goes_in_front_and_is_replaced(text: str) -> None:
    first = Markdown.of(text)
    once: Any = first.with_field("AIGC", VALUE)
    again: Any = once.with_field("AIGC", VALUE.replace("it", "that"))
    assert [json.loads(field.value) for field in once.fields("AIGC")] == [
        json.loads(VALUE)
    ]
    assert len(again.fields("AIGC")) == 1
    assert len(again.text) == len(once.text) + 2
    assert once.parts() == first.parts()


@pytest.mark.parametrize(
    "front",
    [
        "AIGC:\n  Label: '1'\n  ProduceID: 7  # seven\n",
        'AIGC:\n    "Label": "1"\n\n    ProduceID: "7"\n',
        'title: a\nAIGC: \'{"Label":"1","ProduceID":"7"}\'\nother: b\n',
        'AIGC: {"Label":"1","ProduceID":"7"}\n',
    ],
)
def test_the_forms_of_others_are_read_and_replaced(front: str) -> None:
    document = Markdown.of(f"---\n{front}---\nText\n")
    (field,) = document.fields("AIGC")
    assert json.loads(field.value) == {"Label": "1", "ProduceID": "7"}
    changed: Any = document.with_field("AIGC", VALUE)
    (field,) = changed.fields("AIGC")
    assert json.loads(field.value) == json.loads(VALUE)
    for other in ("title: a\n", "other: b\n"):
        assert (other in changed.text) == (other in front)


def test_rules_around_a_text_are_no_front_matter() -> None:
    text = "---\n\nHello there\n\n---\n"
    labeled: Any = Markdown.of(text).with_field("AIGC", VALUE)
    assert labeled.text.endswith("---\n\n" + text)


def test_front_matter_in_toml_can_only_be_read() -> None:
    document = Markdown.of("+++\na = 1\n+++\n\nText.\n")
    assert document.parts()[-1] == "Text."
    assert document.locked
    assert "TOML" in document.locked[0]


@pytest.mark.parametrize(
    ("content", "named", "format"),
    [
        (b"The wide river", None, "txt"),
        (b"RIFF is a format", None, "txt"),
        (b"# Title\n", "md", "md"),
        (b"---\nAIGC:\n  Label: '1'\n---\n", None, "md"),
        (b"<!-- x --><!DOCTYPE html><p>x", None, "html"),
        (b"<?xml version='1.0'?><html xmlns='x'>", None, "html"),
        (b"<?xml version='1.0'?><rss>", None, None),
        (b"%PDF-1.7\n", None, "pdf"),
        (b"PK\x03\x04\x14\0", None, "package"),
        (b"\x89PNG\r\n\x1a\n", "txt", None),
        (b"\xff\xd8\xff\xe0", None, None),
        (b"caf\xe9 du monde", "txt", "txt"),
        (b"caf\xe9 du monde", None, None),
        (b"", "txt", None),
    ],
)
def test_the_content_decides_and_the_name_only_among_texts(
    content: bytes, named: str | None, format: str | None
) -> None:
    from synthmark.labeling.media.signature import document_kind

    assert document_kind(content, named) == format


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("Two words.", "ᴬᴵTwo words.", "Two words.ᴬᴵ"),
        ("# Title", "ᴬᴵ\n\n# Title", "# Titleᴬᴵ"),
        ("```\nx\n```", "ᴬᴵ\n\n```\nx\n```", "```\nx\n```\n\nᴬᴵ"),
        ("|a|\n|-|\n|b|", "ᴬᴵ\n\n|a|\n|-|\n|b|", "|a|\n|-|\n|b|\n\nᴬᴵ"),
        ("Title\n===", "ᴬᴵTitle\n===", "Title\n===\n\nᴬᴵ"),
        ("- item", "ᴬᴵ\n\n- item", "- itemᴬᴵ"),
        ("---\na: b\n---", "---\na: b\n---\n\nᴬᴵ", "---\na: b\n---\n\nᴬᴵ"),
    ],
)
def test_raised_letters_leave_markdown_what_it_is(
    text: str, start: str, end: str
) -> None:
    document = Markdown.of(text)
    for index, expected in ((0, start), (len(document.parts()), end)):
        labeled: Any = document.insert(index, "AI", raised=True)
        assert labeled.text == expected


def test_many_fields_and_fences_take_no_longer_than_others() -> None:
    started = time.process_time()
    front = Markdown.of("---\n" + "AIGC: b\n" * 100_000 + "---\nx")
    assert len(front.with_field("AIGC", VALUE).fields("AIGC")) == 1
    assert len(Markdown.of("```\n\n" * 200_000).parts()) == 100_000
    assert time.process_time() - started < 10
