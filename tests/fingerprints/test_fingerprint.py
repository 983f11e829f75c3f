from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import UsageError
from synthmark.labeling.fingerprints.fingerprint import (
    AUDIO,
    IMAGE,
    MAX_BYTES,
    VIDEO,
    Fingerprint,
)


@given(st.sampled_from([IMAGE, AUDIO, VIDEO]), st.binary(min_size=1, max_size=300))
def test_text_comes_back_as_it_was(algorithm: str, value: bytes) -> None:
    fingerprint = Fingerprint(algorithm=algorithm, value=value)
    assert Fingerprint.parse(str(fingerprint)) == fingerprint


def test_the_longest_text_comes_back() -> None:
    fingerprint = Fingerprint(algorithm=AUDIO, value=b"\xff" * MAX_BYTES)
    assert Fingerprint.parse(str(fingerprint)) == fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "image-fingerprint/1",
        "image-fingerprint/1:",
        "image-fingerprint/1:AA==",
        "image-fingerprint/1:AB",  # bits beyond the last byte
        "image-fingerprint/1:A",
        "image-fingerprint/1:A+/A",
        "image-fingerprint/1:AAAA\n",
        " image-fingerprint/1:AAAA",
        "image-fingerprint/1:AAAA:AAAA",
        "synthmark-image/0:AAAA",
        "synthmark-image/01:AAAA",
        "Synthmark/1:AAAA",
        "../x/1:AAAA",
        "image-fingerprint/1:ＡＡＡＡ",
        "x" * 100 + "/1:AAAA",
        "image-fingerprint/1:" + "A" * (MAX_BYTES * 2),
        "a:" * 100_000,
        "\0",
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Fingerprint.parse(text)


@given(st.text(max_size=60))
def test_text_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert str(Fingerprint.parse(text)) == text


@pytest.mark.parametrize("value", [b"", b"x" * (MAX_BYTES + 1), "text", None])
def test_values_of_other_sizes_and_kinds_are_refused(value: bytes) -> None:
    with pytest.raises(UsageError, match="bytes"):
        Fingerprint(algorithm=IMAGE, value=value)
