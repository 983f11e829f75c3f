"""Options that several commands have, and what they stand for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .errors import UsageError

if TYPE_CHECKING:
    from .detector import Detector
    from .home import Home
    from .keys import Key
    from .metadata.label_key import LabelKey

__all__ = [
    "Anchors",
    "AsLines",
    "Certificate",
    "CertificateKey",
    "Force",
    "InPlace",
    "Inputs",
    "Jurisdictions",
    "LabelKeyFile",
    "MarkKey",
    "MarkKeys",
    "Ocr",
    "Output",
    "Personal",
    "Recursive",
    "Registries",
    "Service",
    "Sidecar",
    "TimeStamps",
    "content_of",
    "detector_of",
    "key_of",
    "label_key_of",
]


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT...", help="Files, folders, patterns, or -."),
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", help="File or folder/.", show_default="NAME.labeled.EXT"
    ),
]
InPlace = Annotated[
    bool, typer.Option("--in-place", help="Replace each input, in one step.")
]
Force = Annotated[bool, typer.Option("-f", "--force", help="Replace existing outputs.")]
Recursive = Annotated[bool, typer.Option("-r", "--recursive", help="Search folders.")]
AsLines = Annotated[bool, typer.Option("--jsonl", help="Print one JSON line a file.")]
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
Sidecar = Annotated[
    bool,
    typer.Option(
        "--sidecar", help="Put the manifest beside a file that cannot hold one."
    ),
]
Registries = Annotated[
    list[str] | None,
    typer.Option(
        "--registry",
        help="Registry to ask for the manifest of a mark, and no other host.",
        show_default="nobody is asked",
    ),
]
Personal = Annotated[
    bool,
    typer.Option("--personal", help="Show what may tell of people, as file names."),
]
LabelKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--label-key",
        help="Private key that signs the AIGC label itself (PEM).",
        show_default=False,
    ),
]
Certificate = Annotated[
    Path | None,
    typer.Option("--cert", help="Certificate chain that signs, leaf first (PEM)."),
]
CertificateKey = Annotated[
    Path | None, typer.Option("--key", help="Private key of the certificate (PEM).")
]
TimeStamps = Annotated[
    str | None,
    typer.Option(
        "--tsa",
        help="Address of a time-stamp authority (RFC 3161).",
        envvar="SYNTHMARK_TSA",
        show_default=False,
    ),
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


def key_of(home: Home, path: Path | None) -> Key:
    """Return the key in a file, or else the one of the user's home."""
    from .keys import Key

    return home.key() if path is None else Key.load(path)


def label_key_of(path: Path | None) -> LabelKey | None:
    """Return the key in a file that signs labels; None for none.

    Raises
    ------
    UsageError
        The file cannot be read, or holds no such key.
    """
    if path is None:
        return None
    from .home import read_pem
    from .metadata.label_key import LabelKey

    try:
        return LabelKey.from_pem(read_pem(path))
    except UsageError as error:
        error.path = path
        raise


def detector_of(
    home: Home,
    mark_keys: list[Path] | None,
    anchors: list[Path] | None,
    *,
    ocr: bool = False,
    registries: list[str] | None = None,
    personal: bool = False,
) -> Detector:
    """Return what reads with some keys and roots, or else those of the user's home."""
    from .home import read_anchors
    from .registry.client import Registry

    return home.detector(
        keys=[key_of(home, path) for path in mark_keys] if mark_keys else None,
        anchors_pem=read_anchors(anchors) if anchors else None,
        ocr=ocr,
        registries=tuple(map(Registry, registries or ())),
        personal=personal,
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
