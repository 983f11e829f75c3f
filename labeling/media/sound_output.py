"""The sound of a video, changed and encoded anew beside the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import av
import numpy as np

from ..errors import UsageError
from .clip import Video
from .encoder import ENCODERS, Plan, add_stream, plan, to_frame
from .probe import open_file
from .sound import Samples
from .sound_track import decode_sound, sound_start

if TYPE_CHECKING:
    from av.container import OutputContainer

__all__ = ["SoundChange", "SoundOutput"]

SoundChange: TypeAlias = Callable[[Iterator[Samples]], Iterator[Samples]]
"""Takes the blocks of a sound and yields as many samples, at once or some later."""

_PCM = ("pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_u8")
_LOSSLESS = ("flac", "alac")
_DOLBY = ("ac3", "eac3")
_HOLDS: dict[str, tuple[str, ...]] = {
    "mp4": ("aac", "alac", "mp3", "opus", "flac", *_DOLBY),
    "m4v": ("aac", "alac", *_DOLBY),
    "mov": ("aac", "alac", "mp3", *_DOLBY, *_PCM, "pcm_s16be", "pcm_s24be"),
    "mkv": ("aac", "flac", "opus", "vorbis", "mp3", "mp2", "alac", *_DOLBY, *_PCM),
    "webm": ("opus", "vorbis"),
    "avi": ("mp3", "aac", "mp2", "ac3", *_PCM),
    "flv": ("aac", "mp3"),
}
# How far the lengths of what goes out and what comes back may differ, in seconds.
_TOLERANCE_S = 0.1
_BARE = ("avi", "flv")
_VORBIS_BIT_RATE = 256_000


class SoundOutput:
    """The track of sound in a file that is being written.

    Parameters
    ----------
    target : OutputContainer
        The file.
    source : Path
        The video that the sound is from.
    video : Video
        What it holds.
    format : str
        The container of the target.
    change : SoundChange
        What happens to the samples.
    lead_in_s : Fraction, optional
        For how long there is silence in front of them, in seconds.
    """

    def __init__(
        self,
        target: OutputContainer,
        source: Path,
        video: Video,
        format: str,
        change: SoundChange,
        *,
        lead_in_s: Fraction = Fraction(0),
    ) -> None:
        if video.sound is None:
            raise UsageError("the video has no sound that can be changed")
        self._target = target
        self._sound = video.sound
        self._format = format
        codec = _codec(video, format)
        self._plan = plan(self._sound, format, codec)
        self.notes = list(self._plan.sound.notes)
        if codec != self._sound.codec:
            self.notes.append(
                f"{self._sound.codec} sound cannot be written here; it is {codec} now"
            )
        with open_file(source) as file:
            self._start = sound_start(file, video.format)
        self._taken = self._given = self._skip = 0
        if format in _BARE:
            # These cannot say what a player shall leave out at the start: it takes the
            # place of the first moment of the sound.
            self._skip = round(_priming(self._plan) * self._sound.rate_hz)
        self._file = open_file(source)
        blocks = decode_sound(self._file, video.format, self._sound)
        self._lead_in = round(lead_in_s * self._sound.rate_hz)
        silence = np.zeros((self._lead_in, self._sound.channels), np.float32)
        self._blocks = chain([silence], change(self._counted(blocks)))
        self._stream: Any = None

    def begin(self) -> Any:
        """Begin the track, and return it."""
        self._stream = add_stream(self._target, self._plan)
        return self._stream

    def advance(self, time_s: float) -> None:
        """Write the sound up to a time, in seconds since that of the file."""
        end = (time_s - float(self._start)) * self._sound.rate_hz
        while self._given <= end:
            block = next(self._blocks, None)
            if block is None:
                break
            self._write(block)

    def finish(self) -> None:
        """Write what is left."""
        for block in self._blocks:
            self._write(block)
        given = self._given - self._lead_in
        if abs(given - self._taken) > _TOLERANCE_S * self._sound.rate_hz:
            raise UsageError(f"{given} of {self._taken} samples of the sound came back")
        self._target.mux(self._stream.encode(None))
        self.close()

    def close(self) -> None:
        """Let go of the source."""
        self._file.close()

    def _counted(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        for block in blocks:
            self._taken += len(block)
            yield block

    def _write(self, block: Samples) -> None:
        if block.ndim != 2 or block.shape[1] != self._sound.channels:
            raise UsageError(
                f"a block has the shape {block.shape} instead of "
                f"(frames, {self._sound.channels})"
            )
        rate = self._sound.rate_hz
        offset = round(self._start * rate)
        if self._skip and self._given < self._skip:
            rest = self._skip - self._given
            self._given += min(rest, len(block))
            block = block[rest:]
        for at in range(0, len(block), rate):
            part = np.asarray(block[at : at + rate])
            frame = to_frame(
                part, offset + self._given, rate_hz=rate, target=self._plan.sound
            )
            self._given += len(part)
            self._target.mux(self._stream.encode(frame))


def _priming(plan: Plan) -> Fraction:
    """Return the seconds that an encoder puts in front of the sound."""
    target = plan.sound
    context: Any = av.CodecContext.create(ENCODERS.get(target.codec, target.codec), "w")
    context.sample_rate, context.layout = target.rate_hz, target.layout
    context.format = context.codec.audio_formats[0].name
    silence = np.zeros((target.rate_hz, target.channels), np.float32)
    frame = to_frame(silence, 0, rate_hz=target.rate_hz, target=target)
    found = context.encode(frame) + context.encode(None)
    return Fraction(max(0, -(found[0].pts or 0)), target.rate_hz)


def _codec(video: Video, format: str) -> str:
    """Return the coding of the source, or what comes closest to it."""
    assert video.sound is not None
    sound, holds = video.sound, _HOLDS[format]
    codec = sound.codec
    if codec == "vorbis" and (
        sound.layout != "stereo" or sound.bit_rate > _VORBIS_BIT_RATE
    ):
        codec = "opus"  # FFmpeg's own encoder of Vorbis cannot do that
    if codec in holds:
        return codec
    if codec.startswith("pcm_") and format == "mov":
        return "pcm_s16le" if sound.sample_type.endswith("8") else "pcm_s24le"
    if sound.sample_type and "flac" in holds:
        return "flac"
    return holds[0]
