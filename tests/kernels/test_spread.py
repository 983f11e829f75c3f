from __future__ import annotations

import math

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


# --- carriers -------------------------------------------------------------------------


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


# --- add ------------------------------------------------------------------------------


def add_by_loops(pixels: NDArray[np.uint8], change: Float) -> NDArray[np.uint8]:
    """Floyd and Steinberg's error diffusion, one pixel after the other."""
    height, width = change.shape
    wanted = {place: float(change[place]) for place in np.ndindex(height, width)}
    out = pixels.copy()
    for y, x in np.ndindex(height, width):
        step = math.floor(wanted[y, x] + 0.5)
        error = wanted[y, x] - step
        for down, right, share in ((0, 1, 7), (1, -1, 3), (1, 0, 5), (1, 1, 1)):
            if (y + down, x + right) in wanted:
                wanted[y + down, x + right] += error * share / 16
        for c in range(pixels.shape[2]):
            out[y, x, c] = min(max(int(pixels[y, x, c]) + step, 0), 255)
    return out


def added(pixels: NDArray[np.uint8], change: Float) -> NDArray[np.uint8]:
    out = pixels.copy()
    spread.add(out, change)
    return out


@pytest.mark.parametrize("deviation", [0.2, 1.0, 5.0, 200.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_add_equals_the_loops(channels: int, deviation: float) -> None:
    rng = np.random.default_rng(channels)
    pixels = rng.integers(0, 256, (23, 31, channels), dtype=np.uint8)
    change = rng.normal(0.3, deviation, (23, 31)).astype(np.float32)
    np.testing.assert_array_equal(added(pixels, change), add_by_loops(pixels, change))


@settings(max_examples=40, deadline=None)
@given(seed=seeds, channels=st.integers(1, 4), most=st.sampled_from([1, 9, 400]))
def test_add_is_exact_for_whole_levels(seed: int, channels: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (9, 11, channels), dtype=np.uint8)
    change = rng.integers(-most, most + 1, (9, 11))
    expected = np.clip(pixels + change[..., None], 0, 255)
    np.testing.assert_array_equal(added(pixels, change.astype(np.float32)), expected)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, deviation=st.floats(0, 5))
def test_add_is_less_than_one_level_off(seed: int, deviation: float) -> None:
    # Half a level of its own, and at most half a level from its neighbors.
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    change = rng.normal(0, deviation, (20, 30)).astype(np.float32)
    exact = np.clip(pixels + change[..., None].astype(np.float64), 0, 255)
    assert np.abs(added(pixels, change) - exact).max() < 1.0001


@settings(max_examples=25, deadline=None)
@given(seed=seeds, level=st.floats(-3, 3), slope=st.floats(-3, 3), wave=st.floats(0, 2))
def test_add_keeps_changes_below_half_a_level_on_average(
    seed: int, level: float, slope: float, wave: float
) -> None:
    y, x = np.mgrid[:96, :128]
    change = (level + slope * x / 128 + wave * np.sin(y / 5)).astype(np.float32)
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 180, (96, 128, 1), dtype=np.uint8)
    off = added(pixels, change)[..., 0] - pixels[..., 0].astype(float) - change
    # What a window gains or loses crosses its rim, half a level a pixel at most.
    windows = off.reshape(4, 24, 4, 32).mean(axis=(1, 3))
    assert np.abs(windows).max() < 0.06


def test_add_keeps_a_faint_wave_that_rounding_would_lose() -> None:
    x = np.arange(200)
    wave = np.tile(0.3 * np.sin(x / 9), (200, 1)).astype(np.float32)
    pixels = np.full((200, 200, 1), 90, np.uint8)
    columns = added(pixels, wave)[..., 0].mean(axis=0) - 90
    # Seven columns together, as the dots lie in places that the wave prefers.
    smooth, expected = (
        np.convolve(c, np.ones(7) / 7, "valid") for c in (columns, wave[0])
    )
    np.testing.assert_allclose(smooth, expected, atol=0.06)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_add_gives_all_channels_the_same_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(10, 240, (12, 15, 3), dtype=np.uint8)
    change = rng.normal(0, 1, (12, 15)).astype(np.float32)
    steps = added(pixels, change).astype(int) - pixels
    assert np.ptp(steps, axis=2).max() == 0


def test_add_does_not_make_up_for_what_is_clipped() -> None:
    # Black and white stay, and what they could not take does not reach the middle.
    pixels = np.full((30, 90, 1), 128, np.uint8)
    pixels[:, :30], pixels[:, 60:] = 0, 255
    change = np.zeros((30, 90), np.float32)
    change[:, :30], change[:, 60:] = -0.4, 0.4
    out = added(pixels, change)
    np.testing.assert_array_equal(out[:, :30], 0)
    np.testing.assert_array_equal(out[:, 60:], 255)
    assert np.abs(out[:, 30:60].astype(int) - 128).max() <= 1
    assert abs(out[:, 31:59].mean() - 128) < 0.03


