"""The notice in a text: wordings and places."""

from __future__ import annotations

from typing import Any

import pytest

from synthmark import TextNotice
from synthmark.labeling.errors import UsageError


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
