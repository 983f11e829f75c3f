"""The notice in a text: wordings, places, and chunks of a stream."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark import TextNotice, TextStream, label_chunks
from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.text import RAISED


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"text": "AI"}, "lacks the generation element"),
        ({"text": "机器生成"}, "lacks the AI element"),
        ({"text": "AI生成", "style": "corner"}, "a corner mark says AI"),
        ({"place": "top"}, "cannot stand at 'top'"),
        ({"place": 1.5}, "cannot stand at 1.5"),
        ({"place": float("nan")}, "cannot stand at nan"),
        ({"style": "banner"}, "of style 'banner'"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: Any, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        TextNotice(**options)


def test_the_bare_element_is_enough_for_a_corner_mark() -> None:
    assert TextNotice(text="AI", style="corner").raised


@pytest.mark.parametrize(
    ("place", "index"), [("start", 0), ("end", 3), (0.0, 0), (0.4, 1), (1.0, 3)]
)
def test_a_share_means_the_nearest_boundary(place: Any, index: int) -> None:
    assert TextNotice(place=place).boundary(["x" * 50, "y" * 10, "z" * 40]) == index


@given(st.lists(st.text()), st.sampled_from(["start", "end"]), st.sampled_from("lc"))
def test_chunks_pass_unchanged_but_for_the_notice(
    chunks: list[str], place: str, kind: str
) -> None:
    style = "line" if kind == "l" else "corner"
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


def test_a_stream_has_no_middle() -> None:
    with pytest.raises(UsageError, match="cannot stand in the middle"):
        TextStream(TextNotice(place=0.5))
    with pytest.raises(UsageError, match="cannot stand in the middle"):
        label_chunks(["a"], place=0.5)  # type: ignore[arg-type]
