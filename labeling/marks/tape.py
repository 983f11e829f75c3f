"""The stretch of a sound that is held while the sound passes by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError

__all__ = ["LOUDEST", "MOST_CHANNELS", "RATES", "Tape", "check_block", "check_format"]

RATES = (8_000, 192_000)  # samples per second
MOST_CHANNELS = 8
LOUDEST = 1000.0  # full scale being 1

Float = NDArray[np.float32]


class Tape:
    """Samples by their number since the sound began.

    Parameters
    ----------
    channels : int

    Attributes
    ----------
    first, end : int
        The first sample that is held, and the one after the last.
    """

    def __init__(self, channels: int) -> None:
        self.first = self.end = 0
        self._channels = channels
        self._blocks = [np.zeros((0, channels), np.float32)]

    def append(self, block: Float) -> None:
        """Add samples at the end, shape (frames, channels)."""
        check_block(block, self._channels)
        self._blocks.append(block)
        self.end += len(block)

    def samples(self) -> Float:
        """Return all that is held, shape (end - first, channels)."""
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0]

    def drop(self, before: int) -> None:
        """Forget the samples before one of them."""
        count = min(max(0, before - self.first), self.end - self.first)
        self._blocks = [self.samples()[count:].copy()]
        self.first += count


def check_format(rate: object, channels: int) -> int:
    """Refuse sample rates and numbers of channels that are not handled.

    Returns
    -------
    int
        The rate.

    Raises
    ------
    UsageError
    """
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer):
        raise UsageError(f"sample rate {rate!r} is not a whole number of hertz")
    if not RATES[0] <= rate <= RATES[1]:
        raise UsageError(
            f"sample rate {rate} Hz is outside {RATES[0]}..{RATES[1]}",
            hint="Resample the sound first.",
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise UsageError(f"{channels} channels are outside 1..{MOST_CHANNELS}")
    return int(rate)


def check_block(block: object, channels: int | None = None) -> None:
    """Refuse what is not a sound: finite float32, (frames,) or (frames, channels).

    With `channels` given it must have two axes, and so many channels.

    Raises
    ------
    UsageError
    """
    if (
        not isinstance(block, np.ndarray)
        or block.dtype != np.float32
        or block.ndim not in (1, 2)
        or (channels is not None and block.shape[1:] != (channels,))
    ):
        kind = getattr(block, "dtype", type(block).__name__)
        shape = getattr(block, "shape", "")
        wanted = "(frames,) or (frames, channels)"
        if channels is not None:
            wanted = f"(frames, {channels})"
        raise UsageError(
            f"a sound is an array of float32, {wanted}, not {kind} {shape}",
            hint="Convert it first; full scale is 1.",
        )
    if block.size and not np.isfinite(peak := float(np.abs(block).max())):
        raise UsageError("the sound has samples that are not finite numbers")
    if block.size and peak > LOUDEST:
        raise UsageError(
            f"samples reach {peak:g}, and full scale is 1",
            hint="Divide by the largest value of their format, 32768 for 16 bits.",
        )
