from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia
from synthmark.labeling.metadata import gif
from synthmark.labeling.metadata.carrier import Kind

LABEL = b'{"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}}'
SCREEN = b"\x02\0\x02\0\x80\0\0" + bytes(6)
PICTURE = b"\x2c" + bytes(4) + b"\x02\0\x02\0\0" + b"\x02\x02\x44\x01\0"
WITH_TABLE = b"\x2c" + bytes(4) + b"\x02\0\x02\0\x81" + bytes(12) + b"\x02\x01\x44\0"
LOOP = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"


def sub_blocks(data: bytes, size: int = 255) -> bytes:
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def comment(text: bytes, size: int = 255) -> bytes:
    return b"\x21\xfe" + sub_blocks(text, size)


def packet_block(packet: bytes) -> bytes:
    return b"\x21\xff\x0bXMP DataXMP" + packet + gif.TRAILER


def built(*blocks: bytes, tail: bytes = b"", version: bytes = b"GIF89a") -> bytes:
    return version + SCREEN + b"".join(blocks) + b"\x3b" + tail


OURS = [
    packet_block(b"<old/>"),
    packet_block(bytes(range(1, 256)) * 3),
    b"\x21\xff\x0bXMP DataXMP" + sub_blocks(b"<old/>" * 100),
    comment(LABEL),
    comment(LABEL, 7),
]
others = st.one_of(
    st.builds(comment, st.binary(max_size=600)),
    st.sampled_from(
        [
            b"\x21\xf9\x04\x05\x0a\0\0\0",
            b"\x21\x01\x0c" + bytes(12) + sub_blocks(b"a plain text"),
            b"\x21\xff\x0bICCRGBG1012" + sub_blocks(bytes(300)),
            b"\x21\xff\x0bXMP DatXMPX" + sub_blocks(b"other"),
            PICTURE,
            WITH_TABLE,
        ]
    ),
)


@given(
    st.lists(others | st.sampled_from(OURS), max_size=6),
    st.sampled_from([b"", LOOP]),
    st.binary(max_size=9),
)
def test_other_blocks_stay_in_order(
    blocks: list[bytes], loop: bytes, tail: bytes
) -> None:
    content = built(loop, comment(b"first"), *blocks, PICTURE, tail=tail)
    kept = [block for block in blocks if block not in OURS]
    written = gif.replace_xmp(content, b"<new/>")
    assert written == built(
        loop, packet_block(b"<new/>"), comment(b"first"), *kept, PICTURE, tail=tail
    )


@pytest.mark.parametrize(
    ("block", "kind", "found"),
    [
        (OURS[0], Kind.XMP, b"<old/>"),
        (OURS[1], Kind.XMP, bytes(range(1, 256)) * 3),
        (OURS[2], Kind.XMP, b"<old/>" * 100),
        (OURS[3], Kind.TEXT, LABEL),
        (OURS[4], Kind.TEXT, LABEL),
    ],
)
def test_labels_are_found_before_and_after_the_picture(
    block: bytes, kind: Kind, found: bytes
) -> None:
    for content in (built(block, PICTURE), built(WITH_TABLE, block)):
        (carrier,) = gif.read_carriers(content).carriers
        assert (carrier.kind, carrier.content) == (kind, found)


def test_comment_that_only_mentions_a_label_stays() -> None:
    block = comment(b"AIGC art")
    assert gif.read_carriers(built(block, PICTURE)).carriers == ()
    assert block in gif.replace_xmp(built(block, PICTURE), b"<new/>")


def test_version_becomes_the_one_with_extensions() -> None:
    old = built(PICTURE, version=b"GIF87a")
    new = built(packet_block(b"<new/>"), PICTURE)
    assert gif.replace_xmp(old, b"<new/>") == new


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"GIF89a", "header is cut off"),
        (b"GIF89a" + SCREEN[:-1], "cut off"),
        (built(LOOP, PICTURE)[:-1], "cut off"),
        (built(LOOP)[:-4], "cut off"),
        (built(WITH_TABLE)[:30], "cut off"),
        (built(b"\x99", PICTURE), "no block at byte 19"),
        (built(), "no picture"),
        (built(*[b"\x21\xf9\0"] * 100_001), "more than 100000"),
        (b"GIF89a" + SCREEN + b"\x21\xfe" + b"\x01A" * 200_000, "too many parts"),
    ],
    ids=range(9),
)
def test_damage_is_reported_on_reading_and_refused_on_writing(
    content: bytes, problem: str
) -> None:
    assert problem in gif.read_carriers(content).problems[0]
    with pytest.raises(DamagedMedia, match=problem):
        gif.replace_xmp(content, b"<new/>")


def test_file_without_a_picture_is_refused() -> None:
    with pytest.raises(DamagedMedia, match="no picture"):
        gif.replace_xmp(built(LOOP), b"<new/>")


def test_only_so_many_carriers_are_looked_into() -> None:
    survey = gif.read_carriers(built(*OURS * 3, PICTURE))
    assert len(survey.carriers) == 8
    assert "more than 8" in survey.problems[0]
    assert not survey.complete


def test_label_behind_the_end_is_mentioned() -> None:
    survey = gif.read_carriers(built(PICTURE, tail=LABEL))
    assert "after the end" in survey.problems[0]
