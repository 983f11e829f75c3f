from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

import synthmark
from synthmark.labeling.errors import TooSmallForMark, UsageError
from synthmark.labeling.keys import Key
from synthmark.labeling.marks import image, search
from synthmark.labeling.marks.image import SCHEME, detect_image, embed_image
from synthmark.labeling.marks.lattice import IMAGE, Layout, Look, layout_of
from synthmark.labeling.marks.words import Hit
from synthmark.labeling.model import Detection
from synthmark.labeling.payload import Payload

Pixels = NDArray[np.uint8]
Maker = Callable[..., Pixels]
Finder = Callable[..., Detection]


def samples() -> list[Path]:
    folder = Path(synthmark.__file__).parent / "samples"
    kinds = (".png", ".jpg", ".jpeg", ".webp")
    return sorted(path for path in folder.rglob("*") if path.suffix in kinds)


def assert_nothing(hit: Detection) -> None:
    assert hit == Detection(
        found=False, payload=None, p_value=1.0, score=0.0, scheme=SCHEME
    )


# --- round trips ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "size",
    [
        (96, 96),
        (100, 600),
        (131, 97),
        (255, 640),
        (500, 333),
        (511, 513),
        (1000, 1500),
        (2000, 1333),
    ],
)
def test_any_size_reads_back(
    picture: Maker, key: Key, payload: Payload, found: Finder, size: tuple[int, int]
) -> None:
    pixels = picture(*size)
    out = embed_image(pixels, payload, key)
    assert out.shape == pixels.shape
    assert out.dtype == np.uint8
    assert found(out).key_id == key.id


def test_the_smallest_picture_reads_back(
    picture: Maker, key: Key, payload: Payload, found: Finder
) -> None:
    found(embed_image(picture(image.LEAST_SIDE, image.LEAST_SIDE), payload, key))


@pytest.mark.parametrize("size", [(47, 47), (1, 1), (20, 5000), (5000, 1)])
def test_too_small_pictures_are_refused_and_empty(
    key: Key, payload: Payload, size: tuple[int, int]
) -> None:
    assert min(size) < image.LEAST_SIDE
    pixels = np.full(size, 90, np.uint8)
    with pytest.raises(TooSmallForMark, match=f"{size[1]} x {size[0]} pixels"):
        embed_image(pixels, payload, key)
    assert_nothing(detect_image(pixels, key))


@pytest.mark.parametrize(
    "path", samples() or [None], ids=lambda path: path and path.name
)
def test_samples_read_back(
    key: Key, payload: Payload, found: Finder, path: Path | None
) -> None:
    if path is None:
        pytest.skip("there are no sample pictures")
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGBA" if "A" in picture.mode else "RGB"))
    found(embed_image(pixels, payload, key))


@pytest.mark.parametrize("size", [(128, 128), (600, 400)])
def test_a_constant_picture_reads_back(
    key: Key, payload: Payload, found: Finder, size: tuple[int, int]
) -> None:
    for level in (0, 1, 128, 254, 255):
        found(embed_image(np.full(size, level, np.uint8), payload, key))


@settings(max_examples=20, deadline=None)
@given(
    number=st.sampled_from([0, 2**64 - 1]) | st.integers(0, 2**64 - 1),
    secret=st.binary(min_size=32, max_size=32),
)
def test_any_payload_reads_back_with_any_key(
    scene: Maker, number: int, secret: bytes
) -> None:
    key, payload = Key.from_bytes(secret), Payload.from_int(number)
    hit = detect_image(embed_image(scene(128, 150), payload, key), key)
    assert hit.payload == payload
    assert hit.key_id == key.id


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_rgb_and_rgba_read_back(
    scene: Maker, key: Key, payload: Payload, found: Finder, channels: int
) -> None:
    pixels = scene(240, 320)
    if channels == 1:
        pixels = pixels[..., 1]
    if channels == 4:
        alpha = np.linspace(0, 255, 320).astype(np.uint8)
        pixels = np.dstack([pixels, np.tile(alpha, (240, 1))])
    out = embed_image(pixels, payload, key)
    assert out.shape == pixels.shape
    if channels == 4:
        np.testing.assert_array_equal(out[..., 3], pixels[..., 3])
    found(out)


def test_transparent_pixels_stay_as_they_are(
    scene: Maker, key: Key, payload: Payload, found: Finder
) -> None:
    pixels = np.dstack([scene(200, 300), np.full((200, 300), 255, np.uint8)])
    pixels[50:120, 80:160, 3] = 0
    pixels[150:, :, 3] = 1
    out = embed_image(pixels, payload, key)
    hidden = pixels[..., 3] == 0
    np.testing.assert_array_equal(out[hidden], pixels[hidden])
    assert (out[150:] != pixels[150:]).any()
    found(out)


