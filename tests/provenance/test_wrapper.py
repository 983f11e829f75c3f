"""Manifest stores as characters without width."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.provenance import wrapper


def store(content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + b"jumb" + content


@given(st.text(), st.binary(max_size=300), st.text())
def test_a_store_comes_back_from_within_any_text(
    before: str, content: bytes, after: str
) -> None:
    wrapped = wrapper.wrap(store(content))
    assert len(wrapped) == wrapper.length_of(len(content) + 8)
    # Selectors that follow would be part of it.
    text = before.encode() + wrapped + b"." + after.encode()
    (found,) = wrapper.find(text)
    assert found.store == store(content)
    assert text[found.start : found.start + found.length] == wrapped
    assert wrapper.unwrapped(text) == before.encode() + b"." + after.encode()


def test_the_form_is_that_of_the_standard() -> None:
    text = wrapper.wrap(store(b"\x00\x0f\x10\xff")).decode()
    assert text[0] == "\ufeff"
    header = "".join(map(chr, (0xE0133, 0xE0122, 0xE0140, 0xE0131)))
    header += "".join(map(chr, (0xE0144, 0xE0148, 0xE0144, 0xFE00)))
    assert text[1:].startswith(f"{header}\ufe01" + "\ufe00\ufe00\ufe00\ufe0c")
    assert "\ufe00\ufe0f\U000e0100\U000e01ef" in text
    # Filled up with threes first, then fours.
    assert text.rstrip("\U000e0100").endswith("\ufe00\ufe00")


@pytest.mark.parametrize("cut", [1, 9, 13, 20, 40])
def test_a_wrapper_that_is_cut_off_has_no_store(cut: int) -> None:
    text = wrapper.wrap(store(bytes(30))).decode()[: 8 + cut]
    (found,) = wrapper.find(text.encode())
    assert found.store is None
    assert wrapper.unwrapped(text.encode()) == b""


@pytest.mark.parametrize(
    "text",
    ["☺️", "\ufeff", "\ufeff☺️", "\ufeff\ufe00\ufe01", wrapper.wrap(b"").decode()[:8]],
)
def test_ordinary_selectors_are_no_wrapper(text: str) -> None:
    assert wrapper.find(text.encode()) == []
    assert wrapper.unwrapped(text.encode()) == text.encode()


@pytest.mark.parametrize(
    "inside", [b"\xff\xd8\xff\xe0jumb", b"\0\0\0\x0cjumb", b"\0\0\0\x08free", b""]
)
def test_what_is_no_store_is_not_handed_on(inside: bytes) -> None:
    (found,) = wrapper.find(wrapper.wrap(inside))
    assert found.store is None


def test_hostile_runs_take_no_longer_than_others() -> None:
    started = time.process_time()
    huge = wrapper.wrap(store(bytes(wrapper.MAX_STORE_BYTES + 1)))
    (found,) = wrapper.find(huge)
    assert found.store is None
    many = wrapper.wrap(b"").decode()[:9].encode() * 100_000
    assert len(wrapper.find(many + "\ufeff".encode() * 100_000)) <= 100_000
    assert time.process_time() - started < 5
