"""The small functions that every sample picture is made of.

A picture is a `(height, width, 3)` float32 array of linear light until `develop` turns
it into sRGB bytes. All randomness comes from the generator that the caller passes in.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Array",
    "Picture",
    "bloom",
    "color",
    "develop",
    "fractal",
    "lookup",
    "mix",
    "octave",
    "over",
    "paint",
    "smooth",
    "spectral",
    "spread",
]

Array = NDArray[np.floating[Any]]
Picture = NDArray[np.uint8]


def color(code: str) -> Array:
    """Turn an sRGB code such as `"e2a68c"` into linear light, shape (3,)."""
    return (np.array([*bytes.fromhex(code)], np.float32) / 255) ** np.float32(2.2)


def mix(a: ArrayLike, b: ArrayLike, share: ArrayLike) -> Array:
    """Go from `a` (share 0) to `b` (share 1)."""
    first = np.asarray(a, np.float32)
    return first + (np.asarray(b, np.float32) - first) * np.asarray(share, np.float32)


def paint(base: Array, ink: Array, share: Array) -> Array:
    """Lay an ink over colors; `share` lacks their last axis."""
    return mix(base, ink, share[..., None])


def over(base: Array, layer: Array) -> Array:
    """Put a layer with premultiplied coverage, shape (height, width, 4), on a base."""
    return base * (1 - layer[..., 3:]) + layer[..., :3]


def smooth(low: ArrayLike, high: ArrayLike, x: ArrayLike) -> Array:
    """Step softly from 0 at `low` to 1 at `high`; `low` may be the larger one."""
    t = np.clip(np.subtract(x, low) / np.subtract(high, low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def spread(height: int, width: int) -> tuple[Array, Array]:
    """Return the row and the column of every pixel."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return y, x


def octave(shape: tuple[int, int], cells: float, rng: np.random.Generator) -> Array:
    """Draw value noise in 0..1 with so many cells along the longer side."""
    height, width = shape
    step = max(shape) / cells
    knots = rng.random((int(height / step) + 5, int(width / step) + 5), np.float32)
    inward = np.array([[1 / step, 0, 1.5], [0, 1 / step, 1.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    noise = cv2.warpAffine(knots, inward, (width, height), flags=flags)
    return np.asarray(noise, np.float32)


def fractal(
    shape: tuple[int, int],
    cells: float,
    rng: np.random.Generator,
    octaves: int = 6,
    gain: float = 0.5,
) -> Array:
    """Sum octaves of value noise, each twice as fine; about 0..1, mean 0.5."""
    weights = gain ** np.arange(octaves) / np.sum(gain ** np.arange(octaves))
    layers = (octave(shape, cells * 2**k, rng) * w for k, w in enumerate(weights))
    return np.asarray(sum(layers), np.float32)


def spectral(
    shape: tuple[int, int],
    band: tuple[float, float],
    slope: float,
    rng: np.random.Generator,
) -> Array:
    """Draw noise that tiles: amplitude `f**-slope` in a band of cycles per picture.

    Mean 0, standard deviation 1.
    """
    height, width = shape
    rows = np.fft.fftfreq(height, 1 / height)[:, None]
    f = np.hypot(rows, np.fft.rfftfreq(width, 1 / width))
    gain = np.where((f >= band[0]) & (f <= band[1]), np.maximum(f, 1) ** -slope, 0)
    white = np.fft.rfft2(rng.standard_normal(shape))
    noise = np.fft.irfft2(white * gain, s=shape)
    return np.asarray(noise / noise.std(), np.float32)


def lookup(texture: Array, x: Array, y: Array) -> Array:
    """Read a tiling texture at fractions of its width and height."""
    height, width = texture.shape[:2]
    at_x, at_y = (np.asarray(v % 1, np.float32) for v in (x, y))
    found = cv2.remap(
        texture, at_x * width, at_y * height, cv2.INTER_LINEAR, None, cv2.BORDER_WRAP
    )
    return np.asarray(found, np.float32)


def bloom(light: Array, sigma: float, share: float) -> Array:
    """Scatter a share of the light around, as a lens does."""
    return mix(light, cv2.GaussianBlur(light, (0, 0), sigma), share)


def develop(
    light: Array, exposure: float, grain: float, rng: np.random.Generator
) -> Picture:
    """Turn linear light into sRGB bytes by a film curve, with grain in gray levels.

    The curve is the rational fit of the ACES reference by K. Narkowicz (2015).
    """
    x = light * exposure
    x = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    x = np.clip(x, 0, 1) ** np.float32(1 / 2.2) * 255
    if grain:
        noise = rng.standard_normal(light.shape[:2], np.float32)
        x += cv2.GaussianBlur(noise, (0, 0), 0.6)[..., None] * np.float32(2.1 * grain)
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)
