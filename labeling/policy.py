"""What is due for an item: the rules of one or more places, the strictest of each.

The rules themselves, each number with its source, are the files in the folder `rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import UsageError
from .rule_file import load
from .rulebook import ASKS, LEVELS, MEDIA, Jurisdiction, Kind, Rule

__all__ = [
    "JURISDICTIONS",
    "LAYERS",
    "MEDIA",
    "OWN",
    "SERVICES",
    "Due",
    "Jurisdiction",
    "Rule",
    "Service",
    "due",
]

_KEPT = "keep_days"  # of records of items without a notice
_CORNERS = frozenset({"bottom-right", "bottom-left", "top-right", "top-left"})

LAYERS = tuple(name for name, ask in ASKS.items() if ask.kind is Kind.LEVEL)
"""The layers that rules ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A class of service of the Deep Synthesis Provisions, Art. 17."""

    name: str
    clause: str
    description: str


SERVICES = {
    service.name: service
    for service in (
        Service(
            name="dialogue",
            clause="Provisions Art. 17(1)",
            description="chat and writing in a person's manner",
        ),
        Service(
            name="voice",
            clause="Provisions Art. 17(2)",
            description="synthetic, cloned or imitated voice",
        ),
        Service(
            name="face",
            clause="Provisions Art. 17(3)",
            description="faces and people: generation, swap, posture",
        ),
        Service(
            name="scene",
            clause="Provisions Art. 17(4)",
            description="immersive realistic scenes",
        ),
        Service(
            name="other",
            clause="Provisions Art. 17(5) and Art. 17, last paragraph",
            description="everything else that is generated or edited",
        ),
    )
}

JURISDICTIONS = {name: load(name) for name in ("cn", "eu", "us-ca", "in", "kr")}
"""The places whose rules are known."""

OWN = load("own")
"""What synthmark chooses where the law leaves it open: it counts everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due for an item.

    Parameters
    ----------
    service : Service
    jurisdictions : tuple of Jurisdiction
        In the order in which they were named.
    media : tuple of str
        What the answer is about: one of `MEDIA`, or all of them.
    rules : tuple of Rule
        All that hold, in the order of `ASKS`; those of `OWN` after the others.
    values : mapping
        The strictest value of each thing asked for, by medium.
    notes : tuple of str
        Where places are at odds, and which one decides.
    """

    service: Service
    jurisdictions: tuple[Jurisdiction, ...]
    media: tuple[str, ...]
    rules: tuple[Rule, ...]
    values: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...]

    def level(self, layer: str, medium: str | None = None) -> str:
        """Return how strictly a layer is asked for, of one medium or of any of them.

        Parameters
        ----------
        layer : str
            One of `LAYERS`.
        medium : str, optional
            One of `MEDIA`.

        Returns
        -------
        str
            ``"none"``, ``"encouraged"``, ``"offered"`` or ``"required"``.
        """
        media = self.media if medium is None else (medium,)
        levels = [str(self.values[one].get(layer, LEVELS[0])) for one in media]
        return max(levels, key=LEVELS.index)

    @property
    def notice_height(self) -> float:
        """Least ink height of required characters by the shorter side."""
        seen = ("image", "video", "scene")
        return max(float(self.values[one]["height"]) for one in seen)

    def corner(self, medium: str) -> str:
        """Return where a notice stands unless the caller says otherwise.

        Where the rules leave the corner open this is ``"auto"``.

        Parameters
        ----------
        medium : str
            ``"image"``, ``"video"`` or ``"scene"``.
        """
        corners = self.values[medium]["corners"]
        return "auto" if set(_CORNERS) <= set(corners) else str(corners[0])

    @property
    def notice_seconds(self) -> float:
        """Least time for which the notice of a video stands, in seconds."""
        return float(self.values["video"].get("seconds", 0))

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that a notice to be read must hold; empty where any will do."""
        return tuple(self.values["image"].get("languages", ()))

    @property
    def spoken_languages(self) -> tuple[str, ...]:
        """Languages in which the notice of a sound is spoken."""
        return tuple(self.values["audio"].get("spoken_languages", ("en",)))

    @property
    def spoken_language(self) -> str:
        """The same as one word: ``"zh"``, ``"en"`` or ``"zh-en"``, Chinese first."""
        return "-".join(sorted(self.spoken_languages, reverse=True))

    @property
    def consent(self) -> bool:
        """Whether the person shown or heard must have consented."""
        return any(self.values[one].get("consent", False) for one in MEDIA)

    @property
    def exempting(self) -> tuple[str, ...]:
        """Places where an item may go to its user without a notice, kept in the log."""
        return tuple(rule.jurisdiction for rule in self.rules if rule.asks == _KEPT)

    @property
    def letters(self) -> str:
        """Letters that a notice to be read must hold; empty where none are named."""
        return str(self.values["image"].get("letters", ""))

    def against(self, asks: str, medium: str, chosen: object) -> tuple[str, ...]:
        """Say which places do not allow a choice, and by which rule.

        Parameters
        ----------
        asks : str
            What is chosen: ``"corners"``, ``"times"``, ``"sound_kinds"``,
            ``"letters"`` or ``"throughout"``.
        medium : str
            One of `MEDIA`.
        chosen : object
            A value, or for letters a wording.
        """
        return tuple(
            f"{rule.jurisdiction} asks for {_words(rule)} ({rule.reference})"
            for rule in self.rules
            if rule.asks == asks and medium in rule.media and not rule.allows(chosen)
        )

    def refuse(self, asks: str, medium: str, chosen: object, hint: str) -> None:
        """Raise an error if a place does not allow a choice.

        Raises
        ------
        UsageError
            It says which one, and by which rule.
        """
        places = self.against(asks, medium, chosen)
        if places:
            raise UsageError("; ".join(places), hint=hint)


