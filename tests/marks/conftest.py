"""Pictures that the tests make themselves, and what every hit must look like."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.labeling.keys import Key
from synthmark.labeling.marks import image, search
from synthmark.labeling.model import Detection
from synthmark.labeling.payload import Payload

Pixels = NDArray[np.uint8]
Maker = Callable[..., Pixels]

KEY = Key.from_bytes(bytes(range(32)))
PAYLOAD = Payload(issuer=7, serial=123456)


def make_scene(height: int, width: int, seed: int = 0) -> Pixels:
    """Texture at every scale, as in a photograph."""
    rng = np.random.default_rng(seed)
    out = 120 + rng.normal(0, 2, (height, width, 1)).astype(np.float32)
    step, contrast = 3, 6.0
    while step < 2 * min(height, width):
        shape = (height // step + 2, width // step + 2, 3)
        coarse = rng.normal(0, contrast, shape).astype(np.float32)
        out = out + cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        step, contrast = 2 * step, 1.35 * contrast
    return np.clip(out, 0, 255).astype(np.uint8)


def make_gradient(height: int, width: int) -> Pixels:
    y, x = np.mgrid[:height, :width] / max(height, width)
    colors = np.stack([255 * x, 30 + 200 * y, 255 - 120 * (x + y)], axis=2)
    return np.clip(colors, 0, 255).astype(np.uint8)


def make_flat_art(height: int, width: int) -> Pixels:
    """Plain shapes on plain paper."""
    rng = np.random.default_rng(1)
    out = np.full((height, width, 3), (240, 235, 225), np.uint8)
    for number in range(25):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        reach = int(rng.integers(4, 6 + min(height, width) // 5))
        color = rng.integers(0, 256, 3).tolist()
        if number % 2:
            cv2.circle(out, (x, y), reach, color, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(out, (x, y), (x + 2 * reach, y + reach), color, -1)
    return out


@pytest.fixture(scope="session")
def key() -> Key:
    return KEY


@pytest.fixture(scope="session")
def others() -> list[Key]:
    return [Key.from_bytes(bytes([number] * 32)) for number in range(20)]


@pytest.fixture(scope="session")
def payload() -> Payload:
    return PAYLOAD


@pytest.fixture(scope="session")
def scene() -> Maker:
    return make_scene


@pytest.fixture(
    scope="session",
    params=[make_scene, make_gradient, make_flat_art],
    ids=["scene", "gradient", "flat_art"],
)
def picture(request: pytest.FixtureRequest) -> Maker:
    return request.param


@pytest.fixture(scope="session")
def marked_scene() -> Pixels:
    return image.embed_image(make_scene(480, 640), PAYLOAD, KEY)


@pytest.fixture(scope="session")
def marked(picture: Maker) -> Pixels:
    return image.embed_image(picture(480, 640), PAYLOAD, KEY)


@pytest.fixture(scope="session")
def found() -> Callable[..., Detection]:
    """Detect what must be there, and check what holds for every hit."""

    def detect(pixels: Pixels, keys: Key | list[Key] = KEY) -> Detection:
        hit = image.detect_image(pixels, keys)
        assert hit.found
        assert hit.payload == PAYLOAD
        assert 0 <= hit.p_value <= search.P_VALUE_LIMIT
        assert 0 < hit.score <= 1
        assert hit.scheme == image.SCHEME
        assert hit.transform is not None
        return hit

    return detect
