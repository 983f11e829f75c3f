from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.kernels import masking, spread
from synthmark.labeling.keys import Key
from synthmark.labeling.marks.lattice import (
    IMAGE,
    View,
    flatten,
    layout_of,
    luma_of,
    resize,
)
from synthmark.labeling.marks.strength import compressed, earlier, limit, survey
from synthmark.labeling.payload import Payload

Pixels = NDArray[np.uint8]
Float = NDArray[np.float32]
Complex = NDArray[np.complex64]
Maker = Callable[..., Pixels]


@pytest.fixture(scope="module")
def small(scene: Maker) -> Float:
    """Luma at a canonical size."""
    return luma_of(scene(512, 640))


@pytest.fixture(scope="module")
def spectrum(key: Key, payload: Payload) -> Complex:
    return layout_of(key, IMAGE).spectrum(payload)


def mark_of(
    small: Float, spectrum: Complex, shift: tuple[float, float] = (0, 0)
) -> Float:
    """A mark of an amplitude of one level in flat places."""
    tile = IMAGE.carriers.synthesize(IMAGE.carriers.shifted(spectrum, *shift))
    return masking.texture(small) * spread.place(tile, *small.shape)


def jpeg(luma: Float, quality: int) -> Float:
    levels = np.clip(np.rint(luma), 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", levels, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32)


def is_read(luma: Float, key: Key, payload: Payload, spectrum: Complex) -> bool:
    """Whether a mark can be read where it is known to stand."""
    total = View.through(
        flatten(luma, min(luma.shape), IMAGE.band), IMAGE.carriers
    ).total()
    layout = layout_of(key, IMAGE)
    # The layout's carriers without a shift, from those with one.
    straight = total * np.conj(spectrum) * layout.spectrum(payload)
    hit = layout.decode(straight.astype(np.complex64))
    return hit is not None and hit.payload == payload and hit.p_value < 1e-9


# --- survey ---------------------------------------------------------------------------


@pytest.mark.parametrize("place", [(17, 80), (95, 1), (48, 48)])
def test_the_picture_chooses_the_place_of_the_tile(
    small: Float, spectrum: Complex, place: tuple[int, int]
) -> None:
    # A picture that speaks for one place loudly: it holds a faint tile there.
    biased = small + 0.12 * mark_of(small, spectrum, place)
    found = survey(biased, masking.texture(biased), spectrum)
    distance = (np.subtract(found.shift, place) + 48) % IMAGE.carriers.tile - 48
    assert np.abs(distance).max() <= 1


@pytest.mark.parametrize("seed", range(4))
def test_the_chosen_place_agrees_with_the_picture_more_than_others(
    scene: Maker, spectrum: Complex, seed: int
) -> None:
    small = luma_of(scene(256, 400, seed=seed))
    shift = survey(small, masking.texture(small), spectrum).shift
    plain = View.through(flatten(small, 256, IMAGE.band), IMAGE.carriers).total()

    def agreement(x: float, y: float) -> float:
        return float(np.vdot(IMAGE.carriers.shifted(spectrum, x, y), plain).real)

    places = np.random.default_rng(seed).integers(0, 96, (400, 2))
    others = np.array([agreement(x, y) for x, y in places])
    assert agreement(*shift) > others.mean() + 2.5 * others.std()


def test_what_the_picture_holds_is_told_without_the_trial(
    small: Float, spectrum: Complex
) -> None:
    found = survey(small, masking.texture(small), spectrum)
    plain = View.through(
        flatten(small, min(small.shape), IMAGE.band), IMAGE.carriers
    ).total()

    def likeness(a: Complex, b: Complex) -> float:
        return float(np.vdot(a, b).real / np.linalg.norm(a) / np.linalg.norm(b))

    # The trial stood at the first pixel; nothing of it is left.
    assert abs(likeness(found.rest, spectrum)) < 0.05
    assert likeness(found.rest, plain) > 0.7


def test_the_amplitude_is_bounded_and_grows_where_reading_is_hard(
    spectrum: Complex,
) -> None:
    # Stripes hide nothing and disturb: a mark in them needs more than in plain paper.
    luma = np.full((512, 1024), 128, np.float32)
    luma[:, 512:] += 60 * np.sign(np.sin(np.arange(512) / 2.7)).astype(np.float32)
    luma += np.random.default_rng(1).normal(0, 1, luma.shape).astype(np.float32)
    found = survey(luma, masking.texture(luma), spectrum)
    assert found.amplitude.shape == luma.shape
    assert found.amplitude.dtype == np.float32
    assert found.amplitude.min() > 0
    assert found.amplitude.max() <= 1
    assert found.amplitude[:, 800:].mean() > 1.5 * found.amplitude[:, :200].mean()


def test_a_constant_picture_can_be_surveyed(spectrum: Complex) -> None:
    luma = np.full((256, 256), 77, np.float32)
    found = survey(luma, masking.texture(luma), spectrum)
    assert np.isfinite(found.amplitude).all()
    assert np.isfinite(found.rest).all()


# --- compression ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_amplitude_for_compression_is_about_what_it_takes(
    scene: Maker, key: Key, payload: Payload, spectrum: Complex, seed: int
) -> None:
    luma = luma_of(scene(512, 700, seed=seed))
    shift = survey(luma, masking.texture(luma), spectrum).shift
    placed = IMAGE.carriers.shifted(spectrum, *shift)
    mark = mark_of(luma, placed)
    needed = compressed(luma, mark, layout_of(key, IMAGE), placed)
    assert 0.02 < needed < 1
    assert is_read(jpeg(luma + 1.3 * needed * mark, 10), key, payload, placed)
    assert not is_read(jpeg(luma + 0.4 * needed * mark, 10), key, payload, placed)


