"""Drawings as text: what is shown of them, what they say, and hostile ones."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    UnsupportedFormat,
)
from synthmark.labeling.media.svg import Drawing

SPACE = 'xmlns="http://www.w3.org/2000/svg"'
DOCTYPE = (
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
)
MARK = '<svg xmlns="http://www.w3.org/2000/svg" class="m"/>'


def drawing(attributes: str = 'viewBox="0 0 400 300"', inside: str = "<g/>") -> Drawing:
    return Drawing(f"<svg {SPACE} {attributes}>{inside}</svg>".encode())


@pytest.mark.parametrize(
    ("attributes", "area", "short", "size_px"),
    [
        ('viewBox="0 0 400 300"', (0, 0, 400, 300), 300, (400, 300)),
        ('viewBox="-5,-6 40 30"', (-5, -6, 40, 30), 30, (40, 30)),
        ('width="200" height="100px"', (0, 0, 200, 100), 100, (200, 100)),
        ('width="1in" height="72pt"', (0, 0, 96, 96), 96, (96, 96)),
        ('width="100%" height="100%"', (0, 0, 300, 150), 150, (300, 150)),
        ("", (0, 0, 300, 150), 150, (300, 150)),
        ('viewBox="oops" width="9" height="8"', (0, 0, 9, 8), 8, (9, 8)),
        # A margin above and below is part of the picture.
        (
            'viewBox="0 0 100 50" width="400" height="400"',
            (0, 0, 100, 50),
            100,
            (400, 400),
        ),
        (
            'viewBox="0 0 100 100" width="400" height="200" '
            'preserveAspectRatio="xMidYMax slice"',
            (0, 50, 100, 50),
            50,
            (400, 200),
        ),
        (
            'viewBox="0 0 100 100" width="200" height="50" preserveAspectRatio="none"',
            (0, 0, 100, 100),
            100,
            (200, 50),
        ),
    ],
)
def test_what_is_shown_of_a_drawing(
    attributes: str,
    area: tuple[float, ...],
    short: float,
    size_px: tuple[float, float],
) -> None:
    seen = drawing(attributes)
    assert (seen.x, seen.y, seen.width, seen.height) == pytest.approx(area)
    assert seen.short == pytest.approx(short)
    assert seen.size_px == pytest.approx(size_px)


def test_texts_stand_where_they_are_moved() -> None:
    seen = drawing(
        inside='<g transform="translate(10 20) scale(2)" font-size="5">'
        '<text x="3" y="4">AI<tspan>生成</tspan></text>'
        '<text transform="rotate(90)" style="font-size:2em"> b </text></g>'
    )
    first, second = seen.texts
    assert (first.text, first.x, first.y, first.size) == ("AI生成", 16, 28, 10)
    assert second.text == "b"
    assert second.size == pytest.approx(20)


@pytest.mark.parametrize(
    "inside",
    [
        "<defs><text>a</text></defs>",
        '<g display="none"><text>a</text></g>',
        '<text style="visibility: hidden">a</text>',
        '<text style="fill:red;opacity:.0">a</text>',
        "<title>a</title><metadata>a</metadata>",
        '<text xmlns="urn:else">a</text>',
    ],
)
def test_what_is_not_shown_is_not_read(inside: str) -> None:
    assert drawing(inside=inside).texts == ()


@pytest.mark.parametrize("prefix", ["", "s:"])
@pytest.mark.parametrize("rest", ["/>", "></>", "><circle r='1'/>text</>"])
def test_an_element_is_drawn_last_and_only_once(prefix: str, rest: str) -> None:
    declared = SPACE.replace("xmlns", "xmlns:s") if prefix else SPACE
    end = rest.replace("</>", f"</{prefix}svg>").replace("<c", f"<{prefix}c")
    content = f"<?xml version='1.0'?>{DOCTYPE}\n<{prefix}svg {declared}{end}\n".encode()
    once = Drawing(content).with_element(MARK, "m")
    assert once.elements("m") == [MARK]
    assert once.with_element(MARK, "m").content == once.content
    bare = once.content.replace(MARK.encode(), b"")
    assert bare in (content, content.replace(b"/>", f"></{prefix}svg>".encode()))


def test_an_element_that_may_be_covered_or_is_hidden_does_not_count() -> None:
    assert drawing(inside=MARK + "<metadata/>").elements("m") == [MARK]
    assert drawing(inside=MARK + "<rect/>").elements("m") == []
    assert drawing(inside=f"<g>{MARK}</g>").elements("m") == []
    hidden = MARK.replace("/>", ' display="none"/>')
    assert drawing(inside=hidden).elements("m") == []
    assert drawing('display="none"', MARK).elements("m") == []


def test_a_manifest_of_what_was_is_left_out() -> None:
    stale = '<metadata><c:manifest xmlns:c="http://c2pa.org/manifest">x</c:manifest></metadata>'
    bare = drawing(inside=stale).without_manifest()
    assert bare.content == drawing(inside="<metadata></metadata>").content


def bomb() -> str:
    names = "abcdefgh"
    pairs = "".join(
        f'<!ENTITY {b} "{10 * f"&{a};"}">'
        for a, b in zip("x" + names, names, strict=False)
    )
    return f'<!DOCTYPE svg [<!ENTITY x "x">{pairs}]><svg {SPACE}>&h;</svg>'


@pytest.mark.parametrize(
    ("content", "error", "problem"),
    [
        (bomb(), DamagedMedia, "declares entities"),
        (
            f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg {SPACE}/>',
            DamagedMedia,
            "declares entities",
        ),
        (f"<svg {SPACE}>" + "<g>" * 5000, DamagedMedia, "nested"),
        (f"<svg {SPACE}><g></svg>", DamagedMedia, "malformed"),
        (f'<svg {SPACE} width="0" height="9"/>', DamagedMedia, "no size"),
        (f'<svg {SPACE} viewBox="0 0 1e300 9"/>', DamagedMedia, "units large"),
        (f'<svg {SPACE} viewBox="0 0 1e999 9"/>', DamagedMedia, "units large"),
        ("<svg/>", UnsupportedFormat, "not an SVG drawing"),
        ("<rss/>", UnsupportedFormat, "not an SVG drawing"),
    ],
)
def test_damaged_and_hostile_drawings_are_refused(
    content: str, error: type[MediaError], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        Drawing(content.encode())


def test_other_encodings_are_refused() -> None:
    for encoding in ("utf-16", "latin-1"):
        with pytest.raises(UnsupportedFormat, match="not in UTF-8"):
            Drawing(f"<svg {SPACE}><text>é</text></svg>".encode(encoding))


def test_a_million_elements_are_refused_in_time() -> None:
    content = f"<svg {SPACE}>".encode() + b"<g/>" * 1_000_000 + b"</svg>"
    start = time.process_time()
    with pytest.raises(MediaTooLarge, match="500,000 elements"):
        Drawing(content)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "value",
    ["1" * 10**6 + "x", "0" * 10**6 + "x", "," * 10**6, "translate(" * 10**5],
)
def test_long_values_take_no_time(value: str) -> None:
    start = time.process_time()
    drawing(
        f'width="{value}" viewBox="{value}"', f'<text style="opacity:{value}">a</text>'
    )
    drawing(
        inside=f'<text x="{value}" font-size="{value}" transform="{value}">a</text>'
    )
    assert time.process_time() - start < 1


@given(st.text(alphabet='<>/="svgx:! ?-[]&;0', max_size=40))
def test_any_text_is_a_drawing_or_an_error(noise: str) -> None:
    for content in (noise, f"<svg {SPACE}>{noise}</svg>", f"<svg {SPACE} {noise}/>"):
        with contextlib.suppress(MediaError):
            Drawing(content.encode()).with_element(MARK, "m")
