"""Vorbis comments, in FLAC blocks and on Ogg pages."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MetadataError
from synthmark.labeling.metadata import aigc, id3, ogg, vorbis
from synthmark.labeling.metadata.carrier import Survey
from synthmark.labeling.metadata.parts import copy

LABEL = '{"Label":"1","ContentProducer":"p","ProduceID":"7"}'
OLD = b'{"AIGC":{"Label":"1","ContentProducer":"old","ProduceID":"1"}}'
NEW_FIELD = b"AIGC=" + LABEL.encode()
STREAMINFO = 0, bytes(34)
FRAMES = b"\xff\xf8 frames"


def listed(*fields: bytes, vendor: bytes = b"maker") -> bytes:
    parts = [vendor, None, *fields]
    made = b""
    for part in parts:
        number = len(fields) if part is None else len(part)
        made += number.to_bytes(4, "little") + (part or b"")
    return made


def flac(*blocks: tuple[int, bytes], head: bytes = b"") -> bytes:
    made = head + b"fLaC"
    for index, (kind, content) in enumerate(blocks):
        last = 0x80 if index == len(blocks) - 1 else 0
        made += bytes([kind | last]) + len(content).to_bytes(3) + content
    return made + FRAMES


def blocks_of(content: bytes) -> list[tuple[int, bytes]]:
    position, found, last = content.index(b"fLaC") + 4, [], False
    while not last:
        size = int.from_bytes(content[position + 1 : position + 4])
        body = content[position + 4 : position + 4 + size]
        found.append((content[position] & 127, body))
        last = content[position] > 127
        position += 4 + size
    assert content[position:] == FRAMES
    return found


def edited(module: object, content: bytes, original: bytes | None = None) -> bytes:
    target = io.BytesIO()
    other = None if original is None else io.BytesIO(original)
    parts = module.edit(io.BytesIO(content), LABEL, other)  # type: ignore[attr-defined]
    copy(io.BytesIO(content), parts, target)
    return target.getvalue()


def texts(survey: Survey) -> list[bytes]:
    return [carrier.content for carrier in survey.carriers]


@given(st.lists(st.binary(max_size=40), max_size=5), st.binary(max_size=9))
def test_other_fields_stay_in_order(fields: list[bytes], rest: bytes) -> None:
    fields = [field for field in fields if field[:5].upper() != b"AIGC="]
    comment = listed(b"aigc=" + OLD, *fields, b"Aigc=x") + rest
    assert texts(vorbis.carriers(comment)) == [OLD, b"x"]
    assert vorbis.with_label(comment, LABEL) == listed(*fields, NEW_FIELD) + rest


@given(st.binary(max_size=60))
def test_broken_comments_are_reported(comment: bytes) -> None:
    survey = vorbis.carriers(comment)
    if survey.problems:
        with pytest.raises(DamagedMedia):
            vorbis.with_label(comment, LABEL)


def test_flac_blocks_stay_and_one_comment_holds_the_label() -> None:
    content = flac(
        STREAMINFO,
        (3, bytes(18)),
        (4, listed(b"TITLE=a", b"AIGC=" + OLD)),
        (6, b"picture"),
        (1, bytes(50)),
        head=id3.with_label(b"", OLD.decode()),
    )
    assert len(vorbis.survey(io.BytesIO(content)).carriers) == 2
    written = edited(vorbis, content)
    assert texts(vorbis.survey(io.BytesIO(written))) == [LABEL.encode()]
    assert blocks_of(written) == [
        STREAMINFO,
        (3, bytes(18)),
        (4, listed(b"TITLE=a", NEW_FIELD)),
        (6, b"picture"),
        (1, bytes(50)),
    ]


def test_flac_without_comments_gets_some() -> None:
    written = edited(vorbis, flac(STREAMINFO, (1, b"")))
    expected = listed(NEW_FIELD, vendor=b"")
    assert blocks_of(written) == [STREAMINFO, (4, expected), (1, b"")]


def test_flac_takes_blocks_over_but_those_of_the_frames() -> None:
    content = flac(STREAMINFO, (4, listed(b"TITLE=new")))
    original = flac(
        (0, b"x" * 34), (3, b"y" * 18), (4, listed(b"TITLE=old")), (6, b"picture")
    )
    assert blocks_of(edited(vorbis, content, original)) == [
        STREAMINFO,
        (4, listed(b"TITLE=old", NEW_FIELD)),
        (6, b"picture"),
    ]


def test_flac_that_is_cut_off_or_full() -> None:
    content = flac(STREAMINFO, (4, listed(b"AIGC=" + OLD)))
    survey = vorbis.survey(io.BytesIO(content[:60]))
    assert survey.problems
    with pytest.raises(DamagedMedia):
        vorbis.edit(io.BytesIO(content[:60]), LABEL)
    full = flac(STREAMINFO, (4, listed(b"A" * ((1 << 24) - 30))))
    with pytest.raises(MetadataError):
        vorbis.edit(io.BytesIO(full), LABEL)


def checksum(page: bytes) -> int:
    """Return the checksum of RFC 3533, bit by bit."""
    value = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x104C11DB7 if value >> 31 else 0)
    return value


def page(number: int, *packets: bytes, serial: int = 5, flags: int = 0) -> bytes:
    lacing = b"".join(
        b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets
    )
    head = b"OggS\0" + bytes([flags]) + bytes(8) + serial.to_bytes(4, "little")
    head += number.to_bytes(4, "little") + bytes(4) + bytes([len(lacing)]) + lacing
    made = head + b"".join(packets)
    return made[:22] + checksum(made).to_bytes(4, "little") + made[26:]


def pages_of(content: bytes) -> list[bytes]:
    found, position = [], 0
    while position < len(content):
        assert content[position : position + 4] == b"OggS"
        count = content[position + 26]
        size = 27 + count + sum(content[position + 27 : position + 27 + count])
        found.append(content[position : position + size])
        position += size
    return found


KINDS = {
    "vorbis": (b"\x01vorbis", b"\x03vorbis", b"\x01", (b"\x05vorbis setup",)),
    "opus": (b"OpusHead", b"OpusTags", b"", ()),
    "flac": (b"\x7fFLAC\1\0\0\1", b"", b"", ()),
}


def commented(kind: str, *fields: bytes) -> bytes:
    _, prefix, end, _ = KINDS[kind]
    body = listed(*fields)
    if kind == "flac":
        prefix = b"\x84" + len(body).to_bytes(3)
    return prefix + body + end


def stream(kind: str, *fields: bytes) -> bytes:
    first, _, _, further = KINDS[kind]
    headers = page(1, commented(kind, *fields), *further)
    sound = [page(n, bytes([n]) * 400) for n in (2, 3)]
    return page(0, first, flags=2) + headers + b"".join(sound)


@pytest.mark.parametrize("kind", KINDS)
def test_ogg_pages_behind_the_headers_stay(kind: str) -> None:
    content = stream(kind, b"TITLE=a", b"AIGC=" + OLD)
    assert texts(ogg.survey(io.BytesIO(content))) == [OLD]
    written = edited(ogg, content)
    assert written == stream(kind, b"TITLE=a", NEW_FIELD)
    assert edited(ogg, written) == written


def filling(kind: str) -> bytes:
    """Return a comment with which the headers fill their page but for a few bytes."""
    size = 255 * (255 - len(KINDS[kind][3])) - 20
    return b"COVER=" + b"x" * (size - len(commented(kind, b"COVER=")))


@pytest.mark.parametrize("kind", KINDS)
def test_more_header_pages_shift_the_numbers_of_the_others(kind: str) -> None:
    content = stream(kind, filling(kind)) + page(7, b"of another stream", serial=6)
    written = edited(ogg, content)
    before, after = pages_of(content), pages_of(written)
    assert len(after) == len(before) + 1
    for index, made in enumerate(after):
        assert int.from_bytes(made[22:26], "little") == checksum(made)
        if index < len(after) - 1:
            assert int.from_bytes(made[18:22], "little") == index
    assert after[-1] == before[-1]
    assert [made[27:] for made in after[-3:-1]] == [made[27:] for made in before[-3:-1]]
    assert texts(ogg.survey(io.BytesIO(written))) == [LABEL.encode()]
    assert edited(ogg, written) == written


def test_a_broken_page_stays_broken_when_it_is_renumbered() -> None:
    content = bytearray(stream("opus", filling("opus")))
    content[-1] ^= 1
    last = pages_of(edited(ogg, bytes(content)))[-1]
    assert int.from_bytes(last[22:26], "little") != checksum(last)


def test_ogg_takes_the_comments_of_its_own_kind_over() -> None:
    content = stream("opus", b"TITLE=new")
    taken = edited(ogg, content, stream("opus", b"R128_TRACK_GAIN=-5"))
    assert taken == stream("opus", b"R128_TRACK_GAIN=-5", NEW_FIELD)
    kept = edited(ogg, content, stream("vorbis", b"TITLE=other"))
    assert kept == stream("opus", b"TITLE=new", NEW_FIELD)


@pytest.mark.parametrize("kind", KINDS)
def test_ogg_headers_that_are_cut_off_or_mixed_are_refused(kind: str) -> None:
    first, headers, *_ = pages_of(stream(kind, b"AIGC=" + OLD))
    other = page(0, b"\x80theora", serial=6, flags=2)
    for content in (first, first + headers[:-1], first + other + headers):
        assert ogg.survey(io.BytesIO(content)).problems
        with pytest.raises(DamagedMedia):
            ogg.edit(io.BytesIO(content), LABEL)


@given(st.binary(max_size=100))
def test_nothing_makes_the_readers_fail(content: bytes) -> None:
    ogg.survey(io.BytesIO(page(0, b"OpusHead", flags=2) + page(1, content)))
    ogg.survey(io.BytesIO(page(0, b"\x7fFLAC\1\0" + content[:99])))
    survey = vorbis.survey(io.BytesIO(b"fLaC" + content))
    assert all(aigc.parse(carrier.content) for carrier in survey.carriers)
