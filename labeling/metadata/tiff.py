"""TIFF: XMP in tag 700 of the first page (XMP part 3, 1.1.6; TC260-PG-20259A, 6).

Nothing that a file holds is moved. What is new goes to its end, and what it takes the
place of is overwritten with zeros unless something else shares its bytes.

References
----------
TIFF 6.0, section 2; BigTIFF design note of libtiff; Exif 3.0, section 4.6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, zip_longest

from ..errors import DamagedMedia, MetadataError
from . import aigc, exif, xmp
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey

__all__ = ["is_tiff", "read_carriers", "replace_xmp"]

XMP = 700
# SubIFDs, Exif, GPS and interoperability.
POINTERS = {330, exif.EXIF_IFD, 0x8825, 0xA005}
# Where the data of strips, tiles and a JPEG picture are, and how long.
DATA = {273: 279, 324: 325, 513: 514}
BYTES, BYTE = (1, 2, 6, 7), 1
INTEGERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
WIDTHS |= {13: 4, 16: 8, 17: 8, 18: 8}
# Entries of all directories together, and pieces of picture data.
MAX_ENTRIES = 10 * MAX_PARTS


@dataclass(frozen=True, slots=True)
class _Entry:
    """A field: its entry at `position`, its value from `start` to `stop`."""

    tag: int
    kind: int
    position: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Directory:
    """A page, or a directory below one; where its table is, and what matters in it."""

    name: str
    start: int
    stop: int
    entries: tuple[_Entry, ...]

    def each(self, tag: int) -> list[_Entry]:
        return [entry for entry in self.entries if entry.tag == tag]


@dataclass(slots=True, eq=False)
class _File:
    """The directories of a file, and the bytes that they name.

    `spans` tells what is in use, where it starts and stops; `problem` what ended the
    walk early.
    """

    content: bytes
    order: str
    big: bool
    directories: list[_Directory] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    problem: str = ""
    left: int = MAX_ENTRIES

    def form(self, classic: str, big: str) -> struct.Struct:
        return struct.Struct(self.order + (big if self.big else classic))

    def is_alone(self, start: int, stop: int) -> bool:
        """Tell whether no more than one thing uses any of these bytes."""
        return sum(first < stop and start < last for first, last in self.spans) <= 1


@dataclass(frozen=True, slots=True)
class _Found:
    """A carrier, where it stands, and what is left of it without its label."""

    carrier: Carrier
    start: int
    stop: int
    blank: bytes


def is_tiff(content: bytes) -> bool:
    """Tell whether the file begins as TIFF or BigTIFF does."""
    return content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_carriers(content: bytes) -> Survey:
    """Find the XMP packets of a TIFF file and the labels in its EXIF comments.

    Of further pages those packets count that mention a label.
    """
    file = _opened(content)
    found = list(islice(_found(file), MAX_CARRIERS + 1))
    problems = [file.problem] if file.problem else []
    complete = len(found) <= MAX_CARRIERS
    if not complete:
        problems.append(f"more than {MAX_CARRIERS} XMP packets and AIGC comments")
    return Survey(
        carriers=tuple(one.carrier for one in found[:MAX_CARRIERS]),
        problems=tuple(problems),
        complete=complete,
    )


def replace_xmp(content: bytes, packet: bytes) -> bytes:
    """Put one XMP packet at the end of the file and blank every other label.

    Where the first page has no packet yet, a new directory for it precedes the packet.
    Picture data and all other directories stay where they are.

    Raises
    ------
    DamagedMedia
        A directory, value or strip reaches beyond the end, or there is no page.
    MetadataError
        The first page has no room for another field.
    """
    file = _opened(content)
    found = list(_found(file))
    if file.problem:
        raise DamagedMedia(f"is not a whole TIFF file: {file.problem}")
    output = bytearray(content)
    page = file.directories[0]
    earlier = page.each(XMP)
    for one in found:
        if file.is_alone(one.start, one.stop):
            output[one.start : one.stop] = one.blank
    if len(earlier) != 1:
        output += bytes(-len(output) % 8)
        place = len(output)
        file.form("I", "Q").pack_into(output, 8 if file.big else 4, place)
        directory, at = _with_packet(file, page)
        output += directory
        at += place
    else:
        at, last = earlier[0].position, earlier[0]
        if last.stop == len(content) and file.is_alone(last.start, last.stop):
            del output[last.start :]
        output += bytes(len(output) % 2)
    field_form = file.form("HHII", "HHQQ")
    field_form.pack_into(output, at, XMP, BYTE, len(packet), len(output))
    return bytes(output + packet)


def _with_packet(file: _File, page: _Directory) -> tuple[bytes, int]:
    """Return the table of a page with one field for XMP, and where that is in it."""
    count, pointer = file.form("H", "Q"), file.form("I", "Q")
    size = file.form("HHII", "HHQQ").size
    table = file.content[page.start + count.size : page.stop - pointer.size]
    fields = [table[i : i + size] for i in range(0, len(table), size)]
    tag = struct.Struct(file.order + "H")
    ours = tag.pack(XMP).ljust(size, b"\0")
    fields = [one for one in fields if one[:2] != ours[:2]] + [ours]
    fields.sort(key=lambda one: tag.unpack_from(one))
    if not file.big and len(fields) > 0xFFFF:
        raise MetadataError("the first page has no room for another field")
    following = file.content[page.stop - pointer.size : page.stop]
    head = count.pack(len(fields))
    return head + b"".join(fields) + following, len(head) + size * fields.index(ours)


def _opened(content: bytes) -> _File:
    """Find all directories of a file and what they name."""
    order = "<" if content[:2] == b"II" else ">"
    file = _File(content=content, order=order, big=b"+" in content[2:4])
    pointer = file.form("I", "Q")
    head = 16 if file.big else 8
    if len(content) < head:
        file.problem = "its header is cut off"
        return file
    if file.big and struct.unpack_from(order + "HH", content, 4) != (8, 0):
        file.problem = "its header has offsets of an unknown size"
        return file
    file.spans.append((0, head))
    (first,) = pointer.unpack_from(content, head - pointer.size)
    below = list(_chain(file, first, "IFD", set()))
    seen = {directory.start for directory in below}
    # What is below a page may have further directories below it.
    while below and not file.problem:
        directory = below.pop()
        for entry in directory.entries:
            if entry.tag in POINTERS:
                name = "Exif IFD" if entry.tag == exif.EXIF_IFD else "SubIFD"
                for start in _numbers(file, entry):
                    below += _chain(file, start, name, seen)
    if not file.directories and not file.problem:
        file.problem = "it has no page"
    for directory in file.directories:
        _add_data(file, directory)
    return file


def _chain(file: _File, start: int, name: str, seen: set[int]) -> Iterator[_Directory]:
    """Yield a directory and those that follow it, each once."""
    pages: set[int] = set()
    while start and not file.problem:
        if start in pages:
            file.problem = "its directories form a circle"
            return
        if start in seen:  # pages may share what describes them
            return
        pages.add(start)
        seen.add(start)
        number = len(pages) - 1 if name == "IFD" else ""
        directory = _directory(file, start, f"{name}{number}")
        if directory is None:
            return
        file.directories.append(directory)
        yield directory
        pointer = file.form("I", "Q")
        (start,) = pointer.unpack_from(file.content, directory.stop - pointer.size)


def _directory(file: _File, start: int, name: str) -> _Directory | None:
    """Read a table; None where it is malformed."""
    content = file.content
    count, pointer, form = (
        file.form("H", "Q"),
        file.form("I", "Q"),
        file.form("HHII", "HHQQ"),
    )
    if start + count.size > len(content):
        file.problem = f"its {name} is cut off"
        return None
    (number,) = count.unpack_from(content, start)
    inside = start + count.size
    after = inside + number * form.size
    if after + pointer.size > len(content):
        file.problem = f"its {name} is cut off"
        return None
    file.left -= number + 1
    if file.left < 0:
        file.problem = f"it has more than {MAX_ENTRIES} fields"
        return None
    entries = []
    position = inside
    for tag, kind, length, value in form.iter_unpack(content[inside:after]):
        size = length * WIDTHS.get(kind, 0)
        own = position + form.size - pointer.size
        if size > pointer.size:
            if value + size > len(content):
                file.problem = f"field {tag} of its {name} is cut off"
                return None
            file.spans.append((value, value + size))
            own = value
        if tag == XMP or tag in POINTERS or tag in exif.COMMENTS or _is_data(tag):
            entries.append(_Entry(tag, kind, position, own, own + size))
        position += form.size
    file.spans.append((start, after + pointer.size))
    return _Directory(name, start, after + pointer.size, tuple(entries))


def _is_data(tag: int) -> bool:
    return tag in DATA or tag in DATA.values()


def _numbers(file: _File, entry: _Entry) -> tuple[int, ...]:
    """Return the value of a field of whole numbers."""
    if entry.kind not in INTEGERS:
        return ()
    count = (entry.stop - entry.start) // WIDTHS[entry.kind]
    file.left -= count
    if file.left < 0:
        file.problem = f"it has more than {MAX_ENTRIES} fields and pieces"
        return ()
    form = f"{file.order}{count}{INTEGERS[entry.kind]}"
    return struct.unpack_from(form, file.content, entry.start)


def _add_data(file: _File, directory: _Directory) -> None:
    """Take note of where the picture data of a page are."""
    for tag, tag_of_length in DATA.items():
        starts = [n for entry in directory.each(tag) for n in _numbers(file, entry)]
        lengths = (n for e in directory.each(tag_of_length) for n in _numbers(file, e))
        for start, length in zip_longest(starts, islice(lengths, len(starts))):
            # Without a length it may reach to the end.
            stop = len(file.content) if length is None else start + length
            if stop > len(file.content) and not file.problem:
                file.problem = (
                    f"a piece of the picture in its {directory.name} is cut off"
                )
            file.spans.append((start, stop))


def _found(file: _File) -> Iterator[_Found]:
    """Yield what may carry a label, the packets of the first page first."""
    # Values of a sound file do not overlap, so there are no more bytes than these.
    left = len(file.content)
    for index, directory in enumerate(file.directories):
        for entry in directory.entries:
            is_text = entry.tag in exif.COMMENTS and entry.kind in exif.TEXT_TYPES
            if not is_text and (entry.tag != XMP or entry.kind not in BYTES):
                continue
            start, stop = entry.start, entry.stop
            if is_text:
                stop = min(stop, start + aigc.MAX_BYTES)
            left -= stop - start
            if left < 0:
                file.problem = file.problem or "its fields overlap"
                return
            value = file.content[start:stop]
            if is_text:
                name = f"EXIF {exif.COMMENTS[entry.tag]} in {directory.name}"
                if label := exif.label_in(value, file.order):
                    carrier = Carrier(
                        kind=Kind.TEXT, place=name, content=label[1].encode()
                    )
                    start += label[0]
                    yield _Found(carrier, start, entry.stop, bytes(entry.stop - start))
            elif not index:
                carrier = Carrier(kind=Kind.XMP, place="XMP", content=value)
                yield _Found(carrier, start, stop, bytes(len(value)))
            elif b"AIGC" in value or b"A\0I\0G\0C" in value:
                place = f"XMP in {directory.name}"
                carrier = Carrier(kind=Kind.EXTENDED_XMP, place=place, content=value)
                yield _Found(carrier, start, stop, xmp.blanked(value))
