"""Chunks of WAV and AIFF files, and of whatever else is RIFF or IFF, as AVI is.

WAV has a chunk ``AIGC`` (TC260-PG-202510A, clause 6). AIFF is not named there and
gets XMP, as the clause wants for other formats, where XMP has its place: an ``APPL``
chunk (XMP specification, part 3).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DamagedMedia, MetadataError
from . import aigc, id3, times, xmp
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey
from .parts import Part, cut, length, size_of
from .times import Later

__all__ = [
    "LIMIT",
    "Chunk",
    "edit",
    "kept",
    "list_kind",
    "made",
    "split",
    "survey",
    "survey_of",
]

XMP_SIGNATURE = b"XMP "
LIMIT = 0xFFFFFFFF
"""The largest length; as one, it says that the length is not known here."""

# What belongs to the samples and is not taken over from another file.
OF_SAMPLES = {
    b"ds64",
    b"JUNK",
    b"PAD ",
    b"FLLR",
    b"fmt ",
    b"fact",
    b"data",
    b"PEAK",
    b"levl",
    b"FVER",
    b"COMM",
    b"SSND",
    b"C2PA",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A chunk: its header at `start`, its data up to `end`, its padding to `stop`."""

    name: bytes
    start: int
    end: int
    stop: int

    def data(self, file: BinaryIO, limit: int | None = None) -> bytes:
        """Return its content, or the beginning of that."""
        start = self.start + 8
        return cut(
            file, start, self.end if limit is None else min(self.end, start + limit)
        )


def split(file: BinaryIO, start: int, stop: int, order: str) -> tuple[list[Chunk], str]:
    """Cut a stretch of a file into chunks; also say what ended the walk early.

    Parameters
    ----------
    file : binary file
        The file.
    start, stop : int
        Where the first chunk begins and the last one ends.
    order : str
        ``"<"`` for RIFF, ``">"`` for IFF.
    """
    chunks: list[Chunk] = []
    position = start
    wide: dict[bytes, int] = {}
    while position + 8 <= stop:
        if len(chunks) == MAX_PARTS:
            return chunks, f"it has more than {MAX_PARTS} chunks"
        name, size = struct.unpack(order + "4sI", cut(file, position, position + 8))
        if name == b"ds64" and size >= 24:
            wide[b"data"] = int.from_bytes(
                cut(file, position + 16, position + 24), "little"
            )
        if size == LIMIT and name in wide:
            size = wide[name]
        end = position + 8 + size
        if size == LIMIT and (
            name == b"data" or cut(file, position, position + 12)[8:] == b"movi"
        ):
            end = stop  # written as a stream, whose length was not known
        if end > stop:
            return chunks, f"the chunk at byte {position} is cut off"
        padded = min(end + size % 2, stop)
        chunks.append(Chunk(name=name, start=position, end=end, stop=padded))
        position = padded
    return chunks, "" if chunks else "it is empty"


def survey(file: BinaryIO) -> Survey:
    """Find the AIGC texts and XMP packets of a WAV or AIFF file."""
    order = _order(file)
    return survey_of(file, *split(file, 12, size_of(file), order), order)


def survey_of(file: BinaryIO, chunks: list[Chunk], problem: str, order: str) -> Survey:
    """Find the AIGC texts and XMP packets in chunks, a problem with which is known."""
    found: list[Carrier] = []
    problems = [problem] if problem else []
    for chunk in chunks:
        inside = _carriers(file, chunk, order)
        found += inside.carriers
        problems += inside.problems
        if len(found) > MAX_CARRIERS:
            problems.append(f"more than {MAX_CARRIERS} AIGC texts and XMP packets")
            break
    return Survey(
        carriers=tuple(found[:MAX_CARRIERS]),
        problems=tuple(dict.fromkeys(problems)),
        complete=len(found) <= MAX_CARRIERS,
    )


def edit(
    file: BinaryIO,
    text: str,
    original: BinaryIO | None = None,
    later: Later | None = None,
) -> list[Part]:
    """Put one label into a WAV or AIFF file, and take every other one out.

    It goes in front of the samples, where a reader of the beginning finds it and a
    file that is cut off keeps it. All other chunks stay as they are.

    Parameters
    ----------
    file : binary file
        A WAV or AIFF file.
    text : str
        The label.
    original : binary file, optional
        The file of the same format that it was made from, whose chunks besides the
        samples are taken over.
    later : callable, optional
        Where points of that file are now; cue points, markers, loops and chapters
        follow it.

    Raises
    ------
    DamagedMedia
        The chunks do not fill the file, or there are no samples.
    """
    order = _order(file)
    samples = b"data" if order == "<" else b"SSND"
    chunks, problem = split(file, 12, size_of(file), order)
    if not problem and samples not in [chunk.name for chunk in chunks]:
        problem = "it has no samples"
    if problem:
        raise DamagedMedia(f"is not a whole file: {problem}")
    before: list[Part] = []
    after: list[Part] = []
    packet: bytes | None = None
    taken = [(file, chunk) for chunk in chunks]
    if original is not None and _order(original) == order:
        taken = [item for item in taken if item[1].name in OF_SAMPLES]
        more, _ = split(original, 12, size_of(original), order)
        taken += [(original, chunk) for chunk in more if chunk.name not in OF_SAMPLES]
    rate = _rate(file, chunks, order)
    seen = False
    for source, chunk in taken:
        if chunk.name == samples and not seen:
            seen = True
            after.append(range(chunk.start, chunk.end))
            after.append(bytes((chunk.end - chunk.start) % 2))
            continue
        if order == ">" and packet is None and _is_xmp(source, chunk):
            packet = chunk.data(source)[4:]
            continue
        left = kept(source, chunk, order)
        if left is None and source is file:
            part: Part = range(chunk.start, chunk.stop)
        else:
            part = cut(source, chunk.start, chunk.stop) if left is None else left
            if later is not None and source is not file:
                part = _moved(part, rate, order, later)
        (after if seen else before).append(part)
        if len(part) % 2:
            (after if seen else before).append(b"\0")
    if order == "<":
        label = made(b"AIGC", text.encode("ascii"), order)
    else:
        label = made(b"APPL", XMP_SIGNATURE + _packet(packet, text), order)
    return _headed(file, order, [*before, label, *after])


