"""CPU time on one thread.

A command imports this module before any other that computes: libraries read these
variables once, when they start.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["timed"]

for _library in ("MKL", "NUMBA", "OMP", "OPENBLAS"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import cv2  # noqa: E402 - loads NumPy, after the variables are set

cv2.setNumThreads(1)

P = ParamSpec("P")
R = TypeVar("R")


def timed(
    call: Callable[P, R], *arguments: P.args, **options: P.kwargs
) -> tuple[R, float]:
    """Return what a call returns, and the CPU time that it took, in milliseconds."""
    start = time.process_time()
    result = call(*arguments, **options)
    return result, 1000 * (time.process_time() - start)
