"""Check the installation and the home: what works, what does not, what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from .errors import SynthmarkError

if TYPE_CHECKING:
    from .home import Home

__all__ = ["Check", "examine"]

PACKAGES = (
    "numpy",
    "numba",
    "opencv-python-headless",
    "pillow",
    "c2pa-python",
    "cryptography",
    "sqlalchemy",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str


def examine(home: Home) -> list[Check]:
    """Look at everything; make nothing.

    Parameters
    ----------
    home : Home
        The user's folder.
    """
    return [_guarded(name, look) for name, look in _looks(home)]


def _guarded(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, text=look())
    except (SynthmarkError, ImportError, OSError) as error:
        return Check(name=name, ok=False, text=str(error))


def _looks(home: Home) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "python", lambda: sys.version.split()[0]
    yield "packages", _packages
    yield "mark", _mark
    yield "manifest", _manifest
    yield (
        "home",
        lambda: f"{home.path}{'' if os.path.exists(home.path) else ' (not yet made)'}",
    )
    if os.path.exists(home.key_path):
        yield "key", lambda: f"{home.key_path}, id {home.key().id}"
    if os.path.exists(home.signer_path):
        yield "signer", lambda: _signer(home)
    yield "anchors", lambda: _anchors(home)
    if home.has_records:
        yield "records", lambda: _records(home)


def _packages() -> str:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} (another build)")
    return ", ".join(found)


def _mark() -> str:
    """Mark a picture of noise and read it again."""
    import numpy as np

    from .errors import MarkNotReadable
    from .keys import Key
    from .marks.image import detect_image, embed_image
    from .payload import Payload

    key, payload = Key.generate(), Payload.random()
    host = np.random.default_rng(0).integers(90, 160, (256, 256), dtype=np.uint8)
    if detect_image(embed_image(host, payload, key), key).payload != payload:
        raise MarkNotReadable("a mark does not read back", hint="Reinstall synthmark.")
    return "embeds and reads back"


def _manifest() -> str:
    from .provenance.sdk import load

    return f"C2PA library {load().sdk_version()}"


def _signer(home: Home) -> str:
    from .provenance import certificates

    signer = home.signer()
    shown = certificates.describe(signer.chain_pem)
    kind = " (for development only)" if signer.development else ""
    return f"{shown.subject}{kind}, valid until {shown.not_after:%Y-%m-%d}"


def _anchors(home: Home) -> str:
    count = home.anchors_pem().count("BEGIN CERTIFICATE")
    return f"{count} trusted root certificates"


def _records(home: Home) -> str:
    from .errors import RecordStoreDamaged

    with home.records(read_only=True) as store:
        verification = store.verify(signers=home.records_signers())
    if not verification.ok:
        raise RecordStoreDamaged(verification.reason, path=store.path)
    return f"{verification.count} records, intact"
