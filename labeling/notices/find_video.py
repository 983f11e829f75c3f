"""Find the notices that people see on a video.

A frame is searched now and then until a notice is found; from then on only its place
is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from ..model import Box
from .find import LEAST_FRACTION, SIZE_TOLERANCE, FoundNotice, find_again
from .find import find as find_in_picture
from .measure import INSIDE
from .place import MIN_HEIGHT_FRACTION
from .typeset import Pixels
from .video import MIN_SECONDS

__all__ = ["FAULTS", "OFF_EDGE", "FoundVideoNotice", "find"]

OFF_EDGE = "off_edge"
FAULTS = ("late", "too_short", "too_small", OFF_EDGE)
"""How a notice can fail GB 45438-2025, 5.4: it is not on the first frame, stands for
less than 2 s, has less than 5 % of the shorter side, or is not at an edge."""

# Times between looks at a notice, and between searches, which grow rarer with the
# time that has passed.
_LOOK_S = 0.2
_CALM_LOOK_S = 1.0
_BEGINNING_S = 3.0
_SEARCH_S = 0.4
_GROWTH = 0.15
_LONGEST_S = 10.0

# Every fourth search is for text of any size, the others for what could be legal.
_THOROUGH = 4
_LEGAL_FRACTION = 0.04

# Looks that may fail, and how long, before a notice is taken to have gone.
_MISSES = 2
_GAP_S = 0.5

_TIME_TOLERANCE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVideoNotice:
    """A notice found on a video.

    Parameters
    ----------
    text : str
        What was read most often: one of `WORDINGS`, or the run of required characters
        that was recognized.
    box : Box
        The text, without its plate, where it was read best.
    score : float
        Normalized correlation with the wording as it would be drawn, 0 to 1, at best.
    ink_height_px, height_fraction : float
        Height of the shortest required character, and the same by shorter side of the
        frame, on average.
    contrast : float
        Of the text to its ground, 1 to 21 (WCAG 2.2), where it was read best.
    place : str
        The edge or corner that it stands at, or "inside".
    start_s, end_s : float
        When it stands, to the spacing of the looks: the first frame that shows it and
        the first that does not. A fade counts.
    on_first_frame : bool
        Whether it is on the first frame.
    faults : tuple of str
        Which of `FAULTS` it has. The rule is kept by a clip on which one notice has
        none.
    """

    text: str
    box: Box
    score: float
    ink_height_px: float
    height_fraction: float
    contrast: float
    place: str
    start_s: float
    end_s: float
    on_first_frame: bool
    faults: tuple[str, ...]


def find(
    frames: Iterable[tuple[float, Pixels]], *, clip_end_s: float = 0.0
) -> Sequence[FoundVideoNotice]:
    """Look for notices in the font of the package, anywhere on a video.

    The first frame is searched, then one every 0.4 s, and the later the fewer, down to
    one in ten seconds: a notice that comes late and goes soon may be missed. Frames in
    between are passed over. What is seen only once is no notice, except on a single
    frame.

    Parameters
    ----------
    frames : iterable of (float, ndarray of uint8, shape (height, width, 3))
        Frames as they are shown, in order, with their times in seconds. The first is
        the clip's first; four to eight a second are enough.
    clip_end_s : float, optional
        When the clip ends; by default its last frame lasts as long as the one before.

    Returns
    -------
    sequence of FoundVideoNotice
        By time; empty when there is none.

    Raises
    ------
    UsageError
        An array is not a picture.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        return []
    start_s = time_s = due_s = first[0]
    interval_s = 0.0
    looks = searches = 0
    tracks: list[_Track] = []
    for shown_s, pixels in chain([first], frames):
        interval_s, time_s = shown_s - time_s, shown_s
        if time_s < due_s:
            continue
        looks += 1
        standing = [track for track in tracks if track.look(time_s, pixels)]
        if not standing:
            least = _LEGAL_FRACTION if searches % _THOROUGH else LEAST_FRACTION
            found = find_in_picture(pixels, least_fraction=least)
            searches += 1
            standing = [_Track(notice, time_s, *first) for notice in found]
            tracks += standing
        passed_s = time_s - start_s
        if not standing:
            pause_s = min(max(_SEARCH_S, _GROWTH * passed_s), _LONGEST_S)
        else:
            pause_s = _LOOK_S if passed_s < _BEGINNING_S else _CALM_LOOK_S
        due_s = time_s + pause_s - _TIME_TOLERANCE_S
    end_s = max(time_s, clip_end_s or time_s + interval_s)
    return [
        track.describe(end_s, first[1].shape)
        for track in tracks
        if track.seen > 1 or looks == 1
    ]


class _Track:
    """A notice that is followed from look to look.

    Parameters
    ----------
    notice : FoundNotice
        As found.
    time_s : float
        On which frame.
    first_s, first : float and ndarray
        The first frame, where it may have been missed.
    """

    def __init__(
        self, notice: FoundNotice, time_s: float, first_s: float, first: Pixels
    ) -> None:
        self.seen = 0
        self.best = notice
        self.start_s = time_s
        self.on_first_frame = time_s == first_s
        self._gone_s: float | None = None
        self._misses = 0
        self._heights = 0.0
        self._texts: Counter[str] = Counter()
        self._count(notice)
        missed = None if self.on_first_frame else find_again(first, notice)
        if missed is not None:
            self.start_s = first_s
            self.on_first_frame = True
            self._count(missed)
        self._last_s = time_s

    def look(self, time_s: float, pixels: Pixels) -> bool:
        """Look at a frame, and return whether the notice still stands."""
        if self._misses >= _MISSES and time_s - self._last_s >= _GAP_S:
            return False
        seen = find_again(pixels, self.best)
        if seen is None:
            self._misses += 1
            self._gone_s = time_s if self._gone_s is None else self._gone_s
        else:
            self._count(seen)
            self._misses, self._gone_s, self._last_s = 0, None, time_s
        return self._misses < _MISSES or time_s - self._last_s < _GAP_S

    def describe(self, end_s: float, shape: tuple[int, ...]) -> FoundVideoNotice:
        """Return what was found on a clip that ends at some time."""
        end_s = end_s if self._gone_s is None else self._gone_s
        ink_height_px = self._heights / self.seen
        height_fraction = ink_height_px / min(shape[:2])
        broken = {
            "late": not self.on_first_frame,
            "too_short": end_s - self.start_s < MIN_SECONDS - _TIME_TOLERANCE_S,
            "too_small": height_fraction < MIN_HEIGHT_FRACTION * (1 - SIZE_TOLERANCE),
            OFF_EDGE: self.best.place == INSIDE,
        }
        return FoundVideoNotice(
            text=self._texts.most_common(1)[0][0],
            box=self.best.box,
            score=self.best.score,
            ink_height_px=ink_height_px,
            height_fraction=height_fraction,
            contrast=self.best.contrast,
            place=self.best.place,
            start_s=self.start_s,
            end_s=end_s,
            on_first_frame=self.on_first_frame,
            faults=tuple(fault for fault in FAULTS if broken[fault]),
        )

    def _count(self, notice: FoundNotice) -> None:
        self.seen += 1
        self._texts[notice.text] += 1
        self._heights += notice.ink_height_px
        if notice.score > self.best.score:
            self.best = notice
