"""The only place where Numba is configured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

__all__ = ["jit"]

P = ParamSpec("P")
R = TypeVar("R")

# Reordering and fused multiply-add, but honest NaN and infinity.
FASTMATH = {"reassoc", "contract", "nsz", "arcp"}


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first call; keep the machine code where the disk allows it.

    A kernel calls only kernels of its own file: the cache does not notice an edit in
    another one.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": FASTMATH,
    }
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write: compile afresh in each process
        return numba.njit(**options)(function)
