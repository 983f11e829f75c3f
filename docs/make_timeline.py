"""Draw the timeline of the guide from a real run: `python docs/make_timeline.py`.

The clip of the samples three times, marked the second time alone.
"""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from synthmark import Detector, Key, Payload, embed_frames

ROOT = Path(__file__).resolve().parent.parent
RATE = 25


def main() -> None:
    """Mark, join, encode, locate and draw."""
    key = Key.from_bytes(bytes(range(32)))
    with av.open(str(ROOT / "samples/clip.mp4")) as file:
        plain = [
            np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            for frame in file.decode(video=0)
        ]
    marked = embed_frames(plain, RATE, Payload(issuer=7, serial=123456), key)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "joined.mp4")
        with av.open(str(path), "w") as file:
            stream: Any = file.add_stream("libx264", RATE, options={"crf": "23"})
            stream.height, stream.width = plain[0].shape[:2]
            for index, pixels in enumerate(chain(plain, marked, plain)):
                frame = av.VideoFrame.from_ndarray(pixels)
                frame.pts = index
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        found = Detector(keys=[key]).locate(path)
    assert found is not None
    (ROOT / "docs/figures/timeline.png").write_bytes(found.png())


if __name__ == "__main__":
    main()
