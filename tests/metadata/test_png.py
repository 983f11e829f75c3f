from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia
from synthmark.labeling.metadata import png
from synthmark.labeling.metadata.carrier import Kind

XMP = b"XML:com.adobe.xmp"
LABEL = b'{"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}}'


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + data)
    return len(data).to_bytes(4, "big") + kind + data + checksum.to_bytes(4, "big")


def built(*chunks: bytes, late: tuple[bytes, ...] = (), tail: bytes = b"") -> bytes:
    parts = [chunk(b"IHDR", bytes(13)), *chunks, chunk(b"IDAT", b"p"), chunk(b"IDAT")]
    return png.SIGNATURE + b"".join([*parts, *late, chunk(b"IEND")]) + tail


def packet_chunk(packet: bytes) -> bytes:
    return chunk(b"iTXt", XMP + b"\0\0\0\0\0" + packet)


LABEL_CHUNKS = [
    chunk(b"tEXt", b"AIGC\0" + LABEL),
    chunk(b"zTXt", b"AIGC\0\0" + zlib.compress(LABEL)),
    chunk(b"iTXt", b"AIGC\0\0\0zh\0\xe6\xa0\x87\0" + LABEL),
    chunk(b"iTXt", b"AIGC\0\1\0\0\0" + zlib.compress(LABEL)),
    chunk(b"tEXt", b"x-aigc-label\0" + LABEL),
]
XMP_CHUNKS = [
    packet_chunk(b"old"),
    chunk(b"iTXt", XMP + b"\0\1\0x-default\0\0" + zlib.compress(b"old")),
    chunk(b"tEXt", XMP + b"\0old"),
    chunk(b"zTXt", XMP + b"\0\0" + zlib.compress(b"old")),
]
others = st.builds(
    chunk,
    st.sampled_from(
        [
            b"tEXt",
            b"zTXt",
            b"iTXt",
            b"gAMA",
            b"eXIf",
            b"caBX",
            b"acTL",
            b"fcTL",
            b"fdAT",
        ]
    ),
    # Hypothesis knows the keywords from the code; chunks of theirs are not "others".
    st.binary(max_size=30).filter(lambda data: not data.startswith((XMP, b"AIGC"))),
)


@given(
    st.lists(others | st.sampled_from(LABEL_CHUNKS + XMP_CHUNKS)),
    st.lists(others | st.sampled_from(LABEL_CHUNKS + XMP_CHUNKS)),
    st.binary(),
)
def test_other_chunks_stay_in_order(
    early: list[bytes], late: list[bytes], tail: bytes
) -> None:
    ours = LABEL_CHUNKS + XMP_CHUNKS
    written = png.replace_xmp(built(*early, late=tuple(late), tail=tail), b"new")
    kept = [item for item in early if item not in ours]
    kept_late = tuple(item for item in late if item not in ours)
    assert written == built(*kept, packet_chunk(b"new"), late=kept_late, tail=tail)


@pytest.mark.parametrize("item", LABEL_CHUNKS)
def test_label_texts_are_found_before_and_after_the_pixels(item: bytes) -> None:
    for content in (built(item), built(late=(item,))):
        (carrier,) = png.read_carriers(content).carriers
        assert (carrier.kind, carrier.content) == (Kind.TEXT, LABEL)


@pytest.mark.parametrize("item", XMP_CHUNKS)
def test_packets_are_found_before_and_after_the_pixels(item: bytes) -> None:
    for content in (built(item), built(late=(item,))):
        (carrier,) = png.read_carriers(content).carriers
        assert (carrier.kind, carrier.content) == (Kind.XMP, b"old")


def test_text_with_a_keyword_that_only_sounds_like_a_label_stays() -> None:
    item = chunk(b"tEXt", b"AIGC workflow\0nodes")
    assert png.read_carriers(built(item)).carriers == ()
    assert item in png.replace_xmp(built(item), b"new")


@pytest.mark.parametrize(
    "data",
    [
        zlib.compress(bytes(1 << 27), 9),
        zlib.compress(LABEL)[:-2],
        b"no stream",
        b"",
    ],
    ids=len,
)
def test_text_that_cannot_be_unpacked_is_an_empty_carrier(data: bytes) -> None:
    content = built(chunk(b"zTXt", b"AIGC\0\0" + data))
    (carrier,) = png.read_carriers(content).carriers
    assert carrier.content == b""


def test_label_in_exif_is_blanked_with_a_new_checksum(
    make_exif: Callable[..., bytes],
) -> None:
    text = LABEL.decode().encode("utf-16-be")
    block = make_exif(order=">", main={0x9286: b"UNICODE\0" + text})
    written = png.replace_xmp(built(chunk(b"eXIf", block)), b"new")
    blanked = block.replace(text, bytes(len(text)))
    assert written == built(chunk(b"eXIf", blanked), packet_chunk(b"new"))


def test_wrong_checksum_is_a_problem() -> None:
    content = built(LABEL_CHUNKS[0][:-1] + b"?")
    survey = png.read_carriers(content)
    assert survey.problems == ("wrong checksum in a tEXt chunk",)
    assert survey.carriers[0].content == LABEL


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (built()[:-1], "cut off"),
        (png.SIGNATURE, "cut off"),
        (png.SIGNATURE + b"\xff" * 20, "cut off"),
        (png.SIGNATURE + chunk(b"tIME") * 100_001, "more than 100000"),
    ],
    ids=["end", "signature", "length", "count"],
)
def test_damage_is_reported_on_reading_and_refused_on_writing(
    content: bytes, problem: str
) -> None:
    assert problem in png.read_carriers(content).problems[0]
    with pytest.raises(DamagedMedia, match=problem):
        png.replace_xmp(content, b"new")


def test_file_without_a_picture_is_refused() -> None:
    with pytest.raises(DamagedMedia, match="no picture"):
        png.replace_xmp(png.SIGNATURE + chunk(b"IEND"), b"new")


def test_only_so_many_carriers_are_looked_into() -> None:
    survey = png.read_carriers(built(*LABEL_CHUNKS * 10))
    assert len(survey.carriers) == 8
    assert "more than 8" in survey.problems[0]


def test_label_behind_the_end_is_mentioned() -> None:
    assert "after the end" in png.read_carriers(built(tail=LABEL)).problems[0]
