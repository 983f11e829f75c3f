"""What happens to pictures in the world, by name: seeded, pixels in and pixels out.

`ATTACKS` holds every attack. `GROUPS` are those of the main table, `PAIRS` are any two
everyday changes one after the other, and `CURVES` follow one change from mild to hard.
The same picture, name and seed give the same pixels with the same versions of Pillow,
OpenCV and NumPy.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Any, NamedTuple

import changes
import numpy as np
import overlays
from changes import Change, Pixels, chain
from PIL import features

__all__ = ["ATTACKS", "CURVES", "EVERYDAY", "GROUPS", "PAIRS", "Curve", "apply"]

Named = dict[str, Change]


class Curve(NamedTuple):
    """Attacks that differ in one number.

    Parameters
    ----------
    axis : str
        What the number is, with its unit.
    points : dict of float to str
        Names of the attacks by that number, ascending.
    logarithmic : bool
        Whether ratios of the number count.
    """

    axis: str
    points: dict[float, str]
    logarithmic: bool


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
    return np.ascontiguousarray(ATTACKS[name](pixels, rng))


def _family(name: str, make: Callable[[Any], Change]) -> Callable[..., Named]:
    return lambda *values: {name.format(value): make(value) for value in values}


_jpeg = _family("jpeg_q{}", changes.jpeg)
_webp = _family("webp_q{}", changes.webp)
_avif = _family("avif_q{}", changes.avif)
_resize = _family("resize_{}", changes.scale)
_crop = _family("crop_keep{}", changes.crop)
_black = _family("rot{}_black", changes.rotate)
_inside = _family("rot{}_inside", partial(changes.rotate, inside=True))
_brightness = _family("brightness_{}", partial(changes.enhance, "Brightness"))
_contrast = _family("contrast_{}", partial(changes.enhance, "Contrast"))
_gamma = _family("gamma_{}", changes.gamma)
_blur = _family("blur_s{}", changes.blur)
_noise = _family("noise_s{}", changes.noise)

_HAS_AVIF = features.check("avif")

_GROUPS: dict[str, Named] = {
    "none": {"identity": changes.same},
    "codec": {
        **_jpeg(90, 70, 50, 30, 20, 10),
        **_webp(80, 50, 20),
        **(_avif(60, 30) if _HAS_AVIF else {}),
    },
    "resize": {
        **_resize(0.75, 0.5, 0.33, 0.25, 1.5, 2.0),
        "aspect_1.2x": changes.scale(1.2, 1.0),
    },
    "crop": {
        **_crop(80, 50, 25, 10),
        "crop50_resize_back": changes.crop(50, back=True),
    },
    "rotate": {
        **_black(1, 2, 5, 10, 20, 45),
        **_inside(1, 2, 5, 10, 20, 45),
        "rot90": changes.quarter_turn,
    },
    "geometry": {
        "hflip": changes.mirror,
        "shear_5": changes.shear(5),
        "perspective_mild": changes.perspective(0.04),
    },
    "color": {
        **_brightness(0.5, 1.5),
        **_contrast(0.5, 1.5),
        "saturation_0": changes.enhance("Color", 0),
        "saturation_2": changes.enhance("Color", 2),
        "hue_0.1": changes.hue(0.1),
        **_gamma(0.5, 2),
        "grayscale": changes.gray(),
        "palette_64": changes.palette(64),
        "palette_16": changes.palette(16),
    },
    "filter": {
        **_blur(1, 2, 3),
        "median_3": changes.median(3),
        "median_5": changes.median(5),
        "sharpen_2x": changes.enhance("Sharpness", 2),
        "nlm_denoise": changes.denoise,
    },
    "noise": {
        **_noise(5, 10, 20, 30),
        "salt_pepper_1pct": changes.salt_and_pepper(1),
        "salt_pepper_3pct": changes.salt_and_pepper(3),
    },
    "overlay": {
        "overlay_10pct": partial(overlays.cover, percent=10),
        "overlay_25pct": partial(overlays.cover, percent=25),
        "letterbox_20pct": partial(overlays.letterbox, percent=20),
        "meme_top_20pct": partial(overlays.caption, percent=20),
        "splice_quarter": overlays.splice,
        "collage_half": overlays.collage,
    },
    "chain": {
        "screenshot": chain(changes.scale(0.62), overlays.browser, changes.jpeg(85)),
        "social": chain(
            changes.fit(1080), changes.jpeg(75), changes.scale(0.8), changes.webp(70)
        ),
        "jpeg40_dark_crop50": chain(
            changes.jpeg(40), changes.enhance("Brightness", 0.5), changes.crop(50)
        ),
    },
}

EVERYDAY: Named = {
    "jpeg60": changes.jpeg(60),
    "resize0.6": changes.scale(0.6),
    "rot7": changes.rotate(7, inside=True),
    "crop60": changes.crop(60),
    "bright": changes.either(
        changes.enhance("Brightness", 0.7), changes.enhance("Brightness", 1.3)
    ),
    "blur1": changes.blur(1),
    "noise8": changes.noise(8),
}

_PAIRS: Named = {
    f"{first}+{second}": chain(EVERYDAY[first], EVERYDAY[second])
    for first, second in permutations(EVERYDAY, 2)
}

# Other steps of published tables.
_PUBLISHED: Named = {
    **_jpeg(40),
    **_resize(0.32),
    **_crop(70, 30, 20),
    **_black(30, 90),
    **_blur(1.7, 2.9),
}


def _curve(
    axis: str,
    family: Callable[..., Named],
    *values: float,
    neutral: float | None = None,
    logarithmic: bool = False,
) -> tuple[Curve, Named]:
    """Return a curve and its attacks; `neutral` leaves a picture as it is."""
    named = family(*values)
    points = dict(zip(values, named, strict=True))
    if neutral is not None:
        points[neutral] = "identity"
    return Curve(axis, dict(sorted(points.items())), logarithmic), named


_CURVES = [
    _curve("JPEG quality", _jpeg, 5, 10, 15, 20, 25, 30, 40, 50, 70, 90, 95),
    _curve("WebP quality", _webp, 5, 10, 20, 30, 40, 50, 65, 80, 95),
    *(
        [_curve("AVIF quality", _avif, 10, 20, 25, 30, 35, 40, 50, 60, 80)]
        if _HAS_AVIF
        else []
    ),
    _curve(
        "scale",
        *(_resize, 0.15, 0.2, 0.25, 0.33, 0.5, 0.75, 1.5, 2.0, 3.0),
        neutral=1,
        logarithmic=True,
    ),
    _curve(
        "rotation, degrees", _inside, 1, 2, 5, 10, 20, 30, 45, 60, 75, 90, neutral=0
    ),
    _curve(
        "area kept, %",
        *(_crop, 5, 10, 15, 20, 25, 35, 50, 65, 80),
        neutral=100,
        logarithmic=True,
    ),
    _curve("noise, levels", _noise, 5, 10, 15, 20, 25, 30, 40, 50, neutral=0),
    _curve("blur, pixels", _blur, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, neutral=0),
    _curve("gamma", _gamma, 0.3, 0.5, 0.7, 1.4, 2, 3, neutral=1, logarithmic=True),
]

GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(named) for group, named in _GROUPS.items()
}
PAIRS: tuple[str, ...] = tuple(_PAIRS)
CURVES: tuple[Curve, ...] = tuple(curve for curve, _ in _CURVES)

ATTACKS: Named = {}
for _named in (*_GROUPS.values(), _PAIRS, *(named for _, named in _CURVES), _PUBLISHED):
    ATTACKS.update(_named)
