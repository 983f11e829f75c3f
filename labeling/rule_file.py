"""The rules of each place, read from the files in the folder `rules`.

A file has a ``title``, the day on which it was ``checked``, a table of ``sources`` and
a list of ``rules``. A rule ``asks`` for one thing, listed in `ASKS`, and gives its
``value``; it holds for some ``services`` and ``media``, or for all of them where it
names none. Its ``source`` and ``clause`` say where it comes from, ``confidence`` and
``readers`` how surely, and ``says`` what it means in a sentence or two.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from importlib import resources
from typing import Any

from .errors import SynthmarkError
from .rulebook import (
    ASKS,
    CONFIDENCES,
    LANGUAGES,
    MEDIA,
    SERVICES,
    Ask,
    Jurisdiction,
    Kind,
    Rule,
    Source,
)

__all__ = ["load", "read"]


def load(name: str) -> Jurisdiction:
    """Return the rules of a place that the package ships.

    Raises
    ------
    SynthmarkError
        The file is missing or damaged.
    """
    file = resources.files(__package__).joinpath("rules", f"{name}.toml")
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(name, str(error)) from error
    return read(name, text)


def read(name: str, text: str) -> Jurisdiction:
    """Return the rules of a place from the text of its file.

    Raises
    ------
    SynthmarkError
        The text is not TOML, or a part is missing, unknown or cannot be meant; the
        message names it.
    """
    try:
        parts = _Table(tomllib.loads(text))
        title, checked = parts.text("title"), parts.day("checked")
        sources = {
            key: _source(_Table(table, f"source {key}"))
            for key, table in parts.take("sources", dict).items()
        }
        rules = tuple(
            _rule(_Table(table, f"rule {number}"), name, checked, sources)
            for number, table in enumerate(parts.take("rules", list), start=1)
        )
        parts.done()
    except (_Fault, tomllib.TOMLDecodeError) as error:
        raise _damaged(name, str(error)) from error
    return Jurisdiction(
        name=name,
        title=title,
        checked=checked,
        sources=tuple(sources.values()),
        rules=rules,
    )


class _Fault(Exception):
    """Something in a file that cannot be meant."""


def _damaged(name: str, problem: str) -> SynthmarkError:
    return SynthmarkError(
        f"the rules of {name!r} cannot be read: {problem}",
        hint="Install synthmark again.",
    )


class _Table:
    """A table of a file; what is taken from it is checked, and nothing may be left."""

    def __init__(self, table: object, place: str = "file") -> None:
        if not isinstance(table, dict):
            raise _Fault(f"{place} is no table")
        self._left = dict(table)
        self.place = place

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        value = self._left.pop(key, default)
        if type(value) is not kind:
            problem = "is missing" if value is None else f"cannot be {value!r}"
            raise _Fault(f"{self.place}: {key} {problem}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value: str = self.take(key, str, default)
        if default is None and not value.strip():
            raise _Fault(f"{self.place}: {key} is empty")
        return value

    def day(self, key: str, default: str | None = None) -> str:
        value = self.text(key, default)
        try:  # a month may stand alone
            date.fromisoformat(
                value + "-01" if re.fullmatch(r"\d{4}-\d\d", value) else value
            )
        except ValueError as error:
            raise _Fault(f"{self.place}: {key} cannot be {value!r}") from error
        return value

    def some(self, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        values = self.take(key, list, list(known))
        _check(
            bool(values) and all(one in known for one in values),
            self.place,
            key,
            values,
        )
        return tuple(values)

    def value(self, ask: Ask) -> Any:
        value = self._left.pop("value", None)
        _check(_FITS[ask.kind](value, ask), self.place, "value", value)
        return _frozen(value)

    def done(self) -> None:
        if self._left:
            raise _Fault(f"{self.place}: {', '.join(self._left)} is unknown")


def _source(table: _Table) -> Source:
    source = Source(
        title=table.text("title"),
        document=table.text("document", ""),
        link=table.text("link", ""),
        in_force=table.day("in_force"),
    )
    table.done()
    return source


def _rule(
    table: _Table, name: str, checked: str, sources: Mapping[str, Source]
) -> Rule:
    asks, key = table.text("asks"), table.text("source")
    _check(asks in ASKS, table.place, "asks", asks)
    _check(key in sources, table.place, "source", key)
    confidence = table.text("confidence")
    _check(confidence in CONFIDENCES, table.place, "confidence", confidence)
    readers = table.take("readers", int, 1)
    _check(readers >= 1, table.place, "readers", readers)
    rule = Rule(
        jurisdiction=name,
        asks=asks,
        value=table.value(ASKS[asks]),
        services=table.some("services", SERVICES),
        media=table.some("media", MEDIA),
        source=sources[key],
        clause=table.text("clause"),
        confidence=confidence,
        readers=readers,
        in_force=table.day("in_force", sources[key].in_force),
        checked=checked,
        says=table.text("says").strip(),
        advice=table.take("advice", bool, False),
    )
    table.done()
    return rule


def _check(fits: bool, place: str, key: str, value: object) -> None:
    if not fits:
        raise _Fault(f"{place}: {key} cannot be {value!r}")


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and 0 < value < 10_000  # type: ignore[operator]


def _is_range(value: object, _: Ask) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(_is_number, value))
        and value[0] <= value[1]
    )


def _is_text(value: object, ask: Ask) -> bool:
    named = isinstance(value, str) and bool(value.strip())
    return named and (not ask.known or value in ask.known)


def _is_list(value: object, ask: Ask) -> bool:
    def fits(item: object) -> bool:
        # An element of a wording is a list of the words that stand for it.
        choice = isinstance(item, list) and not ask.known
        return _is_list(item, ask) if choice else _is_text(item, ask)

    return isinstance(value, list) and bool(value) and all(map(fits, value))


def _is_wording(value: object, ask: Ask) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and set(value) <= set(LANGUAGES)
        and all(_is_text(text, ask) for text in value.values())
    )


_FITS: Mapping[Kind, Callable[[Any, Ask], bool]] = {
    Kind.LEVEL: _is_text,
    Kind.LEAST: lambda value, _: _is_number(value),
    Kind.RANGE: _is_range,
    Kind.FLAG: lambda value, _: value is True,
    Kind.ONE_OF: _is_list,
    Kind.ALL_OF: _is_list,
    Kind.TEXT: _is_text,
    Kind.WORDING: _is_wording,
    Kind.REMARK: lambda value, _: value is None,
}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
