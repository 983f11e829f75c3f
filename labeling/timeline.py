"""In which seconds of a video or a sound the invisible mark is, as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .chart import CELL_SIZE, CELLS, Chart
from .footage import has_sound, look
from .keys import Key
from .marks.video import VideoReader
from .media import audio, video
from .media.clip import MAX_SECONDS
from .model import Detection
from .notices.frame import FrameForm
from .sound import find_in_sound

__all__ = ["MarkTimeline", "locate_sound", "locate_video"]

PEAKS_PER_S = 100

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkTimeline:
    """In which seconds of a video or a sound a mark is present.

    Parameters
    ----------
    detection : Detection
        With its `spans`.
    end_s : float
        When the video or the sound ends.
    evidence : tuple of (float, float)
        For frames of a video, when each is shown, and how far it speaks for the mark,
        in deviations of what chance gives. Of frames minutes before the first mark
        there may be none; empty where the mark is in the sound.
    pictures : tuple of (float, ndarray of uint8, shape (height, width, 3))
        Some frames, small and upright, and from when on each is shown.
    peaks : ndarray of float32, shape (n,)
        How loud each hundredth of a second of the sound is, about, 0 to 1, where the
        mark is in the sound; else empty.
    """

    detection: Detection
    end_s: float
    evidence: tuple[tuple[float, float], ...] = ()
    pictures: tuple[tuple[float, Pixels], ...] = ()
    peaks: Samples = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def missing(self) -> float:
        """Share of the time in which the mark is missing."""
        held = sum(end - start for start, end in self.detection.spans or ())
        return min(max(1 - held / self.end_s, 0.0), 1.0)

    def png(self) -> bytes:
        """Draw frames or sound, evidence and spans over the time, as a PNG file."""
        hit = self.detection
        spans = hit.spans or ()
        chance = f"p = {hit.p_value:.0e}" if hit.p_value > 1e-300 else "p < 1e-300"
        parts = f" in {len(spans)} parts" if len(spans) > 1 else ""
        chart = Chart(self.end_s)
        chart.head(
            f"payload {hit.payload} · {hit.scheme} · {chance}",
            f"{1 - self.missing:.0%} marked{parts}",
        )
        if self.pictures:
            chart.film(self.pictures)
        if self.peaks.size:
            chart.wave(self.peaks)
        if self.evidence:
            chart.evidence(self.evidence, spans)
        chart.axis()
        chart.band(spans)
        return chart.png()


def locate_video(path: Path, keys: Sequence[Key]) -> MarkTimeline | None:
    """Find in which seconds of a video a mark is, first in the pictures.

    Parameters
    ----------
    path : Path
        The file.
    keys : sequence of Key
        Whose marks to look for.

    Returns
    -------
    MarkTimeline or None
        None if there is no mark of any of the keys.

    Raises
    ------
    MediaError
        It is not a video that can be read.
    """
    clip = video.describe(path)
    reader = VideoReader(keys)
    strip = _Strip(clip)
    for frame in look(path, clip, reader):
        strip.take(frame)
    end_s = max(clip.duration_s, strip.last_s) or float(1 / clip.frame_rate)
    end_s = min(end_s, MAX_SECONDS)  # a header can claim to be years
    hit = reader.finish(end_s)
    if hit.found:
        return MarkTimeline(
            detection=hit,
            end_s=end_s,
            pictures=tuple(strip.pictures),
            evidence=reader.evidence,
        )
    if clip.sound is None or not has_sound(clip):
        return None
    peaks = _Peaks(clip.sound.rate_hz)
    blocks = peaks.of(video.sound_blocks(path, clip))
    hit = find_in_sound(blocks, clip.sound, keys)
    if not hit.found:
        return None
    end_s = max(end_s, peaks.end_s)
    return MarkTimeline(
        detection=hit,
        end_s=end_s,
        pictures=tuple(strip.pictures),
        peaks=peaks.until(end_s),
    )


def locate_sound(path: Path, keys: Sequence[Key]) -> MarkTimeline | None:
    """Find in which seconds of a sound a mark is.

    Parameters and results are those of `locate_video`.

    Raises
    ------
    MediaError
        It is not a sound that can be read.
    """
    sound = audio.describe(path)
    peaks = _Peaks(sound.rate_hz)
    hit = find_in_sound(peaks.of(audio.blocks(path, sound)), sound, keys)
    if not hit.found:
        return None
    end_s = peaks.end_s
    return MarkTimeline(detection=hit, end_s=end_s, peaks=peaks.until(end_s))


class _Strip:
    """Keeps some frames of a clip of any length, about evenly spread."""

    def __init__(self, clip: video.Video) -> None:
        self._form = FrameForm(
            width=clip.width,
            height=clip.height,
            rotation_deg=clip.rotation_deg,
            flipped=clip.flipped,
            pixel_aspect=clip.pixel_aspect,
        )
        shown = self._form.shown_size
        scale = min(
            1, *(most / side for most, side in zip(CELL_SIZE, shown, strict=True))
        )
        self._size = [max(1, round(scale * side)) for side in shown]
        self._every_s = self._due_s = 0.0
        self.pictures: list[tuple[float, Pixels]] = []
        self.last_s = 0.0

    def take(self, frame: video.Frame) -> None:
        """Look at the next frame."""
        self.last_s = frame.time_s
        if frame.time_s < self._due_s:
            return
        colors = self._form.upright(frame.picture.to_ndarray(format="rgb24"))
        small = cv2.resize(colors, self._size, interpolation=cv2.INTER_AREA)
        self.pictures.append((frame.time_s, np.asarray(small, np.uint8)))
        if len(self.pictures) > 4 * CELLS:
            self.pictures = self.pictures[::2]
            self._every_s = frame.time_s / (len(self.pictures) - 1)
        self._due_s = frame.time_s + self._every_s


class _Peaks:
    """Keeps how loud a sound is while its blocks pass by."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._part = max(1, rate_hz // PEAKS_PER_S)
        self._peaks: list[Samples] = []
        self._frames = 0

    @property
    def end_s(self) -> float:
        """When what has passed ends."""
        return self._frames / self._rate_hz

    def of(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Yield blocks, shape (frames, channels), as they are."""
        rest = np.zeros(0, np.float32)
        for block in blocks:
            self._frames += len(block)
            rest = np.concatenate([rest, np.abs(block).max(axis=1)])
            whole = rest[: len(rest) // self._part * self._part]
            self._peaks.append(whole.reshape(-1, self._part).max(axis=1))
            rest = rest[len(whole) :]
            yield block

    def until(self, end_s: float) -> Samples:
        """Return the peaks of all parts up to a time, 0 where there was no sound."""
        peaks = np.zeros(math.ceil(end_s * self._rate_hz / self._part), np.float32)
        found = np.concatenate(self._peaks)[: len(peaks)]
        peaks[: len(found)] = found
        return peaks
