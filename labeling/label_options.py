"""Options of the command that labels: its notice, and what the label says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .console import Corner
from .errors import UsageError
from .grounds import NO_PERSON, Exemption

__all__ = [
    "Agreement",
    "Codec",
    "Consent",
    "Crf",
    "Generator",
    "GeneratorVersion",
    "Heard",
    "Issuer",
    "Learning",
    "LearningTerms",
    "LogoFile",
    "MayBeLearned",
    "ModelIdentifier",
    "NoPerson",
    "NoticeAt",
    "NoticeCorner",
    "NoticeSeconds",
    "Oversight",
    "PeopleTookPart",
    "Preset",
    "Producer",
    "Recipient",
    "Safe",
    "SafeArea",
    "SoundNotice",
    "Styled",
    "TextStyle",
    "Vertical",
    "WithoutNotice",
    "Wording",
    "consent_of",
    "exemption_of",
    "training_of",
]


class SoundNotice(StrEnum):
    """How the notice of a sound is told."""

    SPOKEN = "spoken"
    ROUND = "round"
    RHYTHM = "rhythm"


class TextStyle(StrEnum):
    """How the notice of a text stands in it."""

    LINE = "line"
    CORNER = "corner"


class Oversight(StrEnum):
    """How far people took part in what was generated."""

    AUTONOMOUS = "fully_autonomous"
    PROMPTED = "prompt_guided"
    VALIDATED = "human_validated"


class Learning(StrEnum):
    """What may be learned from content."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "notAllowed"
    CONSTRAINED = "constrained"


class SafeArea(StrEnum):
    """What the notice of a picture or video keeps free at the sides."""

    NONE = "none"
    PLAYER = "player"
    FEED = "feed"
    BROADCAST = "broadcast"


_NOTICE, _VIDEO, _SAYS = "Notice", "Coding of videos", "What the label says"

Wording = Annotated[
    str | None,
    typer.Option(
        help="Other wording, with both required elements.", rich_help_panel=_NOTICE
    ),
]
NoticeCorner = Annotated[
    Corner | None,
    typer.Option(
        help="Where it is seen.",
        show_default="as the rules say",
        rich_help_panel=_NOTICE,
    ),
]
Safe = Annotated[
    SafeArea | None,
    typer.Option(
        help="What it keeps free.",
        show_default="player in videos, else none",
        rich_help_panel=_NOTICE,
    ),
]
Vertical = Annotated[
    bool,
    typer.Option("--vertical", help="Set it in a column.", rich_help_panel=_NOTICE),
]
LogoFile = Annotated[
    Path | None,
    typer.Option(help="PNG file to stand beside it.", rich_help_panel=_NOTICE),
]
Heard = Annotated[
    SoundNotice,
    typer.Option(
        help="Of sounds: voice, a short one for each round, or tones.",
        rich_help_panel=_NOTICE,
    ),
]
NoticeAt = Annotated[
    str,
    typer.Option(
        help="Where it is heard, in seconds, or read: share of a text.",
        metavar="start|end|chapters|NUMBER",
        rich_help_panel=_NOTICE,
    ),
]
Styled = Annotated[
    TextStyle,
    typer.Option(help="Of texts: a line, or raised letters.", rich_help_panel=_NOTICE),
]
NoticeSeconds = Annotated[
    float | None,
    typer.Option(
        help="How long that of a video stands.",
        show_default="all",
        rich_help_panel=_NOTICE,
    ),
]
WithoutNotice = Annotated[
    bool,
    typer.Option(
        "--without-notice",
        help="None, at its user's request (cn); with the next two.",
        rich_help_panel=_NOTICE,
    ),
]
Recipient = Annotated[
    str | None,
    typer.Option(help="The user who asked for that.", rich_help_panel=_NOTICE),
]
Agreement = Annotated[
    str | None,
    typer.Option(help="Reference of the agreement with them.", rich_help_panel=_NOTICE),
]
Codec = Annotated[
    str | None,
    typer.Option(show_default="the source's", help="Codec.", rich_help_panel=_VIDEO),
]
Crf = Annotated[
    int | None,
    typer.Option(help="Quality.", show_default="lossless look", rich_help_panel=_VIDEO),
]
Preset = Annotated[
    str | None,
    typer.Option(
        help="Of the encoder.", show_default="the codec's", rich_help_panel=_VIDEO
    ),
]
Producer = Annotated[
    str | None,
    typer.Option(
        help="Your provider code or name.",
        envvar="SYNTHMARK_PRODUCER",
        rich_help_panel=_SAYS,
    ),
]
Issuer = Annotated[
    int,
    typer.Option(
        help="Your number in the payload.",
        envvar="SYNTHMARK_ISSUER",
        rich_help_panel=_SAYS,
    ),
]
Generator = Annotated[
    str | None,
    typer.Option(help="The system that made the content.", rich_help_panel=_SAYS),
]
GeneratorVersion = Annotated[
    str | None, typer.Option(help="Its version.", rich_help_panel=_SAYS)
]
ModelIdentifier = Annotated[
    str | None,
    typer.Option(
        "--model-id",
        help="Address or package URL of its model.",
        rich_help_panel=_SAYS,
    ),
]
PeopleTookPart = Annotated[
    Oversight | None,
    typer.Option(
        "--oversight", help="How far people took part.", rich_help_panel=_SAYS
    ),
]
MayBeLearned = Annotated[
    Learning | None,
    typer.Option(
        "--training", help="Whether models may learn from it.", rich_help_panel=_SAYS
    ),
]
LearningTerms = Annotated[
    str | None,
    typer.Option(
        "--training-terms", help="What constrains that.", rich_help_panel=_SAYS
    ),
]
Consent = Annotated[
    str | None,
    typer.Option(
        help="Reference of the consent of whoever's face or voice is edited.",
        show_default=False,
        rich_help_panel=_SAYS,
    ),
]
NoPerson = Annotated[
    bool,
    typer.Option(
        "--no-real-person",
        help="Nobody real is shown or heard.",
        rich_help_panel=_SAYS,
    ),
]


def consent_of(consent: str | None, no_person: bool) -> str | None:
    """Return the consent that is meant.

    Raises
    ------
    UsageError
        There is one of nobody.
    """
    if consent is not None and no_person:
        raise UsageError(
            "--consent and --no-real-person exclude each other",
            hint="Give the consent if anybody real is shown or heard.",
        )
    return NO_PERSON if no_person else consent


def exemption_of(
    without_notice: bool, recipient: str | None, agreement: str | None
) -> Exemption | None:
    """Return on which grounds there shall be no notice; None for a notice.

    Raises
    ------
    UsageError
        Something is missing, or needless.
    """
    if without_notice and recipient is not None and agreement is not None:
        return Exemption(recipient=recipient, agreement=agreement)
    if without_notice:
        raise UsageError(
            "without a notice, the log must say who asked for that and where it was "
            "agreed (Labeling Measures, Art. 9)",
            hint="Give --recipient and --agreement.",
        )
    if recipient is not None or agreement is not None:
        raise UsageError(
            "--recipient and --agreement are for items without a notice",
            hint="Add --without-notice, or leave them away.",
        )
    return None


def training_of(use: Learning | None, terms: str | None) -> tuple[str, str] | None:
    """Return what may be learned and on what terms; None where it is not told.

    Raises
    ------
    UsageError
        There are terms of nothing.
    """
    if use is None and terms is not None:
        raise UsageError(
            "--training-terms say what constrains training",
            hint="Add --training constrained.",
        )
    return None if use is None else (use.value, terms or "")
