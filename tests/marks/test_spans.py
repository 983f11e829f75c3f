"""From how much each moment speaks for a mark to the seconds that carry it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.marks import spans as module
from synthmark.labeling.marks.spans import spans

EVERY_S = 0.25


def evidence(count: int, *present: slice, height: float = 6.0) -> list[float]:
    """Return what chance gives, and more in some parts."""
    values = np.random.default_rng(count).normal(size=count)
    for part in present:
        values[part] += height
    return [float(value) for value in values]


def found(values: list[float]) -> tuple[tuple[float, float], ...]:
    times = [EVERY_S * n for n in range(len(values))]
    return spans(times, values, EVERY_S * len(values))


@pytest.mark.parametrize("first", [0, 8, 40])
@pytest.mark.parametrize("height", [5.0, 12.0, 40.0])
def test_a_part_is_told_from_what_is_around_it(first: int, height: float) -> None:
    (span,) = found(evidence(80, slice(first, first + 20), height=height))
    start = EVERY_S * (first - 0.5) if first else 0
    expected = start, EVERY_S * (first + 19.5)
    assert span == pytest.approx(expected, abs=2 * EVERY_S)


def test_parts_far_from_each_other_are_several() -> None:
    values = evidence(120, slice(0, 20), slice(60, 90))
    first, second = found(values)
    assert first == pytest.approx((0, 4.9), abs=EVERY_S)
    assert second == pytest.approx((14.9, 22.4), abs=EVERY_S)


def test_a_moment_that_says_little_belongs_to_what_is_around_it() -> None:
    values = evidence(40, slice(0, 40))
    values[17] = 0.0
    assert found(values) == ((0.0, 10.0),)
    values = evidence(80, slice(0, 30))
    values[60] = 2.5
    (span,) = found(values)
    assert span == pytest.approx((0, 7.4), abs=EVERY_S)


def test_what_a_still_scene_says_by_chance_is_not_taken_for_the_mark() -> None:
    values = [2.4] * 20 + [14.0] * 12 + [2.0] * 20
    assert found(values) == ((4.875, 7.875),)
    # Where nothing says more, it is all there is.
    assert found([2.4] * 20) == ((0.0, 5.0),)


def test_all_of_it_carries_a_mark_that_no_moment_speaks_for() -> None:
    assert found([0.0] * 8) == ((0.0, 2.0),)
    assert spans([3.0], [-1.0], 3.5) == ((3.0, 3.5),)


def test_uneven_moments_change_halfway() -> None:
    times = [0.0, 0.2, 0.3, 0.4, 1.0, 1.5, 4.0, 6.0, 6.5, 6.6, 6.7, 6.8]
    values = [-1.0] * 5 + [30.0] * 2 + [-1.0] * 5
    assert spans(times, values, 7.0) == ((1.25, 5.0),)


moments = st.lists(st.floats(-50, 50), min_size=1, max_size=9)


@given(moments)
def test_it_is_the_likeliest_of_all_ways(values: list[float]) -> None:
    sure = [value for value in values if value > module.SURE]
    least = module.LEAST_SHARE * np.median(sure) if sure else 0
    levels = module.PRESENT * max(1, least)
    gains = [
        float(np.logaddexp.reduce(value * levels - levels**2 / 2) - np.log(5))
        for value in values
    ]

    def likelihood(present: tuple[bool, ...]) -> float:
        switches = sum(a != b for a, b in itertools.pairwise(present))
        return float(np.dot(gains, present)) - module.SWITCH_NATS * switches

    ways = list(itertools.product((False, True), repeat=len(values)))
    best = max(map(likelihood, ways))
    parts = spans(range(len(values)), values, len(values))
    chosen = tuple(any(a <= n < b for a, b in parts) for n in range(len(values)))
    if all(chosen):  # also said where nothing is likelier
        assert max(likelihood(chosen), 0.0) == pytest.approx(best)
    else:
        assert likelihood(chosen) == pytest.approx(best)


@given(
    st.lists(
        st.tuples(st.floats(0.001, 5), st.floats(-1e6, 1e6)), min_size=1, max_size=60
    ),
    st.floats(0, 5),
)
def test_spans_are_in_order_and_inside(
    moments: list[tuple[float, float]], rest: float
) -> None:
    times = np.cumsum([gap for gap, _ in moments])
    parts = spans(times.tolist(), [value for _, value in moments], times[-1] + rest)
    assert parts
    edges = [edge for part in parts for edge in part]
    assert edges == sorted(edges)
    assert round(times[0], 3) <= edges[0]
    assert edges[-1] <= round(times[-1] + rest, 3)
