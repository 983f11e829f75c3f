"""HEIC, HEIF, AVIF: XMP as an item of the ``meta`` box (TC260-PG-20259A, clause 6).

The packet stands in a box of its own at the end of the file. Of what was there, only
the index of items grows, and positions that point behind it move with it. A sequence
of pictures without such an index has its packet in a ``uuid`` box, as MP4 has.

References
----------
ISO/IEC 23008-12, annex A (Exif, XMP); ISO/IEC 14496-12, section 8.11; Adobe XMP
specification, part 3, 1.2.7.1.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

from ..errors import DamagedMedia, MetadataError
from . import exif, parts, xmp
from .boxes import Box, boxes, move_positions, parse
from .carrier import MAX_CARRIERS, Carrier, Kind, Survey
from .items import Index, Place, box_bytes, read_index

__all__ = ["is_heif", "read_carriers", "replace_xmp"]

BRANDS = frozenset(
    b"mif1 mif2 msf1 miaf heic heix heim heis hevc hevx hevm hevs avif avis".split()
)
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
NEEDED = (b"iinf", b"iloc")
MAX_INFLATED_BYTES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A carrier, where its bytes are, and what is left of them without its label.

    It is an item with a `number`, or a box of its own.
    """

    carrier: Carrier
    spans: list[tuple[int, int]]
    blank: bytes
    number: int | None = None
    box: Box | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class _File:
    """The outermost boxes of a file, its index of items, and what may carry a label.

    `used` tells where items start and stop, `problem` what ended the walk early.
    """

    content: bytes
    outer: list[Box]
    index: Index | None = None
    used: list[tuple[int, int]] = field(default_factory=list)
    found: list[_Found] = field(default_factory=list)
    problem: str = ""

    def is_alone(self, start: int, stop: int) -> bool:
        """Tell whether no more than one item uses any of these bytes."""
        return sum(first < stop and start < last for first, last in self.used) <= 1

    def main(self) -> _Found | None:
        """Return the packet that is about the picture."""
        return next((one for one in self.found if one.carrier.kind is Kind.XMP), None)


def is_heif(content: bytes) -> bool:
    """Tell whether the file begins as one of pictures in boxes does."""
    size = min(int.from_bytes(content[:4]), 1024)
    brands = content[8:12], *(content[i : i + 4] for i in range(16, size - 3, 4))
    return content[4:8] == b"ftyp" and not BRANDS.isdisjoint(brands)


def read_carriers(content: bytes) -> Survey:
    """Find the XMP packets and EXIF blocks of a HEIC, HEIF or AVIF file.

    Of packets about other than the primary picture those count that mention a label.
    """
    file = _opened(content)
    problems = [file.problem] if file.problem else []
    complete = len(file.found) <= MAX_CARRIERS
    if not complete:
        problems.append(f"more than {MAX_CARRIERS} XMP packets and EXIF blocks")
    return Survey(
        carriers=tuple(one.carrier for one in file.found[:MAX_CARRIERS]),
        problems=tuple(problems),
        complete=complete,
    )


def replace_xmp(content: bytes, packet: bytes) -> bytes:
    """Put one XMP packet at the end of the file and blank every other label.

    Pictures and all other items stay as they are.

    Raises
    ------
    DamagedMedia
        The boxes do not fill the file, or an item reaches beyond it.
    MetadataError
        The index of items cannot be moved.
    """
    file = _opened(content)
    if file.problem:
        raise DamagedMedia(f"is not a whole HEIF file: {file.problem}")
    output = bytearray(content)
    for one in file.found:
        _blank(file, one, output)
    main, last = file.main(), file.outer[-1]
    changes: list[tuple[int, int, bytes]] = []
    if main and file.is_alone(last.inside, last.stop) and _is_all(main, last):
        changes.append((last.start, last.stop, b""))
    if last.open:
        output[last.start : last.start + 4] = (last.stop - last.start).to_bytes(4)
    if file.index is not None:
        added = box_bytes(b"mdat", packet)
        changes = _announced(file, file.index, len(packet), changes, output)
    else:
        added = box_bytes(b"uuid", XMP_UUID, packet)
        if main and main.box and not changes:
            output[main.box.start + 4 : main.box.start + 8] = b"free"
    target = BytesIO()
    stretches = parts.replace(0, len(content), changes)
    parts.copy(BytesIO(output), stretches, target)
    return target.getvalue() + added


def _opened(content: bytes) -> _File:
    """Find the items of a file and what may carry a label."""
    outer, problem = boxes(BytesIO(content))
    file = _File(content=content, outer=outer, problem=problem)
    try:
        indexes = [box for box in outer if box.kind == b"meta"]
        if len(indexes) > 1:
            raise DamagedMedia("it has several indexes of items")
        for box in indexes:
            index = read_index(content, box)
            if all(kind in index.children for kind in NEEDED):
                file.index = index
        if not indexes and not problem and all(box.kind != b"moov" for box in outer):
            raise DamagedMedia("it has no picture")
        _find(file)
    except DamagedMedia as error:
        file.problem = file.problem or error.problem
    return file


