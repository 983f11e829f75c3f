from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import correlation, sync

Float = NDArray[np.float32]
Lattice = NDArray[np.float64]

PERIOD = 64
BAND = 0.25
SIZE = (330, 360)
REACH = round(3.4 * PERIOD)

seeds = st.integers(0, 2**32 - 1)


def tile(seed: int) -> Float:
    """A periodic texture with no structure of its own, up to a quarter of the band."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(PERIOD)[:, None], np.fft.rfftfreq(PERIOD)
    radius = np.hypot(fy, fx)
    spectrum = np.fft.rfft2(rng.normal(size=(PERIOD, PERIOD)))
    spectrum[(radius < 0.03) | (radius > 0.19)] = 0
    texture = np.fft.irfft2(spectrum, s=(PERIOD, PERIOD))
    return (texture / texture.std()).astype(np.float32)


def draw(
    matrix: Lattice, seed: int, noise: float, size: tuple[int, int] = SIZE
) -> Float:
    """The repeated tile under a linear map, in white noise."""
    y, x = np.mgrid[: size[0], : size[1]]
    at = np.tensordot(np.linalg.inv(matrix), np.stack([x, y]), 1)
    repeated = np.tile(tile(seed), (3, 3))
    at = (at % PERIOD + PERIOD).astype(np.float32)
    seen = cv2.remap(repeated, at[0], at[1], cv2.INTER_CUBIC)
    grain = np.random.default_rng(seed + 1).normal(0, noise, size)
    return (seen + grain).astype(np.float32)


def look(flat: Float, best: int = 4) -> NDArray[np.float64]:
    found = correlation.autocorrelation(flat, PERIOD, BAND, REACH)
    return sync.search(found, PERIOD, best)


def is_lattice_of(row: Lattice, matrix: Lattice, tolerance: float = 0.01) -> bool:
    """Whether a row spans the lattice of the map, in whatever basis."""
    basis = np.linalg.inv(matrix) @ row[1:].reshape(2, 2).T / PERIOD
    whole = np.rint(basis)
    return bool(
        np.abs(basis - whole).max() < tolerance and abs(np.linalg.det(whole)) == 1
    )


def turn(angle: float) -> Lattice:
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    return np.array([[c, -s], [s, c]])


# --- oracles ----------------------------------------------------------------------


def unfold(values: Float) -> NDArray[np.float64]:
    """All lags -reach..reach in both directions from the half that is stored."""
    return np.concatenate([values[:0:-1, ::-1], values]).astype(np.float64)


def bilinear(t: float) -> float:
    return max(0.0, 1 - abs(t))


def catmull_rom(t: float) -> float:
    """Kernel of Keys (1981) with a = -1/2."""
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def score_by_sums(
    values: Float, size: tuple[int, int], row: Lattice, far: int, smooth: bool
) -> float:
    """Sum over the whole plane of multiples but zero; every lag counts twice."""
    plane, reach = unfold(values), values.shape[0] - 1
    kernel, width = (catmull_rom, 2) if smooth else (bilinear, 1)
    total = weight = 0.0
    for m in range(-far, far + 1):
        for n in range(-far, far + 1):
            x, y = m * row[1] + n * row[3], m * row[2] + n * row[4]
            if (m, n) == (0, 0) or max(abs(x), abs(y)) >= reach - 3:
                continue
            overlap = (1 - abs(x) / size[1]) * (1 - abs(y) / size[0])
            value = 0.0
            for iy in range(int(np.floor(y)) - width, int(np.floor(y)) + width + 2):
                for ix in range(int(np.floor(x)) - width, int(np.floor(x)) + width + 2):
                    value += (
                        kernel(x - ix) * kernel(y - iy) * plane[iy + reach, ix + reach]
                    )
            total += np.sqrt(overlap) * value
            weight += overlap
    return float(total / 2 / np.sqrt(weight / 2))


# --- autocorrelation --------------------------------------------------------------


def test_autocorrelation_peaks_at_the_periods() -> None:
    values = correlation.autocorrelation(
        draw(np.eye(2), 3, 1.0), PERIOD, BAND, REACH
    ).values
    for y in range(4):
        for x in range(y - 3, 4 - y):
            if (y, x) == (0, 0):
                continue
            peak = values[PERIOD * y, PERIOD * x + REACH]
            assert peak > 4
            near = values[
                max(PERIOD * y - 5, 0) : PERIOD * y + 6,
                PERIOD * x + REACH - 5 : PERIOD * x + REACH + 6,
            ]
            assert near.max() == peak


# --- compiled kernels -------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    row=st.tuples(*[st.floats(-20, 20)] * 4),
    far=st.integers(1, 3),
    smooth=st.booleans(),
)
def test_score_equals_the_direct_sums(
    row: tuple[float, ...], far: int, smooth: bool
) -> None:
    reach, size = 80, (150, 170)
    values = np.random.default_rng(4).normal(size=(reach + 1, 2 * reach + 1))
    values[0] += values[0, ::-1]  # lag (x, 0) is lag (-x, 0)
    values = values.astype(np.float32)
    lattice = np.array([0, *row])
    # Both sides agree on every lag but those at the rim of the table.
    steps = np.arange(-far, far + 1)
    x = np.add.outer(steps * row[0], steps * row[2])
    y = np.add.outer(steps * row[1], steps * row[3])
    if np.maximum(abs(x), abs(y)).max() >= reach - 3:
        return
    got = sync._score(values, *size, *row, far, 0.0, smooth)
    expected = score_by_sums(values, size, lattice, far, smooth)
    assert got == pytest.approx(expected, abs=1e-3)


def test_score_leaves_out_lags_with_little_overlap() -> None:
    # In a strip 40 pixels high no lag up or down overlaps by half.
    values = np.ones((101, 201), np.float32)
    lattice = (30.0, 0.0, 0.0, 30.0)
    overlaps = 1 - np.array([30, 60, 90]) / 2000
    expected = np.sqrt(overlaps).sum() / np.sqrt(overlaps.sum())
    got = sync._score(values, 40, 2000, *lattice, 3, 0.5, False)
    assert got == pytest.approx(expected)
    assert sync._score(values, 40, 2000, *lattice, 3, 0.999, False) == 0


@settings(deadline=None)
@given(row=st.tuples(*[st.integers(-200, 200)] * 4))
def test_canonical_is_the_shortest_upright_basis(row: tuple[int, ...]) -> None:
    ax, ay, bx, by = row
    if abs(ax * by - ay * bx) < 0.2 * np.hypot(ax, ay) * np.hypot(bx, by) + 1:
        return
    out = np.array([0.0, *row])
    sync._canonical(out)
    before = np.array(row, float).reshape(2, 2)
    after = out[1:].reshape(2, 2)
    change = after @ np.linalg.inv(before)
    np.testing.assert_allclose(change, np.rint(change), atol=1e-6)
    assert abs(np.linalg.det(change)) == pytest.approx(1)
    # By brute force there is no shorter vector, and none beside the first one.
    steps = np.array([(m, n) for m in range(-6, 7) for n in range(-6, 7) if m or n])
    vectors = steps @ after
    lengths = np.hypot(*vectors.T)
    first = vectors[np.argmin(lengths)]
    beside = np.abs(vectors[:, 0] * first[1] - vectors[:, 1] * first[0]) > 0.5
    np.testing.assert_allclose(
        np.sort(np.hypot(*after.T)), [lengths.min(), lengths[beside].min()]
    )
    assert np.linalg.det(after) > 0
    assert after[0, 0] >= 0


@settings(max_examples=30, deadline=None)
@given(scores=st.lists(st.floats(0, 100), max_size=30))
def test_keep_holds_the_best(scores: list[float]) -> None:
    kept = np.zeros((5, 5))
    for score in scores:
        sync._keep(kept, np.full(5, score))
    best = sorted([*scores, 0, 0, 0, 0, 0], reverse=True)[:5]
    np.testing.assert_array_equal(kept[:, 0], best)
    np.testing.assert_array_equal(kept[:, 4], best)


# --- search -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(2),
        turn(5),
        turn(33.3) * 0.8,
        turn(45),
        turn(-80) * 1.3,
        np.diag([1.25, 0.85]),
        np.array([[1, 0.15], [0, 1]]),
        turn(20) @ np.array([[1.1, 0.2], [0, 0.9]]),
        np.diag([-1, 1]) @ turn(12),
    ],
    ids=str,
)
def test_search_finds_a_known_map(matrix: Lattice) -> None:
    rows = look(draw(matrix, 5, 3.0))
    assert is_lattice_of(rows[0], matrix)
    assert np.all(np.diff(rows[:, 0]) <= 0)


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    angle=st.floats(0, 360),
    scale=st.floats(0.82, 1.2),
    stretch=st.floats(0.87, 1.15),
    shear=st.floats(-0.25, 0.25),
    noise=st.floats(0, 2.5),
)
def test_search_finds_any_mild_map(
    seed: int, angle: float, scale: float, stretch: float, shear: float, noise: float
) -> None:
    shape = np.array([[stretch, shear], [0, 1 / stretch]])
    matrix = scale * turn(angle) @ shape
    rows = look(draw(matrix, seed, noise))
    assert any(is_lattice_of(row, matrix) for row in rows)


@pytest.mark.parametrize("scale", [*sync.SCALES, 1.0])
def test_search_covers_the_scales_that_it_promises(scale: float) -> None:
    matrix = scale * turn(17)
    size = (round(330 * scale), round(360 * scale))
    assert is_lattice_of(look(draw(matrix, 6, 2.0, size))[0], matrix)


def test_search_tells_noise_from_a_lattice() -> None:
    noise = [
        look(np.random.default_rng(seed).normal(size=SIZE).astype(np.float32))[0, 0]
        for seed in range(4)
    ]
    assert max(noise) < 12
    assert look(draw(turn(9), 7, 3.0))[0, 0] > 2 * max(noise)


def test_search_returns_different_lattices() -> None:
    rows = look(np.random.default_rng(8).normal(size=SIZE).astype(np.float32), best=6)
    assert 1 < len(rows) <= 6
    for i, row in enumerate(rows):
        for other in rows[:i]:
            assert np.abs(row[1:] - other[1:]).max() >= 1


def test_search_of_a_constant_picture_ends() -> None:
    rows = look(np.zeros(SIZE, np.float32))
    assert np.isfinite(rows).all()


# --- a loud lattice beside the mark's -------------------------------------------------


def lattice_lags(matrix: Lattice, each: float, most: int) -> Float:
    """A table of lags with bumps of one height at the first multiples of a lattice."""
    table = np.zeros((REACH + 1, 2 * REACH + 1), np.float32)
    y, x = np.mgrid[: REACH + 1, -REACH : REACH + 1]
    a, b = PERIOD * matrix.T
    steps = [(m, n) for m in range(-3, 4) for n in range(-3, 4) if m or n]
    for m, n in sorted(steps, key=lambda step: np.hypot(*step))[: 2 * most]:
        at = m * a + n * b
        distance = (x - at[0]) ** 2 + (y - at[1]) ** 2
        table += (each * np.exp(-distance / 6)).astype(np.float32)
    return table


def test_a_loud_lattice_with_few_lags_does_not_hide_a_faint_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As where lines of text repeat: two lags stand out a hundredfold, the others not.
    mark, text = turn(17), np.diag([0.9, 1.15])
    noise = np.random.default_rng(9).normal(size=(REACH + 1, 2 * REACH + 1))
    values = (noise + lattice_lags(mark, 4, 24) + lattice_lags(text, 300, 2)).astype(
        np.float32
    )
    found = correlation.Autocorrelation(values, SIZE)
    rows = sync.search(found, PERIOD, 4)
    assert is_lattice_of(rows[0], mark, 0.02)

    monkeypatch.setattr(sync, "VALUE_CLIP", 1e9)
    loudest = sync.search(found, PERIOD, 4)
    assert not any(is_lattice_of(row, mark, 0.02) for row in loudest)


def test_a_pasted_word_does_not_hide_the_mark() -> None:
    # One word of strong contrast, some thirty times on a grid of its own.
    flat = draw(turn(-28), 10, 1.5)
    word = 12 * np.random.default_rng(11).normal(size=(14, 40))
    word = cv2.GaussianBlur(word, (0, 0), 1.2).astype(np.float32)
    for top in range(10, 300, 58):
        for left in range(6, 310, 62):
            flat[top : top + 14, left : left + 40] += word
    assert any(is_lattice_of(row, turn(-28)) for row in look(flat))


# --- upright --------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.75, 1.0, 1.13, 1.3])
def test_upright_finds_the_scale_of_few_tiles(scale: float) -> None:
    # Two tiles by three, where no peak stands out of the noise by itself.
    size = (round(2 * PERIOD * scale), round(3 * PERIOD * scale))
    for seed in range(4):
        flat = draw(scale * np.eye(2), seed, 2.0, size)
        found = correlation.autocorrelation(flat, PERIOD, BAND, REACH)
        rows = sync.upright(found, PERIOD, 8)
        assert rows.shape == (8, 5)
        assert np.all(np.diff(rows[:, 0]) <= 0)
        assert np.abs(rows[:, 1] / PERIOD / scale - 1).min() < 0.007


def test_upright_lattices_are_scaled_only_and_within_the_range() -> None:
    flat = np.random.default_rng(12).normal(size=(130, 190)).astype(np.float32)
    found = correlation.autocorrelation(flat, PERIOD, BAND, REACH)
    rows = sync.upright(found, PERIOD, 1000)
    np.testing.assert_array_equal(rows[:, 1], rows[:, 4])
    np.testing.assert_array_equal(rows[:, 2:4], 0)
    sides = np.sort(rows[:, 1]) / PERIOD
    assert sides[0] == pytest.approx(sync.SCALES[0])
    assert sides[-1] == pytest.approx(sync.SCALES[1], rel=0.01)
    # So dense that the carriers of a tile or two stay in step.
    assert (sides[1:] / sides[:-1]).max() < 1.01
    assert np.isfinite(rows).all()
