"""FLV: a property AIGC of the script tag ``onMetaData`` (TC260-PG-20257A, clause 6).

Positions that the tag states, as those of keyframes, follow what moves.

References
----------
Adobe Flash Video File Format Specification 10.1, annex E; Action Message Format AMF0;
Adobe XMP specification, part 3 (``onXMPData``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DamagedMedia, MetadataError
from . import aigc, xmp
from .amf import MAX_VALUES, Property, Script, move_numbers, parse, string
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey
from .parts import MAX_METADATA_BYTES, Part, cut, most_frames, mover, replace, size_of

__all__ = ["edit", "survey"]

HEAD, SCRIPT, BEHIND = 11, 18, 4
MAX_SCRIPT_BYTES = (1 << 24) - 1
METADATA, XMP_DATA = "onMetaData", "onXMPData"
# Where positions in the file stand.
POSITIONS = {b"keyframes": (b"filepositions",), b"lastkeyframelocation": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tag:
    """A tag: its head at `start`, `size` bytes of data, and their number up to `stop`.

    One to be added is empty.
    """

    start: int
    size: int
    stop: int

    def data(self, file: BinaryIO) -> bytes:
        inside = self.start + HEAD
        return cut(file, inside, inside + self.size)

    def filled(self, file: BinaryIO, data: bytes) -> bytes:
        """Return the tag with other data."""
        if len(data) > MAX_SCRIPT_BYTES:
            raise MetadataError(
                "the metadata have no room for the AIGC label",
                hint="Write the file anew without its earlier metadata.",
            )
        size = len(data).to_bytes(3)
        head = bytes([SCRIPT, *bytes(HEAD - 1)])
        if self.size:
            head = cut(file, self.start, self.start + HEAD)
        return head[:1] + size + head[4:] + data + (HEAD + len(data)).to_bytes(4)


def survey(file: BinaryIO) -> Survey:
    """Find the labels and XMP packets in the script tags of a file."""
    tags, problem = _tags(file)
    problems = [problem] if problem else []
    found: list[Carrier] = []
    budget = [MAX_VALUES]
    for tag in tags:
        content = tag.data(file)
        script = parse(content, budget)
        if script.problem and b"AIGC" in content:
            problems.append(f"unreadable script tag: {script.problem}")
        for item in script.properties:
            if _is_label(item):
                inside = METADATA if script.name == METADATA else "script"
                place, text = f"{inside} property AIGC", item.text or b""
                found.append(Carrier(kind=Kind.TEXT, place=place, content=text))
            elif script.name == XMP_DATA and item.text:
                found.append(Carrier(kind=Kind.XMP, place="XMP", content=item.text))
        if len(found) > MAX_CARRIERS:
            problems.append(f"more than {MAX_CARRIERS} AIGC values and XMP packets")
            break
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(dict.fromkeys(problems)),
        complete=len(found) <= MAX_CARRIERS,
    )


def edit(file: BinaryIO, text: str, original: BinaryIO | None = None) -> list[Part]:
    """Put one label into the metadata of a file, and take every other one out.

    Parameters
    ----------
    file : binary file
        An FLV file.
    text : str
        The label.
    original : binary file, optional
        The FLV file that it was made from. Texts of its metadata are taken over
        where the new file has none of that name, and XMP.

    Raises
    ------
    DamagedMedia
        The tags do not fill the file, or its metadata are malformed.
    MetadataError
        The metadata have no room for the label.
    """
    tags, problem = _tags(file)
    if problem:
        raise DamagedMedia(f"is not a whole FLV file: {problem}")
    scripts = _scripts(file, tags)
    place = next((t for t, s in scripts.items() if s.name == METADATA), None)
    if place is None:
        first = int.from_bytes(cut(file, 5, 9)) + BEHIND
        place = _Tag(start=first, size=0, stop=first)
        scripts = {place: Script(names=(METADATA.encode(),), count=0), **scripts}
    changed = [tag for tag, script in scripts.items() if _drop_labels(script)]
    metadata = scripts[place]
    added = b""
    if original is not None:
        added = _take_over(metadata, scripts, original)
    _add(metadata, [Property(b"AIGC", string(text.encode("ascii")))])
    sizes = [
        (tag.start, tag.stop, len(tag.filled(file, script.pack())))
        for tag, script in scripts.items()
        if tag == place or tag in changed
    ]
    if added:
        sizes = sorted([*sizes, (place.stop, place.stop, len(added))])
    growth = sum(new - (stop - start) for start, stop, new in sizes)
    changes = []
    for tag, script in scripts.items():
        if _move_positions(script, sizes, growth) or tag == place or tag in changed:
            content = tag.filled(file, script.pack())
            changes.append((tag.start, tag.stop, content + added * (tag == place)))
    return replace(0, size_of(file), changes)


def _tags(file: BinaryIO) -> tuple[list[_Tag], str]:
    """Return the script tags of a file; also say what ended the walk early."""
    tags: list[_Tag] = []
    position, end = int.from_bytes(cut(file, 5, 9)) + BEHIND, size_of(file)
    left, total = most_frames(file), 0
    while position < end:
        file.seek(position)
        head = file.read(HEAD)
        size = int.from_bytes(head[1:4])
        stop = position + HEAD + size
        if len(head) < HEAD or stop > end:
            return tags, f"the tag at byte {position} is cut off"
        if left == 0:
            return tags, "it has too many tags for its length"
        left -= 1
        if head[0] == SCRIPT:
            total += size
            if total > MAX_METADATA_BYTES or len(tags) == MAX_PARTS:
                return tags, "it has too much metadata"
            tags.append(_Tag(start=position, size=size, stop=min(stop + BEHIND, end)))
        position = stop + BEHIND
    return tags, ""


def _scripts(file: BinaryIO, tags: list[_Tag]) -> dict[_Tag, Script]:
    """Take those script tags apart that matter here."""
    scripts: dict[_Tag, Script] = {}
    budget = [MAX_VALUES]
    for tag in tags:
        data = tag.data(file)
        script = parse(data, budget)
        if not script.problem:
            scripts[tag] = script
        elif script.name == METADATA or b"AIGC" in data:
            raise DamagedMedia(
                f"has a malformed script tag: {script.problem}",
                hint="Write the file anew without its earlier metadata.",
            )
    return scripts


def _is_label(item: Property) -> bool:
    if item.name == b"AIGC":
        return True
    return b"AIGC" in item.name.upper() and aigc.is_label(aigc.decode(item.text or b""))


def _drop_labels(script: Script) -> bool:
    """Take every label out of a script; say whether there was one."""
    kept = [item for item in script.properties if not _is_label(item)]
    dropped = len(script.properties) - len(kept)
    script.properties = kept
    if script.count is not None:
        script.count = max(0, script.count - dropped)
    for item in kept if script.name == XMP_DATA else ():
        packet = item.text or b""
        try:
            edited = xmp.without_labels(packet)
        except MetadataError:
            continue
        if edited != packet:
            item.value = string(edited)
            dropped += 1
    return dropped > 0


def _add(script: Script, properties: list[Property]) -> None:
    script.properties += properties
    if script.count is not None:
        script.count += len(properties)


def _take_over(
    metadata: Script, scripts: dict[_Tag, Script], original: BinaryIO
) -> bytes:
    """Add texts of another file that are missing here; return its tags with XMP."""
    added = b""
    has_xmp = any(script.name == XMP_DATA for script in scripts.values())
    for tag, script in _scripts(original, _tags(original)[0]).items():
        _drop_labels(script)
        if script.name == METADATA:
            present = {item.name for item in metadata.properties}
            missing = [item for item in script.properties if item.name not in present]
            _add(metadata, [item for item in missing if item.text])
        elif script.name == XMP_DATA and not has_xmp:
            added += tag.filled(original, script.pack())
    return added


def _move_positions(
    script: Script, sizes: list[tuple[int, int, int]], growth: int
) -> bool:
    """Change what metadata say about places in the file; say whether there is such."""
    if script.name != METADATA or not growth:
        return False
    move = mover(sizes)
    found = [item for item in script.properties if item.name in POSITIONS]
    for item in found:
        move_numbers(item, POSITIONS[item.name], move)
    lengths = [item for item in script.properties if item.name == b"filesize"]
    for item in lengths:
        move_numbers(item, (), lambda size: size + growth)
    return bool(found or lengths)
