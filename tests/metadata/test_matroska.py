"""Hand-made Matroska files: whatever points to clusters still does."""

from __future__ import annotations

import io
import time
import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import DamagedMedia, MediaError, MetadataError
from synthmark.labeling.metadata import ebml, matroska
from synthmark.labeling.metadata.carrier import MAX_CARRIERS
from synthmark.labeling.metadata.parts import copy
from synthmark.labeling.metadata.segment import segments

LABEL = '{"Label":"1","ContentProducer":"p","ProduceID":"7"}'
OLD = b'{"AIGC":{"Label":"1","ContentProducer":"old","ProduceID":"1"}}'

SEEK_HEAD, INFO, TAGS = b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66", b"\x12\x54\xc3\x67"
CLUSTER, CUES = b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b"
SEGMENT, HEADER = b"\x18\x53\x80\x67", b"\x1a\x45\xdf\xa3"
TAG, TARGETS, SIMPLE, NAME, STRING = b"ss", b"\x63\xc0", b"\x67\xc8", b"E\xa3", b"D\x87"
UNKNOWN = b"\x01" + b"\xff" * 7


def element(kind: bytes, *parts: bytes, width: int = 2) -> bytes:
    body = b"".join(parts)
    return kind + (len(body) | 1 << 7 * width).to_bytes(width) + body


def void(size: int) -> bytes:
    return element(b"\xec", bytes(size - 3))


def simple(name: bytes, text: bytes, *inner: bytes) -> bytes:
    return element(SIMPLE, element(NAME, name), element(STRING, text), *inner)


def tag(*parts: bytes, subject: bytes = b"") -> bytes:
    return element(TAG, element(TARGETS, subject), *parts)


def checked(kind: bytes, *parts: bytes) -> bytes:
    """Return an element with the checksum of what is in it."""
    body = b"".join(parts)
    checksum = zlib.crc32(body).to_bytes(4, "little")
    return element(kind, element(b"\xbf", checksum, width=1), body)


BLOCKS = [element(b"\xa3", b"\x81\0\0\x80", bytes([n]) * 20) for n in range(3)]
TITLE = element(INFO, element(b"{\xa9", b"title"))
KEPT = tag(simple(b"ARTIST", b"me", simple(b"ROLE", b"all")))
OF_TRACK = tag(simple(b"BPS", b"7"), subject=element(b"\x63\xc5", b"\x09"))


@dataclass
class Movie:
    """A file of three clusters: what stands around them, and how they are stated."""

    front: list[bytes] = field(default_factory=list)
    behind: list[bytes] = field(default_factory=list)
    seek: int | None = None
    cues: str = "behind"
    live: bool = False
    positions: bool = False
    checks: bool = False
    small: bool = False
    width: int = 3

    def file(self) -> io.BytesIO:
        places: dict[bytes, int] = {}
        for _ in range(4):  # until all places are known
            body = self.body(places)
        head = element(HEADER, element(b"B\x82", b"matroska"))
        if self.live:
            return io.BytesIO(head + SEGMENT + UNKNOWN + body)
        return io.BytesIO(head + element(SEGMENT, body, width=3 if self.small else 8))

    def body(self, places: dict[bytes, int]) -> bytes:
        make = checked if self.checks else element
        listed = [INFO, CUES] if self.cues else [INFO]
        listed += [TAGS] if any(p[:4] == TAGS for p in self.front + self.behind) else []
        seek = [
            element(
                b"\x4d\xbb",
                element(b"S\xab", kind),
                element(b"S\xac", places.get(kind, 0).to_bytes(self.width)),
            )
            for kind in listed
        ]
        points = [
            element(
                b"\xbb",
                element(b"\xb3", bytes([n])),
                element(
                    b"\xb7", element(b"\xf1", places.get(block, 0).to_bytes(self.width))
                ),
            )
            for n, block in enumerate(BLOCKS)
        ]
        cues = [make(CUES, *points)] if self.cues else []
        parts = [] if self.seek is None else [make(SEEK_HEAD, *seek)]
        parts += [void(self.seek)] if self.seek else []
        parts += [TITLE, *self.front, *(cues if self.cues == "front" else [])]
        for block in BLOCKS:
            where = element(b"\xa7", places.get(block, 0).to_bytes(3))
            inner = element(b"\xe7", b"\0"), where if self.positions else b"", block
            whole = CLUSTER + UNKNOWN + b"".join(inner)
            parts.append(whole if self.live else make(CLUSTER, *inner))
        parts += [*(cues if self.cues == "behind" else []), *self.behind]
        place = 0
        for part in parts:
            kind = next(
                (b for b in BLOCKS if b in part and part[:4] == CLUSTER), part[:4]
            )
            places[kind] = place
            place += len(part)
        return b"".join(parts)


def edited(file: io.BytesIO, original: io.BytesIO | None = None) -> io.BytesIO:
    target = io.BytesIO()
    copy(file, matroska.edit(file, LABEL, original), target)
    return target


def texts(file: io.BytesIO) -> list[bytes]:
    survey = matroska.survey(file)
    assert not survey.problems
    return [carrier.content for carrier in survey.carriers]


