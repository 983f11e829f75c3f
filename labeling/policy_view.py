"""The commands that say what the rules ask for, and their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import AsJson, errors, print_json

if TYPE_CHECKING:
    from .policy import Due
    from .rulebook import Rule

__all__ = ["due_page", "list_page", "policy", "to_json", "value_text"]

WIDTH = 98
_INDENT = 4
_COLUMN = 12

policy = typer.Typer(help="What the rules ask for, and where.", no_args_is_help=True)


@policy.command("list")
def policy_list(as_json: AsJson = False) -> None:
    """List the services, and the places with the dates of their rules."""
    with errors():
        from .policy import JURISDICTIONS, SERVICES

        if not as_json:
            print(list_page())
            return
        print_json(
            {
                "schema_version": 1,
                "services": [
                    {
                        "name": service.name,
                        "clause": service.clause,
                        "description": service.description,
                    }
                    for service in SERVICES.values()
                ],
                "jurisdictions": [
                    {
                        "name": place.name,
                        "title": place.title,
                        "checked": place.checked,
                        "sources": [
                            {
                                "title": source.title,
                                "document": source.document,
                                "link": source.link,
                                "in_force": source.in_force,
                            }
                            for source in place.sources
                        ],
                    }
                    for place in JURISDICTIONS.values()
                ],
            }
        )


@policy.command("show")
def policy_show(
    service: Annotated[
        str, typer.Argument(help="dialogue, voice, face, scene or other.")
    ],
    jurisdiction: Annotated[
        list[str] | None, typer.Option(help="Whose rules apply.", show_default="cn")
    ] = None,
    media: Annotated[
        str | None,
        typer.Option(help="text, image, audio, video or scene.", show_default="all"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is due for a service, and by which clauses."""
    with errors():
        from .policy import due

        asked = due(service, tuple(jurisdiction or ["cn"]), media)
        if as_json:
            print_json(to_json(asked))
        else:
            print(due_page(asked))


def list_page() -> str:
    """Return the page of all services and places."""
    from .policy import JURISDICTIONS, SERVICES

    lines = ["Services"]
    for service in SERVICES.values():
        lines += _entry(service.name, f"{service.description} ({service.clause})")
    lines += ["", "Jurisdictions"]
    for place in JURISDICTIONS.values():
        since = min(source.in_force for source in place.sources)
        until = max(source.in_force for source in place.sources)
        dates = since if since == until else f"{since} to {until}"
        titles = ", ".join(source.title for source in place.sources)
        text = f"{place.title}: {titles}; in force since {dates}"
        lines += _entry(place.name, f"{text}, checked {place.checked}")
    return "\n".join(lines)


def due_page(due: Due) -> str:
    """Return the page of what is due."""
    from .policy import LAYERS
    from .rulebook import ASKS

    places = ", ".join(f"{place.title} ({place.name})" for place in due.jurisdictions)
    checked = max(place.checked for place in due.jurisdictions)
    lines = [
        f"{due.service.name}: {due.service.description}",
        *_wrapped(f"{places}, checked {checked}", 0),
        "",
        " " * (2 + _COLUMN) + "".join(f"{medium:<{_COLUMN}}" for medium in due.media),
    ]
    for layer in LAYERS:
        levels = [_level(due.level(layer, medium)) for medium in due.media]
        cells = "".join(f"{level:<{_COLUMN}}" for level in levels)
        lines.append(f"  {ASKS[layer].title:<{_COLUMN}}{cells}")
    lines = [line.rstrip() for line in lines]
    for note in due.notes:
        lines += ["", *_wrapped(f"! {note}", 2)]
    for title, group in groupby(due.rules, lambda rule: ASKS[rule.asks].title):
        rules = list(group)
        lines += ["", *_wrapped(title + _strictest(rules, due), 0)]
        for rule in rules:
            lines += _rule_lines(rule, due)
    lines += ["", "Sources"]
    own = {rule.source for rule in due.rules if rule.jurisdiction == "own"}
    sources = [source for place in due.jurisdictions for source in place.sources]
    for source in (*sources, *own):
        text = ", ".join(filter(None, (source.title, source.document, source.link)))
        lines += _wrapped(f"{text}; in force since {source.in_force}", 2)
    return "\n".join(lines)


