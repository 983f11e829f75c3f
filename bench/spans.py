"""How well the seconds that were found to carry a mark are those that do."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["overlap"]


def overlap(
    found: Sequence[tuple[float, float]] | None, truth: tuple[float, float]
) -> float:
    """Return intersection over union of spans and the truth, in seconds."""
    spans = found or ()
    inside = sum(
        max(0.0, min(end, truth[1]) - max(start, truth[0])) for start, end in spans
    )
    length = sum(end - start for start, end in spans)
    return inside / (length + truth[1] - truth[0] - inside)
