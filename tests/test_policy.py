"""What the rules ask for."""

from __future__ import annotations

import dataclasses

import pytest

from synthmark.labeling import policy
from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.image import CORNERS, MIN_HEIGHT_FRACTION


def test_the_services_are_the_five_of_article_17() -> None:
    assert list(policy.SERVICES) == ["dialogue", "voice", "face", "scene", "other"]
    for number, service in enumerate(policy.SERVICES.values(), start=1):
        assert f"Art. 17({number})" in service.clause
        assert service.description


def test_every_place_asks_for_a_notice_that_can_be_drawn() -> None:
    for name, place in policy.JURISDICTIONS.items():
        assert place.name == name
        assert place.clauses
        assert place.notice_corner in CORNERS
        assert MIN_HEIGHT_FRACTION <= place.notice_height <= 0.2


def test_china_asks_for_five_percent() -> None:
    due = policy.due()
    assert due.notice_height == 0.05
    assert due.notice_corner == "bottom-right"
    assert due.service.name == "other"
    assert [place.name for place in due.jurisdictions] == ["cn"]


@pytest.mark.parametrize("order", [("cn", "strict"), ("strict", "cn")])
def test_of_several_places_the_strictest_counts(
    order: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = dataclasses.replace(
        policy.JURISDICTIONS["cn"],
        name="strict",
        notice_height=0.08,
        notice_corner="top-left",
    )
    monkeypatch.setitem(policy.JURISDICTIONS, "strict", strict)
    due = policy.due("face", order)
    assert due.notice_height == 0.08
    # Where two places are at odds about the corner, the one named first decides.
    assert due.notice_corner == policy.JURISDICTIONS[order[0]].notice_corner


@pytest.mark.parametrize(
    ("service", "places", "problem", "known"),
    [
        ("faces", ("cn",), "unknown service 'faces'", "dialogue, voice, face"),
        ("face", ("cn", "xx"), "unknown jurisdiction 'xx'", "cn"),
        ("face", ("xx", "yy"), "unknown jurisdiction 'xx', 'yy'", "cn"),
        ("face", (), "(none given)", "cn"),
    ],
)
def test_what_is_unknown_is_named_with_what_is_known(
    service: str, places: tuple[str, ...], problem: str, known: str
) -> None:
    with pytest.raises(UsageError) as caught:
        policy.due(service, places)
    assert problem in caught.value.problem
    assert known in caught.value.hint
