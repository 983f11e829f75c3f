"""Find notices in any font, by reading what stands near the edges of a picture.

The reading is that of RapidOCR, with the models that come in its package: nothing is
fetched. It is an optional part of the installation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ..errors import UsageError
from ..model import Box
from .image import check_picture
from .measure import INSIDE, place_of
from .phrase import as_meant, elements_of, has_elements, is_notice_like, may_be_part
from .place import visible_box
from .typeset import Pixels

__all__ = ["NoticeLike", "check_installed", "find_like", "find_like_in_frames"]

_PACKAGES = ("rapidocr", "onnxruntime")
_HINT = 'Install it: pip install "synthmark[ocr]".'
_THREADS = 2

# Text is looked for in a reduced picture, and read from the picture as it is.
_SHORT_PX = 640
_MAX_ENLARGEMENT = 2.5
_READ_PX = 96
_ABOVE = 0.05
# What may be a piece of a notice is read again with more on both sides, by height.
_BESIDE = (0.3, 1.5)
_MOST_LINES = 48
_LEAST_CONFIDENCE = 0.6

# Beyond this ratio of the sides only the ends and the middle are looked at.
_LONG = 6
_END = 3

# A line's box is that much taller than its ideographs, or than its capitals.
_IDEOGRAPHS = 1.55
_CAPITALS = 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLike:
    """A text in a picture that looks like a notice.

    Parameters
    ----------
    text : str
        As it was read; a capital I is told from what looks like one.
    box : Box
        The line that holds it.
    confidence : float
        Of the reading, 0 to 1.
    height_fraction : float
        Height of its letters by shorter side of the picture, to about a fifth.
    place : str
        The edge or corner that it stands at.
    elements : tuple of str
        Which of the elements that are due it holds: ``"AI"`` or ``"人工智能"``,
        ``"生成"``, ``"合成"``.
    as_ruled : bool
        Whether it holds both that GB 45438-2025, 5.2 b), asks for; otherwise it is a
        looser form, such as "Made with AI".
    """

    text: str
    box: Box
    confidence: float
    height_fraction: float
    place: str
    elements: tuple[str, ...]
    as_ruled: bool


def check_installed() -> None:
    """Refuse to read where the optional part is not installed.

    Raises
    ------
    UsageError
        It is not.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"notices in other fonts cannot be read without {' and '.join(missing)}",
            hint=_HINT,
        )


def find_like(pixels: Pixels) -> tuple[NoticeLike, ...]:
    """Find texts near the edges of a picture that look like a notice.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA, as it is shown.

    Returns
    -------
    tuple of NoticeLike
        Those in the words of the rule first, then by confidence. At most 48 lines, the
        nearest to the edges, are read. What the library fails on holds nothing.

    Raises
    ------
    UsageError
        The array is not a picture, or the optional part is not installed.
    """
    check_picture(pixels)
    engine = _engine()
    seen = visible_box(pixels)
    colors = _colors(pixels)[
        seen.top : seen.top + seen.height, seen.left : seen.left + seen.width
    ]
    found = [
        NoticeLike(
            text=text,
            box=Box(
                left=seen.left + line.box.left,
                top=seen.top + line.box.top,
                width=line.box.width,
                height=line.box.height,
            ),
            confidence=round(confidence, 3),
            height_fraction=round(
                _height_px(line.box, text) / min(colors.shape[:2]), 4
            ),
            place=line.place,
            elements=elements_of(text),
            as_ruled=has_elements(text),
        )
        for line in _lines(engine, colors)
        for text, confidence in _notice(engine, colors, line.box)
    ]
    return _best(found)


