from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import spread
from synthmark.kernels.ecc import TailBitingCode
from synthmark.labeling.keys import Key
from synthmark.labeling.marks import lattice, words
from synthmark.labeling.marks.lattice import (
    IMAGE,
    Flat,
    Layout,
    View,
    flatten,
    layout_of,
)
from synthmark.labeling.payload import Payload

Complex = NDArray[np.complex64]

COUNT = len(IMAGE.carriers.frequencies)

seeds = st.integers(0, 2**32 - 1)
payloads = st.integers(0, 2**64 - 1).map(Payload.from_int)
secrets = st.binary(min_size=32, max_size=32).map(Key.from_bytes)


def noise(seed: int, *shape: int) -> Complex:
    rng = np.random.default_rng(seed)
    shape = (*shape, COUNT)
    values = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    return values.astype(np.complex64)


def view_of(spectra: Complex) -> View:
    """A view whose tiles lie side by side."""
    count = len(spectra)
    corners = np.stack(
        [IMAGE.carriers.tile * np.arange(count), np.zeros(count)], axis=1
    )
    return View(IMAGE.carriers, spectra, corners, np.eye(2, 3))


# --- layout ---------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(secrets)
def test_known_and_data_carriers_share_the_ring(key: Key) -> None:
    layout = Layout(key, IMAGE)
    together = np.sort(np.concatenate([layout.sync, layout.data]))
    np.testing.assert_array_equal(together, np.arange(COUNT))
    assert len(layout.sync) == round(lattice.SYNC_SHARE * COUNT)
    assert sorted(layout.places) == list(range(2 * len(layout.data)))
    np.testing.assert_allclose(np.abs(layout.phases), 1, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(secrets, payloads)
def test_spectrum_spends_what_it_promises(key: Key, payload: Payload) -> None:
    layout = Layout(key, IMAGE)
    power = np.abs(layout.spectrum(payload)) ** 2
    assert power.mean() == pytest.approx(1, rel=0.01)
    share = power[layout.sync].sum() / power.sum()
    assert share == pytest.approx(lattice.SYNC_ENERGY, rel=0.02)
    # No carrier sticks out.
    assert np.ptp(power[layout.sync]) < 1e-4
    assert np.ptp(power[layout.data]) < 1e-4


@settings(max_examples=30, deadline=None)
@given(secrets, payloads)
def test_soft_values_of_a_spectrum_are_its_codeword(key: Key, payload: Payload) -> None:
    layout = Layout(key, IMAGE)
    soft = layout.soft_values(layout.spectrum(payload))
    np.testing.assert_array_equal(np.sign(soft), layout.words.word(payload))
    assert np.ptp(np.abs(soft)) < 1e-4


def test_keys_have_nothing_in_common(key: Key, others: list[Key]) -> None:
    # Not even for one payload: as unlike as random spectra.
    payload = Payload(issuer=7, serial=123456)
    mine = layout_of(key, IMAGE).spectrum(payload)
    likeness = [
        abs(np.vdot(mine, layout_of(one, IMAGE).spectrum(payload))) / COUNT
        for one in others
    ]
    assert max(likeness) < 4 / math.sqrt(COUNT)
    assert len({tuple(layout_of(one, IMAGE).places) for one in others}) == len(others)


def test_payloads_that_differ_in_a_bit_differ_in_half_of_the_codeword(key: Key) -> None:
    word = layout_of(key, IMAGE).words.word(Payload.from_int(0))
    for bit in range(64):
        other = layout_of(key, IMAGE).words.word(Payload.from_int(1 << bit))
        assert 0.3 < np.mean(word != other) < 0.7


# --- decode ---------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(secrets, payloads, seeds)
def test_decode_reads_through_noise(key: Key, payload: Payload, seed: int) -> None:
    layout = Layout(key, IMAGE)
    hit = layout.decode(layout.spectrum(payload) + noise(seed))
    assert hit is not None
    assert hit.payload == payload
    assert hit.p_value < 1e-12
    assert 0.4 < hit.score < 0.8


def test_decode_of_a_clean_spectrum_is_beyond_doubt(key: Key, payload: Payload) -> None:
    layout = layout_of(key, IMAGE)
    hit = layout.decode(layout.spectrum(payload))
    assert hit is not None
    assert hit.score == pytest.approx(1, abs=1e-4)
    # All signs agree: one choice in 2^slots, less the choice among the payloads.
    bits = layout.words.code.slots - 64
    assert -math.log2(hit.p_value) == pytest.approx(bits, rel=0.02)


@settings(max_examples=30, deadline=None)
@given(secrets, seeds, st.floats(0, 3))
def test_decode_of_noise_is_no_evidence(key: Key, seed: int, tail: float) -> None:
    # Whatever its tails: a carrier a thousand times as strong as others is no mark.
    layout = Layout(key, IMAGE)
    loud = np.random.default_rng(seed).exponential(size=COUNT) ** tail
    hit = layout.decode((noise(seed) * loud).astype(np.complex64))
    assert hit is None or hit.p_value > 1e-6


def test_decode_of_nothing_is_nothing(key: Key) -> None:
    assert layout_of(key, IMAGE).decode(np.zeros(COUNT, np.complex64)) is None


def test_decode_with_another_key_is_nothing(
    key: Key, others: list[Key], payload: Payload
) -> None:
    spectrum = layout_of(key, IMAGE).spectrum(payload)
    assert [layout_of(one, IMAGE).decode(spectrum) for one in others[:8]] == [None] * 8


class Exhaustive:
    """A code of 256 words, decoded to the best of them, whatever it is worth."""

    def __init__(self, code: TailBitingCode) -> None:
        self.code = code
        self.messages = (np.arange(256)[:, None] >> np.arange(8)[::-1] & 1).astype(
            np.uint8
        )
        self.book = 1 - 2.0 * np.array([self.encode(m) for m in self.messages])

    def encode(self, message: NDArray[np.uint8]) -> NDArray[np.uint8]:
        # The register is longer than eight bits.
        start = np.zeros(self.code.message_bits - len(message), np.uint8)
        return self.code.encode(np.concatenate([start, message]))

    def decode(self, soft: NDArray[np.float32], least: float) -> NDArray[np.uint8]:
        del least
        return self.messages[np.argmax(self.book @ soft)]


def test_p_value_of_one_read_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    # With a payload of 8 bits the best of all words can be had, so that every read
    # is a hit and the bound over the whole code is put to the test.
    layouts = [Layout(Key.from_bytes(n.to_bytes(32, "big")), IMAGE) for n in range(500)]
    code: Any = Exhaustive(layouts[0].words.code)
    monkeypatch.setattr(words, "PAYLOAD_BITS", 8)
    for name in ("scramble", "unscramble"):
        monkeypatch.setattr(words, name, lambda number, _: number)
    rng = np.random.default_rng(3)
    values = []
    for seed, layout in enumerate(layouts):
        layout.words.code = code
        # A host with a few strong carriers is as likely as any other.
        spectra = noise(seed, 6) * rng.exponential(size=COUNT) ** 2
        hit = layout.decode(view_of(spectra.astype(np.complex64)).total())
        assert hit is not None
        values.append(hit.p_value)
    for x in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01):
        slack = 3 * math.sqrt(x * (1 - x) / len(values))
        assert np.mean(np.array(values) <= x) <= x + slack
    # A bound so loose that nothing ever passes would say as little.
    assert min(values) < 0.2


