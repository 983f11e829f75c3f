"""MKV and WebM: a tag AIGC of the whole file (TC260-PG-20257A, clause 6).

The tags go where nothing has to move for them: into room that is free, or to the end,
with the index at the beginning pointing there. Only in files without such an index,
as live streams are, they go in front of the frames and all positions are moved.

References
----------
RFC 9559 (Matroska), sections 5.1.1 (SeekHead), 5.1.3 (Cluster), 5.1.5 (Cues) and
5.1.8 (Tags).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from ..errors import DamagedMedia, MetadataError
from . import aigc, ebml
from .carrier import MAX_CARRIERS, Carrier, Kind, Survey
from .ebml import CRC, VOID, Element, Node
from .parts import Part, cut, mover, replace, size_of
from .segment import CLUSTER, CUES, SEEK_HEAD, SEGMENT, TAGS, Segment, segments

__all__ = ["edit", "survey"]

SEEK, SEEK_ID, SEEK_POSITION = 0x4DBB, 0x53AB, 0x53AC
TAG, TARGETS, TARGET_LEVEL = 0x7373, 0x63C0, 0x68CA
SIMPLE_TAG, NAME, STRING, BINARY = 0x67C8, 0x45A3, 0x4487, 0x4485
# Tracks, editions, chapters and attachments that a tag is about.
SUBJECTS = (0x63C5, 0x63C9, 0x63C4, 0x63C6)
POSITION, BLOCKS = 0xA7, (0xA3, 0xA0)
# Positions of clusters and codec states, in SeekHead and Cues.
POSITIONS = (SEEK_POSITION, 0xF1, 0xEA, 0x97, 0xEB)
MASTERS = (SEEK, TAG, TARGETS, SIMPLE_TAG, 0xBB, 0xB7, 0xDB)
WHOLE_FILE = 50
# Empty elements beyond this are left alone.
MAX_VOID = 1 << 20
MAX_ROUNDS = 20
# Elements of a cluster in front of its blocks.
MAX_HEADERS = 16

_Change = tuple[int, int, bytes]


def survey(file: BinaryIO) -> Survey:
    """Find the labels among the tags of a file."""
    parts, problem = segments(file)
    problems = [problem] if problem else []
    found: list[Carrier] = []
    for segment in parts:
        for element in segment.each(TAGS):
            try:
                tags = _parsed(file, element)
            except DamagedMedia as error:
                problems.append(f"unreadable tags: {error.problem}")
                continue
            found += (
                Carrier(kind=Kind.TEXT, place="SimpleTag AIGC", content=text)
                for _, _, text in _labels(tags)
            )
    if len(found) > MAX_CARRIERS:
        problems.append(f"more than {MAX_CARRIERS} AIGC tags")
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(dict.fromkeys(problems)),
        complete=len(found) <= MAX_CARRIERS,
    )


def edit(file: BinaryIO, text: str, original: BinaryIO | None = None) -> list[Part]:
    """Put one label into the tags of a file, and take every other one out.

    Parameters
    ----------
    file : binary file
        An MKV or WebM file.
    text : str
        The label.
    original : binary file, optional
        The file of the same format that it was made from, whose tags for the whole
        file are taken over.

    Raises
    ------
    DamagedMedia
        The elements do not fill the file, or it has no segment.
    MetadataError
        The index cannot be moved.
    """
    parts, problem = segments(file)
    if problem:
        raise DamagedMedia(f"is not a whole Matroska file: {problem}")
    segment = parts[0]
    tags = _labeled(file, segment, text, original)
    changes = _in_place(file, segment, tags) or _inserted(file, segment, tags)
    if segment.elements and segment.elements[0].kind == CRC:
        first = segment.elements[0]
        changes.insert(
            0, (first.start, first.stop, ebml.void(first.stop - first.start))
        )
    place = segment.place
    growth = sum(len(new) - (stop - start) for start, stop, new in changes)
    head: Part = range(place.start, place.inside)
    if growth and not place.open:
        size = ebml.length(place.stop - place.inside + growth, 8)
        head = ebml.identifier(SEGMENT) + size
    return [
        range(place.start),
        head,
        *replace(place.inside, place.stop, changes),
        range(place.stop, size_of(file)),
    ]


def _parsed(file: BinaryIO, element: Element) -> Node:
    """Take an element of the file into memory."""
    node = ebml.parse(element.kind, cut(file, element.inside, element.stop), MASTERS)
    node.width = element.inside - element.start - 4
    return node


def _labels(tags: Node) -> Iterator[tuple[Node, Node, bytes]]:
    """Yield parent, tag and text of every label among tags and tags inside of them."""
    for tag in tags.children or ():
        if tag.kind == SIMPLE_TAG:
            name = aigc.decode(_content(tag, NAME))
            text = _content(tag, STRING) or _content(tag, BINARY)
            if name == "AIGC" or (
                "AIGC" in name.upper() and aigc.is_label(aigc.decode(text))
            ):
                yield tags, tag, text
        if tag.kind in (TAG, SIMPLE_TAG):
            yield from _labels(tag)


def _content(node: Node, kind: int) -> bytes:
    found = node.first(kind)
    return found.content[: aigc.MAX_BYTES + 1] if found else b""


def _labeled(
    file: BinaryIO, segment: Segment, text: str, original: BinaryIO | None
) -> Node:
    """Return the tags of a file with one label among them."""
    nodes = [_parsed(file, element) for element in segment.each(TAGS)]
    has_checksum = any(node.first(CRC) for node in nodes)
    tags = [tag for node in nodes for tag in node.each(TAG)]
    if original is not None:
        others, _ = segments(original)
        found = [_parsed(original, e) for other in others for e in other.each(TAGS)]
        tags = [tag for tag in tags if not _is_of_whole_file(tag)]
        more = [tag for node in found for tag in node.each(TAG)]
        tags = [*filter(_is_of_whole_file, more), *tags]
    kept = []
    for tag in tags:
        found_labels = list(_labels(tag))
        for parent, label, _ in found_labels:
            parent.children = [c for c in parent.children or () if c is not label]
        if tag.first(SIMPLE_TAG) or not found_labels:
            kept.append(tag)
    target = Node(TARGETS, children=[Node(TARGET_LEVEL, bytes([WHOLE_FILE]))])
    values = [Node(NAME, b"AIGC"), Node(STRING, text.encode("ascii"))]
    label = Node(TAG, children=[target, Node(SIMPLE_TAG, children=values)])
    checksum = [Node(CRC)] if has_checksum else []
    return Node(TAGS, children=[*checksum, *kept, label])


def _is_of_whole_file(tag: Node) -> bool:
    targets = tag.first(TARGETS)
    return not any(
        any(subject.content)
        for kind in SUBJECTS
        for subject in (targets.each(kind) if targets else ())
    )


def _in_place(file: BinaryIO, segment: Segment, tags: Node) -> list[_Change]:
    """Put tags where nothing has to move for them; no changes if that cannot be."""
    free = _free(segment)
    end = segment.place.stop
    behind_index = next((e.stop for e in segment.each(SEEK_HEAD)), -1)
    for first, stop in [*free, (end, end)]:
        start, limit = first, dict(free).get(behind_index, behind_index)
        if first == behind_index:
            # The index may need the beginning of the room behind it.
            start = limit = stop - len(tags.pack()) if stop < end else first
        filled = tags.pack() if stop == end else _filled(tags, stop - start)
        index = _index(file, segment, start, limit) if start >= first else None
        if filled is None or index is None:
            continue
        changes = [(start, stop, filled), *index]
        changes += [
            (element.start, element.stop, ebml.void(element.stop - element.start))
            for element in segment.each(TAGS)
            if not any(a <= element.start < b for a, b, _ in changes)
        ]
        return sorted(changes)
    return []


def _free(segment: Segment) -> list[tuple[int, int]]:
    """Return the stretches without content, those of the present tags included."""
    free: list[tuple[int, int]] = []
    for element in segment.elements:
        size = element.stop - element.start
        if element.kind == TAGS or (element.kind == VOID and size <= MAX_VOID):
            start = element.start
            if free and free[-1][1] == start:
                start, _ = free.pop()
            free.append((start, element.stop))
    return free


def _filled(node: Node, room: int) -> bytes | None:
    """Return an element and an empty one that fill some room, None if it is small."""
    content = node.pack()
    if len(content) == room - 1:
        content = node.pack(1)  # no empty element has one byte only
    left = room - len(content)
    if left == 0:
        return content
    return content + ebml.void(left) if left > 1 else None


def _index(
    file: BinaryIO, segment: Segment, start: int, limit: int
) -> list[_Change] | None:
    """Let the index point to the tags; None if it has no room for that.

    It may grow up to `limit`. Tags in front of the frames are found without it.
    """
    is_in_front = start < segment.frames
    changes: list[_Change] = []
    for number, element in enumerate(segment.each(SEEK_HEAD)):
        stop = element.stop if number else limit
        node = _without_tags(_parsed(file, element))
        rest = _filled(node, stop - element.start)
        if number == 0:
            node = _pointing(node, start - segment.place.inside)
        filled = _filled(node, stop - element.start) or (rest if is_in_front else None)
        if filled is None:
            return None
        changes.append((element.start, stop, filled))
    return changes if changes or is_in_front else None


def _without_tags(index: Node) -> Node:
    name = ebml.identifier(TAGS)
    kept = [c for c in index.children or () if _content(c, SEEK_ID) != name]
    return Node(SEEK_HEAD, children=kept, width=index.width)


def _pointing(index: Node, position: int) -> Node:
    """Return an index with an entry for the tags."""
    number = position.to_bytes(-(-position.bit_length() // 8) or 1)
    entry = [Node(SEEK_ID, ebml.identifier(TAGS)), Node(SEEK_POSITION, number)]
    children = [*(index.children or ()), Node(SEEK, children=entry)]
    return Node(SEEK_HEAD, children=children, width=index.width)


def _inserted(file: BinaryIO, segment: Segment, tags: Node) -> list[_Change]:
    """Put tags in front of the frames, and move every position behind them."""
    inside, frames = segment.place.inside, segment.frames
    packed = tags.pack()
    indexes = [
        (element, _parsed(file, element))
        for kind in (SEEK_HEAD, CUES)
        for element in segment.each(kind)
    ]
    fixed = [(frames, frames, packed)]
    fixed += [(element.start, element.stop, b"") for element in segment.each(TAGS)]
    changes = fixed
    for _ in range(MAX_ROUNDS):
        changes = sorted(changes)
        to = mover((start, stop, len(new)) for start, stop, new in changes)

        def move(position: int, to: Callable[[int], int] = to) -> int:
            # Codecs that change nothing say so with a 0.
            return to(position + inside) - inside if position else 0

        again = list(fixed)
        for number, (element, node) in enumerate(indexes):
            if element.kind == SEEK_HEAD:
                node = _without_tags(node)
            node = node.numbered(POSITIONS, move)
            if element.kind == SEEK_HEAD and number == 0:
                node = _pointing(node, to(frames) - len(packed) - inside)
            again.append((element.start, element.stop, node.pack()))
        again.sort()
        if [len(new) for *_, new in again] == [len(new) for *_, new in changes]:
            return sorted([*again, *_moved_clusters(file, segment, move)])
        changes = again
    raise MetadataError("the index of the file cannot be moved")


def _moved_clusters(
    file: BinaryIO, segment: Segment, move: Callable[[int], int]
) -> Iterator[_Change]:
    """Yield the changes of clusters that state where they stand."""
    for cluster in segment.each(CLUSTER):
        position, old = cluster.inside, cluster.start - segment.place.inside
        checksum: Element | None = None
        for _ in range(MAX_HEADERS):
            child = ebml.element(file, position, cluster.stop)
            if not child or child.kind in BLOCKS or child.stop > cluster.stop:
                break
            if child.kind == CRC:
                checksum = child
            if child.kind == POSITION and child.stop - child.inside <= 8:
                stated = int.from_bytes(cut(file, child.inside, child.stop))
                if old and stated == old != move(old):
                    for stale in filter(None, (checksum, child)):
                        hole = ebml.void(stale.stop - stale.start)
                        yield stale.start, stale.stop, hole
            position = child.stop
