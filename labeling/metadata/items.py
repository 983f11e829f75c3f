"""The items of an ISO base media file: what they are, where, and what they describe.

References
----------
ISO/IEC 14496-12, sections 8.11.3 (iloc), 8.11.4 (pitm), 8.11.6 (iinf), 8.11.11 (idat)
and 8.11.12 (iref).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from struct import pack

from ..errors import DamagedMedia, MetadataError
from .boxes import Box
from .carrier import MAX_PARTS

__all__ = ["FILE", "INDEX", "Index", "Item", "Place", "box_bytes", "read_index"]

FILE, INDEX = 0, 1
"""Methods to find an item: in the file, and in the ``idat`` box."""

MIME = b"mime"
XMP_TYPE = b"application/rdf+xml"
DESCRIBES = b"cdsc"
MAX_SHORT = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item: a picture, or data about one.

    Parameters
    ----------
    number : int
        What other boxes call it.
    kind : bytes
        Four letters, ``b"mime"`` where `content_type` tells more.
    content_type, encoding : bytes
        As on the Internet; empty for none.
    box : Box
        Where it is announced.
    """

    number: int
    kind: bytes
    content_type: bytes
    encoding: bytes
    box: Box

    @property
    def is_xmp(self) -> bool:
        """Whether it is an XMP packet."""
        return self.content_type.lower().split(b";")[0].strip() == XMP_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an item is.

    Parameters
    ----------
    number : int
        The item.
    method : int
        0 for positions in the file, 1 for those in the ``idat`` box, 2 for those in
        another item.
    source : int
        0 for this file, else the number of another one.
    base : int
        To be added to all positions.
    extents : tuple of (int, int, int)
        Number of the other item, position and length; without a length, all.
    """

    number: int
    method: int = FILE
    source: int = 0
    base: int = 0
    extents: tuple[tuple[int, int, int], ...] = ()

    def moved(self, move: Callable[[int], int], size: int) -> Place:
        """Return where it is after the bytes of the file have moved.

        Parameters
        ----------
        move : callable
            Returns the new position for an old one.
        size : int
            Of the file before. Without a length an extent would reach over what is
            appended.
        """
        if self.method != FILE or self.source:
            return self
        extents = tuple(
            (
                number,
                move(self.base + offset) - self.base,
                length or size - self.base - offset,
            )
            for number, offset, length in self.extents
        )
        return replace(self, extents=extents)


@dataclass(slots=True, kw_only=True, eq=False)
class Index:
    """The items of a file.

    Parameters
    ----------
    content : bytes
        The file.
    box : Box
        Its ``meta`` box.
    children : dict of bytes to Box
        The boxes in it, the first of each kind.
    items : dict of int to Item
        By their number.
    places : list of Place
        In file order.
    primary : int or None
        The number of the picture to be shown first.
    described : dict of int to set of int
        Which items an item is about.
    """

    content: bytes = field(repr=False)
    box: Box
    children: dict[bytes, Box] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    primary: int | None = None
    described: dict[int, set[int]] = field(default_factory=dict)
    _widths: tuple[int, int, int, int] = (4, 4, 0, 0)

    def place(self, number: int) -> Place | None:
        """Return where an item is."""
        return next((place for place in self.places if place.number == number), None)

    def spans(self, place: Place) -> list[tuple[int, int]] | None:
        """Return where an item starts and stops in the file; None if it is elsewhere.

        Raises
        ------
        DamagedMedia
            It reaches beyond the file or the ``idat`` box.
        """
        if place.source or place.method not in (FILE, INDEX):
            return None
        first, last = 0, len(self.content)
        if place.method == INDEX:
            if (data := self.children.get(b"idat")) is None:
                raise DamagedMedia("the box with the data of items is missing")
            first, last = data.inside, data.stop
        found = []
        for _, offset, length in place.extents:
            start = first + place.base + offset
            stop = start + length if length else last
            if not start <= stop <= last:
                raise DamagedMedia(f"item {place.number} is cut off")
            found.append((start, stop))
        return found

    def free_number(self) -> int:
        """Return a number that no item has.

        Raises
        ------
        MetadataError
            There is none.
        """
        used = self.items.keys() | {place.number for place in self.places}
        for number in range(1, MAX_SHORT + 1):
            if number not in used:
                return number
        raise MetadataError("the file has no room for another item")

    def with_item(self, number: int) -> bytes:
        """Return the ``iinf`` box with an item that is a plain XMP packet.

        It takes the place of the one with this number, or is one more.
        """
        box, content = self.children[b"iinf"], self.content
        width = 4 if content[box.inside] else 2
        start = box.inside + 4
        inside = start + width
        count = int.from_bytes(content[start:inside])
        earlier = self.items.get(number)
        if earlier is None:
            count += 1
            before, after = content[inside : box.stop], b""
        else:
            before = content[inside : earlier.box.start]
            after = content[earlier.box.stop : box.stop]
        if count >= 1 << 8 * width:
            raise MetadataError("the file has no room for another item")
        version, form = (2, ">I2H4s") if number <= MAX_SHORT else (3, ">2IH4s")
        data = pack(form, version << 24, number, 0, MIME) + b"\0" + XMP_TYPE + b"\0"
        head = content[box.inside : start] + count.to_bytes(width)
        return box_bytes(b"iinf", head, before, box_bytes(b"infe", data), after)

    def with_reference(self, number: int) -> bytes:
        """Return the ``iref`` box with an item that describes the primary one."""
        box, content = self.children.get(b"iref"), self.content
        if self.primary is None:
            return b"" if box is None else content[box.start : box.stop]
        if box is None:
            head, kept = bytes([self.primary > MAX_SHORT, 0, 0, 0]), b""
        else:
            head = content[box.inside : box.inside + 4]
            kept = content[box.inside + 4 : box.stop]
        form = ">IHI" if head[0] else ">3H"
        if self.primary > MAX_SHORT and not head[0]:
            raise MetadataError("the primary item has a number that does not fit")
        reference = box_bytes(DESCRIBES, pack(form, number, 1, self.primary))
        return box_bytes(b"iref", head, kept, reference)

    def with_places(self, places: Iterable[Place]) -> bytes:
        """Return the ``iloc`` box for other places.

        Its size does not depend on the positions.

        Raises
        ------
        MetadataError
            A position or length does not fit.
        """
        box, places = self.children[b"iloc"], list(places)
        version = self.content[box.inside]
        offset_width, length_width, base_width, number_width = self._widths
        offset_width, length_width = max(4, offset_width), max(4, length_width)
        widths = offset_width << 4 | length_width, base_width << 4 | number_width
        wide = 4 if version == 2 else 2
        parts = [self.content[box.inside : box.inside + 4], bytes(widths)]
        try:
            parts.append(len(places).to_bytes(wide))
            for place in places:
                parts.append(place.number.to_bytes(wide))
                parts.append(place.method.to_bytes(2 if version else 0))
                parts.append(place.source.to_bytes(2))
                parts.append(place.base.to_bytes(base_width))
                parts.append(len(place.extents).to_bytes(2))
                for number, offset, length in place.extents:
                    parts.append(number.to_bytes(number_width))
                    parts.append(offset.to_bytes(offset_width))
                    parts.append(length.to_bytes(length_width))
        except OverflowError as error:
            raise MetadataError("a position in the file does not fit") from error
        return box_bytes(b"iloc", *parts)


class _Numbers:
    """Whole numbers of a box, one after the other."""

    def __init__(self, content: bytes, box: Box) -> None:
        self._content, self._box = content, box
        self._position = box.inside
        self.version = self.take(4) >> 24

    @property
    def position(self) -> int:
        return self._position

    def take(self, width: int) -> int:
        """Return the next number, 0 for one without bytes."""
        start, self._position = self._position, self._position + width
        if self._position > self._box.stop:
            kind = self._box.kind.decode("latin-1")
            raise DamagedMedia(f"the {kind!a} box is malformed")
        return int.from_bytes(self._content[start : self._position])


def box_bytes(kind: bytes, *parts: bytes) -> bytes:
    """Return a box with its header."""
    return pack(">I4s", 8 + sum(len(part) for part in parts), kind) + b"".join(parts)


def read_index(content: bytes, box: Box) -> Index:
    """Read the index of items in a ``meta`` box.

    Raises
    ------
    DamagedMedia
        A box in it is malformed, or there are too many.
    """
    index = Index(content=content, box=box)
    for child in _inner(content, box.inside + 4, box.stop):
        index.children.setdefault(child.kind, child)
    for kind, read in _READERS.items():
        if kind in index.children:
            read(index, index.children[kind])
    return index


def _inner(content: bytes, position: int, stop: int) -> Iterator[Box]:
    """Yield the boxes in a stretch of the file."""
    for _ in range(MAX_PARTS):
        if position >= stop:
            return
        size, inside = int.from_bytes(content[position : position + 4]), position + 8
        if size == 1:
            size = int.from_bytes(content[inside : inside + 8])
            inside += 8
        elif size == 0:
            size = stop - position
        end = position + size
        if not inside <= end <= stop:
            raise DamagedMedia(f"the box at byte {position} is malformed")
        kind = content[position + 4 : position + 8]
        yield Box(kind=kind, start=position, inside=inside, stop=end)
        position = end
    raise DamagedMedia(f"it has more than {MAX_PARTS} items")


def _read_primary(index: Index, box: Box) -> None:
    numbers = _Numbers(index.content, box)
    index.primary = numbers.take(4 if numbers.version else 2)


def _read_items(index: Index, box: Box) -> None:
    content = index.content
    numbers = _Numbers(content, box)
    numbers.take(4 if numbers.version else 2)
    for entry in _inner(content, numbers.position, box.stop):
        if entry.kind != b"infe":
            continue
        fields = _Numbers(content, entry)
        number = fields.take(4 if fields.version == 3 else 2)
        fields.take(2)
        kind = fields.take(4).to_bytes(4) if fields.version > 1 else MIME
        texts = [*content[fields.position : entry.stop].split(b"\0", 3), b"", b""]
        _, content_type, encoding = texts[:3] if kind == MIME else (b"", b"", b"")
        index.items.setdefault(
            number,
            Item(
                number=number,
                kind=kind,
                content_type=content_type,
                encoding=encoding,
                box=entry,
            ),
        )


def _read_places(index: Index, box: Box) -> None:
    numbers = _Numbers(index.content, box)
    version, widths = numbers.version, numbers.take(2)
    wide = 4 if version == 2 else 2
    offset, length, base, number = (widths >> shift & 15 for shift in (12, 8, 4, 0))
    if version > 2 or {offset, length, base} - {0, 4, 8}:
        raise DamagedMedia("the places of the items are told in an unknown way")
    number = number if version else 0
    index._widths = offset, length, base, number
    left = MAX_PARTS
    for _ in range(numbers.take(wide)):
        item = numbers.take(wide)
        method = numbers.take(2) & 15 if version else FILE
        source, start, count = numbers.take(2), numbers.take(base), numbers.take(2)
        left -= 1 + count
        if left < 0:
            raise DamagedMedia(f"it has more than {MAX_PARTS} parts of items")
        extents = tuple(
            (numbers.take(number), numbers.take(offset), numbers.take(length))
            for _ in range(count)
        )
        index.places.append(
            Place(
                number=item, method=method, source=source, base=start, extents=extents
            )
        )


def _read_references(index: Index, box: Box) -> None:
    content = index.content
    wide = 4 if _Numbers(content, box).version else 2
    for entry in _inner(content, box.inside + 4, box.stop):
        if entry.kind != DESCRIBES:
            continue
        start = entry.inside
        subject = int.from_bytes(content[start : start + wide])
        start += wide + 2
        count = int.from_bytes(content[start - 2 : start])
        stop = min(start + count * wide, entry.stop)
        index.described.setdefault(subject, set()).update(
            int.from_bytes(content[i : i + wide]) for i in range(start, stop, wide)
        )


_READERS = {
    b"pitm": _read_primary,
    b"iinf": _read_items,
    b"iloc": _read_places,
    b"iref": _read_references,
}
