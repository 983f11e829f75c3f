from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmark.kernels.chance import rarity
from synthmark.labeling.keys import Key
from synthmark.labeling.marks import timeline
from synthmark.labeling.payload import Payload

WORD = timeline.ROWS // 8
GOLDEN = 0x32D70B1C1


@pytest.fixture(scope="module")
def line(key: Key) -> timeline.Timeline:
    return timeline.timeline_of(key)


@settings(max_examples=20, deadline=None)
@given(number=st.integers(0, 2**64 - 1), first=st.integers(0, timeline.ROWS - 1))
def test_any_word_of_rows_holds_the_payload(number: int, first: int) -> None:
    line = timeline.timeline_of(Key.from_bytes(bytes(32)))
    payload = Payload.from_int(number)
    pattern = line.pattern(payload)
    heard = np.zeros_like(pattern)
    rows = (first + np.arange(WORD)) % timeline.ROWS
    heard[rows] = pattern[rows]
    hit = line.decode(heard)
    assert hit is not None
    assert hit.payload == payload
    assert hit.p_value < 1e-100
    assert hit.score == pytest.approx(1)


def test_payloads_share_the_known_cells_only(line: timeline.Timeline) -> None:
    patterns = [line.pattern(Payload(issuer=7, serial=n)) for n in range(12)]
    same = np.all([patterns[0] == p for p in patterns[1:]], axis=0)
    known = line.known != 0
    assert known.sum(axis=1).tolist() == [2] * timeline.ROWS
    assert same[known].all()
    assert same[~known].mean() < 0.01
    np.testing.assert_array_equal(patterns[0][known], line.known[known])


def test_patterns_of_keys_have_nothing_in_common(
    line: timeline.Timeline, others: list[Key], payload: Payload
) -> None:
    mine = line.pattern(payload)
    for other in others[:6]:
        theirs = timeline.timeline_of(other).pattern(payload)
        assert abs((mine * theirs).mean()) < 5 / np.sqrt(mine.size)


def test_the_circle_does_not_repeat_early(
    line: timeline.Timeline, payload: Payload
) -> None:
    pattern = line.pattern(payload)
    for rows in range(1, timeline.ROWS):
        fit = (pattern * np.roll(pattern, rows, axis=0)).mean()
        assert abs(fit) < 6 / np.sqrt(pattern.size)


def test_a_pattern_never_changes() -> None:
    # Of the released scheme: sounds that are marked must stay readable.
    pattern = timeline.timeline_of(Key.from_bytes(bytes(range(32)))).pattern(
        Payload(issuer=7, serial=123456)
    )
    assert int((pattern[:2] > 0).ravel() @ (1 << np.arange(34, dtype=object))) == GOLDEN


def test_noise_holds_no_payload(line: timeline.Timeline) -> None:
    rng = np.random.default_rng(3)
    shape = (timeline.ROWS, timeline.PAIRS)
    for _ in range(5):
        hit = line.decode(rng.standard_normal(shape, np.float32))
        assert hit is None or hit.p_value > 1e-3
    assert line.decode(np.zeros(shape, np.float32)) is None


def test_evidence_bounds_chance_agreement(line: timeline.Timeline) -> None:
    rng = np.random.default_rng(4)
    heard = rng.standard_normal((timeline.ROWS, timeline.PAIRS), np.float32)
    nats = [
        rarity(*line.evidence(heard, Payload(issuer=1, serial=serial)))
        for serial in rng.integers(0, 1 << 40, 3000).tolist()
    ]
    for level in (0.1, 0.01):
        assert np.mean(np.array(nats) >= -np.log(level)) <= level
