"""Sounds that a decoder has to make: FLAC, MP3, M4A and Ogg, by PyAV.

Files are opened as file objects, each with the one demuxer that its content calls
for: no playlist, reference or address in a file can make it open another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..errors import DamagedMedia, MediaError, UnsupportedFormat
from .sound import WIDE_NOTE, Samples, Sound, check_stream, default_layout

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = [
    "decode",
    "decoded",
    "fresh_decoder",
    "open_container",
    "opened",
    "survey",
    "undecodable",
]

_DEMUXERS = {
    "wav": "wav",
    "aiff": "aiff",
    "flac": "flac",
    "mp3": "mp3",
    "m4a": "mov",
    "ogg": "ogg",
    "opus": "ogg",
}
_CODECS = {
    "flac": ("flac",),
    "mp3": ("mp3", "mp3float"),
    "m4a": ("aac", "alac"),
    "ogg": ("vorbis", "flac"),
    "opus": ("opus",),
}
_M4A_TAGS = ("mp4a", "alac")
# MPEG-4 object types: AAC Main, LC, SSR, LTP, HE-AAC and HE-AAC v2. Others may
# come with a layout of channels that PyAV frees twice.
_AAC_TYPES = {1, 2, 3, 4, 5, 29}
# The longest page there can be.
_OGG_PAGE = 27 + 255 + 255 * 255
# From how many seconds on a gap between packets is meant, and up to how many.
_GAP_S, _MAX_GAP_S = 0.1, 600
# Padding that encoders add and headers tell, at most: more is sound.
_SLACK = 8192


@contextmanager
def opened(file: BinaryIO, format: str) -> Iterator[InputContainer]:
    """Lend a file as PyAV's container; FFmpeg's errors become ours."""
    with open_container(file, _DEMUXERS[format]) as container:
        try:
            yield container
        except MediaError:
            raise
        except _errors() as error:
            raise undecodable(error) from error


def open_container(
    file: BinaryIO, demuxer: str, *, noun: str = "sound", **options: str
) -> InputContainer:
    """Open a file by the demuxer that its content calls for, and no other.

    Parameters
    ----------
    file : binary file
        It stays open when the container is closed.
    demuxer : str
        FFmpeg's name of it.
    noun : str, optional
        What the file holds, for messages.
    **options : str
        Options of FFmpeg.

    Raises
    ------
    DamagedMedia
        The file is not what its beginning promises.
    """
    import av

    file.seek(0)
    try:
        return av.open(
            file, "r", format=demuxer, options=options, metadata_errors="replace"
        )
    except _errors() as error:
        raise undecodable(error, noun) from error


def survey(file: BinaryIO, format: str) -> Sound:
    """Describe the sound in a file; its first packets are decoded for that.

    Raises
    ------
    MediaError
        The file is damaged, encrypted, a video, or of a coding that is not handled.
    """
    with opened(file, format) as container:
        stream = _stream(container, format)
        decoder = fresh_decoder(stream)
        frame = _first_frame(container, stream, decoder)
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        layout = frame.layout.name
        codec = {"mp3float": "mp3"}.get(decoder.name, decoder.name)
        if codec == "flac":  # its decoder does not know the speakers, the tags do
            layout = stream.codec_context.layout.name
        frames = _frames(container, stream, codec, rate)
        sample_type = _sample_type(codec, stream.codec_context.extradata or b"")
        bit_rate = container.bit_rate or stream.codec_context.bit_rate or 0
    check_stream(rate, channels, frames)
    return Sound(
        format=format,
        codec=codec,
        rate_hz=rate,
        channels=channels,
        layout=layout,
        frames=frames,
        sample_type=sample_type,
        bit_rate=max(0, bit_rate),
        notes=_notes(file, format, sample_type),
    )


def decode(file: BinaryIO, sound: Sound) -> Iterator[Samples]:
    """Yield the samples that a player plays, about a second at a time.

    Raises
    ------
    DamagedMedia
        After all samples that can be had: some could not be decoded, or are missing.
    """
    lost = total = 0
    surplus: list[Samples] = []
    with opened(file, sound.format) as container:
        stream = _stream(container, sound.format)
        decoder = fresh_decoder(stream)
        for block in decoded(container.demux(stream), decoder, sound):
            if block is None:
                lost += 1
                continue
            keep = len(block)
            if sound.frames is not None and sound.codec in ("aac", "vorbis"):
                keep = max(0, min(keep, sound.frames - total))
            total += len(block)
            if keep == len(block):
                yield block
                continue
            if keep:
                yield block[:keep]
            surplus.append(block[keep:])
            if sound.frames is not None and total > sound.frames + _SLACK:
                yield from surplus  # the header is wrong, not the sound too long
                sound = replace(sound, frames=None)
    check_stream(sound.rate_hz, sound.channels, total)
    if lost or not total:
        raise DamagedMedia(
            f"parts of the sound cannot be decoded ({lost} packets)",
            hint="Get a complete copy of the file.",
        )
    if sound.frames is not None and total < sound.frames - _SLACK:
        raise DamagedMedia(
            f"the file holds {total / sound.rate_hz:.3f} s of the "
            f"{sound.frames / sound.rate_hz:.3f} s that its header states",
            hint="Get a complete copy of the file.",
        )


def undecodable(error: Exception, noun: str = "sound") -> DamagedMedia:
    """Return the error of ours that says what one of FFmpeg means."""
    reason = getattr(error, "strerror", None) or str(error)
    return DamagedMedia(
        f"the {noun} cannot be decoded: {(reason or type(error).__name__).lower()}",
        hint="Get a complete copy of the file.",
    )


def _stream(container: InputContainer, format: str) -> Any:
    """Return the one stream of sound."""
    from av.stream import Disposition

    pictures = Disposition.attached_pic | Disposition.timed_thumbnails
    for video in container.streams.video:
        if not video.disposition & pictures:
            raise UnsupportedFormat("the file is a video, not a sound")
    if not container.streams.audio:
        raise UnsupportedFormat("the file holds no sound")
    stream = container.streams.audio[0]
    context = stream.codec_context
    codec = context.name if context else "unknown"
    # FFmpeg reads protected sound by the codec beneath; the tag tells it.
    guarded = format == "m4a" and context and context.codec_tag not in _M4A_TAGS
    if codec not in _CODECS[format] or guarded:
        raise UnsupportedFormat(
            f"the sound is encrypted or of a rare coding ({codec})",
            hint="Convert it to FLAC, MP3 or AAC first.",
        )
    return stream


def fresh_decoder(stream: Any) -> Any:
    """Return a fresh decoder of a stream of sound.

    That of the stream starts from the container's layout of channels, and one of
    the custom kind makes PyAV free memory twice.
    """
    from av import CodecContext

    source = stream.codec_context
    setup = source.extradata or b""
    if source.name == "aac" and setup and setup[0] >> 3 not in _AAC_TYPES:
        raise UnsupportedFormat(
            "the sound has a rare kind of AAC", hint="Convert it to AAC-LC first."
        )
    if source.name == "opus" and (len(setup) < 19 or setup[18] > 1):
        raise UnsupportedFormat(
            "the sound is Opus without an ordinary arrangement of channels",
            hint="Mix it down to stereo first.",
        )
    decoder: Any = CodecContext.create(source.codec.name, "r")
    decoder.extradata = source.extradata
    decoder.sample_rate = source.sample_rate
    if source.name.startswith("pcm_"):  # its bytes do not tell the channels
        check_stream(source.sample_rate, source.channels, None)
        decoder.layout = default_layout(source.channels)
    return decoder


def _first_frame(container: InputContainer, stream: Any, decoder: Any) -> Any:
    import av

    for packet in container.demux(stream):
        if packet.has_sidedata("encryption_info"):
            raise UnsupportedFormat(
                "the sound is encrypted", hint="Use a copy without protection."
            )
        try:
            for frame in decoder.decode(packet if packet.size else None):
                check_stream(frame.sample_rate, frame.layout.nb_channels, None)
                return frame
        except av.FFmpegError:
            continue
    raise DamagedMedia("no sound can be decoded", hint="Get a complete copy.")


def decoded(
    packets: Iterable[Any],
    decoder: Any,
    sound: Sound,
    *,
    time_base: Fraction | None = None,
) -> Iterator[Samples | None]:
    """Yield decoded blocks, and None for each packet that is broken.

    Parameters
    ----------
    packets : iterable of av.Packet
        Those of one stream of sound.
    decoder : av.CodecContext
        A fresh one.
    sound : Sound
        What the stream holds.
    time_base : Fraction, optional
        Seconds of a unit of the times of packets. Where they leave a gap it is filled
        with silence, as players do that show pictures with the sound.

    Raises
    ------
    UnsupportedFormat
        The sound changes its rate or channels.
    """
    import av

    resampler = av.AudioResampler(format="flt", frame_size=sound.rate_hz)
    produced, start = 0, None
    for packet in packets:
        try:
            frames = decoder.decode(packet if packet.size else None)
        except EOFError:
            frames = []
        except av.FFmpegError:
            yield None
            continue
        for frame in frames:
            if (frame.sample_rate, frame.layout.nb_channels) != (
                sound.rate_hz,
                sound.channels,
            ):
                raise UnsupportedFormat(
                    "the sound changes its rate or channels midway",
                    hint="Convert it to FLAC or WAV first.",
                )
            if time_base is not None and frame.pts is not None:
                place = round(frame.pts * time_base * sound.rate_hz)
                start = place - produced if start is None else start
                missing = place - start - produced
                if missing > sound.rate_hz * _MAX_GAP_S:
                    start = place - produced  # a time that is wrong
                elif missing > sound.rate_hz * _GAP_S:
                    check_stream(sound.rate_hz, sound.channels, produced + missing)
                    for block in resampler.resample(None):
                        yield _samples(block, sound.channels)
                    yield from _silence(missing, sound)
                    produced += missing
                    resampler = av.AudioResampler(
                        format="flt", frame_size=sound.rate_hz
                    )
            frame.pts = produced
            frame.time_base = Fraction(1, sound.rate_hz)
            produced += frame.samples
            check_stream(sound.rate_hz, sound.channels, produced)
            for block in resampler.resample(frame):
                yield _samples(block, sound.channels)
    for block in resampler.resample(None):
        yield _samples(block, sound.channels)


def _silence(frames: int, sound: Sound) -> Iterator[Samples]:
    for start in range(0, frames, sound.rate_hz):
        shape = (min(sound.rate_hz, frames - start), sound.channels)
        yield np.zeros(shape, np.float32)


def _samples(frame: Any, channels: int) -> Samples:
    samples: Samples = frame.to_ndarray().reshape(-1, channels)
    return samples.astype(np.float32, copy=False)


def _frames(
    container: InputContainer, stream: Any, codec: str, rate_hz: int
) -> int | None:
    """Return the length that the file states, None where it does not."""
    gapless = container.metadata.get("iTunSMPB", "").split()
    if codec == "aac" and len(gapless) > 3:
        try:
            return int(gapless[3], 16) or None
        except ValueError:
            pass
    if not stream.duration or stream.time_base is None:
        return None
    frames = round(stream.duration * stream.time_base * rate_hz)
    if codec == "mp3":
        # Without the start that a LAME header states, the length is a guess.
        return frames if stream.start_time else None
    if codec == "opus":
        frames -= int.from_bytes(stream.codec_context.extradata[10:12], "little")
    return max(0, frames) or None


def _notes(file: BinaryIO, format: str, sample_type: str) -> tuple[str, ...]:
    if sample_type == "int32":
        return WIDE_NOTE
    if format in ("ogg", "opus"):
        file.seek(max(0, file.seek(0, 2) - _OGG_PAGE))
        tail = file.read()
        page = tail.rfind(b"OggS")
        if page < 0 or not tail[page + 5 : page + 6] or not tail[page + 5] & 4:
            return ("the last page of the file is missing; it may be cut off",)
    return ()


def _errors() -> tuple[type[Exception], ...]:
    """Return what reading a broken file raises.

    A length that is wrong may also ask the file for a place that cannot be.
    """
    import av

    return (av.FFmpegError, OSError, OverflowError, ValueError, MemoryError)


def _sample_type(codec: str, setup: bytes) -> str:
    """Return the type of samples by FLAC's STREAMINFO or ALAC's magic cookie."""
    if codec == "alac" and len(setup) > 17:
        bits = setup[17]
    elif codec == "flac" and len(setup) > 13:
        bits = ((setup[12] & 1) << 4 | setup[13] >> 4) + 1
    else:
        return ""
    return "int16" if bits <= 16 else "int24" if bits <= 24 else "int32"
