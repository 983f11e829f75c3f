"""Encode sounds as FLAC, MP3, AAC, ALAC, Vorbis and Opus, by PyAV.

Each container gets what a player needs to cut the encoder's delay and padding off:
the LAME header of MP3, the edit list of M4A in the units of the sound's own rate,
the pre-skip of Opus and the last position in Ogg.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..errors import MediaError, SynthmarkError, UnsupportedFormat
from .samples import to_integers
from .sound import Samples, Sound

if TYPE_CHECKING:
    from av.container import OutputContainer

    from .tags import Tags

__all__ = ["ENCODERS", "Plan", "add_stream", "encode", "plan", "to_frame"]

_MUXERS = {"flac": "flac", "mp3": "mp3", "m4a": "mp4", "ogg": "ogg", "opus": "ogg"}
ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}
_RATES = {
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "aac": (
        *(7350, 8000, 11025, 12000, 16000, 22050, 24000),
        *(32000, 44100, 48000, 64000, 88200, 96000),
    ),
    "opus": (48000,),
    **dict.fromkeys(("ac3", "eac3", "mp2"), (32000, 44100, 48000)),
}
_AC3_LAYOUTS = (
    *("mono", "stereo", "2.1", "3.0", "3.0(back)", "3.1", "4.0", "4.1"),
    *("quad", "quad(side)", "5.0", "5.0(side)", "5.1", "5.1(side)"),
)
_LAYOUTS = {
    "mp3": ("mono", "stereo"),
    # FFmpeg's encoder reserves too little for incompressible sound of more channels.
    "alac": ("mono", "stereo"),
    "vorbis": ("stereo",),  # as FFmpeg's own encoder can
    "aac": ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1", "7.1(wide)"),
    "opus": ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"),
    "mp2": ("mono", "stereo"),
    **dict.fromkeys(("ac3", "eac3"), _AC3_LAYOUTS),
}
_SIDE_FOR_BACK = {"quad(side)": "quad", "5.0(side)": "5.0", "5.1(side)": "5.1"}

# Bits a second and channel that are good for the full band; the rate scales them.
_GOOD = {
    **{"mp3": 112_000, "aac": 112_000, "opus": 80_000},
    **{"ac3": 112_000, "eac3": 96_000, "mp2": 128_000},
}
_MP3_STEPS = (
    (12_000, (8, 16, 24, 32, 40, 48, 56, 64)),
    (24_000, (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)),
    (48_000, (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)),
)
# A LAME header cannot cut more off than leaves 47.
_SHORTEST = 48
_VORBIS_QUALITY = 10
_VORBIS_BIT_RATE = 256_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a sound will be encoded.

    Parameters
    ----------
    sound : Sound
        What the file will hold; its `notes` say what changes on the way.
    options : dict
        Options of the encoder.
    """

    sound: Sound
    options: dict[str, str] = field(default_factory=dict)


def plan(sound: Sound, format: str, codec: str | None = None) -> Plan:
    """Choose coding, rate, layout and bit rate for a file of a format.

    Parameters
    ----------
    sound : Sound
        What it shall be like.
    format : str
        A format of sounds, or of videos together with a codec.
    codec : str, optional
        By default what suits the format.

    Raises
    ------
    UnsupportedFormat
        The format cannot hold so many channels.
    """
    codec = codec or _codec(sound, format)
    notes: list[str] = []
    if format == "ogg" and codec == "flac" and sound.codec != "flac":
        notes.append(
            "Vorbis can be written in stereo up to 256 kb/s; the file holds FLAC in Ogg"
        )
    layout = _layout(sound, codec)
    rate = sound.rate_hz
    if codec in _RATES and rate not in _RATES[codec]:
        rate = next((r for r in _RATES[codec] if r >= rate), _RATES[codec][-1])
        notes.append(f"{codec} needs another rate: {rate:,} Hz")
    sample_type, options = "", dict[str, str]()
    if codec.startswith("pcm_"):
        sample_type = sound.sample_type
    if codec in ("flac", "alac"):
        sample_type = "int16"
        if sound.sample_type in ("int24", "int32", "float32", "float64"):
            sample_type = "int24"
        if sound.sample_type in ("int32", "float32", "float64"):
            notes.append(f"{codec} holds 24 bits a sample")
    elif codec == "vorbis":
        # In FFmpeg's units of quality, and with an encoder that it calls a trial.
        quality = str(_VORBIS_QUALITY * 118)
        options = {"strict": "-2", "flags": "+qscale", "global_quality": quality}
    elif codec == "opus" and sound.channels > 2:
        options = {"mapping_family": "1"}
    target = Sound(
        format=format,
        codec=codec,
        rate_hz=rate,
        channels=sound.channels,
        layout=layout,
        sample_type=sample_type,
        bit_rate=_bit_rate(sound, codec, rate),
        notes=tuple(notes),
    )
    return Plan(sound=target, options=options)


def encode(
    file: BinaryIO, blocks: Iterable[Samples], rate_hz: int, plan: Plan, tags: Tags
) -> int:
    """Write a file and return its number of frames.

    Parameters
    ----------
    file : binary file
        Where to write; it must be able to seek.
    blocks : iterable of ndarray of float32, shape (frames, channels)
        The samples.
    rate_hz : int
        Their rate.
    plan : Plan
        How to encode them.
    tags : Tags
        Texts, pictures and chapters to put in.
    """
    import av

    target = plan.sound
    options = {}
    if target.format == "m4a":
        # The length in milliseconds, as by default, would not be exact.
        options = {"movie_timescale": str(target.rate_hz), "brand": "M4A "}
    # The muxer of plain MP4 takes covers, that of M4A knows ALAC.
    muxer = "ipod" if target.codec == "alac" else _MUXERS[target.format]
    try:
        with av.open(file, "w", format=muxer, container_options=options) as container:
            return _Encoder(container, rate_hz, plan, tags).run(blocks)
    except SynthmarkError:
        raise
    except (av.FFmpegError, ValueError) as error:
        reason = error.strerror if isinstance(error, av.FFmpegError) else str(error)
        raise MediaError(
            f"the sound cannot be written as {target.codec}: {reason}",
            hint="Choose WAV or FLAC as the output.",
        ) from error


