"""Hand-made FLV files: what the metadata say about places in the file stays true."""

from __future__ import annotations

import io
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MediaError, MetadataError
from synthmark.labeling.metadata import amf, flv, xmp
from synthmark.labeling.metadata.carrier import MAX_CARRIERS, Kind
from synthmark.labeling.metadata.parts import copy

LABEL = '{"Label":"1","ContentProducer":"p","ProduceID":"7"}'
OLD = b'{"AIGC":{"Label":"1","ContentProducer":"old","ProduceID":"1"}}'
FRAMES = b"\x17first", b"\x27second", b"\x17third"
END = b"\0\0\x09"


def tag(kind: int, data: bytes, time_ms: int = 1) -> bytes:
    head = bytes([kind]) + len(data).to_bytes(3) + time_ms.to_bytes(3) + bytes(4)
    return head + data + (11 + len(data)).to_bytes(4)


def string(text: bytes) -> bytes:
    return b"\2" + len(text).to_bytes(2) + text


def number(value: float) -> bytes:
    return b"\0" + struct.pack(">d", value)


def listed(*values: bytes) -> bytes:
    return b"\x0a" + len(values).to_bytes(4) + b"".join(values)


def properties(**values: bytes) -> bytes:
    return b"".join(
        len(name).to_bytes(2) + name.encode() + value for name, value in values.items()
    )


def fields(**values: bytes) -> bytes:
    return b"\x08" + len(values).to_bytes(4) + properties(**values) + END


def metadata(name: bytes = b"onMetaData", /, **values: bytes) -> bytes:
    return tag(18, string(name) + fields(**values))


def file_of(*tags: bytes) -> io.BytesIO:
    return io.BytesIO(b"FLV\1\5\0\0\0\x09" + bytes(4) + b"".join(tags))


def movie(*front: bytes, behind: bytes = b"", **values: bytes) -> io.BytesIO:
    """Return a file that states its length and where its key frames are."""
    frames = [tag(9, frame) for frame in FRAMES]
    size, places = 0, [0, 0]
    for _ in range(2):
        times = listed(*(number(n) for n in range(2)))
        index = properties(filepositions=listed(*map(number, places)), times=times)
        first = metadata(
            duration=number(3),
            keyframes=b"\3" + index + END,
            filesize=number(size),
            lastkeyframelocation=number(places[1]),
            **values,
        )
        file = file_of(*front, first, *frames, behind)
        content = file.getvalue()
        size, places = (
            len(content),
            [content.index(frames[0]), content.index(frames[2])],
        )
    return file


def edited(file: io.BytesIO, original: io.BytesIO | None = None) -> io.BytesIO:
    target = io.BytesIO()
    copy(file, flv.edit(file, LABEL, original), target)
    return target


def texts(file: io.BytesIO) -> list[bytes]:
    survey = flv.survey(file)
    assert not survey.problems
    return [carrier.content for carrier in survey.carriers]


def taken_apart(file: io.BytesIO) -> list[tuple[int, bytes]]:
    """Return the tags of a file, whose lengths must agree."""
    content = file.getvalue()
    found, position = [], 13
    while position < len(content):
        size = int.from_bytes(content[position + 1 : position + 4])
        stop = position + 11 + size
        assert int.from_bytes(content[stop : stop + 4]) == 11 + size
        found.append((content[position], content[position + 11 : stop]))
        position = stop + 4
    return found


def check_positions(file: io.BytesIO) -> None:
    content = file.getvalue()
    first, last = (content.index(tag(9, FRAMES[n])) for n in (0, 2))
    assert listed(number(first), number(last)) in content
    assert properties(lastkeyframelocation=number(last)) in content
    assert properties(filesize=number(len(content))) in content


def test_the_label_is_added_and_what_points_to_frames_moves() -> None:
    file = movie(title=string("海".encode()))
    check_positions(file)
    for _ in range(2):
        file = edited(file)
        check_positions(file)
        assert texts(file) == [LABEL.encode()]
        kinds = taken_apart(file)
        assert [data for kind, data in kinds if kind == 9] == list(FRAMES)
        assert properties(title=string("海".encode())) in kinds[0][1]
        # The number of properties is stated too.
        assert kinds[0][1][13:18] == b"\x08\0\0\0\6"


def test_labels_in_other_forms_and_places_are_found_and_replaced() -> None:
    escaped = OLD.replace(b'"', b"&quot;")
    script = tag(
        18,
        string(b"@setDataFrame")
        + string(b"onMetaData")
        + b"\3"
        + properties(AIGC=string(OLD))
        + END,
    )
    cue = metadata(b"onCuePoint", name=string(b"x"), comAIGC=string(escaped))
    long = b"\x0c" + len(OLD).to_bytes(4) + OLD
    file = movie(cue, behind=script, AIGC=long)
    assert texts(file) == [escaped, OLD, OLD]
    written = edited(file)
    check_positions(written)
    assert texts(written) == [LABEL.encode()]
    assert b"old" not in written.getvalue()
    assert metadata(b"onCuePoint", name=string(b"x")) in written.getvalue()


