"""A database that holds a log: its transactions, and its tables brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecordError, RecordStoreDamaged
from .layout import upgrade
from .postgresql import PostgreSQL, is_address
from .schema import REVISION
from .sqlite import SQLiteFile

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Database"]


class Database:
    """The tables of a log, in a file or on a server, made when they are missing.

    Parameters
    ----------
    place : Path or str
        A file, which is created with mode 0600 unless `read_only`, or the address
        ``postgresql://user@host/database``.
    read_only : bool
        Whether to refuse every change; a missing log is then an error.
    timeout_s : float
        How long to wait for the server or another process, in seconds.

    Raises
    ------
    RecordError
        The database cannot be opened, or belongs to a newer version of the program.
    RecordStoreBusy
        Somebody held it for longer than `timeout_s`.
    RecordStoreDamaged
        It is not a record log.
    """

    def __init__(self, place: Path | str, *, read_only: bool, timeout_s: float) -> None:
        from sqlalchemy import event

        self._server: SQLiteFile | PostgreSQL
        if is_address(place):
            self._server = PostgreSQL(
                str(place), read_only=read_only, timeout_s=timeout_s
            )
        else:
            self._server = SQLiteFile(
                Path(place), read_only=read_only, timeout_s=timeout_s
            )
        self.place = self._server.place
        event.listen(self._server.engine, "begin", self._begin)
        try:
            self._make_current(read_only)
        except BaseException:
            self._server.release()
            raise

    @contextmanager
    def transaction(
        self, *, write: bool = False, snapshot: bool = False
    ) -> Iterator[Connection]:
        """Run one transaction and turn the database's errors into ours.

        Parameters
        ----------
        write : bool, optional
            Whether to keep other writers out from the beginning.
        snapshot : bool, optional
            Whether every statement shall see the log as it was at the first.
        """
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        engine = self._server.engine.execution_options(write=write, snapshot=snapshot)
        try:
            with engine.begin() as connection:
                try:
                    yield connection
                except OSError:  # the driver lost the server
                    connection.invalidate()
                    raise
        except DBAPIError as error:
            raise self._server.translated(_cause(error)) from error
        except (OSError, PoolTimeout) as error:
            raise self._server.translated(error) from error

    def inspect(self) -> None:
        """Look for damage below the level of tables.

        Raises
        ------
        RecordStoreDamaged
            There is some.
        """
        with self.transaction() as connection:
            found = self._server.inspect(connection)
        if found:
            raise RecordStoreDamaged(
                f"is damaged: {found}", hint="Restore it from a copy.", path=self.place
            )

    def hold(self) -> None:
        """Keep the file open from the next change on."""
        self._server.hold()

    def close(self) -> None:
        """Let go of the file or the server."""
        self._server.release()

    def _begin(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        self._server.begin(
            connection, write=options["write"], snapshot=options["snapshot"]
        )

    def _make_current(self, read_only: bool) -> None:
        """See that the tables are there and of this version."""
        self._server.find()
        with self.transaction() as connection:
            revision = self._revision(connection)
        if revision == REVISION:
            return
        if read_only and not revision:
            raise RecordStoreDamaged("is empty, not a record log", path=self.place)
        if read_only:
            raise RecordError(
                f"has revision {revision}, and only a writer brings it to {REVISION}",
                hint="Label a file first, or run `synthmark records checkpoint`.",
                path=self.place,
            )
        self._server.prepare()
        with self.transaction(write=True) as connection:
            # Another process may have been faster.
            if self._revision(connection) != REVISION:
                upgrade(connection)
                self._server.brand(connection)

    def _revision(self, connection: Connection) -> str:
        """Return the revision of the tables; raise when it is a newer one."""
        revision = self._server.revision(connection)
        if revision > REVISION:
            raise RecordError(
                f"has revision {revision}, but this version knows {REVISION} at most",
                hint="Use the version of synthmark that made it, or a newer one.",
                path=self.place,
            )
        return revision


def _cause(error: Exception) -> Exception:
    cause = getattr(error, "orig", None)
    return cause if isinstance(cause, Exception) else error
