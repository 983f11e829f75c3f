"""Write WAV and AIFF files, and RF64 where a WAV file grows beyond 4 GiB.

The length is filled in at the end, so that blocks of unknown number can be written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from ..errors import MediaTooLarge
from .pcm import MASKS
from .samples import sample_width, to_bytes
from .sound import Samples, Sound

__all__ = ["write_aiff", "write_wave"]

# Beyond this a length does not fit, and its place holds the other number.
_LIMIT = _ELSEWHERE = 0xFFFFFFFF
_TAGS = {"int": 1, "float": 3, "alaw": 6, "mulaw": 7}
# What stands behind the format tag in the GUID of WAVEFORMATEXTENSIBLE.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_INFO = {
    "title": b"INAM",
    "artist": b"IART",
    "album": b"IPRD",
    "date": b"ICRD",
    "genre": b"IGNR",
    "track": b"ITRK",
    "copyright": b"ICOP",
    "comment": b"ICMT",
    "language": b"ILNG",
}
_AIFC_VERSION = 0xA2805140
_AIFC_CODINGS = {
    "float32": b"fl32\0\0",
    "float64": b"fl64\0\0",
    "alaw": b"alaw\0\0",
    "mulaw": b"ulaw\0\0",
}


def write_wave(
    file: BinaryIO,
    blocks: Iterable[Samples],
    sound: Sound,
    *,
    format_chunk: bytes = b"",
    tags: Mapping[str, str] | None = None,
) -> int:
    """Write a WAV file and return its number of frames.

    Parameters
    ----------
    file : binary file
        Where to write; it must be able to seek.
    blocks : iterable of ndarray of float32, shape (frames, channels)
        The samples.
    sound : Sound
        Rate, channels, layout and sample type.
    format_chunk : bytes, optional
        Content of the ``fmt`` chunk; by default it is made from `sound`.
    tags : mapping, optional
        FFmpeg's names of tags and their texts, for ``LIST/INFO``.
    """
    form = format_chunk or _format_chunk(sound)
    info = b"".join(
        _chunk(name, tags[key].encode("utf-8", "replace") + b"\0")
        for key, name in _INFO.items()
        if tags and key in tags
    )
    counted = not sound.sample_type.startswith("int")
    head = b"".join(
        (
            b"RIFF\0\0\0\0WAVE",
            _chunk(b"JUNK", bytes(28)),  # room for ds64 (EBU Tech 3306)
            _chunk(b"fmt ", form),
            _chunk(b"fact", bytes(4)) if counted else b"",
            _chunk(b"LIST", b"INFO" + info) if info else b"",
            b"data\0\0\0\0",
        )
    )
    file.write(head)
    frames = size = 0
    for block in blocks:
        content = to_bytes(block, sound.sample_type, "<")
        file.write(content)
        frames += len(block)
        size += len(content)
    file.write(bytes(size % 2))
    whole = len(head) + size + size % 2 - 8
    wide = whole > _LIMIT
    if wide:
        file.seek(0)
        file.write(struct.pack("<4sI", b"RF64", _ELSEWHERE))
        file.seek(12)
        lengths = struct.pack("<QQQI", whole, size, frames, 0)
        file.write(struct.pack("<4sI", b"ds64", len(lengths)) + lengths)
    _fill(file, "<I", 4, _ELSEWHERE if wide else whole)
    _fill(file, "<I", len(head) - 4, _ELSEWHERE if wide else size)
    if counted:
        place = 12 + 36 + 8 + len(form) + len(form) % 2 + 8
        _fill(file, "<I", place, min(frames, _ELSEWHERE))
    return frames


def write_aiff(
    file: BinaryIO,
    blocks: Iterable[Samples],
    sound: Sound,
    *,
    format_chunk: bytes = b"",
) -> int:
    """Write an AIFF or AIFF-C file and return its number of frames.

    Parameters
    ----------
    file, blocks, sound
        As for `write_wave`.
    format_chunk : bytes, optional
        Content of the source's ``COMM`` chunk, whose coding is kept.

    Raises
    ------
    MediaTooLarge
        The file would have more than 4 GiB.
    """
    coding = format_chunk[18:] or _AIFC_CODINGS.get(sound.sample_type, b"")
    little = coding.startswith(b"sowt") and sound.sample_type != "int8"
    order = "<" if little else ">"
    bits = 16 if "law" in sound.sample_type else 8 * sample_width(sound.sample_type)
    form = struct.pack(">HIH", sound.channels, 0, bits) + _extended(sound.rate_hz)
    if format_chunk:
        form = format_chunk[:2] + bytes(4) + format_chunk[6:18]
    version = struct.pack(">4sII", b"FVER", 4, _AIFC_VERSION) if coding else b""
    head = b"".join(
        (
            b"FORM\0\0\0\0AIFC" if coding else b"FORM\0\0\0\0AIFF",
            version,
            _chunk(b"COMM", form + coding, ">"),
            b"SSND\0\0\0\0" + bytes(8),
        )
    )
    file.write(head)
    frames = size = 0
    for block in blocks:
        content = to_bytes(block, sound.sample_type, order)
        file.write(content)
        frames += len(block)
        size += len(content)
        if size > _LIMIT - 1024:
            raise MediaTooLarge(
                "an AIFF file cannot have more than 4 GiB",
                hint="Choose WAV or FLAC as the output.",
            )
    file.write(bytes(size % 2))
    _fill(file, ">I", 4, len(head) + size + size % 2 - 8)
    _fill(file, ">I", 12 + len(version) + 8 + 2, frames)
    _fill(file, ">I", len(head) - 12, size + 8)
    return frames


def _format_chunk(sound: Sound) -> bytes:
    kind, channels = sound.sample_type, sound.channels
    width = sample_width(kind)
    tag = _TAGS[kind.rstrip("0123456789")]
    wide = channels > 2
    form = struct.pack(
        "<HHIIHH",
        0xFFFE if wide else tag,
        channels,
        sound.rate_hz,
        sound.rate_hz * channels * width,
        channels * width,
        8 * width,
    )
    if wide:
        mask = next((m for m, name in MASKS.items() if name == sound.layout), 0)
        return form + struct.pack("<HHIH", 22, 8 * width, mask, tag) + _GUID_TAIL
    return form if tag == 1 else form + bytes(2)


def _chunk(name: bytes, content: bytes, order: str = "<") -> bytes:
    head = struct.pack(order + "4sI", name, len(content))
    return head + content + bytes(len(content) % 2)


def _fill(file: BinaryIO, form: str, place: int, value: int) -> None:
    file.seek(place)
    file.write(struct.pack(form, value))
    file.seek(0, 2)


def _extended(value: int) -> bytes:
    """Return a positive integer as an 80-bit IEEE 754 number."""
    bits = value.bit_length()
    return struct.pack(">HQ", 16383 + bits - 1, value << (64 - bits))