# --- views and looks ------------------------------------------------------------------


def hidden(key: Key, payload: Payload, x: float, y: float, turn: int) -> Complex:
    """The spectrum of a tile that stands in one of eight ways, moved."""
    spectrum = layout_of(key, IMAGE).spectrum(payload)
    return IMAGE.carriers.shifted(IMAGE.carriers.turn(spectrum)[turn], x, y)


@settings(max_examples=25, deadline=None)
@given(x=st.floats(0, 96), y=st.floats(0, 96), turn=st.integers(0, 7), payload=payloads)
def test_looks_find_place_and_orientation(
    key: Key, x: float, y: float, turn: int, payload: Payload
) -> None:
    spectra = hidden(key, payload, x, y, turn) + 2 * noise(1, 12)
    looks = list(view_of(spectra.astype(np.complex64)).looks([layout_of(key, IMAGE)]))
    best = max(looks, key=lambda look: look.peak)
    assert best.peak > 6
    hit = best.decode()
    assert hit is not None
    assert hit.payload == payload
    back = spread.ORIENTATIONS[turn].T
    np.testing.assert_array_equal(best.turn, back)


def test_looks_belong_to_the_keys_that_were_asked_for(
    key: Key, others: list[Key], payload: Payload
) -> None:
    layouts = [layout_of(one, IMAGE) for one in (others[0], key, others[1])]
    spectra = hidden(key, payload, 30, 70, 3) + noise(2, 9)
    looks = list(view_of(spectra.astype(np.complex64)).looks(layouts))
    assert {look.layout.key_id for look in looks} == {one.key_id for one in layouts}
    assert max(looks, key=lambda look: look.peak).layout.key_id == key.id


