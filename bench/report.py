"""Markdown tables and the figures in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

__all__ = ["percent", "table", "upper_bound"]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table, padded so that it reads well as plain text too.

    Columns whose heading starts with a space are aligned to the right.
    """
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    right = [name.startswith(" ") for name in head]
    cells[0] = [name.strip() for name in head]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        " | ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        for row in cells
    ]
    rule = " | ".join(
        "-" * (width - 1) + (":" if to_right else "-")
        for width, to_right in zip(widths, right, strict=True)
    )
    lines.insert(1, rule)
    return "\n".join(f"| {line} |" for line in lines)


def percent(count: int, total: int) -> str:
    """Return a share with one decimal, as in ``"97.2"``; never 100 unless all."""
    if count == total:
        return "100"
    return f"{min(99.9, 100 * count / total):.1f}"


def upper_bound(count: int, total: int) -> float:
    """Return the 95 % upper confidence bound on a rate, given a count of rare events.

    The Poisson mean at which so few events have a chance of 5 %, over `total`. With
    none it is the rule of three: 3.0 / total.
    """
    low, high = float(count), 10.0 + 3.0 * count
    for _ in range(60):
        mean = (low + high) / 2
        chance = sum(
            math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
            for k in range(count + 1)
        )
        low, high = (mean, high) if chance > 0.05 else (low, mean)
    return min(1.0, high / total)
