"""The record log: append-only, chained by hashes, shared by many processes.

The log answers who marked what, when and how (Deep Synthesis Provisions, Art. 16),
who got it without a notice (Labeling Measures, Art. 9) and whose consent it rests on
(Provisions, Art. 14). It holds numbers, digests and references: no media, no prompt,
and a file name only when the caller gives one. Nothing in it is ever changed or
deleted, so it outlives every retention period.

The chain cannot tell that its last records were cut off, nor that somebody who may
write to the file computed it anew. Both show against a head that is kept elsewhere:
note `RecordStore.head` from time to time, outside this machine, and give it to
`RecordStore.verify`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import RecordError, RecordStoreDamaged, UsageError
from ..payload import Payload
from .chain import FIRST_PREVIOUS_HASH, Record, chained, fault, is_whole, parse, row
from .database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Record", "RecordStore", "Verification"]

PAGE = 500
INTEGER_MAX = (1 << 63) - 1

COLUMNS = tuple(item.name for item in fields(Record))
INSERT = (
    f"INSERT INTO record ({', '.join(COLUMNS)}) "
    f"VALUES ({', '.join(':' + name for name in COLUMNS)})"
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM record"
HEAD = "SELECT sequence, hash FROM record ORDER BY sequence DESC LIMIT 1"
TAKEN = "SELECT 1 FROM record WHERE payload = :payload"
CRITERIA = {
    "payload": "payload = :payload",
    "produce_id": "produce_id = :produce_id",
    "sha256": "(sha256_before = :sha256 OR sha256_after = :sha256)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the chain holds.

    Parameters
    ----------
    count : int
        Number of records that are good, up to the first bad one.
    ok : bool
        Whether all are, the expected head among them when one was given.
    first_bad_sequence : int or None
        Where the chain breaks.
    reason : str
        What is wrong there; empty when nothing is.
    """

    count: int
    ok: bool
    first_bad_sequence: int | None = None
    reason: str = ""