def due(
    service: str = "other",
    jurisdictions: Sequence[str] = ("cn",),
    media: str | None = None,
) -> Due:
    """Return what is due for an item, the strictest of several places.

    Of numbers the greatest counts, of layers and languages each one that any place
    asks for. Of corners and times those count that will do everywhere; where there are
    none, the place that was named first decides, and the notes say so.

    Parameters
    ----------
    service : str, optional
        One of `SERVICES`.
    jurisdictions : sequence of str, optional
        Of `JURISDICTIONS`.
    media : str, optional
        One of `MEDIA`, to ask about that one alone.

    Raises
    ------
    UsageError
        The service, a jurisdiction or the medium is unknown; the hint lists the known
        ones.
    """
    _check("service", [service], SERVICES)
    _check("jurisdiction", jurisdictions, JURISDICTIONS)
    _check("medium", [] if media is None else [media], MEDIA, needed=False)
    places = tuple(JURISDICTIONS[name] for name in dict.fromkeys(jurisdictions))
    holding = [
        rule
        for place in (*places, OWN)
        for rule in place.rules
        if service in rule.services
    ]
    values: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    asked = MEDIA if media is None else (media,)
    for medium in MEDIA:
        inside = [rule for rule in holding if medium in rule.media]
        values[medium], odds = _strictest(inside, medium)
        notes += odds if medium in asked else []
    order = list(ASKS)
    return Due(
        service=SERVICES[service],
        jurisdictions=places,
        media=asked,
        rules=tuple(
            sorted(
                (rule for rule in holding if set(rule.media) & set(asked)),
                key=lambda rule: order.index(rule.asks),
            )
        ),
        values=values,
        notes=tuple(dict.fromkeys(notes)),
    )


def _check(
    what: str, names: Sequence[str], known: Iterable[str], *, needed: bool = True
) -> None:
    unknown = [name for name in names if name not in known]
    if unknown or (needed and not names):
        raise UsageError(
            f"unknown {what} {', '.join(map(repr, unknown)) or '(none given)'}",
            hint=f"Known are {', '.join(known)}.",
        )


def _strictest(rules: Sequence[Rule], medium: str) -> tuple[dict[str, Any], list[str]]:
    """Return the strictest value of each thing asked for, and what is at odds."""
    values: dict[str, Any] = {}
    first: dict[str, Rule] = {}
    notes = []
    for rule in rules:
        kind = ASKS[rule.asks].kind
        if kind is Kind.REMARK:
            continue
        if rule.asks not in values:
            values[rule.asks], first[rule.asks] = rule.value, rule
            continue
        old, new = values[rule.asks], rule.value
        joined = _joined(kind, old, new)
        if joined is None:
            notes.append(
                f"{medium}: {rule.jurisdiction} asks for {_words(rule)} "
                f"({rule.reference}), {first[rule.asks].jurisdiction} for "
                f"{_words(first[rule.asks], old)}: the first one named decides"
            )
        else:
            values[rule.asks] = joined
    return values, notes


def _joined(kind: Kind, old: Any, new: Any) -> Any:
    """Return the stricter of two values; None where no value satisfies both."""
    match kind:
        case Kind.LEVEL:
            return max(old, new, key=LEVELS.index)
        case Kind.LEAST:
            return max(old, new)
        case Kind.RANGE:
            low, high = max(old[0], new[0]), min(old[1], new[1])
            return (low, high) if low <= high else None
        case Kind.ONE_OF:
            return tuple(item for item in old if item in new) or None
        case Kind.ALL_OF:
            return tuple(dict.fromkeys((*old, *new)))
        case Kind.TEXT:
            return old if old == new else None
        case _:  # the first wording counts; a flag that is set stays set
            return old


def _words(rule: Rule, value: Any = None) -> str:
    """Return what will do, in words."""
    value = rule.value if value is None else value
    ask = ASKS[rule.asks]
    if ask.kind is Kind.FLAG:
        return f"the notice {ask.title}"
    return f"{ask.title} {value if isinstance(value, str) else ' or '.join(value)}"
