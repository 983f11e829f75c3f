"""Codes of providers: those that are in use, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthmark as sm
from synthmark.labeling.errors import UsageError
from synthmark.labeling.metadata.provider import ProviderCode, looks_like_code

# Seen in labels of large providers.
IN_USE = (
    "001191110102MACQD9K64010000",
    "001191440300708461136T1XGW3",
    "001191330106MA2CFLDG4R10001",
    "001191310104MACE0YX63918020",
    "001191440300MA5G49LC9K1YO01",
)
DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize("text", IN_USE)
def test_codes_in_use_are_read(text: str) -> None:
    code = ProviderCode.parse(text)
    assert str(code) == text
    assert code.role == "producer"
    assert looks_like_code(text)


@given(st.sampled_from(IN_USE), st.integers(4, 21), st.sampled_from(DIGITS))
def test_no_slip_of_one_character_passes(text: str, at: int, digit: str) -> None:
    changed = text[:at] + digit + text[at + 1 :]
    if changed == text:
        assert ProviderCode.parse(changed)
        return
    with pytest.raises(UsageError, match="check digit"):
        ProviderCode.parse(changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme",
        IN_USE[0][:-1],
        IN_USE[0] + "0",
        IN_USE[0].lower(),
        "01" + IN_USE[0][2:],
        IN_USE[0][:22] + "3" + IN_USE[0][23:],
        IN_USE[0][:23] + "00a0",
        IN_USE[0][:4] + "I" + IN_USE[0][5:],
        "００" + IN_USE[0][2:],
    ],
)
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(UsageError):
        ProviderCode.parse(text)


def test_parts_are_checked() -> None:
    credit = IN_USE[0][4:22]
    code = ProviderCode(credit_code=credit, role="propagator", application="AB12")
    assert str(code) == f"0011{credit}2AB12"
    for part in ({"role": "owner"}, {"application": "abc"}, {"credit_code": "1"}):
        with pytest.raises(UsageError):
            ProviderCode(**{"credit_code": credit, **part})


def test_a_producer_with_a_slip_in_its_code_is_refused(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("Some text.\n")
    wrong = IN_USE[0][:5] + "2" + IN_USE[0][6:]
    ran = run("label", "a.txt", "--producer", wrong)
    assert ran.code == 2
    assert "check digit" in ran.err
    spreads = IN_USE[0][:22] + "2" + IN_USE[0][23:]
    ran = run("label", "a.txt", "--producer", spreads)
    assert ran.code == 2
    assert "propagator" in ran.err
    assert run("label", "a.txt", "--producer", IN_USE[0]).code == 0


def test_the_command_makes_and_explains_codes(run: Callable[..., Any]) -> None:
    credit = IN_USE[0][4:22]
    assert run("provider", "new", credit).out == f"{IN_USE[0]}\n"
    ran = run("provider", "new", credit, "--application", "AB12", "--propagator")
    assert ran.out == f"0011{credit}2AB12\n"
    assert run("provider", "check", IN_USE[0]).out.startswith("a producer, credit code")
    ran = run("provider", "check", IN_USE[0], "--json")
    assert ran.json == {
        "code": IN_USE[0],
        "credit_code": credit,
        "role": "producer",
        "application": "0000",
    }
    ran = run("provider", "check", "acme")
    assert ran.code == 2
    assert "27 characters" in ran.err


def test_producers_may_have_names() -> None:
    result = sm.Home().labeler(producer="acme").label(b"Text.\n")
    assert result.complete