def test_where_nothing_survives_all_that_is_allowed_is_asked_for(
    key: Key, spectrum: Complex
) -> None:
    luma = np.full((512, 512), 128, np.float32)
    mark = mark_of(luma, spectrum)
    assert compressed(luma, mark, layout_of(key, IMAGE), spectrum) > 5


@pytest.mark.parametrize(("height", "width"), [(600, 5000), (1100, 6000)])
def test_a_panorama_needs_no_more_than_its_middle(
    scene: Maker, key: Key, spectrum: Complex, height: int, width: int
) -> None:
    def needed(luma: Float) -> float:
        scale = IMAGE.canonical_side(height) / height
        small = resize(luma, *(round(size * scale) for size in luma.shape))
        mark = mark_of(small, spectrum)
        return compressed(luma, mark, layout_of(key, IMAGE), spectrum)

    luma = luma_of(scene(height, width))
    assert needed(luma) < 2 * needed(luma[:, width // 3 : width * 2 // 3])


# --- visibility -----------------------------------------------------------------------


def test_the_limit_of_a_constant_picture_is_the_same_everywhere() -> None:
    luma = np.full((256, 300), 90, np.float32)
    bound = limit(luma, masking.texture(luma), 1.0)
    assert np.ptp(bound) < 1e-3 * bound.mean()
    assert 0.1 < bound.mean() < 2


def test_an_edge_hides_no_more_than_what_is_beside_it() -> None:
    # Its variance is large, and its mask says that nothing can be hidden there.
    luma = np.full((256, 512), 60, np.float32)
    luma[:, 200:] = 220
    luma[:, 210:] = 90
    mask = masking.texture(luma)
    bound = limit(luma, mask, 1.0) * mask
    assert bound.max() < 1.5 * bound.min()


def test_the_limit_follows_the_texture(scene: Maker) -> None:
    luma = np.full((256, 512), 128, np.float32)
    luma[:, 200:] = luma_of(scene(256, 312))
    luma += np.random.default_rng(2).normal(0, 0.5, luma.shape).astype(np.float32)
    mask = masking.texture(luma)
    bound = limit(luma, mask, 1.0) * mask
    assert bound[:, 300:].mean() > 2 * bound[:, :150].mean()
    # And stays below what would be seen in any texture.
    assert bound.max() < 8


def test_a_mark_that_is_seen_larger_must_be_fainter(small: Float) -> None:
    # Enlarged, the tile's waves are longer and the eye blurs them less.
    mask = masking.texture(small)
    means = [limit(small, mask, scale).mean() for scale in (2.0, 1.0, 0.5)]
    assert np.all(np.diff(means) < 0)


# --- an earlier mark ------------------------------------------------------------------


def rest_of(small: Float, key: Key) -> Complex:
    spectrum = layout_of(key, IMAGE).spectrum(Payload(issuer=1, serial=1))
    return survey(small, masking.texture(small), spectrum).rest


def test_an_earlier_mark_of_the_key_is_found_and_can_be_taken_away(
    small: Float, key: Key, payload: Payload, spectrum: Complex
) -> None:
    mark = 0.25 * mark_of(small, spectrum, (40, 7))
    marked = small + mark
    mask = masking.texture(marked)
    found = earlier(marked, mask, layout_of(key, IMAGE), rest_of(marked, key))
    assert found is not None
    hit, old = found
    assert hit.payload == payload
    # Most of the mark goes, and little else.
    assert np.linalg.norm(mark - old) < 0.5 * np.linalg.norm(mark)
    placed = IMAGE.carriers.shifted(spectrum, 40, 7)
    assert is_read(marked, key, payload, placed)
    assert not is_read(marked - old, key, payload, placed)


def test_other_marks_and_none_are_not_taken_for_an_earlier_one(
    small: Float, key: Key, others: list[Key], spectrum: Complex
) -> None:
    mask = masking.texture(small)
    marked = small + 0.25 * mark_of(small, spectrum)
    for picture, who in ((small, key), (marked, others[0])):
        rest = rest_of(picture, who)
        assert earlier(picture, mask, layout_of(who, IMAGE), rest) is None
