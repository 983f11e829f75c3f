"""Draw the notice that people see on a video, frame by frame.

It stands on the first frame in full, stays for the whole clip or for at least two
seconds, and then fades. The plate is that of pictures; whether it is dark or light is
settled by the first frame, and changes only after a cut or when the picture under it
has long been of the other kind.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import UsageError
from ..model import Box
from .frame import FrameForm, Plane
from .layer import Layer, bare_codes, prepare
from .plate import (
    BRIGHT,
    DARK,
    GUIDE_HEIGHT_PX,
    LIGHT,
    MIN_HEIGHT_FRACTION,
    Style,
    check_place,
    choose,
    glaze,
    least_contrast,
    least_height,
    place,
)
from .wording import CORE, check_wording, segments

__all__ = ["MIN_SECONDS", "PlacedVideoNotice", "VideoNotice", "VideoOverlay"]

MIN_SECONDS = 2.0
"""Least time at normal speed (GB 45438-2025, 5.4)."""

_FADE_S = 0.4
# Players lay their controls over the lowest part of the picture.
_CONTROLS = 0.1
# The height that is asked for in pixels gives way on frames where it would be more.
_MOST_UNASKED = 0.1
# Longer wordings do not take more of a frame than this.
_SHARE = 0.2
# Beside smaller text a translation cannot be read.
_TRANSLATED_PX = 16
_CONTRAST = 4.5

# A plate is kept for so long, and while the ground's tone, 0 to 255, is not that far on
# the other side of `BRIGHT`. After a cut it changes while the eye has not settled yet,
# but not for a flash.
_HYSTERESIS = 20
_PATIENCE_S = 2.0
_CUT = 40
_CUT_PATIENCE_S = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoNotice:
    """A notice to be seen on a video.

    Parameters
    ----------
    text : str
        The wording. What follows " · " is set smaller when what stands before it is
        legal by itself.
    corner : str
        One of `CORNERS`. In the lower ones it is raised above the controls of players;
        "top-left" is clear of them, of subtitles, and of the buttons of phone players.
    height_fraction : float
        Text height by shorter side of the frame as it is shown, 0.05 to 0.2.
    seconds : float or None
        How long it stands in full, at least 2; None is the whole clip.

    Raises
    ------
    UsageError
        The wording is refused by `check_wording`, or another value cannot be meant.
    """

    corner: str
    text: str = CORE
    height_fraction: float = MIN_HEIGHT_FRACTION
    seconds: float | None = None

    def __post_init__(self) -> None:
        check_place(self.corner, self.height_fraction)
        check_wording(self.text)
        if self.seconds is not None and not MIN_SECONDS <= self.seconds < math.inf:
            raise UsageError(
                f"a notice on a video cannot stand for {self.seconds:g} s",
                hint=f"Use at least {MIN_SECONDS:g} (GB 45438-2025, 5.4).",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedVideoNotice:
    """A notice as drawn on a video.

    Parameters
    ----------
    text : str
        The wording: without its translation on small frames, and "AI生成" where the
        one asked for has no room.
    box : Box
        The plate, in square pixels of the frame as it is shown.
    area : tuple of float
        The same by width and height of the frame: left, top, width and height.
    ink_height_px : int
        Height of the shortest character of the required elements in those pixels.
    height_fraction : float
        The same by shorter side of the frame.
    start_s, end_s : float
        When it stands in full; the fade comes after.
    first_contrast : float
        Least contrast ratio (WCAG 2.2) of any part of the text to any pixel of the
        plate, on the first frame.
    contrast : float
        The same over frames about a second apart.
    """

    text: str
    box: Box
    area: tuple[float, float, float, float]
    ink_height_px: int
    height_fraction: float
    start_s: float
    end_s: float
    first_contrast: float
    contrast: float


class VideoOverlay:
    """A notice made ready for the frames of one clip.

    Parameters
    ----------
    notice : VideoNotice
        The notice.
    form : FrameForm
        How the frames are stored and shown.

    Raises
    ------
    TooSmallForNotice
        No legal wording fits at a height that is legal and legible (9 px).
    """

    def __init__(self, notice: VideoNotice, form: FrameForm) -> None:
        width, height = form.shown_size
        # Pixels that are not square may take half a pixel off each end of the text.
        spare = int(form.pixel_aspect != 1)
        least = least_height(width, height, notice.height_fraction, spare)
        unasked = min(GUIDE_HEIGHT_PX, int(_MOST_UNASKED * min(width, height)))
        wanted = max(least, unasked)
        text = notice.text if wanted >= _TRANSLATED_PX else segments(notice.text)[0]
        raised = round(_CONTROLS * height)
        self.notice = notice
        self.form = form
        self._block = choose(text, width, height, least, wanted, share=_SHARE)
        self._box = place(self._block, width, height, notice.corner, raised=raised)
        self._styles = [_opaque_enough(style, form) for style in (DARK, LIGHT)]
        self._layers: list[Layer] = []
        self._bare = np.zeros((0, 0), bool)
        self._shapes: list[tuple[int, ...]] = []
        self._tone = _Tone()
        self._start_s = self._last_s = self._end_s = self._measured_s = math.nan
        self._fading = False
        self._contrasts: list[float] = []

    def draw(self, luma: Plane, chroma: Sequence[Plane], time_s: float) -> None:
        """Draw the notice on a frame, in place.

        Frames come in the order in which they are shown. Only samples under the plate
        change.

        Parameters
        ----------
        luma : ndarray of uint8 or uint16, shape (height, width)
            The plane as stored.
        chroma : sequence of ndarray
            Cb and Cr, full or subsampled; empty for a grey video.
        time_s : float
            When the frame is shown.

        Raises
        ------
        UsageError
            The planes are not of the announced form.
        """
        self._check([luma, *chroma])
        planes = [self.form.upright(plane) for plane in (luma, *chroma)]
        if not self._layers:
            self._layers, self._bare = prepare(
                [glaze(self._block, style, self.form.encode) for style in self._styles],
                self._box,
                self._block.size_px,
                self.form,
                planes,
            )
            self._start_s = self._last_s = time_s
        opacity = self._opacity(time_s)
        self._fading = opacity < 1
        if not self._fading:
            self._end_s = time_s + (time_s - self._last_s)
        elif self._last_s < self._end_s:
            self._end_s = time_s
        self._last_s = time_s
        if opacity == 0:
            return
        grounds = [
            layer.ground(plane)
            for layer, plane in zip(self._layers, planes, strict=True)
        ]
        light = self._tone.settle(self.form.tone(float(grounds[0].mean())), time_s)
        for layer, plane, ground in zip(self._layers, planes, grounds, strict=True):
            layer.paint(plane, ground, light, opacity)
        if opacity == 1 and not time_s < self._measured_s + 1:
            self._measured_s = time_s
            self._contrasts.append(self._contrast(planes, light))

    def placed(self, clip_end_s: float = 0.0) -> PlacedVideoNotice:
        """Return what was drawn on the frames so far.

        Parameters
        ----------
        clip_end_s : float, optional
            When the last frame ends; by default it lasts as long as the one before.

        Raises
        ------
        UsageError
            There were none.
        """
        if not self._contrasts:
            raise UsageError("the notice was drawn on no frame")
        width, height = self.form.shown_size
        box, ink = self._box, self._block.ink_height_px
        return PlacedVideoNotice(
            text=self._block.text,
            box=box,
            area=(
                box.left / width,
                box.top / height,
                box.width / width,
                box.height / height,
            ),
            ink_height_px=ink,
            height_fraction=ink / min(width, height),
            start_s=self._start_s,
            end_s=self._end_s if self._fading else max(self._end_s, clip_end_s),
            first_contrast=self._contrasts[0],
            contrast=min(self._contrasts),
        )

    def _opacity(self, time_s: float) -> float:
        if self.notice.seconds is None:
            return 1
        late = time_s - self._start_s - self.notice.seconds
        return min(max(1 - late / _FADE_S, 0), 1) if late >= 0 else 1

    def _check(self, planes: list[Plane]) -> None:
        """Refuse planes of another form than announced, or than at first."""
        dtype = np.uint8 if self.form.bits == 8 else np.uint16
        shapes = [plane.shape for plane in planes]
        if (
            any(plane.dtype != dtype or not plane.flags.writeable for plane in planes)
            or shapes[0] != (self.form.height, self.form.width)
            or shapes != (self._shapes or shapes)
            or len(shapes) not in (1, 3)
            or shapes[1:2] != shapes[2:]
            or not all(_subsampled(shape, shapes[0]) for shape in shapes)
        ):
            raise UsageError(
                f"planes of {planes[0].dtype} and shapes {shapes} are not a frame of "
                f"{self.form.width} x {self.form.height} pixels in {self.form.bits} "
                "bits",
                hint="Give writable planes: luma alone, or luma, Cb and Cr.",
            )
        self._shapes = shapes

    def _contrast(self, planes: list[Plane], light: bool) -> float:
        drawn = bare_codes(planes, self._layers, self._bare)
        # Grey frames have no color differences: they stay those of black.
        codes = np.tile(self.form.encode((0, 0, 0)), (len(drawn), 1))
        codes[:, : len(planes)] = drawn
        return least_contrast(
            codes,
            self._styles[light],
            self.form.encode,
            self.form.luminance,
            translated=self._block.translation is not None,
        )


class _Tone:
    """Whether the plate is light, in the course of a clip."""

    def __init__(self) -> None:
        self.light: bool | None = None
        self._ground = 0.0
        self._changed_s = self._fitting_s = self._patience_s = 0.0

    def settle(self, ground: float, time_s: float) -> bool:
        """Return whether it is light on a ground of some tone, 0 to 255."""
        if self.light is None:
            self.light = ground >= BRIGHT
            self._changed_s = time_s
        if self._fits(ground):
            self._fitting_s = time_s
        else:
            if self._fits(self._ground):
                cut = abs(ground - self._ground) >= _CUT
                self._patience_s = _CUT_PATIENCE_S if cut else _PATIENCE_S
            due_s = max(
                self._fitting_s + self._patience_s, self._changed_s + _PATIENCE_S
            )
            if time_s >= due_s:
                self.light = not self.light
                self._changed_s = self._fitting_s = time_s
        self._ground = ground
        return self.light

    def _fits(self, ground: float) -> bool:
        beyond = BRIGHT - ground if self.light else ground - BRIGHT
        return beyond < _HYSTERESIS


def _subsampled(part: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Return whether a plane may go with luma: by 1, 2 or 4 in each direction."""
    steps = (1, 2, 4)
    return len(part) == 2 and all(
        a in [-(-b // step) for step in steps] for a, b in zip(part, whole, strict=True)
    )


def _opaque_enough(style: Style, form: FrameForm) -> Style:
    """Return a style whose text is legible on any ground.

    Its opacities are for the tones of pictures; those of HDR let more through.
    """
    grounds = form.extremes()
    while True:
        plates = grounds + (form.encode(style.plate) - grounds) * style.plate_opacity
        contrast = least_contrast(
            plates, style, form.encode, form.luminance, translated=True
        )
        if contrast >= _CONTRAST:
            return style
        style = replace(style, plate_opacity=style.plate_opacity + 0.02)
