"""ID3 tags: AIGC in a TXXX frame (TC260-PG-202510A, clause 6; id3v2.3.0, id3v2.4.0).

Tags stand at the beginning of MP3 files, and in chunks of WAV and AIFF files.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DamagedMedia, MetadataError
from . import aigc, times, xmp
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey
from .parts import Part, cut, size_of
from .times import Later

__all__ = [
    "carriers",
    "edit",
    "survey",
    "tag_length",
    "taken_over",
    "with_label",
]

MAX_TAGS = 8
# Some readers take a tag without any for broken.
MIN_PADDING = 16
# The C2PA library, which writes the tag anew, breaks off reading at these.
UNSEALABLE = (b"SYLT", b"SLT")
MANIFEST_TYPES = (b"application/c2pa", b"application/x-c2pa-manifest-store")
# A frame of version 2.4 may have a length by version 2.3 in it: a known mistake.
FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{2,3}")
UNSYNCHRONISED, EXTENDED, FOOTER = 0x80, 0x40, 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A frame: its name, all its bytes, and its content, None where it is locked."""

    name: bytes
    raw: bytes
    content: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tag:
    """A tag taken apart; `padding` are the zeros at its end."""

    version: int
    flags: int
    frames: tuple[_Frame, ...]
    padding: int
    problem: str = ""


