"""Hand-made AVI files: whatever points to frames still does."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MetadataError
from synthmark.labeling.metadata import avi, riff, xmp
from synthmark.labeling.metadata.carrier import Kind
from synthmark.labeling.metadata.parts import copy

LABEL = '{"Label":"1","ContentProducer":"p","ProduceID":"7"}'
OLD = b'{"AIGC":{"Label":"1","ContentProducer":"old","ProduceID":"1"}}'
FRAMES = b"first", b"second!!"


def chunk(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def info(*parts: bytes) -> bytes:
    return chunk(b"LIST", b"INFO", *parts)


def index_of(kind: int, *parts: bytes, count: int, base: int = 0) -> bytes:
    """Return the data of an OpenDML index: of indexes (0) or of chunks (1)."""
    head = struct.pack("<HBBI4sQI", 4 - 2 * kind, 0, kind, count, b"00dc", base, 0)
    return head + b"".join(parts)


@dataclass
class Movie:
    """An AVI file of two frames, the second one in a continuation, and its indexes."""

    front: bytes = b""
    behind: bytes = b""
    absolute: bool = False
    own_index: bool = False
    bad_index: bool = False

    def file(self) -> io.BytesIO:
        first, second = (chunk(b"00dc", frame) for frame in FRAMES)
        places = [0, 0]
        for _ in range(2):  # the second time with the places of the first
            content = self.built(places, first, second)
            places = [content.index(first), content.index(second)]
        return io.BytesIO(content)

    def built(self, places: list[int], first: bytes, second: bytes) -> bytes:
        leaves = [
            chunk(b"ix00", index_of(1, struct.pack("<II", 8, 5), count=1, base=place))
            for place in places
        ]
        # The index stands right behind its frame.
        spots = places[0] + len(first), places[1] + len(second)
        spots = (5, 5) if self.bad_index else spots
        entries = [struct.pack("<QII", spot, len(leaves[0]), 1) for spot in spots]
        root = index_of(0, *entries, bytes(16), count=3)
        if self.own_index:
            entry = struct.pack("<II", places[0] + 8, 5)
            root = index_of(1, entry, count=1, base=0)
        header = chunk(
            b"LIST",
            b"hdrl",
            chunk(b"avih", bytes(56)),
            chunk(b"LIST", b"strl", chunk(b"strh", bytes(56)), chunk(b"indx", root)),
        )
        start = places[0] if self.absolute else 4
        old = chunk(b"idx1", struct.pack("<4sIII", b"00dc", 16, start, 5))
        frames = chunk(b"LIST", b"movi", first, leaves[0])
        body = b"AVI " + header + self.front + frames + old + self.behind
        more = b"AVIX" + chunk(b"LIST", b"movi", second, leaves[1])
        return chunk(b"RIFF", body) + chunk(b"RIFF", more)


def edited(file: io.BytesIO, original: io.BytesIO | None = None) -> io.BytesIO:
    target = io.BytesIO()
    copy(file, avi.edit(file, LABEL, original), target)
    return target


def texts(file: io.BytesIO) -> list[bytes]:
    survey = avi.survey(file)
    assert not survey.problems
    return [carrier.content for carrier in survey.carriers]


def check_positions(movie: Movie, file: io.BytesIO) -> None:
    """Follow every index of a file to its frames."""
    content = file.getvalue()
    first, second = (chunk(b"00dc", frame) for frame in FRAMES)
    places = content.index(first), content.index(second)
    outer = content.rindex(b"RIFF")
    assert struct.unpack_from("<I", content, 4)[0] == outer - 8
    assert struct.unpack_from("<I", content, outer + 4)[0] == len(content) - outer - 8
    root = content.index(b"indx") + 8
    if movie.own_index:
        base = struct.unpack_from("<Q", content, root + 12)[0]
        offset = struct.unpack_from("<I", content, root + 24)[0]
        assert base + offset == places[0] + 8
    else:
        for number, place in enumerate(places):
            (leaf,) = struct.unpack_from("<Q", content, root + 24 + 16 * number)
            assert content[leaf : leaf + 4] == b"ix00"
            assert struct.unpack_from("<Q", content, leaf + 20)[0] == place
        assert not any(content[root + 56 : root + 64])
    (old,) = struct.unpack_from("<I", content, content.index(b"idx1") + 16)
    assert old == (places[0] if movie.absolute else 4)


MOVIES = {
    "no room": Movie(),
    "room": Movie(front=chunk(b"JUNK", bytes(400))),
    "two bytes too many": Movie(front=chunk(b"JUNK", bytes(64))),
    "padding with a meaning": Movie(front=chunk(b"JUNK", bytes(399), b"x")),
    "tags": Movie(front=info(chunk(b"INAM", b"a")) + chunk(b"JUNK", bytes(400))),
    "absolute": Movie(absolute=True),
    "index of chunks": Movie(own_index=True),
    "tags behind": Movie(behind=info(chunk(b"INAM", b"a"))),
}


@pytest.mark.parametrize("name", MOVIES)
def test_indexes_follow_the_frames(name: str) -> None:
    movie = MOVIES[name]
    if name == "two bytes too many":
        empty = len(info(chunk(b"AIGC", LABEL.encode())))
        movie = Movie(front=chunk(b"JUNK", bytes(empty - 8 + 2)))
    file = movie.file()
    check_positions(movie, file)
    written = edited(edited(file))
    check_positions(movie, written)
    assert texts(written) == [LABEL.encode()]
    content = written.getvalue()
    if name in ("room", "tags"):
        assert len(content) == len(file.getvalue())
    if "tags" in name:
        assert info(chunk(b"INAM", b"a"), chunk(b"AIGC", LABEL.encode())) in content
        assert content.count(b"INFO") == 1
    if name == "padding with a meaning":
        assert movie.front in content


def test_labels_at_other_places_are_found_and_go() -> None:
    packet = xmp.edit(None, OLD.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    behind = (
        chunk(b"AIGC", OLD)
        + chunk(b"_PMX", packet)
        + info(chunk(b"AIGC", OLD), chunk(b"IART", b"me"))
    )
    movie = Movie(front=info(chunk(b"AIGC", OLD)), behind=behind)
    survey = avi.survey(movie.file())
    kinds = [carrier.kind for carrier in survey.carriers]
    assert kinds == [Kind.TEXT, Kind.TEXT, Kind.XMP, Kind.TEXT]
    written = edited(movie.file())
    check_positions(movie, written)
    content = written.getvalue()
    assert b'ContentProducer":"old' not in content
    assert info(chunk(b"IART", b"me")) in content
    left, label = sorted(avi.survey(written).carriers, key=lambda c: c.kind == "text")
    assert xmp.read(left.content).source_types == (xmp.TRAINED_ALGORITHMIC_MEDIA,)
    assert label.content == LABEL.encode()


def test_a_label_in_a_continuation_is_found_and_goes() -> None:
    file = Movie().file().getvalue()
    start = file.rindex(b"RIFF")
    added = info(chunk(b"AIGC", OLD))
    size = struct.pack("<I", len(file) - start - 8 + len(added))
    whole = file[: start + 4] + size + file[start + 8 :] + added
    assert texts(io.BytesIO(whole)) == [OLD]
    written = edited(io.BytesIO(whole))
    check_positions(Movie(), written)
    assert texts(written) == [LABEL.encode()]


def test_tags_of_the_original_take_the_place_of_those_there() -> None:
    packet = xmp.edit(None, OLD.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    maker = chunk(b"LIST", b"ncdt", chunk(b"nctg", b"camera"))
    original = Movie(
        front=info(chunk(b"INAM", b"old name"), chunk(b"AIGC", OLD)) + maker,
        behind=chunk(b"_PMX", packet) + chunk(b"C2PA", b"manifest"),
    ).file()
    new = Movie(front=info(chunk(b"INAM", b"new")), behind=chunk(b"bext", b"new"))
    written = edited(new.file(), original)
    check_positions(new, written)
    content = written.getvalue()
    named = chunk(b"INAM", b"old name")
    assert info(named, chunk(b"AIGC", LABEL.encode())) + maker in content
    assert b"INAM\3" not in content
    assert chunk(b"bext", b"new") not in content
    assert b"manifest" not in content
    assert xmp.TRAINED_ALGORITHMIC_MEDIA.encode() in content


def test_a_stream_of_unknown_length_can_be_labeled() -> None:
    head = b"RIFF\xff\xff\xff\xffAVI " + chunk(b"LIST", b"hdrl")
    frames = b"LIST\xff\xff\xff\xffmovi" + chunk(b"00dc", b"frame!")
    written = edited(io.BytesIO(head + frames))
    assert texts(written) == [LABEL.encode()]
    assert written.getvalue().startswith(head)
    assert written.getvalue().endswith(frames)


@pytest.mark.parametrize("movie", [Movie(bad_index=True)])
def test_an_index_that_points_elsewhere_is_not_made_worse(movie: Movie) -> None:
    with pytest.raises(MetadataError):
        avi.edit(movie.file(), LABEL)


def test_damaged_files_are_read_as_far_as_they_go_and_not_written() -> None:
    whole = Movie(front=info(chunk(b"AIGC", OLD))).file().getvalue()
    for content in (whole[:-3], whole[: whole.index(b"movi") - 8]):
        assert len(avi.survey(io.BytesIO(content)).carriers) == 1
        with pytest.raises(DamagedMedia):
            avi.edit(io.BytesIO(content), LABEL)


def test_continuations_inside_each_other_are_not_followed() -> None:
    nested = b""
    for _ in range(2000):
        nested = chunk(b"RIFF", b"AVIX", nested)
    survey = avi.survey(io.BytesIO(b"RIFF\0\0\0\0AVI " + nested))
    assert survey.carriers == ()


@given(st.binary(max_size=60), st.integers(0, 700), st.booleans())
def test_nothing_makes_it_fail(content: bytes, place: int, absolute: bool) -> None:
    whole = Movie(absolute=absolute).file().getvalue()
    file = io.BytesIO(whole[:place] + content + whole[place + len(content) :])
    if file.getvalue()[:4] != b"RIFF":
        return
    avi.survey(file)
    try:
        written = edited(file)
    except (DamagedMedia, MetadataError):
        return
    riff.split(written, 12, len(written.getvalue()), "<")
