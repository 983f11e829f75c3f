from __future__ import annotations

import itertools
from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from synthmark.labeling.errors import UsageError
from synthmark.labeling.fingerprints.comparison import compare
from synthmark.labeling.fingerprints.fingerprint import IMAGE, Fingerprint
from synthmark.labeling.fingerprints.image import Portrait, fingerprint_image, mirrored
from synthmark.labeling.model import Transform

Pixels = NDArray[np.uint8]
Change = Callable[[Image.Image], Image.Image]


def jpeg(image: Image.Image) -> Image.Image:
    file = BytesIO()
    image.save(file, "JPEG", quality=30)
    return Image.open(file)


def share(image: Image.Image, part: float) -> Image.Image:
    w, h = image.size
    left, top = round(0.3 * (1 - part) * w), round(0.6 * (1 - part) * h)
    return image.crop((left, top, left + round(part * w), top + round(part * h)))


def framed(image: Image.Image) -> Image.Image:
    w, h = image.size
    screen = Image.new("RGB", (round(1.3 * w), round(1.3 * h)), "#dddddd")
    screen.paste(image, (round(0.1 * w), round(0.2 * h)))
    return screen


def noticed(image: Image.Image) -> Image.Image:
    out = image.copy()
    w, h = image.size
    ImageDraw.Draw(out).rectangle((0, round(0.85 * h), w, h), "black", "white")
    return out


