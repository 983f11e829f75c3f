"""Videos: from a file to frames, and back to an equal file.

Everything goes through frame by frame, so that an hour needs no more memory than a
minute.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ..errors import MediaError, UnsupportedFormat, UsageError
from . import clip_reader, sound_track
from .clip import MEDIA_TYPES, SUFFIXES, Video, check_writable
from .clip_file import opened
from .frame import Frame
from .lead_in import needed
from .probe import format_by_suffix, open_file, video_format
from .recoding import recode
from .sound import Samples
from .sound_output import SoundChange
from .trial import fitted
from .video_coding import Coding, choose

__all__ = [
    "SUFFIXES",
    "Coding",
    "Frame",
    "SoundChange",
    "Video",
    "describe",
    "format_of",
    "frames",
    "glimpses",
    "has_pictures",
    "lead_in_s",
    "packets_digest",
    "plan",
    "sound_blocks",
    "write",
]

# What is not longer is decoded as a whole for a few frames of it.
_SHORT_S = 20.0
_MAX_LEAD_IN_S = 60


def describe(path: Path | str) -> Video:
    """Tell what video a file holds, by its content.

    Raises
    ------
    UnsupportedFormat
        Another kind of file, one without video, or an encrypted one.
    DamagedMedia
        The file is empty or malformed, or no frame can be decoded.
    MediaTooLarge
        A frame has more pixels than 8192 x 4320.
    """
    with _reading(path) as (file, format):
        return clip_reader.survey(file, format)


def frames(
    path: Path | str, video: Video | None = None, *, every_s: float = 0.0
) -> Iterator[Frame]:
    """Yield the frames of a video in the order of display.

    Parameters
    ----------
    path : Path or str
        The file.
    video : Video, optional
        What `describe` says of it.
    every_s : float, optional
        Leave out frames that are closer than this to the one before, in seconds; key
        frames only where they are closer than that to the key frame before. Where
        it is long, frames that no other frame needs are not even decoded, so that the
        distance may grow by some frames.

    Yields
    ------
    Frame
        To be read only, and before the next one is asked for.

    Raises
    ------
    DamagedMedia
        After all frames that can be read: parts of the file are broken or missing.
    MediaError
        As `describe` raises it, or the frames change their size midway.
    """
    if not 0 <= every_s < float("inf"):
        raise UsageError(f"the distance of frames cannot be {every_s} s")
    if video is None:
        video = describe(path)
    with _reading(path) as (file, _):
        yield from clip_reader.decode(file, video, every_s)


def glimpses(path: Path | str, video: Video, count: int) -> Iterator[Frame]:
    """Yield some frames from all over a video.

    Of a long video they are key frames, which are found without what lies between.

    Parameters
    ----------
    path : Path or str
        The file.
    video : Video
        What `describe` says of it.
    count : int
        How many frames, about.

    Raises
    ------
    MediaError
        As `frames` raises it.
    """
    if video.duration_s <= _SHORT_S:
        found = frames(path, video, every_s=video.duration_s / count)
        yield from islice(found, count)
        return
    with _reading(path) as (file, _):
        yield from clip_reader.glimpses(file, video, count)


def sound_blocks(path: Path | str, video: Video) -> Iterator[Samples]:
    """Yield the sound of a video as a player would play it.

    Parameters
    ----------
    path : Path or str
        The file.
    video : Video
        What `describe` says of it; its sound must not be None.

    Yields
    ------
    ndarray of float32, shape (frames, channels)
        About a second; full scale is 1.

    Raises
    ------
    UsageError
        There is no sound.
    DamagedMedia
        After all the sound that can be read: parts of it are broken.
    """
    if video.sound is None:
        raise UsageError("the video has no sound that can be handled")
    with _reading(path) as (file, format):
        yield from sound_track.decode_sound(file, format, video.sound)


def lead_in_s(path: Path | str, video: Video, least_s: float) -> Fraction:
    """Tell for how long `write` must hold the first frame of a short video.

    Parameters
    ----------
    path : Path or str
        The file.
    video : Video
        What `describe` says of it.
    least_s : float
        For how long pictures shall be shown, in seconds.

    Returns
    -------
    Fraction
        The least that is enough, in whole frames; 0 where they are shown so long.

    Raises
    ------
    MediaError
        The file cannot be read.
    """
    with _reading(path) as (file, _):
        return needed(file, video, least_s).seconds


def plan(
    source: Path | str,
    video: Video,
    *,
    format: str | None = None,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
) -> Coding:
    """Choose how `write` will encode the frames.

    Who writes the same video several times makes a plan once and gives its codec, crf
    and preset to each `write`: finding the quality takes a trial on parts of the video.

    Parameters
    ----------
    source : Path or str
        The file that will be changed.
    video : Video
        What `describe` says of it.
    format, codec, crf, preset : optional
        As `write` takes them.

    Raises
    ------
    UsageError
        Format, codec, quality or preset are not among the choices.
    UnsupportedFormat
        The video cannot be written, or not in this format.
    """
    format = format or video.format
    if format not in SUFFIXES.values():
        formats = ", ".join(SUFFIXES.values())
        if format in MEDIA_TYPES:
            raise UnsupportedFormat(
                f"{format} files can be read, but not written",
                hint=f"Choose another format as the output: {formats}.",
            )
        raise UsageError(
            f"{format!r} is not a format of videos", hint=f"Choose one of {formats}."
        )
    if format == "avi" and video.format != "avi":
        raise UnsupportedFormat(
            "AVI files cannot hold the times of frames exactly",
            hint="Choose MP4 or Matroska as the output.",
        )
    check_writable(video)
    coding = choose(video, format, codec, crf, preset)
    if crf is not None:
        return coding
    with open_file(source) as file:
        return fitted(file, video, coding)


def write(
    target: Path | str,
    source: Path | str,
    video: Video,
    change: Callable[[Frame], object],
    *,
    sound: SoundChange | None = None,
    lead_in_s: float | Fraction = 0,
    format: str | None = None,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
    progress: Callable[[float, float], object] | None = None,
) -> Video:
    """Write a video anew with changed frames; all else in the file stays.

    Times of frames, size, pixel format, colors, turn for display, light of HDR10, key
    interval and coding are those of the source, and all other tracks are copied:
    sound, subtitles, covers, attachments, with their languages and flags, chapters
    and texts. Where one of these cannot stay, the result says so in its notes, or
    the video is refused.

    Parameters
    ----------
    target : Path or str
        The file to write, replaced if it exists.
    source : Path or str
        The file that is changed.
    video : Video
        What `describe` says of it.
    change : callable
        Takes each `Frame` in the order of display, and changes its planes in place;
        those of a lead-in too.
    sound : callable, optional
        Takes an iterator over the blocks of the sound, and yields as many samples,
        which may come some seconds later. It is encoded anew then, else copied.
    lead_in_s : float or Fraction, optional
        For how long the first frame is held in front, 0 to 60 s: shown again and
        again at the rate of the video, in whole frames. All else comes later by as
        much: pictures, sounds, subtitles, chapters. Sound that is encoded anew begins
        with silence, which that of AVI always is; other sound begins with a gap.
    format : str, optional
        One of the values of `SUFFIXES`; by default that of the source.
    codec : str, optional
        By default that of the source, as far as it can be written.
    crf : int, optional
        Quality by the measure of the codec; the lower, the better. By default one that
        keeps the frames as they look, but coarser where the pictures would take more
        than about twice the bits of the source.
    preset : str, optional
        One of the presets of the codec's encoder.
    progress : callable, optional
        Takes the seconds that are done and those in all, about each second.

    Returns
    -------
    Video
        What was written.

    Raises
    ------
    UsageError
        Format, codec, quality or preset are not among the choices, the lead-in cannot
        be meant, the target is the source, or the sound did not come back as long as
        it was.
    OSError
        The target cannot be written.
    UnsupportedFormat
        The video is interlaced, can be seen through, is not stored as luma and chroma,
        or does not fit the format.
    DamagedMedia
        The source is cut off or broken.
    """
    if os.path.exists(target) and os.path.samefile(target, source):
        raise UsageError("the source and the target are one file")
    if not 0 <= lead_in_s <= _MAX_LEAD_IN_S:
        raise UsageError(
            f"a frame cannot be held for {lead_in_s} s",
            hint=f"Use 0 to {_MAX_LEAD_IN_S}.",
        )
    try:
        coding = plan(source, video, format=format, codec=codec, crf=crf, preset=preset)
        with open(os.path.abspath(target), "w+b") as file:
            notes = recode(
                *(file, Path(source), video, format or video.format, coding, change),
                sound=sound,
                lead_in_s=lead_in_s,
                progress=progress,
            )
    except MediaError as error:
        if error.path is None:
            error.path = source
        raise
    written = describe(target)
    return replace(written, notes=(*notes, *written.notes))


def has_pictures(path: Path | str) -> bool:
    """Tell whether a file that can hold both holds pictures besides sound."""
    try:
        describe(path)
    except UnsupportedFormat:
        return False
    return True


def packets_digest(path: Path | str) -> str:
    """Return the SHA-256, in hex, of all that the tracks of a video hold."""
    digest = hashlib.sha256()
    with _reading(path) as (file, format), opened(file, format) as container:
        for packet in container.demux():
            digest.update(repr((packet.stream_index, packet.pts)).encode())
            digest.update(bytes(packet))
    return digest.hexdigest()


def format_of(path: Path | str) -> str:
    """Tell the format that a file of this name shall have.

    Raises
    ------
    UnsupportedFormat
        The suffix is missing or not that of a video that can be written.
    """
    return format_by_suffix(path, SUFFIXES)


@contextmanager
def _reading(path: Path | str) -> Iterator[tuple[BinaryIO, str]]:
    """Lend a file and its format; errors learn the path."""
    try:
        with open_file(path) as file:
            yield file, video_format(file)
    except MediaError as error:
        if error.path is None:
            error.path = path
        raise
