"""Whether a log is as it was written: its chain, its checkpoints, its manifests."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .chain import FIRST_HEAD, fault
from .checkpoint import Checkpoint
from .manifests import faulty
from .schema import checkpoint, record

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["INTEGER_MAX", "Verification", "page", "verify"]

INTEGER_MAX = (1 << 63) - 1
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether a log holds.

    Parameters
    ----------
    count : int
        Number of records that are good, up to the first bad one.
    ok : bool
        Whether all are, and agree with every checkpoint.
    first_bad_sequence : int or None
        Where the chain breaks.
    reason : str
        What is wrong there; empty when nothing is.
    root : int
        Records up to this number were removed when their time was over.
    checkpoints : int
        Number of checkpoints that were met, in the log and given.
    signers : tuple of str
        The public keys that signed them.
    """

    count: int
    ok: bool
    first_bad_sequence: int | None = None
    reason: str = ""
    root: int = 0
    checkpoints: int = 0
    signers: tuple[str, ...] = ()


def page(connection: Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """Return the rows behind a number, in order."""
    from sqlalchemy import select

    wanted = (
        select(record)
        .where(record.c.sequence > after)
        .order_by(record.c.sequence)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(wanted).mappings()]


def verify(
    connection: Connection, kept: Collection[Checkpoint], trusted: Collection[str]
) -> Verification:
    """Check everything, from the root to the head.

    Parameters
    ----------
    connection : Connection
        In a transaction that sees the log at one moment.
    kept : collection of Checkpoint
        Checkpoints from elsewhere; their signatures hold.
    trusted : collection of str
        Public keys that may have removed records; empty for anybody's.
    """
    walk = _Walk(connection=connection, kept=kept)
    try:
        reason = walk.from_root(trusted) or walk.to_head() or walk.beyond()
    except (TypeError, ValueError):  # a blob where a text or a number should be
        reason = "a field holds what does not belong there"
    return walk.result(reason)


@dataclass(kw_only=True)
class _Walk:
    """How far the chain was followed, and what was met on the way."""

    connection: Connection
    kept: Collection[Checkpoint]
    head: tuple[int, str] = FIRST_HEAD
    root: int = 0
    met: int = 0
    signers: set[str] = field(default_factory=set)

    def from_root(self, trusted: Collection[str]) -> str:
        """Go to the newest root; return what is wrong with it or before it."""
        root = next(_checkpoints(self.connection, checkpoint.c.root, newest=True), None)
        if root is not None:
            self.head = root.sequence, root.hash
            self.root = root.sequence
            if trusted and root.public_key not in trusted:
                return "the records before it were removed by an unknown key"
        return self.meet(-INTEGER_MAX, self.root, {self.root: self.head[1]})

    def to_head(self) -> str:
        """Follow the chain; return what is wrong behind the last good record."""
        # From below zero, so that rows smuggled in there are met too.
        rows = page(self.connection, -INTEGER_MAX, PAGE)
        while rows:
            reason = self.follow(rows)
            if reason:
                return reason
            rows = page(self.connection, self.head[0], PAGE)
        return ""

    def beyond(self) -> str:
        """Look for checkpoints of records that are not there."""
        promised = [item.sequence for item in self.promised(self.head[0])]
        if promised:
            return f"cut off: there is a checkpoint of record {max(promised)}"
        return ""

    def follow(self, rows: list[dict[str, Any]]) -> str:
        """Go on over some rows; return what is wrong behind the last good one."""
        wrong = faulty(self.connection, rows)
        start, reason, hashes = self.head[0], "", {}
        for row in rows:
            reason = fault(row, self.head) or wrong.get(row["sequence"], "")
            if reason:
                break
            self.head = row["sequence"], row["hash"]
            hashes[row["sequence"]] = row["hash"]
        return self.meet(start, self.head[0], hashes) or reason

    def meet(self, after: int, last: int, hashes: Mapping[int, str]) -> str:
        """Compare the checkpoints of some records; return what is wrong."""
        for item in sorted(self.promised(after, last), key=lambda one: one.sequence):
            if not item.holds():
                reason = "the signature of its checkpoint does not hold"
            elif item.hash != hashes.get(item.sequence, item.hash):
                reason = "the record is not the one that its checkpoint names"
            else:
                self.met += 1
                self.signers.add(item.public_key)
                continue
            self.head = item.sequence - 1, ""
            return reason
        return ""

    def promised(self, after: int, last: int | None = None) -> Iterator[Checkpoint]:
        """Yield the checkpoints of records in a range, of the log and given."""
        place = checkpoint.c.sequence
        inside = place > after if last is None else place.between(after + 1, last)
        yield from _checkpoints(self.connection, inside)
        for item in self.kept:
            if item.sequence > after and (last is None or item.sequence <= last):
                yield item

    def result(self, reason: str) -> Verification:
        """Return that all is good, or what is wrong behind the last good record."""
        return Verification(
            count=max(0, self.head[0] - self.root),
            ok=not reason,
            first_bad_sequence=self.head[0] + 1 if reason else None,
            reason=reason,
            root=self.root,
            checkpoints=self.met,
            signers=tuple(sorted(self.signers)),
        )


def _checkpoints(
    connection: Connection, condition: Any, *, newest: bool = False
) -> Iterator[Checkpoint]:
    """Yield checkpoints of the log, in order of their records."""
    from sqlalchemy import select

    order = checkpoint.c.sequence.desc() if newest else checkpoint.c.sequence
    names = Checkpoint.__dataclass_fields__
    columns = [checkpoint.c[name] for name in names]
    wanted = select(*columns).where(condition).order_by(order)
    if newest:
        wanted = wanted.limit(1)
    for row in connection.execute(wanted).mappings():
        yield Checkpoint(**row)
