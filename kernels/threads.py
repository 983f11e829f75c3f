"""Matrix products on the caller's thread.

The products of this package are many and small. Spread over threads that other work
keeps busy, they wait for each other and take up to a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["single_threaded"]

P = ParamSpec("P")
R = TypeVar("R")


def single_threaded(function: Callable[P, R]) -> Callable[P, R]:
    """Keep the linear algebra inside a function on the thread that calls it."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return inside


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
