"""Sounds whose samples stand in the file as they are: WAV and AIFF.

Headers of these two are read here and samples go through numpy: no decoder has to be
trusted, integers come back as they were, and a wrong length in a header is seen.

References
----------
Microsoft RIFF (1991) and WAVEFORMATEXTENSIBLE (mmreg.h); EBU Tech 3306 (RF64);
ITU-R BS.2088 (BW64); Apple AIFF 1.3 and AIFF-C.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DamagedMedia, UnsupportedFormat
from .samples import from_bytes, sample_width
from .sound import (
    MAX_SECONDS,
    WIDE_NOTE,
    Samples,
    Sound,
    check_stream,
    default_layout,
)

__all__ = [
    "MASKS",
    "PcmHeader",
    "codec",
    "read_blocks",
    "read_header",
]

MAX_CHUNKS = 10_000
MAX_HEADER_BYTES = 1 << 16
# A stream that was written without going back to fill in its length.
_OPEN_ENDED = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

MASKS = {
    0x4: "mono",
    0x3: "stereo",
    0xB: "2.1",
    0x7: "3.0",
    0x103: "3.0(back)",
    0x33: "quad",
    0x603: "quad(side)",
    0x107: "4.0",
    0x37: "5.0",
    0x607: "5.0(side)",
    0x3F: "5.1",
    0x60F: "5.1(side)",
    0x70F: "6.1",
    0x13F: "6.1(back)",
    0x637: "7.0",
    0x63F: "7.1",
    0xFF: "7.1(wide)",
}
"""Speaker masks of WAVEFORMATEXTENSIBLE and FFmpeg's names of the layouts."""

_WAVE_TYPES = {
    (1, 8): "int8",
    (1, 16): "int16",
    (1, 24): "int24",
    (1, 32): "int32",
    (3, 32): "float32",
    (3, 64): "float64",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}