class RecordStore:
    """A record log in one file.

    Parameters
    ----------
    path : Path or str
        The log. Unless `read_only`, it is created with mode 0600 when missing.
    read_only : bool, optional
        Whether only to read; a missing log is then an error.
    timeout_s : float, optional
        How long to wait for another process, in seconds.

    Raises
    ------
    RecordError
        The file cannot be opened, or belongs to a newer version of the program.
    RecordStoreBusy
        Another process held the log for longer than `timeout_s`. Any method may
        raise this.
    RecordStoreDamaged
        The file is not a record log. Any method may raise this.

    Notes
    -----
    The file is open only while a method runs, so a store may be shared by threads
    and survives a fork.
    """

    def __init__(
        self, path: Path | str, *, read_only: bool = False, timeout_s: float = 30.0
    ) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self._database = Database(self.path, read_only=read_only, timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._database.engine.dispose()

    def append(
        self,
        *,
        produce_id: str,
        payload: Payload | None,
        sha256_before: str,
        sha256_after: str,
        media: str,
        layers: Iterable[str],
        service: str,
        jurisdictions: Iterable[str],
        software: str,
        target: str | None = None,
        notice: Mapping[str, Any] | None = None,
        consent: str | None = None,
        exemption: Mapping[str, Any] | None = None,
    ) -> Record:
        """Add a record at the end and wait until it is on disk.

        The fields are those of `Record`; `target` is kept only when it is given.

        Raises
        ------
        UsageError
            A field is empty, too long or malformed, or the log is read-only.
        RecordError
            The payload is taken, or the log cannot be written.
        """
        if self.read_only:
            raise UsageError("the record log was opened for reading only")
        unchained = row(
            produce_id=produce_id,
            payload=payload,
            sha256_before=sha256_before,
            sha256_after=sha256_after,
            media=media,
            layers=layers,
            service=service,
            jurisdictions=jurisdictions,
            software=software,
            target=target,
            notice=notice,
            consent=consent,
            exemption=exemption,
        )
        with self._database.transaction(write=True) as connection:
            if payload is not None and _taken(connection, payload):
                raise RecordError(
                    f"payload {payload} stands for another item already",
                    hint="Draw a new payload and label the content again.",
                    path=self.path,
                )
            entry = chained(unchained, _head(connection))
            connection.exec_driver_sql(INSERT, entry)
        return parse(entry)

    def payload_taken(self, payload: Payload) -> bool:
        """Say whether a record holds this payload already."""
        with self._database.transaction() as connection:
            return _taken(connection, payload)

    def get(self, sequence: int) -> Record | None:
        """Return one record, or None when there is none of this number."""
        found = next(self.records(limit=1, after=sequence - 1), None)
        return found if found and found.sequence == sequence else None

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
        criteria = {
            "payload": None if payload is None else str(payload),
            "produce_id": produce_id,
            "sha256": None if sha256 is None else sha256.lower(),
        }
        wanted = {name: value for name, value in criteria.items() if value is not None}
        if not wanted:
            raise UsageError("find needs a payload, a produce_id or a sha256")
        where = " AND ".join(CRITERIA[name] for name in wanted)
        return tuple(
            map(self._read, self._rows(f"WHERE {where} ORDER BY sequence", wanted))
        )

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

    def records(self, limit: int | None = None, after: int = 0) -> Iterator[Record]:
        """Yield records in order.

        Parameters
        ----------
        limit : int, optional
            At most so many; by default all.
        after : int, optional
            Start behind this sequence number.
        """
        left = INTEGER_MAX if limit is None else limit
        while left > 0 and (page := self._page(after, min(PAGE, left))):
            yield from map(self._read, page)
            after = page[-1]["sequence"]
            left -= len(page)

    def head(self) -> tuple[int, str]:
        """Return sequence and hash of the last record; (0, 64 zeros) when empty.

        Kept outside the machine, this pair later proves that nothing up to it was
        cut off or rewritten; see `verify`.
        """
        with self._database.transaction() as connection:
            return _head(connection)

    def verify(self, expected_head: tuple[int, str] | None = None) -> Verification:
        """Recompute the whole chain.

        Finds a changed field and a removed, added or exchanged record. Records cut
        off at the end, and a chain computed anew, are found only against a head
        that was kept elsewhere.

        Parameters
        ----------
        expected_head : tuple of (int, str), optional
            What `head` returned at an earlier time. The log may have grown since.

        Raises
        ------
        RecordStoreDamaged
            The file itself is damaged, below the level of records.
        """
        with self._database.transaction() as connection:
            check = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if check != "ok":
            raise RecordStoreDamaged(
                f"is damaged: {str(check).splitlines()[-1]}",
                hint="Restore it from a copy.",
                path=self.path,
            )
        head = (0, FIRST_PREVIOUS_HASH)
        kept = expected_head or head
        met = kept == head
        # From below zero, so that rows smuggled in there are met too.
        page = self._page(-INTEGER_MAX, PAGE)
        while page:
            for entry in page:
                if reason := fault(entry, head):
                    return _broken(head[0], head[0] + 1, reason)
                head = (entry["sequence"], entry["hash"])
                met = met or kept == head
            page = self._page(head[0], PAGE)
        if met:
            return Verification(count=head[0], ok=True)
        if kept[0] > head[0]:
            return _broken(
                head[0], head[0] + 1, f"cut off: the kept head is record {kept[0]}"
            )
        return _broken(
            head[0], kept[0], "the record is not the one whose hash was kept"
        )

    def _page(self, after: int, limit: int) -> list[Mapping[str, Any]]:
        """Fetch some rows at once, so that a slow reader never blocks a writer."""
        values = {
            "after": max(-INTEGER_MAX, min(after, INTEGER_MAX)),
            "limit": limit,
        }
        return self._rows(
            "WHERE sequence > :after ORDER BY sequence LIMIT :limit", values
        )

    def _rows(self, clauses: str, values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        with self._database.transaction() as connection:
            result = connection.exec_driver_sql(f"{SELECT} {clauses}", dict(values))
            return [dict(entry) for entry in result.mappings()]

    def _read(self, entry: Mapping[str, Any]) -> Record:
        if not is_whole(entry):
            raise RecordStoreDamaged(
                f"record {entry['sequence']} was changed after it was written",
                hint="Verify the log and restore it from a copy.",
                path=self.path,
            )
        return parse(entry)


def _head(connection: Connection) -> tuple[int, str]:
    last = connection.exec_driver_sql(HEAD).first()
    return (0, FIRST_PREVIOUS_HASH) if last is None else (last[0], last[1])


def _taken(connection: Connection, payload: Payload) -> bool:
    found = connection.exec_driver_sql(TAKEN, {"payload": str(payload)})
    return found.first() is not None


def _broken(count: int, sequence: int, reason: str) -> Verification:
    return Verification(
        count=count, ok=False, first_bad_sequence=sequence, reason=reason
    )
