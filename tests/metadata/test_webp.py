from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from synthmark.labeling.errors import DamagedMedia
from synthmark.labeling.metadata import webp
from synthmark.labeling.metadata.carrier import Kind

LABEL = b'{"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}}'
HEAD = b"VP8X", bytes([0x08, 0, 0, 0]) + b"\x06\0\0\x04\0\0"
PICTURE = b"VP8L", b"\x2fabcde"


def built(*chunks: tuple[bytes, bytes], tail: bytes = b"") -> bytes:
    body = b"WEBP"
    for kind, data in chunks:
        body += kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body + tail


def split(content: bytes) -> list[tuple[bytes, bytes]]:
    size = 8 + int.from_bytes(content[4:8], "little")
    position, found = 12, []
    while position < size:
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        data = content[position + 8 : position + 8 + length]
        found.append((content[position : position + 4], data))
        position += 8 + length + length % 2
    assert position == size
    return found


@given(
    st.lists(st.tuples(st.sampled_from([b"ICCP", b"ANIM"]), st.binary(max_size=9))),
    st.lists(
        st.tuples(st.sampled_from([b"EXIF", b"XMP ", b"XMP\0"]), st.binary(max_size=9))
    ),
    st.lists(st.tuples(st.sampled_from([b"C2PA", b"abcd"]), st.binary(max_size=9))),
    st.binary(max_size=9),
)
def test_other_chunks_stay_in_order(
    before: list[tuple[bytes, bytes]],
    after: list[tuple[bytes, bytes]],
    unknown: list[tuple[bytes, bytes]],
    tail: bytes,
) -> None:
    content = built(HEAD, *before, PICTURE, *after, *unknown, tail=tail)
    written = webp.replace_xmp(content, b"new")
    kept = [item for item in after if item[0] == b"EXIF"]
    head = HEAD[0], bytes([0x0C]) + HEAD[1][1:]
    assert written == built(
        head, *before, PICTURE, *kept, (b"XMP ", b"new"), *unknown, tail=tail
    )


@pytest.mark.parametrize("kind", [b"XMP ", b"XMP\0"])
@pytest.mark.parametrize("extended", [True, False])
def test_packet_is_found_wherever_it_stands(kind: bytes, extended: bool) -> None:
    head = [HEAD] if extended else []
    for chunks in (
        [(kind, b"old"), PICTURE],
        [PICTURE, (b"abcd", b""), (kind, b"old")],
    ):
        (carrier,) = webp.read_carriers(built(*head, *chunks)).carriers
        assert (carrier.kind, carrier.content) == (Kind.XMP, b"old")


@pytest.mark.parametrize("size", [(1, 1), (23, 18), (300, 2), (1, 999)])
@pytest.mark.parametrize(
    ("mode", "options", "flags"),
    [
        ("RGB", {}, 0x04),
        ("RGB", {"lossless": True}, 0x04),
        ("RGBA", {"lossless": True}, 0x14),
    ],
)
def test_simple_file_becomes_an_extended_one(
    size: tuple[int, int], mode: str, options: dict[str, bool], flags: int
) -> None:
    file = io.BytesIO()
    Image.new(mode, size, (9, 99, 200, 128)[: len(mode)]).save(file, "WEBP", **options)
    (simple,) = split(file.getvalue())
    head, kept, packet = split(webp.replace_xmp(file.getvalue(), b"new"))
    width, height = (side - 1 for side in size)
    sides = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    assert head == (b"VP8X", bytes([flags, 0, 0, 0]) + sides)
    assert (kept, packet) == (simple, (b"XMP ", b"new"))


def test_exif_in_a_simple_file_is_announced() -> None:
    (_, data), *rest = split(webp.replace_xmp(built(PICTURE, (b"EXIF", b"")), b"new"))
    assert data[0] & 0x0C == 0x0C
    assert rest == [PICTURE, (b"EXIF", b""), (b"XMP ", b"new")]


def test_missing_padding_at_the_end_is_made_good() -> None:
    short = built(HEAD, PICTURE, (b"abcd", b"odd"))[:-1]
    short = short[:4] + (len(short) - 8).to_bytes(4, "little") + short[8:]
    kinds = [kind for kind, _ in split(webp.replace_xmp(short, b"new"))]
    assert kinds == [b"VP8X", b"VP8L", b"XMP ", b"abcd"]


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_label_in_exif_is_blanked(
    prefix: bytes, make_exif: Callable[..., bytes]
) -> None:
    block = prefix + make_exif(sub={0x9286: bytes(8) + LABEL})
    written = webp.replace_xmp(built(HEAD, PICTURE, (b"EXIF", block)), b"new")
    blanked = block.replace(LABEL, bytes(len(LABEL)))
    assert split(written)[2:] == [(b"EXIF", blanked), (b"XMP ", b"new")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (built(HEAD, PICTURE)[:-1], "cut off"),
        (built(HEAD, (b"abcd", b"odd"))[:-1], "cut off"),
        (b"RIFF\x04\0\0\0WEBP", "empty"),
        (b"RIFF\x09\0\0\0WEBPVP8 \xff", "cut off"),
        (built(*[(b"abcd", b"")] * 100_001), "more than 100000"),
    ],
    ids=["picture", "padding", "empty", "header", "count"],
)
def test_damage_is_reported_on_reading_and_refused_on_writing(
    content: bytes, problem: str
) -> None:
    assert problem in webp.read_carriers(content).problems[0]
    with pytest.raises(DamagedMedia, match=problem):
        webp.replace_xmp(content, b"new")


@pytest.mark.parametrize(
    "chunks",
    [
        [HEAD],
        [(b"VP8 ", b"short")],
        [(b"VP8 ", b"abc" + b"\x9d\x01\x2a" + bytes(4))],
        [(b"VP8L", b"no signature")],
        [(b"ANMF", b"without a head")],
    ],
)
def test_file_without_a_picture_is_refused(chunks: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(DamagedMedia, match="picture"):
        webp.replace_xmp(built(*chunks), b"new")


def test_label_behind_the_end_is_mentioned() -> None:
    problems = webp.read_carriers(built(PICTURE, tail=LABEL)).problems
    assert "after the end" in problems[0]
