"""Codes of colors and the way frames are shown."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.frame import BITS, MATRICES, TRANSFERS, FrameForm


@pytest.mark.parametrize(
    ("transfer", "signal"), [("sdr", 1.0), ("pq", 0.5807), ("hlg", 0.75)]
)
@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("full_range", [False, True])
def test_white_is_diffuse_white(
    transfer: str, signal: float, bits: int, full_range: bool
) -> None:
    form = FrameForm(
        width=8, height=8, bits=bits, full_range=full_range, transfer=transfer
    )
    unit = 2 ** (bits - 8)
    low, high = (0, 256 * unit - 1) if full_range else (16 * unit, 235 * unit)
    luma, *chroma = form.encode((255, 255, 255))
    assert luma == pytest.approx(low + signal * (high - low), abs=0.1 * unit)
    assert chroma == pytest.approx([128 * unit] * 2, abs=1e-3 * unit)


@pytest.mark.parametrize(
    ("matrix", "codes"),
    [("bt601", (81, 90, 240)), ("bt709", (63, 102, 240)), ("bt2020", (74, 97, 240))],
)
def test_red_has_the_codes_of_its_matrix(
    matrix: str, codes: tuple[int, int, int]
) -> None:
    found = FrameForm(width=8, height=8, matrix=matrix).encode((255, 0, 0))
    assert np.rint(found).tolist() == list(codes)


@given(
    tone=st.integers(0, 255),
    transfer=st.sampled_from(TRANSFERS),
    bits=st.sampled_from(BITS),
    full_range=st.booleans(),
    matrix=st.sampled_from(sorted(MATRICES)),
)
def test_greys_come_back(
    tone: int, transfer: str, bits: int, full_range: bool, matrix: str
) -> None:
    form = FrameForm(
        width=8,
        height=8,
        bits=bits,
        full_range=full_range,
        transfer=transfer,
        matrix=matrix,
    )
    codes = form.encode((tone, tone, tone))
    assert form.tone(float(codes[0])) == pytest.approx(tone, abs=0.5)
    light = form.luminance(codes[None])[0]
    part = tone / 255
    expected = part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
    assert light == pytest.approx(expected, abs=2e-3)


def test_frames_are_turned_clockwise_after_the_flip() -> None:
    plane = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)

    def shown(rotation_deg: int, flipped: bool = False) -> list[list[int]]:
        form = FrameForm(width=3, height=2, rotation_deg=rotation_deg, flipped=flipped)
        return [row.tolist() for row in form.upright(plane)]

    assert shown(0) == [[1, 2, 3], [4, 5, 6]]
    assert shown(90) == [[4, 1], [5, 2], [6, 3]]
    assert shown(180) == [[6, 5, 4], [3, 2, 1]]
    assert shown(270) == [[3, 6], [2, 5], [1, 4]]
    assert shown(0, flipped=True) == [[3, 2, 1], [6, 5, 4]]
    assert shown(90, flipped=True) == [[6, 3], [5, 2], [4, 1]]


def test_an_upright_plane_writes_into_the_stored_one() -> None:
    plane = np.zeros((2, 3), np.uint8)
    FrameForm(width=3, height=2, rotation_deg=90).upright(plane)[0, 0] = 9
    assert plane.tolist() == [[0, 0, 0], [9, 0, 0]]


def test_shown_size_has_the_pixel_aspect_and_the_turn() -> None:
    pal = FrameForm(width=720, height=576, pixel_aspect=Fraction(16, 15))
    assert pal.shown_size == (768, 576)
    assert replace(pal, rotation_deg=270).shown_size == (576, 768)


@pytest.mark.parametrize(
    "arguments",
    [
        {"width": 0},
        {"height": -4},
        {"rotation_deg": 45},
        {"pixel_aspect": Fraction(0)},
        {"pixel_aspect": Fraction(-1)},
        {"pixel_aspect": Fraction(10_000)},
        {"bits": 9},
        {"transfer": "log"},
        {"matrix": "rgb"},
    ],
)
def test_forms_that_cannot_be_meant_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        FrameForm(**{"width": 64, "height": 48} | arguments)
