"""What the rules ask for: the data, and the strictest of several places."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import re
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling import policy, rule_file
from synthmark.labeling.errors import SynthmarkError, UsageError
from synthmark.labeling.notices.audio import KINDS, TEXTS
from synthmark.labeling.notices.image import MIN_HEIGHT_FRACTION
from synthmark.labeling.notices.image import PLACES as STANDS
from synthmark.labeling.notices.video import MIN_SECONDS
from synthmark.labeling.notices.wording import WORDINGS, check_wording
from synthmark.labeling.rulebook import (
    ASKS,
    CONFIDENCES,
    LEVELS,
    SERVICES,
    Kind,
    Rule,
)

DOCS = Path(__file__).resolve().parent.parent / "docs"
PLACES = [*policy.JURISDICTIONS.values(), policy.OWN]
RULES = [rule for place in PLACES for rule in place.rules]


# The data


def test_the_services_are_the_five_of_article_17() -> None:
    assert tuple(policy.SERVICES) == SERVICES
    for number, service in enumerate(policy.SERVICES.values(), start=1):
        assert f"Art. 17({number})" in service.clause
        assert service.description


def test_the_places_are_those_that_are_promised() -> None:
    assert list(policy.JURISDICTIONS) == ["cn", "eu", "us-ca", "in", "kr"]
    for name, place in policy.JURISDICTIONS.items():
        assert place.name == name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.jurisdiction}-rule")
def test_every_rule_says_where_it_comes_from_and_since_when(rule: Rule) -> None:
    assert rule.source.title
    assert rule.clause
    assert rule.says.endswith(".")
    assert rule.confidence in CONFIDENCES
    assert date.fromisoformat(rule.checked) >= date(2026, 11, 22)
    full = rule.in_force if len(rule.in_force) > 7 else rule.in_force + "-01"
    date.fromisoformat(full)
    # What is known to several is not a choice of ours.
    assert rule.readers == 1 or rule.confidence in ("text seen", "secondary")


def test_every_source_is_cited() -> None:
    for place in PLACES:
        assert {rule.source.title for rule in place.rules} == {
            source.title for source in place.sources
        }


def test_the_numbers_are_those_that_the_notices_are_made_by() -> None:
    china = policy.due("face")
    assert china.notice_height == MIN_HEIGHT_FRACTION == 0.05
    assert china.notice_seconds == MIN_SECONDS == 2
    assert set(china.values["audio"]["sound_kinds"]) == set(KINDS)
    assert dict(china.values["image"]["wording"]) == WORDINGS
    spoken = china.values["audio"]["wording_spoken"]
    assert spoken == {language: TEXTS[language] for language in spoken}
    for asks in ("wording_possible", "wording_suspected"):
        check_wording(china.values["image"][asks]["zh"])


def test_a_wording_needs_what_the_elements_say() -> None:
    (ai, made) = policy.due().values["image"]["elements"]
    for one in ai:
        for other in made:
            check_wording(one + other)
        with pytest.raises(UsageError):
            check_wording(one)


# What is due


def test_china_by_default() -> None:
    asked = policy.due()
    assert asked.corner("image") == asked.corner("video") == "auto"
    assert asked.spoken_language == "zh"
    assert asked.service.name == "other"
    assert [place.name for place in asked.jurisdictions] == ["cn"]
    assert asked.level("notice") == "offered"
    assert asked.level("aigc") == "required"
    assert asked.level("mark") == "encouraged"
    assert asked.level("record") == "required"
    assert asked.level("c2pa") == "none"
    assert not asked.consent
    assert asked.notes == ()


@pytest.mark.parametrize("service", ["dialogue", "voice", "face", "scene"])
def test_the_four_named_classes_need_a_notice_in_china(service: str) -> None:
    asked = policy.due(service)
    assert all(asked.level("notice", medium) == "required" for medium in policy.MEDIA)
    assert asked.consent == (service in ("voice", "face"))


@pytest.mark.parametrize(
    ("place", "corner", "spoken", "kinds", "times"),
    [
        ("eu", "top-right", "en", ("spoken",), ("start",)),
        ("in", "auto", "en", ("spoken",), ("start",)),
        ("kr", "auto", "en", ("spoken", "rhythm"), None),
        ("us-ca", "auto", "en", ("spoken", "rhythm"), None),
    ],
)
def test_each_place_by_itself(
    place: str, corner: str, spoken: str, kinds: Any, times: Any
) -> None:
    asked = policy.due("face", [place])
    assert asked.corner("image") == asked.corner("video") == corner
    assert asked.spoken_language == spoken
    assert asked.values["audio"]["sound_kinds"] == kinds
    assert asked.values["audio"]["times"] == times or times is None
    assert asked.level("notice") == ("none" if place == "us-ca" else "required")
    assert asked.level("aigc") == "none"
    assert asked.level("mark", "image") == (
        "required" if place in ("eu", "us-ca") else "none"
    )
    assert "elements" not in asked.values["image"]


def test_california_names_what_the_disclosure_says() -> None:
    fields = policy.due("face", ["us-ca"]).values["image"]["fields"]
    assert {"unique identifier", "date and time", "created or altered"} <= {*fields}
    (later,) = [
        rule for rule in policy.JURISDICTIONS["us-ca"].rules if rule.in_force > "2027"
    ]
    assert later.in_force == "2029-01-01"


@pytest.mark.parametrize("order", [("cn", "eu"), ("eu", "cn")])
def test_of_china_and_europe_both_are_satisfied(order: tuple[str, ...]) -> None:
    asked = policy.due("voice", order)
    # Any corner will do in China; Europe names one.
    assert asked.corner("image") == asked.corner("video") == "top-right"
    assert asked.spoken_language == "zh-en"
    assert {*asked.languages} == {"zh", "en"}
    assert asked.letters == "AI"
    for layer in policy.LAYERS:
        assert asked.level(layer, "image") == "required"
    assert asked.notes == ()


def test_one_medium_can_be_asked_about_alone() -> None:
    asked = policy.due("face", ["cn"], "audio")
    assert asked.media == ("audio",)
    assert all("audio" in rule.media for rule in asked.rules)
    assert policy.due("face", ["eu"], "scene").level("mark") == "none"
    assert policy.due("face", ["eu"]).level("mark") == "required"


def test_what_is_at_odds_is_decided_by_the_first_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    europe = policy.JURISDICTIONS["eu"]
    rules = [
        dataclasses.replace(rule, jurisdiction="low", value=("bottom-left",))
        for rule in europe.rules
        if rule.asks == "corners"
    ]
    low = dataclasses.replace(europe, name="low", rules=tuple(rules))
    monkeypatch.setitem(policy.JURISDICTIONS, "low", low)
    for order, corner in ((("eu", "low"), "top-right"), (("low", "eu"), "bottom-left")):
        asked = policy.due("face", order, "image")
        assert asked.corner("image") == corner
        (note,) = asked.notes
        assert note.startswith(f"image: {order[1]} asks for corner ")
        assert "the first one named decides" in note


def test_a_choice_is_refused_with_the_clause() -> None:
    asked = policy.due("voice", ["cn", "eu", "in"])
    asked.refuse("sound_kinds", "audio", "spoken", "")
    with pytest.raises(UsageError) as caught:
        asked.refuse("sound_kinds", "audio", "rhythm", "Speak.")
    assert "eu asks for form spoken (Code of Practice, Section 2)" in str(caught.value)
    assert "in asks for" in caught.value.problem
    assert asked.against("letters", "image", "人工智能生成")
    assert asked.against("letters", "image", "MAIN生成")
    assert not asked.against("letters", "image", "AI生成")
    assert not policy.due("voice").against("sound_kinds", "audio", "rhythm")


@pytest.mark.parametrize(
    ("arguments", "problem", "known"),
    [
        (("faces", ("cn",)), "unknown service 'faces'", "dialogue, voice, face"),
        (("face", ("cn", "xx")), "unknown jurisdiction 'xx'", "cn, eu, us-ca, in, kr"),
        (("face", ("xx", "yy")), "unknown jurisdiction 'xx', 'yy'", "cn"),
        (("face", ()), "(none given)", "cn"),
        (("face", ("own",)), "unknown jurisdiction 'own'", "cn"),
        (("face", ("cn",), "pdf"), "unknown medium 'pdf'", "text, image, audio"),
    ],
)
def test_what_is_unknown_is_named_with_what_is_known(
    arguments: tuple[Any, ...], problem: str, known: str
) -> None:
    with pytest.raises(UsageError) as caught:
        policy.due(*arguments)
    assert problem in caught.value.problem
    assert known in caught.value.hint


# Strictness


def as_strict(kind: Kind, new: Any, old: Any) -> bool:
    """Say whether a value is at least as strict as another one."""
    match kind:
        case Kind.LEVEL:
            return LEVELS.index(new) >= LEVELS.index(old)
        case Kind.LEAST:
            return bool(new >= old)
        case Kind.RANGE:
            return bool(new[0] >= old[0] and new[1] <= old[1])
        case Kind.ONE_OF:
            return {*new} <= {*old}
        case Kind.ALL_OF:
            return {*new} >= {*old}
        case _:
            return bool(new == old)


places = st.lists(st.sampled_from([*policy.JURISDICTIONS]), min_size=1, unique=True)


@given(
    service=st.sampled_from(SERVICES),
    named=places,
    other=st.sampled_from([*policy.JURISDICTIONS]),
)
def test_another_place_makes_nothing_less_strict(
    service: str, named: list[str], other: str
) -> None:
    before, after = policy.due(service, named), policy.due(service, [*named, other])
    for medium in policy.MEDIA:
        for name, old in before.values[medium].items():
            assert as_strict(ASKS[name].kind, after.values[medium][name], old), name
    assert {rule.says for rule in before.rules} <= {rule.says for rule in after.rules}


@given(service=st.sampled_from(SERVICES), named=places, data=st.data())
def test_the_order_of_places_decides_about_nothing_but_what_is_at_odds(
    service: str, named: list[str], data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(named))
    one, other = policy.due(service, named), policy.due(service, mixed)
    if one.notes:
        return
    for medium in policy.MEDIA:
        assert one.values[medium].keys() == other.values[medium].keys()
        for name, value in one.values[medium].items():
            same = other.values[medium][name]
            assert as_strict(ASKS[name].kind, value, same), name
            assert as_strict(ASKS[name].kind, same, value), name


@given(service=st.sampled_from(SERVICES), named=places)
def test_whatever_is_due_can_be_made(service: str, named: list[str]) -> None:
    asked = policy.due(service, named)
    assert asked.corner("image") in STANDS
    assert asked.corner("video") in STANDS
    assert MIN_HEIGHT_FRACTION <= asked.notice_height <= 0.2
    assert asked.spoken_language in ("zh", "en", "zh-en")
    assert 0 <= asked.notice_seconds < math.inf


# The files

GOOD = """
title = "Nowhere"
checked = "2026-11-22"
[sources.law]
title = "Law"
in_force = "2026-01"
[[rules]]
asks = "height"
value = 0.06
source = "law"
clause = "1"
confidence = "memory"
says = "Tall."
"""


def test_a_good_file_is_read() -> None:
    place = rule_file.read("xx", GOOD)
    (rule,) = place.rules
    assert (rule.value, rule.readers, rule.in_force) == (0.06, 1, "2026-01")
    assert (rule.services, rule.media) == (SERVICES, policy.MEDIA)
    assert rule.reference == "Law, 1"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('title = "Nowhere"', "title =", "line 2"),
        ('title = "Nowhere"', "", "file: title is missing"),
        ('"2026-11-22"', '"22 November"', "checked cannot be '22 November'"),
        ('"2026-01"', '"2026-13"', "source law: in_force cannot be '2026-13'"),
        ('"height"', '"hight"', "rule 1: asks cannot be 'hight'"),
        ("0.06", '"0.06"', "rule 1: value cannot be '0.06'"),
        ("0.06", "-1", "rule 1: value cannot be -1"),
        ("0.06", "nan", "rule 1: value cannot be nan"),
        ("value = 0.06", "", "rule 1: value cannot be None"),
        ('source = "law"', 'source = "lore"', "rule 1: source cannot be 'lore'"),
        ('clause = "1"', "", "rule 1: clause is missing"),
        ('clause = "1"', 'clause = " "', "rule 1: clause is empty"),
        ('"memory"', '"hearsay"', "rule 1: confidence cannot be 'hearsay'"),
        ('says = "Tall."', "", "rule 1: says is missing"),
        ('says = "Tall."', 'says = "T."\nreaders = 0', "readers cannot be 0"),
        ('says = "Tall."', 'says = "T."\nmedia = []', "media cannot be []"),
        ('says = "Tall."', 'says = "T."\nmedia = ["smell"]', "media cannot be"),
        ('says = "Tall."', 'says = "T."\nmedia = [[1]]', "media cannot be"),
        ('says = "Tall."', 'says = "T."\nsize = 3', "rule 1: size is unknown"),
        ("[[rules]]", "[rules]", "rules cannot be"),
        ("[sources.law]", "[sources]", "source title is no table"),
    ],
)
def test_a_damaged_file_is_named_with_its_fault(
    old: str, new: str, problem: str
) -> None:
    assert old in GOOD
    with pytest.raises(SynthmarkError) as caught:
        rule_file.read("xx", GOOD.replace(old, new, 1))
    assert "the rules of 'xx' cannot be read" in caught.value.problem
    assert problem in caught.value.problem
    assert caught.value.hint


@pytest.mark.parametrize(
    ("asks", "value"),
    [
        ("notice", '"maybe"'),
        ("corners", "[]"),
        ("corners", '["middle"]'),
        ("corners", '"top-left"'),
        ("speech_rate", "[160, 120]"),
        ("speech_rate", "[120]"),
        ("elements", '[["AI"], []]'),
        ("wording", '{ fr = "IA" }'),
        ("wording", "{}"),
        ("consent", "false"),
        ("letters", '""'),
        ("remark", "1"),
    ],
)
def test_values_are_of_the_kind_that_is_asked_for(asks: str, value: str) -> None:
    text = GOOD.replace('"height"', f'"{asks}"').replace("0.06", value)
    with pytest.raises(SynthmarkError, match="rule 1: value cannot be"):
        rule_file.read("xx", text)


def test_a_missing_file_is_an_error_of_ours() -> None:
    with pytest.raises(SynthmarkError, match="the rules of 'xx' cannot be read"):
        rule_file.load("xx")


# The page


def page_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("maker", DOCS / "make_policy.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_documentation_is_that_of_the_data() -> None:
    page = (DOCS / "policy.md").read_text("utf-8")
    assert page == page_maker().page(), "run `python docs/make_policy.py`"
    assert len(re.findall(r"^## ", page, re.MULTILINE)) == len(PLACES) + 1
    assert "FAILS" not in page