def list_kind(file: BinaryIO, chunk: Chunk) -> bytes:
    """Return what a chunk with chunks inside is for; nothing for another."""
    return chunk.data(file, 4) if chunk.name in (b"LIST", b"RIFF") else b""


def kept(file: BinaryIO, chunk: Chunk, order: str) -> bytes | None:
    """Return what stays of a chunk with labels, None for one that stays whole."""
    if not _carriers(file, chunk, order).carriers:
        return None
    if chunk.name == b"AIGC":
        return b""
    data = chunk.data(file)
    if chunk.name in (b"id3 ", b"ID3 "):
        return made(chunk.name, id3.with_label(data, ""), order)
    if chunk.name == b"LIST":
        children = split(file, chunk.start + 12, chunk.end, order)[0]
        left = [cut(file, c.start, c.stop) for c in children if c.name != b"AIGC"]
        return made(chunk.name, b"INFO" + b"".join(left), order)
    head = XMP_SIGNATURE if chunk.name == b"APPL" else b""
    try:
        return made(chunk.name, head + xmp.without_labels(data[len(head) :]), order)
    except MetadataError:
        return None


def made(name: bytes, data: bytes, order: str) -> bytes:
    """Return a chunk with its padding."""
    head = name + struct.pack(order + "I", len(data))
    return head + data + bytes(len(data) % 2)


def _moved(part: bytes, rate: int, order: str, later: Later) -> bytes:
    """Return a chunk with its times moved."""
    name = part[:4]
    data = part[8:][: int.from_bytes(part[4:8], "little" if order == "<" else "big")]
    if name in (b"id3 ", b"ID3 "):
        data = id3.taken_over(data, later, left=())
    elif name in (b"cue ", b"smpl") and order == "<" and rate:
        data = times.cues(name, data, rate, later)
    elif name == b"MARK" and order == ">" and rate:
        data = times.markers(data, rate, later)
    else:
        return part
    return made(name, data, order)


def _rate(file: BinaryIO, chunks: list[Chunk], order: str) -> int:
    """Return the frames a second, 0 where they are not told."""
    for chunk in chunks:
        data = chunk.data(file, 18)
        if chunk.name == b"fmt " and order == "<":
            return int.from_bytes(data[4:8], "little")
        if chunk.name == b"COMM" and order == ">" and len(data) == 18:
            # An extended-precision number of IEEE 754, with 64 bits after its exponent.
            exponent = int.from_bytes(data[8:10]) - 16383
            return int.from_bytes(data[10:18]) >> max(63 - exponent, 0)
    return 0


def _order(file: BinaryIO) -> str:
    return ">" if cut(file, 0, 4) == b"FORM" else "<"


def _carriers(file: BinaryIO, chunk: Chunk, order: str) -> Survey:
    """Return what a chunk carries."""
    if chunk.name == b"AIGC":
        return _one(Kind.TEXT, "AIGC chunk", chunk.data(file, aigc.MAX_BYTES + 1))
    if chunk.name in (b"id3 ", b"ID3 "):
        return id3.carriers(chunk.data(file))
    if chunk.name == b"_PMX":
        return _one(Kind.XMP, "XMP", chunk.data(file))
    if _is_xmp(file, chunk):
        return _one(Kind.XMP, "XMP", chunk.data(file)[4:])
    found: list[Carrier] = []
    if list_kind(file, chunk) == b"INFO":
        for child in split(file, chunk.start + 12, chunk.end, order)[0]:
            if child.name == b"AIGC":
                text = child.data(file, aigc.MAX_BYTES + 1)
                found.extend(_one(Kind.TEXT, "LIST/INFO AIGC chunk", text).carriers)
    return Survey(carriers=tuple(found))


def _one(kind: Kind, place: str, content: bytes) -> Survey:
    return Survey(carriers=(Carrier(kind=kind, place=place, content=content),))


def _is_xmp(file: BinaryIO, chunk: Chunk) -> bool:
    return chunk.name == b"APPL" and chunk.data(file, 4) == XMP_SIGNATURE


def _packet(packet: bytes | None, text: str) -> bytes:
    """Edit an XMP packet that can be read, or make one."""
    try:
        return xmp.edit(packet, text, None)
    except MetadataError:
        return xmp.edit(None, text, None)


def _headed(file: BinaryIO, order: str, parts: list[Part]) -> list[Part]:
    """Put the header in front of the chunks, with their size."""
    kind, form = cut(file, 0, 4), cut(file, 8, 12)
    size = 4 + length(parts)
    if kind in (b"RF64", b"BW64"):
        wide = parts[0] if parts else b""
        content = wide if isinstance(wide, bytes) else cut(file, wide.start, wide.stop)
        if content[:4] != b"ds64":
            raise DamagedMedia("is not a whole file: its lengths are missing")
        parts[0] = content[:8] + struct.pack("<Q", size) + content[16:]
        size = LIMIT
    elif size > LIMIT:
        raise MetadataError(
            "the file has no room for the AIGC label", hint="Use RF64 instead of WAV."
        )
    return [kind + struct.pack(order + "I", size) + form, *parts]
