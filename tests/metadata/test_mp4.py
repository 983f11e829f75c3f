from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MetadataError
from synthmark.labeling.metadata import boxes, mp4, xmp
from synthmark.labeling.metadata.parts import copy

LABEL = '{"Label":"1","ContentProducer":"p","ProduceID":"7"}'
OLD = b'{"AIGC":{"Label":"1","ContentProducer":"old","ProduceID":"1"}}'
SAMPLES = bytes(range(200))


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def data(value: bytes, kind: int = 1) -> bytes:
    return box(b"data", struct.pack(">II", kind, 0), value)


def meta(handler: bytes, *parts: bytes, version: bytes = bytes(4)) -> bytes:
    return box(b"meta", version, box(b"hdlr", bytes(8), handler, bytes(13)), *parts)


def mdta(*items: tuple[bytes, bytes], version: bytes = bytes(4)) -> bytes:
    keys = b"".join(box(b"mdta", key) for key, _ in items)
    values = (
        box(index.to_bytes(4), data(value))
        for index, (_, value) in enumerate(items, start=1)
    )
    return meta(
        b"mdta",
        box(b"keys", bytes(4), len(items).to_bytes(4), keys),
        box(b"ilst", *values),
        version=version,
    )


def mdir(*items: bytes) -> bytes:
    return meta(b"mdir", box(b"ilst", box(b"\xa9nam", data(b"title")), *items))


def freeform(name: bytes, value: bytes) -> bytes:
    mean = box(b"mean", bytes(4), b"com.apple.iTunes")
    return box(b"----", mean, box(b"name", bytes(4), name), data(value))


def offsets(*values: int, wide: bool = False) -> bytes:
    form = "Q" if wide else "I"
    packed = struct.pack(f">II{len(values)}{form}", 0, len(values), *values)
    return box(b"co64" if wide else b"stco", packed)


def track(table: bytes) -> bytes:
    return box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table))))


def file_of(*parts: bytes) -> io.BytesIO:
    return io.BytesIO(box(b"ftyp", b"M4A \0\0\0\0") + b"".join(parts))


def movie(
    *parts: bytes, front: bool = True, wide: bool = False, behind: bytes = b""
) -> io.BytesIO:
    """Return a file with two chunks of samples and an index."""
    empty = box(b"moov", track(offsets(0, 0, wide=wide)), *parts)
    start = 16 + (len(empty) if front else 0) + 8
    moov = box(b"moov", track(offsets(start, start + 100, wide=wide)), *parts)
    samples = box(b"mdat", SAMPLES)
    return file_of(*((moov, samples) if front else (samples, moov)), behind)


def edited(file: io.BytesIO, original: io.BytesIO | None = None) -> io.BytesIO:
    target = io.BytesIO()
    copy(file, mp4.edit(file, LABEL, original), target)
    return target


def texts(file: io.BytesIO) -> list[bytes]:
    survey = mp4.survey(file)
    assert not survey.problems
    return [carrier.content for carrier in survey.carriers]


def chunks(file: io.BytesIO) -> list[bytes]:
    """Return what the index points to."""
    content = file.getvalue()
    wide = b"co64" in content
    place = content.index(b"co64" if wide else b"stco") + 12
    found = struct.unpack_from(">2Q" if wide else ">2I", content, place)
    return [content[start : start + 100] for start in found]


@pytest.mark.parametrize("front", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_the_index_points_to_the_samples_wherever_they_go(
    front: bool, wide: bool
) -> None:
    file = movie(box(b"udta", mdir()), front=front, wide=wide)
    written = edited(edited(file))
    assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]
    assert texts(written) == [LABEL.encode()]
    assert mdir() in written.getvalue()


def test_the_key_is_added_to_keys_that_are_there() -> None:
    file = movie(box(b"udta", mdta((b"title", b"a"), (b"AIGC", OLD))))
    assert texts(file) == [OLD]
    assert mdta((b"title", b"a"), (b"AIGC", LABEL.encode())) in edited(file).getvalue()
    file = movie(box(b"udta", mdta((b"title", b"a"))))
    assert mdta((b"title", b"a"), (b"AIGC", LABEL.encode())) in edited(file).getvalue()


DIALECTS = {
    "key in moov.meta": mdta((b"AIGC", OLD)),
    "QuickTime's meta": mdta((b"AIGC", OLD), version=b""),
    "named key": box(b"udta", mdta((b"com.maker.AIGC", OLD))),
    "item without keys": box(b"udta", mdir(box(b"AIGC", data(OLD)))),
    "freeform": box(b"udta", mdir(freeform(b"AIGC", OLD))),
    "in user data": box(b"udta", box(b"AIGC", OLD), bytes(4)),
    "of a track": box(b"trak", box(b"udta", mdta((b"AIGC", OLD)))),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_labels_at_other_places_are_found_and_replaced(name: str) -> None:
    file = movie(DIALECTS[name])
    assert texts(file) == [OLD]
    written = edited(file)
    assert texts(written) == [LABEL.encode()]
    assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]


