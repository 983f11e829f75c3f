"""Options that several commands have, and what they stand for."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import Corner
from .errors import UsageError
from .grounds import NO_PERSON, Exemption

if TYPE_CHECKING:
    from .detector import Detector
    from .home import Home
    from .keys import Key

__all__ = [
    "Agreement",
    "Anchors",
    "AsLines",
    "Codec",
    "Consent",
    "Crf",
    "Generator",
    "GeneratorVersion",
    "Heard",
    "Inputs",
    "Issuer",
    "Jurisdictions",
    "LogoFile",
    "MarkKey",
    "MarkKeys",
    "NoPerson",
    "NoticeAt",
    "NoticeCorner",
    "NoticeSeconds",
    "Ocr",
    "Preset",
    "Producer",
    "Recipient",
    "Recursive",
    "Safe",
    "SafeArea",
    "Service",
    "SoundNotice",
    "Styled",
    "TextStyle",
    "Vertical",
    "WithoutNotice",
    "Wording",
    "consent_of",
    "content_of",
    "detector_of",
    "exemption_of",
    "key_of",
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


class SafeArea(StrEnum):
    """What the notice of a picture or video keeps free at the sides."""

    NONE = "none"
    PLAYER = "player"
    FEED = "feed"
    BROADCAST = "broadcast"


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT...", help="Files, folders, patterns, or -."),
]
Recursive = Annotated[bool, typer.Option("-r", "--recursive", help="Search folders.")]
AsLines = Annotated[bool, typer.Option("--jsonl", help="Print one JSON line a file.")]
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
Service = Annotated[
    str, typer.Option(help="dialogue, voice, face, scene or other (Art. 17).")
]
Jurisdictions = Annotated[
    list[str] | None,
    typer.Option("--jurisdiction", help="Whose rules apply.", show_default="cn"),
]
MarkKey = Annotated[
    Path | None, typer.Option("--mark-key", help="Key of the mark.", show_default=False)
]
MarkKeys = Annotated[
    list[Path] | None, typer.Option("--mark-key", help="Keys of marks to look for.")
]
Anchors = Annotated[
    list[Path] | None,
    typer.Option("--anchors", help="Trusted root certificates (PEM)."),
]

Ocr = Annotated[
    bool,
    typer.Option("--ocr", help="Read notices in other fonts too (extra: ocr)."),
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


def key_of(home: Home, path: Path | None) -> Key:
    """Return the key in a file, or else the one of the user's home."""
    from .keys import Key

    return home.key() if path is None else Key.load(path)


def detector_of(
    home: Home,
    mark_keys: list[Path] | None,
    anchors: list[Path] | None,
    *,
    ocr: bool = False,
) -> Detector:
    """Return what reads with some keys and roots, or else those of the user's home."""
    from .home import read_anchors

    return home.detector(
        keys=[key_of(home, path) for path in mark_keys] if mark_keys else None,
        anchors_pem=read_anchors(anchors) if anchors else None,
        ocr=ocr,
    )


def content_of(source: Path | None) -> Path | bytes:
    """Return a path as it is, and for None the bytes of standard input."""
    if source is not None:
        return source
    from .media.probe import MAX_BYTES

    if sys.stdin is None:  # closed by the caller
        return b""
    with open(sys.stdin.fileno(), "rb", closefd=False) as stdin:
        return stdin.read(MAX_BYTES + 1)
