"""What happens to pictures in the world: seeded changes, pixels in and pixels out.

`ATTACKS` names every attack with its group; `apply` runs one. The same picture, name
and seed give the same pixels with the same versions of Pillow, OpenCV and NumPy.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

import cv2
import numpy as np
import overlays
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, features

__all__ = ["ATTACKS", "Attack", "Pixels", "apply"]

LEAST_SIDE = 8

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator], Pixels]


class Attack(NamedTuple):
    """A change and the group in which it is reported."""

    group: str
    change: Change


def apply(name: str, pixels: Pixels, seed: int) -> Pixels:
    """Run one attack.

    Parameters
    ----------
    name : str
        A key of `ATTACKS`.
    pixels : ndarray of uint8, shape (height, width, 3)
        An RGB picture with sides of at least 8 pixels; it is not modified.
    seed : int
        Non-negative. Each attack draws from a stream of its own.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        The attacked picture, often of another size.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return np.ascontiguousarray(ATTACKS[name].change(pixels, rng))


def _same(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return pixels


def _chain(*changes: Change) -> Change:
    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        for one in changes:
            pixels = one(pixels, rng)
        return pixels

    return change


def _pillow(edit: Callable[[Image.Image], Image.Image]) -> Change:
    return lambda pixels, rng: np.array(edit(Image.fromarray(pixels)).convert("RGB"))


def _levels(edit: Callable[[Pixels, np.random.Generator], Any]) -> Change:
    """Wrap arithmetic whose result is rounded back to levels."""
    return lambda pixels, rng: np.clip(np.rint(edit(pixels, rng)), 0, 255).astype(
        np.uint8
    )


def _codec(format: str, **options: int) -> Change:
    def edit(image: Image.Image) -> Image.Image:
        file = BytesIO()
        image.save(file, format, **options)
        return Image.open(file)

    return _pillow(edit)


def _jpeg(quality: int) -> Change:
    return _codec("JPEG", quality=quality)  # 4:2:0, as Pillow does by default


def _webp(quality: int) -> Change:
    return _codec("WEBP", quality=quality, method=4)


def _avif(quality: int) -> Change:
    return _codec("AVIF", quality=quality, speed=8)


def _resize(image: Image.Image, width: float, height: float) -> Image.Image:
    size = max(LEAST_SIDE, round(width)), max(LEAST_SIDE, round(height))
    return image.resize(size, Image.Resampling.LANCZOS)


def _scale(x: float, y: float | None = None) -> Change:
    y = x if y is None else y
    return _pillow(lambda image: _resize(image, x * image.width, y * image.height))


def _fit(side: int) -> Change:
    def edit(image: Image.Image) -> Image.Image:
        scale = min(1.0, side / max(image.size))
        return _resize(image, scale * image.width, scale * image.height)

    return _pillow(edit)


def _crop(percent: int, *, back: bool = False) -> Change:
    """Keep a share of the area, of the same proportions, at a random place."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        share = math.sqrt(percent / 100)
        rows = max(LEAST_SIDE, round(share * height))
        columns = max(LEAST_SIDE, round(share * width))
        top = rng.integers(0, height - rows, endpoint=True)
        left = rng.integers(0, width - columns, endpoint=True)
        part = pixels[top : top + rows, left : left + columns]
        if back:
            return np.array(_resize(Image.fromarray(part), width, height))
        return part

    return change


def _rotate(degrees: int, *, inside: bool = False) -> Change:
    """Turn counter-clockwise: corners turn black, or are cut off."""

    def edit(image: Image.Image) -> Image.Image:
        turned = image.rotate(degrees, Image.Resampling.BICUBIC)
        if not inside:
            return turned
        width, height = _inscribed(image.width, image.height, math.radians(degrees))
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return turned.crop((left, top, left + width, top + height))

    return _pillow(edit)


def _inscribed(width: int, height: int, angle: float) -> tuple[int, int]:
    """Return the largest upright rectangle inside a rotated one, less a pixel around.

    Either two of its corners touch the long sides and its center is the picture's,
    or all four touch a side each.
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    short = min(width, height)
    if short <= math.sin(2 * angle) * max(width, height):
        across, along = short / (2 * sine), short / (2 * cosine)
        inner = (across, along) if width >= height else (along, across)
    else:
        spread = math.cos(2 * angle)
        inner = (
            (width * cosine - height * sine) / spread,
            (height * cosine - width * sine) / spread,
        )
    least = min(LEAST_SIDE, short)
    return (
        max(least, min(width, int(inner[0])) - 2),
        max(least, min(height, int(inner[1])) - 2),
    )


def _shear(degrees: float) -> Change:
    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        slope = math.tan(math.radians(degrees))
        matrix = np.array([[1, slope, -slope * height / 2], [0, 1, 0]])
        return _levels_of(
            cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)
        )

    return change