def test_add_leaves_the_other_channels_of_a_view() -> None:
    pixels = np.full((4, 5, 4), 100, np.uint8)
    spread.add(pixels[..., :3], np.full((4, 5), 7, np.float32))
    assert (pixels[..., :3] == 107).all()
    assert (pixels[..., 3] == 100).all()


# --- add_scaled -----------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([8, 10, 12, 16]), st.floats(0, 40))
def test_add_scaled_rounds_and_clips_to_the_codes(
    seed: int, bits: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    most = (1 << bits) - 1
    kind = np.uint8 if bits == 8 else np.uint16
    shape = tuple(rng.integers(1, 30, 2))
    plane = rng.integers(0, most, shape, kind, endpoint=True)
    ends = rng.random(shape) < 0.2
    plane[ends] = rng.choice([0, 1, most - 1, most], int(ends.sum()))
    mark = rng.normal(size=shape).astype(np.float32)
    levels = (scale * rng.random(shape)).astype(np.float32)
    wanted = plane.astype(np.float32) + mark * levels
    expected = np.clip(np.floor(wanted + np.float32(0.5)), 0, most)
    spread.add_scaled(plane, mark, levels, most)
    assert plane.dtype == kind
    # A value in the middle between two codes may go either way.
    middle = np.abs(wanted + 0.5 - np.rint(wanted + 0.5)) < 0.005
    np.testing.assert_array_equal(plane[~middle], expected[~middle])
    np.testing.assert_allclose(plane, expected, atol=1)


def test_add_scaled_writes_into_the_frame_and_nowhere_else() -> None:
    memory = np.full((6, 16), 100, np.uint16)
    mark, levels = np.ones((3, 10), np.float32), np.full((3, 10), 5, np.float32)
    spread.add_scaled(memory[4:1:-1, :10], mark, levels, 1023)
    expected = np.full((6, 16), 100)
    expected[2:5, :10] = 105
    np.testing.assert_array_equal(memory, expected)


def test_add_scaled_by_nothing_changes_nothing() -> None:
    plane = np.arange(256, dtype=np.uint8).reshape(16, 16)
    before = plane.copy()
    mark = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    spread.add_scaled(plane, mark, np.zeros((16, 16), np.float32), 255)
    np.testing.assert_array_equal(plane, before)


# --- fold -----------------------------------------------------------------------------


def test_fold_without_a_map_cuts_the_picture() -> None:
    flat = np.random.default_rng(3).normal(size=(120, 168)).astype(np.float32)
    tiles, corners = spread.fold(flat, 48, np.eye(2))
    assert tiles.shape == (12, 48, 48)
    assert corners.shape == (12, 2)
    for tile, (left, top) in zip(tiles, corners.astype(int), strict=True):
        seen = flat[top : top + 48, left : left + 48]
        np.testing.assert_array_equal(tile[: seen.shape[0], : seen.shape[1]], seen)
        assert np.count_nonzero(tile) == seen.size


def test_fold_leaves_out_tiles_without_content() -> None:
    flat = np.zeros((96, 96), np.float32)
    assert [len(part) for part in spread.fold(flat, 48, np.eye(2))] == [0, 0]
    flat[48:, :48] = 1
    tiles, corners = spread.fold(flat, 48, np.eye(2))
    np.testing.assert_array_equal(tiles, np.ones((1, 48, 48)))
    np.testing.assert_array_equal(corners, [[0, 48]])


@pytest.mark.parametrize("angle", [0.5, 30, 45, 90, 200])
def test_fold_keeps_the_whole_picture(angle: float) -> None:
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = 0.5 * np.array([[c, -s], [s, c]])
    flat = np.ones((400, 500), np.float32)
    tiles, _ = spread.fold(flat, CARRIERS.tile, matrix)
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

    tiles, corners = spread.fold(flat, CARRIERS.tile, matrix)
    whole = np.all(tiles[:, 1:-1, 1:-1] != 0, axis=(1, 2))
    assert whole.any()
    # Bilinear interpolation weakens the high carriers and moves none.
    for tile, corner in zip(tiles[whole], corners[whole], strict=True):
        assert cosine(analyze(tile), CARRIERS.shifted(spectrum, *-corner)) > 0.97


# --- coherence ------------------------------------------------------------------------


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


# --- fitness --------------------------------------------------------------------------


def fitness_by_eigenvectors(spectra: Complex) -> NDArray[np.float64]:
    rows = spectra.astype(np.complex128)
    likeness = (rows @ rows.conj().T).real
    np.fill_diagonal(likeness, 0)
    leading = np.linalg.eigh(likeness)[1][:, -1]
    positive = np.maximum(leading * np.sign(leading.sum()), 0)
    return positive / positive.max()


@pytest.mark.parametrize("tiles", [4, 9, 40, 150])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_fitness_is_the_leading_eigenvector(tiles: int, share: float) -> None:
    # Half of the tiles hold a common part, each as much as its place allows.
    held = share * np.linspace(0.5, 1, tiles) * (np.arange(tiles) % 2)
    spectra = (draw(20, tiles) + held[:, None] * draw(21)).astype(np.complex64)
    fit = spread.fitness(spectra)
    assert fit.dtype == np.float32
    assert fit.min() >= 0
    assert fit.max() == pytest.approx(1)
    assert cosine(fit, fitness_by_eigenvectors(spectra)) > 0.95


def test_fitness_tells_the_tiles_of_a_mark_from_louder_ones() -> None:
    noise = draw(22, 36)
    shared = draw(23)
    spectra = np.concatenate([0.7 * shared + noise[:12], 1.5 * noise[12:]])
    fit = spread.fitness(spectra.astype(np.complex64))
    assert fit[:12].mean() > 3 * fit[12:].mean()


def test_fitness_is_not_misled_by_opposites() -> None:
    # Three tiles at odds with each other make the eigenvalue of largest size, -1; the
    # pair that agrees makes the largest, 0.81.
    one, other, third = (part / np.linalg.norm(part) for part in draw(24, 3))
    thirds = np.exp(2j * np.pi * np.arange(3) / 3)
    spectra = np.concatenate([np.outer(thirds, one), [0.9 * other, 0.9 * other]])
    spectra += 0.01 * third
    fit = spread.fitness(spectra.astype(np.complex64))
    np.testing.assert_allclose(fit, [0, 0, 0, 1, 1], atol=0.2)


@pytest.mark.parametrize("tiles", [1, 5])
def test_fitness_of_empty_tiles_is_finite(tiles: int) -> None:
    assert np.isfinite(spread.fitness(np.zeros_like(draw(25, tiles)))).all()


# --- peaks ----------------------------------------------------------------------------


def peaks_by_loops(planes: Float, count: int) -> list[tuple[int, int, int, float]]:
    """Plane, x, y and height of the highest peaks, at most one of each block."""
    deviation = np.sqrt(np.mean(planes.astype(np.float64) ** 2))
    tops = []
    for which, plane in enumerate(planes):
        for top in range(0, plane.shape[0], spread.BLOCK):
            for left in range(0, plane.shape[1], spread.BLOCK):
                block = plane[top : top + spread.BLOCK, left : left + spread.BLOCK]
                y, x = np.unravel_index(np.argmax(block), block.shape)
                around = np.take(
                    plane, np.arange(top + y - 1, top + y + 2), 0, mode="wrap"
                )
                around = np.take(
                    around, np.arange(left + x - 1, left + x + 2), 1, mode="wrap"
                )
                if around.max() == block[y, x]:
                    height = float(block[y, x]) / deviation
                    tops.append((which, int(left + x), int(top + y), height))
    return sorted(tops, key=lambda one: -one[3])[:count]


@pytest.mark.parametrize("side", [48, 51])
def test_peaks_are_those_of_the_loops(side: int) -> None:
    planes = np.random.default_rng(26).normal(size=(8, side, side)).astype(np.float32)
    orientations, points = spread.peaks(planes, 12)
    assert orientations.shape == (12,)
    assert points.shape == (12, 3)
    expected = peaks_by_loops(planes, 12)
    found = zip(orientations, points, strict=True)
    for (which, (x, y, height)), (plane, left, top, most) in zip(
        found, expected, strict=True
    ):
        assert which == plane
        assert height == pytest.approx(most, rel=1e-5)
        assert max(abs(x - left), abs(y - top)) <= 0.5


def test_a_peak_at_the_rim_of_a_block_is_one_peak() -> None:
    y, x = np.mgrid[:48, :48]
    planes = np.exp(-((x - 15.4) ** 2 + (y - 15.6) ** 2) / 8)[None].astype(np.float32)
    _, points = spread.peaks(planes, 9)
    near = np.hypot(points[:, 0] - 15.4, points[:, 1] - 15.6) < 6
    assert near.sum() == 1
    assert points[near][0, :2] == pytest.approx([15.4, 15.6], abs=0.05)


@given(x=st.floats(0, 48), y=st.floats(0, 48), height=st.floats(0.1, 100))
def test_peaks_finds_the_top_of_a_parabola(x: float, y: float, height: float) -> None:
    # At the rim of the tile too, which goes on at its other side.
    steps = np.arange(48)
    right, down = ((steps - at + 24) % 48 - 24 for at in (x, y))
    plane = np.maximum(height * (9 - down[:, None] ** 2 - right**2), 0)
    planes = np.stack([np.zeros((48, 48)), plane]).astype(np.float32)
    orientations, points = spread.peaks(planes, 1)
    assert orientations[0] == 1
    assert abs((points[0, 0] - x + 24) % 48 - 24) < 1e-3
    assert abs((points[0, 1] - y + 24) % 48 - 24) < 1e-3


def test_peaks_of_a_plateau_stay_on_it() -> None:
    _, points = spread.peaks(np.full((1, 16, 16), 3, np.float32), 4)
    np.testing.assert_array_equal(points[:, :2] % 8, 0)
    np.testing.assert_allclose(points[:, 2], 1)
