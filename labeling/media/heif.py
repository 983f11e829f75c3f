"""HEIC and HEIF pictures, and animated AVIF: told apart, but not decoded.

References
----------
ISO/IEC 23008-12, section 10 (brands) and 6.5.3 (ispe).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from .probe import MAX_BYTES, format_by_suffix, open_file
from .source import read_file

__all__ = ["Heif", "format_of", "heif_source", "read"]

_FORMATS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis"), "heic")
_FORMATS |= dict.fromkeys((b"hevc", b"hevx", b"hevm", b"hevs"), "heic")
_FORMATS |= dict.fromkeys((b"mif1", b"mif2", b"msf1"), "heif") | {b"avis": "avif"}
_SUFFIXES = {".heic": "heic", ".heif": "heif", ".hif": "heif", ".avif": "avif"}
_SIZE = re.compile(rb"\0\0\0\x14ispe\0{4}(.{4})(.{4})", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heif:
    """What the header of a file says.

    Parameters
    ----------
    format : str
        ``"heic"``, ``"heif"`` or ``"avif"``.
    width, height : int
        Size in pixels as stored, 0 where it is not told.
    """

    format: str
    width: int
    height: int

    @property
    def media_type(self) -> str:
        """Its name on the Internet."""
        return f"image/{self.format}"


def heif_source(source: object) -> bytes | None:
    """Return the content of a file of these kinds, None for all else.

    Parameters
    ----------
    source : str, Path, bytes or anything else
        A file, or the bytes of one.

    Raises
    ------
    MediaError
        The file cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source) if _format(bytes(source[:12])) else None
    if not isinstance(source, str | os.PathLike):
        return None
    with open_file(Path(source)) as file:
        head = file.read(12)
    return read_file(Path(source)) if _format(head) else None


def read(content: bytes) -> Heif:
    """Tell the format and size of a file from its header.

    Raises
    ------
    DamagedMedia
        The header is cut off.
    MediaTooLarge
        The file has more than 512 MiB.
    """
    if len(content) > MAX_BYTES:
        raise MediaTooLarge(f"the file has more than {MAX_BYTES:,} bytes")
    format = _format(content[:12])
    if format is None or len(content) < 16:
        raise DamagedMedia("the file is cut off after its first bytes")
    # Thumbnails, tiles and the whole have a size each.
    sizes = [
        (int.from_bytes(width), int.from_bytes(height))
        for width, height in _SIZE.findall(content[: 1 << 20])
    ]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return Heif(format=format, width=width, height=height)


def format_of(path: Path | str, found: Heif) -> str:
    """Tell the format that a file of this name shall have.

    Raises
    ------
    UnsupportedFormat
        It is another one than that of the source.
    """
    format = format_by_suffix(path, _SUFFIXES)
    if {format, found.format} not in ({found.format}, {"heic", "heif"}):
        raise UnsupportedFormat(
            f"a {found.format.upper()} file cannot be written as {format}",
            hint="Give the output the suffix of the source.",
        )
    return found.format


def _format(head: bytes) -> str | None:
    return _FORMATS.get(head[8:12]) if head[4:8] == b"ftyp" else None
