"""The record log: what goes in comes out, in order, whoever writes at once."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthmark.labeling.errors import RecordError, UsageError
from synthmark.labeling.payload import Payload
from synthmark.labeling.records.store import RecordStore

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1,
    max_size=60,
)
names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    fields=st.fixed_dictionaries(
        {
            "action": st.just("propagate"),
            "produce_id": texts,
            "origin_id": st.none() | texts,
            "key_id": st.none() | st.from_regex("[0-9a-f]{16}", fullmatch=True),
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
            "manifest_id": st.none() | texts,
            "fingerprint": st.none()
            | st.from_regex("[a-z0-9]{1,9}/[1-9]:[A-Za-z0-9_-]{1,90}", fullmatch=True),
        }
    )
)
def test_every_field_comes_back_as_it_was_given(
    open_log: Callable[..., RecordStore], fields: dict[str, Any]
) -> None:
    store = open_log()
    payload = Payload.random(issuer=7)
    written = store.append(payload=payload, **fields)
    assert {name: getattr(written, name) for name in fields} == fields
    assert store.get(written.sequence) == written
    assert store.find(payload=payload) == (written,)
    assert store.by_payload(payload) == written
    assert written in store.find(produce_id=fields["produce_id"])
    assert written in store.find(sha256=fields["sha256_before"])
    assert written in store.find(sha256=fields["sha256_after"].upper())
    assert store.verify().ok
    store.close()


def test_records_are_numbered_dated_and_chained(log: RecordStore, append: Any) -> None:
    append(log)
    first, second, *_, last = log.records()
    assert [record.sequence for record in log.records()] == [1, 2, 3, 4, 5, 6, 7]
    assert first.previous_hash == "0" * 64
    assert second.previous_hash == first.hash
    assert log.head() == (7, last.hash)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", last.time)
    age = datetime.now(UTC) - datetime.fromisoformat(last.time)
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_an_empty_log_is_in_order(open_log: Callable[..., RecordStore]) -> None:
    store = open_log()
    assert store.head() == (0, "0" * 64)
    assert list(store.records()) == []
    assert store.get(1) is None
    assert store.by_payload(Payload(issuer=0, serial=0)) is None
    assert store.verify().ok


@pytest.mark.parametrize(
    ("limit", "after", "expected"),
    [
        (None, 0, range(1, 13)),
        (None, 10, [11, 12]),
        (3, 0, [1, 2, 3]),
        (7, 1, range(2, 9)),
        (0, 0, []),
        (5, 10**30, []),
        (1, -(10**30), [1]),
    ],
)
def test_records_are_listed_in_pages(
    twelve: RecordStore, limit: int | None, after: int, expected: range | list[int]
) -> None:
    listed = [record.sequence for record in twelve.records(limit, after)]
    assert listed == list(expected)


@pytest.fixture
def twelve(tmp_path: Path, fill: Any, monkeypatch: pytest.MonkeyPatch) -> RecordStore:
    monkeypatch.setattr("synthmark.labeling.records.reader.PAGE", 5)
    store: RecordStore = fill(RecordStore(tmp_path / "log.db"), 12)
    return store


def test_records_are_listed_by_their_time(
    open_log: Any, append: Any, past: Callable[..., datetime]
) -> None:
    store = open_log()
    times = []
    for days in (9, 8, 7):
        times.append(past(days))
        append(store)
    numbers = [record.sequence for record in store.records(since=times[1])]
    assert numbers == [2, 3]
    assert [r.sequence for r in store.records(until=times[1])] == [1]
    naive = times[2].replace(tzinfo=None)
    assert [r.sequence for r in store.records(since=times[1], until=naive)] == [2]


def test_find_combines_its_criteria(log: RecordStore) -> None:
    payload = Payload(issuer=7, serial=2)
    assert [item.sequence for item in log.find(payload=payload)] == [3]
    assert log.find(payload=payload, produce_id="item-2") == log.find(payload=payload)
    assert log.find(payload=payload, produce_id="item-3") == ()
    assert len(log.find(sha256="a" * 64)) == 6
    with pytest.raises(UsageError):
        log.find()


def test_a_payload_stands_for_one_item_only(log: RecordStore, append: Any) -> None:
    payload = Payload(issuer=7, serial=3)
    assert log.payload_taken(payload)
    assert not log.payload_taken(Payload(issuer=8, serial=3))
    with pytest.raises(RecordError, match="another item already"):
        append(log, payload=payload)
    append(log, payload=None)
    append(log, payload=None)
    assert log.verify().count == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "delete"},
        {"origin_id": "of whom?"},
        {"action": "propagate", "origin_id": ""},
        {"produce_id": ""},
        {"produce_id": "x" * 513},
        {"produce_id": "a\0b"},
        {"key_id": "ABC"},
        {"service": "\ud800"},
        {"sha256_before": "A" * 64},
        {"sha256_after": "abc"},
        {"layers": ["notice,mark"]},
        {"layers": ["Notice"]},
        {"jurisdictions": [""]},
        {"media": "image\n"},
        {"manifest_id": "x" * 513},
        {"fingerprint": "no-algorithm"},
        {"fingerprint": "pdq/1:a+b="},
    ],
)
def test_a_field_that_cannot_be_meant_is_refused(
    tmp_path: Path, append: Any, changes: dict[str, Any]
) -> None:
    with RecordStore(tmp_path / "log.db") as store:
        with pytest.raises(UsageError):
            append(store, **changes)
        assert store.head()[0] == 0


def test_the_longest_names_fit_into_every_index(log: RecordStore, append: Any) -> None:
    # Characters of four bytes that do not compress.
    name = "".join(chr(0x10000 + 97 * n % 60_000) for n in range(512))
    record = append(log, produce_id=name, manifest_id=name[::-1])
    assert log.find(produce_id=name) == (record,)


def test_a_file_name_that_is_no_unicode_does_not_stop_the_record(
    log: RecordStore, append: Any
) -> None:
    assert append(log, target="a\udcff.png").target == r"a\udcff.png"
    assert log.verify().ok


def test_reading_never_changes_a_log(log: RecordStore, open_log: Any) -> None:
    store = open_log(read_only=True)
    assert store.verify().count == 6
    for change in (
        lambda: store.append(**{}, **_least()),
        lambda: store.checkpoint(None),
        lambda: store.withdraw("x"),
        lambda: store.prune(datetime.now(UTC), None),
    ):
        with pytest.raises(UsageError, match="for reading only"):
            change()
    with (
        pytest.raises(RecordError),
        store._database.transaction(write=True) as connection,
    ):
        connection.exec_driver_sql("CREATE TABLE more (a INTEGER)")


def _least() -> dict[str, Any]:
    return {
        "produce_id": "x",
        "payload": None,
        "sha256_before": "a" * 64,
        "sha256_after": "b" * 64,
        "media": "image",
        "layers": [],
        "service": "other",
        "jurisdictions": [],
        "software": "test",
    }


# Many at once


def test_many_processes_append_to_one_chain(
    place: Any, open_log: Any, writer: Any
) -> None:
    # Nobody made the log before: they race for that as well.
    processes = [writer(place, 100, f"process{number}") for number in range(4)]
    told = []
    for process in processes:
        told += [int(line) for line in process.communicate(timeout=120)[0].split()]
        assert process.returncode == 0
    assert sorted(told) == list(range(1, 401))
    store = open_log()
    assert store.verify().count == 400
    ids = {record.produce_id for record in store.records()}
    assert ids == {f"process{p}-{n}" for p in range(4) for n in range(100)}


def test_threads_share_a_store(open_log: Any, append: Any) -> None:
    store = open_log()
    threads = [
        threading.Thread(target=lambda: [append(store) for _ in range(5)])
        for _ in range(4)
    ]
    with store:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        result = store.verify()
    assert (result.ok, result.count) == (True, 20)


def test_a_store_survives_a_fork(log: RecordStore, append: Any) -> None:
    with log:
        append(log)
        child = os.fork()
        if child == 0:
            try:
                for _ in range(5):
                    append(log)
                os._exit(0 if log.verify().ok else 1)
            finally:
                os._exit(2)
        for _ in range(5):
            append(log)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        append(log)
    assert log.verify().count == 18


def test_a_killed_writer_loses_nothing_that_was_acknowledged(
    place: Any, open_log: Any, writer: Any
) -> None:
    store, known = open_log(), 0
    for attempt in range(10):
        process = writer(place, 10**6, f"attempt{attempt}")
        assert process.stdout is not None
        told = [process.stdout.readline()]
        time.sleep(0.013 * attempt)
        process.send_signal(signal.SIGKILL)
        told += process.communicate()[0].splitlines(keepends=True)
        last = max(int(line) for line in told if line.endswith("\n"))
        result = store.verify()
        assert result.ok
        # The last one may be in without having been told.
        assert known < last <= result.count <= last + 1
        known = result.count
