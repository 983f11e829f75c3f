"""The notice in a text that comes in chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark import TextNotice, TextStream, label_chunks, label_text
from synthmark.labeling.errors import UsageError
from synthmark.labeling.media.plain import Markdown
from synthmark.labeling.notices.find_text import find
from synthmark.labeling.notices.text import RAISED

CHUNKS = st.lists(st.text())
PLACES = st.sampled_from(["start", "end"])
STYLES = st.sampled_from(["line", "corner"])
PIECES = st.lists(
    st.sampled_from(["word ", "\n", "\n\n", "``", "`", "~~~", "# ", "- ", "| a |", "."])
)


@given(CHUNKS, PLACES, STYLES)
def test_chunks_pass_unchanged_but_for_the_notice(
    chunks: list[str], place: str, style: str
) -> None:
    out = list(label_chunks(chunks, place=place, style=style))
    text, labeled = "".join(chunks), "".join(out)
    notice = RAISED if style == "corner" else "AI生成"
    gap = "" if style == "corner" else "\n\n"
    if not text:
        assert labeled == ""
    elif place == "start":
        assert labeled == notice + gap + text
    else:
        assert labeled == text + gap + notice
        # Nothing waits for the notice.
        assert out[: len(chunks)] == chunks


@given(PIECES, PLACES, STYLES)
def test_in_markdown_the_notice_is_a_paragraph_or_ends_one(
    chunks: list[str], place: str, style: str
) -> None:
    text = "".join(chunks)
    labeled = "".join(label_chunks(chunks, place=place, style=style, markdown=True))
    if not text:
        return
    assert text in labeled
    parts = Markdown.of(labeled).parts()
    said = parts[0 if place == "start" else -1]
    if style == "line":
        assert said == "AI生成"
    else:
        assert said == RAISED or (RAISED in said and "`" not in said.split(RAISED)[0])
    assert RAISED + "#" not in labeled
    assert "|" + RAISED not in labeled


def test_code_that_was_cut_off_is_closed_in_front_of_the_notice() -> None:
    chunks = ["Look:\n\n`", "``python\nprint(", "1)"]
    labeled = "".join(label_chunks(chunks, place="end", markdown=True))
    assert labeled == "Look:\n\n```python\nprint(1)\n```\n\nAI生成"
    (notice,) = find("\n\n".join(Markdown.of(labeled).parts()))
    assert notice.place == "end"
    assert label_text(labeled, place="end", markdown=True) == labeled


def test_a_wording_is_no_markup() -> None:
    stream = TextStream(TextNotice(text="*AI生成*"), markdown=True)
    assert stream.push("x") == "\\*AI生成\\*\n\nx"


@pytest.mark.parametrize("place", ["start", "end"])
def test_asynchronous_chunks_go_on_as_they_come(place: str) -> None:
    gone: list[str] = []

    async def answer() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number} "
            # What was yielded has been passed on before more is asked for.
            assert len(gone) == number + 1

    async def relay() -> None:
        async for chunk in label_chunks(answer(), place=place):
            gone.append(chunk)

    asyncio.run(relay())
    assert gone == [*label_chunks(["0 ", "1 ", "2 "], place=place)]


def test_no_chunk_is_asked_for_before_the_first_is_used() -> None:
    asked = []

    def answer() -> Iterator[str]:
        for number in range(3):
            asked.append(number)
            yield str(number)

    chunks = label_chunks(answer())
    assert asked == []
    assert next(chunks) == "AI生成\n\n0"
    assert asked == [0]


def test_a_stream_has_no_middle() -> None:
    with pytest.raises(UsageError, match="cannot stand in the middle"):
        TextStream(TextNotice(place=0.5))
    with pytest.raises(UsageError, match="cannot stand in the middle"):
        label_chunks(["a"], place=0.5)  # type: ignore[call-overload]
