"""How unlikely an agreement with keyed signs is by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rarity"]

STEPS = 6


def rarity(values: NDArray[np.floating], agreement: float) -> float:
    """Bound the chance that random signs agree with given values as well.

    Parameters
    ----------
    values : ndarray, shape (n,)
        What was read, whatever its distribution.
    agreement : float
        Sum of the values, each with its sign.

    Returns
    -------
    float
        In nats: the chance is at most ``exp(-rarity)``. Never negative.

    Notes
    -----
    Chernoff's bound for independent fair signs: for every t >= 0 the chance is at most
    exp(sum ln cosh(t x) - t a). The best t solves a = sum x tanh(t x); any other one
    gives a valid bound too. Putting x^2 / 2 for ln cosh x gives Hoeffding's (1963).
    """
    x = np.abs(values.astype(np.float64))
    power = float(x @ x)
    if agreement <= 0 or power == 0:
        return 0.0
    t = agreement / power
    for _ in range(STEPS):
        tanh = np.tanh(t * x)
        slope = float(x**2 @ (1 - tanh**2))
        t = max(0.0, t + (agreement - float(x @ tanh)) / max(slope, 0.05 * power))
    tilted = t * x
    log_cosh = tilted + np.log1p(np.exp(-2 * tilted)) - np.log(2)
    return max(0.0, t * agreement - float(log_cosh.sum()))