def test_a_file_without_metadata_gets_some() -> None:
    frames = [tag(9, frame) for frame in FRAMES]
    written = edited(file_of(*frames))
    label = tag(18, string(b"onMetaData") + fields(AIGC=string(LABEL.encode())), 0)
    assert written.getvalue() == file_of(label, *frames).getvalue()


def test_metadata_without_an_end_are_ended() -> None:
    broken = tag(18, string(b"onMetaData") + b"\x08\0\0\0\0" + properties(a=number(1)))
    written = edited(file_of(broken, tag(9, FRAMES[0])))
    whole = string(b"onMetaData") + b"\x08\0\0\0\1"
    whole += properties(a=number(1), AIGC=string(LABEL.encode())) + END
    assert taken_apart(written)[0] == (18, whole)


def test_xmp_stays_without_its_labels() -> None:
    packet = xmp.edit(None, OLD.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    file = movie(behind=metadata(b"onXMPData", liveXML=string(packet)))
    (carrier,) = flv.survey(file).carriers
    assert carrier.kind is Kind.XMP
    written = edited(file)
    check_positions(written)
    label, kept = flv.survey(written).carriers
    assert label.content == LABEL.encode()
    assert xmp.read(kept.content).labels == ()
    assert xmp.read(kept.content).source_types == (xmp.TRAINED_ALGORITHMIC_MEDIA,)


def test_texts_and_xmp_of_the_original_come_along() -> None:
    packet = xmp.edit(None, OLD.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    original = file_of(
        metadata(title=string(b"a"), artist=string(b"b"), width=number(1)),
        metadata(b"onXMPData", liveXML=string(packet)),
        metadata(AIGC=string(OLD)),
    )
    written = edited(movie(title=string(b"new")), original)
    check_positions(written)
    first = taken_apart(written)[0][1]
    for kept in (properties(title=string(b"new")), properties(artist=string(b"b"))):
        assert kept in first
    assert b"width" not in first
    text, carrier = flv.survey(written).carriers
    assert text.content == LABEL.encode()
    assert xmp.read(carrier.content).labels == ()
    again = edited(written, original)
    assert len(taken_apart(again)) == len(taken_apart(written))


def test_damaged_files_are_read_as_far_as_they_go_and_not_written() -> None:
    content = movie(AIGC=string(OLD)).getvalue()[:-9]
    survey = flv.survey(io.BytesIO(content))
    assert [carrier.content for carrier in survey.carriers] == [OLD]
    assert survey.problems
    with pytest.raises(DamagedMedia):
        flv.edit(io.BytesIO(content), LABEL)


def test_a_label_that_does_not_fit_is_refused() -> None:
    file = file_of(metadata(a=b"\x0c\0\xff\xff\xc0" + bytes(0xFFFFC0)))
    with pytest.raises(MetadataError):
        flv.edit(file, LABEL)


def test_many_labels_are_counted_not_read() -> None:
    survey = flv.survey(file_of(*[metadata(AIGC=string(OLD))] * 50))
    assert len(survey.carriers) == MAX_CARRIERS
    assert survey.problems
    assert not survey.complete


NAMED = string(b"onMetaData") + b"\x08\0\0\0\0"
HOSTILE = {
    "nested deep": tag(18, NAMED + b"\0\4AIGC\3" * 5000),
    "lists in lists": tag(18, NAMED + b"\0\4AIGC" + b"\x0a\0\0\0\1" * 5000),
    "a long list": tag(18, NAMED + b"\0\4AIGC\x0a\xff\xff\xff\xff" + bytes([5]) * 99),
    "many values": tag(18, NAMED + b"\0\4AIGC\x0a\0\x20\0\0" + bytes([5]) * (1 << 21)),
    "cut off": tag(18, NAMED + b"\0\4AIGC\2\xff\xff"),
    "unknown": tag(18, NAMED + b"\0\4AIGC\x11\1"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metadata_are_told_in_time(name: str) -> None:
    file = file_of(*[HOSTILE[name]] * 3)
    start = time.process_time()
    assert flv.survey(file).problems
    with pytest.raises(MediaError):
        flv.edit(file, LABEL)
    assert time.process_time() - start < 5


def test_tags_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert flv.survey(file_of(bytes(15) * 300_000)).problems
    monkeypatch.setattr(flv, "MAX_METADATA_BYTES", 100)
    assert flv.survey(movie()).problems


@given(st.binary(max_size=12), st.integers(9, 420))
def test_nothing_makes_it_fail(content: bytes, place: int) -> None:
    whole = movie(AIGC=string(OLD)).getvalue()
    file = io.BytesIO(whole[:place] + content + whole[place + len(content) :])
    flv.survey(file)
    try:
        written = edited(file)
    except (MediaError, MetadataError):
        return
    flv.survey(written)


@given(st.binary(max_size=60))
def test_any_script_is_taken_apart(content: bytes) -> None:
    amf.parse(content, [1000])
    again = amf.parse(string(b"onMetaData") + b"\3" + content, [1000])
    if not again.problem:
        packed = amf.parse(again.pack(), [1000])
        assert not packed.problem
        assert [item.value for item in packed.properties] == [
            item.value for item in again.properties
        ]
