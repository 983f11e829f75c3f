"""Write the page of the rules from their data: `python docs/make_policy.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from synthmark.labeling.policy import JURISDICTIONS, LAYERS, MEDIA, OWN, SERVICES, due
from synthmark.labeling.policy_view import value_text
from synthmark.labeling.rulebook import ASKS, Jurisdiction, Rule

PAGE = Path(__file__).with_name("policy.md")
CELLS = PAGE.parent / "figures" / "cells.md"

HEAD = """# What the rules ask for

This page is made from the data that synthmark labels by: `python docs/make_policy.py`.
`synthmark policy show SERVICE --jurisdiction PLACE` prints the same for one service.
This is engineering, not legal advice.

A service is one of the classes of the Deep Synthesis Provisions, Art. 17. Of several
places the strictest rule counts: the greatest size, the longest time, every layer and
every language that any of them asks for, and the corner that suits all. Where none
does, the place that was named first decides, and the notes of the result say so.

Each rule tells how it is known: *text seen* (the text was read, or is quoted word for
word), *secondary* (paraphrased), *memory* (remembered only), or *choice* (what
synthmark does where the law leaves it open, or how it reads it); and how many
independent readers agree. *Advice* is what a place does not insist on. Where a clause
has no number, or none was seen, its subject stands for it.
"""

CHECKED = """## Labeled and checked

Each class of service in each medium, labeled for one place with what `synthmark label`
does unasked, with the statement that nobody real is shown or heard and with a named
model, and held against that place's clauses by `synthmark check`. *Kept* and *open*
count them; what is open the file cannot tell, or nobody must do. The same file without
a label fails in every cell where anything is asked. A scene is a 360-degree picture.
`python bench/cells.py -o docs/figures/cells.md` does it anew.
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for place in JURISDICTIONS.values():
        parts += [f"## {place.title} (`{place.name}`)\n", "\n".join(_layers(place)), ""]
        parts += ["\n".join(_rules(place)), "", "\n".join(_sources(place)), ""]
    parts += [f"## {OWN.title}\n", "\n".join(_rules(OWN)), ""]
    parts += [CHECKED, CELLS.read_text("utf-8").strip(), ""]
    return "\n".join(parts)


def _layers(place: Jurisdiction) -> Iterator[str]:
    yield from _head("service", *MEDIA)
    rows: dict[tuple[str, ...], list[str]] = {}
    for service in SERVICES:
        asked = due(service, (place.name,))
        cells = []
        for medium in MEDIA:
            levels = {layer: asked.level(layer, medium) for layer in LAYERS}
            words = [
                ASKS[layer].title + ("" if level == "required" else f" ({level})")
                for layer, level in levels.items()
                if level != "none"
            ]
            cells.append(", ".join(words) or "-")
        rows.setdefault(tuple(cells), []).append(f"`{service}`")
    for same, names in rows.items():
        yield _row(", ".join(names), *same)


def _rules(place: Jurisdiction) -> Iterator[str]:
    yield from _head("asks for", "value", "of", "clause", "known", "since", "says")
    order = list(ASKS)
    for rule in sorted(place.rules, key=lambda rule: order.index(rule.asks)):
        known = rule.confidence + (f", {rule.readers}x" if rule.readers > 1 else "")
        known += "; advice" if rule.advice else ""
        yield _row(
            ASKS[rule.asks].title,
            value_text(rule.asks, rule.value),
            _scope(rule),
            rule.clause if place is OWN else rule.reference,
            known,
            "" if place is OWN else rule.in_force,
            rule.says,
        )


def _scope(rule: Rule) -> str:
    services = "" if set(rule.services) == {*SERVICES} else ", ".join(rule.services)
    media = "" if set(rule.media) == {*MEDIA} else ", ".join(rule.media)
    return ": ".join(filter(None, (services, media))) or "all"


def _sources(place: Jurisdiction) -> Iterator[str]:
    yield f"Checked on {place.checked}. Sources:\n"
    for source in place.sources:
        text = ", ".join(filter(None, (source.title, source.document, source.link)))
        yield f"- {text}; in force since {source.in_force}"


def _head(*names: str) -> Iterable[str]:
    return _row(*names), _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
