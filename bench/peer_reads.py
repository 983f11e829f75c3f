"""One mark on one picture: hidden, attacked, read again, with a limit on the time."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import attacks
import cv2
import numpy as np
from clock import timed
from image_quality import ImageQuality, compare
from numpy.typing import NDArray
from peer_marks import Mark

__all__ = ["CHANCE", "Outcome", "measure", "reduced"]

MOST_PIXELS = 1 << 20
MOST_SECONDS = 60.0
CHANCE = 0.5

Pixels = NDArray[np.uint8]
Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a mark.

    Parameters
    ----------
    quality : ImageQuality
        Of the marked picture.
    embed_ms, read_ms : float
        CPU time per megapixel, for reading the median of all attacks.
    right : tuple of float
        For each attack, the share of bits that were read right; where a program gives
        no bits, fails or takes too long it is a half, as guessing would give.
    """

    quality: ImageQuality
    embed_ms: float
    read_ms: float
    right: tuple[float, ...]


def measure(
    mark: Mark, pixels: Pixels, number: int, names: Sequence[str]
) -> Outcome | None:
    """Hide bits, attack the picture, and read them again; none if it is refused.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        RGB levels.
    number : int
        Decides the bits and all that is random in the attacks.
    names : sequence of str
        Keys of `attacks.ATTACKS`.
    """
    bits = np.random.default_rng(number).integers(0, 2, mark.size, np.uint8)
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
    try:
        marked, embed_ms = timed(mark.embed, pixels, bits)
    except Exception:  # the programs say in many ways that a picture is too small
        return None
    right, times = [], []
    for name in names:
        attacked = attacks.apply(name, marked, number)
        found, cpu_ms = timed(_read, mark, attacked)
        right.append(CHANCE if found is None else float(np.mean(found == bits)))
        times.append(cpu_ms)
    return Outcome(
        quality=compare(pixels, marked),
        embed_ms=embed_ms / megapixels,
        read_ms=float(np.median(times)) / megapixels,
        right=tuple(right),
    )


def reduced(pixels: Pixels) -> Pixels:
    """Reduce a picture to a megapixel, as some programs take minutes for more."""
    height, width = pixels.shape[:2]
    scale = (MOST_PIXELS / (height * width)) ** 0.5
    if scale >= 1:
        return pixels
    size = (round(scale * width), round(scale * height))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _read(mark: Mark, pixels: Pixels) -> Bits | None:
    try:
        with _limit(MOST_SECONDS):
            return mark.read(pixels)
    except Exception:  # whatever a program raises, it has not read the mark
        return None


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` after so much CPU time, where the system can."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
