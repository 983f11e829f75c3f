"""The notice on web pages, in a real browser: needs Playwright and Chromium."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synthmark as sm
from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.wording import check_wording

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ORIGIN = "https://page.test/"
# What a careful site sends: neither inline styles nor inline scripts nor eval.
STRICT = "default-src 'none'; script-src 'self'; style-src 'self'"

# Everything that rules of a page may do to an element.
HOSTILE = """
synthmark-notice, synthmark-notice * , * {
  display: none !important; visibility: hidden !important; opacity: 0 !important;
  height: 0 !important; max-height: 0 !important; width: 0 !important;
  font-size: 0 !important; line-height: 0 !important; letter-spacing: -1em !important;
  text-indent: -9999px !important; color: transparent !important;
  -webkit-text-fill-color: transparent !important; overflow: hidden !important;
  position: absolute !important; left: -9999px !important; clip-path: inset(50%)
  !important; clip: rect(0 0 0 0) !important; transform: scale(0) !important; scale: 0
  !important; translate: -9999px !important; filter: opacity(0) !important; mask:
  linear-gradient(transparent, transparent) !important; zoom: .01 !important;
  content-visibility: hidden !important; mix-blend-mode: lighten !important;
  animation: fade 1s infinite !important; transition: opacity 9s !important;
  z-index: -1 !important; float: right !important; margin: -99px !important;
  writing-mode: vertical-rl !important; background: #fff !important;
}
@keyframes fade { to { opacity: 0 } }
html, body, #around { all: revert !important; visibility: hidden !important;
  color: transparent !important; font-size: 0 !important; text-indent: -999px
  !important }
