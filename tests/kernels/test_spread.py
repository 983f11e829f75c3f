from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import spread

CARRIERS = spread.Carriers(tile=48, low=3, high=11)

Complex = NDArray[np.complex64]
Float = NDArray[np.float32]

seeds = st.integers(0, 2**32 - 1)
places = st.integers(-100, 100)
slopes = st.floats(-0.2, 0.2)
stretches = st.floats(0.75, 1.4)


def draw(seed: int, *shape: int) -> Complex:
    rng = np.random.default_rng(seed)
    shape = (*shape, len(CARRIERS.frequencies))
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def waves(spectrum: Complex, x: NDArray, y: NDArray) -> NDArray[np.float64]:
    """Sum the carriers, one by one, at any places in tile coordinates."""
    out = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for (u, v), value in zip(CARRIERS.frequencies, spectrum, strict=True):
        turn = 2 * np.pi * (u * x + v * y) / CARRIERS.tile
        out += value.real * np.cos(turn) - value.imag * np.sin(turn)
    return out


def wave_tile(spectrum: Complex) -> Float:
    position = np.arange(CARRIERS.tile)
    tile = waves(spectrum, position[None, :], position[:, None])
    return (tile / tile.std()).astype(np.float32)


def analyze(tile: Float) -> Complex:
    return CARRIERS.analyze(tile[None])[0]


