"""MP4, M4A, MOV: AIGC as a key of ``moov.udta.meta`` (TC260-PG-20257A and 202510A).

The key stands in ``keys`` and its value in ``ilst``, as QuickTime has it. Serves
sound and video alike: nothing here knows what the tracks hold.

References
----------
Apple QuickTime File Format, metadata; Adobe XMP specification, part 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ..errors import DamagedMedia, MetadataError
from . import aigc, xmp
from .boxes import Box, Node, boxes, move_positions, parse
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey
from .parts import Part, cut, mover

__all__ = ["edit", "survey"]

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
FREEFORM = b"----"
UTF8, UTF16 = 1, 2
# States the padding of the encoder before.
OF_SAMPLES = "iTunSMPB"


def survey(file: BinaryIO) -> Survey:
    """Find the labels and XMP packets of a file."""
    outer, problem = boxes(file)
    problems = [problem] if problem else []
    found: list[Carrier] = []
    for box in outer:
        if _is_xmp(file, box):
            packet = cut(file, box.inside + 16, box.stop)
            found.append(Carrier(kind=Kind.XMP, place="XMP", content=packet))
        elif box.kind in (b"moov", b"meta", b"udta"):
            try:
                root = parse(file, box)
            except DamagedMedia as error:
                problems.append(error.problem)
                continue
            found += (
                Carrier(kind=Kind.TEXT, place=place, content=text)
                for _, _, place, text in _labels(root)
            )
    if len(found) > MAX_CARRIERS:
        problems.append(f"more than {MAX_CARRIERS} AIGC values and XMP packets")
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(dict.fromkeys(problems)),
        complete=len(found) <= MAX_CARRIERS,
    )


def edit(file: BinaryIO, text: str, original: BinaryIO | None = None) -> list[Part]:
    """Put one label into the metadata of a file and take every other one out.

    Boxes stay in their order, and all that points to samples is moved with them.
    Where a position would not fit any more, the index goes to the end of the file.

    Parameters
    ----------
    file : binary file
        An MP4, M4A or MOV file.
    text : str
        The label.
    original : binary file, optional
        The file that it was made from, whose user data and XMP are taken over.

    Raises
    ------
    DamagedMedia
        The boxes do not fill the file, or there is not one index.
    MetadataError
        The index cannot be moved.
    """
    outer, problem = boxes(file)
    places = [box for box in outer if box.kind == b"moov"]
    if not problem and len(places) != 1:
        problem = f"it has {len(places)} indexes"
    if problem:
        raise DamagedMedia(f"is not a whole MP4 file: {problem}")
    place = places[0]
    moov = parse(file, place)
    added: list[Part] = []
    if original is not None:
        added = _take_over(moov, original)
    _drop_labels(moov)
    _add(moov, text)
    changed: dict[Box, bytes] = {}
    movable = True
    for box in outer:
        if box.kind in (b"meta", b"udta"):
            root = parse(file, box)
            movable = movable and move_positions(root, int)
            if _drop_labels(root):
                changed[box] = root.pack()
        elif _is_xmp(file, box):
            if added:
                changed[box] = b""
            elif packed := _without_label(file, box):
                changed[box] = packed
    changed[place] = moov.pack()
    if movable and _move(file, outer, changed, place, moov):
        return _joined(outer, changed, added)
    if any(box.kind == b"moof" for box in outer):
        raise MetadataError(
            "the index of the file has no room for the AIGC label",
            hint="Write the file anew without fragments.",
        )
    # Holes of the same size leave everything where it is.
    added = [*changed.values(), *added]
    return _joined(outer, {box: _hole(box) for box in changed}, added)


def _move(
    file: BinaryIO, outer: list[Box], changed: dict[Box, bytes], place: Box, moov: Node
) -> bool:
    """Let everything point to where the samples go; false if that cannot be."""
    changes = [
        (box.start, box.stop, len(changed[box])) for box in outer if box in changed
    ]
    changes = [
        (start, stop, new) for start, stop, new in changes if new != stop - start
    ]
    if not changes:
        return True
    move = mover(changes)
    moved = {}
    for box in outer:
        if box.kind in (b"moof", b"mfra"):
            root = parse(file, box)
            if not move_positions(root, move):
                return False
            moved[box] = root.pack()
            if len(moved[box]) != box.stop - box.start:
                return False
        elif box.kind == b"sidx" and changes[-1][0] >= box.stop:
            return False  # it counts the bytes between itself and the fragments
    if not move_positions(moov, move):
        return False
    changed |= moved
    changed[place] = moov.pack()
    return True


def _joined(
    outer: list[Box], changed: dict[Box, bytes], added: list[Part]
) -> list[Part]:
    """Return the boxes with the added ones behind them."""
    parts: list[Part] = [changed.get(box, range(box.start, box.stop)) for box in outer]
    last = outer[-1]
    if added and last.open and last not in changed:
        size = last.stop - last.start
        if size > 0xFFFFFFFF:
            raise MetadataError(
                "nothing can be added behind the last box of the file",
                hint="Write the file anew with the length of every box.",
            )
        parts[-1:] = [size.to_bytes(4), range(last.start + 4, last.stop)]
    # Readers look for the table of fragments at the very end.
    behind = [parts.pop()] if last.kind == b"mfra" else []
    return [*parts, *added, *behind]


def _hole(box: Box) -> bytes:
    size = box.stop - box.start
    return size.to_bytes(4) + b"free" + bytes(size - 8)


def _labels(root: Node) -> Iterator[tuple[Node, Node, str, bytes]]:
    """Yield parent, item, place and text of every label below a box."""
    for node in root.walk():
        if node.kind == b"udta":
            for item in node.each(b"AIGC"):
                yield node, item, "udta AIGC box", item.content
        if node.kind != b"meta":
            continue
        listed = node.first(b"ilst")
        keys = _keys(node)
        for item in listed.children if listed else ():
            index = int.from_bytes(item.kind) - 1
            name, place = item.kind.decode("latin-1"), "ilst AIGC item"
            if 0 <= index < len(keys):
                name, place = keys[index], f"{_handler(node)} key AIGC"
            elif item.kind == FREEFORM:
                name, place = _freeform(item), "freeform AIGC item"
            if "AIGC" not in name.upper():
                continue
            for text in _values(item):
                if name == "AIGC" or aigc.is_label(aigc.decode(text)):
                    yield listed or node, item, place, text


def _drop_labels(root: Node) -> bool:
    """Take every label out below a box; say whether there was one."""
    found = [(parent, item) for parent, item, _, _ in _labels(root)]
    for parent, item in found:
        if item in parent.children:
            parent.children.remove(item)
    return bool(found)


def _add(moov: Node, text: str) -> None:
    """Put a label into the user data, under the key AIGC."""
    user = moov.first(b"udta")
    if user is None:
        user = Node(b"udta")
        moov.children.append(user)
    meta = next((m for m in user.each(b"meta") if _handler(m) == "mdta"), None)
    if meta is None or meta.first(b"keys") is None or meta.first(b"ilst") is None:
        handler = bytes(8) + b"mdta" + bytes(13)
        meta = Node(b"meta", bytes(4))
        meta.children = [Node(b"hdlr", handler), Node(b"keys", bytes(8)), Node(b"ilst")]
        user.children.append(meta)
    keys, listed = meta.first(b"keys"), meta.first(b"ilst")
    names = _keys(meta)
    if keys is None or listed is None:
        raise MetadataError("the metadata of the file are malformed")
    if "AIGC" not in names:
        names.append("AIGC")
        count = int.from_bytes(keys.content[4:8]) + 1
        if count != len(names):
            raise MetadataError("the keys of the metadata are malformed")
        head = keys.content[:4] + count.to_bytes(4)
        keys.content = head + keys.content[8:] + (12).to_bytes(4) + b"mdtaAIGC"
    item = Node((1 + names.index("AIGC")).to_bytes(4))
    item.children = [Node(b"data", bytes([0, 0, 0, UTF8, *bytes(4)]) + text.encode())]
    listed.children.append(item)


def _handler(meta: Node) -> str:
    handler = meta.first(b"hdlr")
    return handler.content[8:12].decode("latin-1") if handler else ""


def _keys(meta: Node) -> list[str]:
    """Return the names of the keys of a metadata box."""
    keys = meta.first(b"keys")
    names: list[str] = []
    content = keys.content if keys else b""
    position = 8
    while position + 8 <= len(content) and len(names) < MAX_PARTS:
        size = int.from_bytes(content[position : position + 4])
        if not 8 <= size <= len(content) - position:
            break
        name = content[position + 8 : position + size]
        names.append(name.decode("utf-8", "replace"))
        position += size
    return names


def _freeform(item: Node) -> str:
    name = item.first(b"name")
    return name.content[4:].decode("utf-8", "replace") if name else ""


def _values(item: Node) -> list[bytes]:
    """Return the values of an item, in UTF-8 or as they are."""
    values = []
    for data in item.each(b"data"):
        value = data.content[8:]
        if data.content[3:4] == bytes([UTF16]):
            whole = value[: len(value) // 2 * 2]
            value = whole.decode("utf-16-be", "replace").encode("utf-8", "replace")
        values.append(value)
    return values or [item.tail]


def _is_xmp(file: BinaryIO, box: Box) -> bool:
    return box.kind == b"uuid" and cut(file, box.inside, box.inside + 16) == XMP_UUID


def _without_label(file: BinaryIO, box: Box) -> bytes:
    """Return an XMP box without its labels, nothing where it has none."""
    packet = cut(file, box.inside + 16, box.stop)
    try:
        edited = xmp.without_labels(packet)
    except MetadataError:
        return b""
    return b"" if edited == packet else Node(b"uuid", XMP_UUID + edited).pack()


def _take_over(moov: Node, original: BinaryIO) -> list[Part]:
    """Replace the user data by those of another file; return its XMP boxes."""
    extra: list[Part] = []
    for box in boxes(original)[0]:
        if box.kind == b"moov":
            old = parse(original, box)
            new = moov.children
            users = old.each(b"udta")
            # Chapters are those of the new file, whose times may be others.
            own = [c for n in new if n.kind == b"udta" for c in n.each(b"chpl")]
            if own:
                users = users or [Node(b"udta")]
                for user in users:
                    user.children = [c for c in user.children if c.kind != b"chpl"]
                users[0].children += own
            moov.children = [c for c in new if c.kind not in (b"udta", b"meta")]
            moov.children += (*users, *old.each(b"meta"))
        elif _is_xmp(original, box):
            whole = Node(b"uuid", cut(original, box.inside, box.stop)).pack()
            extra.append(_without_label(original, box) or whole)
    for node in list(moov.walk()):
        node.children = [
            child
            for child in node.children
            if child.kind != FREEFORM or _freeform(child) != OF_SAMPLES
        ]
    return extra
