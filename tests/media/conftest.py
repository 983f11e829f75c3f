"""Tiny clips for the tests of videos."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from synthmark.labeling.media.priority import keeping_priority

# Else the encoder of AV1 prints what it does.
os.environ.setdefault("SVT_LOG", "1")

MUXERS = {"mkv": "matroska", "m4v": "mp4", "ts": "mpegts"}


def make_clip(
    path: Path,
    *,
    encoder: str = "libx264",
    frames: int = 10,
    size: tuple[int, int] = (64, 48),
    pixels: str = "yuv420p",
    times: Sequence[int] | None = None,
    unit: Fraction = Fraction(1, 25),
    rate: int = 25,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    sound: str = "",
    click_s: float = 0.1,
    sound_at_s: float = 0.0,
    prepare: Callable[[Any, Any], None] | None = None,
    **settings: Any,
) -> Path:
    """Write a clip whose luma is 40, 42, 44...

    `prepare` takes the container and the stream of pictures before the first frame.
    """
    fast = {
        "libx264": {"preset": "ultrafast"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    }.get(encoder, {})
    format = MUXERS.get(path.suffix[1:], path.suffix[1:])
    with av.open(str(path), "w", format=format, container_options=muxer or {}) as file:
        stream: Any = file.add_stream(
            encoder, rate=rate, options=fast | (options or {})
        )
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.time_base = unit
        for name, value in settings.items():
            setattr(stream.codec_context, name, value)
        track: Any = file.add_stream(sound, rate=48_000) if sound else None
        if prepare is not None:
            prepare(file, stream)
        if track is not None:
            file.mux(track.encode(_click(frames / rate, click_s, sound_at_s)))
            file.mux(track.encode(None))
        for number in range(frames):
            picture = av.VideoFrame(*size, pixels)
            for index, plane in enumerate(picture.planes):
                value = 40 + 2 * number if index == 0 else 128
                _fill(plane, value, wide="10" in pixels)
            picture.pts = number if times is None else times[number]
            picture.time_base = unit
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    return path


def _fill(plane: Any, value: int, *, wide: bool) -> None:
    rows = np.frombuffer(plane, np.uint16 if wide else np.uint8)
    rows[:] = value << 2 if wide else value


def _click(length_s: float, click_s: float, start_s: float) -> Any:
    samples = np.zeros((2, round(length_s * 48_000)), np.float32)
    at = round(click_s * 48_000)
    samples[:, at : at + 24] = 0.9 * np.hanning(24)
    frame: Any = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate = 48_000
    frame.pts, frame.time_base = round(start_s * 48_000), Fraction(1, 48_000)
    return frame


@pytest.fixture(name="make_clip")
def make_clip_fixture(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a clip of a name into a folder of the test."""

    def make(name: str, **settings: Any) -> Path:
        with keeping_priority():
            return make_clip(tmp_path / name, **settings)

    return make
