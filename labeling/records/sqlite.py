"""The log in an SQLite file: how it is opened, told from others, and its errors.

The file is open only while a transaction runs, so a log may be shared by threads,
survives a fork, and is a single file whenever nobody uses it. Who appends many
records in a row holds it open, which is several times faster: the last one to close
a file has to tidy it up.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from ..errors import (
    OutputError,
    OutputExists,
    RecordError,
    RecordStoreBusy,
    RecordStoreDamaged,
)
from ..files import write_bytes
from .layout import VERSION_TABLE

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["SQLiteFile"]

# "SynM" in the file header tells the log from other programs' databases.
APPLICATION_ID = 0x53796E4D
# Layouts 1 and 2 were those before revisions were kept.
LAYOUT = 3

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR)


class SQLiteFile:
    """A log in one file.

    Parameters
    ----------
    path : Path
        The file.
    read_only : bool
        Whether to refuse every change.
    timeout_s : float
        How long to wait for another process, in seconds.
    """

    def __init__(self, path: Path, *, read_only: bool, timeout_s: float) -> None:
        self.place = path
        self._read_only = read_only
        self._timeout_s = timeout_s
        self._holds = False
        self._held: sqlite3.Connection | None = None

    @cached_property
    def engine(self) -> Engine:
        """What opens the file anew for every transaction."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine("sqlite://", creator=self._connect, poolclass=NullPool)

    def find(self) -> None:
        """Make an empty file, or see that there is one when only reading.

        Raises
        ------
        RecordError
            There is no file and none can or may be made.
        """
        if not self._read_only:
            _create_private(self.place)
        elif not self.place.exists():
            raise RecordError(
                "does not exist",
                hint="The log appears with the first labeled file.",
                path=self.place,
            )

    def begin(self, connection: Connection, *, write: bool, snapshot: bool) -> None:
        """Begin a transaction; every one sees the log at one moment."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
        if write and self._holds:
            self._open()

    def hold(self) -> None:
        """Keep the file open from the next change on."""
        self._holds = True

    def release(self) -> None:
        """Keep the file open no longer."""
        self._holds = False
        with _holding:
            self._close()

    def revision(self, connection: Connection) -> str:
        """Return the revision of the tables, empty when there are none.

        Raises
        ------
        RecordError
            The layout is one from before revisions, or unknown.
        RecordStoreDamaged
            It is a database of another program.
        """
        application = connection.exec_driver_sql("PRAGMA application_id").scalar()
        layout = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        objects = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        if application == layout == objects.scalar() == 0:
            return ""
        if application != APPLICATION_ID or layout < 1:
            raise RecordStoreDamaged(
                "is a database of another program, not a record log",
                hint="Name another file for the log.",
                path=self.place,
            )
        if layout != LAYOUT:
            raise RecordError(
                f"has layout {layout}, but this version knows layout {LAYOUT} only",
                hint="Use the version of synthmark that made it, or move it away.",
                path=self.place,
            )
        query = f"SELECT version_num FROM {VERSION_TABLE}"
        return str(connection.exec_driver_sql(query).scalar_one_or_none())

    def prepare(self) -> None:
        """Let readers and a writer work at once, before there are tables."""
        deadline = time.monotonic() + self._timeout_s
        connection = self._connect()
        try:
            # SQLite does not wait by itself when it changes this mode.
            while True:
                try:
                    connection.execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as error:
                    if time.monotonic() > deadline or not _is_busy(error):
                        raise self.translated(error) from error
                    time.sleep(0.01)
        finally:
            connection.close()

    def brand(self, connection: Connection) -> None:
        """Write into the file what tells it from others."""
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {LAYOUT}")

    def inspect(self, connection: Connection) -> str:
        """Return what is wrong with the file below its tables, or an empty text."""
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        return "" if found == "ok" else str(found).splitlines()[-1]

    def translated(self, error: Exception) -> RecordError:
        """Return our error for one of the database."""
        if not isinstance(error, sqlite3.Error):
            return RecordError(f"cannot be used: {error}", path=self.place)
        if _is_busy(error):
            return RecordStoreBusy(
                "is held by another process",
                hint="Try again, or wait longer with a higher timeout.",
                path=self.place,
            )
        if _code(error) in DAMAGED:
            return RecordStoreDamaged(
                f"is not a readable record log: {error}",
                hint="Restore it from a copy, or move it away to start a new log.",
                path=self.place,
            )
        return RecordError(
            f"cannot be used: {error}",
            hint="Check that the file is yours and that the disk has room.",
            path=self.place,
        )

    def _open(self) -> None:
        with _holding:
            if self._held is None:
                self._held = self._connect()
                self._held.execute("PRAGMA schema_version").fetchone()
                _holders.add(self)

    def _close(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def _connect(self) -> sqlite3.Connection:
        # Mode rw never creates a file, and rolls back what a killed writer left
        # behind even for those who only read.
        address = self.place.absolute().as_uri() + "?mode=rw"
        if self._read_only and _is_archived(self.place):
            address = self.place.absolute().as_uri() + "?mode=ro&immutable=1"
        connection = sqlite3.connect(
            address,
            uri=True,
            timeout=self._timeout_s,
            isolation_level=None,
            check_same_thread=False,  # what is held is closed by anybody
        )
        # Bytes that are no UTF-8 must reach `verify` instead of stopping it.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        try:
            if self._read_only:
                connection.execute("PRAGMA query_only = ON")
            else:
                # A record that is acknowledged survives a power cut, and what is
                # deleted leaves no bytes behind.
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA fullfsync = ON")
                connection.execute("PRAGMA secure_delete = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


# SQLite's locks do not pass to a forked process, so nothing is held over a fork.
_holders: WeakSet[SQLiteFile] = WeakSet()
_holding = threading.Lock()


def _before_fork() -> None:
    _holding.acquire()
    for holder in _holders:
        holder._close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_holding.release,
        after_in_child=_holding.release,
    )


def _is_archived(path: Path) -> bool:
    """Say whether nobody writes, and SQLite cannot lay its own files beside it."""
    wal = path.with_name(path.name + "-wal")
    return not os.access(path.parent, os.W_OK) and not wal.exists()


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


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in BUSY
