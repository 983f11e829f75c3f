"""The record log: what goes in comes out, in order, and nothing changes unseen."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import (
    RecordError,
    RecordStoreBusy,
    RecordStoreDamaged,
    UsageError,
)
from synthmark.labeling.payload import Payload
from synthmark.labeling.records.store import Record, RecordStore

FIELDS: dict[str, Any] = {
    "produce_id": "0192f0c1-77aa-7c33-8d5e-3f1b2a4c5d6e",
    "payload": None,
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
}

# Appends as fast as it can, and says on stdout when the first record is in.
WRITER = """
import sys
from synthmark.labeling.payload import Payload
from synthmark.labeling.records.store import RecordStore
path, count, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with RecordStore(path) as store:
    for number in range(count):
        store.append(
            produce_id=f"{name}-{number}", payload=Payload.random(),
            sha256_before="a" * 64, sha256_after="b" * 64, media="image",
            layers=["mark"], service="other", jurisdictions=["cn"], software="test/1",
        )
        if number == 0:
            print("started", flush=True)
"""


def append(store: RecordStore, **changes: Any) -> Record:
    return store.append(**{**FIELDS, **changes})


def filled(path: Path, count: int = 6) -> RecordStore:
    store = RecordStore(path)
    for number in range(count):
        append(
            store,
            payload=Payload(issuer=7, serial=number),
            produce_id=f"item-{number}",
            sha256_after=f"{number:064x}",
        )
    return store


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody with a database tool would."""
    connection = sqlite3.connect(path)
    for trigger in ("record_insert", "record_update", "record_delete"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def writer(path: Path, count: int, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(count), name],
        stdout=subprocess.PIPE,
    )


