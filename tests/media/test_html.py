"""HTML pages, with the parser of lxml as a second opinion."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import MediaError, UnsupportedFormat
from synthmark.labeling.media.html import HtmlDocument

VALUE = '{"Label":"1","ProduceID":"<&\'>"}'
PAGE = """<!DOCTYPE html>
<html lang="zh"><head><meta charset="utf-8"><title>a </head> b</title>
<!-- </head><body> --><style>p{color:red}</style></head>
<body data-a="a>b"><h1>标题</h1>
<p>One &amp; two.</p><script>var a = "</body>";</script>
<p>Three<br>four.</p><div hidden><p>unseen</p></div></body></html>
"""
PIECES = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<div>", "</div>", "<h1>", "<b>", "</b>", "x", "y", " "),
            *("<br>", "<!--c-->", "<script>s</script>", "<ul>", "<li>", "<sup>"),
            *("<html>", "<head>", "</head>", "<body>", "</body>", "</html>"),
            *("<title>t</title>", "<a href='>'>", "</sup>", "&lt;", "&amp;"),
            *("<meta name=AIGC content=x>", "<!doctype html>", "<p hidden>"),
        ]
    )
)


def opened(text: str) -> HtmlDocument:
    return HtmlDocument(text.encode())


def test_what_is_seen_and_nothing_else() -> None:
    assert opened(PAGE).parts() == ["标题", "One & two.", "Three\nfour."]


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_another_parser_sees_the_notice_at_its_place(index: int) -> None:
    labeled = opened(PAGE).insert(index, "AI生成 <b>&", raised=False)
    tree = lxml.html.document_fromstring(labeled.content)
    (note,) = tree.xpath("//body//*[@role='note']")
    assert note.text == "AI生成 <b>&"
    assert "!important" in note.get("style")
    before = len(note.xpath("preceding::h1 | preceding::p[not(ancestor::div)]"))
    assert before == index - (index > 2) + (index == 3)
    start = labeled.text.index("<div role=")
    end = labeled.text.index("</div>", start) + len("</div>")
    rest = labeled.text[:start] + labeled.text[end:]
    assert rest.replace("\n", "") == PAGE.replace("\n", "")


def test_another_parser_reads_the_field_in_the_head() -> None:
    once = opened(PAGE).with_field("AIGC", VALUE)
    twice = once.with_field("AIGC", VALUE)
    assert twice.text == once.text
    tree = lxml.html.document_fromstring(once.content)
    (meta,) = tree.xpath("//head/meta[@name='AIGC']")
    assert meta.get("content") == VALUE
    assert once.text.count("\n") == PAGE.count("\n") + 1


def test_several_fields_become_one() -> None:
    page = opened("<META NAME=aigc CONTENT=a><p>x<meta name='AIGC' content='b'>")
    assert [field.value for field in page.fields("AIGC")] == ["a", "b"]
    (field,) = page.with_field("AIGC", VALUE).fields("AIGC")
    assert field.value == VALUE


@given(PIECES, st.data())
def test_any_page_is_kept_but_for_what_is_added(pieces: list[str], data: Any) -> None:
    text = "".join(pieces)
    page = opened(text or "x")
    index = data.draw(st.integers(0, len(page.parts())))
    labeled = page.insert(index, "AI生成", raised=False)
    start = labeled.text.index("<div role=")
    end = labeled.text.index("</div>", start) + 6
    rest = labeled.text[:start] + labeled.text[end:]
    assert rest.replace("\n", "") == page.text.replace("\n", "")
    assert "AI生成" in "\n".join(labeled.parts())
    (field,) = page.with_field("AIGC", VALUE).fields("AIGC")
    assert field.value == VALUE


def test_raised_letters() -> None:
    labeled = opened(PAGE).insert(3, "AI", raised=True)
    raised = '<sup style="margin-inline-end:.25em">AI</sup>'
    assert labeled.text == PAGE.replace("four.", f"four.{raised}")
    assert labeled.parts()[-1] == "Three\nfour.ᴬᴵ"


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "windows-1252", "shift_jis"])
def test_an_encoding_that_the_page_names_is_kept(encoding: str) -> None:
    text = f"<meta charset={encoding}><p>{'é' if encoding[0] == 'w' else '中文'}</p>"
    page = HtmlDocument(text.encode(encoding))
    labeled = page.insert(0, "AI生成", raised=False)
    assert labeled.content.decode(encoding).endswith(text[text.index("<p>") :])
    tree = lxml.html.document_fromstring(labeled.content)
    assert tree.xpath("//*[@role='note']")[0].text == "AI生成"


def test_unknown_encodings_and_framesets_are_refused() -> None:
    with pytest.raises(UnsupportedFormat, match="unknown encoding"):
        opened("<meta charset=klingon><p>x")
    with pytest.raises(UnsupportedFormat, match="frameset"):
        opened("<html><frameset cols='1,2'><frame src=a>")


@pytest.mark.parametrize(
    "piece", ["<a ", "<div>", '<a b="', "<!--", "<script></scrip", "<b x=' '"]
)
def test_hostile_pages_take_no_longer_than_others(piece: str) -> None:
    started = time.process_time()
    with suppress(MediaError):
        opened(piece * 50_000).parts()
    assert time.process_time() - started < 5