def find_like_in_frames(frames: Iterable[Pixels]) -> tuple[NoticeLike, ...]:
    """Find texts that look like a notice in some frames of a video.

    Parameters
    ----------
    frames : iterable of ndarray of uint8, shape (height, width, 3)
        As they are shown, all of one size.

    Returns
    -------
    tuple of NoticeLike
        Of those at one place, the one that was read best.

    Raises
    ------
    UsageError
        As `find_like` raises it.
    """
    return _best([one for frame in frames for one in find_like(frame)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Where a line of text was seen."""

    box: Box
    place: str


@cache
def _engine() -> Any:
    """Return the reader, loaded once, which fetches nothing and says nothing."""
    check_installed()
    try:
        import rapidocr

        return rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": 0.0,
                "Global.max_side_len": 2 * _LONG * _SHORT_PX,
                "Det.model_path": _model("det"),
                "Det.limit_side_len": 32,
                "Rec.model_path": _model("rec"),
                "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
    except Exception as error:
        raise UsageError(f"the OCR cannot be loaded: {error}", hint=_HINT) from error


def _model(kind: str) -> str:
    """Return the model that came with the package, whatever else was put beside it."""
    models = [
        file.locate()
        for file in files("rapidocr") or ()
        if file.match(f"models/*_{kind}_*.onnx")
    ]
    if len(models) != 1 or not Path(str(models[0])).is_file():
        raise LookupError(f"rapidocr came without its model {kind!r}")
    return str(models[0])


def _lines(engine: Any, colors: Pixels) -> list[_Line]:
    """Return where there is text near an edge, the nearest first."""
    height, width = colors.shape[:2]
    found = []
    for part in _parts(height, width):
        for left, top, right, bottom in _boxes(engine, _cut(colors, part)):
            box = Box(
                left=part.left + left,
                top=part.top + top,
                width=right - left,
                height=bottom - top,
            )
            place = place_of(box, _height_px(box), width, height)
            if place != INSIDE:
                found.append(_Line(box=box, place=place))
    found.sort(
        key=lambda line: min(
            line.box.left,
            line.box.top,
            width - line.box.left - line.box.width,
            height - line.box.top - line.box.height,
        )
    )
    return found[:_MOST_LINES]


def _parts(height: int, width: int) -> Iterator[Box]:
    """Yield the parts of a picture to look at."""
    short, long = sorted((height, width))
    if short == 0:
        return
    if long <= _LONG * short:
        yield Box(left=0, top=0, width=width, height=height)
        return
    length = _END * short
    for start in (0, (long - length) // 2, long - length):
        if width == long:
            yield Box(left=start, top=0, width=length, height=height)
        else:
            yield Box(left=0, top=start, width=width, height=length)


def _boxes(engine: Any, part: Pixels) -> Iterator[tuple[int, int, int, int]]:
    """Yield the left, top, right and bottom of the lines in a part of a picture."""
    height, width = part.shape[:2]
    scale = min(_SHORT_PX / min(height, width), _MAX_ENLARGEMENT)
    reduced = _resized(part, scale)
    try:
        corners = engine(
            reduced[..., ::-1].copy(), use_det=True, use_cls=False, use_rec=False
        ).boxes
        corners = np.empty((0, 4, 2)) if corners is None else np.asarray(corners)
    except Exception:  # whatever it is, it must not end the reading of other layers
        return
    steps = (width / reduced.shape[1], height / reduced.shape[0])
    for low, high in zip(corners.min(axis=1), corners.max(axis=1), strict=True):
        left, top = (max(int(at * by), 0) for at, by in zip(low, steps, strict=True))
        right = min(round(float(high[0]) * steps[0]), width)
        bottom = min(round(float(high[1]) * steps[1]), height)
        if left < right and top < bottom:
            yield left, top, right, bottom


def _notice(engine: Any, colors: Pixels, box: Box) -> Iterator[tuple[str, float]]:
    """Yield what a line says if it looks like a notice, and the confidence."""
    for beside in _BESIDE:
        text, confidence = _read(engine, colors, box, beside)
        if confidence >= _LEAST_CONFIDENCE and is_notice_like(text):
            yield text, confidence
            return
        if not may_be_part(text):
            return


def _read(engine: Any, colors: Pixels, box: Box, beside: float) -> tuple[str, float]:
    """Return what a line is meant to say, with the confidence of the reading."""
    above, side = round(_ABOVE * box.height), round(beside * box.height)
    line = colors[
        max(box.top - above, 0) : box.top + box.height + above,
        max(box.left - side, 0) : box.left + box.width + side,
    ]
    if line.shape[0] > _READ_PX:
        line = _resized(line, _READ_PX / line.shape[0])
    try:
        read = engine(
            line[..., ::-1].copy(), use_det=False, use_cls=False, use_rec=True
        )
        return as_meant(read.txts[0]), float(read.scores[0])
    except Exception:  # as above
        return "", 0.0


def _height_px(box: Box, text: str = "") -> float:
    """Return about how high the letters of a line are."""
    tall = _CAPITALS if text.isascii() and text else _IDEOGRAPHS
    return min(box.width, box.height) / tall


def _best(found: list[NoticeLike]) -> tuple[NoticeLike, ...]:
    """Return the best one of those that overlap."""
    kept: list[NoticeLike] = []
    for one in sorted(found, key=lambda one: (not one.as_ruled, -one.confidence)):
        if not any(one.box.overlaps(other.box) for other in kept):
            kept.append(one)
    return tuple(kept)


def _cut(colors: Pixels, box: Box) -> Pixels:
    return colors[box.top : box.top + box.height, box.left : box.left + box.width]


def _resized(colors: Pixels, scale: float) -> Pixels:
    height, width = (max(1, round(side * scale)) for side in colors.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(colors, (width, height), interpolation=way), np.uint8)


def _colors(pixels: Pixels) -> Pixels:
    """Return RGB levels; a transparent picture is seen on mid-grey."""
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if pixels.shape[2] == 3:
        return pixels
    image = Image.fromarray(pixels)
    ground = Image.new("RGB", image.size, (128,) * 3)
    ground.paste(image, mask=image)
    return np.asarray(ground)
