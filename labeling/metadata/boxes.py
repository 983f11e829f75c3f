"""Boxes of ISO base media files, and the positions in them that point to samples.

References
----------
ISO/IEC 14496-12, sections 4.2, 8.7.2 (dref), 8.7.5 (stco, co64), 8.7.9 (saio),
8.8.7 (tfhd), 8.8.10 (tfra), 8.11.3 (iloc).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ..errors import DamagedMedia
from .carrier import MAX_PARTS
from .parts import cut, size_of

__all__ = ["Box", "Node", "boxes", "move_positions", "parse"]

_FOUR_BYTES = 0xFFFFFFFF
# Where to look inside; what is not named here is kept as bytes.
_HOLDERS = {
    b"moov": {b"trak", b"udta", b"meta"},
    b"trak": {b"mdia", b"udta", b"meta"},
    b"mdia": {b"minf"},
    b"minf": {b"dinf", b"stbl"},
    b"dinf": set(),
    b"stbl": set(),
    b"udta": {b"meta"},
    b"meta": {b"ilst"},
    b"moof": {b"traf"},
    b"traf": set(),
    b"mfra": set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An outermost box: its header at `start`, its content from `inside` to `stop`.

    One without a length is the last of its file, and `open`.
    """

    kind: bytes
    start: int
    inside: int
    stop: int
    open: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """A box in memory: bytes, and further boxes between them and the `tail`."""

    kind: bytes
    content: bytes = b""
    children: list[Node] = field(default_factory=list)
    tail: bytes = b""

    def pack(self) -> bytes:
        """Return all its bytes."""
        inside = (self.content, *(child.pack() for child in self.children), self.tail)
        body = b"".join(inside)
        return struct.pack(">I4s", 8 + len(body), self.kind) + body

    def each(self, kind: bytes) -> list[Node]:
        """Return the children of a kind."""
        return [child for child in self.children if child.kind == kind]

    def first(self, kind: bytes) -> Node | None:
        """Return the first child of a kind."""
        return next((child for child in self.children if child.kind == kind), None)

    def walk(self) -> Iterator[Node]:
        """Yield this box and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def boxes(file: BinaryIO) -> tuple[list[Box], str]:
    """Return the outermost boxes of a file; also say what ended the walk early."""
    found: list[Box] = []
    position, end = 0, size_of(file)
    while position < end:
        if len(found) == MAX_PARTS:
            return found, f"it has more than {MAX_PARTS} boxes"
        head = cut(file, position, position + 16)
        if len(head) < 8 and not any(head):
            break  # padding
        size, kind, inside = int.from_bytes(head[:4]), head[4:8], position + 8
        endless = size == 0
        if size == 1:
            size, inside = int.from_bytes(head[8:16]), position + 16
        elif endless:
            size = end - position
        stop = position + size
        if len(head) < 8 or not inside <= stop <= end:
            return found, f"the box at byte {position} is cut off"
        found.append(
            Box(kind=kind, start=position, inside=inside, stop=stop, open=endless)
        )
        position = stop
    return found, "" if found else "it is empty"


def parse(file: BinaryIO, box: Box) -> Node:
    """Take a box into memory, with those below it that matter here.

    Raises
    ------
    DamagedMedia
        A box reaches beyond the one that it is in.
    MediaTooLarge
        The box is beyond the limits.
    """
    budget = [MAX_PARTS]
    return _node(box.kind, cut(file, box.inside, box.stop), budget)


def move_positions(root: Node, move: Callable[[int], int]) -> bool:
    """Change every position of samples below a box; false if that cannot be.

    It cannot where a position does not fit, is compressed, points into another file
    or belongs to a picture.

    Parameters
    ----------
    root : Node
        A ``moov``, ``moof`` or ``mfra`` box.
    move : callable
        Returns the new position for an old one.
    """
    for node in root.walk():
        content = node.content
        if node.kind in (b"cmov", b"iloc") or _is_elsewhere(node):
            return False
        if node.kind in (b"stco", b"co64"):
            if not _move_listed(node, 4, node.kind == b"co64", move):
                return False
        elif node.kind == b"saio" and root.kind == b"moov":
            start = 12 if content[3:4] and content[3] & 1 else 4
            if not _move_listed(node, start, content[:1] > b"\0", move):
                return False
        elif node.kind == b"tfhd" and len(content) >= 16 and content[3] & 1:
            moved = move(int.from_bytes(content[8:16])).to_bytes(8)
            node.content = content[:8] + moved + content[16:]
        elif node.kind == b"tfra" and len(content) >= 16:
            moved_entries = _moved_entries(content, move)
            if moved_entries is None:
                return False
            node.content = moved_entries
    return True


def _is_elsewhere(node: Node) -> bool:
    """Tell whether a list of data references names another file."""
    content, position = node.content, 8
    if node.kind != b"dref":
        return False
    while position + 12 <= len(content):
        if not content[position + 11] & 1:
            return True
        position += max(12, int.from_bytes(content[position : position + 4]))
    return False


def _move_listed(
    node: Node, start: int, wide: bool, move: Callable[[int], int]
) -> bool:
    """Move the positions of a list, whose number stands at `start`."""
    content = node.content
    form, width = ("Q", 8) if wide else ("I", 4)
    first = start + 4
    count = int.from_bytes(content[start:first])
    count = max(0, min(count, (len(content) - first) // width))
    stop = first + count * width
    old = struct.unpack(f">{count}{form}", content[first:stop])
    new = [move(position) for position in old]
    if not wide and max(new, default=0) > _FOUR_BYTES:
        return False
    packed = struct.pack(f">{count}{form}", *new)
    node.content = content[:first] + packed + content[stop:]
    return True


def _moved_entries(content: bytes, move: Callable[[int], int]) -> bytes | None:
    """Move the positions of fragments in a random access box."""
    width = 8 if content[0] else 4
    lengths = int.from_bytes(content[8:12])
    step = 2 * width + sum((lengths >> shift & 3) + 1 for shift in (4, 2, 0))
    count = min(int.from_bytes(content[12:16]), (len(content) - 16) // step)
    changed = bytearray(content)
    for start in range(16 + width, 16 + width + count * step, step):
        position = move(int.from_bytes(content[start : start + width]))
        if position >= 1 << 8 * width:
            return None
        changed[start : start + width] = position.to_bytes(width)
    return bytes(changed)


def _node(kind: bytes, content: bytes, budget: list[int]) -> Node:
    head = 0
    if kind == b"meta" and content[4:8] != b"hdlr":
        head = 4  # version and flags, which QuickTime leaves out
    node = Node(kind, content[:head])
    position = head
    while position + 8 <= len(content):
        size, name = struct.unpack(">I4s", content[position : position + 8])
        inside = position + 8
        if size == 1:
            size = int.from_bytes(content[inside : inside + 8])
            inside += 8
        elif size == 0:
            if not any(content[position:]):
                break  # QuickTime ends a list with a zero
            size = len(content) - position
        stop = position + size
        if not inside <= stop <= len(content):
            if kind in (b"udta", b"meta", b"ilst"):
                break  # kept as it is; whoever wrote it may read it
            raise DamagedMedia(f"the {kind.decode('latin-1')!a} box is malformed")
        budget[0] -= 1
        if budget[0] < 0:
            raise DamagedMedia(f"it has more than {MAX_PARTS} boxes")
        inner = content[inside:stop]
        if kind == b"ilst":
            node.children.append(_item(name, inner, budget))
        elif name in _HOLDERS[kind]:
            node.children.append(_node(name, inner, budget))
        else:
            node.children.append(Node(name, inner))
        position = stop
    node.tail = content[position:]
    return node


def _item(name: bytes, content: bytes, budget: list[int]) -> Node:
    """Return an item of metadata with its boxes."""
    node = Node(name)
    position = 0
    while position + 8 <= len(content) and budget[0] > 0:
        size, kind = struct.unpack(">I4s", content[position : position + 8])
        if not 8 <= size <= len(content) - position:
            break
        budget[0] -= 1
        node.children.append(Node(kind, content[position + 8 : position + size]))
        position += size
    node.tail = content[position:]
    return node
