"""What is drawn over a picture and put around it: logos, captions, other pictures.

Every function takes an RGB picture, uint8 of shape (height, width, 3), and a random
generator, and returns a new picture.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["browser", "caption", "collage", "cover", "letterbox", "splice"]

BACKDROP_SIDE = 1536
BLACK, WHITE = (0, 0, 0), (255, 255, 255)

Pixels = NDArray[np.uint8]


def cover(pixels: Pixels, rng: np.random.Generator, percent: int) -> Pixels:
    """Cover a share of the area: two thirds by a logo, one third by a text banner."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    side = math.sqrt(percent / 150)
    rows, columns = int(side * height), int(side * width)
    x = int(rng.integers(0, width - columns, endpoint=True))
    y = int(rng.integers(0, height - rows, endpoint=True))
    logo = (x, y, x + columns - 1, y + rows - 1)
    draw.rounded_rectangle(logo, min(rows, columns) // 8, (200, 40, 70))
    disc = (x + columns // 4, y + rows // 4, x + columns * 3 // 4, y + rows * 3 // 4)
    draw.ellipse(disc, WHITE)
    rows = max(6, int(height * percent / 300))
    y = int(rng.integers(0, height - rows, endpoint=True))
    draw.rectangle((0, y, width, y + rows - 1), (24, 24, 24))
    draw.text((4, y), "BREAKING NEWS TODAY " * 9, WHITE, _font(0.7 * rows))
    return np.array(image)


def letterbox(pixels: Pixels, rng: np.random.Generator, percent: int) -> Pixels:
    """Put black bars above and below, together a share of the height."""
    bars = round(pixels.shape[0] * percent / 100)
    above = bars // 2
    return np.pad(pixels, ((above, bars - above), (0, 0), (0, 0)))


def caption(pixels: Pixels, rng: np.random.Generator, percent: int) -> Pixels:
    """Put a white strip with text above the picture, a share of its height."""
    height, width = pixels.shape[:2]
    strip = round(height * percent / 100)
    out = Image.new("RGB", (width, height + strip), WHITE)
    out.paste(Image.fromarray(pixels), (0, strip))
    text = "NOBODY WILL EVER NOTICE"
    ImageDraw.Draw(out).text((8, 4), text, BLACK, _font(strip / 2))
    return np.array(out)


def splice(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Put the picture at its own size into an unrelated one of four times its area."""
    height, width = pixels.shape[:2]
    out = _backdrop(2 * height, 2 * width, rng)
    top = rng.integers(0, height, endpoint=True)
    left = rng.integers(0, width, endpoint=True)
    out[top : top + height, left : left + width] = pixels
    return out


def collage(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Put an unrelated picture of the same size at its right."""
    height, width = pixels.shape[:2]
    return np.hstack([pixels, _backdrop(height, width, rng)])


def browser(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Show the picture on a light page with a title bar and a column of comments."""
    height, width = pixels.shape[:2]
    page = Image.new(
        "RGB", (int(1.6 * width) + 60, int(1.45 * height) + 80), (246,) * 3
    )
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, page.width, 44), (33, 33, 36))
    draw.text((14, 10), "example.org / gallery / picture 17", (230,) * 3, _font(18))
    column = page.width - int(0.42 * width)
    for line in range(12):
        text = "a comment on it, and a button " * 2
        draw.text((column, 70 + 26 * line), text, (64,) * 3, _font(14))
    left = int(rng.integers(10, 40))
    top = int(rng.integers(52, 52 + max(1, int(0.3 * height))))
    page.paste(Image.fromarray(pixels), (left, top))
    return np.array(page)


def _backdrop(height: int, width: int, rng: np.random.Generator) -> Pixels:
    """Make an unrelated picture: noise with nearly the spectrum of nature, f**-1.2.

    It is made at no more than 1536 pixels a side and enlarged, as large photographs
    are smooth at the scale of their pixels.
    """
    scale = min(1.0, BACKDROP_SIDE / max(height, width))
    rows, columns = math.ceil(scale * height), math.ceil(scale * width)
    spectrum = np.fft.rfft2(rng.standard_normal((rows, columns, 3)), axes=(0, 1))
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns))
    spectrum /= (frequency[..., None] + 1 / max(rows, columns)) ** 1.2
    scene = np.fft.irfft2(spectrum, (rows, columns), axes=(0, 1))
    scene -= scene.mean(axis=(0, 1))
    scene *= 48 / scene.std(axis=(0, 1))
    levels = np.clip(np.rint(128 + scene), 0, 255).astype(np.uint8)
    enlarged = Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)
    return np.array(enlarged)


def _font(size: float) -> Any:
    return ImageFont.load_default(max(8, int(size)))
