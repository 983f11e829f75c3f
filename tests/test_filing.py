"""The filing of a service, and the text for its users."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import synthmark as sm
from synthmark.labeling.agreement import agreement
from synthmark.labeling.errors import UsageError
from synthmark.labeling.filing import Filing, block, block_html
from synthmark.labeling.policy import JURISDICTIONS, SERVICES, due

Run = Callable[..., Any]

NUMBER = "网信算备110000000000000000000号"
LINK = "https://beian.cac.gov.cn/#/index?a=1&b=2"


@pytest.fixture(scope="module")
def original(make_scene: Callable[..., Any], save: Callable[..., bytes]) -> bytes:
    return save(make_scene())


# Filing


def test_it_is_kept_and_shown(run: Run) -> None:
    ran = run("filing", "show")
    assert ran.code == 1
    assert "No filing is set" in ran.out
    assert run("filing", "set", "--number", "x", "--link", LINK).code == 0
    ran = run("filing", "set", "--number", NUMBER, "--link", LINK, "--name", "画")
    assert ran.code == 0
    ran = run("filing", "show", "--json")
    assert ran.json["filing"] == {"number": NUMBER, "link": LINK, "name": "画"}
    ran = run("filing", "show", "--lang", "zh")
    assert ran.out == f"画 算法备案号：{NUMBER}\n公示信息：{LINK}\n"
    assert sm.Home().filing() == Filing(number=NUMBER, link=LINK, name="画")


def test_a_page_shows_what_was_meant() -> None:
    filing = Filing(number='1<b>"2', link=LINK, name="A & <script>")
    seen: list[Any] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: seen.append((tag, dict(attrs)))  # type: ignore[method-assign]
    parser.handle_data = seen.append  # type: ignore[method-assign]
    parser.feed(block_html(filing, "en"))
    assert seen == [
        ("p", {"lang": "en", "class": "filing"}),
        "A & <script> Algorithm filing number: ",
        ("a", {"href": LINK}),
        '1<b>"2',
    ]


@pytest.mark.parametrize(
    ("number", "link"),
    [
        ("", LINK),
        ("a\nb", LINK),
        ("1" * 201, LINK),
        ("1", "http://beian.cac.gov.cn/"),
        ("1", "javascript:alert(1)"),
        ("1", 'https://x.y/"onclick="z'),
        ("1", "https://x y"),
        ("1", "https://" + "x" * 500),
    ],
)
def test_what_is_no_filing(run: Run, number: str, link: str) -> None:
    with pytest.raises(UsageError):
        Filing(number=number, link=link)
    ran = run("filing", "set", "--number", number, "--link", link)
    assert ran.code == 2
    assert not sm.Home().filing_path.exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"number": 3}', b"\xff"])
def test_a_file_that_is_none_is_told(run: Run, content: bytes) -> None:
    home = sm.Home()
    home.path.mkdir(parents=True, exist_ok=True)
    home.filing_path.write_bytes(content)
    ran = run("filing", "show")
    assert ran.code != 0
    assert "synthmark filing set" in ran.err
    assert "Traceback" not in ran.err


def test_a_check_shows_it(run: Run, original: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(original)
    run("label", "a.png", "-o", "b.png")
    ran = run("check", "b.png")
    assert ran.code == 0
    assert "-    filing: yes: none is set" in ran.out
    run("filing", "set", "--number", NUMBER, "--link", LINK)
    ran = run("check", "b.png", "--json")
    (filing,) = [x for x in ran.json["files"][0]["checks"] if x["asks"] == "filing"]
    assert (filing["outcome"], filing["measured"]) == ("pass", f"{NUMBER}, {LINK}")


# Agreement


@pytest.mark.parametrize("place", JURISDICTIONS)
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_service_has_its_text(service: str, place: str, language: str) -> None:
    text = agreement(due(service, (place,)), language)
    assert "{" not in text
    assert text.count("\n## ") == (4 if place == "cn" else 3)
    assert len([line for line in text.splitlines() if line.startswith("- ")]) >= 7


def test_it_says_what_the_rules_say() -> None:
    asked = due("face", ("cn",))
    text = agreement(asked, "en")
    assert f"at least {asked.notice_height:.0%} of the shorter side" in text
    assert f"at least {asked.notice_seconds:g} seconds" in text
    assert "at least 183 days. (Labeling Measures, Art. 9)" in text
    assert "separate consent first" in text
    assert "[          ]" in text  # to be filled in
    assert "consent" not in agreement(due("dialogue", ("cn",)), "en")
    chinese = agreement(asked, "zh")
    assert "《互联网信息服务深度合成管理规定》第17条(3)" in chinese
    assert "Art." not in chinese


def test_the_filing_stands_in_it(run: Run) -> None:
    filing = Filing(number=NUMBER, link=LINK)
    run("filing", "set", "--number", NUMBER, "--link", LINK)
    ran = run("agreement", "--service", "voice", "--lang", "en")
    assert ran.code == 0
    assert ran.out.endswith(f"{block(filing, 'en')}\n")
    ran = run("agreement", "--service", "voice", "--jurisdiction", "us-ca")
    assert NUMBER not in ran.out


def test_unknown_services_and_languages_are_refused(run: Run) -> None:
    ran = run("agreement", "--service", "faces")
    assert ran.code == 2
    assert "dialogue" in ran.err
    with pytest.raises(UsageError, match="language 'fr'"):
        agreement(due(), "fr")