def cosine(a: NDArray, b: NDArray) -> float:
    a, b = a.ravel(), b.ravel()
    return float(np.vdot(a, b).real / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_carriers_fill_half_of_the_ring() -> None:
    chosen = set(map(tuple, CARRIERS.frequencies.tolist()))
    for u in range(-24, 24):
        for v in range(-24, 24):
            ring = 3**2 <= u * u + v * v <= 11**2 and u and v
            assert ((u, v) in chosen) == bool(ring and u > 0)
    assert len(chosen) == len(CARRIERS.frequencies)


def test_rings_are_whole_radii() -> None:
    for (u, v), ring in zip(CARRIERS.frequencies, CARRIERS.rings, strict=True):
        assert ring**2 <= u * u + v * v < (ring + 1) ** 2


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_synthesis_is_the_sum_of_the_waves(seed: int) -> None:
    tile = CARRIERS.synthesize(draw(seed))
    assert tile.dtype == np.float32
    assert tile.std() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(tile, wave_tile(draw(seed)), atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_analysis_inverts_synthesis(seed: int) -> None:
    spectrum = draw(seed)
    found = analyze(CARRIERS.synthesize(spectrum))
    scale = np.linalg.norm(found) / np.linalg.norm(spectrum)
    np.testing.assert_allclose(found / scale, spectrum, atol=1e-4)


def test_analysis_is_the_discrete_fourier_transform() -> None:
    tiles = np.random.default_rng(1).normal(size=(3, 48, 48)).astype(np.float32)
    u, v = CARRIERS.frequencies.T
    expected = np.fft.fft2(tiles)[:, v, u]
    np.testing.assert_allclose(CARRIERS.analyze(tiles), expected, atol=1e-3)


def test_analysis_of_no_tiles_is_empty() -> None:
    nothing = CARRIERS.analyze(np.zeros((0, 48, 48), np.float32))
    assert nothing.shape == (0, len(CARRIERS.frequencies))


@pytest.mark.parametrize("orientation", range(8))
def test_turn_agrees_with_the_turned_tile(orientation: int) -> None:
    tile = CARRIERS.synthesize(draw(7))
    back = spread.ORIENTATIONS[orientation].T
    y, x = np.mgrid[: CARRIERS.tile, : CARRIERS.tile]
    from_x, from_y = np.tensordot(back, np.stack([x, y]), 1) % CARRIERS.tile
    expected = analyze(tile[from_y, from_x])
    found = CARRIERS.turn(analyze(tile))[orientation]
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_the_eight_orientations_are_the_turns_and_mirrors() -> None:
    # NumPy turns about the middle of the pixels, the tile about its first pixel.
    tile = CARRIERS.synthesize(draw(8))
    pictures = [np.rot90(t, k) for t in (tile, np.fliplr(tile)) for k in range(4)]
    turned = CARRIERS.turn(analyze(tile))
    partners = []
    for picture in pictures:
        likeness = [
            max(
                cosine(analyze(np.roll(picture, (y, x), (0, 1))), one)
                for y in (0, 1)
                for x in (0, 1)
            )
            for one in turned
        ]
        partners.append(int(np.argmax(likeness)))
        assert max(likeness) > 0.9999
    assert sorted(partners) == list(range(8))


@settings(deadline=None)
@given(seed=seeds, x=places, y=places)
def test_shifted_agrees_with_roll(seed: int, x: int, y: int) -> None:
    tile = CARRIERS.synthesize(draw(seed))
    expected = analyze(np.roll(tile, (y, x), (0, 1)))
    found = CARRIERS.shifted(analyze(tile), x, y)
    np.testing.assert_allclose(found, expected, atol=2e-2)


def test_shifted_by_fractions_agrees_with_the_waves() -> None:
    spectrum = draw(9)
    position = np.arange(CARRIERS.tile)
    moved = waves(spectrum, position[None, :] - 0.3, position[:, None] + 2.6)
    found = CARRIERS.synthesize(CARRIERS.shifted(spectrum, 0.3, -2.6))
    assert cosine(found, moved) > 0.99999


def test_shifts_are_the_direct_sums() -> None:
    chosen = np.sort(np.random.default_rng(2).permutation(150)[:40])
    products = draw(10, 2)[:, chosen]
    planes = CARRIERS.shifts(products, chosen)
    assert planes.shape == (2, CARRIERS.tile, CARRIERS.tile)
    for k, y, x in [(0, 0, 0), (0, 3, 41), (1, 47, 0), (1, 20, 20)]:
        total = 0.0
        for (u, v), value in zip(
            CARRIERS.frequencies[chosen], products[k], strict=True
        ):
            phase = -2j * np.pi * (u * x + v * y) / CARRIERS.tile
            total += (value * np.exp(phase)).real
        assert planes[k, y, x] == pytest.approx(total, abs=1e-2)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, x=st.integers(0, 47), y=st.integers(0, 47))
def test_shifts_find_the_way_back_from_a_roll(seed: int, x: int, y: int) -> None:
    reference = draw(seed)
    chosen = np.arange(0, len(reference), 4)
    tile = np.roll(CARRIERS.synthesize(reference), (y, x), (0, 1))
    noise = np.random.default_rng(seed).normal(size=tile.shape)
    spectrum = analyze((tile + noise).astype(np.float32))
    plane = CARRIERS.shifts(
        (spectrum * np.conj(reference))[None, chosen], chosen
    ).squeeze()
    back_y, back_x = np.unravel_index(np.argmax(plane), plane.shape)
    assert ((back_x + x) % CARRIERS.tile, (back_y + y) % CARRIERS.tile) == (0, 0)
    found = CARRIERS.shifted(spectrum, float(back_x), float(back_y))
    assert cosine(found, reference) > 0.9


def test_place_repeats_the_tile() -> None:
    tile = CARRIERS.synthesize(draw(11))
    placed = spread.place(tile, 70, 131)
    assert placed.shape == (70, 131)
    for y, x in [(0, 0), (69, 130), (47, 48), (48, 47), (60, 100)]:
        assert placed[y, x] == tile[y % 48, x % 48]


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    channels=st.integers(1, 4),
    spread_out=st.sampled_from([0.3, 3, 300]),
)
def test_add_rounds_and_clips(seed: int, channels: int, spread_out: float) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (9, 11, channels), dtype=np.uint8)
    change = rng.normal(0, spread_out, (9, 11)).astype(np.float32)
    exact = np.clip(pixels + change[..., None].astype(np.float64), 0, 255)
    spread.add(pixels, change)
    # Either neighbor will do within the rounding error of single precision.
    assert np.abs(pixels - exact).max() < 0.5001


def test_add_leaves_the_other_channels_of_a_view() -> None:
    pixels = np.full((4, 5, 4), 100, np.uint8)
    spread.add(pixels[..., :3], np.full((4, 5), 7, np.float32))
    assert (pixels[..., :3] == 107).all()
    assert (pixels[..., 3] == 100).all()


