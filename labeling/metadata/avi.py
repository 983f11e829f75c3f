"""AVI: AIGC as a chunk of ``LIST/INFO`` (TC260-PG-20257A, clause 6).

The list goes in front of the frames, into the padding that most writers leave there.
Where that is too small the frames move, and every index that counts from the
beginning of the file is moved with them.

References
----------
Microsoft, AVI RIFF File Reference; OpenDML AVI File Format Extensions 1.02.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ..errors import DamagedMedia, MetadataError
from .carrier import MAX_PARTS, Survey
from .parts import Part, cut, length, replace, size_of
from .riff import LIMIT, Chunk, kept, list_kind, made, split, survey_of

__all__ = ["edit", "survey"]

INFO = b"INFO"
# Padding beyond this is left alone.
MAX_PADDING = 1 << 20
# What belongs to the frames and is not taken over from another file.
OF_FRAMES = {b"JUNK", b"PAD ", b"idx1", b"RIFF", b"C2PA"}

_Change = tuple[int, int, bytes]


def survey(file: BinaryIO) -> Survey:
    """Find the AIGC texts and XMP packets of a file."""
    chunks, problem = split(file, 12, size_of(file), "<")
    return survey_of(file, list(_flat(file, chunks)), problem, "<")


def edit(file: BinaryIO, text: str, original: BinaryIO | None = None) -> list[Part]:
    """Put one label into an AVI file, and take every other one out.

    Parameters
    ----------
    file : binary file
        An AVI file, with or without the extensions of OpenDML.
    text : str
        The label.
    original : binary file, optional
        The AVI file that it was made from, whose tags, XMP and unknown chunks are
        taken over.

    Raises
    ------
    DamagedMedia
        The chunks do not fill the file, or there are no frames.
    MetadataError
        The indexes cannot be moved, or the file would be too long.
    """
    chunks, problem = split(file, 12, size_of(file), "<")
    kinds = [list_kind(file, chunk) for chunk in chunks]
    if not problem and b"movi" not in kinds:
        problem = "it has no frames"
    if problem:
        raise DamagedMedia(f"is not a whole file: {problem}")
    first = kinds.index(b"movi")
    behind = list(_flat(file, chunks[first:]))
    taken = [(file, chunk) for chunk in chunks[:first]]
    # What carries a label behind the frames goes in front of them, too.
    moved = [
        chunk
        for chunk in behind
        if list_kind(file, chunk) == INFO or _changed(file, chunk) is not None
    ]
    taken += [(file, chunk) for chunk in moved]
    if original is not None:
        taken = [item for item in taken if not _is_taken_over(*item)]
        old, _ = split(original, 12, size_of(original), "<")
        more = [(original, chunk) for chunk in old]
        taken += [item for item in more if _is_taken_over(*item)]
        moved += [c for c in behind if c not in moved and _is_taken_over(file, c)]
    front = _front(taken, text)
    start = chunks[first].start
    holes = [(c.start, c.stop, _padding(c.stop - c.start)) for c in moved]
    spare = start - 12 - length(front)
    if spare >= 8:
        front.append(_padding(spare))
    elif spare:
        front = [_moved_header(chunk, -spare) for chunk in front]
        holes += _moved_indexes(file, chunks, -spare)
    end = next((c.start for c in chunks if c.name == b"RIFF"), size_of(file))
    size = end - start + length(front) + 4
    if cut(file, 4, 8) == struct.pack("<I", LIMIT):
        size = LIMIT
    elif size > LIMIT:
        raise MetadataError(
            "the file has no room for the AIGC label",
            hint="Write the video as MKV or MP4.",
        )
    head = b"RIFF" + struct.pack("<I", size) + b"AVI "
    return [head, *front, *replace(start, size_of(file), sorted(holes))]


def _flat(file: BinaryIO, chunks: list[Chunk]) -> Iterator[Chunk]:
    """Yield chunks, and in place of a continuation of the file those in it."""
    for chunk in chunks:
        if list_kind(file, chunk) == b"AVIX":
            yield from split(file, chunk.start + 12, chunk.end, "<")[0]
        else:
            yield chunk


def _changed(file: BinaryIO, chunk: Chunk) -> bytes | None:
    """Return what stays of a chunk with labels, None for one without."""
    left = kept(file, chunk, "<")
    if left is None or left == cut(file, chunk.start, chunk.stop):
        return None
    return left


def _is_taken_over(file: BinaryIO, chunk: Chunk) -> bool:
    if chunk.name == b"LIST":
        return list_kind(file, chunk) not in (b"hdrl", b"movi", b"rec ")
    return chunk.name not in OF_FRAMES


def _front(taken: list[tuple[BinaryIO, Chunk]], text: str) -> list[bytes]:
    """Return the chunks in front of the frames, the label in the first list of tags."""
    front: list[bytes] = []
    place: int | None = None
    for source, chunk in taken:
        if _is_padding(source, chunk):
            continue
        left = _changed(source, chunk)
        whole = cut(source, chunk.start, chunk.stop) if left is None else left
        if list_kind(source, chunk) == INFO and place is None:
            place = len(front)
        front.append(whole + bytes(len(whole) % 2))
    if place is None:
        place = len(front)
        front.append(made(b"LIST", INFO, "<"))
    listed = front[place][8:] + made(b"AIGC", text.encode("ascii"), "<")
    front[place] = made(b"LIST", listed, "<")
    return front


def _is_padding(file: BinaryIO, chunk: Chunk) -> bool:
    if chunk.name != b"JUNK" or chunk.end - chunk.start > MAX_PADDING:
        return False
    return not any(chunk.data(file))


def _padding(size: int) -> bytes:
    return b"JUNK" + struct.pack("<I", size - 8) + bytes(size - 8)


def _moved_header(chunk: bytes, shift: int) -> bytes:
    """Move the positions in the headers of the streams."""
    content = bytearray(chunk)
    if content[:4] == b"LIST" and content[8:12] == b"hdrl":
        for place, size in _indexes(content):
            kind, count = content[place + 3], size // 16
            stated = int.from_bytes(content[place + 4 : place + 8], "little")
            fields = [place + 12]
            if kind == 0:
                fields = [place + 24 + 16 * n for n in range(min(stated, count))]
                fields = [f for f in fields if any(content[f : f + 8])]
            for field in fields:
                content[field : field + 8] = _moved(content[field : field + 8], shift)
    return bytes(content)


def _indexes(header: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield where the data of every OpenDML index starts, and their size."""
    for name, start, stop in _children(header, 12, len(header)):
        if name == b"LIST" and header[start : start + 4] == b"strl":
            for kind, inside, end in _children(header, start + 4, stop):
                if kind == b"indx" and end - inside >= 24:
                    yield inside, end - inside - 24


