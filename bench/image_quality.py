"""How much of a mark can be seen: PSNR, SSIM, FLIP, and the change of flat places."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["ImageQuality", "compare", "psnr"]

FLAT_SHARE = 0.25
FLAT_WINDOW = 15  # pixels
EYE_SIGMA = 1.5  # pixels

Pixels = NDArray[np.uint8]
Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageQuality:
    """How far a marked picture is from its original.

    Parameters
    ----------
    psnr_db : float
        Peak signal-to-noise ratio over the three RGB channels, in dB.
    ssim : float
        Mean structural similarity of the three channels, up to 1 (Wang, Bovik, Sheikh
        and Simoncelli, "Image quality assessment", 2004).
    flip : float
        Mean FLIP, 0 to 1, at 67 pixels per degree (Andersson et al., "FLIP: a
        difference evaluator for alternating images", 2020).
    flat_delta_l : float
        Mean change of CIELAB lightness (0 to 100), without its sign, in the flattest
        quarter of the picture, blurred with sigma 1.5 pixels as the eye blurs it.
    """

    psnr_db: float
    ssim: float
    flip: float
    flat_delta_l: float


def compare(original: Pixels, marked: Pixels) -> ImageQuality:
    """Measure a marked picture against its original.

    Parameters
    ----------
    original, marked : ndarray of uint8, shape (height, width, 3)
        RGB pictures of one size, with sides of at least 7 pixels.

    Raises
    ------
    SystemExit
        scikit-image or flip-evaluator is not installed.
    """
    try:
        import flip_evaluator
        from skimage.metrics import structural_similarity
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"{error.name} is missing: pip install 'synthmark[bench]'"
        ) from error
    ssim = structural_similarity(original, marked, channel_axis=2)  # type: ignore[no-untyped-call]
    _, flip, _ = flip_evaluator.evaluate(
        _unit(original), _unit(marked), "LDR", applyMagma=False
    )
    return ImageQuality(
        psnr_db=psnr(original, marked),
        ssim=float(ssim),
        flip=float(flip),
        flat_delta_l=_flat_delta_l(original, marked),
    )


def psnr(original: Pixels, marked: Pixels) -> float:
    """Return the peak signal-to-noise ratio over all channels, in dB."""
    error = float(np.mean((original.astype(np.float32) - marked) ** 2))
    # Identical pictures count as one level off in one sample: finite, as JSON is.
    return 10 * math.log10(255**2 / max(error, 1 / original.size))


def _unit(pixels: Pixels) -> Float:
    return pixels.astype(np.float32) / np.float32(255)


def _flat_delta_l(original: Pixels, marked: Pixels) -> float:
    change = cv2.GaussianBlur(
        _lightness(marked) - _lightness(original), (0, 0), EYE_SIGMA
    )
    gray = original.mean(axis=2)
    window = (FLAT_WINDOW, FLAT_WINDOW)
    variance = cv2.blur(gray * gray, window) - cv2.blur(gray, window) ** 2
    flat = variance <= np.quantile(variance, FLAT_SHARE)
    return float(np.abs(change)[flat].mean())


def _lightness(pixels: Pixels) -> Float:
    """CIELAB L* of sRGB levels (IEC 61966-2-1; CIE 015), 0 to 100."""
    level = np.arange(256) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    weights = np.array([0.2126, 0.7152, 0.0722])
    luminance = linear.astype(np.float32)[pixels] @ weights.astype(np.float32)
    edge = 6 / 29
    root = np.where(
        luminance > edge**3,
        np.cbrt(luminance),
        luminance / (3 * edge**2) + 4 / 29,
    )
    return np.asarray(116 * root - 16, np.float32)
