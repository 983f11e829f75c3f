"""GIF: XMP in an application extension (XMP part 3, 1.1.2; TC260-PG-20259A, 6).

The packet is not cut into sub-blocks. Readers that know nothing of it take its bytes
for their lengths; a trailer of 258 bytes leads them to the end wherever they come out.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DamagedMedia
from . import aigc
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey

__all__ = ["SIGNATURES", "read_carriers", "replace_xmp"]

SIGNATURES = (b"GIF87a", b"GIF89a")
XMP = b"XMP DataXMP"
TRAILER = b"\1" + bytes(range(255, -1, -1)) + b"\0"

EXTENSION, IMAGE, END = 0x21, 0x2C, 0x3B
APPLICATION, COMMENT = 0xFF, 0xFE
TABLE_FLAG = 0x80
# No honest file has smaller sub-blocks, on average.
SUB_BLOCK_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """An extension or image from `start` to `stop`; its sub-blocks begin at `inside`.

    `label` tells extensions apart and is 0 for images.
    """

    label: int
    start: int
    inside: int
    stop: int


def read_carriers(content: bytes) -> Survey:
    """Find the XMP packets of a GIF file, and labels in its comments."""
    blocks, problem = _split(content)
    problems = [problem] if problem else []
    carriers = [c for block in blocks if (c := _carrier(block, content)) is not None]
    complete = len(carriers) <= MAX_CARRIERS
    if not complete:
        problems.append(f"more than {MAX_CARRIERS} XMP packets and AIGC comments")
    if blocks and b"AIGC" in content[blocks[-1].stop + 1 :] and not problem:
        problems.append("bytes after the end of the image mention AIGC")
    return Survey(
        carriers=tuple(carriers[:MAX_CARRIERS]),
        problems=tuple(problems),
        complete=complete,
    )


def replace_xmp(content: bytes, packet: bytes) -> bytes:
    """Put one XMP packet in front of the pictures and take every other label out.

    It follows the application extensions that tell how often to play, which some
    readers expect first. All other blocks stay as they are; the version becomes 89a,
    the one with extensions.

    Raises
    ------
    DamagedMedia
        The blocks do not lead to the end of the file, or there is no picture.
    """
    blocks, problem = _split(content)
    if not problem and all(block.label for block in blocks):
        problem = "it has no picture"
    if problem:
        raise DamagedMedia(f"is not a whole GIF file: {problem}")
    kept = [block for block in blocks if _carrier(block, content) is None]
    leading = 0
    while kept[leading].label == APPLICATION:
        leading += 1
    parts = [content[block.start : block.stop] for block in kept]
    head = bytes((EXTENSION, APPLICATION, len(XMP)))
    parts[leading:leading] = [head, XMP, packet, TRAILER]
    before, after = blocks[0].start, blocks[-1].stop
    return b"".join((SIGNATURES[1], content[6:before], *parts, content[after:]))


def _split(content: bytes) -> tuple[list[_Block], str]:
    """Cut the file into blocks up to its end; also say what ended the walk early."""
    blocks: list[_Block] = []
    if len(content) < 13:
        return blocks, "its header is cut off"
    position = 13 + _table_bytes(content[10])
    steps = [MAX_PARTS + len(content) // SUB_BLOCK_BYTES]
    while len(blocks) < MAX_PARTS:
        head = content[position : position + 10]
        kind = head[0] if head else None
        if kind == END:
            return blocks, "" if blocks else "it has no picture"
        if kind == EXTENSION and len(head) > 1:
            label, inside = head[1], position + 2
        elif kind == IMAGE and len(head) == 10:
            # The size of the codes follows the table.
            label, inside = 0, position + 11 + _table_bytes(head[9])
        elif head and kind not in (EXTENSION, IMAGE):
            return blocks, f"no block at byte {position}"
        else:
            return blocks, f"the block at byte {position} is cut off"
        stop = _end(content, inside, steps)
        if stop is None:
            problem = "has too many parts" if steps[0] < 0 else "is cut off"
            return blocks, f"the block at byte {position} {problem}"
        blocks.append(_Block(label=label, start=position, inside=inside, stop=stop))
        position = stop
    return blocks, f"it has more than {MAX_PARTS} blocks"


def _table_bytes(flags: int) -> int:
    """Return the size of a color table."""
    return 3 << (flags & 7) + 1 if flags & TABLE_FLAG else 0


def _end(content: bytes, position: int, steps: list[int]) -> int | None:
    """Return where sub-blocks end, behind the empty one; None if they do not."""
    size, left = len(content), steps[0]
    while position < size and left >= 0:
        length = content[position]
        position += length + 1
        left -= 1
        if not length:
            break
    else:
        position = size + 1
    steps[0] = left
    return position if position <= size else None


def _carrier(block: _Block, content: bytes) -> Carrier | None:
    """Return what a block carries, None if it is of another use."""
    if block.label == APPLICATION:
        start = block.inside + 1 + len(XMP)
        if content[block.inside : start] != bytes([len(XMP)]) + XMP:
            return None
        if block.stop - start >= len(TRAILER) and content.endswith(
            TRAILER, start, block.stop
        ):
            packet = content[start : block.stop - len(TRAILER)]
        else:  # some writers cut it into sub-blocks like any other data
            packet = _joined(content, start, block.stop)
        return Carrier(kind=Kind.XMP, place="XMP", content=packet)
    if block.label == COMMENT and block.stop - block.inside < 2 * aigc.MAX_BYTES:
        text = _joined(content, block.inside, block.stop)
        if aigc.is_label(aigc.decode(text)):
            return Carrier(kind=Kind.TEXT, place="GIF comment", content=text)
    return None


def _joined(content: bytes, position: int, stop: int) -> bytes:
    """Return the data of sub-blocks."""
    parts = []
    while position < stop:
        length = content[position]
        parts.append(content[position + 1 : position + 1 + length])
        position += length + 1
    return b"".join(parts)
