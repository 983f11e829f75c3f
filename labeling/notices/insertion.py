"""Put the notice that people hear into a sound, as the sound goes by.

It stands before the sound, after it, at points in between, or at several of these. It
is as loud as the sound beside it. No sample of the sound is changed: where it is cut,
the pause begins and ends with its mirror image, which fades.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .audio import PAUSE_S, AudioNotice, check_rate, frames, render
from .feed import Feed
from .loudness import level_beside

__all__ = ["AudioInsertion", "Place", "PlacedNotice", "check_place"]

Floats = NDArray[np.float32]
Place = Literal["start", "end"] | float
"""Before the first sample, after the last, or a point between them in seconds."""

# Softer than this a notice is missed at the usual volume. Beside silence it takes the
# level of broadcasts (EBU R 128).
_LEAST_LUFS = -40.0
_ALONE_LUFS = -23.0

_NEAR_S = 8.0
# Lets a device wake up, and keeps the end off the end of the file.
_EDGE_S = 0.2
_MIRROR_S = 0.012
# Files state times in milliseconds: what is this near to a notice begins with it.
_SAME_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedNotice:
    """A notice as it was put into a sound.

    Parameters
    ----------
    kind : str
        "spoken" or "rhythm".
    language : str
        "zh", "en" or "zh-en", empty for the rhythm.
    text : str
        What is said.
    place : str
        "start", "end" or "middle".
    start_s, end_s : float
        When it is heard in the labeled sound, pauses not counted.
    inserted_s : tuple of float
        Point of the unlabeled sound where it stands, and seconds that were added.
    level_lufs : float
        Its loudness (ITU-R BS.1770-4).
    content_lufs : float or None
        Level of the sound beside it, None where that is silent.
    """

    kind: str
    language: str
    text: str
    place: str
    start_s: float
    end_s: float
    inserted_s: tuple[float, float]
    level_lufs: float
    content_lufs: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stand:
    """A notice at a point of the sound, with pauses around it, in frames."""

    point: float
    notice: AudioNotice
    first: int
    length: int


class AudioInsertion(Iterable[Floats]):
    """A sound with one or more notices in it, as a stream.

    Iterate over it once for the blocks; `placed` tells what was done as far as that
    has come. About eight seconds of sound are held at a time.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, shape (frames, channels)
        The sound. All blocks have the same channels; they must not be changed later.
    notice : AudioNotice
    rate : int
        Frames a second, 8,000 to 192,000.
    places : sequence of "start", "end" or float, optional
        Where; the points are seconds of the unlabeled sound. None for no notice.
    again : AudioNotice, optional
        What is heard at all places but the first, by default the same.
    content_lufs : float, optional
        Loudness of the sound where it is known. Then nothing is measured and nothing
        is held back, which is for assistants that speak as they think.
    channels : int, optional
        How many there are, where that is known. With `content_lufs` too, a notice at
        the start is given out before a block is asked for.
    near_s : float, optional
        How much of the sound on both sides of a notice tells how loud that shall be,
        up to 8 s.

    Raises
    ------
    UsageError
        The rate, the channels, a place or `near_s` cannot be meant. During the
        iteration: a block is not of float32 and of shape (frames, channels), there are
        no frames at all, or a point lies beyond the end.
    """

    def __init__(
        self,
        blocks: Iterable[Floats],
        notice: AudioNotice,
        *,
        rate: int,
        places: Sequence[Place] = ("start",),
        again: AudioNotice | None = None,
        content_lufs: float | None = None,
        channels: int | None = None,
        near_s: float = _NEAR_S,
    ) -> None:
        check_rate(rate)
        if channels is not None and channels < 1:
            raise UsageError(f"a sound cannot have {channels} channels")
        if not 0 < near_s <= _NEAR_S:
            raise UsageError(f"a notice cannot be as loud as {near_s:g} s of its sound")
        points = sorted(_point(place, rate) for place in places)
        if len(set(points)) < len(points):
            raise UsageError(
                "the notice needs different places", hint='For example "start".'
            )
        self._stands = [
            _stand(point, (again or notice) if index else notice, rate)
            for index, point in enumerate(points)
        ]
        lengths = (stand.length for stand in self._stands)
        self._added = list(accumulate(lengths, initial=0))
        self._feed = Feed(blocks, round(_NEAR_S * rate), channels)
        self._rate = rate
        self._content_lufs = content_lufs
        self._channels = channels
        self._near = round(near_s * rate)
        self._written = 0
        self._end = math.inf
        self._placed: list[PlacedNotice] = []

    @property
    def placed(self) -> tuple[PlacedNotice, ...]:
        """The notices that stand in what was yielded."""
        return tuple(self._placed)

    @property
    def heard(self) -> Floats:
        """The last eight seconds of the sound that were yielded, without notices."""
        return self._feed.behind(round(_NEAR_S * self._rate))

    def later(self, time_s: float) -> float:
        """Return when a point of the sound is heard in the labeled one, in seconds.

        What begins where a notice stands begins with the notice. Known from the start
        on, but for the end, which counts once it has been reached.
        """
        at, same = time_s * self._rate, _SAME_S * self._rate
        count = bisect_left(self._stands, at - same, key=lambda stand: stand.point)
        if self._end <= at + same:
            count = len(self._stands)
        return time_s + self._added[count] / self._rate

    def __iter__(self) -> Iterator[Floats]:
        """Yield the blocks of the labeled sound, float32, (frames, channels)."""
        for stand in self._stands:
            yield from self._passed(stand.point)
            position = self._feed.position
            if math.isinf(stand.point):
                self._end = position
            elif position < stand.point:
                raise UsageError(
                    f"the notice was to stand at {stand.point / self._rate:g} s, but "
                    f"the sound ends at {position / self._rate:g} s",
                    hint="Choose an earlier point, or the start or the end.",
                )
            yield from self._spoken(stand)
        yield from self._passed(math.inf)

    def _passed(self, point: float) -> Iterator[Floats]:
        while (block := self._feed.take(point - self._feed.position)) is not None:
            self._written += len(block)
            yield block

    def _spoken(self, stand: _Stand) -> Iterator[Floats]:
        """Yield the notice between its pauses; its end as the sound after it begins."""
        rate, feed = self._rate, self._feed
        channels = self._channels or self._a_frame().shape[1]
        content = self._content_lufs
        if content is None:
            beside = feed.behind(self._near), feed.ahead(self._near)
            content = level_beside(np.concatenate(beside), rate)
        wanted = _ALONE_LUFS if content is None else max(content, _LEAST_LUFS)
        sound, level = render(stand.notice, rate, lufs=wanted, channels=channels)
        mirror = round(_MIRROR_S * rate)
        before = feed.behind(mirror)[::-1]
        block = np.zeros((stand.length - mirror, channels), np.float32)
        block[: len(before)] = _fading(before)
        block[stand.first : stand.first + len(sound)] = sound[:, None]
        self._report(stand, len(sound), level, content)
        self._written += stand.length
        yield block
        self._a_frame()
        after = feed.ahead(mirror)
        block = np.zeros((mirror, channels), np.float32)
        block[mirror - len(after) :] = _fading(after)[::-1]
        yield block

    def _a_frame(self) -> Floats:
        """Return a frame that was heard or will be.

        Raises
        ------
        UsageError
            There is none.
        """
        if not len(frame := self._feed.behind(1)):
            frame = self._feed.ahead(1)
        if not len(frame):
            raise UsageError("a sound without samples cannot be labeled")
        return frame

    def _report(
        self, stand: _Stand, length: int, level: float, content: float | None
    ) -> None:
        rate, notice = self._rate, stand.notice
        start = self._written + stand.first
        self._placed.append(
            PlacedNotice(
                kind=notice.kind,
                language="" if notice.kind == "rhythm" else notice.language,
                text=notice.text,
                place={0: "start", math.inf: "end"}.get(stand.point, "middle"),
                start_s=start / rate,
                end_s=(start + length) / rate,
                inserted_s=(self._feed.position / rate, stand.length / rate),
                level_lufs=level,
                content_lufs=content,
            )
        )


def check_place(place: Place) -> None:
    """Refuse what is no place in a sound.

    Raises
    ------
    UsageError
        It is neither "start" nor "end" nor seconds after the start.
    """
    if isinstance(place, str):
        known = place in ("start", "end")
    else:
        known = math.isfinite(place) and place > 0
    if not known:
        raise UsageError(
            f"a notice cannot stand at {place!r}",
            hint='Use "start", "end" or seconds from the start.',
        )


def _point(place: Place, rate: int) -> float:
    """Return the frame of a place."""
    check_place(place)
    if isinstance(place, str):
        return 0 if place == "start" else math.inf
    return max(1, round(place * rate))


def _stand(point: float, notice: AudioNotice, rate: int) -> _Stand:
    first = round((PAUSE_S if point > 0 else _EDGE_S) * rate)
    last = round((PAUSE_S if point < math.inf else _EDGE_S) * rate)
    length = first + frames(notice, rate) + last
    return _Stand(point=point, notice=notice, first=first, length=length)


def _fading(part: Floats) -> Floats:
    """Fade a sound out, from its first frame on."""
    fade = np.cos(np.pi / 2 * (np.arange(len(part)) + 0.5) / max(len(part), 1)) ** 2
    faded = np.nan_to_num(part, posinf=0, neginf=0) * fade[:, None]
    return np.asarray(faded, np.float32)