def tag_length(head: bytes) -> int:
    """Return the length of the tag that begins with these 10 bytes, 0 for none."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] not in (2, 3, 4):
        return 0
    footer = 10 if head[3] == 4 and head[5] & FOOTER else 0
    return 10 + _syncsafe(head[6:10]) + footer


def survey(file: BinaryIO) -> Survey:
    """Find the AIGC frames and XMP packets in the tags of an MP3 file."""
    found: list[Carrier] = []
    problems: list[str] = []
    lost: list[str] = []
    for place in _tags(file):
        survey = carriers(cut(file, place.start, place.stop))
        found += survey.carriers
        problems += survey.problems
        lost += survey.lost
    if len(found) > MAX_CARRIERS:
        problems.append(f"more than {MAX_CARRIERS} AIGC frames and XMP packets")
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(problems),
        complete=len(found) <= MAX_CARRIERS,
        lost=tuple(dict.fromkeys(lost)),
    )


def edit(
    file: BinaryIO,
    text: str,
    original: BinaryIO | None = None,
    later: Later | None = None,
) -> list[Part]:
    """Put one AIGC frame into the first tag of an MP3 file and no other.

    Parameters
    ----------
    file : binary file
        An MP3 file.
    text : str
        The label.
    original : binary file, optional
        The MP3 file that it was made from, whose tags are taken over.
    later : callable, optional
        Where points of that file are now; chapters and synchronized texts follow it.
    """
    places = _tags(file)
    start = places[-1].stop if places else 0
    source = file if original is None else original
    found = [cut(source, place.start, place.stop) for place in _tags(source)]
    if original is not None:
        found = [taken_over(tag, later) for tag in found]
    tags = [with_label(tag, text if i == 0 else "") for i, tag in enumerate(found)]
    tail = [] if original is None else _tail(original)
    return [*(tags or [with_label(b"", text)]), range(start, size_of(file)), *tail]


def carriers(tag: bytes) -> Survey:
    """Find the AIGC frames and XMP packets of one tag."""
    parsed = _parse(tag)
    found: list[Carrier] = []
    problems = [parsed.problem] if parsed.problem else []
    for frame in parsed.frames:
        carrier = _carrier(frame)
        if carrier is not None:
            found.append(carrier)
        elif frame.content is None and frame.name in (b"TXXX", b"TXX"):
            problems.append("an ID3 text that is encrypted or unpackable")
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(dict.fromkeys(problems)),
        complete=len(found) <= MAX_CARRIERS,
        lost=("the synchronized lyrics",)
        if any(frame.name in UNSEALABLE for frame in parsed.frames)
        else (),
    )


def with_label(tag: bytes, text: str) -> bytes:
    """Return the tag with one AIGC frame, or none where `text` is empty.

    All other frames stay as they are; an empty tag becomes one of version 2.4.

    Raises
    ------
    DamagedMedia
        The tag is malformed.
    """
    if not tag:
        parsed = _Tag(version=4, flags=0, frames=(), padding=0)
    else:
        parsed = _parse(tag)
        if parsed.problem:
            raise DamagedMedia(
                f"has a malformed ID3 tag: {parsed.problem}",
                hint="Write the tag anew with a tag editor first.",
            )
    kept = [_kept(frame, parsed.version) for frame in parsed.frames]
    if text:
        body = b"\0AIGC\0" + text.encode("ascii")
        kept.append(_made(b"TXXX", body, parsed.version))
    return _tag(parsed, kept)


def taken_over(
    tag: bytes, later: Later | None = None, *, left: Collection[bytes] = UNSEALABLE
) -> bytes:
    """Return the tag for a sound that was encoded anew.

    Parameters
    ----------
    tag : bytes
    later : callable, optional
        Where points of the sound are now: times follow it.
    left : collection of bytes, optional
        Names of frames that stay behind.

    Returns
    -------
    bytes
        Without these, a C2PA manifest, and what else binds the samples of the
        earlier file.
    """
    parsed = _parse(tag)
    frames = [
        frame.raw if later is None else _moved(frame, parsed, later)
        for frame in parsed.frames
        if frame.name not in (*times.STALE_FRAMES, *left)
        and not (
            frame.name == b"GEOB"
            and any(kind in (frame.content or b"")[:64] for kind in MANIFEST_TYPES)
        )
    ]
    same = frames == [frame.raw for frame in parsed.frames]
    return tag if same or parsed.problem else _tag(parsed, frames)


def _tags(file: BinaryIO) -> list[range]:
    """Return where the tags at the beginning of a file stand."""
    found: list[range] = []
    position = 0
    while len(found) < MAX_TAGS:
        size = tag_length(cut(file, position, position + 10))
        if not size:
            break
        found.append(range(position, position + size))
        position += size
    return found


def _tail(file: BinaryIO) -> list[Part]:
    """Return the APE and ID3v1 tags at the end of a file."""
    end = size_of(file)
    start = end
    if cut(file, end - 128, end - 125) == b"TAG":
        start -= 128
    footer = cut(file, start - 32, start)
    if footer.startswith(b"APETAGEX"):
        header = 32 if footer[23] & 0x80 else 0
        start -= int.from_bytes(footer[12:16], "little") + header
    return [cut(file, start, end)] if 0 <= start < end else []


def _parse(tag: bytes) -> _Tag:
    """Take a tag apart as far as it goes."""
    size = tag_length(tag[:10])
    version, flags = (tag[3], tag[5]) if size else (4, 0)
    problem = "" if size == len(tag) else "the ID3 tag is cut off"
    body = tag[10 : size - 10 if flags & FOOTER and version == 4 else size]
    if flags & UNSYNCHRONISED and version < 4:
        body = body.replace(b"\xff\0", b"\xff")
    if flags & EXTENDED and version > 2:
        extended = body[:4]
        skip = 4 + int.from_bytes(extended) if version == 3 else _syncsafe(extended)
        body = body[skip:]
    frames: list[_Frame] = []
    position = 0
    while position < len(body) and body[position]:
        frame = _frame(body, position, version, flags)
        if frame is None:
            problem = problem or "a frame of the ID3 tag is malformed"
            break
        if len(frames) == MAX_PARTS:
            problem = f"the ID3 tag has more than {MAX_PARTS} frames"
            break
        frames.append(frame)
        position += len(frame.raw)
    return _Tag(
        version=version,
        flags=flags,
        frames=tuple(frames),
        padding=max(0, len(body) - position),
        problem=problem,
    )


def _frame(body: bytes, start: int, version: int, flags: int) -> _Frame | None:
    """Return the frame at a position, None where there is no whole one."""
    head = 6 if version == 2 else 10
    name = body[start : start + (3 if version == 2 else 4)]
    size_bytes = body[start + len(name) : start + (6 if version == 2 else 8)]
    if not FRAME_ID.fullmatch(name) or start + head > len(body):
        return None
    size = int.from_bytes(size_bytes)
    if version == 4:
        safe = _syncsafe(size_bytes)
        plain = max(size_bytes) > 127 or not _goes_on(body, start + head + safe)
        if not (plain and _goes_on(body, start + head + size)):
            size = safe
    stop = start + head + size
    if stop > len(body):
        return None
    content: bytes | None = body[start + head : stop]
    if version > 2 and content is not None:
        unsynchronised = version == 4 and bool(flags & UNSYNCHRONISED)
        content = _unpacked(content, body[start + 9], version, unsynchronised)
    return _Frame(name=name, raw=body[start:stop], content=content)


def _goes_on(body: bytes, position: int) -> bool:
    """Tell whether a frame, padding or the end is at a position."""
    following = body[position : position + 4]
    at_end = position == len(body) or following[:1] == b"\0"
    return at_end or bool(FRAME_ID.fullmatch(following))


def _unpacked(
    content: bytes, flags: int, version: int, unsynchronised: bool
) -> bytes | None:
    """Undo what the flags of a frame say was done to its content."""
    if version == 3:
        packed, locked, grouped = flags & 0x80, flags & 0x40, flags & 0x20
        content = content[(4 if packed else 0) + (1 if grouped else 0) :]
    else:
        packed, locked, grouped = flags & 0x08, flags & 0x04, flags & 0x40
        content = content[(4 if flags & 0x01 else 0) + (1 if grouped else 0) :]
        if flags & 0x02 or unsynchronised:
            content = content.replace(b"\xff\0", b"\xff")
    if locked:
        return None
    if packed:
        inflater = zlib.decompressobj()
        try:
            content = inflater.decompress(content, aigc.MAX_BYTES)
        except zlib.error:
            return None
        return content if inflater.eof else None
    return content


def _carrier(frame: _Frame) -> Carrier | None:
    """Return what a frame carries, None if it is of another use."""
    if frame.content is None:
        return None
    if frame.name == b"PRIV" and frame.content.startswith(b"XMP\0"):
        return Carrier(kind=Kind.XMP, place="XMP in ID3", content=frame.content[4:])
    if frame.name not in (b"TXXX", b"TXX"):
        return None
    description, value = _texts(frame.content)
    if "AIGC" not in description.upper():
        return None
    if description != "AIGC" and not aigc.is_label(aigc.decode(value)):
        return None
    place = f"ID3 {frame.name.decode()} frame"
    return Carrier(kind=Kind.TEXT, place=place, content=value)


def _texts(content: bytes) -> tuple[str, bytes]:
    """Return the description of a text frame, and its value in UTF-8 or as it is."""
    encoding, rest = content[:1], content[1 : aigc.MAX_BYTES + 1024]
    if encoding not in (b"\1", b"\2"):
        name, _, value = rest.partition(b"\0")
        return name.decode("utf-8", "replace"), value
    order = "utf-16-be"
    if encoding == b"\1" and rest.startswith(b"\xff\xfe"):
        order = "utf-16-le"
    text = rest[: len(rest) // 2 * 2].decode(order, "replace").lstrip("\ufeff")
    if order == "utf-16-be":
        # Each of the two texts has its own mark of the byte order.
        text = text.replace("\ufeff", "")
    description, _, after = text.partition("\0")
    return description, after.lstrip("\ufeff").encode("utf-8", "replace")


def _kept(frame: _Frame, version: int) -> bytes:
    """Return a frame without labels: whole, edited, or nothing."""
    carrier = _carrier(frame)
    if carrier is None:
        return frame.raw
    if carrier.kind is Kind.TEXT:
        return b""
    try:
        packet = xmp.without_labels(carrier.content)
    except MetadataError:
        return frame.raw
    if packet == carrier.content:
        return frame.raw
    return _made(b"PRIV", b"XMP\0" + packet, version)


def _moved(frame: _Frame, parsed: _Tag, later: Later) -> bytes:
    """Return a frame with its times moved, nothing where they cannot be."""
    if frame.content is None:
        return frame.raw
    content = times.frame(frame.name, frame.content, later)
    if content == frame.content:
        return frame.raw
    if parsed.version == 4 and parsed.flags & UNSYNCHRONISED:
        content = content.replace(b"\xff", b"\xff\0")
    return _made(frame.name, content, parsed.version) if content else b""


def _made(name: bytes, body: bytes, version: int) -> bytes:
    if version == 2:
        return name[:3] + len(body).to_bytes(3) + body
    size = len(body).to_bytes(4) if version == 3 else _to_syncsafe(len(body))
    return name + size + bytes(2) + body


def _tag(parsed: _Tag, frames: list[bytes]) -> bytes:
    """Put a tag together, without extended header and footer."""
    body = b"".join(frames) + bytes(max(parsed.padding, MIN_PADDING))
    if len(body) >= 1 << 28:
        raise MetadataError("the ID3 tag has no room for the AIGC label")
    flags = parsed.flags & UNSYNCHRONISED if parsed.version == 4 else 0
    return b"ID3" + bytes([parsed.version, 0, flags]) + _to_syncsafe(len(body)) + body


def _syncsafe(content: bytes) -> int:
    value = 0
    for byte in content:
        value = value << 7 | byte & 127
    return value


def _to_syncsafe(value: int) -> bytes:
    return bytes(value >> shift & 127 for shift in (21, 14, 7, 0))
