from __future__ import annotations

import numpy as np
import pytest

from synthmark.kernels import timing
from synthmark.labeling.keys import Key
from synthmark.labeling.marks import tempo
from synthmark.labeling.marks.listening import UNCHANGED, Chunk, Scale, looks, spans
from synthmark.labeling.marks.timeline import PAIRS, ROWS, timeline_of
from synthmark.labeling.payload import Payload


def laid(key: Key, payload: Payload, pace: float, phase: int, ticks: int) -> np.ndarray:
    """Cells as a reader sees them: a pattern from some phase on, in noise."""
    pattern = timeline_of(key).pattern(payload)
    cells = np.random.default_rng(1).standard_normal((ticks, PAIRS), np.float32)
    row = np.arange(ticks) / (12 * pace) + phase / timing.PHASES
    cells += 0.5 * pattern[np.round(row).astype(int) % ROWS]
    return cells


@pytest.mark.parametrize("pace", [0.8, 1.0, 1.13])
@pytest.mark.parametrize("phase", [0, 100, 1727])
def test_looks_find_the_phase(
    pace: float, phase: int, key: Key, payload: Payload, others: list[Key]
) -> None:
    cells = laid(key, payload, pace, phase, 1500)
    timelines = [timeline_of(one) for one in (others[0], key)]
    best = looks(cells, Scale(pitch=1.0, pace=pace), timelines)[0]
    assert best.timeline is timelines[1]
    apart = (int(best.path[0]) - phase + 3) % (timing.PHASES * ROWS) - 3
    assert abs(apart) <= 3
    hit = best.decode()
    assert hit is not None
    assert hit.payload == payload


def test_looks_follow_a_cut(key: Key, payload: Payload) -> None:
    first = laid(key, payload, 1.0, 50, 1000)
    second = laid(key, payload, 1.0, 1200, 1000)
    found = looks(np.concatenate([first, second]), UNCHANGED, [timeline_of(key)])
    broken = [look for look in found if len(set(look.path)) > 1]
    hit = broken[0].decode()
    assert hit is not None
    assert hit.payload == payload


def test_too_few_cells_give_nothing(key: Key, payload: Payload) -> None:
    cells = np.zeros((5, PAIRS), np.float32)
    assert looks(cells, UNCHANGED, [timeline_of(key)]) == []
    pattern = timeline_of(key).pattern(payload)
    assert spans(cells, UNCHANGED, pattern, 1.0) == ([], 1.0)


def test_spans_of_noise_are_empty(key: Key, payload: Payload) -> None:
    cells = np.random.default_rng(8).standard_normal((3000, PAIRS), np.float32)
    pattern = timeline_of(key).pattern(payload)
    for usual in (0.0, 1.0, 3.0):
        assert spans(cells, UNCHANGED, pattern, usual) == ([], usual)


def test_the_grid_holds_what_the_search_promises() -> None:
    scales = tempo._grid()
    for pitch, pace in [
        *((speed, 1 / speed) for speed in (0.8, 0.87, 0.95, 1.06, 1.2, 1.25)),
        *((1.0, 1 / rate) for rate in (0.9, 1.03, 1.1)),
        *((2 ** (s / 12), 1.0) for s in (-1, 0.4, 1)),
        (2 ** (1 / 12), 1.11),
        (2 ** (-1 / 12), 0.9),
    ]:
        assert any(
            abs(np.log(scale.pitch / pitch)) < 0.0075
            and abs(np.log(scale.pace / pace)) < 0.0026
            for scale in scales
        )


def test_an_empty_or_silent_chunk_is_searched_in_vain(key: Key) -> None:
    for ticks in (1, 40, 800):
        chunk = Chunk(np.zeros((ticks, 300), np.float32), 31.25)
        for look in tempo.search(chunk, [timeline_of(key)]):
            assert look.decode() is None
