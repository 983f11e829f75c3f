"""The first frame of a video, held in front of it: for how long, and at which times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

from .clip import Video
from .clip_file import main_stream, opened, packets
from .frame import frame_of

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["LeadIn", "held", "lead_in", "needed"]

# Held frames a second.
_LEAST_RATE, _MOST_RATE = 4, 240
# Containers of whole milliseconds cannot tell lengths any closer.
_ROUNDING_S = Fraction(1, 1000)
_COLORS = ("color_range", "color_primaries", "color_trc", "colorspace")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadIn:
    """When the first frame is shown before the video begins.

    Parameters
    ----------
    times : tuple of int
        Of each showing, in units since the first; empty for none at all.
    length : int
        Units by which all that follows is later.
    unit : Fraction
        Seconds of a unit.
    """

    times: tuple[int, ...]
    length: int
    unit: Fraction

    @property
    def seconds(self) -> Fraction:
        """Its length in seconds."""
        return self.length * self.unit


def lead_in(stream: VideoStream, video: Video, least_s: float | Fraction) -> LeadIn:
    """Return the shortest one of whole frames that is not shorter than asked for.

    Players and platforms shorten a single long frame, so it is shown again and again
    at the rate of the video.
    """
    unit = stream.time_base or Fraction(1, 1000)
    step = max(1 / (_rate(stream, video) * unit), Fraction(1))
    least = math.ceil(Fraction(least_s) / unit)
    count = math.ceil(least / step)
    if count and round((count - 1) * step) >= least:
        count -= 1
    times = tuple(round(number * step) for number in range(count))
    return LeadIn(times=times, length=round(count * step), unit=unit)


def needed(file: BinaryIO, video: Video, least_s: float) -> LeadIn:
    """Return the shortest one with which pictures are shown for so many seconds.

    Times are those of the packets, read no further than needed: lengths that files
    state are often those of their sound, or missing. Of a short video the shorter one
    counts.
    """
    with opened(file, video.format) as container:
        stream = main_stream(container)
        unit = stream.time_base or Fraction(1, 1000)
        usual = max(1, round(1 / (_rate(stream, video) * unit)))
        first, latest, last = None, 0, 0
        for packet in packets(container, stream):
            time = packet.dts if packet.pts is None else packet.pts
            if time is None or not packet.size or packet.is_discard:
                continue
            if first is None or time >= latest:
                latest, last = time, packet.duration or usual
                first = time if first is None else first
            else:
                # What such a packet tells is when the next one is decoded.
                first, last = min(first, time), min(last, usual)
            if (latest - first) * unit >= least_s:
                return lead_in(stream, video, 0)
        shown_s = (latest + last - (first or 0)) * unit
        if stream.duration:
            shown_s = min(shown_s, stream.duration * unit)
        lack_s = Fraction(least_s) - shown_s
        return lead_in(stream, video, lack_s if lack_s > min(unit, _ROUNDING_S) else 0)


def held(picture: VideoFrame) -> VideoFrame:
    """Return a copy of a picture, without the captions that come with it."""
    import av

    copy = av.VideoFrame(picture.width, picture.height, picture.format.name)
    for name in _COLORS:
        setattr(copy, name, getattr(picture, name))
    old, new = (frame_of(frame, 0.0) for frame in (picture, copy))
    for source, target in zip(
        (old.luma, *old.chroma), (new.luma, *new.chroma), strict=True
    ):
        target[:] = source
    return copy


def _rate(stream: VideoStream, video: Video) -> Fraction:
    """Return that of the grid on which frames stand, else their mean, in bounds."""
    grid = stream.base_rate
    if grid and _LEAST_RATE <= grid <= _MOST_RATE:
        return grid
    return min(max(video.frame_rate, Fraction(_LEAST_RATE)), Fraction(_MOST_RATE))
