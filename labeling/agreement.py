"""The part of a user agreement that describes the labels (Labeling Measures, Art. 8).

A template, made from the same data that the labels are: what a service promises is
what `label` does. It is engineering, not legal advice.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from .errors import UsageError
from .filing import Filing, block
from .policy import Due
from .rulebook import Rule

__all__ = ["LANGUAGES", "agreement"]

LANGUAGES = ("zh", "en")

_NOTICE = (
    *("elements", "letters", "languages", "spoken_languages", "height", "corners"),
    *("times", "seconds", "throughout", "sound_kinds"),
)
_HIDDEN = ("aigc", "mark", "c2pa", "record")
"""Layers that `label` writes into whatever can hold them, due or not."""
_ANY_OF = ("corners", "times", "sound_kinds")
_BLANK = Filing(number="[          ]", link="https://beian.cac.gov.cn/")


def agreement(due: Due, language: str, filing: Filing | None = None) -> str:
    """Return the text for an agreement with users, in Markdown.

    Parameters
    ----------
    due : Due
        What the rules ask of the service, from `policy.due`.
    language : str
        ``"zh"`` or ``"en"``.
    filing : Filing, optional
        The service's, which is shown where one is due; by default a place to fill in.

    Raises
    ------
    UsageError
        There is no text in this language.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"there is no agreement in the language {language!r}",
            hint=f"Use {' or '.join(LANGUAGES)}.",
        )
    file = resources.files(__package__).joinpath("agreement.toml")
    words = tomllib.loads(file.read_text("utf-8"))[language]
    is_due = any(rule.asks == "filing" for rule in due.rules)
    shown = block(filing or _BLANK, language) if is_due else ""
    return _Text(due, words).whole(shown)


class _Text:
    """The text on one service, in one language."""

    def __init__(self, due: Due, words: dict[str, Any]) -> None:
        self.due = due
        self.words = words
        self.signs = words["signs"]

    def whole(self, filing: str) -> str:
        parts = [
            f"# {self.words['title']}",
            self.words["intro"].format(service=self.due.service.name),
            *self._section("seen", map(self._seen, self.due.media)),
            *self._section("hidden", self._hidden()),
            *self._section("duties", self._duties()),
        ]
        if filing:
            parts += [f"## {self.words['filing']}", filing]
        return "\n\n".join(parts) + "\n"

    def _section(self, name: str, items: Iterator[str]) -> tuple[str, str]:
        return f"## {self.words[name]}", "\n".join(f"- {item}" for item in items)

    def _seen(self, medium: str) -> str:
        """Say what the notice in a medium is like."""
        values = self.due.values[medium]
        level = self.due.level("notice", medium)
        if level == "none":
            return str(self.words["none"].format(medium=self.words[medium]))
        asks = [name for name in _NOTICE if values.get(name)]
        told = [self.words[level]]
        told += [self.words[name].format(self._value(name, values)) for name in asks]
        text: str = self.words[medium] + self.signs["colon"]
        text += self.signs["comma"].join(told)
        return text + self._by(["notice", *asks], [medium]) + str(self.signs["stop"])

    def _hidden(self) -> Iterator[str]:
        for layer in _HIDDEN:
            yield self.words[layer] + self._by([layer], self.due.media)

    def _duties(self) -> Iterator[str]:
        yield self.words["remove"]
        yield self.words["declare"]
        values = self.due.values.values()
        if all(one.name in self.due.exempting for one in self.due.jurisdictions):
            days = max(one.get("keep_days", 0) for one in values)
            by = self._by(["keep_days"], self.due.media)
            yield self.words["exempt"].format(days=days) + by
        if self.due.consent:
            yield self.words["consent"] + self._by(["consent"], self.due.media)

    def _value(self, name: str, values: Mapping[str, Any]) -> int | float | str:
        """Return a value in words, numbers as they are."""
        value: Any = values[name]
        if isinstance(value, int | float):
            return value
        if isinstance(value, str):
            return f"“{value}”"
        if name == "elements":
            quoted = [[f"“{word}”" for word in group] for group in value]
            return self._listed([self._listed(one, "or") for one in quoted], "and")
        names = [self.words["names"].get(one, one) for one in value]
        return self._listed(names, "or" if name in _ANY_OF else "and")

    def _listed(self, parts: Sequence[str], last: str) -> str:
        *most, end = parts
        return (
            f"{self.signs['many'].join(most)}{self.signs[last]}{end}" if most else end
        )

    def _by(self, asks: Sequence[str], media: Sequence[str]) -> str:
        """Return the clauses behind what is said; nothing for our own choices."""
        clauses = dict.fromkeys(
            self._clause(rule)
            for rule in self.due.rules
            if rule.asks in asks
            and rule.jurisdiction != "own"
            and {*rule.media} & {*media}
        )
        if not clauses:
            return ""
        return str(self.signs["by"].format(self.signs["clauses"].join(clauses)))

    def _clause(self, rule: Rule) -> str:
        """Return source and clause, Chinese ones as the law names them."""
        official = self.words["names"].get(rule.source.title)
        if official is None:
            return rule.reference
        clause = re.sub(r"^Art\. (\d+)", self.words["article"], rule.clause)
        for word, sign in self.words["clause"].items():
            clause = clause.replace(word, sign)
        return f"{official}{clause}"
