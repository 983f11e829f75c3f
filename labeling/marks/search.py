"""Look for a tile: upright first, then through the lattices on which one may repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...kernels import correlation, sync
from .lattice import Flat, Layout, Look, Scheme, View
from .words import Hit

__all__ = ["P_VALUE_LIMIT", "Found", "Reads", "Whiten", "batches"]

P_VALUE_LIMIT = 1e-9

LEAST_SEEN = 16
MOST_ENLARGED = 5.4
LATTICES = 12  # looked at on each level
UPRIGHT_LATTICES = 16
DECODES = 16  # tried on each level for each key
LEAST_PEAK = 4.0  # of the known carriers, in deviations
REACH = 3.4  # periods

Whiten = Callable[[int, float], Flat]
"""Gives a picture whitened at a short side, up to a frequency (see `flatten`)."""


@dataclass(frozen=True, eq=False)
class Found:
    """A mark that was read.

    Parameters
    ----------
    hit : Hit
    look : Look
    p_value : float
        Chance that anything that was tried reads as well where there is no mark.
    """

    hit: Hit
    look: Look
    p_value: float


class Reads:
    """What is read, with a share of the chance of a false alarm for each attempt."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, looks: Sequence[Look]) -> Found | None:
        """Return the first mark beyond doubt."""
        for look in looks:
            self.count += 1
            hit = look.decode()
            if hit is None:
                continue
            # Shares of 1 / (k (k + 1)) for the k-th read add up to one.
            p_value = min(1.0, hit.p_value * self.count * (self.count + 1))
            if p_value <= P_VALUE_LIMIT:
                return Found(hit, look, p_value)
        return None


def batches(
    scheme: Scheme, short: int, whiten: Whiten, layouts: Sequence[Layout]
) -> Iterator[list[Look]]:
    """Yield what is worth decoding, through ever less likely lattices.

    Parameters
    ----------
    scheme : Scheme
    short : int
        Short side of the picture in pixels.
    whiten : callable
        From short side and highest frequency to a `Flat`.
    layouts : sequence of Layout
        Of the keys to look for.
    """
    upright = []
    for views, is_upright in _views(scheme, short, whiten):
        looks = [look for view in views for look in view.looks(layouts)]
        looks.sort(key=lambda look: -look.peak)
        best = looks[: DECODES * len(layouts)]
        yield [look for look in best if look.peak >= LEAST_PEAK]
        if is_upright:
            upright += views
    yield [look for view in upright for look in view.looks_without_known(layouts)]


def _views(
    scheme: Scheme, short: int, whiten: Whiten
) -> Iterator[tuple[list[View], bool]]:
    """Yield the picture through sets of lattices, and whether they are upright."""
    if short < LEAST_SEEN:
        return
    carriers = scheme.carriers
    upright: dict[int, Flat] = {}
    for side in scheme.sides:
        if side <= MOST_ENLARGED * short:
            upright[side] = whiten(side, scheme.band)
            yield [View.through(upright[side], carriers)], True
    for side, share in scheme.levels:
        if side > MOST_ENLARGED * short:
            continue
        period = share * carriers.tile
        if share == 1 and side in upright:
            flat = upright[side]
        else:
            flat = whiten(side, min(0.45, 1.3 * carriers.high / period))
        band = carriers.high / period / sync.SCALES[0]
        found = correlation.autocorrelation(
            flat.values, period, band, round(REACH * period)
        )
        lattices = sync.search(found, period, LATTICES)
        if 2 * side <= scheme.sides[0]:  # a few tiles only
            few = sync.upright(found, period, UPRIGHT_LATTICES)
            lattices = np.concatenate([lattices, few])
        matrices = (row[1:].reshape(2, 2).T / carriers.tile for row in lattices)
        yield [View.through(flat, carriers, matrix) for matrix in matrices], False
