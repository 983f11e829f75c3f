"""Write and read the AIGC label of a sound or video, where its format has the place.

Works on files as streams: sound and pictures are neither decoded nor encoded again,
and no more than the metadata is taken into memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ..errors import (
    MediaError,
    MediaTooLarge,
    SynthmarkError,
    UnsupportedFormat,
)
from ..model import AigcLabel
from . import aigc, avi, ebml, flv, id3, matroska, mp4, ogg, riff, vorbis
from .carrier import Survey
from .image import FoundLabel, Reading, collect, confirm
from .parts import Part, copy
from .times import Later

__all__ = ["FoundLabel", "Reading", "Written", "read", "write"]

# Outermost boxes that a MOV file may begin with; any other of the family has ftyp.
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
KINDS = "a WAV, FLAC, MP3, Ogg, AIFF, MP4, MOV, MKV, WebM, AVI or FLV file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written into a file.

    Parameters
    ----------
    place : str
        Where the label stands in it.
    notes : tuple of str
        What was replaced on the way.
    """

    place: str
    notes: tuple[str, ...] = ()


class _Container(Protocol):
    """What each container module offers."""

    def survey(self, file: BinaryIO) -> Survey: ...
    def edit(
        self, file: BinaryIO, text: str, original: BinaryIO | None
    ) -> list[Part]: ...


class _Timed(_Container, Protocol):
    """What those modules offer whose metadata hold times."""

    def edit(
        self,
        file: BinaryIO,
        text: str,
        original: BinaryIO | None,
        later: Later | None = None,
    ) -> list[Part]: ...


_TIMED: tuple[_Timed, ...] = (id3, ogg, riff, vorbis)


def write(
    source: Path | str,
    target: Path | str,
    label: AigcLabel,
    *,
    original: Path | str | None = None,
    later: Later | None = None,
) -> Written:
    """Copy a sound or video and write the label into the copy.

    The copy has exactly one label (GB 45438-2025, 6.1 c): earlier ones are replaced
    wherever they stand. Packets and all other metadata stay as they are. The result
    is read back before the function returns.

    Parameters
    ----------
    source : Path or str
        A WAV, FLAC, MP3, Ogg, AIFF, MP4 (M4A, M4V), MOV, MKV, WebM, AVI or FLV file.
    target : Path or str
        The file to write, another one than `source`.
    label : AigcLabel
        The label.
    original : Path or str, optional
        The file that `source` was encoded from. Where it is of the same format, its
        tags, pictures and all other metadata besides labels and C2PA manifests take
        the place of those of `source`, byte by byte. What is about single streams,
        and chapters of MP4 and Matroska, are those of `source`; in FLV, so are all
        values that it has.
    later : callable, optional
        Tells where a point of `original` is in `source`, both in seconds, where that
        has become longer. Chapters, cue points and synchronized texts that are taken
        over follow it.

    Raises
    ------
    UnsupportedFormat
        The file is of another kind.
    DamagedMedia
        The file is truncated or malformed.
    MediaTooLarge
        The file has more metadata than any honest one.
    MetadataError
        The label does not conform, does not fit, or does not read back.
    """
    text = aigc.to_json(label)
    with _opened(source) as file:
        container = _container(file)
        earlier = container.survey(file)
        if not earlier.complete:
            raise MediaTooLarge(
                "has too many blocks of metadata",
                hint="Write the file anew without its earlier metadata.",
            )
        if original is None:
            parts = container.edit(file, text, None)
        else:
            with _opened(original) as other:
                kind = _kind(other)
                earlier = kind.survey(other) if kind else earlier
                parts = _edit(container, file, text, other, kind, later)
        with open(target, "wb") as output:
            copy(file, parts, output)
    lost = () if original is None else earlier.lost
    reading = read(target)
    confirm(reading, label)
    place = reading.labels[0].place
    notes = [f"{what} were left out" for what in lost] + [
        f"an earlier AIGC label has been replaced: {found.place}"
        for found in collect(earlier).labels
        if found.label != label or found.place != place
    ]
    return Written(place=place, notes=tuple(dict.fromkeys(notes)))


def _edit(
    container: _Container,
    file: BinaryIO,
    text: str,
    original: BinaryIO,
    kind: _Container | None,
    later: Later | None,
) -> list[Part]:
    """Return the parts of the labeled file, with metadata of one of the same kind."""
    if kind is not container:
        return container.edit(file, text, None)
    for timed in _TIMED:
        if timed is container:
            return timed.edit(file, text, original, later)
    return container.edit(file, text, original)


def read(path: Path | str) -> Reading:
    """Read every AIGC label of a sound or video.

    Parameters
    ----------
    path : Path or str
        A file as for `write`, however damaged.

    Raises
    ------
    UnsupportedFormat
        The file is of another kind.
    MediaTooLarge
        A block of metadata is larger than 128 MiB.
    """
    with _opened(path) as file:
        return collect(_container(file).survey(file))


def _container(file: BinaryIO) -> _Container:
    container = _kind(file)
    if container is None:
        raise UnsupportedFormat(
            f"is not {KINDS}", hint="Convert it to one of these formats."
        )
    return container


def _kind(file: BinaryIO) -> _Container | None:
    file.seek(0)
    head = file.read(16)
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return riff
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return riff
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return avi
    if head[4:8] in BOXES:
        return mp4
    if head[:4] == ebml.identifier(ebml.HEADER):
        return matroska
    if head[:4] == b"FLV\1":
        return flv
    if head[:4] == b"OggS":
        return ogg
    behind = id3.tag_length(head)
    file.seek(behind)
    after = file.read(4)
    if after == vorbis.SIGNATURE:
        return vorbis
    # A frame of MPEG sound, layer III: eleven bits of sync, then version and layer.
    if behind or (after[:1] == b"\xff" and after[1:2] and after[1] & 0xE6 == 0xE2):
        return id3
    return None


@contextmanager
def _opened(path: Path | str) -> Iterator[BinaryIO]:
    """Lend a file; errors learn its path."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - errors in its use are others
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise MediaError(f"cannot be read: {reason}", path=path) from error
    try:
        with file:
            yield file
    except SynthmarkError as error:
        if error.path is None:
            error.path = path
        raise
