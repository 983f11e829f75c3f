"""Logs in both kinds of databases, the tools to fill them, and those to forge them."""

from __future__ import annotations

import glob
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthmark.labeling.payload import Payload
from synthmark.labeling.records.store import Record, RecordStore

FIELDS: dict[str, Any] = {
    "produce_id": "0192f0c1-77aa-7c33-8d5e-3f1b2a4c5d6e",
    "payload": None,
    "key_id": "0123456789abcdef",
    "sha256_before": "a" * 64,
    "sha256_after": "b" * 64,
    "media": "image",
    "layers": ("notice", "mark", "aigc"),
    "service": "face",
    "jurisdictions": ("cn", "eu"),
    "software": "synthmark/0.1.0",
    "target": "肖像.png",
    "notice": {"text": "AI生成", "box": {"left": 1}},
    "consent": "C-7",
    "exemption": {"agreement": "A", "recipient": "R"},
    "manifest_id": "urn:c2pa:3fad1ead-8ed5-44d0-873b-ea5f58adea82",
    "fingerprint": "pdq/1:AbC_-9",
}
TABLES = ("record", "manifest", "checkpoint", "spent_payload")

# Appends as fast as it can, and says the number of each record that is in.
WRITER = """
import sys
from synthmark.labeling.payload import Payload
from synthmark.labeling.records.store import RecordStore
place, count, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with RecordStore(place) as store:
    for number in range(count):
        record = store.append(
            produce_id=f"{name}-{number}", payload=Payload.random(),
            sha256_before="a" * 64, sha256_after="b" * 64, media="image",
            layers=["mark"], service="other", jurisdictions=["cn"], software="test/1",
        )
        print(record.sequence, flush=True)
"""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of the tests' own, on a Unix socket."""

    folder: str
    names: Iterator[int]

    def address(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def execute(self, name: str, *statements: str) -> list[Any]:
        import pg8000.dbapi

        connection = pg8000.dbapi.connect(
            "postgres", database=name, unix_sock=f"{self.folder}/.s.PGSQL.5432"
        )
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def database(self, options: str = "") -> str:
        """Make a database and return its name."""
        name = f"log{next(self.names)}"
        self.execute("postgres", f"CREATE DATABASE {name} {options}")
        return name


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder whose files are never written to a disk, where there is such a place."""
    fast = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=fast) as folder:
        yield Path(folder)


def database_of(address: str) -> str:
    return address.split("/")[3].split("?")[0]


@contextmanager
def running() -> Iterator[Server]:
    """Start a server as somebody who is not root, and stop it."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    binary = found[-1] if found else shutil.which("postgres")
    if binary is None:
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("pg8000")
    initdb = Path(binary).with_name("initdb")
    # The path of a socket has to be short.
    fast = "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp"
    folder = tempfile.mkdtemp(prefix="pg-", dir=fast)
    who: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        who |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = f"{folder}/data"
    make = [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run([*make, "--locale=C", "-N"], check=True, cwd=folder, **who)
    options = ("fsync=off", "listen_addresses=", f"unix_socket_directories={folder}")
    start = [binary, "-D", data, *(word for one in options for word in ("-c", one))]
    process = subprocess.Popen(start, cwd=folder, **who)
    try:
        server = Server(folder, count(1))
        for _ in range(300):
            time.sleep(0.1)
            try:
                server.execute("postgres", "SELECT 1")
                break
            except Exception:
                assert process.poll() is None
        yield server
    finally:
        process.send_signal(2)  # fast shutdown
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, memory: Path) -> Any:
    """A place for a log, and in it one of six records if the test asks for `log`."""
    six = "log" in request.fixturenames
    if request.param == "sqlite":
        path = Path(tempfile.mkdtemp(dir=memory)) / "log.db"
        if six:
            shutil.copy(request.getfixturevalue("six_in_a_file"), path)
        return path
    server = request.getfixturevalue("server")
    template = request.getfixturevalue("six_on_a_server") if six else "template1"
    return server.address(server.database(f"TEMPLATE {template}"))


@pytest.fixture
def open_log(place: Any) -> Iterator[Callable[..., RecordStore]]:
    """Open the log at the place as often as one likes."""
    opened = []

    def make(where: Any = place, **options: Any) -> RecordStore:
        opened.append(RecordStore(where, **options))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def append() -> Callable[..., Record]:
    def add(store: RecordStore, **changes: Any) -> Record:
        return store.append(**{**FIELDS, **changes})

    return add


@pytest.fixture(scope="session")
def fill(append: Callable[..., Record]) -> Callable[..., RecordStore]:
    """Append some records that differ."""

    def add(store: RecordStore, number: int = 6) -> RecordStore:
        with store:
            for index in range(number):
                append(
                    store,
                    payload=Payload(issuer=7, serial=index),
                    produce_id=f"item-{index}",
                    sha256_after=f"{index:064x}",
                )
        return store

    return add


@pytest.fixture(scope="session")
def six_in_a_file(fill: Any, memory: Path) -> Path:
    path = memory / "six.db"
    fill(RecordStore(path)).close()
    return path


@pytest.fixture(scope="session")
def six_on_a_server(fill: Any, server: Server) -> str:
    name = server.database()
    fill(RecordStore(server.address(name))).close()
    return name


@pytest.fixture
def log(open_log: Any) -> RecordStore:
    """A log of six records."""
    copied: RecordStore = open_log()
    return copied


@pytest.fixture
def sql(request: pytest.FixtureRequest, place: Any) -> Callable[..., list[Any]]:
    """Run statements on the database, past the program, as anybody might."""

    def run(*statements: str) -> list[Any]:
        if isinstance(place, Path):
            connection = sqlite3.connect(place)
            try:
                for statement in statements:
                    rows = connection.execute(statement).fetchall()
                connection.commit()
            finally:
                connection.close()
            return rows
        server = request.getfixturevalue("server")
        found: list[Any] = server.execute(database_of(place), *statements)
        return found

    return run


@pytest.fixture
def forge(sql: Any, place: Any) -> Callable[..., None]:
    """Change the database as somebody who may do all with it would."""

    def run(*statements: str) -> None:
        if isinstance(place, Path):
            names = sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            drops = [f"DROP TRIGGER {name}" for (name,) in names]
        else:
            drops = [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in TABLES]
        sql(*drops, *statements)

    return run


@pytest.fixture(scope="session")
def writer() -> Callable[..., subprocess.Popen[str]]:
    """Start a process that appends."""

    def start(place: Any, number: int, name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place), str(number), name],
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Let the log's clock stand at a day that many days ago."""
    from datetime import UTC, datetime, timedelta

    def go(days: float) -> datetime:
        time = datetime.now(UTC) - timedelta(days=days)
        clock = SimpleNamespace(now=lambda _zone: time)
        monkeypatch.setattr("synthmark.labeling.records.chain.datetime", clock)
        return time

    return go
