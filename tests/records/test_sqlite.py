"""The log in a file: private, told from others, and clear about what goes wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthmark.labeling.errors import (
    RecordError,
    RecordStoreBusy,
    RecordStoreDamaged,
    UsageError,
)
from synthmark.labeling.records.store import RecordStore

NOBODY = 65534


@pytest.fixture
def filled(six_in_a_file: Path, tmp_path: Path) -> RecordStore:
    path = tmp_path / "log.db"
    shutil.copy(six_in_a_file, path)
    path.chmod(0o600)
    return RecordStore(path)


def test_the_file_is_private_and_alone(tmp_path: Path, append: Any) -> None:
    store = RecordStore(tmp_path / "log.db")
    append(store)
    assert [item.name for item in tmp_path.iterdir()] == ["log.db"]
    with store:
        append(store)
        append(store)
        for item in tmp_path.iterdir():
            assert stat.S_IMODE(item.stat().st_mode) == 0o600
        assert len(list(tmp_path.iterdir())) == 3
    assert [item.name for item in tmp_path.iterdir()] == ["log.db"]


def test_what_is_acknowledged_is_flushed_to_the_disk(filled: RecordStore) -> None:
    with filled._database.transaction(write=True) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_reading_never_makes_a_log(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="does not exist"):
        RecordStore(tmp_path / "log.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_listing_does_not_hold_up_a_writer(filled: RecordStore, append: Any) -> None:
    listing = filled.records()
    next(listing)
    other = RecordStore(filled.path, timeout_s=0.2)
    append(other)
    connection = sqlite3.connect(filled.path, timeout=0.2)
    connection.execute("BEGIN EXCLUSIVE")
    connection.close()


def test_a_log_that_stays_locked_is_busy(filled: RecordStore, append: Any) -> None:
    impatient = RecordStore(filled.path, timeout_s=0.1)
    connection = sqlite3.connect(filled.path)
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordStoreBusy) as caught:
        append(impatient)
    assert caught.value.path == filled.path
    assert impatient.verify().ok
    connection.close()
    append(impatient)


def test_a_lock_that_is_released_is_waited_for(
    filled: RecordStore, append: Any
) -> None:
    connection = sqlite3.connect(filled.path, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.3, connection.rollback)
    timer.start()
    assert append(filled).sequence == 7
    timer.join()
    connection.close()


def test_opening_a_log_keeps_the_locks_of_other_threads(filled: RecordStore) -> None:
    connection = sqlite3.connect(filled.path)
    connection.execute("BEGIN IMMEDIATE")
    RecordStore(filled.path).close()
    probe = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute("
    process = subprocess.run(
        [sys.executable, "-c", probe + "'BEGIN IMMEDIATE')", str(filled.path)],
        capture_output=True,
        check=False,
    )
    connection.close()
    assert b"locked" in process.stderr


def test_files_that_are_no_log_are_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"a note, not a database\n" * 100)
    with pytest.raises(RecordStoreDamaged, match="not a database") as caught:
        RecordStore(path)
    assert caught.value.hint
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE note (text)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(RecordStoreDamaged, match="another program"):
        RecordStore(path)
    assert path.read_bytes() == before
    path.write_bytes(b"")
    with pytest.raises(RecordStoreDamaged, match="empty"):
        RecordStore(path, read_only=True)
    with pytest.raises(RecordError, match=r"cannot be (used|written)"):
        RecordStore(tmp_path)
    with pytest.raises(RecordError, match="no such file"):
        RecordStore(tmp_path / "missing" / "log.db")


def test_a_damaged_log_is_named_as_such(tmp_path: Path, fill: Any) -> None:
    path = tmp_path / "log.db"
    store = fill(RecordStore(path), 100)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:4096] + bytes(len(whole) - 4096)):
        path.write_bytes(damaged)
        with pytest.raises(RecordStoreDamaged):
            store.verify()
        with pytest.raises(RecordStoreDamaged):
            list(store.records())


def test_a_log_without_its_table_is_damaged(filled: RecordStore, append: Any) -> None:
    connection = sqlite3.connect(filled.path)
    connection.execute("ALTER TABLE record RENAME TO other")
    connection.close()
    with pytest.raises(RecordStoreDamaged):
        append(filled)


def test_a_log_that_is_gone_is_missed(filled: RecordStore, append: Any) -> None:
    assert isinstance(filled.path, Path)
    filled.path.unlink()
    for use in (lambda: append(filled), filled.verify, filled.head):
        with pytest.raises(RecordError, match="unable to open") as caught:
            use()
        assert caught.value.path == filled.path
    assert not filled.path.exists()


def test_a_full_disk_is_said_and_loses_nothing(filled: RecordStore) -> None:
    code = """
import resource, sys
from synthmark.labeling.errors import RecordError
from synthmark.labeling.records.store import RecordStore
store = RecordStore(sys.argv[1])
size = 120_000
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
fields = {"produce_id": "x", "payload": None, "sha256_before": "a" * 64,
    "sha256_after": "b" * 64, "media": "image", "layers": [], "service": "s" * 4000,
    "jurisdictions": [], "software": "test"}
for number in range(1000):
    try:
        print(store.append(**fields).sequence, flush=True)
    except RecordError as error:
        sys.exit(str(error))
"""
    process = subprocess.run(
        [sys.executable, "-c", code, str(filled.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [int(line) for line in process.stdout.split()]
    assert process.returncode == 1
    assert process.stderr.startswith(f"{filled.path}: cannot be used: ")
    assert "that the disk has room" in process.stderr
    result = filled.verify()
    assert result.ok
    assert told
    assert result.count == told[-1]


@pytest.fixture
def open_folder() -> Any:
    """A folder that anybody may enter, unlike those of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_nobody(call: Callable[[], object]) -> str:
    """Return what a call raises in a process without rights, or nothing."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        text = ""
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            call()
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(write, text.encode()[:4000])
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as told:
        return told.read()


def test_a_folder_that_cannot_be_written_is_named(
    filled: RecordStore, open_folder: Path, append: Any
) -> None:
    path = open_folder / "log.db"
    shutil.copy(filled.path, path)
    path.chmod(0o644)
    open_folder.chmod(0o555)
    told = as_nobody(lambda: RecordStore(open_folder / "other.db"))
    assert told.startswith(f"RecordError: {open_folder / 'other.db'}: cannot be")
    told = as_nobody(lambda: append(RecordStore(path)))
    assert told.startswith(f"RecordError: {path}: cannot be used")
    open_folder.chmod(0o755)


def test_an_archived_log_is_read_where_nothing_can_be_written(
    filled: RecordStore, open_folder: Path
) -> None:
    path = open_folder / "log.db"
    shutil.copy(filled.path, path)
    path.chmod(0o444)
    open_folder.chmod(0o555)

    def read() -> None:
        result = RecordStore(path, read_only=True).verify()
        assert (result.ok, result.count) == (True, 6)

    assert as_nobody(read) == ""
    open_folder.chmod(0o755)


@pytest.mark.parametrize("layout", [1, 2, 4])
def test_a_log_of_another_layout_is_refused(filled: RecordStore, layout: int) -> None:
    connection = sqlite3.connect(filled.path)
    connection.execute(f"PRAGMA user_version = {layout}")
    connection.close()
    with pytest.raises(RecordError, match=f"layout {layout}") as caught:
        RecordStore(filled.path)
    assert not isinstance(caught.value, RecordStoreDamaged)
    assert "the version of synthmark that made it" in caught.value.hint


@pytest.mark.parametrize("address", ["mysql://u@h/d", "sqlite:///x", "http://h/d"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no log can be kept at"):
        RecordStore(address)