def test_grey_pixels_stay_grey(scene: Maker, key: Key, payload: Payload) -> None:
    grey = np.repeat(scene(200, 300)[..., :1], 3, axis=2)
    out = embed_image(grey, payload, key)
    np.testing.assert_array_equal(out[..., 0], out[..., 2])
    np.testing.assert_array_equal(out[..., 0], out[..., 1])


def test_the_same_input_gives_the_same_bytes(
    scene: Maker, key: Key, others: list[Key], payload: Payload
) -> None:
    pixels = scene(300, 200)
    before = pixels.copy()
    first = embed_image(pixels, payload, key)
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(first, embed_image(before, payload, key))
    same_key = Key.from_bytes(bytes(range(32)))
    np.testing.assert_array_equal(first, embed_image(before, payload, same_key))
    assert detect_image(first, key) == detect_image(first.copy(), key)
    assert (embed_image(before, Payload(issuer=7, serial=1), key) != first).any()
    assert (embed_image(before, payload, others[0]) != first).any()


def test_memory_layout_does_not_matter(
    scene: Maker, key: Key, payload: Payload, found: Finder
) -> None:
    pixels = scene(200, 300)
    expected = embed_image(pixels, payload, key)
    mirrored = np.ascontiguousarray(pixels[:, ::-1])[:, ::-1]
    wide = np.zeros((200, 600, 3), np.uint8)
    wide[:, ::2] = pixels
    frozen = pixels.copy()
    frozen.flags.writeable = False
    for view in (np.asfortranarray(pixels), mirrored, wide[:, ::2], frozen):
        np.testing.assert_array_equal(embed_image(view, payload, key), expected)
    hit = found(expected)
    assert detect_image(np.asfortranarray(expected), key) == hit
    assert detect_image(np.ascontiguousarray(expected[::-1])[::-1], key) == hit


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((64, 64, 3), np.float32),
        np.zeros((64, 64), np.uint16),
        np.zeros((64, 64), np.bool_),
        np.zeros((64, 64, 2), np.uint8),
        np.zeros((64, 64, 1), np.uint8),
        np.zeros((64, 64, 3, 1), np.uint8),
        np.zeros(64, np.uint8),
        np.zeros((0, 64), np.uint8),
        np.zeros((64, 0, 3), np.uint8),
        [[0, 0], [0, 0]],
        b"picture",
        None,
    ],
    ids=lambda pixels: f"{type(pixels).__name__} {np.shape(pixels)}",
)
def test_what_is_not_a_picture_is_refused(
    key: Key, payload: Payload, pixels: Any
) -> None:
    with pytest.raises(UsageError, match="array of uint8"):
        embed_image(pixels, payload, key)
    with pytest.raises(UsageError, match="array of uint8"):
        detect_image(pixels, key)


@pytest.mark.parametrize("strength", [0, 0.2499, 4.001, -1, math.inf, math.nan])
def test_strength_out_of_range_is_refused(
    scene: Maker, key: Key, payload: Payload, strength: float
) -> None:
    with pytest.raises(UsageError, match="strength"):
        embed_image(scene(100, 100), payload, key, strength=strength)


def test_no_key_is_refused(scene: Maker) -> None:
    with pytest.raises(UsageError, match="key"):
        detect_image(scene(100, 100), [])


# --- keys -----------------------------------------------------------------------------


def test_another_key_finds_nothing(marked_scene: Pixels, others: list[Key]) -> None:
    assert_nothing(detect_image(marked_scene, others[:4]))


def test_a_list_of_keys_tells_which_one(
    marked_scene: Pixels, key: Key, others: list[Key], found: Finder
) -> None:
    assert found(marked_scene, [*others[:3], key, *others[3:5]]).key_id == key.id


def test_two_marks_on_one_picture_are_both_found(
    marked_scene: Pixels, key: Key, others: list[Key], found: Finder
) -> None:
    second = Payload(issuer=9, serial=2**40 - 1)
    out = embed_image(marked_scene, second, others[0])
    mine, other = found(out), detect_image(out, others[0])
    assert other.payload == second
    assert other.key_id == others[0].id
    # Of two keys the one that agrees more is told, whichever comes first.
    both = detect_image(out, [others[0], key])
    assert both == detect_image(out, [key, others[0]])
    assert (both.payload, both.key_id) in {
        (mine.payload, mine.key_id),
        (other.payload, other.key_id),
    }


