from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.metadata import exif

TEXT = '{"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}}'
BYTES = TEXT.encode()
Make = Callable[..., bytes]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "value",
    [
        b"ASCII\0\0\0" + BYTES,
        b"ASCII\0\0\0" + BYTES + b"\0",
        bytes(8) + BYTES,
        b"JIS\0\0\0\0\0" + BYTES,
        b"UNICODE\0" + TEXT.encode("utf-16-le"),
        b"UNICODE\0" + TEXT.encode("utf-16-be"),
        b"UNICODE\0" + TEXT.encode("utf-16"),
        b"UNICODE\0" + BYTES,
        b"Unicode\0" + BYTES,
        BYTES,
        b"ASCII\0\0\0AIGC=" + BYTES,
        b"ASCII\0\0\0" + BYTES.replace(b'"', b'\\"'),
    ],
)
@pytest.mark.parametrize("place", ["main", "sub"])
def test_label_is_found_in_every_dialect_and_blanked(
    make_exif: Make, order: str, value: bytes, place: str
) -> None:
    block = make_exif(order=order, **{place: {0x9286: value}})
    (comment,) = exif.find_labels(block)
    assert comment.text.removeprefix("AIGC=").replace("\\", "") == TEXT
    assert ("Exif IFD" if place == "sub" else "IFD0") in comment.place
    blanked = exif.without_labels(block)
    assert len(blanked) == len(block)
    assert blanked[: comment.start] == block[: comment.start]
    assert not any(blanked[comment.start : comment.stop])
    assert exif.find_labels(blanked) == ()


def test_description_may_hold_the_label(make_exif: Make) -> None:
    (comment,) = exif.find_labels(make_exif(main={0x010E: BYTES}))
    assert comment.place == "EXIF ImageDescription in IFD0"


def test_all_copies_are_found(make_exif: Make) -> None:
    block = make_exif(main={0x9286: BYTES, 0x010E: BYTES}, sub={0x9286: BYTES})
    assert len(exif.find_labels(block)) == 3
    assert exif.find_labels(exif.without_labels(block)) == ()


def test_other_comments_stay(make_exif: Make) -> None:
    block = make_exif(main={0x010E: b"AIGC art"}, sub={0x9286: b"ASCII\0\0\0hello"})
    assert exif.find_labels(block) == ()
    assert exif.without_labels(block) == block


def test_directory_that_points_at_itself_ends() -> None:
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x8769, 4, 1, 8) + bytes(4)
    assert exif.find_labels(block) == ()


@given(st.data())
def test_damaged_block_is_read_as_far_as_it_goes(
    make_exif: Make, data: st.DataObject
) -> None:
    block = bytearray(make_exif(sub={0x9286: b"UNICODE\0" + TEXT.encode("utf-16-le")}))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, min(len(block) - 1, 60)))
        block[at] = data.draw(st.integers(0, 255))
    damaged = bytes(block[: data.draw(st.integers(0, len(block)))])
    blanked = exif.without_labels(damaged)
    assert len(blanked) == len(damaged)
    for comment in exif.find_labels(damaged):
        assert 0 < comment.start <= comment.stop <= len(damaged)
