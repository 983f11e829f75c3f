"""The calibration: it counts right, and leaves the detector as it was."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
from PIL import Image

from synthmark import Key, Payload, detect_image, embed_image

Draw = Callable[[int, int, int], Image.Image]


def test_uniform_p_values_lie_on_the_diagonal(calibration: ModuleType) -> None:
    p_values = np.random.default_rng(0).random(100_000)
    counts = calibration.count(-np.log(p_values))
    expected = len(p_values) * calibration.LEVELS
    assert counts[0] == len(p_values)
    assert np.all(np.abs(counts - expected) <= 5 * np.sqrt(expected) + 1)


def test_p_values_of_one_and_of_almost_nothing_are_counted(
    calibration: ModuleType,
) -> None:
    counts = calibration.count(np.array([0.0, 1000.0]))
    assert counts.tolist() == [2] + [1] * (len(calibration.LEVELS) - 1)


def test_chance_reaches_no_p_value_more_often_than_stated(
    calibration: ModuleType, draw: Draw
) -> None:
    key, *others = (Key.from_bytes(bytes([number]) * 32) for number in range(5))
    payload = Payload(issuer=3, serial=4)
    marked = embed_image(np.asarray(draw(200, 256, 1)), payload, key)
    null = calibration.sample([marked], others)
    reads = null["read"][0]
    assert null["search"][0] == 1
    assert null["codeword"][0] == reads * calibration.SINGLES
    for line in calibration.LINES:
        total = null[line][0]
        expected = total * calibration.LEVELS
        assert np.all(null[line] <= expected + 3 * np.sqrt(expected) + 1), line


def test_the_detector_works_again_after_it_took_notes(
    calibration: ModuleType, draw: Draw
) -> None:
    key = Key.from_bytes(bytes(32))
    payload = Payload(issuer=3, serial=4)
    marked = embed_image(np.asarray(draw(200, 256, 1)), payload, key)
    counts = calibration.sample([marked], [key])
    assert counts["search"][0] == 1
    assert detect_image(marked, key).payload == payload
