"""The log on a server: reached, refused, silent or gone, and no password told."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from synthmark.labeling.errors import (
    RecordError,
    RecordStoreBusy,
    RecordStoreDamaged,
    UsageError,
)
from synthmark.labeling.records.store import RecordStore

pytest.importorskip("pg8000")

SECRET = "S3cr3t-Pa55"


@contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """Answer on a port in our own way."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        kept = []

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    kept.append(connection)
                    answer(connection)
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


def told(place: str, **options: Any) -> RecordError:
    """Return the error of opening, which comes in time and tells no password."""
    began = time.monotonic()
    with pytest.raises(RecordError) as caught:
        RecordStore(place, **{"timeout_s": 0.5, **options})
    assert time.monotonic() - began < 3
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert SECRET not in repr(caught.value)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("postgresql://", "needs user and database"),
        ("postgresql://host/db", "needs user and database"),
        ("postgresql://user@host", "needs user and database"),
        (f"postgresql://user:{SECRET}@host:port/db", "malformed"),
        (f"postgresql+psycopg://user:{SECRET}@host/db", "no log can be kept"),
        ("postgresql://user@host/db?connect_timeout=1", "may be followed by"),
        (f"postgresql://user@host/db?password={SECRET}", "may be followed by"),
        ("postgresql://user@host/db?host=/a&host=/b", "may be followed by"),
        ("postgresql://user@host/db?sslmode=prefer", "sslmode is"),
        ("postgresql://user@host/db?sslrootcert=/none", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(address: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        RecordStore(address)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = told(f"postgresql://user:{SECRET}@127.0.0.1:{port}/db")
    assert "cannot be reached: connection refused" in error.problem
    assert error.path == f"postgresql://user@127.0.0.1:{port}/db"
    error = told(f"postgresql://user:{SECRET}@/db?host=/nowhere")
    assert "cannot be reached: no such file" in error.problem


def test_a_silent_server_is_not_waited_for_forever() -> None:
    with listening(lambda _: None) as port:
        for query in ("", "?sslmode=verify-full"):
            error = told(f"postgresql://user:{SECRET}@127.0.0.1:{port}/db{query}")
            assert isinstance(error, RecordStoreBusy)
            assert "did not answer within 0.5 seconds" in error.problem


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9,
        b"R\0\0\0\x08\0\0\0\x63",
        b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
        b"R\0\0\0\x04",
        b"E\xff\xff\xff\xff",
        bytes(100),
    ],
)
def test_a_server_of_another_kind_is_named(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)

    def reply(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(answer)
        connection.close()

    with listening(reply) as port:
        error = told(f"postgresql://user@127.0.0.1:{port}/db")
        assert "cannot be reached: " in error.problem


def test_a_foreign_host_must_be_safe() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"N")

    with listening(refuse) as port:
        place = f"postgresql://user:{SECRET}@127.0.0.1:{port}/db"
        assert "Server refuses SSL" in told(f"{place}?sslmode=verify-full").problem


def test_databases_that_are_no_log_are_named_as_such(server: Any) -> None:
    assert "does not exist" in told(server.address("none")).problem
    name = server.database()
    place = server.address(name)
    with pytest.raises(RecordStoreDamaged, match="is empty"):
        RecordStore(place, read_only=True)
    server.execute(name, "CREATE TABLE record (note text)")
    with pytest.raises(RecordStoreDamaged, match="another program"):
        RecordStore(place)
    latin = server.database("ENCODING 'LATIN1' TEMPLATE template0")
    assert "LATIN1" in told(server.address(latin)).problem


def test_a_password_is_asked_for_and_never_told(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = server.database()
    server.execute(
        name,
        f"CREATE ROLE keeper LOGIN PASSWORD '{SECRET}'",
        f"GRANT ALL ON SCHEMA public TO keeper; ALTER DATABASE {name} OWNER TO keeper",
    )
    hba = f"{server.folder}/data/pg_hba.conf"
    with open(hba) as file:
        before = file.read()
    with open(hba, "w") as file:
        file.write("local all keeper scram-sha-256\n" + before)
    server.execute(name, "SELECT pg_reload_conf()")
    time.sleep(0.2)
    place = server.address(name).replace("postgres@", "keeper@")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert "none was given" in told(place).problem
    error = told(place.replace("keeper@", f"keeper:{SECRET}x@"))
    assert "password authentication failed" in error.problem
    with RecordStore(place.replace("keeper@", f"keeper:{SECRET}@")) as store:
        assert SECRET not in str(store.path)
        assert store.verify().ok
    monkeypatch.setenv("PGPASSWORD", SECRET)
    with RecordStore(place) as store:
        assert store.verify().ok
    with open(hba, "w") as file:
        file.write(before)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_log_that_stays_locked_is_busy(
    log: RecordStore, open_log: Any, append: Any
) -> None:
    impatient = open_log(timeout_s=0.3)
    with log._database.transaction(write=True):
        with pytest.raises(RecordStoreBusy, match="held by others"):
            append(impatient)
        assert impatient.verify().ok  # readers wait for nobody
    append(impatient)


def use(store: RecordStore, first: Callable[[], object], *statements: str) -> None:
    with store._database.transaction(write=True) as connection:
        first()
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_connection_that_was_cut_is_made_anew(
    log: RecordStore, append: Any, server: Any
) -> None:
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'synthmark'"
    )
    append(log)
    server.execute("postgres", cut)
    append(log)
    with pytest.raises(RecordError):
        use(log, lambda: server.execute("postgres", cut), "SELECT 1")
    append(log)
    assert log.verify().count == 9


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_server_that_falls_silent_is_not_waited_for(
    log: RecordStore, open_log: Any
) -> None:
    store = open_log(timeout_s=0.3)
    with (
        pytest.raises(RecordStoreBusy, match="statement timeout"),
        store._database.transaction() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(9)")
    with pytest.raises(RecordStoreBusy, match="did not answer within"):
        use(store, lambda: None, "SET statement_timeout = 0", "SELECT pg_sleep(9)")
    assert store.verify().ok


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_writer_needs_few_rights(
    log: RecordStore, append: Any, sql: Any, open_log: Any, place: str
) -> None:
    sql(
        "DROP ROLE IF EXISTS labeler",
        "CREATE ROLE labeler LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO labeler",
        "GRANT INSERT ON record, manifest, checkpoint TO labeler",
    )
    store = open_log(place.replace("postgres@", "labeler@"))
    append(store)
    assert store.verify().count == 7
    with (
        pytest.raises(RecordError, match="must be owner"),
        store._database.transaction(write=True) as connection,
    ):
        connection.exec_driver_sql("ALTER TABLE record DISABLE TRIGGER ALL")
