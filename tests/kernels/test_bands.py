from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.kernels import bands

Array = NDArray[np.float64]
RATES = [8_000, 11_025, 16_000, 44_100, 48_000, 192_000]


def noise(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_a_window_lasts_32_ms_and_transforms_quickly(rate: int) -> None:
    size = len(bands.window(rate))
    assert 0.0315 <= size / rate <= 0.036
    for prime in (2, 3, 5):
        while size % prime == 0:
            size //= prime
    assert size == 1


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_spectra_are_those_of_windows_cut_by_hand(rate: int) -> None:
    signal = noise((rate // 4,))
    shape = bands.window(rate)
    half = len(shape) // 2
    first = 500
    ticks = np.array([0, 1, 7, 30, 70, 90])
    found = bands.spectra(signal, first, ticks, rate)
    silent = np.zeros(2 * rate, np.float32)
    silent[rate + first : rate + first + len(signal)] = signal
    for tick, spectrum in zip(ticks, found, strict=True):
        start = rate + round(tick * rate / 250) - half
        wanted = np.fft.rfft(silent[start : start + len(shape)] * shape)
        np.testing.assert_allclose(spectrum, wanted, atol=1e-3)


def test_windows_add_up_to_what_they_were_cut_from() -> None:
    rate = 22_050
    signal = noise((rate,))
    ticks = np.arange(0, 252, 2)
    shape = bands.window(rate)
    pieces = np.fft.irfft(bands.spectra(signal, 0, ticks, rate), len(shape))
    starts = bands.centers(ticks, rate) - len(shape) // 2
    added = bands.overlap_add(
        (pieces * shape).astype(np.float32), starts, shape**2, len(signal)
    )
    np.testing.assert_allclose(added, signal, atol=1e-4)


def test_levels_are_mean_loudness_in_decibels() -> None:
    rate, tile = 16_000, 6
    power = 100 * noise((40, 400)) ** 2
    sums = bands.loudness(power, rate)
    found = bands.levels(sums, rate / 512, 1.0, tile)
    loud = (power.astype(np.float64) + 1e-9) ** 0.15
    # A bin reaches half its width to each side, and bands take parts of bins.
    edges = bands.EDGES / (rate / 512) + 0.5
    for tick in (0, 11, 33):
        for band in (0, 9, 33):
            low, high = edges[band], edges[band + 1]
            total = 0.0
            for i in range(int(low), int(np.ceil(high))):
                share = min(high, i + 1) - max(low, i)
                total += share * loud[tick : tick + tile, i].mean()
            wanted = 10 / 0.15 * np.log10(total / (high - low))
            assert found[tick, band] == pytest.approx(wanted, abs=0.02)
    assert found.shape == (34, bands.BANDS)


def test_bands_beyond_the_spectrum_are_left_out_in_pairs() -> None:
    sums = bands.loudness(noise((20, 129)) ** 2, 8_000)
    for stretch in (0.8, 1.0, 1.27):
        count = bands.levels(sums, 8_000 / 256, stretch, 6).shape[1]
        assert count % 2 == 0
        assert bands.EDGES[count] * stretch <= 4_000
        assert bands.EDGES[count + 2] * stretch > 4_000


def test_levels_do_not_depend_on_the_rate() -> None:
    seconds = np.arange(0, 0.5, 1 / 48_000)
    tone = np.sin(2 * np.pi * 1_000 * seconds).astype(np.float32)
    found = []
    for rate, signal in ((48_000, tone), (16_000, tone[::3])):
        spectra = bands.spectra(signal, 0, np.arange(40, 80), rate)
        sums = bands.loudness(np.abs(spectra) ** 2, rate)
        spacing = rate / len(bands.window(rate))
        level = bands.levels(sums, spacing, 1.0, 6)[10]
        found.append(level[8:11])
    np.testing.assert_allclose(found[0], found[1], atol=1.0)


def mirrored(level: Array, tick: int, band: int) -> float:
    ticks, count = level.shape
    while not 0 <= tick < ticks:
        tick = -tick if tick < 0 else 2 * ticks - 2 - tick
    while not 0 <= band < count:
        band = -band if band < 0 else 2 * count - 2 - band
    return float(level[tick, band])


def test_what_follows_from_its_neighbors_is_foretold() -> None:
    # A level that is the mean of the tiles before and after it, and noise.
    slow = np.cumsum(noise((400, 12)), axis=0) / 3
    weights = bands.foretelling(slow.astype(np.float32), 6)
    assert weights.shape == (7, 5, bands.BANDS)
    assert np.all(weights[3, 2] == 0)
    assert np.all(weights[2, 2] > 0.15)
    assert np.all(weights[4, 2] > 0.15)


def test_low_and_high_bands_are_foretold_apart() -> None:
    level = 3 * noise((2000, 12))
    level[:, :4] = np.cumsum(level[:, :4], axis=0) / 9
    weights = bands.foretelling(level, 6)
    assert np.all(weights[2, 2, :4] > 0.2)
    assert np.all(np.abs(weights[2, 2, 4:]) < 0.1)


def test_residual_matches_a_plain_sum() -> None:
    level = (5 * noise((90, 8), 1)).astype(np.float32)
    weights = (0.1 * noise((7, 5, bands.BANDS), 2)).astype(np.float32)
    weights[3, 2] = 0
    tile = 4
    ticks, count = level.shape
    mean = level.astype(np.float64) - level.mean()
    rest = np.empty((ticks, count))
    for t in range(ticks):
        for b in range(count):
            told = sum(
                weights[i, j, b] * mirrored(mean, t + (i - 3) * tile, b + j - 2)
                for i in range(7)
                for j in range(5)
            )
            rest[t, b] = np.clip(mean[t, b] - told, -12, 12)
    found = bands.residual(level, tile, weights)
    for t in (0, 3, 41, 88):
        for b in range(count):
            near = rest[max(0, t - 6) : t + 7, max(0, b - 1) : b + 2] ** 2
            around = level[t, max(0, b - 3) : b + 4].mean()
            heard = 1 / (1 + np.exp(-(level[t, b] - around + 6) / 4))
            wanted = rest[t, b] / (near.mean() + 20) * heard
            assert found[t, b] == pytest.approx(wanted, abs=1e-4)


def test_the_floor_counts_little() -> None:
    level = np.full((200, 3), 20.0, np.float32)
    level[:20] = 0
    clear = bands.clearness(level)
    assert clear[:20] == pytest.approx(0.1, abs=0.01)
    assert clear[20:] == pytest.approx(1, abs=0.02)


def test_what_a_telephone_does_not_pass_counts_for_nothing() -> None:
    level = 3 * noise((400, 6)) + 40
    level[:, 4:] -= 70
    clear = bands.clearness(level)
    assert clear[:, 4:].max() < 0.01
    assert np.median(clear[:, :4]) > 0.7


def test_tile_levels_are_the_mean_power_of_their_bins() -> None:
    rate = 16_000
    power = noise((9, 257), 3) ** 2
    owner = bands.owners(257, rate)
    found = bands.tile_levels(power, owner, 3)
    assert found.shape == (3, bands.BANDS)
    for band in (0, 20, 33):
        mine = np.flatnonzero(owner == band)
        assert np.all(np.diff(mine) == 1)
        assert bands.EDGES[band] <= mine[0] * rate / 512
        assert mine[-1] * rate / 512 < bands.EDGES[band + 1]
        wanted = 10 * np.log10(power[3:6, mine].mean())
        assert found[1, band] == pytest.approx(wanted, abs=1e-3)