def walk(content: bytes) -> dict[bytes, list[tuple[int, bytes]]]:
    """Return the elements of a segment by kind, with their places in it."""
    file = io.BytesIO(content)
    (segment,), problem = segments(file)
    assert not problem
    found: dict[bytes, list[tuple[int, bytes]]] = {}
    for part in segment.elements:
        kind = ebml.identifier(part.kind)
        place = part.start - segment.place.inside
        found.setdefault(kind, []).append((place, content[part.inside : part.stop]))
    return found


def check_positions(file: io.BytesIO) -> None:
    """Follow every index of a file to what it points to, and check the checksums."""
    found = walk(file.getvalue())
    for kind, parts in found.items():
        for _, body in parts:
            if body.startswith(b"\xbf") and kind != b"\xbf":
                start = 6 if body[1] == 0x84 else 7
                assert (
                    zlib.crc32(body[start:]).to_bytes(4, "little")
                    == (body[start - 4 : start])
                )
    for _, head in found.get(SEEK_HEAD, []):
        for entry in parsed(head, matroska.SEEK):
            there = [start for start, _ in found[content(entry, 0x53AB)]]
            assert int.from_bytes(content(entry, 0x53AC)) in there
    clusters = dict(found[CLUSTER])
    for _, cues in found.get(CUES, []):
        for number, point in enumerate(parsed(cues, 0xBB)):
            (track,) = point.each(0xB7)
            assert BLOCKS[number] in clusters[int.from_bytes(content(track, 0xF1))]
    for start, body in clusters.items():
        for node in ebml.parse(0, body, ()).each(matroska.POSITION):
            assert int.from_bytes(node.content) == start


def content(node: ebml.Node, kind: int) -> bytes:
    (found,) = node.each(kind)
    return found.content


def parsed(body: bytes, kind: int) -> list[ebml.Node]:
    return ebml.parse(0, body, matroska.MASTERS).each(kind)


TAGS_THERE = element(TAGS, KEPT, OF_TRACK)
MOVIES = {
    "room behind the index": Movie(seek=300),
    "room elsewhere": Movie(seek=50, front=[void(200)]),
    "exactly enough room": Movie(seek=200, front=[void(94)]),
    "one byte left": Movie(seek=200, front=[void(95)]),
    "at the end": Movie(seek=50),
    "at the end, tags there": Movie(seek=50, front=[TAGS_THERE]),
    "tags at the end": Movie(seek=50, behind=[TAGS_THERE]),
    "tags and room at the end": Movie(seek=50, behind=[TAGS_THERE, void(400)]),
    "tags twice": Movie(seek=50, front=[element(TAGS, KEPT)], behind=[TAGS_THERE]),
    "no room in the index": Movie(seek=0),
    "no index": Movie(),
    "no index, cues in front": Movie(cues="front"),
    "no index, room": Movie(front=[void(300)]),
    "no index, tags": Movie(front=[TAGS_THERE], behind=[TAGS_THERE]),
    "live": Movie(live=True, cues=""),
    "live, tags": Movie(live=True, cues="", front=[TAGS_THERE]),
    "live, index": Movie(live=True, seek=50),
    "small lengths": Movie(small=True),
    "everything": Movie(seek=0, cues="front", front=[TAGS_THERE], positions=True),
}


@pytest.mark.parametrize("checks", [False, True])
@pytest.mark.parametrize("name", MOVIES)
def test_indexes_follow_the_clusters(name: str, checks: bool) -> None:
    movie = MOVIES[name]
    movie.checks = checks
    file = movie.file()
    check_positions(file)
    for _ in range(2):
        before, file = file, edited(file)
        check_positions(file)
        assert texts(file) == [LABEL.encode()]
    content = file.getvalue()
    found = walk(content)
    assert len(found[TAGS]) == 1
    assert TITLE in content
    had_tags = any(part[:4] == TAGS for part in movie.front + movie.behind)
    assert (KEPT in content) == had_tags
    assert (OF_TRACK in content) == (
        had_tags and TAGS_THERE in [*movie.front, *movie.behind]
    )
    if "room" in name and "no room" not in name and "end" not in name:
        assert len(content) == len(before.getvalue()) == len(movie.file().getvalue())
    if movie.seek == 50:  # nothing moves
        old, new = walk(movie.file().getvalue()), found
        assert old[CLUSTER] == new[CLUSTER]
        assert old[CUES] == new[CUES]
    if movie.seek is None:
        assert found[TAGS][0][0] < found[CLUSTER][0][0]


@given(st.integers(60, 160), st.booleans())
def test_any_room_is_used_or_left_alone(room: int, checks: bool) -> None:
    movie = Movie(seek=20, front=[void(room)], checks=checks)
    written = edited(movie.file())
    check_positions(written)
    assert texts(written) == [LABEL.encode()]


def test_positions_that_grow_wider_are_followed() -> None:
    # Two bytes are enough for the positions before, and not behind the label.
    filler = element(b"\x19\x41\xa4\x69", bytes(65_000), width=8)
    movie = Movie(seek=0, cues="front", checks=True, front=[filler], width=2)
    target = io.BytesIO()
    long = LABEL.replace("p", "p" * 900)
    copy(movie.file(), matroska.edit(movie.file(), long), target)
    check_positions(target)
    assert texts(target) == [long.encode()]
    assert walk(target.getvalue())[CLUSTER][0][0] > 0xFFFF


