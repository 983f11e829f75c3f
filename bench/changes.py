"""Changes that a picture goes through, made from their parameters: `jpeg(30)`.

A change takes an RGB picture, uint8 of shape (height, width, 3), and a random
generator, and returns another such picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

__all__ = [
    "Change",
    "Pixels",
    "avif",
    "blur",
    "chain",
    "crop",
    "denoise",
    "either",
    "enhance",
    "fit",
    "gamma",
    "gray",
    "hue",
    "jpeg",
    "median",
    "mirror",
    "noise",
    "palette",
    "perspective",
    "quarter_turn",
    "rotate",
    "salt_and_pepper",
    "same",
    "scale",
    "shear",
    "webp",
]

LEAST_SIDE = 8

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator], Pixels]


def chain(*changes: Change) -> Change:
    """Run changes one after the other."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        for one in changes:
            pixels = one(pixels, rng)
        return pixels

    return change


def either(*changes: Change) -> Change:
    """Run one of the changes, drawn at random."""
    return lambda pixels, rng: changes[rng.integers(len(changes))](pixels, rng)


def same(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Change nothing."""
    return pixels


def jpeg(quality: int) -> Change:
    """Compress with chroma at half size, as Pillow does by default."""
    return _codec("JPEG", quality=quality)


def webp(quality: int) -> Change:
    """Compress lossily."""
    return _codec("WEBP", quality=quality, method=4)


def avif(quality: int) -> Change:
    """Compress lossily, where Pillow can."""
    return _codec("AVIF", quality=quality, speed=8)


def scale(x: float, y: float | None = None) -> Change:
    """Scale the width, and the height likewise unless told otherwise."""
    y = x if y is None else y
    return _pillow(lambda image: _resize(image, x * image.width, y * image.height))


def fit(side: int) -> Change:
    """Reduce to a long side, if it is longer."""

    def edit(image: Image.Image) -> Image.Image:
        factor = min(1.0, side / max(image.size))
        return _resize(image, factor * image.width, factor * image.height)

    return _pillow(edit)


def crop(percent: int, *, back: bool = False) -> Change:
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


def rotate(degrees: int, *, inside: bool = False) -> Change:
    """Turn counter-clockwise: corners turn black, or are cut off."""

    def edit(image: Image.Image) -> Image.Image:
        turned = image.rotate(degrees, Image.Resampling.BICUBIC)
        if not inside:
            return turned
        width, height = _inscribed(image.width, image.height, math.radians(degrees))
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return turned.crop((left, top, left + width, top + height))

    return _pillow(edit)


def quarter_turn(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Turn by 90 degrees."""
    return np.rot90(pixels)


def mirror(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Swap left and right."""
    return pixels[:, ::-1]


def shear(degrees: float) -> Change:
    """Slant upright lines."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        slope = math.tan(math.radians(degrees))
        matrix = np.array([[1, slope, -slope * height / 2], [0, 1, 0]])
        return _pixels(
            cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)
        )

    return change


def perspective(amount: float) -> Change:
    """Move each corner inward by up to a share of the sides."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        inward = (1 - 2 * unit) * rng.uniform(0, amount, (4, 2)).astype(np.float32)
        size = np.array([width, height], np.float32)
        matrix = cv2.getPerspectiveTransform(unit * size, (unit + inward) * size)
        return _pixels(
            cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)
        )

    return change


def enhance(kind: str, factor: float) -> Change:
    """Scale brightness, color, contrast or sharpness, by the classes of Pillow."""
    return _pillow(lambda image: getattr(ImageEnhance, kind)(image).enhance(factor))


def hue(turns: float) -> Change:
    """Turn the color circle."""

    def edit(image: Image.Image) -> Image.Image:
        angle, chroma, value = image.convert("HSV").split()
        shifted = [(level + round(255 * turns)) % 256 for level in range(256)]
        return Image.merge("HSV", (angle.point(shifted), chroma, value))

    return _pillow(edit)


def gamma(exponent: float) -> Change:
    """Raise the levels, from 0 to 1, to a power."""
    return _levels(lambda pixels, rng: 255 * (pixels / np.float32(255)) ** exponent)


def gray() -> Change:
    """Keep the luma only."""
    return _pillow(lambda image: image.convert("L"))


def palette(colors: int) -> Change:
    """Reduce to a few colors, with dithering."""
    return _pillow(lambda image: image.quantize(colors))


def blur(sigma: float) -> Change:
    """Blur by a Gaussian, in pixels."""
    return lambda pixels, rng: _pixels(cv2.GaussianBlur(pixels, (0, 0), sigma))


def median(side: int) -> Change:
    """Take the median within a square of pixels."""
    return lambda pixels, rng: _pixels(cv2.medianBlur(pixels, side))


def denoise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Take non-local means at strength 6, patches of 5 in windows of 15 pixels."""
    return _pixels(cv2.fastNlMeansDenoisingColored(pixels, None, 6, 6, 5, 15))


def noise(sigma: float) -> Change:
    """Add Gaussian noise of a deviation in levels."""
    return _levels(lambda pixels, rng: pixels + rng.normal(0, sigma, pixels.shape))


def salt_and_pepper(percent: int) -> Change:
    """Turn a share of the pixels black or white."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        draw = rng.random(pixels.shape[:2])
        half = percent / 200
        out = pixels.copy()
        out[draw < half] = 0
        out[draw > 1 - half] = 255
        return out

    return change


def _pillow(edit: Callable[[Image.Image], Image.Image]) -> Change:
    return lambda pixels, rng: np.array(edit(Image.fromarray(pixels)).convert("RGB"))


def _levels(edit: Callable[[Pixels, np.random.Generator], Any]) -> Change:
    """Wrap arithmetic whose result is rounded back to levels."""
    return lambda pixels, rng: _pixels(np.clip(np.rint(edit(pixels, rng)), 0, 255))


def _pixels(array: Any) -> Pixels:
    return np.asarray(array, np.uint8)


def _codec(format: str, **options: int) -> Change:
    def edit(image: Image.Image) -> Image.Image:
        file = BytesIO()
        image.save(file, format, **options)
        return Image.open(file)

    return _pillow(edit)


def _resize(image: Image.Image, width: float, height: float) -> Image.Image:
    size = max(LEAST_SIDE, round(width)), max(LEAST_SIDE, round(height))
    return image.resize(size, Image.Resampling.LANCZOS)


def _inscribed(width: int, height: int, angle: float) -> tuple[int, int]:
    """Return the largest upright rectangle inside a rotated one, less a pixel around.

    Either two of its corners touch the long sides and its center is the picture's,
    or all four touch a side each. It is cut to the size of the picture.
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
