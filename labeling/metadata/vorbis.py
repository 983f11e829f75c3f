"""Vorbis comments, ``AIGC=`` among them (TC260-PG-202510A, clause 6), and FLAC files.

References
----------
Xiph.Org, Ogg Vorbis I format specification: comment field and header specification;
RFC 9639 (FLAC), sections 8 and 8.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DamagedMedia, MetadataError
from . import id3, times
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey
from .parts import Part, cut, size_of
from .times import Later

__all__ = ["carriers", "edit", "moved", "survey", "with_label"]

SIGNATURE = b"fLaC"
STREAMINFO, APPLICATION, SEEKTABLE, COMMENT, CUESHEET = 0, 2, 3, 4, 5
MAX_BLOCK_BYTES = (1 << 24) - 1
NEW_COMMENT = b"\0\0\0\0\0\0\0\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A block of FLAC metadata: its type, and where its content stands."""

    kind: int
    start: int
    stop: int


def carriers(comment: bytes) -> Survey:
    """Find the labels among the fields of a comment block.

    Parameters
    ----------
    comment : bytes
        The block from the length of the vendor's name on.
    """
    fields, _, problem = _split(comment)
    found = [
        Carrier(kind=Kind.TEXT, place="Vorbis comment", content=field[5:])
        for field in fields
        if _is_label(field)
    ]
    problems = [problem] if problem else []
    if len(found) > MAX_CARRIERS:
        problems.append(f"more than {MAX_CARRIERS} AIGC comments")
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(problems),
        complete=len(found) <= MAX_CARRIERS,
    )


def with_label(comment: bytes, text: str) -> bytes:
    """Return the comment block with one label; all other fields stay as they are.

    What stands behind the fields stays too.

    Raises
    ------
    DamagedMedia
        The block is malformed.
    """
    fields, rest, problem = _split(comment)
    if problem:
        raise DamagedMedia(
            f"has a malformed comment block: {problem}",
            hint="Write the comments anew with a tag editor first.",
        )
    kept = [field for field in fields if not _is_label(field)]
    kept.append(b"AIGC=" + text.encode("ascii"))
    return _joined(comment, kept, rest)


def survey(file: BinaryIO) -> Survey:
    """Find the labels in a FLAC file, and in an ID3 tag in front of it."""
    tag, blocks, problem = _blocks(file)
    problems = [problem] if problem else []
    found: list[Carrier] = []
    surveys = [id3.carriers(tag)] if tag else []
    comments = [block for block in blocks if block.kind == COMMENT][:MAX_CARRIERS]
    surveys += [carriers(cut(file, block.start, block.stop)) for block in comments]
    for survey in surveys:
        found += survey.carriers
        problems += survey.problems
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(dict.fromkeys(problems)),
        complete=len(found) <= MAX_CARRIERS,
    )


def moved(comment: bytes, later: Later) -> bytes:
    """Return the comment block with its chapters at other times."""
    fields, rest, problem = _split(comment)
    if problem:
        return comment
    listed = [times.comment(field, later) for field in fields]
    return _joined(comment, listed, rest)


def edit(
    file: BinaryIO,
    text: str,
    original: BinaryIO | None = None,
    later: Later | None = None,
) -> list[Part]:
    """Put one label into the comment block of a FLAC file, and no other.

    Parameters
    ----------
    file : binary file
        A FLAC file.
    text : str
        The label.
    original : binary file, optional
        The FLAC file that it was made from, whose blocks besides those that describe
        its frames are taken over.
    later : callable, optional
        Where points of that file are now; chapters and the cue sheet follow it.

    Raises
    ------
    DamagedMedia
        The file is cut off in its metadata, or these are malformed.
    MetadataError
        The comment block has no room.
    """
    tag, blocks, problem = _blocks(file)
    if problem:
        raise DamagedMedia(f"is not a whole FLAC file: {problem}")
    frames = blocks[-1].stop
    chosen = [(block.kind, cut(file, block.start, block.stop)) for block in blocks]
    if original is not None:
        tag, others, _ = _blocks(original)
        tag = id3.taken_over(tag, later) if tag else tag
        chosen = [item for item in chosen if item[0] in (STREAMINFO, SEEKTABLE)]
        rate = int.from_bytes(chosen[0][1][10:13]) >> 4 if chosen else 0
        for block in others:
            if block.kind in (STREAMINFO, SEEKTABLE):
                continue
            content = cut(original, block.start, block.stop)
            if later is not None and block.kind == COMMENT:
                content = moved(content, later)
            elif later is not None and block.kind == CUESHEET and rate:
                content = times.cue_sheet(content, rate, later)
            chosen.append((block.kind, content))
    parts = [] if not tag else [id3.with_label(tag, "")]
    labeled = False
    made: list[tuple[int, bytes]] = []
    for kind, content in chosen:
        if kind == COMMENT:
            if labeled:
                continue
            content = with_label(content, text)
            labeled = True
        elif kind == APPLICATION and content.startswith(b"c2pa"):
            continue
        made.append((kind, content))
    if not labeled:
        made.insert(1, (COMMENT, with_label(NEW_COMMENT, text)))
    parts.append(SIGNATURE)
    for index, (kind, content) in enumerate(made):
        if len(content) > MAX_BLOCK_BYTES:
            raise MetadataError("the FLAC comments have no room for the AIGC label")
        last = 0x80 if index == len(made) - 1 else 0
        parts.append(bytes([kind | last]) + len(content).to_bytes(3) + content)
    return [*parts, range(frames, size_of(file))]


def _split(comment: bytes) -> tuple[list[bytes], bytes, str]:
    """Return the fields, what stands behind them, and what is wrong."""
    fields: list[bytes] = []
    position = 4 + int.from_bytes(comment[:4], "little")
    count = int.from_bytes(comment[position : position + 4], "little")
    position += 4
    if position > len(comment):
        return fields, b"", "it is cut off"
    if count > MAX_PARTS:
        return fields, b"", f"it has more than {MAX_PARTS} fields"
    for _ in range(count):
        size = int.from_bytes(comment[position : position + 4], "little")
        field = comment[position + 4 : position + 4 + size]
        if position + 4 > len(comment) or len(field) < size:
            return fields, b"", "it is cut off"
        fields.append(field)
        position += 4 + size
    return fields, comment[position:], ""


def _joined(comment: bytes, fields: list[bytes], rest: bytes) -> bytes:
    """Return a comment block with other fields."""
    vendor = comment[: 4 + int.from_bytes(comment[:4], "little")]
    listed = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
    return vendor + len(fields).to_bytes(4, "little") + listed + rest


def _is_label(field: bytes) -> bool:
    return field[:5].upper() == b"AIGC="


def _blocks(file: BinaryIO) -> tuple[bytes, list[_Block], str]:
    """Return an ID3 tag in front, the metadata blocks, and what is wrong."""
    position = id3.tag_length(cut(file, 0, 10))
    tag = cut(file, 0, position)
    if cut(file, position, position + 4) != SIGNATURE:
        return tag, [], "its signature is missing"
    blocks: list[_Block] = []
    position += 4
    size = size_of(file)
    while len(blocks) < MAX_PARTS:
        head = cut(file, position, position + 4)
        stop = position + 4 + int.from_bytes(head[1:])
        if len(head) < 4 or stop > size:
            return tag, blocks, f"the block at byte {position} is cut off"
        blocks.append(_Block(kind=head[0] & 127, start=position + 4, stop=stop))
        if head[0] & 128:
            return tag, blocks, ""
        position = stop
    return tag, blocks, f"it has more than {MAX_PARTS} blocks"
