"""What is known of a sound before it is decoded, and the limits that it must keep.

Blocks of samples are always float32 arrays of the shape (frames, channels); full
scale is 1. Channels stand in the order of their layout, as FFmpeg names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat

__all__ = [
    "MAX_CHANNELS",
    "MAX_RATE_HZ",
    "MAX_SECONDS",
    "MEDIA_TYPES",
    "MIN_RATE_HZ",
    "WIDE_NOTE",
    "Samples",
    "Sound",
    "check_stream",
    "default_layout",
]

Samples: TypeAlias = NDArray[np.float32]

MEDIA_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "aiff": "audio/aiff",
}

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 8
# A few kilobytes of silence can claim to be years.
MAX_SECONDS = 24 * 3600

WIDE_NOTE = ("samples are handled with 24 significant bits",)

_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound in a file, or one to be written into a file.

    Parameters
    ----------
    format : str
        ``"wav"``, ``"flac"``, ``"mp3"``, ``"m4a"``, ``"ogg"``, ``"opus"`` (Opus in
        Ogg) or ``"aiff"``.
    codec : str
        FFmpeg's name of the coding, for example ``"pcm_s24le"`` or ``"aac"``.
    rate_hz : int
        Frames a second.
    channels : int
        Number of channels, 1 to 8.
    layout : str
        FFmpeg's name of their arrangement, for example ``"stereo"`` or ``"5.1"``.
    frames : int or None
        Length as the file states it, without what a player cuts off at both ends;
        None where only decoding tells.
    sample_type : str
        ``"int8"``, ``"int16"``, ``"int24"``, ``"int32"``, ``"float32"``,
        ``"float64"``, ``"alaw"`` or ``"mulaw"`` where the coding keeps samples as
        they are; empty for a lossy one.
    bit_rate : int
        Bits a second, 0 where unknown.
    notes : tuple of str
        What a careful user wants to know about reading or writing it.
    """

    format: str
    codec: str
    rate_hz: int
    channels: int
    layout: str
    frames: int | None = None
    sample_type: str = ""
    bit_rate: int = 0
    notes: tuple[str, ...] = ()

    @property
    def media_type(self) -> str:
        """Its name on the Internet, for example ``"audio/mpeg"``."""
        return MEDIA_TYPES[self.format]


def check_stream(rate_hz: int, channels: int, frames: int | None) -> None:
    """Refuse what no honest file has.

    Raises
    ------
    UnsupportedFormat
        Rate or channels are outside of what is handled.
    DamagedMedia
        There are no channels or no rate.
    MediaTooLarge
        The sound is longer than a day.
    """
    if channels < 1 or rate_hz < 1:
        raise DamagedMedia(
            f"the header tells {channels} channels at {rate_hz} frames a second"
        )
    if channels > MAX_CHANNELS:
        raise UnsupportedFormat(
            f"the sound has {channels} channels, more than {MAX_CHANNELS}",
            hint="Mix it down first.",
        )
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise UnsupportedFormat(
            f"the sound has a rate of {rate_hz:,} Hz, outside of "
            f"{MIN_RATE_HZ:,} to {MAX_RATE_HZ:,}",
            hint="Resample it first.",
        )
    if frames is not None and frames > MAX_SECONDS * rate_hz:
        raise MediaTooLarge(
            f"the sound is longer than {MAX_SECONDS // 3600} hours",
            hint="Cut it into parts.",
        )


def default_layout(channels: int) -> str:
    """Name the usual arrangement of so many channels."""
    return _LAYOUTS[channels - 1]
