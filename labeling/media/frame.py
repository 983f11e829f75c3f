"""One frame: its planes as arrays on its own memory, and its time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.plane import VideoPlane

__all__ = ["Clock", "Frame", "Plane", "frame_of", "luma_bits"]

Plane: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]

# More frames than any decoder holds back.
_MAX_PLACES = 64
_PLANAR = re.compile(r"(?:yuv[aj]?4\d\dp|gray)(9|10|12|14|16)?(?:le)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of a video, as stored: neither turned nor stretched for display.

    Parameters
    ----------
    luma : ndarray of uint8 or uint16, shape (height, width)
        More than 8 bits stand in the lower bits of uint16. What `write` lends can be
        changed in place; what is only read must be left alone, since frames to come
        may be made from it.
    chroma : tuple of ndarray
        The two planes of chroma, of the size that the pixel format gives them; empty
        for gray and for pictures that were not stored as luma and chroma.
    time_s : float
        Seconds since the first frame.
    picture : av.VideoFrame
        What holds the memory.
    """

    luma: Plane
    chroma: tuple[Plane, ...]
    time_s: float
    picture: VideoFrame = field(repr=False, compare=False)


class Clock:
    """Times of frames in order, made whole where a file states none or goes back.

    Parameters
    ----------
    time_base : Fraction
        Seconds of one unit.
    frame_rate : Fraction
        Frames a second, to go on with.
    in_order : bool, optional
        Whether the file states only the order of decoding, as AVI does. Frames come
        out in another order, but at the same times.

    Attributes
    ----------
    mended : int
        How many times were not those of the file.
    """

    def __init__(
        self, time_base: Fraction, frame_rate: Fraction, *, in_order: bool = False
    ) -> None:
        self.time_base = time_base
        self.in_order = in_order
        self.mended = 0
        self._step = max(1, round(1 / (frame_rate * time_base)))
        self._first: int | None = None
        self._last = -1
        self._places: list[int] = []

    def feed(self, packet: Packet[Any]) -> None:
        """Learn from a packet that goes into the decoder."""
        if self.in_order and packet.dts is not None and packet.size:
            heappush(self._places, packet.dts)
            if len(self._places) > _MAX_PLACES:
                heappop(self._places)

    def time(self, picture: VideoFrame) -> int:
        """Return the time of the next frame in units, later than the one before."""
        stated = picture.pts
        if self.in_order and self._places:
            stated = heappop(self._places)
        elif stated is None:
            stated = picture.dts
        if self._first is None:
            self._first = self._last = 0 if stated is None else stated
            return self._first
        if stated is None or stated <= self._last:
            self.mended += 1
            stated = self._last + (1 if stated == self._last else self._step)
        self._last = stated
        return stated

    def seconds(self, time: int) -> float:
        """Return seconds since the first frame."""
        return float((time - (self._first or 0)) * self.time_base)


def luma_bits(pixel_format: str) -> int | None:
    """Return the bits of a sample of luma, None where there is no plane of it."""
    found = _PLANAR.fullmatch(pixel_format)
    return int(found[1] or 8) if found else None


def frame_of(picture: VideoFrame, time_s: float) -> Frame:
    """Lend the planes of a picture; what has none is turned into gray."""
    bits = luma_bits(picture.format.name)
    if bits is None:
        return Frame(luma=_gray(picture), chroma=(), time_s=time_s, picture=picture)
    luma, *chroma = (_view(plane, bits > 8) for plane in picture.planes[:3])
    return Frame(luma=luma, chroma=tuple(chroma), time_s=time_s, picture=picture)


def _view(plane: VideoPlane, wide: bool) -> Plane:
    memory: Any = plane
    rows: Plane = np.frombuffer(memory, np.uint8).reshape(plane.height, -1)
    rows = rows[:, : plane.width * (1 + wide)]
    if plane.line_size < 0:  # stored from the bottom up
        rows = rows[::-1]
    return rows.view(np.uint16) if wide else rows


def _gray(picture: VideoFrame) -> Plane:
    """Return the luma of a picture in RGB, full range, by ITU-R BT.601."""
    import cv2

    colors = picture.reformat(format="rgb24").to_ndarray()
    luma: Any = cv2.cvtColor(colors, cv2.COLOR_RGB2GRAY)
    gray: NDArray[np.uint8] = luma
    return gray
