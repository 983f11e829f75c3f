"""The commands that look after keys and certificates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .console import DONE, FAILED, AsJson, errors, home, print_json
from .errors import UsageError
from .model import to_dict

__all__ = ["certificates", "keys"]

keys = typer.Typer(help="The secret behind the invisible mark.", no_args_is_help=True)
certificates = typer.Typer(
    help="Certificates that sign manifests.", no_args_is_help=True
)

KeyFile = Annotated[
    Path | None, typer.Argument(help="Key file.", show_default="the home's")
]


@keys.command("new")
def key_new(path: KeyFile = None) -> None:
    """Make a mark key in a new file."""
    from .keys import Key

    with errors():
        own = home()
        _refuse_existing(path or own.key_path)
        key = Key.generate() if path else own.key()
        if path:
            key.save(path)
    print(key.id)


@keys.command("show")
def key_show(path: KeyFile = None) -> None:
    """Print the public name of a mark key, never the key."""
    from .keys import Key

    with errors():
        key = Key.load(path or home().key_path)
    print(key.id)


@certificates.command("new")
def cert_new(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
) -> None:
    """Make a certificate chain for development only."""
    from .provenance import certificates

    with errors():
        _refuse_existing(folder)
        folder.mkdir(mode=0o700, parents=True)
        certificates.save_credentials(folder, certificates.make_development_chain())
    print(folder)


@certificates.command("check")
def cert_check(
    chain: Annotated[
        Path | None, typer.Argument(help="PEM chain.", show_default="the home's")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    as_json: AsJson = False,
) -> None:
    """Say in plain words whether a certificate chain can sign manifests."""
    from .home import read_pem
    from .provenance import certificates

    with errors():
        if chain is None:
            folder = home().signer_path
            chain, key = folder / "signer-chain.pem", key or folder / "signer-key.pem"
        text = read_pem(chain)
        problems = certificates.check(text, read_pem(key) if key else None)
        bad = any(problem.severity == "error" for problem in problems)
        shown = None if bad else certificates.describe(text)
    if as_json:
        print_json({"certificate": to_dict(shown), "problems": to_dict(problems)})
    else:
        if shown:
            print(f"{shown.subject}, issued by {shown.issuer}")
            print(f"{shown.algorithm}, valid until {shown.not_after:%Y-%m-%d}")
        for problem in problems:
            print(f"{problem.severity}: {problem.text}. {problem.hint}")
    raise typer.Exit(FAILED if bad else DONE)


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise UsageError(
            "exists already, and is never replaced",
            hint="Name another place.",
            path=path,
        )
