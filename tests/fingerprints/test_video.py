from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.labeling.errors import UsageError
from synthmark.labeling.fingerprints.comparison import compare
from synthmark.labeling.fingerprints.fingerprint import MAX_BYTES, VIDEO, Fingerprint
from synthmark.labeling.fingerprints.video import Reel, fingerprint_video

Pixels = NDArray[np.uint8]
Frames = Iterator[tuple[float, Pixels]]


def panning(picture: Pixels, seconds: float, fps: float, start_s: float = 0) -> Frames:
    """Pass over a picture in 20 seconds, 480 x 270 pixels at a time."""
    wide = cv2.resize(picture, (960, 400))
    for number in range(round(seconds * fps)):
        time_s = number / fps
        left = round(20 * (time_s + start_s))
        top = round(100 * abs(np.sin(0.2 * (time_s + start_s))))
        yield time_s, wide[top : top + 270, left : left + 480]


def compressed(frames: Frames) -> Frames:
    for time_s, pixels in frames:
        small = cv2.resize(pixels, (240, 136), interpolation=cv2.INTER_AREA)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 20]
        coded = cv2.imencode(".jpg", small, quality)[1]
        yield time_s, np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def inside(frames: Frames) -> Frames:
    for time_s, pixels in frames:
        h, w = pixels.shape[:2]
        yield time_s, pixels[h // 6 : -h // 10, w // 5 :]


@pytest.fixture(scope="module")
def record(pictures: dict[str, Pixels]) -> Fingerprint:
    return fingerprint_video(panning(pictures["scene"], 12, 24))


def test_handling_leaves_the_content_the_same(
    pictures: dict[str, Pixels], record: Fingerprint
) -> None:
    scene = pictures["scene"]
    copies = {
        "compressed": compressed(panning(scene, 12, 24)),
        "other frame rate": panning(scene, 12, 10),
        "cropped": inside(panning(scene, 12, 24)),
        "a part": panning(scene, 4, 24, 5.3),
        "mirrored": ((t, p[:, ::-1]) for t, p in panning(scene, 12, 24)),
        "gray": ((t, p[:, :, 1]) for t, p in panning(scene, 12, 24)),
    }
    for name, frames in copies.items():
        found = compare(fingerprint_video(frames), record)
        assert found.same is True, (name, found)


def test_different_videos_differ(
    pictures: dict[str, Pixels], record: Fingerprint
) -> None:
    other = fingerprint_video(panning(pictures["portrait"], 2, 24))
    found = compare(other, record)
    assert found.same is False
    assert found.p_value > 0.1


def test_an_hour_fits_evenly_into_the_limit() -> None:
    rng = np.random.default_rng(0)
    still = rng.integers(0, 256, (36, 64), np.uint8)
    made = fingerprint_video((2.0 * i, still) for i in range(1800))
    assert len(made.value) <= MAX_BYTES
    reel = Reel.unpack(made.value)
    assert reel.length_s == pytest.approx(3600, abs=reel.interval_s)
    assert 64 <= len(reel.maps) < 128


def test_a_pause_without_frames_is_filled() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 40, 60), np.uint8)
    reel = Reel.unpack(fingerprint_video([(5.0, first), (8.0, second)]).value)
    assert len(reel.hashes) == 7
    assert [bool((h == reel.hashes[0]).all()) for h in reel.hashes] == [True] + 6 * [
        False
    ]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_blank_or_missing_frames_cannot_be_told(count: int) -> None:
    blank = fingerprint_video(
        (i / 10, np.zeros((9, 16), np.uint8)) for i in range(count)
    )
    found = compare(blank, blank)
    assert (found.same, found.p_value) == (None, 1)


@pytest.mark.parametrize(
    "times", [[0.0, float("nan")], [1.0, 0.5], [float("inf")], [0.0, 1e300]]
)
def test_impossible_times_are_refused(times: list[float]) -> None:
    with pytest.raises(UsageError, match="times"):
        fingerprint_video((time_s, np.zeros((9, 9), np.uint8)) for time_s in times)


def test_malformed_values_are_refused(record: Fingerprint) -> None:
    value = record.value
    each = (len(value) - 6) // len(Reel.unpack(value).maps)
    broken = [
        value[:5],
        value[:-1],
        bytes(6) + value[6:],
        b"\xff" * 6 + value[6:],
        value[:-1] + b"\xff",
        value[:6] + 128 * value[6 : 6 + each],
    ]
    for one in broken:
        with pytest.raises(UsageError, match="fingerprint"):
            compare(Fingerprint(algorithm=VIDEO, value=one), record)
