"""Draw the notice that people see on a video, frame by frame.

It stands on the first frame in full, stays for the whole clip or for at least two
seconds, and then fades. The plate is that of pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import UsageError
from ..model import Box
from .block import Block
from .calm import busyness, calmest
from .frame import FrameForm, Plane
from .layer import Layer, bare_codes, prepare
from .logo import Logo
from .place import (
    AUTO,
    GUIDE_HEIGHT_PX,
    MIN_HEIGHT_FRACTION,
    Room,
    check_place,
    choose,
    least_height,
)
from .plate import DARK, LIGHT, Style, glaze, least_contrast, lighter
from .tone import Tone
from .wording import CORE, check_wording, segments

__all__ = [
    "MIN_SECONDS",
    "USUAL",
    "PlacedVideoNotice",
    "VideoNotice",
    "VideoOverlay",
    "settle",
]

MIN_SECONDS = 2.0
"""Least time at normal speed (GB 45438-2025, 5.4)."""

_FADE_S = 0.4
# Clear of controls, of subtitles, and of the buttons of phone players first.
_CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")
USUAL = _CORNERS[0]
"""The corner of a notice on a video."""
# The height that is asked for in pixels gives way on frames where it would be more.
_MOST_UNASKED = 0.1
# Longer wordings do not take more of a frame than this.
_SHARE = 0.2
# Beside smaller text a translation cannot be read.
_TRANSLATED_PX = 16
_CONTRAST = 4.5


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoNotice:
    """A notice to be seen on a video.

    Parameters
    ----------
    text : str
        The wording. What follows " · " is set smaller when what stands before it is
        legal by itself.
    corner : str
        One of `PLACES`. "top-left" is clear of controls, of subtitles, and of the
        buttons of phone players; "auto" is that corner, or one where the clip is much
        calmer in its first second, as found by `settle`.
    height_fraction : float
        Text height by shorter side of the frame as it is shown, 0.05 to 0.2.
    safe_area : str
        What is kept free at the sides: one of `SAFE_AREAS`. By default the notice is
        raised above the controls of players.
    vertical : bool
        Whether the wording is set in a column, in a corner or along a side.
    logo : Logo or None
        Stands beside the text where there is room.
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
    safe_area: str = "player"
    vertical: bool = False
    logo: Logo | None = None

    def __post_init__(self) -> None:
        check_place(
            self.corner,
            self.height_fraction,
            safe_area=self.safe_area,
            vertical=self.vertical,
        )
        check_wording(self.text, vertical=self.vertical)
        if self.seconds is not None and not MIN_SECONDS <= self.seconds < math.inf:
            raise UsageError(
                f"a notice on a video cannot stand for {self.seconds:g} s",
                hint=f"Use at least {MIN_SECONDS:g} (GB 45438-2025, 5.4).",
            )

    def opacity(self, passed_s: float) -> float:
        """Return how much of it is seen some time after it began, 0 to 1."""
        if self.seconds is None or passed_s < self.seconds:
            return 1
        return max(1 - (passed_s - self.seconds) / _FADE_S, 0)


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
    corner : str
        The place.
    logo : bool
        Whether a logo stands beside the text.
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
    corner: str
    logo: bool


def settle(notice: VideoNotice, form: FrameForm, lumas: Iterable[Plane]) -> VideoNotice:
    """Choose the corner of a notice that leaves it open.

    Parameters
    ----------
    notice : VideoNotice
        The notice; one with a corner of its own stays as it is.
    form : FrameForm
        How the frames are stored and shown.
    lumas : iterable of ndarray of uint8 or uint16, shape (height, width)
        Luma planes as stored, of a few frames of the first second.

    Returns
    -------
    VideoNotice
        The same notice in a corner.

    Raises
    ------
    TooSmallForNotice
        No legal wording fits.
    """
    if notice.corner != AUTO:
        return notice
    _, spots = _fit(notice, form)
    size, peak = form.shown_size, float(form.encode((255, 255, 255))[0])
    maps = (busyness(form.upright(luma), size, peak) for luma in lumas)
    return replace(notice, corner=calmest(maps, spots, size))


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
    UsageError
        The corner is left open.
    """

    def __init__(self, notice: VideoNotice, form: FrameForm) -> None:
        self.notice = notice
        self.form = form
        self._block, spots = _fit(notice, form)
        if notice.corner not in spots:
            raise UsageError(
                "the corner of the notice is not settled yet",
                hint="Look for the calmest one with `settle` first.",
            )
        self._box = spots[notice.corner]
        self._lighter = lighter(self._block)
        self._styles = [_opaque_enough(style, form) for style in (DARK, LIGHT)]
        self._layers: list[Layer] = []
        self._bare = np.zeros((0, 0), bool)
        self._shapes: list[tuple[int, ...]] = []
        self._tone = Tone()
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
        opacity = self.notice.opacity(time_s - self._start_s)
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
        light = self._lighter
        if light is None:
            tone = self.form.tone(float(grounds[0].mean()))
            light = self._tone.settle(tone, time_s)
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
            corner=self.notice.corner,
            logo=self._block.logo is not None,
        )

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


def _fit(notice: VideoNotice, form: FrameForm) -> tuple[Block, dict[str, Box]]:
    """Set a notice, and return the place for it in every corner that it may have."""
    width, height = form.shown_size
    # Pixels that are not square may take half a pixel off each end of the text.
    spare = int(form.pixel_aspect != 1)
    least = least_height(width, height, notice.height_fraction, spare)
    unasked = min(GUIDE_HEIGHT_PX, int(_MOST_UNASKED * min(width, height)))
    wanted = max(least, unasked)
    text = notice.text if wanted >= _TRANSLATED_PX else segments(notice.text)[0]
    return choose(
        text,
        [Room.of(width, height)],
        least,
        wanted,
        corners=_CORNERS if notice.corner == AUTO else (notice.corner,),
        safe_area=notice.safe_area,
        vertical=notice.vertical,
        logo=notice.logo,
        share=_SHARE,
    )


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
