from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import chance

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Values]


def numbers(most: int = 40) -> st.SearchStrategy[Values]:
    """Values over twelve orders of magnitude, of any sign."""
    one = st.builds(
        lambda sign, power: sign * 10.0**power,
        st.sampled_from([-1, 1]),
        st.floats(-6, 6),
    )
    return st.lists(one | st.just(0.0), min_size=1, max_size=most).map(np.array)


shares = st.floats(0, 1)


def few_are_large(rng: np.random.Generator, count: int) -> Values:
    values = rng.normal(size=count)
    values[:8] *= 100
    return values


DRAWS: dict[str, Draw] = {
    "equal": lambda _, count: np.ones(count),
    "normal": lambda rng, count: rng.normal(size=count),
    "heavy tailed": lambda rng, count: rng.standard_t(1.5, size=count),
    "cubed": lambda rng, count: rng.normal(size=count) ** 3,
    "few large": few_are_large,
    "mostly zero": lambda rng, count: rng.normal(size=count) * (np.arange(count) < 20),
}


# --- a bound --------------------------------------------------------------------------


@given(numbers(most=10))
def test_no_agreement_is_likelier_than_the_bound(values: Values) -> None:
    # All signs there are, so that the chance of each agreement is exact.
    signs = np.array(list(itertools.product([-1, 1], repeat=len(values))))
    agreements = np.sort(signs @ np.abs(values))
    tails = 1 - np.searchsorted(agreements, agreements) / len(agreements)
    for agreement, tail in zip(agreements, tails, strict=True):
        # A little less, since sums are rounded.
        bound = math.exp(-chance.rarity(values, agreement * (1 - 1e-9)))
        assert tail <= bound * (1 + 1e-6)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_many_random_signs_keep_the_bound(draw: Draw) -> None:
    rng = np.random.default_rng(1)
    values, draws = draw(rng, 400), 20_000
    signs = rng.choice(np.array([-1, 1], np.int8), (draws, 400))
    agreements = signs @ values
    for tail in (0.4, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001):
        agreement = float(np.quantile(agreements, 1 - tail))
        bound = math.exp(-chance.rarity(values, agreement))
        share = np.mean(agreements >= agreement)
        assert share <= bound + 3 * math.sqrt(bound / draws)


@given(numbers(), shares)
def test_is_at_least_hoeffdings(values: Values, share: float) -> None:
    agreement = share * np.abs(values).sum()
    power = values @ values
    hoeffding = agreement**2 / (2 * power) if power else 0
    assert chance.rarity(values, agreement) >= hoeffding * (1 - 1e-6) - 1e-9


@given(numbers(), shares)
def test_never_says_that_all_signs_are_too_few(values: Values, share: float) -> None:
    # The best of the 2^n choices of signs comes up once in 2^n.
    rarity = chance.rarity(values, share * np.abs(values).sum())
    assert 0 <= rarity <= np.count_nonzero(values) * math.log(2) + 1e-9


# --- a tight one ----------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 30, 1000])
def test_full_agreement_of_equal_values_is_one_choice_of_all(count: int) -> None:
    rarity = chance.rarity(np.full(count, 0.7), 0.7 * count)
    assert rarity == pytest.approx(count * math.log(2), rel=0.02)


def test_few_large_values_do_not_drown_the_others() -> None:
    # Eight of them agree by chance once in 256 times; a thousand small ones do not.
    values = np.abs(np.random.default_rng(2).normal(size=1000))
    agreement = 0.3 * values[8:].sum()
    alone = chance.rarity(values[8:], agreement)
    assert alone > 25
    values[:8] *= 20
    agreement += values[:8].sum()
    both = chance.rarity(values, agreement)
    assert both == pytest.approx(alone + 8 * math.log(2), rel=0.02)
    assert both > 2 * agreement**2 / (2 * values @ values)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8])
def test_is_the_best_of_chernoffs_bounds(draw: Draw, share: float) -> None:
    values = draw(np.random.default_rng(3), 300)
    agreement = share * float(np.abs(values).sum())
    tilts = np.geomspace(1e-5, 1e4, 3000)[:, None] / np.abs(values).max()
    tilted = tilts * np.abs(values)
    bounds = tilts[:, 0] * agreement - (
        np.logaddexp(tilted, -tilted) - math.log(2)
    ).sum(axis=1)
    found = chance.rarity(values, agreement)
    assert found <= bounds.max() * (1 + 1e-3)
    assert found >= 0.9 * bounds.max()


# --- what does not matter -------------------------------------------------------------


@given(numbers(), shares, st.floats(-3, 3))
def test_scale_and_signs_do_not_matter(
    values: Values, share: float, power: float
) -> None:
    agreement = share * np.abs(values).sum()
    factor = 10.0**power
    before = chance.rarity(values, agreement)
    after = chance.rarity(-factor * values, factor * agreement)
    assert after == pytest.approx(before, rel=1e-6, abs=1e-6)


@given(numbers(), st.floats(max_value=0, allow_nan=False))
def test_what_does_not_agree_is_not_rare(values: Values, agreement: float) -> None:
    assert chance.rarity(values, agreement) == 0


def test_nothing_read_is_not_rare() -> None:
    assert chance.rarity(np.zeros(50, np.float32), 3.0) == 0
    assert chance.rarity(np.zeros(0, np.float32), 3.0) == 0


@given(numbers())
def test_single_precision_is_enough(values: Values) -> None:
    single = values.astype(np.float32)
    agreement = 0.5 * float(np.abs(single).sum())
    expected = chance.rarity(single.astype(np.float64), agreement)
    assert chance.rarity(single, agreement) == expected
