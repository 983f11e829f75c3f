"""Personal data in what a detection found: not shown unless somebody asks for it.

A detector must not output what its files tell of people (California, SB 942, section
22757.2(a)(3)). File names, references of consent and who got an item without a notice
may tell that; names of providers and of signing organizations are what it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .grounds import NO_PERSON
from .model import Evidence

__all__ = ["HIDDEN", "without_personal"]

HIDDEN: Final = "hidden"
"""Stands for a value that is there and is not shown."""

_PERSONAL = frozenset({"title", "consent", "target", "recipient"})
_WITHIN = ("ingredients", "recovered", "exemption")


def without_personal(evidence: Evidence) -> Evidence:
    """Return what a layer shows, with personal data hidden."""
    return replace(evidence, detail=_hidden(evidence.detail))


def _hidden(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in detail.items()}


def _value(name: str, value: Any) -> Any:
    if name in _PERSONAL:
        return HIDDEN if value and value != NO_PERSON else value
    if name in _WITHIN and isinstance(value, Mapping):
        return _hidden(value)
    if name in _WITHIN and isinstance(value, list):
        return [_hidden(one) if isinstance(one, Mapping) else one for one in value]
    return value
