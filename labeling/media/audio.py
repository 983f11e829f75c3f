"""Sounds: from a file to blocks of samples, and back to an equal file.

Everything goes through in blocks of about a second, so that an hour needs no more
memory than a minute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import DamagedMedia, MediaError, UsageError
from . import decoder, encoder, pcm, pcm_output, tags
from .probe import audio_format, format_by_suffix, open_file
from .samples import sample_width
from .sound import Samples, Sound, check_stream, default_layout

__all__ = [
    "Samples",
    "Sound",
    "blocks",
    "chapters",
    "describe",
    "format_of",
    "from_array",
    "write",
]

_SUFFIXES = {
    ".wav": "wav",
    ".flac": "flac",
    ".mp3": "mp3",
    ".m4a": "m4a",
    ".ogg": "ogg",
    ".opus": "opus",
    ".aiff": "aiff",
    ".aif": "aiff",
}
_PCM = ("wav", "aiff")


def describe(path: Path | str) -> Sound:
    """Tell what sound a file holds, by its content.

    Raises
    ------
    UnsupportedFormat
        Another kind of file, a video, an encrypted sound, or a coding, rate or number
        of channels that is not handled.
    DamagedMedia
        The file is empty, cut off or malformed.
    MediaTooLarge
        The sound is longer than a day.
    """
    with _reading(path) as (file, format):
        if format in _PCM:
            return pcm.read_header(file).sound
        return decoder.survey(file, format)


def blocks(path: Path | str, sound: Sound | None = None) -> Iterator[Samples]:
    """Yield the sound in a file as a player would play it.

    What encoders put in front of it and behind it is left out.

    Parameters
    ----------
    path : Path or str
        The file.
    sound : Sound, optional
        What `describe` says of it.

    Yields
    ------
    ndarray of float32, shape (frames, channels)
        About a second; full scale is 1, and lossy codings may go beyond it.

    Raises
    ------
    DamagedMedia
        Samples are not numbers. Or, after all the sound that can be read: parts of
        the file are broken or missing.
    MediaError
        As `describe` raises it.
    """
    if sound is None:
        sound = describe(path)
    with _reading(path) as (file, format):
        if format in _PCM:
            found = pcm.read_blocks(file, pcm.read_header(file))
        else:
            found = decoder.decode(file, sound)
        for block in found:
            if not np.isfinite(block).all():
                raise DamagedMedia(
                    "the sound has samples that are not numbers",
                    hint="Write it anew with finite samples.",
                )
            yield block


def chapters(path: Path | str, sound: Sound) -> tuple[float, ...]:
    """Return when the chapters of a file begin, in seconds, the first one first.

    Cue points of WAV files count as chapters. What begins where the sound has ended is
    left out.
    """
    length_s = math.inf if sound.frames is None else sound.frames / sound.rate_hz
    return tuple(start for start in _tags(path, sound).starts_s if start < length_s)


def write(
    target: Path | str,
    samples: Iterable[Samples],
    sound: Sound,
    *,
    format: str | None = None,
    source: Path | str | None = None,
    later: Callable[[float], float] | None = None,
) -> Sound:
    """Write changed samples into a file like the one that they came from.

    Rate, channels, layout, length and type of samples stay; a lossy coding gets a bit
    rate not below that of the source. Samples that did not change come out as the
    same integers. Where the format is another one, tags, cover and chapters are taken
    over as far as they have a counterpart; C2PA manifests, which bind the old
    samples, never are.

    Parameters
    ----------
    target : Path or str
        The file to write, replaced if it exists.
    samples : iterable of ndarray of float32, shape (frames, channels)
        What to write.
    sound : Sound
        The sound that the samples came from, by `describe` or `from_array`.
    format : str, optional
        One of the formats of `Sound`; by default that of `sound`.
    source : Path or str, optional
        The file that they came from, for what it says besides the samples.
    later : callable, optional
        Tells where a point of the source is in `samples`, both in seconds, where these
        have become longer. Chapters follow it.

    Returns
    -------
    Sound
        What was written, with its exact length; `notes` say what had to change.

    Raises
    ------
    UsageError
        The format is unknown, or the blocks have another number of channels.
    UnsupportedFormat
        The format cannot hold so many channels.
    MediaError
        The sound is empty, or too large for the format.
    """
    format = sound.format if format is None else format
    if format not in set(_SUFFIXES.values()):
        raise UsageError(
            f"{format!r} is not a sound format",
            hint=f"Choose one of {', '.join(dict.fromkeys(_SUFFIXES.values()))}.",
        )
    checked = _checked(samples, sound)
    with open(target, "w+b") as file:
        if format in _PCM:
            return _write_pcm(file, checked, sound, format, source)
        plan = encoder.plan(sound, format)
        kept = _tags(source, sound)
        if later is not None:
            kept = kept.moved(later)
        frames = encoder.encode(file, checked, sound.rate_hz, plan, kept)
        lost = kept.lost(format) if format != sound.format else ()
        return replace(plan.sound, frames=frames, notes=(*plan.sound.notes, *lost))


def from_array(samples: NDArray[Any], rate_hz: int) -> tuple[Sound, Samples]:
    """Take a sound from an array.

    Parameters
    ----------
    samples : ndarray, shape (frames,) or (frames, channels)
        Floating-point numbers with full scale 1, or int16 or int32.
    rate_hz : int
        Frames a second.

    Returns
    -------
    tuple of Sound and ndarray of float32, shape (frames, channels)
        A sound to be written as WAV, and the samples as one block.

    Raises
    ------
    UsageError
        The array has another type or shape, is empty, or holds what is no number.
    MediaError
        There are too many channels, or the rate is out of range.
    """
    kind = {"i2": "int16", "i4": "int32", "f2": "float32", "f4": "float32"}.get(
        samples.dtype.str[1:], "float32" if samples.dtype.kind == "f" else ""
    )
    if not kind:
        raise UsageError(
            f"samples must be float, int16 or int32, not {samples.dtype}",
            hint="Scale them to -1..1 and convert them with astype(numpy.float32).",
        )
    if samples.ndim not in (1, 2) or not samples.size:
        raise UsageError(
            f"samples must have the shape (frames,) or (frames, channels), not "
            f"{samples.shape}"
        )
    shaped = samples.reshape(len(samples), -1)
    check_stream(rate_hz, shaped.shape[1], len(shaped))
    scale = 1.0 if samples.dtype.kind == "f" else float(1 << (samples.itemsize * 8 - 1))
    block = np.array(shaped / scale, np.float32)
    if not np.isfinite(block).all():
        raise UsageError("samples must be finite numbers")
    width = sample_width(kind)
    sound = Sound(
        format="wav",
        codec="pcm_f32le" if kind == "float32" else f"pcm_s{8 * width}le",
        rate_hz=rate_hz,
        channels=shaped.shape[1],
        layout=default_layout(shaped.shape[1]),
        frames=len(shaped),
        sample_type=kind,
        bit_rate=8 * width * shaped.shape[1] * rate_hz,
    )
    return sound, block


def format_of(path: Path | str) -> str:
    """Tell the format that a file of this name shall have.

    Raises
    ------
    UnsupportedFormat
        The suffix is missing or not that of a sound file.
    """
    return format_by_suffix(path, _SUFFIXES)


@contextmanager
def _reading(path: Path | str) -> Iterator[tuple[BinaryIO, str]]:
    """Lend a file and its format; errors learn the path."""
    try:
        with open_file(path) as file:
            yield file, audio_format(file)
    except MediaError as error:
        if error.path is None:
            error.path = path
        raise


def _checked(samples: Iterable[Samples], sound: Sound) -> Iterator[Samples]:
    """Pass blocks on that have the right shape."""
    frames = 0
    for block in samples:
        if block.ndim != 2 or block.shape[1] != sound.channels:
            raise UsageError(
                f"a block has the shape {block.shape} instead of "
                f"(frames, {sound.channels})"
            )
        frames += len(block)
        if len(block):
            yield block
    if not frames:
        raise DamagedMedia("there is no sound to be written")


def _write_pcm(
    file: BinaryIO,
    samples: Iterable[Samples],
    sound: Sound,
    format: str,
    source: Path | str | None,
) -> Sound:
    kind = sound.sample_type or "int16"
    notes = [] if sound.sample_type else ["the samples were rounded to 16 bits"]
    written = replace(
        sound, format=format, sample_type=kind, codec=pcm.codec(kind, format)
    )
    form, kept = b"", tags.Tags()
    if source is not None and format == sound.format:
        with _reading(source) as (original, _):
            form = pcm.read_header(original).format_chunk
    else:
        kept = _tags(source, sound)
        notes.extend(kept.lost(format))
    if format == "aiff":
        frames = pcm_output.write_aiff(file, samples, written, format_chunk=form)
    else:
        frames = pcm_output.write_wave(
            file, samples, written, format_chunk=form, tags=kept.texts
        )
    width = sample_width(kind)
    return replace(
        written,
        frames=frames,
        bit_rate=8 * width * sound.channels * sound.rate_hz,
        notes=tuple(notes),
    )


def _tags(source: Path | str | None, sound: Sound) -> tags.Tags:
    if source is None:
        return tags.Tags()
    with _reading(source) as (file, _):
        return tags.read_tags(file, sound.format)