def test_labels_in_xmp_go_and_the_samples_behind_are_found() -> None:
    packet = xmp.edit(None, OLD.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    uuid = box(b"uuid", mp4.XMP_UUID, packet)
    for front in (True, False):
        written = edited(movie(front=front, behind=uuid))
        first, second = mp4.survey(written).carriers
        assert {first.place, second.place} == {"mdta key AIGC", "XMP"}
        kept = next(c for c in (first, second) if c.place == "XMP")
        assert not xmp.read(kept.content).labels
        assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]


def test_utf16_values_are_read() -> None:
    value = box(b"AIGC", data(OLD.decode().encode("utf-16-be"), kind=2))
    assert texts(movie(box(b"udta", mdir(value)))) == [OLD]


def test_an_index_without_room_goes_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    file = movie(box(b"udta", mdir()))
    monkeypatch.setattr(boxes, "_FOUR_BYTES", 300)
    written = edited(file)
    kinds = [found.kind for found in boxes.boxes(written)[0]]
    assert kinds == [b"ftyp", b"free", b"mdat", b"moov"]
    assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]
    assert texts(written) == [LABEL.encode()]


def fragmented(index_bytes: int) -> io.BytesIO:
    """Return a file of fragments with absolute positions, and a table of them."""
    moov = box(b"moov", box(b"mvex"))
    place = 16 + len(moov)
    head = box(
        b"moof",
        box(b"traf", box(b"tfhd", struct.pack(">IIQ", 1, 1, place + 8))),
    )
    form = ">IIIIQQBBB" if index_bytes == 8 else ">IIIIIIBBB"
    version = 1 << 24 if index_bytes == 8 else 0
    table = struct.pack(form, version, 1, 0, 1, 0, place, 1, 1, 1)
    tail = box(b"mfra", box(b"tfra", table), box(b"mfro", bytes(8)))
    return file_of(moov, head, box(b"mdat", SAMPLES), tail)


@pytest.mark.parametrize("width", [4, 8])
def test_fragments_are_moved(width: int) -> None:
    written = edited(fragmented(width)).getvalue()
    place = written.index(b"moof") - 4
    start = written.index(b"tfhd") + 12
    assert int.from_bytes(written[start : start + 8]) == place + 8
    start = written.index(b"tfra") + 20 + width
    assert int.from_bytes(written[start : start + width]) == place


def test_fragments_that_cannot_be_moved_are_refused() -> None:
    file = fragmented(4)
    content = bytearray(file.getvalue())
    start = content.index(b"tfra") + 24
    content[start : start + 4] = b"\xff" * 4
    with pytest.raises(MetadataError):
        mp4.edit(io.BytesIO(content), LABEL)


def test_user_data_of_the_original_come_along() -> None:
    file = movie(box(b"udta", mdta((b"title", b"new"))))
    chapters = box(b"chpl", b"chapters")
    gapless = freeform(b"iTunSMPB", b" 00000000 00000840")
    rating = freeform(b"rating", b"5")
    original = movie(
        box(b"udta", mdir(gapless, rating, freeform(b"AIGC", OLD)), chapters),
        behind=box(b"uuid", b"\xd8\xfe\xc3\xd6" * 4, b"manifest"),
    )
    written = edited(file, original)
    assert texts(written) == [LABEL.encode()]
    content = written.getvalue()
    for kept in (box(b"\xa9nam", data(b"title")), rating, chapters):
        assert kept in content
    for left in (b"iTunSMPB", b"manifest", b"old", b"new"):
        assert left not in content
    assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]


def test_chapters_are_those_of_the_new_file() -> None:
    old, new = box(b"chpl", b"old chapters"), box(b"chpl", b"new chapters")
    for users in (box(b"udta", old, mdir()), b""):
        content = edited(movie(box(b"udta", new)), movie(users)).getvalue()
        assert new in content
        assert old not in content
        assert (mdir() in content) == bool(users)


def test_xmp_of_the_original_takes_the_place_of_the_one_there() -> None:
    def packet(value: str) -> bytes:
        edited = xmp.edit(None, OLD.decode(), xmp.SOURCE_TYPES + value)
        return box(b"uuid", mp4.XMP_UUID, edited)

    table = box(b"mfra", box(b"mfro", bytes(8)))
    file = movie(behind=packet("algorithmicMedia") + table)
    written = edited(file, movie(behind=packet("humanEdits")))
    content = written.getvalue()
    assert b"humanEdits" in content
    assert b"algorithmicMedia" not in content
    assert content.endswith(table)
    assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]