def _children(
    content: bytes | bytearray, position: int, stop: int
) -> Iterator[tuple[bytes, int, int]]:
    while position + 8 <= stop:
        name, size = struct.unpack_from("<4sI", content, position)
        start, position = position + 8, position + 8 + size + size % 2
        if start + size > stop:
            raise DamagedMedia("is not a whole file: a header is cut off")
        yield name, start, start + size


def _moved_indexes(file: BinaryIO, chunks: list[Chunk], shift: int) -> list[_Change]:
    """Return the changes of all indexes among and behind the frames."""
    changes: list[_Change] = []
    for chunk in chunks:
        if list_kind(file, chunk) == b"hdrl":
            header = cut(file, chunk.start, chunk.stop)
            for place in _parts_of_index(header):
                head = cut(file, place, place + 28)
                if len(head) < 28 or b"ix" not in (head[:2], head[2:4]):
                    raise MetadataError(
                        "an index of the file does not point to where it should",
                        hint="Write the file anew.",
                    )
                changes.append((place + 20, place + 28, _moved(head[20:28], shift)))
        elif chunk.name == b"idx1":
            index = chunk.data(file)
            if _is_absolute(file, chunks, index):
                changes.append(
                    (chunk.start + 8, chunk.end, _moved_entries(index, shift))
                )
    return list(dict.fromkeys(changes))


def _parts_of_index(header: bytes) -> Iterator[int]:
    """Yield the positions of the indexes that an index of indexes lists."""
    left = MAX_PARTS
    for place, size in _indexes(header):
        if header[place + 3] != 0:
            continue
        stated = int.from_bytes(header[place + 4 : place + 8], "little")
        for number in range(min(stated, size // 16)):
            field = place + 24 + 16 * number
            position = int.from_bytes(header[field : field + 8], "little")
            if left == 0:
                raise DamagedMedia(f"it has more than {MAX_PARTS} indexes")
            left -= 1
            if position:
                yield position


def _is_absolute(file: BinaryIO, chunks: list[Chunk], index: bytes) -> bool:
    """Tell whether the old index counts from the beginning of the file.

    It should count from the kind of the list of frames, and often does not.
    """
    base = next(c.start + 8 for c in chunks if list_kind(file, c) == b"movi")
    name, position = index[:4], int.from_bytes(index[8:12], "little")
    if len(index) < 16 or cut(file, base + position, base + position + 4) == name:
        return False
    return cut(file, position, position + 4) == name


def _moved_entries(index: bytes, shift: int) -> bytes:
    count = len(index) // 16
    fields = list(struct.unpack(f"<{4 * count}I", index[: 16 * count]))
    fields[2::4] = [position + shift for position in fields[2::4]]
    if not 0 <= min(fields[2::4]) <= max(fields[2::4]) <= LIMIT:
        raise MetadataError("the index of the file has no room for the AIGC label")
    return struct.pack(f"<{4 * count}I", *fields) + index[16 * count :]


def _moved(field: bytes | bytearray, shift: int) -> bytes:
    """Move a position in eight bytes."""
    position = int.from_bytes(field, "little") + shift
    if not 0 <= position < 1 << 64:
        raise MetadataError("the index of the file is malformed")
    return position.to_bytes(8, "little")
