"""The notice before each round of a conversation.

Of voice assistants, customer service and navigation each round counts by itself (GB
45438-2025, 5.3, note): whoever begins to listen in the middle hears it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .audio import AudioNotice
from .insertion import AudioInsertion, PlacedNotice
from .loudness import level_beside

__all__ = ["RoundNotice"]

Floats = NDArray[np.float32]

# The first second of speech tells its loudness to 2 LU as a rule; half of it does not.
_FIRST_S = 1.0
_MEMORY_S = 8


class RoundNotice:
    """Puts a short notice before each round of a conversation.

    The notice of the first round waits for a second of speech, to be as loud. From
    the second round on it is as loud as the speech before, and the first block is the
    notice itself, given out before a block of the round is asked for: it can be heard
    while an assistant still thinks.

    Parameters
    ----------
    rate : int
        Frames a second, 8,000 to 192,000.
    channels : int
        Of all blocks.
    notice : AudioNotice, optional
        By default the short one in Chinese.
    content_lufs : float, optional
        Loudness of the voice where it is known; then the first round waits for
        nothing either.

    Raises
    ------
    UsageError
        The rate or the channels cannot be meant.

    Examples
    --------
    >>> rounds = RoundNotice(24_000, 1, content_lufs=-20)
    >>> answer = np.full((24_000, 1), 0.1, np.float32)
    >>> [round(sum(map(len, rounds.round([answer]))) / 24_000, 2) for _ in range(2)]
    [4.05, 4.05]
    """

    def __init__(
        self,
        rate: int,
        channels: int,
        notice: AudioNotice | None = None,
        *,
        content_lufs: float | None = None,
    ) -> None:
        self._insertion = partial(
            AudioInsertion,
            notice=notice or AudioNotice(short=True),
            rate=rate,
            channels=channels,
            near_s=_FIRST_S,
        )
        self._insertion(())  # refuses now what would be refused in the first round
        self._rate = rate
        self._known = content_lufs is not None
        self._level = content_lufs
        self._heard = np.zeros((0, channels), np.float32)
        self._placed: PlacedNotice | None = None

    @property
    def placed(self) -> PlacedNotice | None:
        """The notice of the latest round, with times from its start on."""
        return self._placed

    def round(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        """Yield a round with its notice in front, as its blocks come.

        Parameters
        ----------
        blocks : iterable of ndarray of float32, shape (frames, channels)
            What is said; they must not be changed later. The round may be broken off.

        Yields
        ------
        ndarray of float32, shape (frames, channels)
            First the notice.

        Raises
        ------
        UsageError
            A block has another type or shape, or there are none.
        """
        insertion = self._insertion(blocks, content_lufs=self._level)
        try:
            for block in insertion:
                (self._placed,) = insertion.placed
                self._level = self._placed.content_lufs
                yield block
        finally:
            if not self._known:
                self._learn(insertion.heard)

    def _learn(self, heard: Floats) -> None:
        """Take the level of the last seconds, of earlier rounds too."""
        joined = np.concatenate([self._heard, heard])
        self._heard = joined[-_MEMORY_S * self._rate :]
        level = level_beside(self._heard, self._rate)
        self._level = self._level if level is None else level