def test_peaks_of_noise_stay_below_those_of_marks(key: Key) -> None:
    peaks = [
        look.peak
        for seed in range(20)
        for look in view_of(noise(seed, 9)).looks([layout_of(key, IMAGE)])
    ]
    assert max(peaks) < 6


@settings(max_examples=12, deadline=None)
@given(x=st.floats(0, 96), y=st.floats(0, 96), payload=payloads)
def test_a_mark_without_its_known_carriers_is_found(
    key: Key, x: float, y: float, payload: Payload
) -> None:
    layout = layout_of(key, IMAGE)
    spectra = hidden(key, payload, x, y, 0) + noise(3, 30)
    spectra[:, layout.sync] = noise(4, 30)[:, layout.sync]
    looks = list(view_of(spectra.astype(np.complex64)).looks_without_known([layout]))
    best = max(looks, key=lambda look: look.peak)
    assert best.peak > 8
    quarter = IMAGE.carriers.tile / 4
    distance = (np.add(best.shift, (x, y)) + quarter / 2) % quarter - quarter / 2
    assert np.abs(distance).max() < 0.5
    # One of the sixteen quarters is the right one; the others say nothing.
    hits = [hit for look in looks if (hit := look.decode()) and hit.p_value < 1e-6]
    assert hits
    assert all(hit.payload == payload for hit in hits)


def test_few_good_tiles_among_bad_ones_are_read(key: Key, payload: Payload) -> None:
    # As when a picture stands on a large page: most tiles hold something else.
    spectra = 1.5 * noise(5, 120)
    spectra[:8] = hidden(key, payload, 11, 57, 0) + noise(6, 8)
    looks = view_of(spectra.astype(np.complex64)).looks([layout_of(key, IMAGE)])
    best = max(looks, key=lambda look: look.peak)
    hit = best.decode()
    assert hit is not None
    assert hit.payload == payload


# --- pictures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "side"), [((96, 400), 256), ((300, 200), 256), ((1000, 700), 512)]
)
def test_flatten_places_its_pixels_in_the_picture(
    size: tuple[int, int], side: int
) -> None:
    # A bright dot lies where the placement says.
    height, width = size
    luma = np.full(size, 100, np.float32)
    x, y = 0.6 * width, 0.4 * height
    grid_y, grid_x = np.mgrid[:height, :width]
    reach = 3 * min(size) / side
    luma += 90 * np.exp(-((grid_x - x) ** 2 + (grid_y - y) ** 2) / (2 * reach**2))
    flat = flatten(luma.astype(np.float32), side, IMAGE.band)
    assert min(flat.values.shape) == side
    near = cv2.GaussianBlur(flat.values, (0, 0), 2)
    row, column = np.unravel_index(np.argmax(near), near.shape)
    found = flat.placement @ [column, row, 1]
    np.testing.assert_allclose(found, [x, y], atol=1.5 * min(size) / side)
    corners = flat.placement @ [[-0.5, near.shape[1] - 0.5], [-0.5, side - 0.5], [1, 1]]
    if height <= width:
        np.testing.assert_allclose(
            corners, [[-0.5, width - 0.5], [-0.5, height - 0.5]], atol=1e-6
        )


