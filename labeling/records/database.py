"""The SQLite file under the record log: its layout, its rules and its errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import (
    OutputError,
    OutputExists,
    RecordError,
    RecordStoreBusy,
    RecordStoreDamaged,
)
from ..files import write_bytes

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["Database"]

# "SynM" in the file header tells the log from other programs' databases.
APPLICATION_ID = 0x53796E4D
SCHEMA = 2

# SQLite runs no delete trigger for the rows that INSERT OR REPLACE pushes out, so
# the insert itself refuses everything but the next row.
CREATE = (
    """
    CREATE TABLE record (
        sequence      INTEGER PRIMARY KEY,
        time          TEXT NOT NULL,
        produce_id    TEXT NOT NULL,
        payload       TEXT UNIQUE,
        sha256_before TEXT NOT NULL,
        sha256_after  TEXT NOT NULL,
        media         TEXT NOT NULL,
        layers        TEXT NOT NULL,
        service       TEXT NOT NULL,
        jurisdictions TEXT NOT NULL,
        software      TEXT NOT NULL,
        target        TEXT,
        notice        TEXT,
        consent       TEXT,
        exemption     TEXT,
        previous_hash TEXT NOT NULL,
        hash          TEXT NOT NULL
    )
    """,
    "CREATE INDEX record_produce_id ON record (produce_id)",
    "CREATE INDEX record_sha256_before ON record (sha256_before)",
    "CREATE INDEX record_sha256_after ON record (sha256_after)",
    """
    CREATE TRIGGER record_insert BEFORE INSERT ON record
    WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM record)
        OR EXISTS (SELECT 1 FROM record WHERE payload = NEW.payload)
    BEGIN SELECT raise(ABORT, 'records are only appended'); END
    """,
    """
    CREATE TRIGGER record_update BEFORE UPDATE ON record
    BEGIN SELECT raise(ABORT, 'records are never changed'); END
    """,
    """
    CREATE TRIGGER record_delete BEFORE DELETE ON record
    BEGIN SELECT raise(ABORT, 'records are never deleted'); END
    """,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA}",
)


class Database:
    """A file that holds the table of records, opened anew for every transaction.

    Parameters
    ----------
    path : Path
        The file. Unless `read_only`, it is created with mode 0600 when missing.
    read_only : bool
        Whether to refuse every change; a missing file is then an error.
    timeout_s : float
        How long to wait for another process, in seconds.

    Raises
    ------
    RecordError
        The file cannot be opened, or belongs to a newer version of the program.
    RecordStoreBusy
        Another process held the file for longer than `timeout_s`.
    RecordStoreDamaged
        The file is not a record log.
    """

    def __init__(self, path: Path, *, read_only: bool, timeout_s: float) -> None:
        self.path = path
        self.engine = _engine(path, read_only=read_only, timeout_s=timeout_s)
        if not read_only:
            _create_private(path)
        elif not path.exists():
            raise RecordError(
                "does not exist",
                hint="The log appears with the first labeled file.",
                path=path,
            )
        with self.transaction() as connection:
            empty = self._is_empty(connection)
        if empty and read_only:
            raise RecordStoreDamaged("is an empty file, not a record log", path=path)
        if empty:
            with self.transaction(write=True) as connection:
                # Another process may have been faster.
                if self._is_empty(connection):
                    for statement in CREATE:
                        connection.exec_driver_sql(statement)

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[Connection]:
        """Run one transaction and turn the database's errors into ours."""
        from sqlalchemy.exc import DBAPIError

        begin = "BEGIN IMMEDIATE" if write else "BEGIN"
        try:
            with self.engine.execution_options(begin=begin).begin() as connection:
                yield connection
        except DBAPIError as error:
            if not isinstance(error.orig, sqlite3.Error):
                raise
            raise _translated(error.orig, self.path) from error

    def _is_empty(self, connection: Connection) -> bool:
        """Say whether the file still lacks its table; raise when it is not ours."""
        application = connection.exec_driver_sql("PRAGMA application_id").scalar()
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        objects = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        if application == version == objects.scalar() == 0:
            return True
        if application != APPLICATION_ID or version < 1:
            raise RecordStoreDamaged(
                "is a database of another program, not a record log",
                hint="Name another file for the log.",
                path=self.path,
            )
        if version != SCHEMA:
            raise RecordError(
                f"has layout {version}, but this version knows layout {SCHEMA} only",
                hint="Use the version of synthmark that made it, or move it away.",
                path=self.path,
            )
        return False


def _engine(path: Path, *, read_only: bool, timeout_s: float) -> Engine:
    """Return an engine that opens the file anew for every transaction."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    # Mode rw never creates a file, and rolls back what a killed writer left behind
    # even for those who only read.
    address = path.absolute().as_uri() + "?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=timeout_s, isolation_level=None
        )
        # Bytes that are no UTF-8 must reach `verify` instead of stopping it.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options()["begin"])

    return engine


def _create_private(path: Path) -> None:
    """Make an empty file that only its owner can read, unless there is one."""
    if path.exists():
        return
    try:
        # Never open and close the log itself: that would drop the locks which
        # SQLite holds on it elsewhere in this process.
        with suppress(OutputExists):
            write_bytes(path, b"", mode=0o600)
    except OutputError as error:
        raise RecordError(error.problem, hint=error.hint, path=path) from error


def _translated(error: sqlite3.Error, path: Path) -> RecordError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RecordStoreBusy(
            "is held by another process",
            hint="Try again, or wait longer with a higher timeout.",
            path=path,
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
        return RecordStoreDamaged(
            f"is not a readable record log: {error}",
            hint="Restore it from a copy, or move it away to start a new log.",
            path=path,
        )
    return RecordError(
        f"cannot be used: {error}",
        hint="Check that the file is yours and that the disk has room.",
        path=path,
    )
