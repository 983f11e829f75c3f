from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from synthmark.labeling.marks import image
from synthmark.labeling.marks.image import SCHEME, detect_image, embed_image
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
    found(out)
    hit = detect_image(out, others[0])
    assert hit.payload == second
    assert detect_image(out, [others[0], key]).key_id == others[0].id
    assert detect_image(out, [key, others[0]]).key_id == key.id


def test_marking_twice_is_stable(
    marked_scene: Pixels, key: Key, payload: Payload, found: Finder
) -> None:
    found(embed_image(marked_scene, payload, key))


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


class Exhaustive:
    """A decoder that returns the likeliest of all words, whatever it is worth."""

    def __init__(self, code: Any) -> None:
        self.encode = code.encode
        self.messages = np.array(
            [[n >> i & 1 for i in range(code.message_bits)] for n in range(256)],
            np.uint8,
        )
        self.book = 1 - 2.0 * np.array([self.encode(m) for m in self.messages])

    def decode(self, soft: NDArray[np.float32]) -> NDArray[np.uint8]:
        return self.messages[np.argmax(self.book @ soft)]


def test_p_value_of_one_read_is_a_bound(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With a payload of 8 bits the best of all words can be had, so that every read
    # is a hit and the bound over the whole code is put to the test.
    monkeypatch.setattr(image, "PAYLOAD_BITS", 8)
    decoder = Exhaustive(image._Layout(key).code)
    rng = np.random.default_rng(3)
    shape = (6, len(image.CARRIERS.frequencies))
    values = []
    for number in range(400):
        layout = image._Layout(Key.from_bytes(number.to_bytes(32, "big")))
        layout.code = decoder
        spectra = rng.normal(size=shape) + 1j * rng.normal(size=shape)
        # A host with a few strong carriers is as likely as any other.
        spectra *= rng.exponential(size=shape[1]) ** 2
        view = image._View(spectra.astype(np.complex64), np.eye(2))
        hit = image._read(view, np.ones(6, np.float32), layout)
        assert hit is not None
        values.append(hit.p_value)
    for x in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01):
        slack = 3 * math.sqrt(x * (1 - x) / len(values))
        assert np.mean(np.array(values) <= x) <= x + slack
    # A bound so loose that nothing ever passes would say as little.
    assert min(values) < 1


def test_p_value_covers_all_reads(
    key: Key, payload: Payload, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Forty reads whose p-values are exact: the search may not raise their chance.
    view = image._View(
        np.zeros((1, len(image.CARRIERS.frequencies)), np.complex64), np.eye(2)
    )
    rng = np.random.default_rng(4)
    hit_of = {"payload": payload, "score": 0.5, "turn": np.eye(2, dtype=np.int64)}
    monkeypatch.setattr(image, "_views", lambda _: [view] * 40)
    monkeypatch.setattr(
        image, "_read", lambda *_: image._Hit(p_value=rng.random(), **hit_of)
    )
    pixels = np.zeros((64, 64), np.uint8)
    for limit in (0.3, 0.1, 0.03):
        monkeypatch.setattr(image, "P_VALUE_LIMIT", limit)
        hits = [detect_image(pixels, key).found for _ in range(600)]
        slack = 3 * math.sqrt(limit * (1 - limit) / len(hits))
        assert 0 < np.mean(hits) <= limit + slack


# --- bounded work ---------------------------------------------------------------------


def test_a_long_strip_reads_back(
    scene: Maker, key: Key, payload: Payload, found: Finder
) -> None:
    found(embed_image(scene(96, 18000)[..., 0], payload, key))


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
