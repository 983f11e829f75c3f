"""The sound of a video: what it is, its samples, and where in time it starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import av
from av.stream import Discard, Disposition

from ..errors import DamagedMedia, MediaError, UsageError
from .clip_file import opened, packets, tag_of
from .decoder import decoded, fresh_decoder
from .sound import Samples, Sound, check_stream

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

__all__ = ["decode_sound", "describe_sound", "main_sound", "sound_start"]

# What kind of sound file usually holds such a coding.
_FORMATS = {
    **{"aac": "m4a", "alac": "m4a", "mp3": "mp3", "opus": "opus"},
    **{"vorbis": "ogg", "flac": "flac"},
}
_NAMES = {"mp3float": "mp3", "libopus": "opus", "libvorbis": "vorbis"}
_PCM = {
    **{"pcm_u8": "int8", "pcm_s8": "int8", "pcm_alaw": "alaw", "pcm_mulaw": "mulaw"},
    **{f"pcm_s{n}{e}": f"int{n}" for n in (16, 24, 32) for e in ("le", "be")},
    **{f"pcm_f{n}{e}": f"float{n}" for n in (32, 64) for e in ("le", "be")},
}
_MAX_TRIES = 1000


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The first frame of a sound, and the packet that it came from."""

    frame: Any
    packet: Any


def main_sound(container: InputContainer) -> AudioStream | None:
    """Return the stream of sound that a player plays, None where there is none."""
    streams = list(container.streams.audio)
    streams.sort(key=lambda stream: not stream.disposition & Disposition.default)
    return streams[0] if streams else None


def describe_sound(file: BinaryIO, format: str) -> tuple[Sound | None, tuple[str, ...]]:
    """Describe the sound of a video.

    Returns
    -------
    tuple of Sound or None, and tuple of str
        Where there is sound that cannot be handled, notes say why.
    """
    try:
        with opened(file, format) as container:
            stream = main_sound(container)
            if stream is None:
                return None, ()
            return _describe(container, stream), ()
    except MediaError as error:
        return None, (f"the sound is left as it is: {error.problem}",)


def decode_sound(file: BinaryIO, format: str, sound: Sound) -> Iterator[Samples]:
    """Yield the samples that a player plays, about a second at a time.

    Raises
    ------
    DamagedMedia
        After all samples that can be had: some could not be decoded.
    """
    lost = total = 0
    with opened(file, format) as container:
        stream = _only(container)
        found = packets(container, stream)
        decoder = fresh_decoder(stream)
        for block in decoded(found, decoder, sound, time_base=stream.time_base):
            if block is None:
                lost += 1
            else:
                total += len(block)
                yield block
    if lost or not total:
        raise DamagedMedia(
            f"parts of the sound cannot be decoded ({lost} packets)",
            hint="Get a complete copy of the file.",
        )


def sound_start(file: BinaryIO, format: str) -> Fraction:
    """Return the time of the first sample that is played, in seconds."""
    with opened(file, format) as container:
        stream = _only(container)
        begin = _begin(container, stream)
        unit = stream.time_base or Fraction(1)
        start = (begin.packet.pts or 0) * unit
        if begin.packet.duration:
            # What the decoder left out of the first packet does not count.
            length = Fraction(begin.frame.samples, begin.frame.sample_rate)
            left_out = begin.packet.duration * unit - length
            if left_out > 2 * unit:
                start += left_out
        # A container of whole milliseconds cannot tell such a start from none.
        return Fraction(0) if abs(start) < unit else start


def _only(container: InputContainer) -> Any:
    """Return the stream of sound, with all others left unread."""
    sound = main_sound(container)
    if sound is None:
        raise UsageError("the video has no sound")
    for stream in container.streams:
        if stream.index != sound.index:
            stream.discard = Discard.all
    return sound


def _describe(container: InputContainer, stream: AudioStream) -> Sound:
    begin = _begin(container, stream)
    context: Any = stream.codec_context
    codec = _NAMES.get(context.name, context.name)
    rate, layout = begin.frame.sample_rate, begin.frame.layout
    frames = None
    if stream.duration and stream.time_base:
        frames = round(stream.duration * stream.time_base * rate)
    check_stream(rate, layout.nb_channels, frames)
    return Sound(
        format=_FORMATS.get(codec, "wav"),
        codec=codec,
        rate_hz=rate,
        channels=layout.nb_channels,
        layout=layout.name,
        frames=frames,
        sample_type=_PCM.get(codec, _lossless(codec, begin.frame)),
        bit_rate=max(0, stream.bit_rate or 0),
    )


def _begin(container: InputContainer, stream: AudioStream) -> _Beginning:
    context: Any = stream.codec_context
    if context is None:
        raise DamagedMedia("it is of a coding that is not known")
    if tag_of(context) in ("enca", "drms"):
        raise DamagedMedia("it is encrypted")
    decoder = fresh_decoder(stream)
    for tries, packet in enumerate(packets(container, stream)):
        try:
            for frame in decoder.decode(packet if packet.size else None):
                check_stream(frame.sample_rate, frame.layout.nb_channels, None)
                return _Beginning(frame, packet)
        except av.FFmpegError:
            pass
        if tries > _MAX_TRIES:
            break
    raise DamagedMedia("it cannot be decoded")


def _lossless(codec: str, frame: Any) -> str:
    if codec not in ("flac", "alac", "tta", "wavpack", "truehd", "mlp"):
        return ""
    return "int16" if frame.format.name.startswith("s16") else "int24"
