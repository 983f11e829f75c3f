"""The log in a PostgreSQL database: how it is reached, and its errors.

``postgresql://user@host:port/database``, with the password there or in
``PGPASSWORD``. ``?host=/folder`` names the folder of a Unix socket instead. A host
that is not this machine must show a certificate for its name (``?sslrootcert=FILE``
for a root of one's own), unless ``?sslmode=disable`` says otherwise.
"""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from ..errors import RecordError, RecordStoreBusy, RecordStoreDamaged, UsageError
from .layout import VERSION_TABLE

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

__all__ = ["PostgreSQL", "is_address"]

SCHEME = "postgresql://"
PORT = 5432
TIMEOUT_MAX_S = 1_000_000.0

# "SynMLog1": who appends holds this lock of the database until the commit.
LOCK = int.from_bytes(b"SynMLog1")

# SQLSTATE classes and codes, PostgreSQL manual, appendix A.
BUSY = ("40001", "40P01", "53300", "55P03", "57014")
DAMAGED = ("42P01", "42703", "XX001", "XX002")


def is_address(place: object) -> bool:
    """Say whether a place for a log is the address of a database."""
    return isinstance(place, str) and "://" in place


class PostgreSQL:
    """A log in a database of a server.

    Parameters
    ----------
    address : str
        ``postgresql://user@host/database``.
    read_only : bool
        Whether to refuse every change.
    timeout_s : float
        How long to wait for the server or another process, in seconds.

    Raises
    ------
    UsageError
        The address cannot be meant.
    RecordError
        The driver is not installed.
    """

    def __init__(self, address: str, *, read_only: bool, timeout_s: float) -> None:
        url = _parse(address)
        # Without password, to be shown.
        shown = url._replace(password=None).set(query={})
        self.place = shown.render_as_string()
        self._timeout_s = min(max(timeout_s, 0.001), TIMEOUT_MAX_S)
        self._settings = _settings(read_only, self._timeout_s)
        self._arguments = _arguments(url, self._timeout_s)
        self._process = os.getpid()
        self._engine = self._make_engine()

    @property
    def engine(self) -> Engine:
        """The pool of connections; a forked process gets its own."""
        if self._process != os.getpid():
            self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._engine

    def find(self) -> None:
        """Do nothing: a database is made by its administrator."""

    def begin(self, connection: Connection, *, write: bool, snapshot: bool) -> None:
        """Begin a transaction, alone if it writes."""
        if snapshot:
            connection.exec_driver_sql(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
            )
        if write:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")

    def hold(self) -> None:
        """Do nothing: the pool keeps connections open."""

    def release(self) -> None:
        """Close the connections of the pool."""
        self._engine.dispose()

    def revision(self, connection: Connection) -> str:
        """Return the revision of the tables, empty when there are none.

        Raises
        ------
        RecordError
            The database is not one for Unicode.
        RecordStoreDamaged
            There are tables of another program in it.
        """
        ours, theirs, encoding = connection.exec_driver_sql(
            f"SELECT to_regclass('{VERSION_TABLE}') IS NOT NULL, "
            "to_regclass('record') IS NOT NULL, current_setting('server_encoding')"
        ).one()
        if encoding != "UTF8":
            raise RecordError(
                f"is a database in {encoding}, which cannot hold every name",
                hint="Make one with ENCODING 'UTF8'.",
                path=self.place,
            )
        if ours:
            query = f"SELECT version_num FROM {VERSION_TABLE}"
            return str(connection.exec_driver_sql(query).scalar_one_or_none())
        if theirs:
            raise RecordStoreDamaged(
                "is a database of another program, not a record log",
                hint="Make a database for the log alone.",
                path=self.place,
            )
        return ""

    def prepare(self) -> None:
        """Do nothing: the server is ready."""

    def brand(self, connection: Connection) -> None:
        """Do nothing: the table of the revision tells the log from others."""

    def inspect(self, connection: Connection) -> str:
        """Return an empty text: the server looks after its own files."""
        return ""

    def translated(self, error: Exception) -> RecordError:
        """Return our error for one of the driver or the server."""
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        told = error.args[0] if error.args else ""
        code = told.get("C", "") if isinstance(told, dict) else ""
        text = told.get("M", "") if isinstance(told, dict) else str(error)
        if code in BUSY or isinstance(error, PoolTimeout):
            return RecordStoreBusy(
                f"is held by others: {text}" if code else "is held by others",
                hint="Try again, or wait longer with a higher timeout.",
                path=self.place,
            )
        if _is_timeout(error):
            return RecordStoreBusy(
                f"did not answer within {self._timeout_s:g} seconds",
                hint="Check the server and the network, then try again.",
                path=self.place,
            )
        if code in DAMAGED:
            return RecordStoreDamaged(
                f"is not a readable record log: {text}",
                hint="Restore it from a copy, or name another database.",
                path=self.place,
            )
        if code:
            return RecordError(
                f"refuses: {text}",
                hint="Check name, password and rights in the database.",
                path=self.place,
            )
        return RecordError(
            f"cannot be reached: {_reason(error)}",
            hint="Check the address, the server and the network.",
            path=self.place,
        )

    def _make_engine(self) -> Engine:
        from sqlalchemy import create_engine, event
        from sqlalchemy.exc import DisconnectionError

        try:
            import pg8000
        except ImportError as error:
            raise RecordError(
                "needs the driver for PostgreSQL",
                hint="Install it with `pip install 'synthmark[postgresql]'`.",
                path=self.place,
            ) from error

        class Quiet(pg8000.Connection):  # type: ignore[misc]
            """A connection whose loss was reported already when it is closed."""

            def close(self) -> None:
                with suppress(pg8000.Error, OSError, ValueError):
                    super().close()

        def connect() -> Quiet:
            connection = None
            link = None
            try:
                link = _link(self._arguments)
                connection = Quiet(**self._arguments, sock=link)
                cursor = connection.cursor()
                for name, value in self._settings.items():
                    cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
                cursor.execute(
                    "SELECT set_config('synchronous_commit', 'on', false) "
                    "WHERE current_setting('synchronous_commit') = 'off'"
                )
                connection.commit()
            # The driver stumbles over a server of another kind, and over one that
            # asks for a password when there is none, in whatever way comes first.
            except Exception as error:
                if connection is not None:
                    connection.close()
                elif link is not None and link.fileno() >= 0:
                    os.close(link.detach())  # whoever still holds it
                raise self.translated(error) from error
            return connection

        engine = create_engine(
            "postgresql+pg8000://",
            creator=connect,
            pool_use_lifo=True,
            pool_timeout=self._timeout_s,
        )

        @event.listens_for(engine, "checkout")
        def ask(connection: Quiet, *_: object) -> None:
            """Have a connection that was cut meanwhile made anew."""
            try:
                connection.autocommit = True
                connection.cursor().execute("SELECT 1")
                connection.autocommit = False
            except (pg8000.Error, OSError) as error:
                raise DisconnectionError from error

        return engine


