"""Values of a document that anybody can have written: of any type, of any length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["ITEM_LIMIT", "TEXT_LIMIT", "mapping", "mappings", "text", "unique"]

ITEM_LIMIT = 100
TEXT_LIMIT = 500


def mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping, an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings in a list."""
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)]


def text(value: object) -> str:
    """Return a short text without control and direction characters."""
    shown = value[:TEXT_LIMIT] if isinstance(value, str) else ""
    return "".join(character for character in shown if character.isprintable())


def unique(items: Iterable[str]) -> tuple[str, ...]:
    """Return each of some texts once."""
    return tuple(dict.fromkeys(items))[:ITEM_LIMIT]
