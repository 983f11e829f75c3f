"""Animations: every frame as it is seen, and files that play as they did."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from synthmark.labeling.errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from synthmark.labeling.media import animation
from synthmark.labeling.media.animation import (
    animation_source,
    encode,
    format_of,
    frames,
    read,
)

FORMATS = ["gif", "png", "webp"]
TIMES = [100, 0, 300, 70]


def pictures(transparent: bool) -> list[Image.Image]:
    """A square that wanders over a plain ground."""
    made = []
    for step in range(len(TIMES)):
        pixels = np.full((40, 60, 4), (20, 90, 60, 255), np.uint8)
        pixels[5:20, 5 + 9 * step : 15 + 9 * step, :3] = 255, 0, step
        if transparent:
            pixels[30:] = 0
            pixels[2:6, 10 * step : 10 * step + 5] = 0
        made.append(Image.fromarray(pixels if transparent else pixels[..., :3].copy()))
    return made


def saved(format: str, transparent: bool = False, **options: Any) -> bytes:
    first, *rest = pictures(transparent)
    if format == "gif" and transparent:
        options["disposal"] = 2
    if format == "webp":
        options |= {"lossless": True, "exact": True}
    file = BytesIO()
    first.save(
        file, format, save_all=True, append_images=rest, duration=TIMES, **options
    )
    return file.getvalue()


def seen(content: bytes) -> list[np.ndarray]:
    """Return all frames in RGBA, with nothing in what is transparent."""
    found = []
    for pixels, _ in frames(content):
        rgba = np.array(Image.fromarray(pixels).convert("RGBA"))
        rgba[rgba[..., 3] < 128] = 0
        found.append(rgba)
    return found


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("loop", [0, 3])
def test_an_animation_looks_the_same_in_every_format(
    source: str, target: str, transparent: bool, loop: int
) -> None:
    content = saved(source, transparent, loop=loop)
    assert animation_source(content) == content
    found = read(content)
    assert (found.format, found.width, found.height, found.count) == (source, 60, 40, 4)
    written = encode(found, frames(content), target)
    assert [time for _, time in frames(written)] == TIMES
    assert read(written).plays == found.plays
    np.testing.assert_array_equal(seen(written), seen(content))
    np.testing.assert_array_equal(
        seen(content), [np.array(p.convert("RGBA")) for p in pictures(transparent)]
    )


@pytest.mark.parametrize(
    ("loop", "plays"), [({}, 1), ({"loop": 0}, 0), ({"loop": 2}, 3)]
)
def test_a_gif_tells_how_often_it_is_shown_again(
    loop: dict[str, int], plays: int
) -> None:
    assert read(saved("gif", **loop)).plays == plays


def test_a_cover_stays_a_cover() -> None:
    first, *rest = pictures(False)
    file = BytesIO()
    options: Any = {"save_all": True, "append_images": rest, "default_image": True}
    first.save(file, "png", duration=TIMES[1:], **options)
    content = file.getvalue()
    found = read(content)
    assert (found.has_cover, found.count) == (True, 4)
    written = encode(found, frames(content), "png")
    assert read(written).has_cover
    np.testing.assert_array_equal(seen(written), seen(content))


def test_comments_and_profiles_stay() -> None:
    found = saved("gif", comment=b"the sea")
    with Image.open(BytesIO(encode(read(found), frames(found), "gif"))) as picture:
        assert picture.info["comment"] == b"the sea"
    content = saved("webp", icc_profile=b"x" * 16 + b"RGB " + b"x" * 9, xmp=b"<x/>")
    for format in ("png", "webp"):
        written = encode(read(content), frames(content), format)
        with Image.open(BytesIO(written)) as picture:
            assert picture.info["icc_profile"][16:20] == b"RGB "
            assert picture.info["xmp"] == b"<x/>"


def test_each_frame_of_a_gif_has_its_own_colors() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    still = read(saved("gif"))
    written = encode(still, [(pixels, 50) for pixels in noise], "gif")
    for (found, _), pixels in zip(frames(written), noise, strict=True):
        np.testing.assert_array_equal(found[:16, :16, :3], pixels)


def test_stills_are_no_animations_but_for_gif() -> None:
    for format in ("png", "webp", "jpeg", "gif"):
        file = BytesIO()
        pictures(False)[0].save(file, format)
        assert (animation_source(file.getvalue()) is None) == (format != "gif")
    assert animation_source(np.zeros((4, 4), np.uint8)) is None


def test_only_three_formats_move() -> None:
    assert [format_of(f"a.{name}") for name in ("GIF", "apng", "webp")] == FORMATS
    with pytest.raises(UnsupportedFormat, match=r"\.gif"):
        format_of("a.jpg")
    content = saved("gif")
    with pytest.raises(UnsupportedFormat, match="jpeg"):
        encode(read(content), frames(content), "jpeg")


def test_long_and_large_animations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved("gif")
    monkeypatch.setattr(animation, "MAX_PIXELS", 60 * 40 * 4 - 1)
    with pytest.raises(MediaTooLarge, match="4 frames of 60 x 40"):
        read(content)
    monkeypatch.setattr(animation, "MAX_FRAMES", 3)
    with pytest.raises(MediaTooLarge, match="more than 3 frames"):
        read(content)


def decoded(content: bytes) -> int:
    return read(content).count + len(list(frames(content)))


@pytest.mark.parametrize("format", FORMATS)
def test_truncation_is_told(format: str) -> None:
    content = saved(format)
    for length in range(13, len(content), 3):
        with pytest.raises(DamagedMedia):
            decoded(content[:length])


@given(st.data())
def test_flipped_bytes_never_crash(data: st.DataObject) -> None:
    content = bytearray(saved(data.draw(st.sampled_from(FORMATS)), transparent=True))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(12, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        if read(bytes(content)).count < 10:
            list(frames(bytes(content)))
    except (DamagedMedia, MediaTooLarge):
        pass
