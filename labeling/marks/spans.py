"""In which seconds a mark is present, from how much each moment speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["spans"]

# Where the mark is, the evidence deviates from its null by one of these, in deviations,
# or by as many times what is the least beside sure moments.
PRESENT = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
SURE = 5.0
LEAST_SHARE = 1 / 3  # of what moments usually say that are sure
SWITCH_NATS = 6.0


def spans(
    times_s: Sequence[float], evidence: Sequence[float], end_s: float
) -> tuple[tuple[float, float], ...]:
    """Return the likeliest seconds of a mark that is known to be there.

    Parameters
    ----------
    times_s : sequence of float
        When each moment begins, in order.
    evidence : sequence of float
        For each, in deviations of what chance gives where there is no mark.
    end_s : float
        When the last one ends.

    Returns
    -------
    tuple of (float, float)
        Begin and end in seconds, at least one of them.

    Notes
    -----
    The best path through two states, present and absent (Viterbi 1967). A moment that
    says little belongs to what is around it. Chance says the same again and again where
    pictures hardly change, and a tile lies where its clip speaks for it: beside moments
    that say much, what says far less is chance, however long it lasts.
    """
    values = np.asarray(evidence, float)[:, None]
    sure = values[values > SURE]
    least = LEAST_SHARE * float(np.median(sure)) if len(sure) else 0.0
    levels = PRESENT * max(1.0, least)
    likely = np.logaddexp.reduce(values * levels - levels**2 / 2, axis=1)
    gains = likely - np.log(len(levels))
    best = np.zeros(2)
    choices = []
    for gain in gains:
        stay_or_switch = best[None, :] - SWITCH_NATS * (1 - np.eye(2))
        choices.append(stay_or_switch.argmax(axis=1))
        best = stay_or_switch.max(axis=1) + np.array([0.0, gain])
    state = int(best.argmax())
    states = []
    for choice in reversed(choices):
        states.append(state)
        state = int(choice[state])
    inside = np.array(states[::-1], bool)
    if not inside.any():
        inside[:] = True
    # A change lies between the last moment before it and the first after it.
    times = np.asarray(times_s, float)
    edges = np.concatenate([times[:1], (times[1:] + times[:-1]) / 2, [end_s]])
    starts = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]]))
    stops = np.flatnonzero(inside & ~np.concatenate([inside[1:], [False]])) + 1
    return tuple(
        (round(float(edges[a]), 3), round(float(edges[b]), 3))
        for a, b in zip(starts, stops, strict=True)
    )
