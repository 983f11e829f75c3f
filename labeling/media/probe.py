"""What kind of file it is, by its content, before anything is decoded."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ..errors import DamagedMedia, MediaError, MediaTooLarge, UnsupportedFormat
from ..model import Media
from .container import Piece, pieces
from .signature import refusal, sound_kind, video_kind
from .tiff import SIGNATURES, read_header

__all__ = [
    "AUDIO_HEAD_BYTES",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MEDIA_TYPES",
    "Probe",
    "audio_format",
    "format_by_suffix",
    "is_audio",
    "open_file",
    "probe",
    "video_format",
]

MAX_BYTES = 512 << 20
MAX_PIXELS = 200_000_000

MEDIA_TYPES = {
    name: f"image/{name}" for name in ("jpeg", "png", "webp", "tiff", "avif")
}

_CONVERT = "Convert it to JPEG, PNG, WebP, TIFF or AVIF first."

AUDIO_HEAD_BYTES = 1024
"""How much of the beginning of a file tells whether it is a sound or video."""

_PICTURES = ("png", "jpeg", "webp", "gif")
_VIDEO_CONVERT = "Convert it to MP4 or Matroska first."
_SOUND_CONVERT = "Convert it to WAV, FLAC, MP3, M4A, Ogg or AIFF first."

_PNG_MODES = {
    0: ("grey", {1, 2, 4, 8, 16}),
    2: ("rgb", {8, 16}),
    3: ("palette", {1, 2, 4, 8}),
    4: ("grey+alpha", {8, 16}),
    6: ("rgba", {8, 16}),
}
_JPEG_MODES = {1: "grey", 3: "rgb", 4: "cmyk"}
# Baseline, extended and progressive, with Huffman or arithmetic coding.
_JPEG_FRAMES = {"SOF0", "SOF1", "SOF2", "SOF9", "SOF10"}
# Every scan passes over all pixels, at a cost of a few bytes to who made the file.
_MAX_SCANS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What the header of a file says.

    Parameters
    ----------
    media : Media
        Kind of media.
    format : str
        ``"jpeg"``, ``"png"``, ``"webp"``, ``"tiff"`` or ``"avif"``.
    media_type : str
        Its name on the Internet, for example ``"image/png"``.
    width, height : int
        Size in pixels as stored, before an EXIF orientation is applied.
    mode : str
        Colors as stored: ``"grey"``, ``"grey+alpha"``, ``"palette"``, ``"rgb"``,
        ``"rgba"``, ``"cmyk"`` or ``"lab"``.
    bits : int
        Bits of a channel, or of a palette index.
    """

    media: Media
    format: str
    media_type: str
    width: int
    height: int
    mode: str
    bits: int


def probe(content: bytes, *, max_pixels: int = MAX_PIXELS) -> Probe:
    """Tell the format and size of a picture file from its header.

    Parameters
    ----------
    content : bytes
        The whole file; its name plays no part.
    max_pixels : int, optional
        Refuse larger pictures.

    Raises
    ------
    UnsupportedFormat
        Another kind of file, or an animated picture.
    DamagedMedia
        The file is empty, cut off or malformed.
    MediaTooLarge
        The file has more than 512 MiB, or the picture too many pixels.
    """
    if not content:
        raise DamagedMedia("the file is empty")
    if len(content) > MAX_BYTES:
        raise MediaTooLarge(
            f"the file has {len(content):,} bytes, more than {MAX_BYTES:,}"
        )
    format = _format(content)
    if format == "tiff":
        header = read_header(content)
        width, height, mode, bits = (
            header.width,
            header.height,
            header.mode,
            header.bits,
        )
    elif format == "avif":
        width, height, mode, bits = _read_avif(content)
    else:
        read = {"jpeg": _read_jpeg, "png": _read_png, "webp": _read_webp}[format]
        width, height, mode, bits = read(pieces(content, format))
    if not width or not height:
        raise DamagedMedia(f"the header tells a size of {width} x {height} pixels")
    if width * height > max_pixels:
        raise MediaTooLarge(
            f"the picture has {width} x {height} pixels, more than "
            f"{max_pixels / 1e6:g} million",
            hint="Scale it down first.",
        )
    return Probe(
        media=Media.IMAGE,
        format=format,
        media_type=MEDIA_TYPES[format],
        width=width,
        height=height,
        mode=mode,
        bits=bits,
    )