_AIFC_TYPES = {
    b"fl32": "float32",
    b"FL32": "float32",
    b"fl64": "float64",
    b"FL64": "float64",
    b"alaw": "alaw",
    b"ALAW": "alaw",
    b"ulaw": "mulaw",
    b"ULAW": "mulaw",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PcmHeader:
    """What stands in front of the samples.

    Parameters
    ----------
    sound : Sound
        The sound; its `frames` are those that the file really holds.
    start : int
        Byte at which the samples begin.
    order : str
        Of bytes in a number, ``"<"`` or ``">"``.
    missing : int
        Frames that the header claims and the file does not hold.
    format_chunk : bytes
        Content of the ``fmt`` chunk of a WAV file, or of ``COMM`` of an AIFF file.
    """

    sound: Sound
    start: int
    order: str
    missing: int
    format_chunk: bytes


def codec(sample_type: str, format: str) -> str:
    """Return FFmpeg's name of the coding in a WAV or AIFF file."""
    if sample_type == "int8":
        return "pcm_u8" if format == "wav" else "pcm_s8"
    if "law" in sample_type:
        return f"pcm_{sample_type}"
    kind = sample_type[0].replace("i", "s") + str(8 * sample_width(sample_type))
    return f"pcm_{kind}{'le' if format == 'wav' else 'be'}"


def read_header(file: BinaryIO) -> PcmHeader:
    """Read what a WAV or AIFF file says about its samples.

    Raises
    ------
    MediaError
        The file is damaged, or its samples are of a kind that is not handled.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    kind, form = head[:4], head[8:]
    if kind in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE":
        return _wave(file, size)
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _aiff(file, size)
    raise UnsupportedFormat("the file is neither WAV nor AIFF")


def read_blocks(file: BinaryIO, header: PcmHeader) -> Iterator[Samples]:
    """Yield the samples, about a second at a time.

    Raises
    ------
    DamagedMedia
        Samples are not numbers; or, after all that are there, some are missing.
    """
    sound = header.sound
    width = sample_width(sound.sample_type) * sound.channels
    left = sound.frames or 0
    file.seek(header.start)
    while left:
        content = file.read(width * min(left, sound.rate_hz))
        frames = len(content) // width
        if not frames:
            held = sound.frames or 0
            raise _truncated(held - left, held, sound.rate_hz)
        flat = from_bytes(content[: frames * width], sound.sample_type, header.order)
        yield flat.reshape(-1, sound.channels)
        left -= frames
    if header.missing:
        held = sound.frames or 0
        raise _truncated(held, held + header.missing, sound.rate_hz)


def _wave(file: BinaryIO, size: int) -> PcmHeader:
    chunks = dict[bytes, tuple[int, int]]()
    wide_size = 0
    for name, start, length in _chunks(file, size, "<"):
        chunks.setdefault(name, (start, length))
        if name == b"ds64":
            wide_size = struct.unpack("<Q", _part(file, start + 8, 8))[0]
        if name == b"data":
            break
    if b"fmt " not in chunks or b"data" not in chunks:
        missing = "samples" if b"fmt " in chunks else "description of its samples"
        raise DamagedMedia(f"the WAV file has no {missing}")
    start, length = chunks[b"fmt "]
    form = _part(file, start, min(length, MAX_HEADER_BYTES))
    if len(form) < 16:
        raise DamagedMedia("the WAV header is cut off")
    tag, channels, rate, _, block, bits = struct.unpack("<HHIIHH", form[:16])
    mask = 0
    if tag == 0xFFFE and len(form) >= 40:
        mask = struct.unpack("<I", form[20:24])[0]
        tag = struct.unpack("<H", form[24:26])[0]
    kind = _WAVE_TYPES.get((tag, 8 * -(-bits // 8)))
    if kind is None:
        raise UnsupportedFormat(
            f"the WAV file has a rare coding (tag {tag:#06x}, {bits} bits)",
            hint="Convert it to PCM first.",
        )
    check_stream(rate, channels, None)
    if block != sample_width(kind) * channels:
        raise DamagedMedia(
            f"the WAV header tells {block} bytes for {channels} samples of {bits} bits"
        )
    start, length = chunks[b"data"]
    if length == 0xFFFFFFFF and wide_size:
        length = wide_size
    layout = MASKS.get(mask, "")
    if not mask or mask.bit_count() != channels:
        layout = default_layout(channels) if not mask and channels <= 2 else ""
    return _header(
        file,
        format="wav",
        codec=codec(kind, "wav"),
        kind=kind,
        rate=rate,
        channels=channels,
        layout=layout or f"{channels} channels",
        start=start,
        claimed=None if length in _OPEN_ENDED else length // block,
        held=(size - start) // block,
        form=form,
        order="<",
    )


def _aiff(file: BinaryIO, size: int) -> PcmHeader:
    chunks = dict[bytes, tuple[int, int]]()
    for name, start, length in _chunks(file, size, ">"):
        chunks.setdefault(name, (start, length))
    if b"COMM" not in chunks or b"SSND" not in chunks:
        missing = "samples" if b"COMM" in chunks else "description of its samples"
        raise DamagedMedia(f"the AIFF file has no {missing}")
    start, length = chunks[b"COMM"]
    form = _part(file, start, min(length, MAX_HEADER_BYTES))
    if len(form) < 18:
        raise DamagedMedia("the AIFF header is cut off")
    channels, claimed, bits = struct.unpack(">HIH", form[:8])
    rate = _extended(form[8:18])
    coding = form[18:22] or b"NONE"
    kind: str | None = _AIFC_TYPES.get(coding)
    if coding in (b"NONE", b"twos", b"sowt", b"in24", b"in32"):
        kind = {1: "int8", 2: "int16", 3: "int24", 4: "int32"}.get(-(-bits // 8))
    if kind is None:
        raise UnsupportedFormat(
            f"the AIFF file has a rare coding ({coding.decode('latin-1')!a})",
            hint="Convert it to PCM first.",
        )
    check_stream(rate, channels, claimed)
    start, length = chunks[b"SSND"]
    offset = struct.unpack(">I", _part(file, start, 4))[0]
    start += 8 + offset
    block = sample_width(kind) * channels
    order = "<" if coding == b"sowt" and kind != "int8" else ">"
    return _header(
        file,
        format="aiff",
        codec=codec(kind, "aiff" if order == ">" else "wav"),
        kind=kind,
        rate=rate,
        channels=channels,
        layout=default_layout(channels) if channels <= 2 else f"{channels} channels",
        start=start,
        claimed=claimed,
        held=max(0, size - start) // block,
        form=form,
        order=order,
    )


def _header(
    file: BinaryIO,
    *,
    format: str,
    codec: str,
    kind: str,
    rate: int,
    channels: int,
    layout: str,
    start: int,
    claimed: int | None,
    held: int,
    form: bytes,
    order: str,
) -> PcmHeader:
    frames = held if claimed is None else min(held, claimed)
    check_stream(rate, channels, frames)
    if not frames:
        raise DamagedMedia("the file holds no samples")
    notes = []
    if claimed is None:
        notes.append("the header states no length; the sound goes on to the file's end")
    elif claimed > held:
        notes.append(f"the header states {claimed:,} frames, the file holds {held:,}")
    if kind in ("int32", "float64"):
        notes.extend(WIDE_NOTE)
    return PcmHeader(
        sound=Sound(
            format=format,
            codec=codec,
            rate_hz=rate,
            channels=channels,
            layout=layout,
            frames=frames,
            sample_type=kind,
            bit_rate=8 * sample_width(kind) * channels * rate,
            notes=tuple(notes),
        ),
        start=start,
        order=order,
        missing=max(0, min(claimed or 0, MAX_SECONDS * rate) - held),
        format_chunk=form,
    )


def _chunks(file: BinaryIO, size: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place of the content and claimed length of each chunk."""
    position = 12
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        name, length = struct.unpack(order + "4sI", head)
        yield name, position + 8, length
        position += 8 + length + length % 2
    raise DamagedMedia(f"the file has more than {MAX_CHUNKS:,} chunks")


def _part(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    content = file.read(length)
    if len(content) < length:
        raise DamagedMedia("the file is cut off in its header")
    return content


def _extended(content: bytes) -> int:
    """Return an 80-bit IEEE 754 number as an integer, 0 when it is none to be meant."""
    exponent, mantissa = struct.unpack(">HQ", content)
    shift = 16383 + 63 - exponent
    return mantissa >> shift if 0 <= shift < 64 else 0


def _truncated(held: int, claimed: int, rate_hz: int) -> DamagedMedia:
    return DamagedMedia(
        f"the file holds {held / rate_hz:.3f} s of the {claimed / rate_hz:.3f} s that "
        "its header states",
        hint="Get a complete copy of the file.",
    )
