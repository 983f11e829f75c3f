"""The notice on a video: drawn frame by frame, for as long as it must stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .errors import MediaError, TooSmallForNotice
from .media import video as media
from .model import to_dict
from .notices.frame import FrameForm
from .notices.sphere_video import SphereOverlay
from .notices.video import MIN_SECONDS, VideoNotice, VideoOverlay, settle
from .panorama import clip_view

__all__ = ["ClipNotice", "form_of"]

_GLANCE_S = 0.3


class ClipNotice:
    """The notice on one video, or the lack of room for it.

    Parameters
    ----------
    notice : VideoNotice or None
    source : Path
        The file that is labeled.
    video : Video
        What it holds.

    Attributes
    ----------
    lead_in_s : Fraction
        For how long the first frame must be held in front, in seconds, for the notice
        to stand for 2 s; 0 for most.
    """

    def __init__(
        self, notice: VideoNotice | None, source: Path, video: media.Video
    ) -> None:
        self.lead_in_s = Fraction(0)
        self._form = form_of(video)
        self._view = clip_view(video)
        self._overlay: VideoOverlay | SphereOverlay | None = None
        if notice is None:
            return
        self._notice = notice
        with suppress(TooSmallForNotice):
            if self._view is None:
                self._notice = settle(notice, self._form, _opening(source, video))
            self._overlay = self._ready()
            self.lead_in_s = media.lead_in_s(source, video, MIN_SECONDS)

    def restart(self) -> None:
        """Forget what was drawn: the next frame is the first one again."""
        if self._overlay is not None:
            self._overlay = self._ready()

    def _ready(self) -> VideoOverlay | SphereOverlay:
        if self._view is None:
            return VideoOverlay(self._notice, self._form)
        return SphereOverlay(self._notice, self._form, self._view)

    def draw(self, frame: media.Frame) -> None:
        """Draw the notice on the next frame."""
        if self._overlay is not None:
            self._overlay.draw(frame.luma, frame.chroma, frame.time_s)

    def report(self, clip_end_s: float) -> tuple[dict[str, Any], list[str]]:
        """Return what was drawn on a clip that ends at some time, and notes on it.

        Raises
        ------
        TooSmallForNotice
            There was no room.
        """
        if self._overlay is None:
            raise TooSmallForNotice("the frames have no room for a notice")
        placed = self._overlay.placed(clip_end_s)
        notes = []
        if self._view and (self._notice.vertical or self._notice.logo is not None):
            notes.append("in a 360-degree video the notice is one plain line")
        if placed.text != self._notice.text:
            notes.append("the video had no room for the whole notice")
        if self.lead_in_s:
            notes.append(
                f"the first frame is held for {float(self.lead_in_s):.2f} s in front, "
                f"so that the notice stands for {MIN_SECONDS:g} s; all else comes "
                "later by that"
            )
        detail = to_dict(placed)
        for name in {"first_contrast", "contrast", "start_s", "end_s"} & {*detail}:
            detail[name] = round(detail[name], 2)
        detail["width"], detail["height"] = self._form.shown_size
        detail["added_s"] = round(float(self.lead_in_s), 3)
        return detail, notes


def _opening(source: Path, video: media.Video) -> Iterator[NDArray[Any]]:
    """Yield luma of the first second, as far as it can be read."""
    with suppress(MediaError):  # told better when the file is labeled
        for frame in media.frames(source, video, every_s=_GLANCE_S):
            if frame.time_s > 1:
                return
            yield frame.luma


def form_of(video: media.Video) -> FrameForm:
    """Return how the frames of a video are stored and shown."""
    return FrameForm(
        width=video.width,
        height=video.height,
        rotation_deg=video.rotation_deg,
        flipped=video.flipped,
        pixel_aspect=video.pixel_aspect,
        bits=video.bits,
        full_range=video.full_range,
        transfer=video.transfer,
        matrix=video.matrix,
    )
