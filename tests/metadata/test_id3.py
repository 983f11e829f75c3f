from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia
from synthmark.labeling.metadata import aigc, id3, xmp
from synthmark.labeling.metadata.parts import copy

LABEL = '{"Label":"1","ContentProducer":"p","ProduceID":"7"}'
OLD = '{"AIGC":{"Label":"1","ContentProducer":"old","ProduceID":"1"}}'
SOUND = b"\xff\xfb\x90\x64" + bytes(200)
ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}


def safe(value: int) -> bytes:
    return bytes(value >> shift & 127 for shift in (21, 14, 7, 0))


def frame(name: bytes, body: bytes, version: int = 4, flags: bytes = b"\0\0") -> bytes:
    if version == 2:
        return name + len(body).to_bytes(3) + body
    size = safe(len(body)) if version == 4 else len(body).to_bytes(4)
    return name + size + flags + body


def tag(*frames: bytes, version: int = 4, flags: int = 0, padding: int = 20) -> bytes:
    body = b"".join(frames) + bytes(padding)
    return b"ID3" + bytes([version, 0, flags]) + safe(len(body)) + body


def text(value: str, encoding: int = 0, name: str = "AIGC") -> bytes:
    codec = ENCODINGS[encoding]
    end = b"\0\0" if encoding in (1, 2) else b"\0"
    return bytes([encoding]) + name.encode(codec) + end + value.encode(codec)


def texts(content: bytes) -> list[str]:
    carriers = id3.carriers(content).carriers
    return [aigc.decode(carrier.content) for carrier in carriers]


def edited(content: bytes, original: bytes | None = None) -> bytes:
    file, target = io.BytesIO(content), io.BytesIO()
    other = None if original is None else io.BytesIO(original)
    copy(file, id3.edit(file, LABEL, other), target)
    return target.getvalue()


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_label_is_read_in_every_version_and_encoding(
    version: int, encoding: int
) -> None:
    name = b"TXX" if version == 2 else b"TXXX"
    content = tag(
        frame(b"TT2" if version == 2 else b"TIT2", b"\0title", version),
        frame(name, text(OLD, encoding), version),
        version=version,
    )
    assert texts(content) == [OLD]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"TIT2", b"APIC", b"GEOB", b"CHAP", b"PRIV", b"TXXX"]),
            st.binary(min_size=1, max_size=300),
        ),
        max_size=6,
    ),
    st.sampled_from([3, 4]),
)
def test_other_frames_stay_byte_by_byte(
    frames: list[tuple[bytes, bytes]], version: int
) -> None:
    made = [frame(name, body, version) for name, body in frames]
    content = tag(*made, frame(b"TXXX", text(OLD), version), version=version)
    written = edited(content + SOUND)
    size = id3.tag_length(written)
    assert written[size:] == SOUND
    assert b"".join(made) in written[:size]
    assert texts(written[:size]) == [LABEL]
    assert edited(written) == written


def test_a_file_without_a_tag_gets_one() -> None:
    written = edited(SOUND)
    assert written.endswith(SOUND)
    assert texts(written[: -len(SOUND)]) == [LABEL]


def test_unsynchronised_tags_are_understood() -> None:
    picture = b"\0image/png\0\3\0\xff\xe0\xff\0\xff"
    body = frame(b"APIC", picture, 3) + frame(b"TXXX", text(OLD, 1), 3)
    content = tag(body.replace(b"\xff", b"\xff\0"), version=3, flags=0x80)
    assert texts(content) == [OLD]
    written = edited(content + SOUND)
    assert frame(b"APIC", picture, 3) in written
    assert written[5] == 0
    stretched = text(OLD, 1).replace(b"\xff", b"\xff\0")
    with_length = len(text(OLD, 1)).to_bytes(4) + stretched
    assert texts(tag(frame(b"TXXX", with_length, 4, b"\0\3"))) == [OLD]


