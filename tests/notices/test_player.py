"""The notice around a player."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.player import surround
from synthmark.labeling.notices.video import VideoNotice

ENGLISH = "AI生成 · AI-generated"
PLAIN = VideoNotice(corner="top-left", text=ENGLISH)


class Reader(HTMLParser):
    """Collects the tags, the text by the class around it, and what never closes."""

    VOID = ("meta", "img")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(str(dict(attrs).get("class") or tag))

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for name in self.open:
            self.texts[name] = self.texts.get(name, "") + data.strip()


@pytest.mark.parametrize("over", [False, True])
def test_the_text_is_around_the_player_and_over_it_on_demand(over: bool) -> None:
    made = surround(PLAIN, "clip.mp4", width=1280, height=720, over=over)
    for shown in (made.snippet, made.page):
        read = Reader(shown)
        assert read.open == []
        assert read.texts["synthmark-around"] == "AI生成AI-generated"
        assert ("synthmark-over" in read.texts) == over
        assert [a["src"] for tag, a in read.tags if tag == "video"] == ["clip.mp4"]
    assert made.snippet in made.page


def test_nothing_else_is_loaded_or_run() -> None:
    made = surround(PLAIN, "clip.mp4", width=1280, height=720, over=True)
    read = Reader(made.page)
    assert not {"script", "link", "iframe", "img", "object"} & {t for t, _ in read.tags}
    names = {name for _, attributes in read.tags for name in attributes}
    assert not any(name.startswith("on") for name in names)
    for word in ("http:", "https:", "//", "url(", "@import"):
        assert word not in made.page
    assert len(made.page) < 4000


def attributes(page: str, tag: str) -> dict[str, str | None]:
    (found,) = (a for name, a in Reader(page).tags if name == tag)
    return found


@pytest.mark.parametrize("over", [False, True])
def test_who_hears_the_page_is_told_before_the_player_and_once_below_it(
    over: bool,
) -> None:
    made = surround(PLAIN, "clip.mp4", width=1280, height=720, over=over)
    assert attributes(made.page, "video")["aria-label"] == ENGLISH
    read = Reader(made.page)
    laid = [a for _, a in read.tags if a.get("class") == "synthmark-over"]
    assert [a["aria-hidden"] for a in laid] == ["true"] * over
    assert "figcaption" in {tag for tag, _ in read.tags}
    assert read.texts["title"] == ENGLISH


def test_full_screen_is_kept_off_where_it_would_hide_the_only_notice() -> None:
    shown = {
        over: attributes(
            surround(PLAIN, "a", width=4, height=3, over=over).page, "video"
        )
        for over in (False, True)
    }
    assert shown[True].keys() - shown[False].keys() == {
        "controlslist",
        "disablepictureinpicture",
    }
    assert shown[True]["controlslist"] == "nofullscreen"


def test_a_moving_picture_has_no_player() -> None:
    made = surround(PLAIN, "a.gif", width=4, height=3, over=True, animation=True)
    assert "video" not in {tag for tag, _ in Reader(made.page).tags}
    assert attributes(made.page, "img") == {"src": "a.gif", "alt": ENGLISH}
    assert Reader(made.page).open == []


def test_players_of_other_shapes_on_one_page_do_not_disturb_each_other() -> None:
    wide = surround(PLAIN, "a", width=16, height=9, over=True)
    tall = VideoNotice(corner="bottom-right", height_fraction=0.1)
    high = surround(tall, "b", width=9, height=16, over=True)
    styles = {Reader(made.snippet).texts["style"] for made in (wide, high)}
    assert len(styles) == 1
    for made, ratio, place in (
        (wide, "16/9", ("top:", "left:", "5.00cqmin")),
        (high, "9/16", ("bottom:", "right:", "10.00cqmin")),
    ):
        figure, *inner = [a for _, a in Reader(made.snippet).tags if a.get("style")]
        assert figure["style"] == f"--synthmark-ratio:{ratio}"
        (over,) = inner
        assert all(part in str(over["style"]) for part in place)


def test_every_part_of_the_style_is_filled_in() -> None:
    style = Reader(surround(PLAIN, "a", width=4, height=3).snippet).texts["style"]
    assert set(re.findall("[A-Z]{3,}", style)) == {"CJK"}
    assert style.count("{") == style.count("}") > 10


def test_text_and_address_cannot_leave_their_place() -> None:
    notice = VideoNotice(corner="top-left", text="AI生成<b>&'x")
    address = '"><script>alert(1)</script>&x=1'
    made = surround(notice, address, width=640, height=480, over=True)
    read = Reader(made.page)
    assert not {"script", "b"} & {tag for tag, _ in read.tags}
    shown = attributes(made.page, "video")
    assert (shown["src"], shown["aria-label"]) == (address, notice.text)
    assert read.texts["title"] == notice.text
    assert read.texts["synthmark-around"] == notice.text
    assert read.texts["synthmark-over"] == notice.text


@pytest.mark.parametrize(
    ("corner", "sides"),
    [
        ("top", ("top:0.5em", "left:0;right:0")),
        ("right", ("right:0.5em", "top:0;bottom:0")),
        ("bottom", ("bottom:max(76px,12cqh)", "left:0;right:0")),
    ],
)
def test_over_the_picture_it_can_stand_at_an_edge(
    corner: str, sides: tuple[str, ...]
) -> None:
    notice = VideoNotice(corner=corner, text=ENGLISH)
    snippet = surround(notice, "a.mp4", width=640, height=360, over=True).snippet
    style = snippet.partition('class="synthmark-over" style="')[2].partition('"')[0]
    assert all(side in style for side in sides)


def test_a_corner_that_is_left_open_is_refused() -> None:
    with pytest.raises(UsageError, match="calm corner"):
        surround(VideoNotice(corner="auto"), "a.mp4", width=640, height=360)


@pytest.mark.parametrize("seconds", [None, 3.5])
def test_the_description_says_what_where_and_when(seconds: float | None) -> None:
    notice = VideoNotice(
        corner="bottom-right", text=ENGLISH, height_fraction=0.06, seconds=seconds
    )
    made = surround(notice, "clip.mp4", width=480, height=908)
    assert json.loads(json.dumps(made.description)) == {
        "address": "clip.mp4",
        "text": "AI生成",
        "translation": "AI-generated",
        "around": {"place": "below", "start_s": 0.0, "end_s": None},
        "over": {
            "corner": "bottom-right",
            "margin_fraction": 0.03,
            "height_fraction": 0.06,
            "start_s": 0.0,
            "end_s": seconds,
        },
        "frame": {"width": 480, "height": 908},
        "rules": made.description["rules"],
    }
    assert any("5.4" in rule for rule in made.description["rules"])


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (-1, -1)])
def test_sizes_that_cannot_be_meant_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError):
        surround(PLAIN, "clip.mp4", width=size[0], height=size[1])


@pytest.mark.parametrize("address", ["", " ", "a\nb", "a\0b", "\udcff.mp4"])
def test_addresses_that_cannot_be_meant_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="address"):
        surround(PLAIN, address, width=4, height=3)