DIALECTS = {
    "wrapped": tag(simple(b"AIGC", OLD)),
    "other name": tag(simple(b"com.maker.aigc", OLD)),
    "inside another": tag(simple(b"MAKER", b"x", simple(b"AIGC", OLD))),
    "binary": tag(element(SIMPLE, element(NAME, b"AIGC\0"), element(b"D\x85", OLD))),
    "of a track": tag(simple(b"AIGC", OLD), subject=element(b"\x63\xc5", b"\x09")),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_labels_in_other_forms_are_found_and_replaced(name: str) -> None:
    movie = Movie(seek=50, front=[element(TAGS, KEPT, DIALECTS[name])])
    assert texts(movie.file()) == [OLD]
    written = edited(movie.file())
    assert texts(written) == [LABEL.encode()]
    assert KEPT in written.getvalue()
    assert b"old" not in written.getvalue()


def test_tags_of_the_whole_file_are_taken_over() -> None:
    mine = tag(simple(b"ENCODER", b"new")), OF_TRACK
    theirs = KEPT, tag(simple(b"AIGC", OLD)), OF_TRACK.replace(b"BPS", b"FPS")
    original = Movie(seek=50, behind=[element(TAGS, *theirs)]).file()
    written = edited(Movie(seek=50, front=[element(TAGS, *mine)]).file(), original)
    content = written.getvalue()
    assert texts(written) == [LABEL.encode()]
    assert KEPT in content
    assert OF_TRACK in content
    for left in (b"ENCODER", b"old", b"FPS"):
        assert left not in content


def test_a_checksum_of_the_segment_is_given_up() -> None:
    body = element(b"\xbf", b"abcd", width=1) + Movie(cues="").body({})
    file = io.BytesIO(element(HEADER) + element(SEGMENT, body))
    assert b"\xbf\x84abcd" not in edited(file).getvalue()


def test_all_segments_are_read() -> None:
    labeled = element(TAGS, tag(simple(b"AIGC", OLD)))
    first, second = Movie(live=True, cues=""), Movie(behind=[labeled])
    file = io.BytesIO(first.file().getvalue() + second.file().getvalue() + b"\0junk")
    assert texts(file) == [OLD]
    written = edited(file)
    assert sorted(texts(written)) == sorted([LABEL.encode(), OLD])
    assert written.getvalue().endswith(b"\0junk")


def test_many_labels_are_counted_not_read() -> None:
    many = element(TAGS, *[tag(simple(b"AIGC", OLD))] * 50)
    survey = matroska.survey(Movie(front=[many]).file())
    assert len(survey.carriers) == MAX_CARRIERS
    assert survey.problems
    assert not survey.complete


def test_damaged_files_are_read_as_far_as_they_go_and_not_written() -> None:
    whole = Movie(front=[element(TAGS, DIALECTS["wrapped"])]).file().getvalue()
    live = Movie(live=True, cues="", front=[element(TAGS, DIALECTS["wrapped"])])
    for content in (whole[:-3], live.file().getvalue()[:-3]):
        survey = matroska.survey(io.BytesIO(content))
        assert [carrier.content for carrier in survey.carriers] == [OLD]
        assert survey.problems
        with pytest.raises(DamagedMedia):
            matroska.edit(io.BytesIO(content), LABEL)


def deep() -> bytes:
    nested = simple(b"AIGC", OLD)
    for _ in range(500):
        nested = element(SIMPLE, nested)
    return element(TAGS, element(TAG, nested), width=4)


HOSTILE = {
    "nested deep": deep(),
    "huge": TAGS + b"\x01\0\xff\xff\xff\xff\xff\xff",
    "huger": TAGS + b"\x01" + b"\xff" * 6 + b"\xfe",
    "without length": TAGS + UNKNOWN,
    "beyond its parent": element(TAGS, TAG + b"\x60\xff"),
    "many": element(TAGS, element(TAG, b"\xec\x80" * 150_000, width=4), width=4),
    "many in the segment": b"\xec\x80" * 150_000,
    "many in a cluster": CLUSTER + UNKNOWN + b"\xa3\x80" * 150_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_told_in_time(name: str) -> None:
    file = Movie(front=[HOSTILE[name]], live=True, cues="").file()
    start = time.process_time()
    assert matroska.survey(file).problems
    with pytest.raises(MediaError):
        matroska.edit(file, LABEL)
    assert time.process_time() - start < 5


@given(st.sampled_from(sorted(MOVIES)), st.binary(max_size=12), st.integers(0, 600))
def test_nothing_makes_it_fail(name: str, content: bytes, place: int) -> None:
    whole = MOVIES[name].file().getvalue()
    file = io.BytesIO(whole[:place] + content + whole[place + len(content) :])
    matroska.survey(file)
    try:
        written = edited(file)
    except (MediaError, MetadataError):
        return
    matroska.survey(written)
