"""Elements of EBML (RFC 8794), of which Matroska and WebM files are made."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DamagedMedia
from .carrier import MAX_PARTS

__all__ = [
    "CRC",
    "HEADER",
    "VOID",
    "Element",
    "Node",
    "element",
    "identifier",
    "length",
    "parse",
    "void",
]

HEADER, VOID, CRC = 0x1A45DFA3, 0xEC, 0xBF

MAX_DEPTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element in a file: its head at `start`, its content from `inside` to `stop`.

    One whose length is not known is `open`, and stops where its parent does.
    """

    kind: int
    start: int
    inside: int
    stop: int
    open: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """An element in memory: either bytes or further elements.

    Its length is written in at least `width` bytes.
    """

    kind: int
    content: bytes = b""
    children: list[Node] | None = None
    width: int = 1

    def pack(self, wider: int = 0) -> bytes:
        """Return all its bytes, with checksums renewed.

        Parameters
        ----------
        wider : int, optional
            How many bytes more than necessary its length is to have.
        """
        body = self.content
        if self.children is not None:
            body = b"".join(
                child.pack() for child in self.children if child.kind != CRC
            )
            if any(child.kind == CRC for child in self.children):
                body = Node(CRC, zlib.crc32(body).to_bytes(4, "little")).pack() + body
        # All bits set would say that the length is not known.
        least = -(-(len(body) + 1).bit_length() // 7)
        width = min(8, max(self.width, least) + wider)
        return identifier(self.kind) + length(len(body), width) + body

    def each(self, kind: int) -> list[Node]:
        """Return the children of a kind."""
        return [child for child in self.children or () if child.kind == kind]

    def first(self, kind: int) -> Node | None:
        """Return the first child of a kind."""
        return next(iter(self.each(kind)), None)

    def numbered(self, kinds: Collection[int], change: Callable[[int], int]) -> Node:
        """Return a copy with the numbers of some kinds changed, never shorter."""
        if self.children is not None:
            children = [child.numbered(kinds, change) for child in self.children]
            return Node(self.kind, children=children, width=self.width)
        if self.kind not in kinds:
            return self
        value = change(int.from_bytes(self.content))
        size = max(len(self.content), -(-value.bit_length() // 8))
        return Node(self.kind, value.to_bytes(size), width=self.width)


def element(file: BinaryIO, position: int, stop: int) -> Element | None:
    """Return the element at a position, None where none is.

    It may reach beyond `stop`, where its parent does; an open one stops there.
    """
    file.seek(position)
    found = _head(file.read(12))
    if found is None:
        return None
    kind, size, head = found
    inside = position + head
    end = max(inside, stop) if size is None else inside + size
    return Element(
        kind=kind, start=position, inside=inside, stop=end, open=size is None
    )


def parse(kind: int, content: bytes, masters: Collection[int]) -> Node:
    """Take an element apart.

    Parameters
    ----------
    kind : int
        What it is.
    content : bytes
        What is in it.
    masters : collection of int
        The kinds of elements to look into; others are kept as bytes.

    Raises
    ------
    DamagedMedia
        An element reaches beyond the one that it is in, or there are too many, or too
        many inside of each other.
    """
    node = Node(kind)
    node.children = list(_children(content, masters, [MAX_PARTS], MAX_DEPTH))
    return node


def void(size: int) -> bytes:
    """Return an empty element of 2 bytes or more."""
    width = 1 if size < 2 + 127 else 8
    size -= 1 + width
    return identifier(VOID) + length(size, width) + bytes(size)


def identifier(kind: int) -> bytes:
    """Return the bytes that name a kind of element."""
    return kind.to_bytes(-(-kind.bit_length() // 8))


def length(size: int, width: int) -> bytes:
    """Return a length in a number of bytes."""
    return (size | 1 << 7 * width).to_bytes(width)


def _children(
    content: bytes, masters: Collection[int], budget: list[int], depth: int
) -> Iterator[Node]:
    position = 0
    while position < len(content):
        found = _head(content[position : position + 12])
        kind, size, head = found or (0, None, 0)
        inside = position + head
        if size is None or inside + size > len(content):
            raise DamagedMedia("an element is malformed")
        budget[0] -= 1
        if budget[0] < 0:
            raise DamagedMedia(f"it has more than {MAX_PARTS} elements")
        body = content[inside : inside + size]
        node = Node(kind, width=head - len(identifier(kind)))
        if kind in masters:
            if depth == 0:
                raise DamagedMedia("its elements are nested too deep")
            node.children = list(_children(body, masters, budget, depth - 1))
        else:
            node.content = body
        yield node
        position = inside + size


def _head(content: bytes) -> tuple[int, int | None, int] | None:
    """Return kind and length of an element, and the number of bytes that say so."""
    first = 9 - content[0].bit_length() if content else 9
    if first > 4 or len(content) <= first:
        return None
    width = 9 - content[first].bit_length()
    field = content[first : first + width]
    if width > 8 or len(field) < width:
        return None
    top = 1 << 7 * width
    size = int.from_bytes(field) & top - 1
    known = size if size != top - 1 else None
    return int.from_bytes(content[:first]), known, first + width
