"""What the mark changes in the frames of a clip, in levels of 8 bits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Change"]

BLOCK = 16
FLAT = 1.5  # deviation of a block in levels, below which it counts as flat


@dataclass
class Change:
    """Sums over the frames of a clip, taken frame by frame."""

    frames: int = 0
    power: float = 0.0
    flat_power: float = 0.0
    flat_blocks: int = 0
    step_power: float = 0.0
    _before: NDArray[np.float32] | None = None

    def add(self, plain: NDArray[Any], marked: NDArray[Any], bits: int) -> None:
        """Compare the luma of a frame, shape (height, width), before and after."""
        unit = np.float32(0.5 ** (bits - 8))
        host = plain.astype(np.float32) * unit
        change = marked.astype(np.float32) * unit - host
        self.frames += 1
        self.power += float(np.mean(change**2))
        flat = _blocks(host).std(axis=(1, 3)) < FLAT
        self.flat_power += float((_blocks(change) ** 2).mean(axis=(1, 3))[flat].sum())
        self.flat_blocks += int(flat.sum())
        if self._before is not None:
            self.step_power += float(np.mean((change - self._before) ** 2))
        self._before = change

    @property
    def psnr(self) -> float:
        """PSNR of luma in dB, by the mean of all frames."""
        power = self.power / self.frames
        return 10 * math.log10(255**2 / power) if power else math.inf

    @property
    def flat_rms(self) -> float:
        """RMS of the change in blocks of 16 x 16 that deviate by less than 1.5."""
        return math.sqrt(self.flat_power / max(1, self.flat_blocks))

    @property
    def step_rms(self) -> float:
        """RMS of what the change differs by from one frame to the next."""
        return math.sqrt(self.step_power / max(1, self.frames - 1))


def _blocks(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return whole blocks, shape (rows, 16, columns, 16)."""
    rows, columns = (size // BLOCK for size in plane.shape)
    whole = plane[: rows * BLOCK, : columns * BLOCK]
    return whole.reshape(rows, BLOCK, columns, BLOCK)
