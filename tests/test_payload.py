"""The payload: 64 bits that come apart as they went together."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import UsageError
from synthmark.labeling.payload import (
    ISSUER_MAX,
    SERIAL_MAX,
    Payload,
    scramble,
    unscramble,
)

parts = {
    "issuer": st.integers(0, ISSUER_MAX),
    "serial": st.integers(0, SERIAL_MAX),
    "version": st.integers(0, 15),
}


@given(**parts)
def test_the_parts_stand_where_the_layout_says(
    issuer: int, serial: int, version: int
) -> None:
    payload = Payload(issuer=issuer, serial=serial, version=version)
    bits = f"{version:04b}{issuer:020b}{serial:040b}"
    assert int(payload) == int(bits, 2)
    assert int(str(payload), 16) == int(payload)
    assert len(str(payload)) == 16


@given(number=st.integers(0, 2**64 - 1))
def test_every_number_is_a_payload(number: int) -> None:
    payload = Payload.from_int(number)
    assert int(payload) == number
    assert Payload.from_int(np.uint64(number)) == payload  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "parts",
    [
        {"issuer": -1, "serial": 0},
        {"issuer": ISSUER_MAX + 1, "serial": 0},
        {"issuer": 0, "serial": -1},
        {"issuer": 0, "serial": SERIAL_MAX + 1},
        {"issuer": 0, "serial": 0, "version": 16},
        {"issuer": 0, "serial": 0, "version": -1},
        {"issuer": 1.0, "serial": 0},
        {"issuer": 0, "serial": "7"},
        {"issuer": None, "serial": 0},
    ],
)
def test_a_part_out_of_range_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="payload"):
        Payload(**parts)


@pytest.mark.parametrize("number", [-1, 2**64, 0.5, "7", None])
def test_a_number_that_is_no_payload_is_refused(number: Any) -> None:
    with pytest.raises(UsageError, match="payload"):
        Payload.from_int(number)


def test_numbers_of_numpy_become_plain() -> None:
    payload = Payload(issuer=np.int32(7), serial=np.uint64(9))  # type: ignore[arg-type]
    assert repr(payload) == "Payload(issuer=7, serial=9, version=0)"
    assert int(payload) == 7 << 40 | 9


def test_random_serials_differ_and_keep_the_issuer() -> None:
    drawn = {Payload.random(issuer=7) for _ in range(50)}
    assert len(drawn) == 50
    assert {payload.issuer for payload in drawn} == {7}
    # The highest bit is drawn too: 50 zeros in a row have a chance of 2 to the -50.
    assert max(payload.serial for payload in drawn) > SERIAL_MAX // 2


def test_a_payload_is_a_value() -> None:
    payload = Payload(issuer=7, serial=9)
    assert pickle.loads(pickle.dumps(payload)) == payload
    with pytest.raises(AttributeError):
        payload.issuer = 8  # type: ignore[misc]


@given(st.integers(0, 2**64 - 1), st.binary(min_size=1, max_size=32))
def test_scrambling_can_be_undone(number: int, secret: bytes) -> None:
    scrambled = scramble(number, secret)
    assert 0 <= scrambled < 2**64
    assert unscramble(scrambled, secret) == number


def test_scrambled_neighbors_have_nothing_in_common() -> None:
    secret = bytes(range(32))
    numbers = [scramble(int(Payload(issuer=7, serial=n)), secret) for n in range(400)]
    assert len(set(numbers)) == 400
    for bit in range(64):  # deviation 10 around a half of them
        assert 140 < sum(number >> bit & 1 for number in numbers) < 260
    other = [scramble(int(Payload(issuer=7, serial=n)), b"x") for n in range(400)]
    assert not set(numbers) & set(other)


def test_the_permutation_never_changes() -> None:
    assert f"{scramble(0, bytes(32)):016x}" == "37a12a0a50107813"