def to_json(due: Due) -> dict[str, Any]:
    """Return what is due as JSON types."""
    from .model import to_dict
    from .policy import LAYERS

    return {
        "schema_version": 1,
        "service": due.service.name,
        "jurisdictions": [
            {"name": place.name, "title": place.title, "checked": place.checked}
            for place in due.jurisdictions
        ],
        "media": {
            medium: {
                "layers": {layer: due.level(layer, medium) for layer in LAYERS},
                "asks": {
                    name: to_dict(value)
                    for name, value in due.values[medium].items()
                    if name not in LAYERS
                },
            }
            for medium in due.media
        },
        "notes": list(due.notes),
        "rules": [to_dict(rule) for rule in due.rules],
    }


def value_text(asks: str, value: Any) -> str:
    """Return the value of a rule in words; empty for a remark."""
    from .rulebook import ASKS, Kind

    ask = ASKS[asks]
    match ask.kind:
        case Kind.LEVEL:
            return _level(value)
        case Kind.LEAST:
            return ask.form.format(value)
        case Kind.RANGE:
            return ask.form.format(*value)
        case Kind.FLAG:
            return "yes"
        case Kind.ONE_OF:
            return _listed(value, "or")
        case Kind.ALL_OF:
            words = [
                one if isinstance(one, str) else _listed(one, "or") for one in value
            ]
            return _listed(words, "and")
        case Kind.WORDING:
            return _wordings(value)
        case Kind.TEXT:
            return str(value)
        case _:
            return ""


def _level(level: str) -> str:
    return "-" if level == "none" else level


def _listed(words: Sequence[str], last: str) -> str:
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def _wordings(texts: Mapping[str, str]) -> str:
    return ", ".join(f"“{text}” ({language})" for language, text in texts.items())


def _strictest(rules: Sequence[Rule], due: Due) -> str:
    """Return what several rules come to, where that is the same in all media."""
    asks = {rule.asks for rule in rules}
    if len(rules) < 2 or len(asks) > 1 or "remark" in asks:
        return ""
    (name,) = asks
    texts = {
        value_text(name, due.values[medium][name])
        for medium in due.media
        if name in due.values[medium]
    }
    return f": {texts.pop()}" if len(texts) == 1 else ""


def _rule_lines(rule: Rule, due: Due) -> list[str]:
    value = value_text(rule.asks, rule.value)
    about = [medium for medium in rule.media if medium in due.media]
    where = "" if about == list(due.media) else f" ({', '.join(about)})"
    how = rule.confidence
    if how == "choice":
        how += " of synthmark"
    if rule.readers > 1:
        how += f" by {rule.readers}"
    since = "" if rule.jurisdiction == "own" else f", since {rule.in_force}"
    source = f"{rule.jurisdiction}: {rule.reference}; {how}{since}"
    if rule.jurisdiction == "own":
        source = f"{how}: {rule.clause}"
    lines = _wrapped(f"{value}{where}".strip(), 2) if value else []
    lines += _wrapped(source if value else f"{source}{where}", _INDENT if value else 2)
    return lines + _wrapped(rule.says, _INDENT)


def _entry(name: str, text: str) -> list[str]:
    """Return a name with its text in a column beside it."""
    first, *more = _wrapped(text, 2 + _COLUMN)
    return [f"  {name:<{_COLUMN}}{first.lstrip()}", *more]


def _wrapped(text: str, indent: int) -> list[str]:
    """Break a text into lines; a Chinese character takes two columns."""
    lines, line, used = [], "", 0
    for word in text.split(" "):
        columns = sum(2 if ord(one) > 0x2E80 else 1 for one in word)
        if line and used + 1 + columns > WIDTH - indent:
            lines.append(line)
            line, used = "", 0
        used += columns + bool(line)
        line = f"{line} {word}" if line else word
    return [" " * indent + one for one in (*lines, line)]