def published_hash(path: Path, sequence: int) -> str:
    """Compute a row's hash as the format says, from the raw database."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    query = "SELECT * FROM record WHERE sequence = ?"
    fields = dict(connection.execute(query, [sequence]).fetchone())
    connection.close()
    del fields["hash"]
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return RecordStore(tmp_path_factory.mktemp("records") / "log.db")


@settings(max_examples=60, deadline=None)
@given(
    fields=st.fixed_dictionaries(
        {
            "produce_id": texts,
            "sha256_before": digests,
            "sha256_after": digests,
            "media": names,
            "layers": st.lists(names, max_size=5).map(tuple),
            "service": texts,
            "jurisdictions": st.lists(names, max_size=3).map(tuple),
            "software": texts,
            "target": st.none() | texts,
            "notice": st.none() | st.dictionaries(texts, texts | st.integers()),
            "consent": st.none() | texts,
            "exemption": st.none() | st.dictionaries(texts, texts),
        }
    )
)
def test_every_field_comes_back_as_it_was_given(
    shared_store: RecordStore, fields: dict[str, Any]
) -> None:
    payload = Payload.random(issuer=7)
    written = shared_store.append(payload=payload, **fields)
    assert {name: getattr(written, name) for name in fields} == fields
    assert shared_store.get(written.sequence) == written
    assert shared_store.find(payload=payload) == (written,)
    assert written in shared_store.find(produce_id=fields["produce_id"])
    assert written in shared_store.find(sha256=fields["sha256_before"])
    assert written in shared_store.find(sha256=fields["sha256_after"].upper())
    assert shared_store.verify().ok


def test_records_are_numbered_dated_and_chained(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db", 3)
    first, second, third = store.records()
    assert [first.sequence, second.sequence, third.sequence] == [1, 2, 3]
    assert first.previous_hash == "0" * 64
    assert second.previous_hash == first.hash
    assert store.head() == (3, third.hash)
    assert [item.hash for item in (first, second, third)] == [
        published_hash(store.path, sequence) for sequence in (1, 2, 3)
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", third.time)
    age = datetime.now(UTC) - datetime.fromisoformat(third.time)
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_an_empty_log_is_in_order(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "log.db") as store:
        assert store.head() == (0, "0" * 64)
        assert list(store.records()) == []
        assert store.get(1) is None
        assert store.verify(store.head()).ok


@pytest.mark.parametrize(
    ("limit", "after", "expected"),
    [
        (None, 0, range(1, 1103)),
        (None, 1100, [1101, 1102]),
        (3, 0, [1, 2, 3]),
        (700, 1, range(2, 702)),
        (0, 0, []),
        (5, 10**30, []),
    ],
)
def test_records_are_listed_in_pages(
    long_log: RecordStore, limit: int | None, after: int, expected: range | list[int]
) -> None:
    listed = [record.sequence for record in long_log.records(limit, after)]
    assert listed == list(expected)


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return filled(tmp_path_factory.mktemp("long") / "log.db", 1102)


def test_a_listing_does_not_hold_up_a_writer(long_log: RecordStore) -> None:
    listing = long_log.records()
    next(listing)
    other = RecordStore(long_log.path, timeout_s=0.2)
    assert other.payload_taken(Payload(issuer=7, serial=0))
    connection = sqlite3.connect(long_log.path, timeout=0.2)
    connection.execute("BEGIN EXCLUSIVE")
    connection.close()


def test_find_combines_its_criteria(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db")
    payload = Payload(issuer=7, serial=2)
    assert [item.sequence for item in store.find(payload=payload)] == [3]
    assert store.find(payload=payload, produce_id="item-2") == store.find(
        payload=payload
    )
    assert store.find(payload=payload, produce_id="item-3") == ()
    assert len(store.find(sha256="a" * 64)) == 6
    with pytest.raises(UsageError):
        store.find()


def test_a_payload_stands_for_one_item_only(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db")
    payload = Payload(issuer=7, serial=3)
    assert store.payload_taken(payload)
    assert not store.payload_taken(Payload(issuer=8, serial=3))
    with pytest.raises(RecordError, match="another item already"):
        append(store, payload=payload)
    append(store, payload=None)
    append(store, payload=None)
    assert store.verify().count == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"produce_id": ""},
        {"produce_id": "x" * 5000},
        {"service": "\ud800"},
        {"sha256_before": "A" * 64},
        {"sha256_after": "abc"},
        {"layers": ["notice,mark"]},
        {"layers": ["Notice"]},
        {"jurisdictions": [""]},
        {"media": "image\n"},
    ],
)
def test_a_field_that_cannot_be_meant_is_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    with RecordStore(tmp_path / "log.db") as store:
        with pytest.raises(UsageError):
            append(store, **changes)
        assert store.head()[0] == 0


def test_a_file_name_that_is_no_unicode_does_not_stop_the_record(
    tmp_path: Path,
) -> None:
    with RecordStore(tmp_path / "log.db") as store:
        assert append(store, target="a\udcff.png").target == r"a\udcff.png"
        assert store.verify().ok


def test_the_file_is_private(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db", 1)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["log.db"]


def test_reading_never_makes_or_changes_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with pytest.raises(RecordError, match="does not exist"):
        RecordStore(path, read_only=True)
    assert not path.exists()
    filled(path, 2)
    with RecordStore(path, read_only=True) as store:
        assert store.verify().count == 2
        with pytest.raises(UsageError):
            append(store)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET service = 'other' WHERE sequence = 2",
        "DELETE FROM record WHERE sequence = 6",
        "INSERT INTO record SELECT 9, time, produce_id, NULL, sha256_before, "
        "sha256_after, media, layers, service, jurisdictions, software, target, "
        "notice, consent, exemption, previous_hash, hash "
        "FROM record WHERE sequence = 1",
        "INSERT OR REPLACE INTO record SELECT 3, time, produce_id, NULL, "
        "sha256_before, sha256_after, media, layers, service, jurisdictions, software, "
        "target, notice, consent, exemption, previous_hash, hash "
        "FROM record WHERE sequence = 1",
        "INSERT OR REPLACE INTO record SELECT 7, time, produce_id, payload, "
        "sha256_before, sha256_after, media, layers, service, jurisdictions, software, "
        "target, notice, consent, exemption, previous_hash, hash "
        "FROM record WHERE sequence = 1",
    ],
)
def test_the_database_itself_refuses_changes(tmp_path: Path, statement: str) -> None:
    store = filled(tmp_path / "log.db")
    connection = sqlite3.connect(store.path)
    with pytest.raises(sqlite3.IntegrityError, match="records are"):
        connection.execute(statement)
    connection.close()
    assert store.verify().count == 6


@pytest.mark.parametrize(
    "change",
    [
        "time = '2020-01-01T00:00:00.000Z'",
        "produce_id = 'item-9'",
        "payload = NULL",
        "payload = '0000070000000063'",
        f"sha256_before = '{'c' * 64}'",
        f"sha256_after = '{'c' * 64}'",
        "media = 'video'",
        "layers = 'notice,mark'",
        "service = 'other'",
        "service = CAST(x'66ff' AS TEXT)",
        "service = x'66616365'",
        "jurisdictions = 'cn'",
        "software = 'synthmark/0.2.0'",
        "target = NULL",
        "target = '肖像.jpg'",
        "notice = NULL",
        """notice = '{"text":"AI"}'""",
        "consent = NULL",
        "exemption = NULL",
        f"previous_hash = '{'0' * 64}'",
        f"hash = '{'0' * 64}'",
    ],
)
def test_a_changed_field_is_found(tmp_path: Path, change: str) -> None:
    store = filled(tmp_path / "log.db")
    tamper(store.path, f"UPDATE record SET {change} WHERE sequence = 4")
    result = store.verify()
    assert not result.ok
    assert (result.count, result.first_bad_sequence) == (3, 4)
    assert result.reason
    with pytest.raises(RecordStoreDamaged, match="record 4 was changed"):
        list(store.records())


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (["DELETE FROM record WHERE sequence = 1"], 1),
        (["DELETE FROM record WHERE sequence = 3"], 3),
        (
            [
                "DELETE FROM record WHERE sequence = 3",
                "UPDATE record SET sequence = sequence - 1 WHERE sequence > 3",
            ],
            3,
        ),
        (
            [
                "UPDATE record SET sequence = 100 WHERE sequence = 2",
                "UPDATE record SET sequence = 2 WHERE sequence = 3",
                "UPDATE record SET sequence = 3 WHERE sequence = 100",
            ],
            2,
        ),
        (["UPDATE record SET sequence = -5 WHERE sequence = 6"], 1),
    ],
    ids=["first removed", "removed", "removed and renumbered", "exchanged", "hidden"],
)
def test_a_removed_or_moved_record_is_found(
    tmp_path: Path, statements: list[str], first_bad: int
) -> None:
    store = filled(tmp_path / "log.db")
    tamper(store.path, *statements)
    result = store.verify()
    assert not result.ok
    assert result.first_bad_sequence == first_bad


def test_a_record_with_a_matching_hash_still_breaks_the_chain(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db")
    tamper(store.path, "UPDATE record SET service = 'other' WHERE sequence = 4")
    connection = sqlite3.connect(store.path)
    connection.execute(
        "UPDATE record SET hash = ? WHERE sequence = 4",
        [published_hash(store.path, 4)],
    )
    connection.commit()
    connection.close()
    result = store.verify()
    assert (result.ok, result.first_bad_sequence) == (False, 5)


def test_a_cut_off_end_shows_only_against_a_kept_head(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db")
    early, late = store.get(4), store.head()
    assert early is not None
    tamper(store.path, "DELETE FROM record WHERE sequence > 4")
    assert store.verify().ok
    assert store.verify((4, early.hash)).ok
    result = store.verify(late)
    assert (result.ok, result.first_bad_sequence) == (False, 5)


def test_a_chain_computed_anew_shows_only_against_a_kept_head(tmp_path: Path) -> None:
    kept = filled(tmp_path / "log.db").head()
    (tmp_path / "log.db").unlink()
    forged = filled(tmp_path / "log.db", 8)
    assert forged.verify().ok
    result = forged.verify(kept)
    assert (result.ok, result.first_bad_sequence) == (False, 6)


def test_many_processes_append_to_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    processes = [writer(path, 25, f"process{number}") for number in range(4)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    with RecordStore(path) as store:
        assert store.verify().count == 100
        ids = {record.produce_id for record in store.records()}
    assert ids == {f"process{p}-{n}" for p in range(4) for n in range(25)}


def test_threads_share_a_store(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "log.db")
    threads = [
        threading.Thread(target=lambda: [append(store) for _ in range(10)])
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = store.verify()
    assert (result.ok, result.count) == (True, 30)


def test_a_killed_writer_leaves_a_whole_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    count = 0
    for attempt in range(4):
        process = writer(path, 10**6, f"attempt{attempt}")
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        time.sleep(0.037 * attempt)
        process.kill()
        process.communicate()
        with RecordStore(path, read_only=True) as store:
            result = store.verify()
        assert result.ok
        assert result.count > count
        count = result.count


def test_a_log_that_stays_locked_is_busy(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db", 1)
    impatient = RecordStore(store.path, timeout_s=0.1)
    connection = sqlite3.connect(store.path)
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordStoreBusy) as caught:
        append(impatient)
    assert caught.value.path == store.path
    assert impatient.verify().ok
    connection.close()
    append(impatient)


def test_a_lock_that_is_released_is_waited_for(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db", 1)
    connection = sqlite3.connect(store.path, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.3, connection.rollback)
    timer.start()
    assert append(store).sequence == 2
    timer.join()
    connection.close()


def test_opening_a_log_keeps_the_locks_of_other_threads(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db", 1)
    connection = sqlite3.connect(store.path)
    connection.execute("BEGIN IMMEDIATE")
    RecordStore(store.path).close()
    probe = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute("
    process = subprocess.run(
        [sys.executable, "-c", probe + "'BEGIN IMMEDIATE')", str(store.path)],
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
    with pytest.raises(RecordStoreDamaged, match="another program"):
        RecordStore(path)
    path.write_bytes(b"")
    with pytest.raises(RecordStoreDamaged, match="empty"):
        RecordStore(path, read_only=True)
    with pytest.raises(RecordError, match=r"cannot be (used|written)"):
        RecordStore(tmp_path)
    with pytest.raises(RecordError, match="no such file"):
        RecordStore(tmp_path / "missing" / "log.db")


def test_a_damaged_log_is_named_as_such(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db", 200)
    whole = store.path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:4096] + bytes(len(whole) - 4096)):
        store.path.write_bytes(damaged)
        with pytest.raises(RecordStoreDamaged):
            store.verify()
        with pytest.raises(RecordStoreDamaged):
            list(store.records())


def test_a_log_without_its_table_is_damaged(tmp_path: Path) -> None:
    store = filled(tmp_path / "log.db", 1)
    tamper(store.path, "ALTER TABLE record RENAME TO other")
    with pytest.raises(RecordStoreDamaged):
        append(store)


@pytest.mark.parametrize("layout", [1, 3])
def test_a_log_of_another_version_is_refused(tmp_path: Path, layout: int) -> None:
    store = filled(tmp_path / "log.db", 1)
    connection = sqlite3.connect(store.path)
    connection.execute(f"PRAGMA user_version = {layout}")
    connection.close()
    with pytest.raises(RecordError, match=f"layout {layout}") as caught:
        RecordStore(store.path)
    assert not isinstance(caught.value, RecordStoreDamaged)
    assert "the version of synthmark that made it" in caught.value.hint