def test_flatten_counts_dead_places_less() -> None:
    luma = 128 + np.random.default_rng(1).normal(0, 4, (256, 512))
    luma[:, :256] = 128 + 0.02 * (luma[:, :256] - 128)
    values = flatten(luma.astype(np.float32), 256, IMAGE.band).values
    assert values[:, 300:].std() > 3 * values[:, :200].std()


@pytest.mark.parametrize("turn", range(8))
def test_transform_maps_the_tile_onto_the_picture(
    key: Key, payload: Payload, turn: int
) -> None:
    # A picture that is the mark itself, under a map that is known.
    tile = IMAGE.carriers.synthesize(layout_of(key, IMAGE).spectrum(payload))
    angle = math.radians(10)
    c, s = math.cos(angle), math.sin(angle)
    map_of = np.array([[c, -s], [s, c]]) @ spread.ORIENTATIONS[turn] * 1.1
    y, x = np.mgrid[:400, :500]
    at = np.tensordot(np.linalg.inv(map_of), np.stack([x - 33.3, y - 21.7]), 1)
    wide = np.pad(tile, 2, "wrap")
    at_x, at_y = ((a % 96 + 2).astype(np.float32) for a in at)
    values = cv2.remap(wide, at_x, at_y, cv2.INTER_LINEAR)
    flat = Flat(values, np.eye(2, 3))
    plain = 1.1 * np.array([[c, -s], [s, c]])
    looks = View.through(flat, IMAGE.carriers, plain).looks([layout_of(key, IMAGE)])
    best = max(looks, key=lambda look: look.peak)
    transform = best.transform()
    matrix = np.array(transform.matrix).reshape(2, 2)
    np.testing.assert_allclose(matrix, map_of, atol=1e-5)
    assert transform.scale_x == pytest.approx(1.1)
    assert transform.flipped == (turn >= 4)
    tiles = np.linalg.solve(map_of, np.subtract(transform.offset, (33.3, 21.7))) / 96
    np.testing.assert_allclose(tiles, np.round(tiles), atol=0.005)
    hit = best.decode()
    assert hit is not None
    assert hit.payload == payload


@given(st.integers(1, 10_000))
def test_pictures_are_never_enlarged_to_more_than_a_half_again(short: int) -> None:
    side = IMAGE.canonical_side(short)
    assert side in IMAGE.sides
    assert side <= short / lattice.LEAST_SHARE or side == min(IMAGE.sides)
    assert IMAGE.canonical_side(short + 1) >= side


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 600), width=st.integers(1, 600), most=st.integers(100, 400)
)
def test_the_middle_begins_with_a_whole_tile(
    height: int, width: int, most: int
) -> None:
    plane = np.arange(height * width, dtype=np.float32).reshape(height, width)
    part, (left, top) = lattice.middle(plane, most, IMAGE.carriers.tile)
    assert left % IMAGE.carriers.tile == top % IMAGE.carriers.tile == 0
    assert part.shape == (min(height, most), min(width, most))
    assert part[0, 0] == plane[top, left]
    # No further from the middle than by a tile.
    for corner, kept, size in (
        (left, part.shape[1], width),
        (top, part.shape[0], height),
    ):
        assert abs(corner - (size - kept) / 2) <= IMAGE.carriers.tile
