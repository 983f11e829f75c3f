"""Measure the error-correcting code of the image mark, and print a table.

Run it from a checkout: ``python bench/channel_code.py``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from clock import timed

# isort: split
import numpy as np
from numpy.typing import NDArray
from polar import PolarCode
from report import table

from synthmark.kernels.ecc import TailBitingCode

__all__ = ["limit", "main"]

BITS = 64
SLOTS = 782
STEP_DB = 0.25
RATES = (0.1, 0.01)
ENOUGH_ERRORS = 200
DECODES = 200

HEAD = (
    "code",
    " error rate 0.1",
    " 0.01",
    " above limit",
    " half lost, 0.01",
    " above limit",
    " decode",
    " noise",
)

Bits = NDArray[np.uint8]
Float = NDArray[np.float32]


class Code(Protocol):
    """What the package's code and those it is compared with have in common."""

    def encode(self, message: Bits) -> Bits:
        """Return the codeword."""

    def decode(self, soft: Float) -> Bits | None:
        """Return the message, if there is one."""


CODES: dict[str, Callable[[], Code]] = {
    "tail-biting, memory 13, 13 generators (synthmark)": (
        lambda: TailBitingCode(BITS, SLOTS)
    ),
    # The generators of largest free distance in Proakis, Digital Communications.
    "tail-biting, memory 8, 4 generators repeated": (
        lambda: TailBitingCode(BITS, SLOTS, (0o463, 0o535, 0o733, 0o745))
    ),
    "tail-biting, memory 6, 3 generators repeated (LTE)": (
        lambda: TailBitingCode(BITS, SLOTS, (0o133, 0o171, 0o165))
    ),
    "polar, 6-bit checksum, list of 16": lambda: PolarCode(BITS, SLOTS, 16),
    "polar, 6-bit checksum, list of 32": lambda: PolarCode(BITS, SLOTS, 32),
}


class Figures(NamedTuple):
    """What was measured of one code: Eb/N0 in dB, times in ms."""

    needed: list[float]
    needed_half_lost: float
    decode_ms: float
    noise_ms: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--trials", type=int, default=8000, help="most words at each step (8000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    options = parser.parse_args(arguments)
    if options.trials < 1 or options.seed < 0:
        parser.error("there must be a trial, and the seed must not be negative")
    limits = [limit(BITS, SLOTS, rate) for rate in RATES]
    limit_half_lost = limit(BITS, SLOTS // 2, RATES[-1])
    dash = "-"
    rows = [
        (
            "limit of all codes",
            *(f"{value:.2f}" for value in limits),
            dash,
            f"{limit_half_lost:.2f}",
            *(dash, dash, dash),
        )
    ]
    for name, make in CODES.items():
        figures = _measure(make(), options.trials, options.seed)
        rows.append(
            (
                name,
                *(f"{value:.2f}" for value in figures.needed),
                f"{figures.needed[-1] - limits[-1]:.2f}",
                f"{figures.needed_half_lost:.2f}",
                f"{figures.needed_half_lost - limit_half_lost:.2f}",
                f"{figures.decode_ms:.2f} ms",
                f"{figures.noise_ms:.2f} ms",
            )
        )
    print(f"Eb/N0 in dB at which {BITS} bits in {SLOTS} slots fail that often\n")
    print(table(HEAD, rows))
    return 0


def limit(bits: int, slots: int, rate: float) -> float:
    """Return the Eb/N0 in dB below which every code fails more often than `rate`.

    This is the bound of Shannon ("Probability of error for optimal codes in a Gaussian
    channel", 1959): no code of words of equal energy does better than if each word
    owned a cone of its share of all directions.

    Raises
    ------
    SystemExit
        SciPy is not installed.
    """
    try:
        from scipy import (
            optimize,
            special,
            stats,
        )
    except ModuleNotFoundError as error:
        raise SystemExit(
            "the limit needs SciPy: pip install 'synthmark[bench]'"
        ) from error
    share = 2.0 ** (1 - bits)  # of the half sphere
    cosine = math.sqrt(1 - special.betaincinv((slots - 1) / 2, 0.5, share))
    edge = math.sqrt(slots - 1) * cosine / math.sqrt(1 - cosine**2)

    def excess(ebn0_db: float) -> float:
        length = math.sqrt(2 * bits * 10 ** (ebn0_db / 10))
        return math.log(stats.nct.cdf(edge, slots - 1, length) / rate)

    return float(optimize.brentq(excess, -1.6, 6.0))


def _measure(code: Code, trials: int, seed: int) -> Figures:
    needed = _needed(code, trials, seed, lost=0.0)
    needed_half_lost = _needed(code, trials, seed, lost=0.5)[-1]
    rng = np.random.default_rng(seed)
    decode_ms = [
        timed(code.decode, _sent(code, rng, 1.0, 0.0)[1])[1] for _ in range(DECODES)
    ]
    noise = rng.normal(size=(DECODES, SLOTS)).astype(np.float32)
    noise_ms = [timed(code.decode, soft)[1] for soft in noise]
    return Figures(
        needed, needed_half_lost, float(np.mean(decode_ms)), float(np.mean(noise_ms))
    )


def _needed(code: Code, trials: int, seed: int, lost: float) -> list[float]:
    """Return the Eb/N0 for each of the error rates, between steps on a log scale."""
    rates, levels = [1.0], [-100.0]
    for level in _levels():
        rate = _error_rate(code, level, trials, seed, lost)
        rates.append(max(rate, 0.1 / trials))
        levels.append(level)
        if rate < RATES[-1]:
            break
    descending = np.minimum.accumulate(rates)
    return [
        float(np.interp(-math.log(rate), -np.log(descending), levels)) for rate in RATES
    ]


def _levels() -> Iterator[float]:
    level = -1.25
    while level < 10:
        yield level
        level += STEP_DB


def _error_rate(code: Code, level: float, trials: int, seed: int, lost: float) -> float:
    rng = np.random.default_rng(seed)
    errors = trial = 0
    while trial < trials and errors < ENOUGH_ERRORS:
        message, soft = _sent(code, rng, level, lost)
        got = code.decode(soft)
        errors += got is None or not np.array_equal(got, message)
        trial += 1
    return errors / trial


def _sent(
    code: Code, rng: np.random.Generator, ebn0_db: float, lost: float
) -> tuple[Bits, Float]:
    """Send a random message through white noise; lost slots bring no evidence.

    Eb counts the energy of what arrives.
    """
    message = rng.integers(0, 2, BITS, dtype=np.uint8)
    arriving = SLOTS - round(lost * SLOTS)
    deviation = math.sqrt(arriving / (2 * BITS * 10 ** (ebn0_db / 10)))
    soft = 1.0 - 2.0 * code.encode(message) + rng.normal(0, deviation, SLOTS)
    soft[rng.permutation(SLOTS)[arriving:]] = 0
    return message, soft.astype(np.float32)


if __name__ == "__main__":
    raise SystemExit(main())
