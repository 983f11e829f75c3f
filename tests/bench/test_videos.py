from __future__ import annotations

from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import cv2
import numpy as np
import pytest

from synthmark.labeling.media import video as media

SHAPE = (192, 256)


@pytest.fixture
def video(bench: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what imports a module of the bench by the end of its name."""
    monkeypatch.syspath_prepend(str(bench))
    return lambda name: import_module(f"video_{name}")


@pytest.fixture
def spans(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(bench))
    return import_module("spans")


def clip(reads: ModuleType, path: Path, seconds: float = 2.0) -> Any:
    """Draw hills and grain that drift, ten frames a second, without loss."""
    rng = np.random.default_rng(0)
    hills = cv2.GaussianBlur(rng.normal(0, 1, (240, 320)), (0, 0), 12)
    scene = (
        128 + 900 * hills + cv2.GaussianBlur(rng.normal(0, 40, (240, 320)), (0, 0), 1)
    )
    levels = np.clip(scene, 20, 230).astype(np.uint8)
    with av.open(str(path), "w", format="matroska") as container:
        stream: Any = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = SHAPE[1], SHAPE[0], "yuv420p"
        for number in range(round(10 * seconds)):
            part = levels[number : number + SHAPE[0], 2 * number :][:, : SHAPE[1]]
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(part), "gray")
            picture = picture.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return reads.Clip(path.name, path, media.describe(path))


def test_a_marked_clip_is_read_and_compared(video: Any, tmp_path: Path) -> None:
    reads = video("reads")
    plain = clip(reads, tmp_path / "clip.mkv")
    one = reads.mark(plain, 3, 1.0)
    hit, frames = reads.search(one.path, [one.key])
    assert hit.payload == one.payload
    assert frames == one.change.frames == 20
    assert 40 < one.change.psnr < 60
    assert not reads.search(plain.path, [one.key])[0].found
    assert not reads.search(one.path, [one.key], (5.0, 6.0))[0].found


def test_the_change_is_measured_in_levels_of_eight_bits(video: Any) -> None:
    plain = np.full((64, 48), 400, np.uint16)
    plain[:16] += 4 * np.arange(48, dtype=np.uint16)  # not flat
    change = video("quality").Change()
    change.add(plain, plain + 4, 10)
    change.add(plain, plain + 12, 10)
    assert change.psnr == pytest.approx(20 * np.log10(255 / np.sqrt(5)))
    assert change.flat_rms == pytest.approx(np.sqrt(5))
    assert change.flat_blocks == 2 * 3 * 3
    assert change.step_rms == pytest.approx(2)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (((2.0, 4.0),), 1.0),
        (((1.0, 3.0),), 1 / 3),
        (((2.0, 3.0), (5.0, 6.0)), 1 / 3),
        (((0.0, 1.0),), 0.0),
        (None, 0.0),
    ],
)
def test_overlap_is_intersection_over_union(
    found: Any, expected: float, spans: ModuleType
) -> None:
    assert spans.overlap(found, (2.0, 4.0)) == pytest.approx(expected)


def test_single_pictures_of_small_clips_are_told_apart(video: Any) -> None:
    tables, reads = video("tables"), video("reads")

    def read(short: int, exact: bool) -> Any:
        return reads.Read("frame_28", "x", short, exact, False, 1e-12, 1, 5.0)

    rows = tables.attacks([read(1080, True), read(480, False), read(720, True)])
    assert [row[:3] for row in rows] == [
        ["frame_28", 2, 2],
        ["frame_28 below 720 lines", 1, 0],
        ["all", 3, 2],
    ]


def test_clips_tell_what_was_lost(video: Any, tmp_path: Path) -> None:
    tables, reads = video("tables"), video("reads")
    one = reads.mark(clip(reads, tmp_path / "clip.mkv", 0.3), 3, 1.0)
    found = [
        reads.Read(attack, "clip.mkv", 192, exact, False, 1.0, 10, 5.0)
        for attack, exact in (("a", False), ("b", True), ("c", False), ("a", False))
    ]
    (row,) = tables.clips([one], {"clip.mkv": [1.0, 2.0, -3.0]}, found)
    assert len(row) == len(tables.CLIPS)
    assert row[-6:] == ["+1.0", "+2.0", "-3.0", 4, 1, "a x 2, c"]


def test_names_of_attacks_are_known_and_expanded(video: Any) -> None:
    command, attacks = video("mark"), video("attacks")
    assert command._names("time,flip") == (*attacks.GROUPS["time"], "flip")
    known = {*command.FALSE, *command.WINDOWED, *attacks.CURVE}
    known |= {name for names in command.SETS.values() for name in names}
    assert known <= set(attacks.ATTACKS)
    with pytest.raises(command.argparse.ArgumentTypeError, match="no attack"):
        command._names("sharpen")


def test_who_averages_frames_sees_the_tile(video: Any, tmp_path: Path) -> None:
    reads = video("reads")
    plain = clip(reads, tmp_path / "clip.mkv")
    one = reads.mark(plain, 3, 1.0)
    theft = video("tile").steal(one, plain, tmp_path)
    assert theft.correlation > 0.5
    assert theft.copied
    assert theft.removed_psnr > 35
