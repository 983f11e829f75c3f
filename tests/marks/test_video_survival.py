"""What the mark survives in the sample clip: floors, below what was measured."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark import Key, Payload, detect_frames, embed_frames
from synthmark.labeling.media import video

Pixels = NDArray[np.uint8]

CLIP = Path(__file__).parents[2] / "samples" / "clip.mp4"
RATE = 25
KEY = Key.from_bytes(bytes(range(32)))
PAYLOAD = Payload(issuer=3, serial=77)


@pytest.fixture(scope="module")
def original() -> list[Pixels]:
    return [np.asarray(frame.luma, np.uint8).copy() for frame in video.frames(CLIP)]


@pytest.fixture(scope="module")
def marked(original: list[Pixels]) -> list[Pixels]:
    return list(embed_frames(original, RATE, PAYLOAD, KEY))


def through(codec: str, frames: list[Pixels], **options: Any) -> list[Pixels]:
    """Encode and decode in memory."""
    height, width = frames[0].shape
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, RATE)
    encoder.options = {name: str(value) for name, value in options.items()}
    decoder = av.CodecContext.create(encoder.codec.name.replace("libx", "h"), "r")
    packets = []
    for index, luma in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(luma, "gray").reformat(
            format="yuv420p", src_color_range=2, dst_color_range=2
        )
        picture.pts = index
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    shown = [frame for packet in packets for frame in decoder.decode(packet)]
    shown += decoder.decode(None)
    return [
        np.frombuffer(frame.planes[0], np.uint8)
        .reshape(-1, frame.planes[0].line_size)[:height, :width]
        .copy()
        for frame in shown
    ]


def turned(frames: list[Pixels], degrees: float) -> list[Pixels]:
    height, width = frames[0].shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return [
        np.asarray(cv2.warpAffine(luma, turn, (width, height)), np.uint8)
        for luma in frames
    ]


def scaled(frames: list[Pixels], width: int, height: int) -> list[Pixels]:
    return [
        np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA))
        for luma in frames
    ]


CHANGES: dict[str, Callable[[list[Pixels]], list[Pixels]]] = {
    "nothing": lambda frames: frames,
    "H.264 23": lambda frames: through("libx264", frames, crf=23, preset="veryfast"),
    "H.264 28": lambda frames: through("libx264", frames, crf=28, preset="veryfast"),
    "half size": lambda frames: scaled(frames, 320, 180),
    "cropped": lambda frames: [luma[40:300, 60:520].copy() for luma in frames],
    "turned": lambda frames: turned(frames, 5),
    "upended": lambda frames: [np.rot90(luma).copy() for luma in frames],
    "mirrored": lambda frames: [luma[:, ::-1].copy() for luma in frames],
    "stretched": lambda frames: scaled(frames, 512, 360),
    "every other frame": lambda frames: frames[::2],
    "one second": lambda frames: frames[25:50],
    "one frame": lambda frames: frames[10:11],
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_payload_comes_back(marked: list[Pixels], name: str) -> None:
    hit = detect_frames(CHANGES[name](marked), RATE, KEY)
    assert hit.payload == PAYLOAD
    assert hit.p_value <= 1e-9


def test_what_is_not_marked_or_by_another_key_is_not_found(
    original: list[Pixels], marked: list[Pixels]
) -> None:
    assert not detect_frames(original, RATE, KEY).found
    assert not detect_frames(marked, RATE, Key.from_bytes(bytes(32))).found


def test_the_mark_is_not_seen(original: list[Pixels], marked: list[Pixels]) -> None:
    change = np.array(marked, np.float32) - np.array(original, np.float32)
    assert 10 * np.log10(255**2 / np.mean(change**2)) > 46
    within_shot = np.delete(np.diff(change, axis=0), 37, axis=0)
    assert np.sqrt(np.mean(within_shot**2)) < 0.3


def test_the_seconds_of_the_mark_are_told(
    original: list[Pixels], marked: list[Pixels]
) -> None:
    spliced = [*original[:38], *marked, *original[38:]]
    hit = detect_frames(spliced, RATE, KEY)
    assert hit.payload == PAYLOAD
    assert hit.spans is not None
    ((start, stop),) = hit.spans
    assert start == pytest.approx(38 / RATE, abs=0.3)
    assert stop == pytest.approx(38 / RATE + len(marked) / RATE, abs=0.3)