CHANGES: dict[str, Change] = {
    "jpeg 30": jpeg,
    "quarter size": lambda image: image.resize((image.width // 4, image.height // 4)),
    "double size": lambda image: image.resize((image.width * 2, image.height * 2)),
    "other shape": lambda image: image.resize((image.width, image.height * 4 // 5)),
    "half the area": lambda image: share(image, 0.71),
    "turned by 20": lambda image: share(
        image.rotate(20, Image.Resampling.BICUBIC), 0.7
    ),
    "turned by 137": lambda image: image.rotate(
        137, Image.Resampling.BICUBIC, expand=True
    ),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "on its side": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "on a screen": framed,
    "with a notice": noticed,
    "dark": lambda image: ImageEnhance.Brightness(image).enhance(0.5),
    "gray": lambda image: image.convert("L").convert("RGB"),
    "strong contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.5),
}


def changed(pixels: Pixels, name: str) -> Fingerprint:
    return fingerprint_image(
        np.array(CHANGES[name](Image.fromarray(pixels)).convert("RGB"))
    )


@pytest.mark.parametrize("name", CHANGES)
def test_handling_leaves_the_content_the_same(
    name: str, pictures: dict[str, Pixels]
) -> None:
    for title, pixels in pictures.items():
        if title == "document":  # the lines of a page are alike; see below
            continue
        found = compare(changed(pixels, name), fingerprint_image(pixels))
        assert found.same is True, (title, found)
        assert found.p_value < 0.06
        assert 0 < found.similarity <= 1


def test_a_page_of_text_stays_the_same_when_it_is_not_cut(
    pictures: dict[str, Pixels],
) -> None:
    page = pictures["document"]
    for name in (
        "jpeg 30",
        "quarter size",
        "gray",
        "dark",
        "mirrored",
        "with a notice",
    ):
        assert compare(changed(page, name), fingerprint_image(page)).same, name


@pytest.mark.parametrize("name", CHANGES)
def test_a_plain_picture_is_never_said_to_differ(name: str) -> None:
    ramp = np.linspace(60, 200, 640) + np.linspace(0, 30, 360)[:, None]
    sweep = np.repeat(ramp.astype(np.uint8)[:, :, None], 3, axis=2)
    assert compare(changed(sweep, name), fingerprint_image(sweep)).same is not False


def test_different_pictures_differ(pictures: dict[str, Pixels]) -> None:
    values = {title: fingerprint_image(pixels) for title, pixels in pictures.items()}
    for a, b in itertools.combinations(values, 2):
        found = compare(values[a], values[b])
        assert found.same is False, (a, b, found)
        assert found.p_value > 0.1


@pytest.mark.parametrize(
    ("quarter", "mirror"), list(itertools.product(range(4), (0, 1)))
)
def test_what_the_mark_shows_narrows_the_search(
    quarter: int, mirror: int, pictures: dict[str, Pixels]
) -> None:
    pixels = pictures["scene"]
    changed = np.rot90(pixels[:, ::-1] if mirror else pixels, quarter)
    turn = (90.0 * quarter + 180) % 360 - 180
    known = Transform(
        rotation_deg=turn,
        scale_x=1.0,
        scale_y=1.0,
        flipped=bool(mirror),
        matrix=(1.0, 0.0, 0.0, 1.0),
        offset=(0.0, 0.0),
    )
    at_hand, record = fingerprint_image(changed), fingerprint_image(pixels)
    assert compare(at_hand, record, transform=known).same
    if quarter == 1:  # a mark that shows another turn was not made for this content
        back = Transform(
            **{
                **{n: getattr(known, n) for n in Transform.__slots__},
                "rotation_deg": -turn,
            }
        )
        assert compare(at_hand, record, transform=back).same is False


def test_hash_of_a_turned_picture_is_computed_without_its_pixels(
    pictures: dict[str, Pixels],
) -> None:
    pixels = cv2.resize(pictures["scene"], (512, 512))
    hashes = {
        bytes(h)
        for h in mirrored(Portrait.unpack(fingerprint_image(pixels).value).whole)
    }
    assert len(hashes) == 8
    for quarter, flip in itertools.product(range(4), (1, -1)):
        turned = Portrait.unpack(
            fingerprint_image(np.rot90(pixels, quarter)[:, ::flip]).value
        )
        apart = min(
            np.bitwise_count(np.frombuffer(h, np.uint8) ^ turned.whole).sum()
            for h in hashes
        )
        assert apart <= 2


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((300, 400, 3), 200, np.uint8),
        np.zeros((1, 1), np.uint8),
        np.zeros((1, 5000, 3), np.uint8),
        np.full((2, 2, 4), 9, np.uint8),
    ],
    ids=["blank", "one pixel", "a line", "four pixels"],
)
def test_what_holds_no_content_cannot_be_told(pixels: Pixels) -> None:
    blank = fingerprint_image(pixels)
    found = compare(blank, blank)
    assert (found.same, found.p_value, found.similarity) == (None, 1, 0)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from([0, 1, 3, 4]),
    st.integers(0, 9),
)
def test_any_size_gives_a_fingerprint_of_less_than_a_kilobyte(
    height: int, width: int, channels: int, seed: int
) -> None:
    shape = (height, width, channels) if channels else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    fingerprint = fingerprint_image(pixels)
    assert fingerprint.algorithm == IMAGE
    assert len(fingerprint.value) < 900
    assert Portrait.unpack(fingerprint.value).pack() == fingerprint.value
    compare(fingerprint, fingerprint)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((9, 9), np.nan),
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 5, 2), np.uint8),
        np.zeros(7, np.uint8),
        "picture",
        None,
    ],
)
def test_what_is_no_picture_is_refused(pixels: Pixels) -> None:
    with pytest.raises(UsageError, match="picture"):
        fingerprint_image(pixels)


def test_malformed_values_are_refused(pictures: dict[str, Pixels]) -> None:
    good = fingerprint_image(pictures["small"])
    value = good.value
    size = slice(64, 68)
    broken = [
        value[:1],
        value[:68],
        value[:-1],
        value + b"\0",
        value[:64] + bytes(4) + value[68:],
        value[:64] + b"\xff" * 4 + value[68:],
        value[:-1] + b"\xff",  # beyond five signs
        value[:64] + value[size][::-1] + value[68:] + b"\1",
    ]
    for one in broken:
        with pytest.raises(UsageError, match="fingerprint"):
            compare(Fingerprint(algorithm=IMAGE, value=one), good)
    for algorithm in ("synthmark-image/2", "audio-fingerprint/1"):
        with pytest.raises(UsageError, match="fingerprint"):
            compare(Fingerprint(algorithm=algorithm, value=value), good)
    other = Fingerprint(algorithm="other/1", value=value)
    with pytest.raises(UsageError, match="not known"):
        compare(other, other)
