"""What was heard, before it is weighed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = ["Heard", "best"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Heard:
    """What sounds like a notice.

    Parameters
    ----------
    score : float
        How much, in the measure of the search that found it.
    name : str
        Key in `audio.TEXTS`.
    start_s, end_s : float
        When the notice starts and ends.
    """

    score: float
    name: str
    start_s: float
    end_s: float

    def later(self, seconds: float) -> Heard:
        """Return the same at a later time."""
        return replace(self, start_s=self.start_s + seconds, end_s=self.end_s + seconds)


def best(heard: Iterable[Heard]) -> list[Heard]:
    """Return the best ones of those that overlap, the best first."""
    kept: list[Heard] = []
    for one in sorted(heard, reverse=True):
        if all(one.start_s >= k.end_s or k.start_s >= one.end_s for k in kept):
            kept.append(one)
    return kept