def is_audio(head: bytes) -> bool:
    """Tell whether a file begins like one of the sounds that are handled.

    Parameters
    ----------
    head : bytes
        Its first `AUDIO_HEAD_BYTES`, or all of it.
    """
    return sound_kind(head) is not None


def audio_format(file: BinaryIO) -> str:
    """Tell the format of a sound file from its beginning.

    Parameters
    ----------
    file : binary file
        The file, which must be able to seek; its name plays no part.

    Returns
    -------
    str
        ``"wav"``, ``"flac"``, ``"mp3"``, ``"m4a"``, ``"ogg"``, ``"opus"`` or
        ``"aiff"``. An MP4 file may still turn out to be a video.

    Raises
    ------
    UnsupportedFormat
        Another kind of file.
    DamagedMedia
        The file is empty or cut off after its first bytes.
    """
    file.seek(0)
    head = file.read(AUDIO_HEAD_BYTES)
    if (format := sound_kind(head)) is not None:
        return "flac" if format == "mp3" and _tagged_flac(file, head) else format
    starts = (b"RIFF", b"FORM", b"OggS")
    raise refusal(head, "a sound", starts=starts, hint=_SOUND_CONVERT)


def is_video(head: bytes) -> bool:
    """Tell whether a file begins like one of the videos that are handled.

    Single pictures do not count. An MP4 file of a general brand may still hold sound
    alone.

    Parameters
    ----------
    head : bytes
        Its first `AUDIO_HEAD_BYTES`, or all of it.
    """
    return video_kind(head) not in (None, *_PICTURES)


def video_format(file: BinaryIO) -> str:
    """Tell the format of a video file from its beginning.

    Parameters
    ----------
    file : binary file
        The file, which must be able to seek; its name plays no part.

    Returns
    -------
    str
        One of the formats of `Video`, those of single pictures included.

    Raises
    ------
    UnsupportedFormat
        Another kind of file.
    DamagedMedia
        The file is empty or cut off after its first bytes.
    """
    file.seek(0)
    head = file.read(AUDIO_HEAD_BYTES)
    if format := video_kind(head):
        return format
    starts = (b"RIFF", b"\x89", b"\x1aE")
    raise refusal(head, "a video", starts=starts, hint=_VIDEO_CONVERT)


def open_file(path: Path | str) -> BinaryIO:
    """Open a media file for reading.

    Raises
    ------
    MediaError
        There is no such file, it is a folder or device, or may not be read.
    """
    try:
        # Opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise MediaError("is a folder or device, not a file", path=path)
        return open(path, "rb")
    except FileNotFoundError as error:
        raise MediaError(
            "does not exist", hint="Check the spelling of the path.", path=path
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, MediaError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"cannot be read: {reason.lower()}", path=path) from error


def _tagged_flac(file: BinaryIO, head: bytes) -> bool:
    """Tell whether an ID3 tag stands in front of FLAC."""
    if not head.startswith(b"ID3"):
        return False
    # Its length has 7 bits a byte.
    file.seek(10 + sum((byte & 127) << 7 * i for i, byte in enumerate(head[9:5:-1])))
    return file.read(4) == b"fLaC"