body { margin: 8px !important }
"""

PLACES = ("near", "top", "bottom", "background")


class Site:
    """Pages that are served from memory, and what they ask for and complain about."""

    def __init__(self, browser: Any, **options: Any) -> None:
        options = {"viewport": {"width": 640, "height": 480}, **options}
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.files: dict[str, str] = {}
        self.asked: list[str] = []
        self.told: list[str] = []
        self.policy = STRICT
        self.context.route("**/*", self._serve)
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(f"error: {error}"))

    def show(self, body: str, style: str = "") -> Any:
        self.asked.clear()
        self.told.clear()
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f'<link rel="stylesheet" href="/page.css">{body}'
            '<script src="/notice.js"></script>'
        )
        self.files = {"": page, "page.css": style, "notice.js": sm.element_script()}
        self.page.goto(ORIGIN)
        return self.page

    def _serve(self, route: Any) -> None:
        name = route.request.url.removeprefix(ORIGIN)
        self.asked.append(name)
        kinds = {"css": "text/css", "js": "text/javascript"}
        route.fulfill(
            status=200 if name in self.files else 404,
            body=self.files.get(name, ""),
            content_type=kinds.get(name.rpartition(".")[2], "text/html"),
            headers={"Content-Security-Policy": self.policy},
        )

    def parts(self, notice: int = 0) -> dict[str, dict[str, str]]:
        """Return the computed styles inside a notice, by class, and its texts."""
        devtools = self.context.new_cdp_session(self.page)
        for domain in ("DOM", "CSS"):
            devtools.send(f"{domain}.enable")
        tree = devtools.send("DOM.getDocument", {"depth": -1, "pierce": True})
        hosts = [n for n in nodes(tree["root"]) if n["localName"] == "synthmark-notice"]
        (root,) = hosts[notice]["shadowRoots"]
        found = {}
        for node in nodes(root):
            pairs = node.get("attributes", [])
            given = dict(zip(pairs[::2], pairs[1::2], strict=True))
            if "class" in given:
                style = devtools.send(
                    "CSS.getComputedStyleForNode", {"nodeId": node["nodeId"]}
                )["computedStyle"]
                found[given["class"].split()[0]] = {
                    **{item["name"]: item["value"] for item in style},
                    **{f"@{name}": value for name, value in given.items()},
                    "text": "".join(
                        n["nodeValue"] for n in nodes(node) if n["nodeType"] == 3
                    ),
                }
        devtools.detach()
        return found

    def heard(self) -> list[tuple[str, str]]:
        """Return role and name of the notices in the accessibility tree."""
        devtools = self.context.new_cdp_session(self.page)
        tree = devtools.send("Accessibility.getFullAXTree")
        devtools.detach()
        return [
            (node["role"]["value"], node["name"]["value"])
            for node in tree["nodes"]
            if not node["ignored"] and node["role"]["value"] in ("note", "status")
        ]

    def picture(self, notice: int = 0) -> np.ndarray:
        box = self.page.locator("synthmark-notice").nth(notice).bounding_box()
        assert box, "it is not rendered"
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(clip=box))))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for key in ("shadowRoots", "children"):
        for child in node.get(key, ()):
            yield from nodes(child)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed"
    )
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--host-resolver-rules=MAP * ~NOTFOUND",
            ],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def open_site(browser: Any) -> Callable[..., Any]:
    @contextmanager
    def opened(**options: Any) -> Iterator[Site]:
        site = Site(browser, **options)
        yield site
        site.context.close()

    return opened


@pytest.fixture(scope="module")
def site(open_site: Callable[..., Any]) -> Iterator[Site]:
    with open_site() as opened:
        yield opened


def tag(text: str = "AI生成", **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<synthmark-notice{given}>{text}</synthmark-notice>"


def color(css: str) -> tuple[float, ...]:
    assert css.startswith("rgb("), css
    return tuple(float(part) for part in css[4:-1].split(","))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    lights = []
    for part in (color(one), color(other)):
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (value / 255 for value in part)
        ]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    low, high = sorted(lights)
    return (high + 0.05) / (low + 0.05)


# What it says


@pytest.mark.parametrize(
    ("attributes", "texts"),
    [
        ({}, ["内容由AI生成", "AI-generated content"]),
        ({"lang": "zh-Hans"}, ["内容由AI生成"]),
        ({"lang": "en"}, ["AI-generated content", "内容由AI生成"]),
        (
            {"variant": "assistant"},
            [
                "AI为您提供服务，回答由AI生成",
                "You are talking with AI. Its answers are AI-generated.",
            ],
        ),
        (
            {"wording": "本图由人工智能合成 · AI-made · x"},
            ["本图由人工智能合成", "AI-made · x"],
        ),
        ({"wording": "由AI · 生成"}, ["由AI · 生成"]),
    ],
)
def test_it_says_so_in_both_languages_to_those_who_see_and_those_who_hear(
    attributes: dict[str, str], texts: list[str], site: Site
) -> None:
    site.show(tag(**attributes))
    parts = site.parts()
    shown = [parts[name]["text"] for name in ("first", "second") if name in parts]
    assert shown == texts
    role = "status" if "variant" in attributes else "note"
    assert site.heard() == [(role, " · ".join(texts))]
    assert parts["first"]["@lang"] == ("en" if texts[0][:3] == "AI-" else "zh-CN")
    assert site.told == []
    check_wording(max(texts, key=lambda text: "AI生成" in text)[:40])


WORDINGS = [
    "AI生成",
    "AI合成",
    "人工智能生成",
    "由 AI 生成",
    "AI·生成",
    "生成AI",
    "AI生成" + "生" * 36,
    "AI",
    "生成",
    "AI generated",
    "AIGC生成",
    "MAIN生成",
    "ai生成",
    "A I生成",
    "éAI生成",
    "AI生\u200b成",
    "AI生成\n",
    "AI生成\u202e",
    "AI生成" + "生" * 37,
    "",
    "   ",
]


@pytest.mark.parametrize("wording", WORDINGS, ids=ascii)
def test_the_rule_for_wordings_is_that_of_the_library(wording: str, site: Site) -> None:
    page = site.show(tag())
    page.evaluate(
        "text => document.querySelector('synthmark-notice')"
        ".setAttribute('wording', text)",
        wording,
    )
    try:
        check_wording(wording)
    except UsageError:
        expected, warned = "内容由AI生成", 1
    else:
        expected, warned = wording, 0
    assert site.parts()["first"]["text"] == expected
    assert [("wording is not used" in text) for text in site.told] == [True] * warned


def test_text_cannot_leave_its_place(site: Site) -> None:
    text = "AI生成<img src=x onerror=alert(1)>%c"
    page = site.show(tag())
    for name in ("wording", "lang", "placement", "variant", "theme"):
        page.evaluate(
            "([name, text]) => document.querySelector('synthmark-notice')"
            ".setAttribute(name, text)",
            [name, text],
        )
    assert site.parts()["first"]["text"] == text
    assert site.asked == ["", "page.css", "notice.js"]
    assert len(site.told) == 3  # a wording of one's own has no language to choose
    assert not any("onerror" in told for told in site.told)


# How it looks


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("placement", PLACES)
def test_the_contrast_is_that_of_level_aa(
    theme: str, placement: str, open_site: Callable[..., Any]
) -> None:
    with open_site(color_scheme=theme) as site:
        site.show(tag(placement=placement))
        parts = site.parts()
        plate = parts["plate"]["background-color"]
        assert contrast(parts["first"]["color"], plate) >= 7
        assert contrast(parts["second"]["color"], plate) >= 4.5
        badge = parts["badge"]
        assert contrast(badge["color"], badge["background-color"]) >= 4.5
        assert (sum(color(plate)) < 3 * 128) == (theme == "dark")
        # What the browser paints is what it says.
        seen = site.picture().reshape(-1, 4 if site.picture().shape[2] == 4 else 3)
        near = np.abs(seen[:, :3] - np.array(color(plate))).max(axis=1) <= 2
        assert near.mean() > (0.1 if placement in ("near", "background") else 0.5)


def test_a_theme_can_be_asked_for(open_site: Callable[..., Any]) -> None:
    with open_site(color_scheme="light") as site:
        site.show(tag(theme="dark"))
        assert sum(color(site.parts()["plate"]["background-color"])) < 3 * 128


def test_colors_of_the_user_and_paper_are_respected(
    open_site: Callable[..., Any],
) -> None:
    with open_site(forced_colors="active", color_scheme="dark") as site:
        site.show(tag())
        plate = site.parts()["plate"]
        assert contrast(plate["color"], plate["background-color"]) > 15
        assert plate["border-top-style"] == "solid"
    with open_site(color_scheme="dark") as site:
        page = site.show(tag(placement="bottom"))
        page.emulate_media(media="print")
        parts = site.parts()
        assert parts["plate"]["background-color"] == "rgb(255, 255, 255)"
        assert parts["second"]["color"] == "rgb(0, 0, 0)"
        assert parts["badge"]["color"] == "rgb(0, 0, 0)"


@pytest.mark.parametrize("placement", PLACES)
def test_a_narrow_screen_has_room_for_it(
    placement: str, open_site: Callable[..., Any]
) -> None:
    with open_site(viewport={"width": 320, "height": 480}) as site:
        page = site.show(
            f"<div>{tag(placement=placement, variant='assistant')}</div>"
            f"<div id=row>x{tag(wording='AI生成' + 'W' * 36)}</div>",
            "#row { display: flex }",
        )
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        for box in (b.bounding_box() for b in page.locator("synthmark-notice").all()):
            assert box
            assert 0 <= box["x"] < box["x"] + box["width"] <= 320
            assert box["height"] < 140


def test_the_size_follows_the_user_and_not_the_page(site: Site) -> None:
    site.show(tag(), "html { font-size: 1px } body { font-size: 2px }")
    assert site.parts()["first"]["font-size"] == "15px"
    assert float(site.parts()["second"]["font-size"][:-2]) >= 13


# Where it stands


@pytest.mark.parametrize("placement", ["top", "bottom"])
def test_a_bar_stays_in_sight_while_its_surroundings_scroll(
    placement: str, site: Site
) -> None:
    lines = "<p>x</p>" * 40
    bar = tag(placement=placement)
    inside = bar + lines if placement == "top" else lines + bar
    page = site.show(f"<div id=box>{inside}</div>", "#box{height:200px;overflow:auto}")
    frame = page.locator("#box").bounding_box()
    for place in (0, 0.5, 1):
        page.evaluate(f"box.scrollTop = {place} * box.scrollHeight")
        box = page.locator("synthmark-notice").bounding_box()
        edge = box["y"] if placement == "top" else box["y"] + box["height"]
        wanted = frame["y"] if placement == "top" else frame["y"] + frame["height"]
        assert abs(edge - wanted) < 1


def test_the_watermark_fills_what_is_around_it_and_takes_no_clicks(site: Site) -> None:
    body = f"<button>x</button><div id=box>{tag(placement='background')}</div>"
    style = "#box { position: absolute; inset: 100px 0 0; background: #fff }"
    page = site.show(body, style)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("L")
    inked = np.asarray(shot) < 245
    assert not inked[60:100].any()
    for rows in (slice(160, 320), slice(320, 480)):
        for columns in (slice(0, 320), slice(320, 640)):
            assert 0.01 < inked[rows, columns].mean() < 0.2
    page.evaluate("box.onclick = () => (box.dataset.hit = 1)")
    page.mouse.click(400, 300)
    assert page.locator("#box").get_attribute("data-hit") == "1"
    assert len(site.heard()) == 1


def test_a_watermark_without_surroundings_fills_the_page(site: Site) -> None:
    site.show(tag(placement="background"))
    assert site.parts()["layer"]["position"] == "fixed"
    assert site.parts()["layer"]["height"] == "480px"


# What a page can do to it


def test_the_rules_of_a_page_do_not_change_a_pixel(site: Site) -> None:
    body = f'<div id="around">{tag()}</div>'
    site.show(body)
    clean = site.picture()
    site.policy = STRICT.replace("style-src", "style-src 'unsafe-inline'")
    hidden = {"hidden": "", "aria-hidden": "true", "inert": "", "role": "presentation"}
    style = "display: none !important; opacity: 0 !important"
    page = site.show(body.replace(tag(), tag(style=style, **hidden)), HOSTILE)
    page.evaluate(
        "document.querySelector('synthmark-notice').animate("
        "[{opacity: 0, transform: 'scale(0)'}], {duration: 1e6, fill: 'both'})"
    )
    site.policy = STRICT
    found = site.picture()
    assert found.shape == clean.shape
    # A compositor of its own rounds the soft corners of the plate otherwise.
    assert np.abs(found.astype(int) - clean).max() <= 3
    assert site.heard() == [("note", "内容由AI生成 · AI-generated content")]


def test_it_tells_when_it_is_hidden_all_the_same(site: Site) -> None:
    hidden = {
        "gone": ("display: none", "not rendered"),
        "skipped": ("content-visibility: hidden", "not rendered"),
        "clear": ("opacity: .1", "transparent"),
        "tiny": ("transform: scale(.1)", "too small"),
        "away": ("position: absolute; left: -9999px", "outside the page"),
        "cut": ("height: 0; overflow: hidden", "clipped"),
        "shaped": ("clip-path: inset(0 0 100% 0)", "clipped"),
    }
    seen = {
        "plain": "",
        "below": "margin-top: 3000px",
        "scrolled": "height: 90px; overflow: auto; padding-top: 300px",
        "faded": "opacity: .9",
    }
    style = "#under { position: relative } #over { position: absolute; inset: 0 }"
    body = f"<div id=under>{tag()}<div id=over></div></div>"
    for name, rule in {**{n: r for n, (r, _) in hidden.items()}, **seen}.items():
        body += f"<div id={name}>{tag()}</div>"
        style += f"#{name} {{ {rule} }}\n"
    body += "<div id=far><p></p></div>"
    style += "#far { height: 90px; overflow: auto } #far p { height: 999px }"
    page = site.show(body, style)
    page.evaluate(
        """() => {
          window.events = {};
          for (const kind of ["hidden", "shown"]) {
            document.addEventListener(`synthmark-notice-${kind}`, (event) => {
              const {id} = event.target.parentElement;
              (events[id] ??= []).push(event.detail.reason);
            });
          }
          const late = document.createElement("synthmark-notice");
          document.querySelector("#far").append(late);
        }"""
    )
    page.wait_for_timeout(2600)
    expected = {name: [reason] for name, (_, reason) in hidden.items()}
    assert page.evaluate("events") == {**expected, "under": ["covered"]}
    assert sum("hides the notice" in text for text in site.told) == len(expected) + 1
    page.evaluate("document.querySelector('#gone').id = 'back'")
    page.wait_for_timeout(2300)
    assert page.evaluate("events.back") == [""]


# What a page needs for it


def test_nothing_is_loaded_and_no_policy_is_broken(site: Site) -> None:
    body = "".join(tag(placement=place) for place in PLACES)
    page = site.show(f"{body}<script src='/notice.js'></script>")
    page.wait_for_timeout(100)
    assert sorted(set(site.asked)) == ["", "notice.js", "page.css"]
    assert site.told == []
    assert len(site.heard()) == len(PLACES)


def test_without_scripts_the_text_inside_the_tags_is_shown(
    open_site: Callable[..., Any],
) -> None:
    with open_site(java_script_enabled=False) as site:
        page = site.show(sm.element_html("/notice.js"))
        assert page.locator("synthmark-notice").is_visible()
        text = page.locator("synthmark-notice").inner_text()
    check_wording(text)


def test_the_lines_for_a_page_work_as_they_are(site: Site) -> None:
    site.show(sm.element_html("/notice.js").replace("defer", "defer async"))
    assert site.heard() == [("note", "内容由AI生成 · AI-generated content")]


@pytest.mark.parametrize("address", ["", " ", "a\nb.js"])
def test_an_address_must_be_one(address: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        sm.element_html(address)


def test_an_address_cannot_leave_its_place() -> None:
    (line, _) = sm.element_html('"><script>&.js').splitlines()
    assert line == '<script src="&quot;&gt;&lt;script&gt;&amp;.js" defer></script>'


# The command


def test_the_command_writes_the_script_and_says_what_to_do(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    ran = run("element")
    assert (ran.code, ran.out) == (0, "synthmark-notice.js\n")
    assert ran.err == sm.element_html()
    script = (tmp_path / "synthmark-notice.js").read_text("utf-8")
    assert script == sm.element_script()
    again = run("element")
    assert (again.code, again.out) == (1, "")
    ran = run("element", "-f", "-o", "a b.js", "--json")
    assert json.loads(ran.out) == {
        "script": "a b.js",
        "html": sm.element_html("a%20b.js"),
    }
    ran = run("element", "-o", "c.js", "--address", "/js/n.js", "--json")
    assert json.loads(ran.out)["html"] == sm.element_html("/js/n.js")
    assert run("element", "-o", "d.js", "--address", "").code == 2
    assert not (tmp_path / "d.js").exists()
