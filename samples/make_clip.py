"""Make the sample clip, a slow move over two of the pictures, with the sample voice.

``python samples/make_clip.py [folder]``
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["frames", "main"]

HERE = Path(__file__).parent
WIDTH, HEIGHT, RATE = 640, 360, 25
SHOTS = (
    ("scene.jpg", (0.0, 0.1), (0.15, 0.2)),
    ("portrait.png", (0.1, 0.0), (0.0, 0.2)),
)
SHOT_FRAMES = 38


def frames() -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of the clip, shape (360, 640, 3), RGB."""
    for name, start, stop in SHOTS:
        picture = np.asarray(cv2.imread(str(HERE / name)))[..., ::-1]
        height, width = picture.shape[:2]
        scale = 1.25 * max(WIDTH / width, HEIGHT / height)
        room = np.array([width - WIDTH / scale, height - HEIGHT / scale])
        for index in range(SHOT_FRAMES):
            share = index / (SHOT_FRAMES - 1)
            x, y = room * ((1 - share) * np.array(start) + share * np.array(stop))
            move = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
            shown = cv2.warpAffine(picture, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
            yield np.asarray(shown, np.uint8)


def main() -> None:
    """Write ``clip.mp4`` into the folder that is named, or beside this file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    with (
        av.open(str(folder / "clip.mp4"), "w") as clip,
        av.open(str(HERE / "speech.flac")) as voice,
    ):
        pictures = clip.add_stream("libx264", RATE, {"crf": "23", "preset": "slow"})
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, RATE)
        sound = clip.add_stream("aac", voice.streams.audio[0].rate, layout="mono")
        sound.bit_rate = 64_000
        for frame in frames():
            clip.mux(pictures.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        clip.mux(pictures.encode(None))
        seconds = 2 * SHOT_FRAMES / RATE
        for block in voice.decode(audio=0):
            if block.time is None or block.time >= seconds:
                break
            clip.mux(sound.encode(block))
        clip.mux(sound.encode(None))


if __name__ == "__main__":
    main()
