"""What a manifest says of the system that made or edited the content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .untrusted import mapping, text

__all__ = ["Origin", "read_origin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The last action that names a digital source type.

    Parameters
    ----------
    action : str
        ``"c2pa.created"``, ``"c2pa.edited"`` or another one.
    system, version : str
        The software agent; empty where it is not named.
    when : str
        When it acted, as stated, ISO 8601; empty where it is not told.
    """

    action: str
    system: str
    version: str
    when: str


def read_origin(actions: Iterable[Mapping[str, Any]]) -> Origin | None:
    """Return the origin that some actions tell, None where none does."""
    told = [action for action in actions if text(action.get("digitalSourceType"))]
    if not told:
        return None
    agent = told[-1].get("softwareAgent")
    named = mapping(agent)
    return Origin(
        action=text(told[-1].get("action")),
        system=text(named.get("name")) or text(agent),
        version=text(named.get("version")),
        when=text(told[-1].get("when")),
    )
