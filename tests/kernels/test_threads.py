from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from synthmark.kernels.threads import single_threaded


def blas_threads() -> set[int]:
    """Threads of the library that NumPy multiplies with; others may be loaded too."""
    np.ones((2, 2)) @ np.ones((2, 2))
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {pool["num_threads"] for pool in pools if "numpy" in pool["filepath"]}


def test_products_stay_on_the_callers_thread_and_others_are_left_alone() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert single_threaded(blas_threads)() <= {1}
        assert blas_threads() == before

        @single_threaded
        def fails() -> None:
            raise ValueError("as it is")

        with pytest.raises(ValueError, match="as it is"):
            fails()
        assert blas_threads() == before
