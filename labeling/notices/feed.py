"""A stream of sound that can be looked at ahead, and is remembered for a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError

__all__ = ["Feed"]

Floats = NDArray[np.float32]


class Feed:
    """Blocks that are looked at ahead of being taken, and remembered for a while."""

    def __init__(
        self, blocks: Iterable[Floats], memory: int, channels: int | None = None
    ) -> None:
        self._blocks = iter(blocks)
        self._memory = memory
        self._held: deque[Floats] = deque()
        self._taken: deque[Floats] = deque()
        self._remembered = 0
        self._channels = channels
        self.position = 0

    def take(self, limit: float) -> Floats | None:
        """Return the next block, of at most so many frames; None at the end."""
        if limit <= 0 or not (self._held or self._fetch()):
            return None
        block = self._held.popleft()
        if len(block) > limit:
            self._held.appendleft(block[int(limit) :])
            block = block[: int(limit)]
        self.position += len(block)
        self._taken.append(block)
        self._remembered += len(block)
        while self._remembered - len(self._taken[0]) >= self._memory:
            self._remembered -= len(self._taken.popleft())
        return block

    def ahead(self, frames: int) -> Floats:
        """Return the next frames, as many as there are, without taking them."""
        while sum(map(len, self._held)) < frames and self._fetch():
            pass
        return self._joined(self._held)[:frames]

    def behind(self, frames: int) -> Floats:
        """Return the last frames that were taken."""
        taken = self._joined(self._taken)
        return taken[max(len(taken) - frames, 0) :]

    def _fetch(self) -> bool:
        for block in self._blocks:
            if block.dtype != np.float32 or block.ndim != 2 or not block.shape[1]:
                raise UsageError(
                    f"a block of {block.dtype} and shape {block.shape} is not sound",
                    hint="Give float32 blocks of shape (frames, channels).",
                )
            if self._channels not in (None, block.shape[1]):
                raise UsageError("the blocks of the sound differ in channels")
            self._channels = block.shape[1]
            if len(block):
                self._held.append(block)
                return True
        return False

    def _joined(self, blocks: Iterable[Floats]) -> Floats:
        empty = np.zeros((0, self._channels or 0), np.float32)
        return np.concatenate([empty, *blocks])