def add_stream(container: OutputContainer, plan: Plan) -> Any:
    """Begin a stream of sound in a file."""
    target = plan.sound
    stream: Any = container.add_stream(
        ENCODERS.get(target.codec, target.codec),
        rate=target.rate_hz,
        options=plan.options,
        layout=target.layout,
    )
    context = stream.codec_context
    context.time_base = Fraction(1, target.rate_hz)
    if target.codec in ("flac", "alac"):
        planar = "p" if target.codec == "alac" else ""
        context.format = _kind(target) + planar
    if target.codec in _GOOD:
        context.bit_rate = target.bit_rate
    return stream


def to_frame(block: Samples, start: int, *, rate_hz: int, target: Sound) -> Any:
    """Return samples as an encoder takes them.

    Parameters
    ----------
    block : ndarray of float32, shape (frames, channels)
    start : int
        Where they begin, in frames.
    rate_hz : int
        Their rate.
    target : Sound
        What will be written.
    """
    from av import AudioFrame

    samples: Any = np.ascontiguousarray(block, np.float32)
    kind = _kind(target)
    if kind == "s16":
        samples = to_integers(samples, 16).astype(np.int16)
    elif kind == "s32":
        samples = to_integers(samples, 24).astype(np.int32) << 8
    # In one plane: PyAV reads beyond the end of eight.
    frame = AudioFrame.from_ndarray(
        samples.reshape(1, -1), format=kind, layout=target.layout
    )
    frame.sample_rate = rate_hz
    frame.pts = start
    frame.time_base = Fraction(1, rate_hz)
    return frame


def _kind(target: Sound) -> str:
    """Return FFmpeg's name of the samples that go into an encoder."""
    if not target.sample_type or target.sample_type.startswith("float"):
        return "flt"
    return "s32" if target.sample_type in ("int24", "int32") else "s16"


class _Encoder:
    """One file on its way."""

    def __init__(
        self, container: OutputContainer, rate_hz: int, plan: Plan, tags: Tags
    ) -> None:
        target = plan.sound
        self.container = container
        self.rate_hz = rate_hz
        self.target = target
        self.stream = add_stream(container, plan)
        self.pictures = tags.prepare(container, self.stream, target.format)

    def run(self, blocks: Iterable[Samples]) -> int:
        self.container.start_encoding()
        self.container.mux(self.pictures)
        frames = 0
        for block in blocks:
            # In steps, as whoever makes the blocks chooses their size.
            for start in range(0, len(block), self.rate_hz):
                part = block[start : start + self.rate_hz]
                frame = to_frame(part, frames, rate_hz=self.rate_hz, target=self.target)
                self.container.mux(self.stream.encode(frame))
                frames += len(part)
        length = -(-frames * self.target.rate_hz // self.rate_hz)
        if self.target.codec not in ("flac", "alac") and length < _SHORTEST:
            raise UnsupportedFormat(
                f"{frames} frames are too short for {self.target.codec}",
                hint="Choose WAV or FLAC as the output.",
            )
        for packet in self.stream.encode(None):
            if self.target.codec == "vorbis":
                # FFmpeg's encoder fills up to 64 frames; the position says so.
                packet.duration = max(0, min(packet.duration, length - packet.pts))
            self.container.mux(packet)
        return length


def _codec(sound: Sound, format: str) -> str:
    if format == "m4a":
        return "alac" if sound.codec == "alac" else "aac"
    if format == "ogg":
        if sound.codec == "opus" or (sound.format == "ogg" and sound.codec == "flac"):
            return sound.codec
        if sound.layout != "stereo":
            return "flac"
        too_good = sound.codec == "vorbis" and sound.bit_rate > _VORBIS_BIT_RATE
        return "flac" if too_good else "vorbis"
    return format


def _layout(sound: Sound, codec: str) -> str:
    if codec not in _LAYOUTS or sound.layout in _LAYOUTS[codec]:
        return sound.layout
    layout = _SIDE_FOR_BACK.get(sound.layout, "")
    if layout in _LAYOUTS[codec]:
        return layout
    raise UnsupportedFormat(
        f"{codec} cannot hold the channels of this sound ({sound.layout})",
        hint="Choose WAV or FLAC as the output, or mix the sound down.",
    )


def _bit_rate(sound: Sound, codec: str, rate_hz: int) -> int:
    """Return a rate that is good, and not below that of a lossy source."""
    if codec not in _GOOD:
        return 0
    channels = sound.channels
    wanted = round(_GOOD[codec] * channels * max(0.25, min(1.0, rate_hz / 44_100)))
    if not sound.sample_type:
        wanted = max(wanted, sound.bit_rate)
    if codec == "mp3":
        steps = next(steps for limit, steps in _MP3_STEPS if rate_hz <= limit)
        return next((k * 1000 for k in steps if k * 1000 >= wanted), steps[-1] * 1000)
    if codec in ("ac3", "eac3", "mp2"):
        return min(wanted, {"ac3": 640_000, "eac3": 1_024_000, "mp2": 384_000}[codec])
    if codec == "aac":  # 6144 bits a frame of 1024 samples and channel
        return min(wanted, 6 * rate_hz * channels)
    return min(wanted, 256_000 * channels)
