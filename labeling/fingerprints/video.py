"""Fingerprints of videos: a small picture fingerprint every half second.

When there are too many, every other one is left out and the interval doubles, so that
a stream of any length is described evenly, in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .fingerprint import VIDEO, Fingerprint
from .image import HASH_BYTES, pack_map, packed_size, portray, unpack_map

__all__ = ["Reel", "fingerprint_video"]

INTERVAL_S = 0.5
MAP_SIDE = 48
MAX_FRAMES = 128
HEAD_BYTES = 6
MAX_EVERY = 1 << 15

Float = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Reel:
    """What a video's fingerprint holds.

    Parameters
    ----------
    interval_s : float
        Time between frames.
    hashes : ndarray of uint8, shape (n, 32)
    maps : tuple of ndarray of float32, shape (height, width)
        One for each hash.
    """

    interval_s: float
    hashes: NDArray[np.uint8]
    maps: tuple[Float, ...]

    @property
    def length_s(self) -> float:
        """About how long the video lasts."""
        return len(self.maps) * self.interval_s

    @classmethod
    def unpack(cls, content: bytes) -> Reel:
        """Read the value of a fingerprint.

        Raises
        ------
        UsageError
            It is not one of a video.
        """
        malformed = UsageError("the fingerprint is not one of a video")
        if len(content) < HEAD_BYTES:
            raise malformed
        every, width, height = np.frombuffer(content, ">u2", 3).tolist()
        each = HASH_BYTES + packed_size(height, width)
        count, rest = divmod(len(content) - HEAD_BYTES, each)
        if rest or not (
            0 < every <= MAX_EVERY and width and height and count < MAX_FRAMES
        ):
            raise malformed
        frames = [
            content[start : start + each]
            for start in range(HEAD_BYTES, len(content), each)
        ]
        hashes = b"".join(frame[:HASH_BYTES] for frame in frames)
        return cls(
            interval_s=every * INTERVAL_S,
            hashes=np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES),
            maps=tuple(unpack_map(f[HASH_BYTES:], width, height) for f in frames),
        )


def fingerprint_video(
    frames: Iterable[tuple[float, NDArray[np.uint8]]],
) -> Fingerprint:
    """Fingerprint a video as it streams by.

    Parameters
    ----------
    frames : iterable of (float, ndarray of uint8)
        Time in seconds, never falling, and a picture as `fingerprint_image` takes it:
        luma or RGB. The arrays are not kept.

    Returns
    -------
    Fingerprint
        About a kilobyte a second for the first minute, and at most 64 kilobytes.

    Raises
    ------
    UsageError
        A time is not a number, or falls, or these are no pictures.
    """
    kept: list[bytes] = []
    size: tuple[int, int] | None = None
    every = 1  # half seconds between the frames that are kept
    start = last = None
    for time_s, pixels in frames:
        if not np.isfinite(time_s) or (last is not None and time_s < last):
            raise UsageError("the times of frames must be numbers that never fall")
        start = time_s if start is None else start
        last = time_s
        halves = (time_s - start) / INTERVAL_S + 1e-6
        if halves > MAX_FRAMES * MAX_EVERY / 2:
            raise UsageError("the times of frames are too far apart")
        if halves < len(kept) * every:
            continue
        portrait = portray(pixels, MAP_SIDE, size)
        size = portrait.map.shape[1], portrait.map.shape[0]
        frame = portrait.whole.tobytes() + pack_map(portrait.map)
        while halves >= len(kept) * every:  # it stands for all since the one before
            kept.append(frame)
            if len(kept) == MAX_FRAMES:
                kept, every = kept[::2], 2 * every
    width, height = size or (1, 1)
    head = np.array([every, width, height], ">u2").tobytes()
    return Fingerprint(algorithm=VIDEO, value=head + b"".join(kept))
