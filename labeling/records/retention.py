"""The end of records: kept as long as the law asks, then removed in good order.

What was given to somebody without a notice stays on record for six months at least
(Labeling Measures, Art. 9); 183 days are the floor for every record. Records are
removed from the oldest on, without gaps, and a signed checkpoint takes their place
as the root from which the chain is verified. The newest record always stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ..errors import UsageError
from .chain import as_text
from .schema import checkpoint, manifest, record, spent_payload

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .checkpoint import Checkpoint, CheckpointKey

__all__ = ["RETENTION_DAYS", "Pruned", "add_checkpoint", "limit", "prune_some"]

RETENTION_DAYS = 183
# So many records go in one transaction, which nobody has to wait for long.
BATCH = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was removed.

    Parameters
    ----------
    count : int
        Number of records that were removed.
    root : Checkpoint or None
        Where the chain begins now; None when nothing was removed.
    """

    count: int
    root: Checkpoint | None


def limit(before: datetime, retention_days: int) -> str:
    """Return the time before which records may go, as records hold it.

    Raises
    ------
    UsageError
        It is without a time zone, or later than the retention allows.
    """
    if retention_days < RETENTION_DAYS:
        raise UsageError(
            f"records are kept for {RETENTION_DAYS} days at least, not {retention_days}"
        )
    if before.tzinfo is None:
        raise UsageError("the time before which records go needs a time zone")
    if before > datetime.now(UTC) - timedelta(days=retention_days):
        raise UsageError(
            f"{before:%Y-%m-%d} is less than {retention_days} days ago",
            hint="Name an earlier day: younger records are kept.",
        )
    return as_text(before)


def prune_some(
    connection: Connection, before: str, signer: CheckpointKey
) -> Checkpoint | None:
    """Remove the oldest records of before a time; None when there are none.

    Everything of one call happens in the caller's transaction.
    """
    from sqlalchemy import delete, func, insert, select

    oldest, newest = connection.execute(
        select(func.min(record.c.sequence), func.max(record.c.sequence))
    ).one()
    if oldest is None:
        return None
    kept = connection.scalar(
        select(record.c.sequence)
        .where(record.c.sequence < oldest + BATCH, record.c.time >= before)
        .order_by(record.c.sequence)
        .limit(1)
    )
    last = min(newest, oldest + BATCH if kept is None else kept) - 1
    if last < oldest:
        return None
    digest = connection.scalar(select(record.c.hash).where(record.c.sequence == last))
    root = signer.sign((last, str(digest)), root=True)
    add_checkpoint(connection, root)
    old = record.c.sequence <= last
    spent = select(record.c.payload).where(old, record.c.payload.is_not(None))
    connection.execute(insert(spent_payload).from_select(["payload"], spent))
    named = select(record.c.manifest_id).where(old, record.c.manifest_id.is_not(None))
    younger = select(record.c.sequence).where(
        record.c.manifest_id == manifest.c.manifest_id, record.c.sequence > last
    )
    connection.execute(
        delete(manifest).where(manifest.c.manifest_id.in_(named), ~younger.exists())
    )
    connection.execute(delete(record).where(old))
    return root


def add_checkpoint(connection: Connection, signed: Checkpoint) -> None:
    """Put a checkpoint of a record that is there into the log."""
    from dataclasses import asdict

    from sqlalchemy import func, insert, select

    last = connection.scalar(select(func.max(checkpoint.c.number)))
    connection.execute(
        insert(checkpoint), {**asdict(signed), "number": (last or 0) + 1}
    )
