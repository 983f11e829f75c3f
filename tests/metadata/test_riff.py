from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia
from synthmark.labeling.metadata import id3, riff, xmp
from synthmark.labeling.metadata.carrier import MAX_CARRIERS, Kind
from synthmark.labeling.metadata.parts import copy

LABEL = '{"Label":"1","ContentProducer":"p","ProduceID":"7"}'
OLD = b'{"AIGC":{"Label":"1","ContentProducer":"old","ProduceID":"1"}}'
FORMAT = b"fmt ", b"\1\0\1\0" + bytes(12)
SAMPLES = b"data", b"samples"
COMMON, SOUND = (b"COMM", bytes(18)), (b"SSND", b"sound")

names = st.sampled_from([b"LIST", b"bext", b"cue ", b"abcd"])
chunks = st.lists(st.tuples(names, st.binary(max_size=9)), max_size=4)


def built(
    *parts: tuple[bytes, bytes], kind: bytes = b"RIFF", form: bytes = b"WAVE"
) -> io.BytesIO:
    order = ">" if kind == b"FORM" else "<"
    body = form
    for name, data in parts:
        body += name + struct.pack(order + "I", len(data)) + data
        body += bytes(len(data) % 2)
    return io.BytesIO(kind + struct.pack(order + "I", len(body)) + body)


def aiff(*parts: tuple[bytes, bytes]) -> io.BytesIO:
    return built(*parts, kind=b"FORM", form=b"AIFF")


def edited(file: io.BytesIO, original: io.BytesIO | None = None) -> io.BytesIO:
    target = io.BytesIO()
    copy(file, riff.edit(file, LABEL, original), target)
    return target


def taken_apart(file: io.BytesIO) -> list[tuple[bytes, bytes]]:
    content = file.getvalue()
    order = ">" if content.startswith(b"FORM") else "<"
    assert struct.unpack(order + "I", content[4:8])[0] == len(content) - 8
    found, problem = riff.split(file, 12, len(content), order)
    assert not problem
    return [(chunk.name, chunk.data(file)) for chunk in found]


@given(chunks, chunks)
def test_other_chunks_stay_in_order(
    before: list[tuple[bytes, bytes]], after: list[tuple[bytes, bytes]]
) -> None:
    old = b"AIGC", OLD
    file = built(FORMAT, *before, old, SAMPLES, *after, old)
    label = b"AIGC", LABEL.encode()
    expected = [FORMAT, *before, label, SAMPLES, *after]
    assert taken_apart(edited(file)) == expected
    assert taken_apart(edited(edited(file))) == expected


def test_labels_at_other_places_are_found_and_go() -> None:
    info = b"INFO" + b"INAM\2\0\0\0a\0" + b"AIGC" + struct.pack("<I", len(OLD)) + OLD
    tag = id3.with_label(b"", OLD.decode())
    packet = xmp.edit(None, LABEL, None)
    file = built(FORMAT, (b"LIST", info), (b"id3 ", tag), SAMPLES, (b"_PMX", packet))
    survey = riff.survey(file)
    assert [carrier.kind for carrier in survey.carriers] == [
        Kind.TEXT,
        Kind.TEXT,
        Kind.XMP,
    ]
    assert not survey.problems
    found = taken_apart(edited(file))
    assert [name for name, _ in found] == [
        b"fmt ",
        b"LIST",
        b"id3 ",
        b"AIGC",
        b"data",
        b"_PMX",
    ]
    assert found[1][1] == b"INFO" + b"INAM\2\0\0\0a\0"
    assert b"ContentProducer" not in found[2][1] + found[5][1]


def test_aiff_gets_xmp_and_keeps_what_was_in_it() -> None:
    old = b"APPL", b"XMP " + xmp.edit(None, OLD.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    other = b"APPL", b"abcdefgh"
    found = taken_apart(edited(aiff(COMMON, old, other, SOUND, (b"NAME", b"a"))))
    assert [name for name, _ in found] == [b"COMM", b"APPL", b"APPL", b"SSND", b"NAME"]
    assert found[1] == other
    properties = xmp.read(found[2][1][4:])
    assert properties.labels == (LABEL,)
    assert properties.source_types == (xmp.TRAINED_ALGORITHMIC_MEDIA,)


def test_wide_files_state_their_new_length() -> None:
    lengths = struct.pack("<QQQI", 0, 7, 7, 0)
    data = b"data" + b"\xff" * 4 + b"samples\0"
    head = b"RF64" + b"\xff" * 4 + b"WAVE"
    parts = built((b"ds64", lengths), FORMAT).getvalue()[12:]
    content = edited(io.BytesIO(head + parts + data)).getvalue()
    assert content[:8] == b"RF64" + b"\xff" * 4
    assert struct.unpack("<Q", content[20:28])[0] == len(content) - 8
    assert content.endswith(data)
    (carrier,) = riff.survey(io.BytesIO(content)).carriers
    assert carrier.content == LABEL.encode()


def test_a_stream_without_length_can_be_labeled() -> None:
    content = built(FORMAT).getvalue() + b"data" + b"\xff" * 4 + b"samples!"
    file = edited(io.BytesIO(content))
    assert file.getvalue().endswith(b"data" + b"\xff" * 4 + b"samples!")
    assert len(riff.survey(file).carriers) == 1


def test_chunks_of_the_original_take_the_place_of_those_there() -> None:
    file = built(FORMAT, (b"LIST", b"INFOnew "), SAMPLES)
    original = built(
        (b"fmt ", b"other" * 4),
        (b"bext", b"b"),
        (b"AIGC", OLD),
        (b"data", b"x" * 99),
        (b"C2PA", b"manifest"),
        (b"LIST", b"INFOold "),
    )
    assert taken_apart(edited(file, original)) == [
        FORMAT,
        (b"AIGC", LABEL.encode()),
        SAMPLES,
        (b"bext", b"b"),
        (b"LIST", b"INFOold "),
    ]


def test_an_original_of_the_other_kind_is_left_alone() -> None:
    original = aiff(COMMON, SOUND, (b"NAME", b"a"))
    found = taken_apart(edited(built(FORMAT, SAMPLES), original))
    assert [name for name, _ in found] == [b"fmt ", b"AIGC", b"data"]


def test_damaged_files_are_read_as_far_as_they_go_and_not_written() -> None:
    content = built(FORMAT, (b"AIGC", OLD), (b"data", bytes(99))).getvalue()
    for file in (io.BytesIO(content[:-9]), built(FORMAT, (b"AIGC", OLD))):
        assert len(riff.survey(file).carriers) == 1
        with pytest.raises(DamagedMedia):
            riff.edit(file, LABEL)
    assert riff.survey(io.BytesIO(content[:-9])).problems


def test_many_labels_are_counted_not_read() -> None:
    file = built(FORMAT, *[(b"AIGC", OLD)] * 50, SAMPLES)
    survey = riff.survey(file)
    assert len(survey.carriers) == MAX_CARRIERS
    assert survey.problems
    assert not survey.complete


@given(st.binary(max_size=200))
def test_nothing_makes_the_reader_fail(content: bytes) -> None:
    for head in (b"RIFF\0\0\0\0WAVE", b"FORM\0\0\0\0AIFF"):
        riff.survey(io.BytesIO(head + content))
