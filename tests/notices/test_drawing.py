"""The notice of drawings, drawn and found again."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from synthmark.labeling.errors import TooSmallForNotice, UsageError
from synthmark.labeling.notices.drawing import Area, draw_element
from synthmark.labeling.notices.find_drawing import (
    SpelledText,
    find_elements,
    find_texts,
)
from synthmark.labeling.notices.outline import advance, ink_height, outline
from synthmark.labeling.notices.place import CORNERS, EDGES

WHOLE = Area(x=0, y=0, width=400, height=300, short=300, short_px=300)
WORDING = "AI生成 · AI-generated"


def numbers(data: str) -> list[float]:
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", data)]


def test_outlines_span_what_they_are_said_to() -> None:
    # Horizontal and vertical lines have one number; curves and moves pairs.
    for character in "生A":
        data = outline(character, 100, 0, 0).replace("-", " -")
        pairs = re.findall(r"[MLC]([^A-Za-z]*)", data)
        ys = [y for one in pairs for y in numbers(one)[1::2]]
        ys += [y for one in re.findall(r"V([^A-Za-z]*)", data) for y in numbers(one)]
        assert max(ys) - min(ys) == pytest.approx(ink_height(character, 100), abs=0.2)
    assert ink_height("生成A", 100) == min(ink_height(one, 100) for one in "生成A")
    assert advance("生成", 100) == pytest.approx(2 * advance("生", 100))


@pytest.mark.parametrize("corner", [*CORNERS, *EDGES])
@pytest.mark.parametrize("styled", [False, True])
def test_a_notice_is_found_at_its_place(corner: str, styled: bool) -> None:
    drawn = draw_element(WORDING, WHOLE, corner=corner, styled=styled)
    (found,) = find_elements([drawn.element], WHOLE)
    assert (found.text, found.place, found.outlined) == (WORDING, corner, True)
    assert found.height_fraction == pytest.approx(0.05, rel=1e-3)
    assert found.ink_height_px == pytest.approx(15, rel=1e-3)
    assert found.contrast >= 4.5
    rect = etree.fromstring(drawn.element)[0]
    left, top, width, height = (
        float(rect.get(side)) for side in ("x", "y", "width", "height")
    )
    assert min(left, top) > 0
    assert max(left + width, top + height) < 1000


@given(
    st.floats(10, 5000),
    st.floats(10, 5000),
    st.floats(-100, 100),
    st.floats(0.05, 0.07),
    st.booleans(),
)
@settings(max_examples=20)
def test_text_has_its_share_of_every_shape(
    width: float, height: float, left: float, share: float, elastic: bool
) -> None:
    short = min(width, height)
    area = Area(
        x=left,
        y=-left,
        width=width,
        height=height,
        short=short,
        short_px=short,
        elastic=elastic,
    )
    drawn = draw_element("人工智能生成", area, height_fraction=share)
    (found,) = find_elements([drawn.element], area)
    assert found.height_fraction == pytest.approx(share, rel=1e-3)


def test_a_margin_around_the_drawing_counts() -> None:
    framed = replace(WHOLE, short=400)
    (found,) = find_elements([draw_element(WORDING, framed).element], framed)
    assert found.height_fraction == pytest.approx(0.05, rel=1e-3)
    (found,) = find_elements([draw_element(WORDING, WHOLE).element], framed)
    assert found.height_fraction == pytest.approx(0.0375, rel=1e-3)


def test_a_notice_that_was_changed_is_none() -> None:
    element = draw_element(WORDING, WHOLE).element
    for old, new in (
        ('fill-opacity="1"', 'fill-opacity="0"'),
        ("AI&#29983;&#25104; &#183;", "AI&#21512;&#25104; &#183;"),
        ("C", "L"),
        ('viewBox="0 0 1000 1000"', 'viewBox="0 0 9000 9000"'),
        ('x="0"', 'x="390"'),
        ('width="100%"', 'width="0"'),
        ("xMaxYMax", "xMinYMax"),
    ):
        assert old in element
        assert not [*find_elements([element.replace(old, new, 1)], WHOLE)]


def test_a_translation_from_right_to_left_is_left_out() -> None:
    drawn = draw_element("AI生成 · נוצר", WHOLE)
    assert drawn.text == "AI生成"


def test_there_must_be_room_and_a_wording() -> None:
    narrow = replace(WHOLE, width=2, short=300)
    with pytest.raises(TooSmallForNotice):
        draw_element(WORDING, narrow)
    with pytest.raises(UsageError):
        draw_element("made by machines", WHOLE)


def test_texts_that_say_as_much_are_notices_too() -> None:
    texts = [
        SpelledText(text="  AI生成 ", x=300, y=290, size=18),
        SpelledText(text="AI生成", x=900, y=290, size=18),
        SpelledText(text="AI生成", x=10, y=290, size=float("inf")),
        SpelledText(text="AI生成内容的标识办法", x=10, y=20, size=18),
    ]
    (found,) = find_texts(texts, WHOLE)
    assert (found.text, found.place) == ("AI生成", "bottom-right")
    assert found.height_fraction == pytest.approx(0.053, abs=0.002)
    assert found.contrast is None
    assert not found.outlined