def _parse(address: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    hint = f"Write {SCHEME}user@host/database."
    if not address.startswith(SCHEME):
        scheme = address.partition("://")[0]
        raise UsageError(
            f"no log can be kept at an address {scheme[:40]}://", hint=hint
        )
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # Without the cause, which may quote the password.
        raise UsageError("the address of the log is malformed", hint=hint) from None
    if not (url.username and url.database):
        raise UsageError("the address of the log needs user and database", hint=hint)
    unknown = set(url.query) - {"host", "sslmode", "sslrootcert"}
    if unknown or any(not isinstance(value, str) for value in url.query.values()):
        raise UsageError(
            "the address of the log may be followed by host, sslmode and sslrootcert, "
            "once each"
        )
    if url.query.get("sslmode") not in (None, "disable", "verify-full"):
        raise UsageError("sslmode is disable or verify-full")
    return url


def _arguments(url: URL, timeout_s: float) -> dict[str, Any]:
    """Return what the driver is called with."""
    query: dict[str, Any] = dict(url.query)
    host, port = query.get("host") or url.host or "localhost", url.port or PORT
    local = host.startswith("/")
    safe = local or _is_here(host)
    mode = query.get("sslmode") or ("disable" if safe else "verify-full")
    context: ssl.SSLContext | bool = False
    if mode == "verify-full" and not local:
        try:
            context = ssl.create_default_context(cafile=query.get("sslrootcert"))
        except OSError as error:
            raise UsageError(
                f"cannot be read as certificates: {error.strerror or error}",
                path=query.get("sslrootcert"),
            ) from error
    return {
        "user": url.username,
        "password": url.password or os.environ.get("PGPASSWORD"),
        "database": url.database,
        "host": host,
        "port": port,
        "ssl_context": context,
        "application_name": "synthmark",
        # A little more than the server's own, whose answer says what it waits for.
        "timeout": 1.1 * timeout_s + 0.2,
    }


def _link(arguments: dict[str, Any]) -> socket.socket:
    """Return a socket that is connected to the server."""
    host, port, timeout_s = (arguments[name] for name in ("host", "port", "timeout"))
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout_s)
    link = socket.socket(socket.AF_UNIX)
    try:
        link.settimeout(timeout_s)
        link.connect(f"{host}/.s.PGSQL.{port}")
    except OSError:
        link.close()
        raise
    return link


def _settings(read_only: bool, timeout_s: float) -> dict[str, str]:
    wait_ms = str(max(1, round(1000 * timeout_s)))
    return {
        "statement_timeout": wait_ms,
        "lock_timeout": wait_ms,
        "idle_in_transaction_session_timeout": "0",
        "default_transaction_isolation": "read committed",
        "default_transaction_read_only": "on" if read_only else "off",
    }


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_timeout(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, TimeoutError) or "timed out object" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _reason(error: Exception) -> str:
    """Return the innermost cause that the system names, else what the driver says."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__
    text = str(error)
    if isinstance(error, AttributeError):
        return "it asks for a password, and none was given"
    return (
        text if type(error).__module__.startswith("pg8000") else "no PostgreSQL there"
    )