def test_packed_and_locked_frames() -> None:
    packed = len(text(OLD)).to_bytes(4) + zlib.compress(text(OLD))
    assert texts(tag(frame(b"TXXX", packed, 4, b"\0\x09"))) == [OLD]
    assert texts(tag(frame(b"TXXX", packed, 3, b"\0\x80"), version=3)) == [OLD]
    bomb = bytes(4) + zlib.compress(bytes(1 << 22))
    for flags, body in ((b"\0\x09", bomb), (b"\0\x09", b"12345"), (b"\0\4", b"\0")):
        survey = id3.carriers(tag(frame(b"TXXX", body, 4, flags)))
        assert survey.problems
        assert not survey.carriers


def test_an_extended_header_is_passed_over() -> None:
    for version, extended in ((3, b"\0\0\0\6" + bytes(6)), (4, b"\0\0\0\6\1\0")):
        content = tag(
            extended, frame(b"TXXX", text(OLD), version), version=version, flags=0x40
        )
        assert texts(content) == [OLD]
        assert texts(id3.with_label(content, LABEL)) == [LABEL]


def test_lengths_by_the_version_before_are_understood() -> None:
    picture = b"APIC" + (300).to_bytes(4) + bytes(2) + b"p" * 300
    content = tag(picture, frame(b"TXXX", text(OLD)))
    assert texts(content) == [OLD]
    assert picture in id3.with_label(content, LABEL)


def test_every_tag_in_a_row_is_read_and_one_keeps_the_label() -> None:
    first, second = tag(frame(b"TIT2", b"\0a")), tag(frame(b"TXXX", text(OLD)))
    content = first + second + SOUND
    assert len(id3.survey(io.BytesIO(content)).carriers) == 1
    written = edited(content)
    assert len(id3.survey(io.BytesIO(written)).carriers) == 1
    assert b"old" not in written


def test_labels_in_xmp_go_and_the_packet_stays() -> None:
    packet = xmp.edit(None, OLD, xmp.TRAINED_ALGORITHMIC_MEDIA)
    content = tag(frame(b"PRIV", b"XMP\0" + packet), frame(b"PRIV", b"other\0data"))
    written = id3.with_label(content, LABEL)
    frames = id3.carriers(written).carriers
    assert [carrier.place for carrier in frames] == ["XMP in ID3", "ID3 TXXX frame"]
    properties = xmp.read(frames[0].content)
    assert not properties.labels
    assert properties.source_types == (xmp.TRAINED_ALGORITHMIC_MEDIA,)
    assert b"other\0data" in written


def test_tags_of_the_original_come_along_without_its_manifest() -> None:
    manifest = frame(b"GEOB", b"\0application/c2pa\0c2pa\0name\0manifest")
    old_end = b"TAG" + bytes(125)
    gain = b"items" + b"APETAGEX" + bytes(4) + (37).to_bytes(4, "little") + bytes(16)
    original = tag(frame(b"TIT2", b"\0a"), manifest, frame(b"TXXX", text(OLD)))
    written = edited(tag(frame(b"TIT2", b"\0b")) + SOUND, original + gain + old_end)
    size = id3.tag_length(written)
    assert written[size:] == SOUND + gain + old_end
    assert frame(b"TIT2", b"\0a") in written
    assert b"\0b" not in written[:size]
    assert b"manifest" not in written
    assert texts(written[:size]) == [LABEL]


def test_other_texts_that_mention_the_name_stay() -> None:
    content = tag(frame(b"TXXX", text("a note", name="no AIGC here")))
    assert not id3.carriers(content).carriers
    assert content[10:40] in id3.with_label(content, LABEL)


@pytest.mark.parametrize(
    "content",
    [
        tag(frame(b"TIT2", b"\0a"))[:-25],
        tag(b"TIT2\0\0\x7f\x7f\0\0\0"),
        tag(b"????" + bytes(8)),
    ],
)
def test_malformed_tags_are_reported_and_not_written(content: bytes) -> None:
    assert id3.carriers(content).problems
    with pytest.raises(DamagedMedia):
        id3.with_label(content, LABEL)


@given(st.binary(max_size=120), st.sampled_from([2, 3, 4]), st.integers(0, 255))
def test_nothing_makes_the_reader_fail(
    content: bytes, version: int, flags: int
) -> None:
    id3.carriers(tag(content, version=version, flags=flags))
    id3.survey(io.BytesIO(b"ID3" + bytes([version, 0, flags]) + content))
