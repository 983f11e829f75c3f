"""What rules are made of: what they ask for, and where that is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = [
    "ASKS",
    "CONFIDENCES",
    "LANGUAGES",
    "LEVELS",
    "MEDIA",
    "SERVICES",
    "Ask",
    "Jurisdiction",
    "Kind",
    "Rule",
    "Source",
]

SERVICES = ("dialogue", "voice", "face", "scene", "other")
"""The classes of the Deep Synthesis Provisions, Art. 17(1) to (5)."""

MEDIA = ("text", "image", "audio", "video", "scene")
"""What a service makes (Labeling Measures, Art. 3)."""

LEVELS = ("none", "encouraged", "offered", "required")
"""How strictly a layer is asked for, the strictest last."""

CONFIDENCES = ("text seen", "secondary", "memory", "choice")
"""How a rule is known: its text was read or is quoted word for word; it is paraphrased;
it is remembered only; or it is chosen by synthmark where the law leaves it open."""

LANGUAGES = ("zh", "en")

_CORNERS = ("bottom-right", "bottom-left", "top-right", "top-left")
_EDGES = ("bottom", "top", "right", "left")


class Kind(StrEnum):
    """What a value is, and so which of several is the strictest."""

    LEVEL = "level"
    LEAST = "least"
    """A number that may not be gone below: the greatest counts."""
    RANGE = "range"
    """Two numbers: what lies within all of them counts."""
    FLAG = "flag"
    ONE_OF = "one of"
    """Any of these will do: those that will do everywhere count."""
    ALL_OF = "all of"
    """Each of these is due: all of them count."""
    TEXT = "text"
    WORDING = "wording"
    """Texts by language."""
    REMARK = "remark"
    """Nothing that a program could measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Something that rules ask for.

    Parameters
    ----------
    kind : Kind
    title : str
        What pages call it.
    form : str
        How a number is written.
    known : tuple of str
        The only texts that can be meant; empty where any can.
    """

    kind: Kind
    title: str
    form: str = "{}"
    known: tuple[str, ...] = ()


ASKS: Mapping[str, Ask] = {
    "notice": Ask(kind=Kind.LEVEL, title="notice", known=LEVELS),
    "mark": Ask(kind=Kind.LEVEL, title="mark", known=LEVELS),
    "aigc": Ask(kind=Kind.LEVEL, title="AIGC field", known=LEVELS),
    "c2pa": Ask(kind=Kind.LEVEL, title="C2PA", known=LEVELS),
    "record": Ask(kind=Kind.LEVEL, title="record", known=LEVELS),
    "height": Ask(
        kind=Kind.LEAST, title="height", form="at least {:.0%} of the shorter side"
    ),
    "height_px": Ask(kind=Kind.LEAST, title="height", form="at least {} pixels"),
    "contrast": Ask(kind=Kind.LEAST, title="contrast", form="at least {}:1"),
    "corners": Ask(kind=Kind.ONE_OF, title="corner", known=(*_CORNERS, *_EDGES)),
    "times": Ask(kind=Kind.ONE_OF, title="when", known=("start", "end", "middle")),
    "seconds": Ask(kind=Kind.LEAST, title="how long", form="at least {:g} s"),
    "throughout": Ask(kind=Kind.FLAG, title="throughout"),
    "player": Ask(kind=Kind.FLAG, title="around the player"),
    "sound_kinds": Ask(kind=Kind.ONE_OF, title="form", known=("spoken", "rhythm")),
    "speech_rate": Ask(
        kind=Kind.RANGE, title="speed", form="{} to {} characters a minute"
    ),
    "rhythm": Ask(kind=Kind.TEXT, title="rhythm"),
    "elements": Ask(kind=Kind.ALL_OF, title="elements"),
    "letters": Ask(kind=Kind.TEXT, title="letters"),
    "languages": Ask(kind=Kind.ALL_OF, title="language", known=LANGUAGES),
    "spoken_languages": Ask(kind=Kind.ALL_OF, title="spoken", known=LANGUAGES),
    "wording": Ask(kind=Kind.WORDING, title="wording"),
    "wording_spoken": Ask(kind=Kind.WORDING, title="wording"),
    "wording_possible": Ask(kind=Kind.WORDING, title="if possibly"),
    "wording_suspected": Ask(kind=Kind.WORDING, title="if suspected"),
    "fields": Ask(kind=Kind.ALL_OF, title="metadata says"),
    "keep_days": Ask(kind=Kind.LEAST, title="kept", form="at least {} days"),
    "consent": Ask(kind=Kind.FLAG, title="consent"),
    "filing": Ask(kind=Kind.FLAG, title="filing"),
    "remark": Ask(kind=Kind.REMARK, title="also"),
}
"""Everything that rules can ask for, in the order of pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where rules are written.

    Parameters
    ----------
    title : str
        Its usual short name.
    document : str
        Its full name, or which version was read.
    link : str
        Where it is published, empty where that is not known.
    in_force : str
        Since when it applies, ISO 8601.
    """

    title: str
    document: str
    link: str
    in_force: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a place asks for, and where that is written.

    Parameters
    ----------
    jurisdiction : str
        Name of the place.
    asks : str
        What for: a key of `ASKS`.
    value : Any
        A level, number, flag or text, a tuple of them, a mapping from language to
        text, or None for a remark.
    services, media : tuple of str
        What it holds for.
    source : Source
    clause : str
        Of the source; its subject where the clause has no number or none was seen.
    confidence : str
        One of `CONFIDENCES`.
    readers : int
        How many independent readers agree.
    in_force, checked : str
        Since when it applies, and when that was looked up, ISO 8601.
    says : str
        What it means.
    advice : bool
        Whether the place does not insist on it.
    """

    jurisdiction: str
    asks: str
    value: Any
    services: tuple[str, ...]
    media: tuple[str, ...]
    source: Source
    clause: str
    confidence: str
    readers: int
    in_force: str
    checked: str
    says: str
    advice: bool = False

    @property
    def binding(self) -> bool:
        """Whether what does not satisfy it breaks the rules of the place."""
        weak = self.advice or self.jurisdiction == "own"
        return not weak and self.value not in LEVELS[:-1]

    def allows(self, found: Any) -> bool:
        """Tell whether something is what the rule asks for.

        Parameters
        ----------
        found : Any
            A number, for a flag a truth, and otherwise a text or a sequence of them:
            for words that are due, the text that must hold them.
        """
        match ASKS[self.asks].kind:
            case Kind.LEAST:
                return bool(found >= self.value)
            case Kind.RANGE:
                return bool(self.value[0] <= found <= self.value[1])
            case Kind.TEXT:  # a word of its own, in a wording
                word = rf"(?<![A-Za-z]){re.escape(self.value)}(?![A-Za-z])"
                return bool(re.search(word, found))
            case Kind.ONE_OF:
                return any(one in self.value for one in _choice(found))
            case Kind.ALL_OF:
                return all(
                    any(word in found for word in _choice(due)) for due in self.value
                )
            case _:
                return bool(found == self.value)

    @property
    def reference(self) -> str:
        """Source and clause."""
        return f"{self.source.title}, {self.clause}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction:
    """The rules of one place.

    Parameters
    ----------
    name : str
        As users give it.
    title : str
        As pages give it.
    checked : str
        When the rules were last looked up, ISO 8601.
    sources : tuple of Source
    rules : tuple of Rule
    """

    name: str
    title: str
    checked: str
    sources: tuple[Source, ...]
    rules: tuple[Rule, ...]


def _choice(words: str | Sequence[str]) -> Sequence[str]:
    """Return words of which any will do; one by itself is such a choice too."""
    return (words,) if isinstance(words, str) else words