def test_fold_without_a_map_cuts_the_picture() -> None:
    flat = np.random.default_rng(3).normal(size=(120, 168)).astype(np.float32)
    tiles = spread.fold(flat, 48, np.eye(2))
    assert tiles.shape == (12, 48, 48)
    for index, tile in enumerate(tiles):
        top, left = 48 * (index // 4), 48 * (index % 4)
        seen = flat[top : top + 48, left : left + 48]
        np.testing.assert_array_equal(tile[: seen.shape[0], : seen.shape[1]], seen)
        assert np.count_nonzero(tile) == seen.size


def test_fold_leaves_out_tiles_without_content() -> None:
    flat = np.zeros((96, 96), np.float32)
    assert len(spread.fold(flat, 48, np.eye(2))) == 0
    flat[48:, :48] = 1
    assert len(spread.fold(flat, 48, np.eye(2))) == 1


@pytest.mark.parametrize("angle", [0.5, 30, 45, 90, 200])
def test_fold_keeps_the_whole_picture(angle: float) -> None:
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = 0.5 * np.array([[c, -s], [s, c]])
    flat = np.ones((400, 500), np.float32)
    tiles = spread.fold(flat, CARRIERS.tile, matrix)
    # But for slivers at its rim.
    assert tiles.sum() * np.linalg.det(matrix) == pytest.approx(flat.size, rel=0.02)


@settings(max_examples=6, deadline=None)
@given(seed=seeds, angle=st.floats(0, 360), sx=stretches, sy=stretches, slope=slopes)
def test_fold_undoes_an_affine_map(
    seed: int, angle: float, sx: float, sy: float, slope: float
) -> None:
    spectrum = draw(seed)
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = np.array([[c, -s], [s, c]]) @ np.array([[sx, slope], [0, sy]])
    y, x = np.mgrid[:200, :220]
    tile_x, tile_y = np.tensordot(np.linalg.inv(matrix), np.stack([x, y]), 1)
    flat = waves(spectrum, tile_x, tile_y).astype(np.float32)

    tiles = spread.fold(flat, CARRIERS.tile, matrix)
    # The first tile begins at the corner of the picture's bounding box.
    corners = np.array([[0, 0], [220, 0], [0, 200], [220, 200]]) - 0.5
    origin = np.floor((corners @ np.linalg.inv(matrix).T).min(axis=0))
    whole = [tile for tile in tiles if np.all(tile[1:-1, 1:-1] != 0)]
    assert whole
    expected = CARRIERS.shifted(spectrum, *-origin)
    # Bilinear interpolation weakens the high carriers and moves none.
    for tile in whole:
        assert cosine(analyze(tile), expected) > 0.97


def test_coherence_trusts_what_the_tiles_have_in_common() -> None:
    tiles, share = 60, 0.4
    noise = draw(12, tiles)
    common = np.where(CARRIERS.rings < 7, share, 0) * draw(13)
    ones = np.ones(tiles, np.float32)
    total, trust = spread.coherence(common + noise, ones, CARRIERS.rings)
    near, far = CARRIERS.rings < 6, CARRIERS.rings > 8
    # The signal-to-noise ratio of the sum of k tiles is sqrt(k) times that of one.
    assert trust[near].mean() == pytest.approx(np.sqrt(tiles) * share, rel=0.2)
    assert trust[far].max() < 0.25 * trust[near].min()
    assert cosine(total[near], common[near]) > 0.9


def test_coherence_brings_noise_to_unit_deviation() -> None:
    loud = np.where(CARRIERS.rings < 7, 100, 1) * draw(14, 40)
    total, _ = spread.coherence(loud, np.ones(40, np.float32), CARRIERS.rings)
    for rings in (CARRIERS.rings < 6, CARRIERS.rings > 8):
        assert np.sqrt(np.mean(np.abs(total[rings]) ** 2)) == pytest.approx(1, rel=0.2)


def test_coherence_follows_the_tile_weights() -> None:
    good, bad = draw(15) + 0.3 * draw(16, 12), 5 * draw(17, 12)
    weights = np.repeat(np.array([1, 0], np.float32), 12)
    together = np.concatenate([good, bad]).astype(np.complex64)
    total, trust = spread.coherence(together, weights, CARRIERS.rings)
    alone = spread.coherence(good, weights[:12], CARRIERS.rings)
    np.testing.assert_allclose(total, alone[0], rtol=1e-4)
    np.testing.assert_allclose(trust, alone[1], rtol=1e-4)


@pytest.mark.parametrize("tiles", [0, 1, 2])
def test_coherence_of_few_or_empty_tiles_is_finite(tiles: int) -> None:
    for spectra in (draw(18, tiles), np.zeros_like(draw(18, tiles))):
        total, trust = spread.coherence(
            spectra, np.ones(tiles, np.float32), CARRIERS.rings
        )
        assert np.isfinite(total).all()
        assert np.isfinite(trust).all()
        assert (trust > 0).all()
