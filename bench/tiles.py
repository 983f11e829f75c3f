"""What somebody without the key can do with the tiles of marked pictures.

The construction is public, so these tools whiten and fold as the program does, and mark
with a key of their own; only phases, order and signs of the carriers are unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from synthmark import Key, Payload, detect_image, embed_image
from synthmark.kernels import spread
from synthmark.labeling.marks.lattice import (
    IMAGE,
    View,
    flatten,
    luma_of,
    resize,
)

__all__ = [
    "Complex",
    "Float",
    "Pixels",
    "Thief",
    "align",
    "changed",
    "correlation",
    "fold",
    "likeness",
    "moved",
    "outcome",
    "payload_of",
    "phases",
    "read",
    "small_luma",
]

EVERY: NDArray[np.int64] = np.arange(len(IMAGE.carriers.frequencies))
NEARBY = 6.0  # pixels at the size of the mark
STARTS, ROUNDS = 4, 12
LEAST_PEAK = 5.0  # deviations over all shifts: chance reaches 4 in most pictures

Complex = NDArray[np.complex64]
Float = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class Thief:
    """Somebody who has the program and a key of their own.

    Parameters
    ----------
    key : Key
        The thief's own.
    """

    def __init__(self, key: Key) -> None:
        self._key = key

    def lay(self, pixels: Pixels, spectrum: Complex, gain: float) -> Pixels:
        """Add a tile as it stands, at a multiple of what the program would take."""
        strength = self.strength(pixels, small_luma(pixels).shape)
        tile = spread.place(IMAGE.carriers.synthesize(spectrum), *strength.shape)
        return changed(pixels, resize(gain * strength * tile, *pixels.shape[:2]))

    def strength(self, pixels: Pixels, shape: tuple[int, ...]) -> Float:
        """Return how strong the program marks a picture, place by place, in levels.

        A mark of the thief's own tells: it is taken as strong as it is nearby.
        """
        marked = embed_image(pixels, Payload(issuer=1, serial=1), self._key)
        change = resize(luma_of(marked) - luma_of(pixels), *shape)
        power = cv2.GaussianBlur(change * change, (0, 0), NEARBY)
        return np.sqrt(power)


def small_luma(pixels: Pixels) -> Float:
    """Return the luma at the size at which the program marks a picture."""
    luma = luma_of(pixels)
    scale = IMAGE.canonical_side(min(luma.shape)) / min(luma.shape)
    return resize(luma, *(round(scale * size) for size in luma.shape))


def read(pixels: Pixels) -> Complex:
    """Return the spectrum of a picture's own tile, as far as it shows."""
    return fold(small_luma(pixels))


def fold(small: Float) -> Complex:
    """Return the spectrum of the tile in a luma at the size of the mark."""
    return View.through(
        flatten(small, min(small.shape), IMAGE.band), IMAGE.carriers
    ).total()


def phases(spectrum: Complex) -> Complex:
    """Make all carriers equally strong, as they are in a mark, nearly."""
    return np.asarray(spectrum / np.maximum(np.abs(spectrum), 1e-9), np.complex64)


def correlation(spectra: Complex, reference: Complex) -> Float:
    """Correlate tiles with a reference at every shift, shape (k, tile, tile)."""
    return IMAGE.carriers.shifts(spectra * np.conj(reference), EVERY)


def likeness(spectrum: Complex, reference: Complex) -> float:
    """Return the normalized correlation of two tiles at their best shift."""
    power = np.linalg.norm(spectrum) * np.linalg.norm(reference)
    plane = correlation(spectrum[None], reference)
    return float(plane.max() / max(float(power), 1e-9))


def moved(spectrum: Complex, reference: Complex) -> Complex:
    """Move a tile to where it is most like another one."""
    plane = correlation(spectrum[None], reference)[0]
    y, x = np.unravel_index(np.argmax(plane), plane.shape)
    return IMAGE.carriers.shifted(spectrum, int(x), int(y))


def align(spectra: Sequence[Complex]) -> Complex:
    """Move tiles that have something in common onto each other.

    Parameters
    ----------
    spectra : sequence of ndarray of complex64, shape (n,)
        Each at an unknown shift.

    Returns
    -------
    ndarray of complex64, shape (k, n)
        Of unit power; zero where a tile fits nowhere.

    Notes
    -----
    Each tile is moved to where it is most like the sum of the others; that sum is the
    next template. The first templates are single tiles; the largest sum wins.
    """
    rows = np.array(spectra)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    best = np.zeros_like(rows)
    for start in range(min(STARTS, len(rows))):
        held = np.zeros_like(rows)
        held[start] = rows[start]
        for _ in range(ROUNDS):
            previous, held = held, _placed(rows, held)
            if np.array_equal(previous, held):
                break
        if np.linalg.norm(held.sum(axis=0)) > np.linalg.norm(best.sum(axis=0)):
            best = held
    return best


def _placed(rows: Complex, held: Complex) -> Complex:
    """Return the tiles where each is most like the sum of the other ones held."""
    others = held.sum(axis=0) - held
    planes = correlation(rows, others).reshape(len(rows), -1)
    y, x = np.divmod(planes.argmax(axis=1), IMAGE.carriers.tile)
    phase = np.stack([x, y], axis=1) @ IMAGE.carriers.frequencies.T
    turns = np.exp(phase * (-2j * np.pi / IMAGE.carriers.tile)).astype(np.complex64)
    fits = planes.max(axis=1) > LEAST_PEAK * planes.std(axis=1)
    placed: Complex = rows * turns * fits[:, None]
    # The first tile has no others yet: it stays where it is.
    alone = ~others.any(axis=1)
    placed[alone] = held[alone]
    return placed


def changed(pixels: Pixels, change: Float) -> Pixels:
    """Add a change in levels to every color, as the program does."""
    out = pixels.copy()
    spread.add(out, np.asarray(change, np.float32))
    return out


def payload_of(number: int, *, issuer: int = 7) -> Payload:
    """Return the payload that an issuer gives under a random number."""
    return Payload(issuer=issuer, serial=number % (1 << 40))


def outcome(pixels: Pixels, key: Key | Sequence[Key], payload: Payload) -> str:
    """Return what the detector reads: the ``payload``, ``another`` or ``none``."""
    found = detect_image(pixels, key).payload
    if found is None:
        return "none"
    return "payload" if found == payload else "another"
