"""One picture on the bench: marked, attacked, read again, and looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import attacks
import calibration
import numpy as np
from clock import timed
from command import progress
from image_quality import ImageQuality, compare
from numpy.typing import NDArray

from synthmark import Key, Payload, detect_image, embed_image

__all__ = ["Picture", "Read", "Settings", "Trial", "measure"]

WRONG_KEYS = 3
NULL_KEYS = 64

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One attempt to read a mark.

    Parameters
    ----------
    attack : str
        What was done to the picture before.
    exact, other : bool
        Whether its own payload was read, or another one.
    cpu_ms : float
        CPU time of the attempt.
    """

    attack: str
    exact: bool
    other: bool
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One attempt to read where nothing is to be found.

    Parameters
    ----------
    kind : str
        A key of `image_figures.TRIALS`.
    reads : int
        Keys that were tried at once.
    """

    kind: str
    reads: int
    found: bool
    p_value: float
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that was measured on one picture.

    `null` is what `calibration.sample` returns, if the p-value was to be calibrated.
    """

    name: str
    width: int
    height: int
    quality: ImageQuality
    embed_ms: float
    reads: tuple[Read, ...]
    trials: tuple[Trial, ...]
    null: dict[str, NDArray[np.int64]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is measured.

    Parameters
    ----------
    attacks : tuple of str
        Keys of `attacks.ATTACKS`, in its order.
    seed : int
        Decides keys, payloads and all that is random in the attacks.
    strength : float
        Passed on to `synthmark.embed_image`.
    unmarked : tuple of str
        Attacks under which to look for false alarms; if there are any, `identity` is
        one of them.
    calibrate : bool
        Whether to look at the p-values of reads that find nothing.
    """

    attacks: tuple[str, ...]
    seed: int
    strength: float
    unmarked: tuple[str, ...] = ()
    calibrate: bool = False

    def key(self, number: int) -> Key:
        """Return the key that marks, number 0, or a wrong one."""
        text = f"synthmark bench key {self.seed}/{number}"
        return Key.from_bytes(hashlib.sha256(text.encode()).digest())

    def number(self, name: str) -> int:
        """Return the 64 bits that belong to a picture, whatever else is measured."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return int.from_bytes(digest[:8])


def measure(name: str, pixels: Pixels, settings: Settings) -> Picture:
    """Mark a picture, attack it, and read the mark again.

    Parameters
    ----------
    name : str
        Name of the picture, from which its payload and its attacks are drawn.
    pixels : ndarray of uint8, shape (height, width, 3)
        RGB levels.

    Raises
    ------
    SynthmarkError
        The picture cannot be marked.
    """
    number = settings.number(name)
    payload = Payload(issuer=number >> 44, serial=number % (1 << 40))
    key = settings.key(0)
    marked, embed_ms = timed(
        embed_image, pixels, payload, key, strength=settings.strength
    )
    reads = []
    for attack in settings.attacks:
        progress(f"{name}: {attack}")
        attacked = attacks.apply(attack, marked, number)
        hit, cpu_ms = timed(detect_image, attacked, key)
        exact = hit.payload == payload
        other = hit.payload is not None and not exact
        reads.append(Read(attack=attack, exact=exact, other=other, cpu_ms=cpu_ms))
    trials = []
    for kind, attack, source, keys in _trials(pixels, marked, settings):
        progress(f"{name}: {kind} {attack}")
        attacked = attacks.apply(attack, source, number)
        hit, cpu_ms = timed(detect_image, attacked, keys)
        trials.append(
            Trial(
                kind=kind,
                reads=len(keys),
                found=hit.found,
                p_value=hit.p_value,
                cpu_ms=cpu_ms,
            )
        )
    null = None
    if settings.calibrate:
        progress(f"{name}: p-values")
        wrong = [settings.key(1 + number) for number in range(NULL_KEYS)]
        null = calibration.sample([pixels, marked], wrong)
    return Picture(
        name=name,
        width=pixels.shape[1],
        height=pixels.shape[0],
        quality=compare(pixels, marked),
        embed_ms=embed_ms,
        reads=tuple(reads),
        trials=tuple(trials),
        null=null,
    )


def _trials(
    pixels: Pixels, marked: Pixels, settings: Settings
) -> Iterator[tuple[str, str, Pixels, list[Key]]]:
    """Yield kind, attack, picture and keys of reads that should find nothing."""
    right = [settings.key(0)]
    wrong = [settings.key(1 + number) for number in range(WRONG_KEYS)]
    for attack in settings.unmarked:
        kind = "unmarked" if attack == "identity" else "attacked"
        yield kind, attack, pixels, right
        yield "wrong_key", attack, marked, wrong
