from __future__ import annotations

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.labeling.errors import UsageError
from synthmark.labeling.keys import Key
from synthmark.labeling.marks.image import detect_image
from synthmark.labeling.marks.presence import MarkMap, locate_image, overlay_image
from synthmark.labeling.model import Detection

Pixels = NDArray[np.uint8]
Maker = Callable[..., Pixels]
Finder = Callable[..., Detection]


def patched(marked: Pixels, other: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
    """Cover about a fifth of a picture with another one."""
    height, width = marked.shape[:2]
    place = np.s_[height // 4 : height * 7 // 10, width // 2 : width * 19 // 20]
    out, mask = marked.copy(), np.zeros((height, width), np.bool_)
    out[place], mask[place] = other[place], True
    return out, mask


def overlap(missing: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    return float((missing & mask).sum() / (missing | mask).sum())


def test_a_whole_mark_is_present_everywhere(
    marked_scene: Pixels, key: Key, found: Finder
) -> None:
    presence = locate_image(marked_scene, key, found(marked_scene))
    assert presence.shape == marked_scene.shape[:2]
    assert presence.dtype == np.float32
    assert presence.min() >= 0
    assert presence.max() <= 1
    assert np.mean(presence < 0.5) < 0.05


@pytest.mark.parametrize("change", ["nothing", "jpeg", "half", "turned", "mirrored"])
def test_a_pasted_patch_is_missing(
    marked_scene: Pixels, scene: Maker, key: Key, found: Finder, change: str
) -> None:
    other = scene(*marked_scene.shape[:2], seed=9)
    pixels, mask = patched(marked_scene, other)
    height, width = mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 1)
    if change == "jpeg":
        _, encoded = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, 60))
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    elif change == "half":
        size = (width // 2, height // 2)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=3), np.uint8)
        mask = cv2.resize(mask.astype(np.uint8), size, interpolation=0) > 0
    elif change == "turned":
        pixels = np.asarray(cv2.warpAffine(pixels, turn, (width, height)), np.uint8)
        mask = cv2.warpAffine(mask.astype(np.uint8), turn, (width, height)) > 0
    elif change == "mirrored":
        pixels, mask = np.ascontiguousarray(pixels[:, ::-1]), mask[:, ::-1]
    presence = locate_image(pixels, key, found(pixels))
    missing = presence < 0.5
    if change == "turned":  # the black corners hold no mark either, and do not count
        inside = cv2.warpAffine(np.ones((height, width)), turn, (width, height)) > 0.5
        missing &= inside
    assert overlap(missing, mask) >= 0.6


def test_a_picture_beside_another_one_is_told_apart(
    marked_scene: Pixels, scene: Maker, key: Key, found: Finder
) -> None:
    both = np.hstack([marked_scene, scene(*marked_scene.shape[:2], seed=5)])
    presence = locate_image(both, key, found(both))
    width = marked_scene.shape[1]
    assert np.mean(presence[:, : width - 24] > 0.5) > 0.9
    assert np.mean(presence[:, width + 24 :] < 0.5) > 0.9


def test_the_offset_of_a_crop_is_told(
    marked_scene: Pixels, key: Key, found: Finder
) -> None:
    # The same tile lies elsewhere in a crop, by as much as was cut off.
    whole, part = found(marked_scene), found(marked_scene[30:, 50:])
    assert whole.transform is not None
    assert part.transform is not None
    matrix = np.array(whole.transform.matrix).reshape(2, 2)
    moved = np.subtract(part.transform.offset, whole.transform.offset)
    moved += np.array([50, 30])
    tiles = np.linalg.solve(matrix, moved) / 96
    np.testing.assert_allclose(tiles, np.round(tiles), atol=0.03)


def test_without_a_payload_nothing_can_be_located(scene: Maker, key: Key) -> None:
    pixels = scene(96, 96)
    with pytest.raises(UsageError, match="without a payload"):
        locate_image(pixels, key, detect_image(pixels, key))


def test_another_key_is_refused(
    marked_scene: Pixels, others: list[Key], found: Finder
) -> None:
    with pytest.raises(UsageError, match="found by key"):
        locate_image(marked_scene, others[0], found(marked_scene))


def test_a_mark_that_is_not_there_is_missing_everywhere(
    marked_scene: Pixels, scene: Maker, key: Key, found: Finder
) -> None:
    claim = found(marked_scene)
    for pixels in (scene(480, 640, seed=3), np.zeros((480, 640, 3), np.uint8)):
        assert np.mean(locate_image(pixels, key, claim) < 0.5) > 0.7
    wide = dataclasses.replace(claim.transform, matrix=(30, 0, 0, 30))
    small = scene(120, 160)
    other = locate_image(small, key, dataclasses.replace(claim, transform=wide))
    assert other.shape == (120, 160)


def test_the_overlay_is_red_where_the_mark_is_missing(scene: Maker) -> None:
    pixels = scene(60, 80)
    presence = np.ones((60, 80), np.float32)
    presence[:, 40:] = 0
    out = overlay_image(pixels, presence)
    assert out.dtype == np.uint8
    grey = out[:, :40].astype(int)
    assert np.ptp(grey, axis=2).max() == 0
    red = out[:, 40:].astype(int)
    assert (red[..., 0] - red[..., 1:].max(axis=2)).min() > 50
    np.testing.assert_array_equal(
        overlay_image(pixels[..., 0], presence).shape, out.shape
    )


def test_a_map_says_how_much_is_missing_and_becomes_a_png(
    marked_scene: Pixels, found: Finder
) -> None:
    presence = np.ones((480, 640), np.float32)
    presence[:120] = 0
    drawn = MarkMap(
        detection=found(marked_scene),
        presence=presence,
        overlay=overlay_image(marked_scene, presence),
    )
    assert drawn.missing == 0.25
    decoded = cv2.imdecode(np.frombuffer(drawn.png(), np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(decoded, drawn.overlay)


def test_what_is_not_a_picture_has_no_map(
    marked_scene: Pixels, key: Key, found: Finder
) -> None:
    hit = found(marked_scene)
    presence = np.ones((480, 640), np.float32)
    for pixels in (marked_scene.astype(np.float32), marked_scene[0, 0], None):
        with pytest.raises(UsageError, match="array of uint8"):
            locate_image(pixels, key, hit)
        with pytest.raises(UsageError, match="array of uint8"):
            overlay_image(pixels, presence)
    with pytest.raises(UsageError, match="does not fit"):
        overlay_image(marked_scene, presence[:-1])