def _format(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    if content[:4] in SIGNATURES:
        return "tiff"
    if content[4:8] == b"ftyp" and content[8:12] in (b"avif", b"avis"):
        return "avif"
    starts = (b"RIFF", b"\x89", b"\xff\xd8")
    raise refusal(content[:1024], "a picture", starts=starts, hint=_CONVERT)


def _read_png(parts: Sequence[Piece]) -> tuple[int, int, str, int]:
    header = parts[0].data
    names = {part.name for part in parts}
    if "IDAT" not in names:
        raise DamagedMedia("the PNG file holds no picture data")
    for part in parts:
        if part.name == "acTL" and int.from_bytes(part.data[:4]) > 1:
            raise _animated()
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    bits, color_type = header[8], header[9]
    mode, depths = _PNG_MODES.get(color_type, ("", set()))
    if bits not in depths:
        raise DamagedMedia(
            f"the PNG header tells an unknown color type {color_type} of {bits} bits"
        )
    return width, height, mode, bits


def _read_jpeg(parts: Sequence[Piece]) -> tuple[int, int, str, int]:
    frames = [part for part in parts if part.name.startswith("SOF")]
    if len(frames) != 1 or len(frames[0].data) < 6:
        raise DamagedMedia("the JPEG file does not have one frame header")
    scans = sum(part.name == "SOS" for part in parts)
    if not 0 < scans <= _MAX_SCANS:
        raise DamagedMedia(
            f"the JPEG file has {scans} scans instead of 1..{_MAX_SCANS}"
        )
    header = frames[0].data
    if frames[0].name not in _JPEG_FRAMES or header[0] != 8:
        raise UnsupportedFormat(
            f"the JPEG file uses a rare coding ({frames[0].name}, {header[0]} bits)",
            hint="Save it as an ordinary JPEG first.",
        )
    if header[5] not in _JPEG_MODES:
        raise UnsupportedFormat(f"the JPEG file has {header[5]} color channels")
    height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
    return width, height, _JPEG_MODES[header[5]], 8


def _read_webp(parts: Sequence[Piece]) -> tuple[int, int, str, int]:
    frames = sum(part.name == "ANMF" for part in parts)
    if frames > 1:
        raise _animated()
    name, data = parts[0].name, parts[0].data
    if name == "VP8X" and len(data) >= 10:
        width = 1 + int.from_bytes(data[4:7], "little")
        height = 1 + int.from_bytes(data[7:10], "little")
        alpha = bool(data[0] & 0x10)
    elif name == "VP8L" and len(data) >= 5 and data[0] == 0x2F:
        header = int.from_bytes(data[1:5], "little")
        width, height = 1 + (header & 0x3FFF), 1 + (header >> 14 & 0x3FFF)
        alpha = bool(header >> 28 & 1)
    elif name == "VP8 " and len(data) >= 10 and bytes(data[3:6]) == b"\x9d\x01\x2a":
        width = int.from_bytes(data[6:8], "little") & 0x3FFF
        height = int.from_bytes(data[8:10], "little") & 0x3FFF
        alpha = False
    else:
        raise DamagedMedia("the WebP header is malformed")
    return width, height, "rgba" if alpha else "rgb", 8


def _read_avif(content: bytes) -> tuple[int, int, str, int]:
    from PIL import AvifImagePlugin

    try:
        image = AvifImagePlugin.AvifImageFile(BytesIO(content))
    except (OSError, SyntaxError, ValueError, RuntimeError) as error:
        raise DamagedMedia(f"the AVIF file is malformed: {error}") from error
    if image.is_animated:
        raise _animated()
    # The configuration tells whether there are more than 8 bits (AV1-ISOBMFF, 2.3.3).
    start = content.find(b"av1C") + 4
    flags = content[start + 2 : start + 3] if start > 3 else b""
    bits = 8 if not flags or not flags[0] & 0x40 else 12 if flags[0] & 0x20 else 10
    return *image.size, {"L": "grey", "RGB": "rgb"}.get(image.mode, "rgba"), bits


def _animated() -> MediaError:
    return UnsupportedFormat(
        "the picture is animated, and animated pictures are not handled yet",
        hint="Save a single frame as a picture first.",
    )


def format_by_suffix(path: Path | str, formats: Mapping[str, str]) -> str:
    """Tell the format that a file of this name shall have.

    Parameters
    ----------
    path : Path or str
        The file to write.
    formats : mapping of str to str
        From suffixes to formats.

    Raises
    ------
    UnsupportedFormat
        The suffix is missing or not one of these.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in formats:
        raise UnsupportedFormat(
            f"a file ending in {suffix!r} cannot be written"
            if suffix
            else "a file whose name has no suffix cannot be written",
            hint=f"End the name in {', '.join(formats)}.",
            path=path,
        )
    return formats[suffix]
