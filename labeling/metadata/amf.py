"""Script data of FLV files: a name and its properties in AMF0.

References
----------
Adobe, Action Message Format AMF0, section 2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..errors import DamagedMedia

__all__ = ["MAX_VALUES", "Property", "Script", "move_numbers", "parse", "string"]

NUMBER, STRING, OBJECT, ARRAY, END, LIST, LONG_STRING = 0, 2, 3, 8, 9, 10, 12
# Bytes behind the kind of a value, where it says so and nothing is inside.
FIXED = {0: 8, 1: 1, 5: 0, 6: 0, 7: 2, 11: 10, 13: 0}
LENGTHS = {STRING: 2, LONG_STRING: 4, 15: 4}
TYPED_OBJECT = 16
MAX_DEPTH = 16
MAX_VALUES = 1_000_000


@dataclass(slots=True, eq=False)
class Property:
    """A property: its name, and its value with the byte that tells its kind."""

    name: bytes
    value: bytes

    @property
    def text(self) -> bytes | None:
        """The text of a string, None for another kind of value."""
        kind = self.value[0]
        width = LENGTHS.get(kind)
        return None if width is None else self.value[1 + width :]


@dataclass(slots=True, eq=False)
class Script:
    """Script data: names, then an object or array with properties, then the rest.

    With a problem, the properties are those in front of it.
    """

    names: tuple[bytes, ...] = ()
    count: int | None = None
    properties: list[Property] = field(default_factory=list)
    rest: bytes = b""
    problem: str = ""

    @property
    def name(self) -> str:
        """What the properties are of."""
        return self.names[-1].decode("utf-8", "replace") if self.names else ""

    def pack(self) -> bytes:
        """Return all its bytes."""
        head = b"".join(string(name) for name in self.names)
        if self.count is None:
            head += bytes([OBJECT])
        else:
            head += struct.pack(">BI", ARRAY, self.count)
        listed = b"".join(
            len(item.name).to_bytes(2) + item.name + item.value
            for item in self.properties
        )
        return head + listed + bytes([0, 0, END]) + self.rest


def string(text: bytes) -> bytes:
    """Return a string as a value."""
    if len(text) < 1 << 16:
        return struct.pack(">BH", STRING, len(text)) + text
    return struct.pack(">BI", LONG_STRING, len(text)) + text


def parse(content: bytes, budget: list[int]) -> Script:
    """Take script data apart; what is wrong with them is stated in the result.

    Parameters
    ----------
    content : bytes
        The data.
    budget : list of int
        How many values may be looked at, which is counted down.
    """
    script = Script()
    position = 0
    try:
        while content[position : position + 1] == bytes([STRING]):
            stop = _skip(content, position, budget, 0)
            script.names += (content[position + 3 : stop],)
            position = stop
        kind = content[position : position + 1]
        if kind == bytes([ARRAY]):
            script.count = int.from_bytes(content[position + 1 : position + 5])
            position += 5
        elif kind == bytes([OBJECT]):
            position += 1
        else:
            raise DamagedMedia("it has no properties")
        for name, start, stop in _properties(content, position, budget, 0):
            if name is not None:
                script.properties.append(Property(name, content[start:stop]))
            position = stop
        script.rest = content[position:]
    except DamagedMedia as error:
        script.problem = error.problem
    return script


def move_numbers(
    item: Property, path: tuple[bytes, ...], move: Callable[[int], int]
) -> None:
    """Change whole numbers: the value, those of a list, or what a path leads to."""
    changed = bytearray(item.value)
    for place in _numbers(item.value, 0, path):
        (value,) = struct.unpack_from(">d", changed, place)
        if 0 < value < 1 << 53:
            struct.pack_into(">d", changed, place, move(int(value)))
    item.value = bytes(changed)


def _numbers(value: bytes, position: int, path: tuple[bytes, ...]) -> Iterator[int]:
    """Yield where the numbers stand that a path of names leads to."""
    kind = value[position]
    budget = [MAX_VALUES]
    if path and kind in (OBJECT, ARRAY):
        inside = position + (5 if kind == ARRAY else 1)
        for name, start, _ in _properties(value, inside, budget, 0):
            if name == path[0]:
                yield from _numbers(value, start, path[1:])
    elif not path and kind == NUMBER:
        yield position + 1
    elif not path and kind == LIST:
        count = int.from_bytes(value[position + 1 : position + 5])
        position += 5
        for _ in range(count):
            if value[position] == NUMBER:
                yield position + 1
            position = _skip(value, position, budget, 0)


def _properties(
    content: bytes, position: int, budget: list[int], depth: int
) -> Iterator[tuple[bytes | None, int, int]]:
    """Yield name, start and stop of every value; the end without a name.

    Some writers leave the end out where the data end.
    """
    while position < len(content):
        inside = position + 2 + int.from_bytes(content[position : position + 2])
        name = content[position + 2 : inside]
        if not name and content[inside : inside + 1] == bytes([END]):
            yield None, inside, inside + 1
            return
        stop = _skip(content, inside, budget, depth)
        yield name, inside, stop
        position = stop
    yield None, len(content), len(content)


def _skip(content: bytes, position: int, budget: list[int], depth: int) -> int:
    """Return where a value ends.

    Raises
    ------
    DamagedMedia
        The value is malformed, or there are too many, or too many inside each other.
    """
    budget[0] -= 1
    if budget[0] < 0:
        raise DamagedMedia(f"more than {MAX_VALUES} values")
    if depth > MAX_DEPTH:
        raise DamagedMedia("its values are nested too deep")
    if position >= len(content):
        raise DamagedMedia("a value is cut off")
    kind, stop = content[position], position + 1
    if kind in FIXED:
        stop += FIXED[kind]
    elif kind in LENGTHS:
        width = LENGTHS[kind]
        stop += width + int.from_bytes(content[stop : stop + width])
    elif kind == LIST:
        count = int.from_bytes(content[stop : stop + 4])
        stop += 4
        for _ in range(count):
            stop = _skip(content, stop, budget, depth + 1)
    elif kind in (OBJECT, ARRAY, TYPED_OBJECT):
        if kind == ARRAY:
            stop += 4
        elif kind == TYPED_OBJECT:
            stop += 2 + int.from_bytes(content[stop : stop + 2])
        for _, _, end in _properties(content, stop, budget, depth + 1):
            stop = end
    else:
        raise DamagedMedia(f"a value of the unknown kind {kind}")
    if stop > len(content):
        raise DamagedMedia("a value is cut off")
    return stop