def _find(file: _File) -> None:
    """Collect the items and boxes that may carry a label."""
    content, index = file.content, file.index
    # Items of a sound file do not overlap, so there are no more bytes than these.
    left = len(content)
    for place in index.places if index else ():
        assert index is not None
        spans = index.spans(place)
        file.used += spans or ()
        item = index.items.get(place.number)
        if item is None or not (item.is_xmp or item.kind == b"Exif"):
            continue
        if spans is None:
            file.problem = f"the data of item {place.number} are elsewhere"
            continue
        left -= sum(stop - start for start, stop in spans)
        if left < 0:
            raise DamagedMedia("its items overlap")
        data = b"".join(content[start:stop] for start, stop in spans)
        if item.kind == b"Exif":
            carrier, blank = _exif(data)
        else:
            about = index.described.get(place.number, {index.primary})
            is_main = index.primary in about and file.main() is None
            packet = _decoded(data, item.encoding)
            carrier = _packet(packet, is_main)
            blank = bytes(len(data)) if is_main else xmp.blanked(data)
        file.found.append(
            _Found(carrier=carrier, spans=spans, blank=blank, number=place.number)
        )
    for box in file.outer:
        start = box.inside + 16
        if box.kind == b"uuid" and content[box.inside : start] == XMP_UUID:
            data = content[start : box.stop]
            is_main = index is None and file.main() is None
            blank = bytes(len(data)) if is_main else xmp.blanked(data)
            spans = [(start, box.stop)]
            file.used += spans
            file.found.append(
                _Found(
                    carrier=_packet(data, is_main), spans=spans, blank=blank, box=box
                )
            )
    file.found = [one for one in file.found if _matters(one.carrier)]


def _matters(carrier: Carrier) -> bool:
    content = carrier.content
    mentions = b"AIGC" in content or b"A\0I\0G\0C" in content
    return mentions or carrier.kind is not Kind.EXTENDED_XMP


def _packet(content: bytes, is_main: bool) -> Carrier:
    if is_main:
        return Carrier(kind=Kind.XMP, place="XMP", content=content)
    return Carrier(kind=Kind.EXTENDED_XMP, place="further XMP", content=content)


def _exif(data: bytes) -> tuple[Carrier, bytes]:
    """Return the block of an EXIF item, and the item without its labels."""
    start = 4 + int.from_bytes(data[:4])
    if data[start : start + 2] not in (b"II", b"MM"):
        start = 4
    block = data[start:]
    carrier = Carrier(kind=Kind.EXIF, place="EXIF", content=block)
    return carrier, data[:start] + exif.without_labels(block)


def _decoded(data: bytes, encoding: bytes) -> bytes:
    """Return a packet that may be compressed, empty where that cannot be undone."""
    if not encoding:
        return data
    # Both with and without a header, as RFC 9110, 8.4.1.2 tells of deflate.
    window = 31 if encoding == b"gzip" else 15 if data[:1] == b"x" else -15
    inflater = zlib.decompressobj(window)
    try:
        packet = inflater.decompress(data, MAX_INFLATED_BYTES)
    except zlib.error:
        return b""
    return packet if inflater.eof else b""


def _blank(file: _File, one: _Found, output: bytearray) -> None:
    """Overwrite a label where nothing else uses its bytes."""
    position = 0
    for start, stop in one.spans:
        if file.is_alone(start, stop):
            output[start:stop] = one.blank[position : position + stop - start]
        position += stop - start


def _is_all(found: _Found, box: Box) -> bool:
    """Tell whether there is nothing else in a box."""
    return found.box == box or found.spans == [(box.inside, box.stop)]


def _announced(
    file: _File,
    index: Index,
    size: int,
    changes: list[tuple[int, int, bytes]],
    output: bytearray,
) -> list[tuple[int, int, bytes]]:
    """Return the changes that announce a packet at the end of the file.

    Parameters
    ----------
    size : int
        Of the packet, in bytes.
    changes : list of (int, int, bytes)
        Those that are there already.
    output : bytearray
        The file, in which the size of the index is corrected.
    """
    main = file.main()
    number = index.free_number() if main is None else main.number
    assert number is not None
    kept = [place for place in index.places if place.number != number]
    item = index.items.get(number)
    if item is None or item.encoding:
        box = index.children[b"iinf"]
        changes.append((box.start, box.stop, index.with_item(number)))
    if item is None:
        stop = index.box.stop
        earlier = index.children.get(b"iref")
        start, stop = (earlier.start, earlier.stop) if earlier else (stop, stop)
        changes.append((start, stop, index.with_reference(number)))
    box = index.children[b"iloc"]
    place = Place(number=number, extents=((0, 0, size),))
    changes.append((box.start, box.stop, index.with_places([*kept, place])))
    move = parts.mover((start, stop, len(new)) for start, stop, new in sorted(changes))
    end = move(len(file.content))
    place = Place(number=number, extents=((0, end + 8, size),))
    moved = [place.moved(move, len(file.content)) for place in kept]
    changes[-1] = box.start, box.stop, index.with_places([*moved, place])
    grown = move(index.box.stop) - move(index.box.start)
    wide = index.box.inside - index.box.start == 16
    start, width = (index.box.start + 8, 8) if wide else (index.box.start, 4)
    output[start : start + width] = grown.to_bytes(width)
    return sorted([*changes, *_moved_indexes(file, move)])


def _moved_indexes(
    file: _File, move: Callable[[int], int]
) -> list[tuple[int, int, bytes]]:
    """Return the indexes of a sequence, with positions that follow what moved."""
    changes = []
    for box in file.outer:
        if box.kind not in (b"moov", b"moof", b"mfra"):
            continue
        root = parse(BytesIO(file.content), box)
        packed = root.pack()
        if not move_positions(root, move) or len(packed) != box.stop - box.start:
            raise MetadataError("the index of the sequence cannot be moved")
        changes.append((box.start, box.stop, root.pack()))
    return changes
