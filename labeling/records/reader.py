"""The record log as it is read: looked up, listed, verified."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import RecordStoreDamaged, UsageError
from ..payload import Payload
from . import manifests, verification
from .chain import FIRST_HEAD, Record, as_text, is_whole, parse
from .checkpoint import Checkpoint
from .database import Database
from .schema import record, spent_payload
from .verification import INTEGER_MAX, Verification

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

__all__ = ["RecordReader", "last_of", "taken"]

PAGE = 500


class RecordReader:
    """What both readers and writers of a log do; see `RecordStore`."""

    def __init__(
        self, place: Path | str, *, read_only: bool = False, timeout_s: float = 30.0
    ) -> None:
        self.read_only = read_only
        self._database = Database(place, read_only=read_only, timeout_s=timeout_s)
        self.path = self._database.place

    def __enter__(self) -> Self:
        self._database.hold()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or the server."""
        self._database.close()

    def payload_taken(self, payload: Payload) -> bool:
        """Say whether a record holds this payload, or one did that was removed."""
        with self._database.transaction() as connection:
            return taken(connection, payload)

    def get(self, sequence: int) -> Record | None:
        """Return one record, or None when there is none of this number."""
        found = next(self.records(limit=1, after=sequence - 1), None)
        return found if found and found.sequence == sequence else None

    def by_payload(self, payload: Payload) -> Record | None:
        """Return the record that an invisible mark leads to, or None."""
        return next(iter(self.find(payload=payload)), None)

    def find(
        self,
        *,
        payload: Payload | None = None,
        produce_id: str | None = None,
        sha256: str | None = None,
    ) -> tuple[Record, ...]:
        """Return the records that meet every criterion given, oldest first.

        Parameters
        ----------
        payload : Payload, optional
            Payload of the invisible mark.
        produce_id : str, optional
            Number of the item in its AIGC label.
        sha256 : str, optional
            Digest of the content before or after the labeling, in hex.

        Raises
        ------
        UsageError
            No criterion is given.
        """
        digest = None if sha256 is None else sha256.lower()
        columns = record.c
        where = []
        if payload is not None:
            where.append(columns.payload == str(payload))
        if produce_id is not None:
            where.append(columns.produce_id == produce_id)
        if digest is not None:
            either = (columns.sha256_before == digest) | (
                columns.sha256_after == digest
            )
            where.append(either)
        if not where:
            raise UsageError("find needs a payload, a produce_id or a sha256")
        wanted = record.select().where(*where).order_by(columns.sequence)
        return tuple(map(self._read, self._rows(wanted)))

    def search(self, text: str) -> tuple[Record, ...]:
        """Return the records that a person means by a text, oldest first.

        Parameters
        ----------
        text : str
            A sequence number, a payload (16 hex digits), a SHA-256 (64 hex digits) or
            the number of an item in its AIGC label.
        """
        if text.isdecimal() and len(text) < 16:
            record = self.get(int(text))
            return (record,) if record else ()
        if re.fullmatch("[0-9a-fA-F]{16}", text):
            return self.find(payload=Payload.from_int(int(text, 16)))
        if len(text) == 64:
            return self.find(sha256=text)
        return self.find(produce_id=text)

    def records(
        self,
        limit: int | None = None,
        after: int = 0,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Record]:
        """Yield records in order.

        Parameters
        ----------
        limit : int, optional
            At most so many; by default all.
        after : int, optional
            Start behind this sequence number.
        since, until : datetime, optional
            Only records from `since` on and from before `until`, in the time zone
            they bear, by default UTC.
        """
        columns = record.c
        wanted = record.select().order_by(columns.sequence)
        if since is not None:
            wanted = wanted.where(columns.time >= as_text(since))
        if until is not None:
            wanted = wanted.where(columns.time < as_text(until))
        left = INTEGER_MAX if limit is None else limit
        # Page by page, so that a slow reader never blocks a writer.
        while left > 0:
            after = max(-INTEGER_MAX, min(after, INTEGER_MAX))
            page = self._rows(
                wanted.where(columns.sequence > after).limit(min(PAGE, left))
            )
            if not page:
                return
            yield from map(self._read, page)
            after = page[-1]["sequence"]
            left -= len(page)

    def head(self) -> tuple[int, str]:
        """Return sequence and hash of the last record; (0, 64 zeros) when empty."""
        with self._database.transaction() as connection:
            return last_of(connection)

    def manifest(self, manifest_id: str) -> bytes | None:
        """Return a manifest as it was signed; None when unknown or withdrawn.

        Raises
        ------
        RecordStoreDamaged
            It was changed in the log.
        """
        with self._database.transaction() as connection:
            try:
                return manifests.fetch(connection, manifest_id)
            except RecordStoreDamaged as error:
                error.path = self.path
                raise

    def verify(
        self, checkpoints: Collection[Checkpoint] = (), signers: Iterable[str] = ()
    ) -> Verification:
        """Recompute the whole chain and check every checkpoint and manifest.

        Finds a changed field and a removed, added or exchanged record; against a
        checkpoint also records cut off at the end and a chain computed anew. As
        checkpoints in the log may be cut off with it, give one from elsewhere.

        Parameters
        ----------
        checkpoints : collection of Checkpoint, optional
            Checkpoints that were kept elsewhere. The log may have grown since.
        signers : iterable of str, optional
            Public keys of those who may remove old records, beside those of
            `checkpoints`. By default anybody may who signs.

        Raises
        ------
        UsageError
            The signature of a given checkpoint does not hold.
        RecordStoreDamaged
            The file itself is damaged, below the level of records.
        """
        if not all(item.holds() for item in checkpoints):
            raise UsageError("a checkpoint is not as it was signed")
        trusted = {*signers, *(item.public_key for item in checkpoints)}
        self._database.inspect()
        with self._database.transaction(snapshot=True) as connection:
            return verification.verify(connection, checkpoints, trusted)

    def _rows(self, wanted: Select[Any]) -> list[dict[str, Any]]:
        with self._database.transaction() as connection:
            return [dict(entry) for entry in connection.execute(wanted).mappings()]

    def _read(self, entry: Mapping[str, Any]) -> Record:
        if not is_whole(entry):
            raise RecordStoreDamaged(
                f"record {entry['sequence']} was changed after it was written",
                hint="Verify the log and restore it from a copy.",
                path=self.path,
            )
        return parse(entry)


def last_of(connection: Connection) -> tuple[int, str]:
    """Return sequence and hash of the last record; (0, 64 zeros) when empty."""
    from sqlalchemy import select

    columns = select(record.c.sequence, record.c.hash)
    last = connection.execute(columns.order_by(record.c.sequence.desc()).limit(1))
    found = last.first()
    return FIRST_HEAD if found is None else (found.sequence, found.hash)


def taken(connection: Connection, payload: Payload) -> bool:
    """Say whether a record holds this payload, or one did that was removed."""
    from sqlalchemy import select, union_all

    number = str(payload)
    found = union_all(
        select(record.c.sequence).where(record.c.payload == number),
        select(1).where(spent_payload.c.payload == number),
    )
    return connection.execute(found).first() is not None
