"""The commands for the record log: look up, verify, sign, remove on time, export."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .console import DAMAGED, DONE, NO_LABEL, AsJson, errors, home, print_json, tell
from .errors import UsageError
from .files import replacing, write_bytes
from .model import to_dict

__all__ = ["records"]

records = typer.Typer(help="The log of what was labeled.", no_args_is_help=True)


class Format(StrEnum):
    """Kinds of files that the log is exported to."""

    JSONL = "jsonl"
    CSV = "csv"


DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

OutputFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write.", show_default="to the screen"),
]


@records.command("list")
def records_list(
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
    after: Annotated[int, typer.Option(help="Start behind this number.")] = 0,
    as_json: AsJson = False,
) -> None:
    """List records, oldest first."""
    with errors(), home().records(read_only=True) as store:
        found = list(store.records(limit, after))
    if as_json:
        print_json({"records": to_dict(found)})
        return
    for item in found:
        print(item.sequence, item.time, item.payload or "-" * 16, item.produce_id)


@records.command("show")
def records_show(
    item: Annotated[str, typer.Argument(help="Number, payload, ProduceID or SHA-256.")],
) -> None:
    """Print the records of one item as JSON."""
    with errors(), home().records(read_only=True) as store:
        found = store.search(item)
    print_json({"records": to_dict(found)})
    raise typer.Exit(DONE if found else NO_LABEL)


@records.command("verify")
def records_verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A file of `records checkpoint` that was kept elsewhere."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no record was changed, removed or moved."""
    from .records.checkpoint import Checkpoint

    with errors():
        own = home()
        kept = [Checkpoint.load(path) for path in checkpoint or ()]
        with own.records(read_only=True) as store:
            found = store.verify(kept, own.records_signers())
            last, digest = store.head()
    if as_json:
        print_json({**to_dict(found), "head": f"{last}:{digest}"})
    elif found.ok:
        print(f"{found.count} records, intact. Head: {last}:{digest}")
        if found.root:
            print(f"Records up to {found.root} were removed when their time was over.")
        for signer in found.signers:
            print(f"{found.checkpoints} checkpoints hold, signed by {signer}")
    else:
        print(f"BROKEN at record {found.first_bad_sequence}: {found.reason}")
    raise typer.Exit(DONE if found.ok else DAMAGED)


@records.command("checkpoint")
def records_checkpoint(output: OutputFile = None) -> None:
    """Sign the newest record; keep the result outside this machine."""
    with errors():
        own = home()
        if output and os.path.lexists(output):
            raise UsageError(
                "exists already, and is never replaced",
                hint="Name another place.",
                path=output,
            )
        with own.records() as store:
            signed = store.checkpoint(own.records_key())
        if output:
            write_bytes(output, signed.to_json().encode())
        else:
            print(signed.to_json(), end="")


@records.command("prune")
def records_prune(
    before: Annotated[
        datetime | None, typer.Option(help="From before this day (UTC).", formats=DATES)
    ] = None,
    older_than: Annotated[
        int | None, typer.Option(help="Older than so many days.", metavar="DAYS")
    ] = None,
    retention: Annotated[
        int,
        typer.Option(
            help="Nothing younger than so many days, 183 at least.",
            metavar="DAYS",
            envvar="SYNTHMARK_RETENTION",
        ),
    ] = 183,
    as_json: AsJson = False,
) -> None:
    """Remove records whose time is over; a signed checkpoint takes their place."""
    with errors():
        if (before is None) == (older_than is None):
            raise UsageError("say either --before or --older-than")
        own = home()
        with own.records() as store:
            pruned = store.prune(
                _days_ago(older_than) if before is None else _in_utc(before),
                own.records_key(),
                retention_days=retention,
            )
    if as_json:
        print_json(to_dict(pruned))
    elif pruned.root:
        print(f"Removed {pruned.count} records, up to {pruned.root.sequence}.")
        tell("Make a checkpoint now, and keep it outside this machine.")
    else:
        print("Nothing to remove.")


@records.command("export")
def records_export(
    form: Annotated[
        Format, typer.Option("--format", help="JSON lines, or a table.")
    ] = Format.JSONL,
    output: OutputFile = None,
    since: Annotated[
        datetime | None, typer.Option(help="From this day on (UTC).", formats=DATES)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="From before this day.", formats=DATES)
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Write all records into a file for other programs."""
    from .records import export

    write = export.write_csv if form is Format.CSV else export.write_jsonl
    with errors(), ExitStack() as stack:
        store = stack.enter_context(home().records(read_only=True))
        found = store.records(
            since=None if since is None else _in_utc(since),
            until=None if until is None else _in_utc(until),
        )
        stream = sys.stdout
        if output:
            draft = stack.enter_context(replacing(output, overwrite=force, mode=0o600))
            stream = stack.enter_context(draft.open("w", encoding="utf-8", newline=""))
        count = write(found, stream)
    if output:
        tell(f"{count} records.")


def _in_utc(day: datetime) -> datetime:
    return day.replace(tzinfo=UTC)


def _days_ago(days: int | None) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(days=days or 0)
    except OverflowError as error:
        raise UsageError("there are no records from so long ago") from error
