"""The notice around a player."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.player import surround
from synthmark.labeling.notices.video import VideoNotice

ENGLISH = "AI生成 · AI-generated"
PLAIN = VideoNotice(corner="top-left", text=ENGLISH)


class Reader(HTMLParser):
    """Collects the tags, the text by the class around it, and what never closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
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
    assert len(made.page) < 3000


def test_text_and_address_cannot_leave_their_place() -> None:
    notice = VideoNotice(corner="top-left", text="AI生成<b>&'x")
    source = '"><script>alert(1)</script>&x=1'
    made = surround(notice, source, width=640, height=480, over=True)
    read = Reader(made.page)
    assert "script" not in {tag for tag, _ in read.tags}
    assert [a["src"] for tag, a in read.tags if tag == "video"] == [source]
    assert read.texts["synthmark-around"] == notice.text
    assert read.texts["synthmark-over"] == notice.text


@pytest.mark.parametrize("seconds", [None, 3.5])
def test_the_description_says_what_where_and_when(seconds: float | None) -> None:
    notice = VideoNotice(
        corner="bottom-right", text=ENGLISH, height_fraction=0.06, seconds=seconds
    )
    made = surround(notice, "clip.mp4", width=480, height=908)
    assert json.loads(json.dumps(made.description)) == {
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
