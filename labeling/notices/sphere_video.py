"""The notice on a 360-degree video, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from ..errors import UsageError
from .find_video import OFF_EDGE, FoundVideoNotice, find
from .frame import FrameForm, Plane
from .measure import INSIDE
from .place import AUTO
from .sphere import SphereNotice, SpherePainter
from .typeset import Pixels
from .video import VideoNotice
from .view import View, look, place_on_screen

__all__ = ["PlacedSphereNotice", "SphereOverlay", "find_in_views"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSphereNotice(SphereNotice):
    """A notice as drawn on a 360-degree video.

    Parameters
    ----------
    text, view, height_fraction, contrast
        As of `SphereNotice`.
    corner : str
        Its place in the view.
    start_s, end_s : float
        When it stands in full; the fade comes after.
    """

    corner: str
    start_s: float
    end_s: float


class SphereOverlay:
    """A notice made ready for the frames of one 360-degree clip.

    Parameters
    ----------
    notice : VideoNotice
        The notice. It is set in one line, without a logo, and stands at the bottom of
        the view where its corner is left open.
    form : FrameForm
        How the frames are stored and shown. They are twice as wide as high as shown.
    view : View
        Where viewers look first.

    Raises
    ------
    TooSmallForNotice
        No legal wording would be legible.
    """

    def __init__(self, notice: VideoNotice, form: FrameForm, view: View) -> None:
        self._notice = notice
        self._corner = "bottom" if notice.corner == AUTO else notice.corner
        self._view = view
        self._painter = SpherePainter(
            form,
            notice.text,
            view=view,
            place=self._corner,
            height_fraction=notice.height_fraction,
        )
        self._start_s = self._end_s = math.nan
        self._fading = False

    def draw(self, luma: Plane, chroma: Sequence[Plane], time_s: float) -> None:
        """Draw the notice on a frame, in place.

        Parameters
        ----------
        luma : ndarray of uint8 or uint16, shape (height, width)
            The plane as stored.
        chroma : sequence of ndarray
            Cb and Cr, full or subsampled; empty for a grey video.
        time_s : float
            When the frame is shown, not before that of the last one.
        """
        if math.isnan(self._start_s):
            self._start_s = time_s
        opacity = self._notice.opacity(time_s - self._start_s)
        if not self._fading:
            self._end_s = time_s
        self._fading = opacity < 1
        if opacity:
            self._painter.paint((luma, *chroma), opacity=opacity)

    def placed(self, clip_end_s: float = 0.0) -> PlacedSphereNotice:
        """Return what was drawn on the frames so far.

        Parameters
        ----------
        clip_end_s : float, optional
            When the last frame ends.

        Raises
        ------
        UsageError
            There were none.
        """
        if math.isnan(self._start_s):
            raise UsageError("the notice was drawn on no frame")
        drawn = self._painter.notice
        return PlacedSphereNotice(
            text=drawn.text,
            view=drawn.view,
            height_fraction=drawn.height_fraction,
            contrast=drawn.contrast,
            corner=self._corner,
            start_s=self._start_s,
            end_s=self._end_s if self._fading else max(self._end_s, clip_end_s),
        )


def find_in_views(
    frames: Iterable[tuple[float, Pixels]], view: View, *, clip_end_s: float = 0.0
) -> Sequence[FoundVideoNotice]:
    """Look for notices in the default view of a 360-degree video.

    Parameters
    ----------
    frames : iterable of (float, ndarray of uint8, shape (height, width, 3))
        Whole frames as for `find`, twice as wide as high.
    view : View
        Where viewers look first.
    clip_end_s : float, optional
        When the clip ends; by default its last frame lasts as long as the one before.

    Returns
    -------
    sequence of FoundVideoNotice
        Boxes and heights are those in the square view of `look`, places those in what
        all screens show of it.

    Raises
    ------
    UsageError
        A frame is not twice as wide as high.
    """
    views = ((time_s, look(pixels, view)) for time_s, pixels in frames)
    first = next(views, None)
    if first is None:
        return []
    side = first[1].shape[0]
    return [
        _on_screen(notice, side)
        for notice in find(chain([first], views), clip_end_s=clip_end_s)
    ]


def _on_screen(notice: FoundVideoNotice, side: int) -> FoundVideoNotice:
    place = place_on_screen(notice.box, notice.ink_height_px, side)
    others = [fault for fault in notice.faults if fault != OFF_EDGE]
    faults = (*others, OFF_EDGE) if place == INSIDE else tuple(others)
    return replace(notice, place=place, faults=faults)