def test_marking_twice_changes_nothing(
    marked: Pixels, key: Key, payload: Payload
) -> None:
    before = marked.copy()
    again = embed_image(marked, payload, key)
    np.testing.assert_array_equal(again, before)
    assert not np.shares_memory(again, marked)


def test_a_faded_mark_is_made_again(
    marked_scene: Pixels, key: Key, payload: Payload
) -> None:
    # Compression left it readable, but weak; strength asks for more than there is.
    _, encoded = cv2.imencode(
        ".jpg", marked_scene[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 15)
    )
    faded = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
    before = detect_image(faded, key)
    assert before.payload == payload
    assert detect_image(embed_image(faded, payload, key), key).score > before.score
    louder = embed_image(marked_scene, payload, key, strength=2)
    assert (louder != marked_scene).any()
    assert detect_image(louder, key).payload == payload


# --- false alarms ---------------------------------------------------------------------


def test_an_unmarked_picture_shows_nothing(picture: Maker, others: list[Key]) -> None:
    assert_nothing(detect_image(picture(240, 320), others[:3]))


def test_many_keys_find_nothing_in_a_small_picture(
    scene: Maker, others: list[Key]
) -> None:
    assert_nothing(detect_image(scene(60, 60), others))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_constant_picture_shows_nothing(others: list[Key], level: int) -> None:
    assert_nothing(detect_image(np.full((150, 200, 3), level, np.uint8), others[:2]))


@settings(max_examples=20, deadline=None)
@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, max_side=70)
        | st.tuples(st.integers(1, 70), st.integers(1, 70), st.sampled_from([3, 4])),
    )
)
def test_whatever_the_pixels_an_unmarked_picture_shows_nothing(
    key: Key, pixels: Pixels
) -> None:
    assert_nothing(detect_image(pixels, key))


# --- p-values -------------------------------------------------------------------------


@dataclass
class Lottery:
    """A look whose p-value is exact: any bound is met as often as it says."""

    layout: Layout
    rng: np.random.Generator
    draws: int = 0

    def decode(self) -> Hit:
        self.draws += 1
        payload = Payload.from_int(self.draws)
        return Hit(payload=payload, p_value=self.rng.random(), score=0.5)

    def transform(self) -> None:
        return None


def test_p_value_covers_all_reads(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    # Forty reads in four batches: the search may not raise their chance.
    look = Lottery(layout_of(key, IMAGE), np.random.default_rng(4))
    monkeypatch.setattr(image, "batches", lambda *_: [[look] * 10] * 4)
    pixels = np.zeros((64, 64), np.uint8)
    for limit in (0.3, 0.1, 0.03):
        monkeypatch.setattr(search, "P_VALUE_LIMIT", limit)
        look.draws = 0
        hits = [detect_image(pixels, key) for _ in range(600)]
        share = np.mean([hit.found for hit in hits])
        slack = 3 * math.sqrt(limit * (1 - limit) / len(hits))
        assert 0 < share <= limit + slack
        assert max(hit.p_value for hit in hits if hit.found) <= limit
        # Without a hit all of them were tried.
        assert look.draws > 40 * (1 - share) * len(hits) * 0.99


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Look]:
    """Every look that is decoded, in turn."""
    seen: list[Look] = []
    decode = Look.decode

    def spy(self: Look) -> Hit | None:
        seen.append(self)
        return decode(self)

    monkeypatch.setattr(Look, "decode", spy)
    return seen


def test_a_marked_picture_is_read_at_the_first_try(
    marked: Pixels, others: list[Key], key: Key, found: Finder, decoded: list[Look]
) -> None:
    # The likeliest look comes first, whatever the key.
    found(marked, [*others[:5], key])
    assert len(decoded) == 1


def test_reads_are_bounded_for_each_key(
    scene: Maker, others: list[Key], decoded: list[Look]
) -> None:
    pixels = scene(300, 400)
    for keys in (others[:1], others[:3]):
        decoded.clear()
        assert_nothing(detect_image(pixels, keys))
        assert 0 < len(decoded) <= 350 * len(keys)


# --- bounded work ---------------------------------------------------------------------


def test_a_long_strip_reads_back(
    scene: Maker, key: Key, payload: Payload, found: Finder
) -> None:
    found(embed_image(scene(96, 18000)[..., 0], payload, key))


def test_an_endless_strip_is_refused(key: Key, payload: Payload) -> None:
    with pytest.raises(TooSmallForMark, match="too long"):
        embed_image(np.full((96, 60_000), 90, np.uint8), payload, key)


def test_memory_for_a_strip_is_bounded(scene: Maker, key: Key) -> None:
    strip = scene(5000, 64)
    detect_image(scene(64, 64), key)
    tracemalloc.start()
    try:
        detect_image(strip, key)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 250e6
