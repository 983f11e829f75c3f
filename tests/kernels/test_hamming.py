from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import hamming

Codes = NDArray[np.uint64]


def distances_bit_by_bit(codes: Codes, queries: Codes) -> NDArray[np.int64]:
    """Unpack every word; count the bits that differ; keep the nearest query."""
    bits = [
        np.unpackbits(c.view(np.uint8).reshape(len(c), 32), axis=1)
        for c in (codes, queries)
    ]
    return (bits[0][:, None] != bits[1]).sum(axis=2).min(axis=1)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 2**32), st.integers(1, 70), st.integers(1, 9), st.integers(0, 256)
)
def test_equals_counting_bit_by_bit(seed: int, n: int, m: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**64, (n, 4), np.uint64)
    queries = rng.integers(0, 2**64, (m, 4), np.uint64)
    queries[0] = codes[0]
    out = np.empty(n, np.uint16)
    within = hamming.nearest_codes(codes, queries, limit, out)
    expected = distances_bit_by_bit(codes, queries)
    assert np.array_equal(out, expected)
    assert within == (expected <= limit).sum()


def test_the_extremes_of_a_word() -> None:
    codes = np.array([[0] * 4, [2**64 - 1] * 4, [1, 0, 0, 2**63]], np.uint64)
    out = np.empty(3, np.uint16)
    assert hamming.nearest_codes(codes, codes[:1], 2, out) == 2
    assert out.tolist() == [0, 256, 2]
