"""The project's own media, read once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PICTURES = (
    "scene.jpg",
    "portrait.png",
    "flat.png",
    "night.jpg",
    "document.png",
    "small.png",
)


@pytest.fixture(scope="session")
def pictures() -> dict[str, NDArray[np.uint8]]:
    if not SAMPLES.is_dir():
        pytest.skip("the samples are only in a checkout")
    return {
        name.split(".")[0]: np.array(Image.open(SAMPLES / name).convert("RGB"))
        for name in PICTURES
    }


@pytest.fixture(scope="session")
def sounds() -> dict[str, tuple[NDArray[np.float32], int]]:
    """Up to 20 seconds of speech and of music, one channel."""
    if not SAMPLES.is_dir():
        pytest.skip("the samples are only in a checkout")
    import av

    read = {}
    for name in ("speech", "music"):
        with av.open(str(SAMPLES / f"{name}.flac")) as container:
            stream = container.streams.audio[0]
            rate = stream.rate
            resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate)
            parts = [
                part.to_ndarray()[0]
                for frame in container.decode(stream)
                for part in resampler.resample(frame)
            ]
        read[name] = np.concatenate(parts)[: 20 * rate].astype(np.float32), rate
    return read
