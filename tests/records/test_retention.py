"""Retention: nothing goes too early, and what goes leaves a root that is signed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from synthmark.labeling.errors import RecordError, RecordStoreDamaged, UsageError
from synthmark.labeling.payload import Payload
from synthmark.labeling.records.store import (
    CheckpointKey,
    RecordStore,
    StoredManifest,
)

KEY = CheckpointKey.generate()


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


@pytest.fixture
def aged(open_log: Any, append: Any, past: Callable[..., datetime]) -> RecordStore:
    """Records of 400, 390, 380, 200 and 100 days ago, and one of today."""
    store: RecordStore = open_log()
    with store:
        for number, days in enumerate((400, 390, 380, 200, 100, 0)):
            past(days)
            # The first and the fourth share a manifest.
            name = f"m{number % 3}"
            append(
                store,
                payload=Payload(issuer=1, serial=number),
                manifest_id=None,
                manifest=StoredManifest(manifest_id=name, content=name.encode()),
            )
    return store


def test_old_records_go_and_the_rest_still_verifies(
    aged: RecordStore, append: Any
) -> None:
    early = aged.checkpoint(KEY)
    pruned = aged.prune(days_ago(385), KEY)
    assert pruned.count == 2
    assert pruned.root is not None
    assert (pruned.root.sequence, pruned.root.root) == (2, True)
    assert [record.sequence for record in aged.records()] == [3, 4, 5, 6]
    result = aged.verify([early], [KEY.public_key])
    assert (result.ok, result.count, result.root) == (True, 4, 2)
    assert aged.prune(days_ago(385), KEY).count == 0
    assert aged.prune(days_ago(190), KEY).count == 2
    assert append(aged).sequence == 7
    result = aged.verify([early])
    assert (result.ok, result.count, result.root) == (True, 3, 4)
    # Manifests go with the last record that names them.
    assert aged.manifest("m0") is None
    assert aged.manifest("m1") == b"m1"
    assert aged.manifest("m2") == b"m2"


def test_a_payload_is_never_given_out_again(aged: RecordStore, append: Any) -> None:
    spent = Payload(issuer=1, serial=0)
    aged.prune(days_ago(385), KEY)
    assert aged.by_payload(spent) is None
    assert aged.payload_taken(spent)
    with pytest.raises(RecordError, match="another item already"):
        append(aged, payload=spent)


def test_no_record_goes_too_early(aged: RecordStore) -> None:
    for before, retention_days in (
        (days_ago(182.9), 183),
        (days_ago(300), 365),
        (days_ago(400), 182),
        (days_ago(-1), 183),
        (datetime(2020, 1, 1), 183),
    ):
        with pytest.raises(UsageError):
            aged.prune(before, KEY, retention_days=retention_days)
    assert len(list(aged.records())) == 6


def test_a_younger_record_keeps_those_behind_it(
    open_log: Any, append: Any, past: Callable[..., datetime]
) -> None:
    store = open_log()
    for days in (300, 10, 300, 0):  # somebody's clock went wrong
        past(days)
        append(store)
    assert store.prune(days_ago(200), KEY).count == 1
    assert store.verify().ok


def test_the_newest_record_always_stays(
    open_log: Any, append: Any, past: Callable[..., datetime]
) -> None:
    store = open_log()
    assert store.prune(days_ago(200), KEY).root is None
    past(300)
    for _ in range(3):
        append(store)
    assert store.prune(days_ago(200), KEY).count == 2
    assert store.head()[0] == 3
    assert store.prune(days_ago(200), KEY).count == 0


def test_many_records_go_in_batches(
    open_log: Any, append: Any, past: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthmark.labeling.records.retention.BATCH", 3)
    store = open_log()
    past(300)
    for _ in range(8):
        append(store)
    past(0)
    append(store)
    assert store.prune(days_ago(200), KEY).count == 8
    result = store.verify()
    assert (result.ok, result.count, result.root) == (True, 1, 8)


def test_the_database_lets_go_of_old_records_only(aged: RecordStore, sql: Any) -> None:
    with pytest.raises(Exception, match="never deleted, only pruned"):
        sql("DELETE FROM record WHERE sequence = 1")  # no root
    with aged._database.transaction(write=True) as connection:
        from synthmark.labeling.records.retention import add_checkpoint

        add_checkpoint(connection, KEY.sign(aged.head(), root=True))
    sql("DELETE FROM record WHERE sequence <= 4")
    for sequence in (5, 6):
        with pytest.raises(Exception, match="never deleted, only pruned"):
            sql(f"DELETE FROM record WHERE sequence = {sequence}")
    assert not aged.verify().ok  # a root whose records are there


def test_a_broken_log_is_not_pruned(aged: RecordStore, forge: Any) -> None:
    forge("UPDATE record SET service = 'other' WHERE sequence = 1")
    with pytest.raises(RecordStoreDamaged, match="broken at record 1") as caught:
        aged.prune(days_ago(300), KEY)
    assert caught.value.hint
    assert len(list(aged._rows(_all()))) == 6


def _all() -> Any:
    from synthmark.labeling.records.schema import record

    return record.select()


def test_records_that_somebody_else_removed_are_missed(
    aged: RecordStore, forge: Any
) -> None:
    thief = CheckpointKey.generate()
    kept = aged.checkpoint(KEY)
    aged.prune(days_ago(385), thief)
    assert aged.verify().signers == tuple(sorted({KEY.public_key, thief.public_key}))
    for result in (aged.verify([kept]), aged.verify(signers=[KEY.public_key])):
        assert not result.ok
        assert "removed by an unknown key" in result.reason
    assert aged.verify([kept], [thief.public_key]).ok
    # Without its checkpoint the gap is a gap.
    forge("DELETE FROM checkpoint WHERE root")
    assert aged.verify().first_bad_sequence == 1
