"""Find the mark of a video again, and in which seconds it is.

What a codec leaves of a mark stands in its key frames; the frames between hold less
and less of it. Frames are whitened one by one and averaged, the key frames of a few
seconds with the same weight as all others together, and the average is read as if it
were one picture. Once a mark is known, every frame tells whether it holds it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...kernels.spread import ORIENTATIONS
from ...kernels.threads import single_threaded
from ..errors import UsageError
from ..keys import Key
from ..model import Detection
from .lattice import VIDEO, Flat, Look, View, check, flatten, layout_of, luma_of
from .motion import reduce
from .search import Found, Reads, batches
from .spans import spans
from .video_writer import Luma

__all__ = ["EVERY_S", "SCHEME", "VideoReader", "detect_frames"]

SCHEME = VIDEO.name

EVERY_S = 0.25
"""Seconds between frames that are worth looking at, besides key frames."""

CHUNK_S = 3.0
MOST_FRAMES = 24  # of a chunk
OTHERS = 4  # frames that are whitened anew for each lattice
PENDING = 12  # chunks without a mark that are kept, should one be found later

Float = NDArray[np.float32]
_Moment: TypeAlias = tuple[float, Float]


def detect_frames(
    frames: Iterable[NDArray[np.uint8]], frames_per_s: float, key: Key | Sequence[Key]
) -> Detection:
    """Look for a mark of one of the keys in the frames of a clip.

    Parameters
    ----------
    frames : iterable of ndarray of uint8, shape (height, width) or (height, width, 3)
        Gray or RGB levels, in order.
    frames_per_s : float
        How fast they are shown.
    key : Key or sequence of Key
        Whose marks to look for.

    Returns
    -------
    Detection
        With `spans`, the seconds that carry the mark.

    Raises
    ------
    UsageError
        A frame is not a picture or of another size, the rate cannot be meant, or
        there is no key.
    """
    if not 0 < frames_per_s < math.inf:
        raise UsageError(f"a clip cannot have {frames_per_s:g} frames a second")
    reader = VideoReader(key)
    step = max(1, round(EVERY_S * frames_per_s))
    count = 0
    for frame in frames:
        check(frame)
        if count % step == 0:
            luma = np.rint(luma_of(frame)).astype(np.uint8)
            reader.push(luma, count / frames_per_s)
        count += 1
    return reader.finish(count / frames_per_s)


@dataclass(frozen=True, eq=False)
class _Sample:
    luma: Float
    time_s: float
    is_key: bool
    flat: Float


class VideoReader:
    """Looks for marks in the frames of one clip.

    Parameters
    ----------
    keys : Key or sequence of Key
        Whose marks to look for.

    Raises
    ------
    UsageError
        There is no key.
    """

    def __init__(self, keys: Key | Sequence[Key]) -> None:
        keys = [keys] if isinstance(keys, Key) else list(keys)
        if not keys:
            raise UsageError("no key to look for", hint="Give at least one key.")
        self._layouts = [layout_of(one, VIDEO) for one in keys]
        self._reads = Reads()
        self._found: Found | None = None
        self._size: tuple[int, ...] = ()
        self._side = 0
        self._chunk: list[_Sample] = []
        self._pending: deque[list[_Moment]] = deque(maxlen=PENDING)
        self._sums: dict[tuple[int, float], Flat] = {}
        self._evidence: list[tuple[float, float]] = []
        self._end_s = 0.0

    @single_threaded
    def push(
        self, luma: Luma, time_s: float, *, bits: int = 8, is_key: bool = False
    ) -> None:
        """Look at the next frame.

        Parameters
        ----------
        luma : ndarray of uint8 or uint16, shape (height, width)
        time_s : float
            When it is shown, in seconds.
        bits : int, optional
            Bits of a sample.
        is_key : bool, optional
            Whether the codec calls it a key frame. The first one always counts as one.

        Raises
        ------
        UsageError
            The frame has another size than those before.
        """
        if not self._size:
            self._size = luma.shape
            self._side = min(VIDEO.sides[0], *luma.shape)
            is_key = True
        if luma.shape != self._size:
            raise UsageError(
                f"a frame has the shape {luma.shape} instead of {self._size}"
            )
        first = self._chunk[0].time_s if self._chunk else time_s
        if time_s - first >= CHUNK_S or len(self._chunk) >= MOST_FRAMES:
            self._end_chunk()
        small = reduce(luma, bits, self._side)
        flat = flatten(small, VIDEO.sides[0], VIDEO.band).values
        self._chunk.append(_Sample(small, time_s, is_key, flat))

    @single_threaded
    def finish(self, end_s: float | None = None) -> Detection:
        """Return what was found.

        Parameters
        ----------
        end_s : float, optional
            When the last frame ends; by default when it begins.
        """
        self._end_chunk()
        if self._found is None and self._sums:
            looks = batches(
                VIDEO,
                min(self._size),
                lambda side, band: self._sums[side, band],
                self._layouts,
            )
            self._take(self._first(looks))
        found = self._found
        if found is None:
            return Detection(
                found=False, payload=None, p_value=1.0, score=0.0, scheme=SCHEME
            )
        times, evidence = zip(*self.evidence, strict=True)
        last = self._end_s if end_s is None else end_s
        return Detection(
            found=True,
            payload=found.hit.payload,
            p_value=found.p_value,
            score=found.hit.score,
            scheme=SCHEME,
            key_id=found.look.layout.key_id,
            transform=found.look.transform(),
            spans=spans(times, evidence, max(last, times[-1])),
        )

    @property
    def evidence(self) -> tuple[tuple[float, float], ...]:
        """When each frame is shown, and how far it speaks for the mark that was found.

        In seconds, and in deviations of what chance gives. Before a mark is found there
        is nothing, and nothing of frames long before.
        """
        return tuple(sorted(self._evidence))

    def _end_chunk(self) -> None:
        """Look for the known mark in the gathered frames, or for any."""
        chunk, self._chunk = self._chunk, []
        if not chunk:
            return
        self._end_s = chunk[-1].time_s
        if self._found is not None:
            self._weigh(_moments(chunk))
            return
        self._pending.append(_moments(chunk))
        self._take(self._first(self._looks(chunk)))

    def _first(self, looks: Iterable[list[Look]]) -> Found | None:
        return next(filter(None, map(self._reads.read, looks)), None)

    def _take(self, found: Found | None) -> None:
        """Weigh all frames that were kept by a mark that was found."""
        self._found = found
        if found is not None:
            for moments in self._pending:
                self._weigh(moments)
            self._pending.clear()
            self._sums.clear()

    def _looks(self, chunk: list[_Sample]) -> Iterable[list[Look]]:
        def whiten(side: int, band: float) -> Flat:
            flat = self._average(chunk, side, band)
            before = self._sums.get((side, band))
            values = flat.values if before is None else before.values + flat.values
            self._sums[side, band] = Flat(values, flat.placement)
            return flat

        return batches(VIDEO, min(self._size), whiten, self._layouts)

    def _average(self, chunk: list[_Sample], side: int, band: float) -> Flat:
        """Whiten a chunk as one picture."""
        keys = [sample for sample in chunk if sample.is_key]
        others = [sample for sample in chunk if not sample.is_key]
        ready = (side, band) == (VIDEO.sides[0], VIDEO.band)
        if not ready:
            keys, others = _some(keys), _some(others)
        means = [
            np.mean(
                [
                    sample.flat if ready else flatten(sample.luma, side, band).values
                    for sample in group
                ],
                axis=0,
            )
            for group in (keys, others)
            if group
        ]
        values = np.ascontiguousarray(sum(means), np.float32)
        rows, columns = values.shape
        y, x = self._size[0] / rows, self._size[1] / columns
        placement = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])
        return Flat(values, placement)

    def _weigh(self, moments: list[_Moment]) -> None:
        """Tell for each frame how much it speaks for the mark, in deviations."""
        assert self._found is not None
        look = self._found.look
        layout = look.layout
        rows, columns = moments[0][1].shape
        scale = np.array([[columns / self._size[1]], [rows / self._size[0]]])
        matrix = scale * look.view.placement[:, :2]
        turn = next(
            index for index, one in enumerate(ORIENTATIONS) if (one == look.turn).all()
        )
        expected = VIDEO.carriers.shifted(
            layout.spectrum(self._found.hit.payload), -look.shift[0], -look.shift[1]
        )
        for time_s, values in moments:
            flat = Flat(values, np.eye(2, 3))
            total = View.through(flat, VIDEO.carriers, matrix).total()
            product = (VIDEO.carriers.turn(total)[turn] * np.conj(expected)).real
            power = float(np.sum(np.abs(total) ** 2 * np.abs(expected) ** 2)) / 2
            evidence = float(product.sum()) / (power + 1e-12) ** 0.5
            self._evidence.append((time_s, evidence))


def _moments(chunk: list[_Sample]) -> list[_Moment]:
    """Return what is kept of frames that were searched: times and whitened pictures."""
    return [(sample.time_s, sample.flat) for sample in chunk]


def _some(samples: list[_Sample]) -> list[_Sample]:
    """Return a few of the frames, from all over them."""
    return samples[:: -(-len(samples) // OTHERS)] if samples else samples