def _perspective(amount: float) -> Change:
    """Move each corner inward by up to a share of the sides."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        inward = (1 - 2 * unit) * rng.uniform(0, amount, (4, 2)).astype(np.float32)
        size = np.array([width, height], np.float32)
        matrix = cv2.getPerspectiveTransform(unit * size, (unit + inward) * size)
        return _levels_of(
            cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)
        )

    return change


def _levels_of(array: Any) -> Pixels:
    return np.asarray(array, np.uint8)


def _enhance(kind: Callable[[Image.Image], Any], factor: float) -> Change:
    return _pillow(lambda image: kind(image).enhance(factor))


def _hue(turns: float) -> Change:
    def edit(image: Image.Image) -> Image.Image:
        hue, saturation, value = image.convert("HSV").split()
        shifted = [(level + round(255 * turns)) % 256 for level in range(256)]
        return Image.merge("HSV", (hue.point(shifted), saturation, value))

    return _pillow(edit)


def _gamma(exponent: float) -> Change:
    return _levels(lambda pixels, rng: 255 * (pixels / np.float32(255)) ** exponent)


def _palette(colors: int) -> Change:
    return _pillow(lambda image: image.quantize(colors))


def _blur(sigma: float) -> Change:
    return lambda pixels, rng: _levels_of(cv2.GaussianBlur(pixels, (0, 0), sigma))


def _median(side: int) -> Change:
    return lambda pixels, rng: _levels_of(cv2.medianBlur(pixels, side))


def _denoise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Take non-local means at strength 6, patches of 5 in windows of 15 pixels."""
    return _levels_of(cv2.fastNlMeansDenoisingColored(pixels, None, 6, 6, 5, 15))


def _noise(sigma: float) -> Change:
    return _levels(lambda pixels, rng: pixels + rng.normal(0, sigma, pixels.shape))


def _salt_and_pepper(percent: int) -> Change:
    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        draw = rng.random(pixels.shape[:2])
        half = percent / 200
        out = pixels.copy()
        out[draw < half] = 0
        out[draw > 1 - half] = 255
        return out

    return change


def _pair(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Run two different everyday changes, drawn at random, one after the other."""
    everyday = (
        _jpeg(60),
        _scale(0.6),
        _rotate(7, inside=True),
        _crop(60),
        _enhance(ImageEnhance.Brightness, 0.7),
        _blur(1),
        _noise(8),
    )
    first, second = rng.permutation(len(everyday))[:2]
    return _chain(everyday[first], everyday[second])(pixels, rng)


_GROUPS: dict[str, dict[str, Change]] = {
    "none": {"identity": _same},
    "codec": {
        **{f"jpeg_q{q}": _jpeg(q) for q in (90, 70, 50, 30, 20, 10)},
        **{f"webp_q{q}": _webp(q) for q in (80, 50, 20)},
        **{f"avif_q{q}": _avif(q) for q in (60, 30) if features.check("avif")},
    },
    "resize": {
        **{f"resize_{scale}": _scale(scale) for scale in (0.75, 0.5, 0.33, 0.25)},
        **{f"resize_{scale}": _scale(scale) for scale in (1.5, 2.0)},
        "aspect_1.2x": _scale(1.2, 1.0),
    },
    "crop": {
        **{f"crop_keep{percent}": _crop(percent) for percent in (80, 50, 25, 10)},
        "crop50_resize_back": _crop(50, back=True),
    },
    "rotate": {
        **{f"rot{d}_black": _rotate(d) for d in (1, 2, 5, 10, 20, 45)},
        **{f"rot{d}_inside": _rotate(d, inside=True) for d in (1, 2, 5, 10, 20, 45)},
        "rot90": lambda pixels, rng: np.rot90(pixels),
    },
    "geometry": {
        "hflip": lambda pixels, rng: pixels[:, ::-1],
        "shear_5": _shear(5),
        "perspective_mild": _perspective(0.04),
    },
    "color": {
        **{f"brightness_{f}": _enhance(ImageEnhance.Brightness, f) for f in (0.5, 1.5)},
        **{f"contrast_{f}": _enhance(ImageEnhance.Contrast, f) for f in (0.5, 1.5)},
        **{f"saturation_{f}": _enhance(ImageEnhance.Color, f) for f in (0, 2)},
        "hue_0.1": _hue(0.1),
        **{f"gamma_{exponent}": _gamma(exponent) for exponent in (0.5, 2)},
        "grayscale": _pillow(lambda image: image.convert("L")),
        **{f"palette_{colors}": _palette(colors) for colors in (64, 16)},
    },
    "filter": {
        **{f"blur_s{sigma}": _blur(sigma) for sigma in (1, 2, 3)},
        **{f"median_{side}": _median(side) for side in (3, 5)},
        "sharpen_2x": _enhance(ImageEnhance.Sharpness, 2),
        "nlm_denoise": _denoise,
    },
    "noise": {
        **{f"noise_s{sigma}": _noise(sigma) for sigma in (5, 10, 20, 30)},
        **{f"salt_pepper_{p}pct": _salt_and_pepper(p) for p in (1, 3)},
    },
    "overlay": {
        **{f"overlay_{p}pct": partial(overlays.cover, percent=p) for p in (10, 25)},
        "letterbox_20pct": partial(overlays.letterbox, percent=20),
        "meme_top_20pct": partial(overlays.caption, percent=20),
        "splice_quarter": overlays.splice,
        "collage_half": overlays.collage,
    },
    "chain": {
        "screenshot": _chain(_scale(0.62), overlays.browser, _jpeg(85)),
        "social": _chain(_fit(1080), _jpeg(75), _scale(0.8), _webp(70)),
        "jpeg40_dark_crop50": _chain(
            _jpeg(40), _enhance(ImageEnhance.Brightness, 0.5), _crop(50)
        ),
        **{f"random_pair_{number}": _pair for number in (1, 2, 3, 4)},
    },
}

ATTACKS: dict[str, Attack] = {
    name: Attack(group, change)
    for group, changes in _GROUPS.items()
    for name, change in changes.items()
}