def index_of_pictures(place: int) -> bytes:
    extents = struct.pack(">IBBHHHHII", 0, 0x44, 0, 1, 1, 0, 1, place, 5)
    return meta(b"pict", box(b"iloc", extents))


STAYING = {
    "pictures in the index": (index_of_pictures(9), b""),
    "pictures in the file": (b"", index_of_pictures(9)),
    "a compressed index": (box(b"cmov", b"zlib"), b""),
    "samples elsewhere": (
        box(
            b"trak",
            box(
                b"mdia",
                box(
                    b"minf",
                    box(
                        b"dinf",
                        box(
                            b"dref",
                            bytes(4),
                            bytes([0, 0, 0, 1]),
                            box(b"url ", bytes(4)),
                        ),
                    ),
                    box(b"stbl", offsets(40, 50)),
                ),
            ),
        ),
        b"",
    ),
}


@pytest.mark.parametrize("name", STAYING)
def test_what_cannot_be_moved_stays(name: str) -> None:
    inside, behind = STAYING[name]
    file = movie(inside, behind=behind)
    written = edited(file)
    assert texts(written) == [LABEL.encode()]
    start = file.getvalue().index(b"mdat")
    assert written.getvalue().index(b"mdat") == start
    assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]
    found = [part.kind for part in boxes.boxes(written)[0]]
    assert found.index(b"moov") > found.index(b"mdat")


def test_positions_of_auxiliary_data_are_moved() -> None:
    for wide in (False, True):
        for typed in (False, True):
            table = struct.pack(">I", wide << 24 | typed)
            table += b"cencabcd" * typed + struct.pack(">I", 1)
            place = struct.pack(">Q" if wide else ">I", 9_999)
            moved = struct.pack(">Q" if wide else ">I", 9_999 + 60)
            saio = box(b"saio", table + place)
            file = io.BytesIO(box(b"moov", track(saio)))
            (whole,), _ = boxes.boxes(file)
            root = boxes.parse(file, whole)
            assert boxes.move_positions(root, lambda position: position + 60)
            assert root.pack() == box(b"moov", track(box(b"saio", table + moved)))


def test_an_open_last_box_is_closed_before_others_follow() -> None:
    file = movie(box(b"udta", mdir()))
    content = file.getvalue()
    start = content.index(b"mdat") - 4
    opened = io.BytesIO(content[:start] + bytes(4) + content[start + 4 :])
    assert chunks(edited(opened)) == [SAMPLES[:100], SAMPLES[100:]]
    packet = xmp.edit(None, OLD.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    other = movie(behind=box(b"uuid", mp4.XMP_UUID, packet))
    written = edited(opened, other)
    kinds = [part.kind for part in boxes.boxes(written)[0]]
    assert kinds == [b"ftyp", b"moov", b"mdat", b"uuid"]
    assert chunks(written) == [SAMPLES[:100], SAMPLES[100:]]


def test_an_index_of_segments_in_front_of_the_index_is_not_made_wrong() -> None:
    sidx = box(b"sidx", bytes(24))
    fragment = box(b"moof", box(b"traf")) + box(b"mdat", SAMPLES)
    moov = box(b"moov", box(b"mvex"))
    assert texts(edited(file_of(moov, sidx, fragment))) == [LABEL.encode()]
    with pytest.raises(MetadataError):
        mp4.edit(file_of(sidx, moov, fragment), LABEL)


def test_zeros_behind_the_last_box_do_no_harm() -> None:
    file = io.BytesIO(movie().getvalue() + bytes(5))
    assert texts(edited(file)) == [LABEL.encode()]


def test_large_and_open_boxes_are_walked() -> None:
    wide = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"12345"
    last = struct.pack(">I4s", 0, b"mdat") + b"123"
    found, problem = boxes.boxes(file_of(wide, box(b"moov"), last))
    assert not problem
    assert [(b.kind, b.stop - b.inside) for b in found[1:]] == [
        (b"mdat", 5),
        (b"moov", 0),
        (b"mdat", 3),
    ]


@pytest.mark.parametrize(
    "file",
    [
        file_of(),
        file_of(box(b"moov"), box(b"moov")),
        file_of(box(b"moov"), b"\0\0\0\x99mdat"),
        file_of(box(b"moov", b"\0\0\0\x99trak")),
    ],
)
def test_damaged_files_are_not_written(file: io.BytesIO) -> None:
    mp4.survey(file)
    with pytest.raises(DamagedMedia):
        mp4.edit(file, LABEL)


@given(st.binary(max_size=100), st.sampled_from([b"moov", b"meta", b"udta", b"uuid"]))
def test_nothing_makes_the_reader_fail(content: bytes, kind: bytes) -> None:
    mp4.survey(io.BytesIO(content))
    mp4.survey(file_of(box(kind, content)))
    mp4.survey(movie(box(b"udta", meta(b"mdta", box(b"keys", content), content))))
