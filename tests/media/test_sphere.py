"""Videos that span 360 degrees stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from synthmark.labeling.errors import UnsupportedFormat
from synthmark.labeling.media import video
from synthmark.labeling.media.clip import Sphere
from synthmark.labeling.media.frame import Frame

Make = Callable[..., Path]


@pytest.fixture
def make(make_clip: Make, make_spherical: Make) -> Make:
    def made(**told: Any) -> Path:
        return make_spherical(make_clip("a.mp4", size=(128, 64), frames=3), **told)

    return made


def same(frame: Frame) -> None:
    """Leave a frame as it is."""


def copy(source: Path, target: Path) -> Path:
    with av.open(str(source)) as file, av.open(str(target), "w") as other:
        stream = other.add_stream_from_template(file.streams.video[0])
        for packet in file.demux(video=0):
            if packet.size:
                packet.stream = stream
                other.mux(packet)
    return target


def write(source: Path, target: Path, **settings: Any) -> video.Video:
    settings = {"format": target.suffix[1:], **settings}
    return video.write(target, source, video.describe(source), same, **settings)


def test_the_first_view_is_read(make: Make) -> None:
    """A sphere that is turned up shows what was below."""
    path = make(yaw_deg=30, pitch_deg=10.5, roll_deg=-5)
    assert video.describe(path).sphere == Sphere(
        yaw_deg=30, pitch_deg=-10.5, roll_deg=5
    )


@pytest.mark.parametrize(
    "told",
    [
        {"projection": (b"cbmp", (0, 0))},
        {"projection": (b"equi", (0, 0, 1 << 30, 0))},
        {"eyes": 1},
        {"eyes": 2},
    ],
)
def test_what_is_no_whole_sphere_for_one_eye_is_seen_as_it_is(
    make: Make, told: dict[str, Any]
) -> None:
    assert video.describe(make(**told)).sphere is None


def test_one_eye_that_is_told_is_one(make: Make) -> None:
    assert video.describe(make(eyes=0)).sphere is not None


def test_frames_that_are_not_twice_as_wide_are_no_sphere(
    make_clip: Make, make_spherical: Make
) -> None:
    path = make_spherical(make_clip("a.mp4", size=(64, 48), frames=2))
    assert video.describe(path).sphere is None


def test_angles_that_cannot_be_meant_count_as_none(make: Make) -> None:
    path = make(yaw_deg=400, pitch_deg=-91, roll_deg=10)
    assert video.describe(path).sphere == Sphere(yaw_deg=0, pitch_deg=0, roll_deg=-10)


@pytest.mark.parametrize("source", ["mp4", "mkv"])
@pytest.mark.parametrize("target", ["mp4", "m4v", "mkv"])
def test_it_is_written_as_it_was_read(
    make: Make, tmp_path: Path, source: str, target: str
) -> None:
    path = make(yaw_deg=-120, pitch_deg=20)
    if source == "mkv":
        path = copy(path, tmp_path / "b.mkv")
    again = tmp_path / f"c.{target}"
    write(path, again)
    assert video.describe(again).sphere == Sphere(
        yaw_deg=-120, pitch_deg=-20, roll_deg=0
    )


def test_it_does_not_become_a_flat_one(make: Make, tmp_path: Path) -> None:
    path = make()
    for name in ("b.mov", "b.flv"):
        with pytest.raises(UnsupportedFormat, match="would become a flat one") as told:
            write(path, tmp_path / name)
        assert ".mp4" in (told.value.hint or "")
    with pytest.raises(UnsupportedFormat, match="in another coding"):
        write(path, tmp_path / "b.mp4", codec="hevc")
