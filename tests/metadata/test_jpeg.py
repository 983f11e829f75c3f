from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MetadataError
from synthmark.labeling.metadata import jpeg
from synthmark.labeling.metadata.carrier import Kind

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
LABEL = b'{"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}}'
SCAN = b"\xff\xda\0\x03x\x01\xff\0\x02\xff\xd3\x04\xff\xff\0"


def segment(marker: int, payload: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(payload) + 2) + payload


def built(*segments: bytes, tail: bytes = b"") -> bytes:
    return b"\xff\xd8" + b"".join(segments) + SCAN + b"\xff\xd9" + tail


def extended(packet: bytes, *cuts: int) -> list[bytes]:
    edges = [0, *cuts, len(packet)]
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    return [
        segment(
            0xE1,
            EXTENDED + guid + struct.pack(">II", len(packet), a) + packet[a:b],
        )
        for a, b in pairwise(edges)
    ]


others = st.builds(
    segment,
    st.sampled_from([0xDB, 0xC4, 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE]),
    # Hypothesis knows the prefixes from the code; XMP segments are not "others".
    st.binary(max_size=40).filter(lambda data: not data.startswith(b"http"))
    | st.just(b"Exif\0\0MM"),
)


@given(st.lists(others), st.lists(st.binary(max_size=9), max_size=3), st.binary())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_other_segments_stay_in_order(
    segments: list[bytes], packets: list[bytes], tail: bytes
) -> None:
    mixed = list(segments)
    for index, packet in enumerate(packets):
        mixed.insert(2 * index, segment(0xE1, XMP + packet))
    written = jpeg.replace_xmp(built(*mixed, tail=tail), b"new")
    assert written.removesuffix(tail).count(XMP) == 1
    own = segment(0xE1, XMP + b"new")
    assert written.replace(own, b"") == built(*segments, tail=tail)
    carriers = jpeg.read_carriers(written).carriers
    assert [c.content for c in carriers if c.kind is Kind.XMP] == [b"new"]


def test_packet_stands_behind_the_leading_segments() -> None:
    head = [segment(0xE0, b"JFIF\0"), segment(0xE1, b"Exif\0\0MM")]
    rest = [segment(0xE2, b"ICC_PROFILE\0"), segment(0xE0, b"JFXX\0")]
    assert jpeg.replace_xmp(built(*head, *rest), b"new") == built(
        *head, segment(0xE1, XMP + b"new"), *rest
    )


def test_packet_between_scans_is_found_and_replaced() -> None:
    late = SCAN + segment(0xC4, b"t") + segment(0xE1, XMP + b"late")
    content = built(segment(0xE0, b""), late)
    (carrier,) = jpeg.read_carriers(content).carriers
    assert carrier.content == b"late"
    assert b"late" not in jpeg.replace_xmp(content, b"new")


def test_extended_xmp_is_read_and_kept() -> None:
    parts = extended(b"abcdefgh", 3, 5)
    content = built(*reversed(parts))
    (carrier,) = jpeg.read_carriers(content).carriers
    assert (carrier.kind, carrier.content) == (Kind.EXTENDED_XMP, b"abcdefgh")
    assert all(part in jpeg.replace_xmp(content, b"new") for part in parts)
    for broken in (parts[:2], parts[1:], [*parts, parts[0]]):
        (carrier,) = jpeg.read_carriers(built(*broken)).carriers
        assert carrier.content == b""


def test_packet_may_fill_the_segment_and_no_more() -> None:
    packet = b"x" * jpeg.MAX_PACKET_BYTES
    written = jpeg.replace_xmp(built(), packet)
    assert jpeg.read_carriers(written).carriers[0].content == packet
    with pytest.raises(MetadataError, match="65503 bytes"):
        jpeg.replace_xmp(built(), packet + b"x")


def test_label_in_exif_is_blanked_without_moving_a_byte(
    make_exif: Callable[..., bytes],
) -> None:
    block = make_exif(sub={0x9286: b"ASCII\0\0\0" + LABEL})
    content = built(segment(0xE1, b"Exif\0\0" + block))
    written = jpeg.replace_xmp(content, b"new")
    own = segment(0xE1, XMP + b"new")
    assert written.replace(own, b"") == content.replace(LABEL, bytes(len(LABEL)))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (built()[:-1], "ends without"),
        (built()[:-2], "ends without"),
        (b"\xff\xd8\xff\xff\xff", "ends without"),
        (b"\xff\xd8\xff\xe0\0", "cut off"),
        (b"\xff\xd8\xff\xe0\0\x01\xff\xd9", "cut off"),
        (b"\xff\xd8\xff\xe0\0\x09x", "cut off"),
        (built(b"junk"), "no marker at byte 2"),
        (b"\xff\xd8" + b"\xff\xd0" * 100_001, "more than 100000"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(len(value)),
)
def test_damage_is_reported_on_reading_and_refused_on_writing(
    content: bytes, problem: str
) -> None:
    assert problem in jpeg.read_carriers(content).problems[0]
    with pytest.raises(DamagedMedia, match=problem):
        jpeg.replace_xmp(content, b"new")


def test_file_without_a_picture_is_refused() -> None:
    with pytest.raises(DamagedMedia, match="no picture"):
        jpeg.replace_xmp(b"\xff\xd8\xff\xd9", b"new")


def test_only_so_many_carriers_are_looked_into() -> None:
    survey = jpeg.read_carriers(built(*[segment(0xE1, XMP)] * 50))
    assert len(survey.carriers) == 8
    assert survey.problems == ("more than 8 XMP packets and EXIF blocks",)


def test_label_behind_the_end_is_mentioned() -> None:
    assert "after the end" in jpeg.read_carriers(built(tail=LABEL)).problems[0]


def test_megabytes_of_fill_bytes_do_not_stall() -> None:
    fill = b"\xff" * (1 << 22)
    assert jpeg.read_carriers(b"\xff\xd8" + fill).problems
    assert jpeg.read_carriers(b"\xff\xd8" + fill + b"\0").problems
    assert jpeg.read_carriers(built()[:-2] + fill + b"\0").problems
