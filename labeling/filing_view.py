"""The commands for who a service is and what it shows: code, filing, agreement."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .console import DONE, FAILED, AsJson, Lang, errors, home, print_json
from .options import Jurisdictions, Service

__all__ = ["agreement", "filing", "provider"]

provider = typer.Typer(
    help="Codes of providers (TC260-PG-20252A).", no_args_is_help=True
)
filing = typer.Typer(help="The filing of your service (Art. 19).", no_args_is_help=True)


@filing.command("set")
def filing_set(
    number: Annotated[str, typer.Option(help="As the authority wrote it.")],
    link: Annotated[str, typer.Option(help="Address of the public record.")],
    name: Annotated[str, typer.Option(help="Of the algorithm or service.")] = "",
) -> None:
    """Keep number and link in the home."""
    from .filing import Filing

    with errors():
        home().keep_filing(Filing(number=number, link=link, name=name))


@filing.command("show")
def filing_show(
    lang: Lang,
    as_html: Annotated[
        bool, typer.Option("--html", help="As an element for a page.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the block for a prominent place of your site or app."""
    from .filing import block, block_html

    with errors():
        kept = home().filing()
    if as_json:
        print_json({"schema_version": 1, "filing": kept and asdict(kept)})
    elif kept is None:
        print("No filing is set: synthmark filing set --number ... --link ...")
    else:
        print((block_html if as_html else block)(kept, lang.value))
    raise typer.Exit(DONE if kept else FAILED)


@provider.command("new")
def provider_new(
    credit_code: Annotated[
        str, typer.Argument(help="Unified social credit code, 18 characters.")
    ],
    application: Annotated[
        str, typer.Option(help="Four digits or capitals of your choice.")
    ] = "0000",
    propagator: Annotated[
        bool, typer.Option("--propagator", help="Of a platform that propagates.")
    ] = False,
) -> None:
    """Make the code that --producer takes."""
    from .metadata.provider import ProviderCode

    role = "propagator" if propagator else "producer"
    with errors():
        print(ProviderCode(credit_code=credit_code, role=role, application=application))


@provider.command("check")
def provider_check(
    code: Annotated[str, typer.Argument(help="27 characters.")],
    as_json: AsJson = False,
) -> None:
    """Say what a code tells, or what is wrong with it."""
    from .metadata.provider import ProviderCode

    with errors():
        found = ProviderCode.parse(code)
        if as_json:
            print_json({"code": code, **asdict(found)})
            return
        print(
            f"a {found.role}, credit code {found.credit_code}, application "
            f"{found.application}"
        )


@provider.command("key")
def provider_key(
    path: Annotated[Path, typer.Argument(help="File of the private key to make.")],
    algorithm: Annotated[str, typer.Option(help="sm2, ecdsa or rsa.")] = "sm2",
) -> None:
    """Make a key that signs labels (TC260-PG-202511A); print its public half."""
    from .files import write_bytes
    from .metadata.label_key import LabelKey

    with errors():
        made = LabelKey.generate(algorithm)
        write_bytes(path, made.pem.encode(), mode=0o600)
    print(made.public)


@provider.command("trust")
def provider_trust(
    name: Annotated[str, typer.Argument(help="Code or name, as in labels.")],
    key: Annotated[str, typer.Argument(help="Public key: a PEM file, or hexadecimal.")],
) -> None:
    """Keep the key that a provider is known to sign all its labels with."""
    from .home import read_pem
    from .metadata.label_key import PublicKey

    with errors():
        text = read_pem(Path(key)) if os.path.exists(key) else key
        home().trust_provider(name, PublicKey.parse(text))


def agreement(
    lang: Lang, service: Service = "other", jurisdiction: Jurisdictions = None
) -> None:
    """Print the part of a user agreement that describes your labels."""
    with errors():
        from .agreement import agreement as text_of
        from .policy import due

        asked = due(service, tuple(jurisdiction or ["cn"]))
        print(text_of(asked, lang.value, home().filing()), end="")
