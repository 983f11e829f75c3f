"""Verification: nothing changes unseen, neither records nor what vouches for them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthmark.labeling.errors import RecordError, RecordStoreDamaged, UsageError
from synthmark.labeling.records.store import (
    CheckpointKey,
    RecordStore,
    StoredManifest,
)

KEY = CheckpointKey.generate()
SMALL = StoredManifest(manifest_id="m", content=b"c")
Forge = Callable[..., None]


def published_hash(store: RecordStore, sequence: int) -> str:
    """Compute a row's hash as the format says, from the raw database."""
    with store._database.transaction() as connection:
        query = f"SELECT * FROM record WHERE sequence = {sequence}"
        row = dict(connection.exec_driver_sql(query).mappings().one())
    del row["hash"]
    fields = {name: value for name, value in row.items() if value is not None}
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_hashes_are_made_as_published(log: RecordStore) -> None:
    for record in log.records():
        assert record.hash == published_hash(log, record.sequence)


CHANGES = (
    "time = '2020-01-01T00:00:00.000Z'",
    "action = 'propagate'",
    "produce_id = 'item-9'",
    "origin_id = 'item-9'",
    "payload = NULL",
    "payload = '0000070000000063'",
    "key_id = NULL",
    f"sha256_before = '{'c' * 64}'",
    f"sha256_after = '{'c' * 64}'",
    "media = 'video'",
    "layers = 'notice,mark'",
    "service = 'other'",
    "jurisdictions = 'cn'",
    "software = 'synthmark/0.2.0'",
    "target = NULL",
    "target = '肖像.jpg'",
    "notice = NULL",
    """notice = '{"text":"AI"}'""",
    "consent = NULL",
    "exemption = NULL",
    "manifest_id = NULL",
    f"manifest_sha256 = '{'0' * 64}'",
    "fingerprint = 'pdq/1:AbC_-8'",
    f"previous_hash = '{'0' * 64}'",
    f"hash = '{'0' * 64}'",
)


def test_a_changed_field_is_found(log: RecordStore, forge: Forge) -> None:
    forge("CREATE TABLE kept AS SELECT * FROM record")
    for change in CHANGES:
        forge(f"UPDATE record SET {change} WHERE sequence = 4")
        result = log.verify()
        assert not result.ok, change
        assert (result.count, result.first_bad_sequence) == (3, 4)
        assert result.reason
        with pytest.raises(RecordStoreDamaged, match="record 4 was changed"):
            list(log.records())
        forge(
            "DELETE FROM record WHERE sequence = 4",
            "INSERT INTO record SELECT * FROM kept WHERE sequence = 4",
        )
        assert log.verify().ok


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (["DELETE FROM record WHERE sequence = 1"], 1),
        (["DELETE FROM record WHERE sequence = 3"], 3),
        (
            [
                "DELETE FROM record WHERE sequence = 3",
                "UPDATE record SET sequence = 3 WHERE sequence = 4",
                "UPDATE record SET sequence = 4 WHERE sequence = 5",
                "UPDATE record SET sequence = 5 WHERE sequence = 6",
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
    log: RecordStore, forge: Forge, statements: list[str], first_bad: int
) -> None:
    forge(*statements)
    result = log.verify()
    assert not result.ok
    assert result.first_bad_sequence == first_bad


def test_a_record_with_a_matching_hash_still_breaks_the_chain(
    log: RecordStore, forge: Forge
) -> None:
    forge("UPDATE record SET service = 'other' WHERE sequence = 4")
    digest = published_hash(log, 4)
    forge(f"UPDATE record SET hash = '{digest}' WHERE sequence = 4")
    result = log.verify()
    assert (result.ok, result.first_bad_sequence) == (False, 5)


def test_pages_and_their_checkpoints_meet(
    log: RecordStore, append: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthmark.labeling.records.verification.PAGE", 2)
    log.checkpoint(KEY)
    log.checkpoint(CheckpointKey.generate())
    append(log)
    log.checkpoint(KEY)
    result = log.verify()
    assert (result.ok, result.count, result.checkpoints) == (True, 7, 3)
    assert KEY.public_key in result.signers
    assert len(result.signers) == 2


def test_what_was_cut_off_shows_against_a_checkpoint(
    log: RecordStore, forge: Forge
) -> None:
    kept = log.checkpoint(KEY)
    forge("DELETE FROM record WHERE sequence > 4")
    result = log.verify()
    assert (result.ok, result.first_bad_sequence) == (False, 5)
    assert "cut off" in result.reason
    # Who cuts off the checkpoint as well is found by one that was kept elsewhere.
    forge("DELETE FROM checkpoint")
    assert log.verify().ok
    result = log.verify([kept])
    assert (result.ok, result.first_bad_sequence) == (False, 5)
    assert "checkpoint of record 6" in result.reason


def test_a_chain_computed_anew_shows_against_a_checkpoint(
    tmp_path: Path, fill: Any
) -> None:
    kept = fill(RecordStore(tmp_path / "log.db")).checkpoint(KEY)
    forged = fill(RecordStore(tmp_path / "other.db"), 8)
    assert forged.verify().ok
    result = forged.verify([kept])
    assert (result.ok, result.first_bad_sequence) == (False, 6)
    assert "the one that its checkpoint names" in result.reason
    # The same when the forger takes over the checkpoints of the log.
    with forged._database.transaction(write=True) as connection:
        connection.exec_driver_sql("DROP TRIGGER checkpoint_insert")
        connection.exec_driver_sql(
            "INSERT INTO checkpoint VALUES (1, ?, ?, ?, ?, ?, ?)",
            dataclasses.astuple(kept),
        )
    assert forged.verify().first_bad_sequence == 6


@pytest.mark.parametrize(
    "change",
    [
        "sequence = 5",
        "sequence = 77",
        f"hash = '{'0' * 64}'",
        "time = '2020-01-01T00:00:00.000Z'",
        "root = true",
        f"public_key = '{'0' * 64}'",
        "public_key = 'key'",
        f"signature = '{'0' * 128}'",
    ],
)
def test_a_changed_checkpoint_is_found(
    log: RecordStore, forge: Forge, change: str
) -> None:
    log.checkpoint(KEY)
    forge(f"UPDATE checkpoint SET {change}")
    assert not log.verify().ok


@pytest.mark.parametrize(
    "change",
    [
        "checkpoint SET sequence = 'six'",
        "checkpoint SET hash = x'00'",
        "checkpoint SET root = 'maybe'",
        "manifest SET content = 'text'",
        "manifest SET sha256 = 7",
        "record SET service = CAST(x'66ff' AS TEXT) WHERE sequence = 4",
        "record SET service = x'66616365' WHERE sequence = 4",
    ],
)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_value_of_another_type_is_found(
    log: RecordStore, forge: Forge, append: Any, change: str
) -> None:
    append(log, manifest_id=None, manifest=SMALL)
    log.checkpoint(KEY)
    forge(f"UPDATE {change}")
    assert not log.verify().ok


def test_no_checkpoint_is_made_of_nothing(open_log: Any) -> None:
    store = open_log()
    with pytest.raises(RecordError, match="no record yet"):
        store.checkpoint(KEY)


def test_a_given_checkpoint_must_be_as_it_was_signed(log: RecordStore) -> None:
    kept = log.checkpoint(KEY)
    with pytest.raises(UsageError, match="not as it was signed"):
        log.verify([dataclasses.replace(kept, sequence=5)])


REFUSED = (
    "UPDATE record SET service = 'other' WHERE sequence = 2",
    "DELETE FROM record WHERE sequence = 6",
    "DELETE FROM record",
    "INSERT INTO record (sequence, {rest}) SELECT 9, {rest} FROM record "
    "WHERE sequence = 1",
    "UPDATE checkpoint SET hash = 'x'",
    "DELETE FROM checkpoint",
    "INSERT INTO checkpoint SELECT 2, 6, 'x', time, root, public_key, signature "
    "FROM checkpoint",
    "UPDATE manifest SET content = NULL",
    "UPDATE manifest SET manifest_id = 'other'",
    "UPDATE manifest SET content = NULL, withdrawn = 'now', sha256 = 'x'",
    "DELETE FROM manifest",
)


def test_the_database_itself_refuses_changes(
    log: RecordStore, sql: Any, append: Any
) -> None:
    append(log, manifest_id=None, manifest=SMALL)
    log.checkpoint(KEY)
    rest = ", ".join(
        field.name
        for field in dataclasses.fields(next(log.records()))
        if field.name not in ("sequence", "payload")
    )
    for statement in REFUSED:
        with pytest.raises(
            Exception, match=r"records are|checkpoints are|manifests (are|stay)"
        ):
            sql(statement.format(rest=rest))
    assert log.verify().count == 7


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sequence", [3, 8])
def test_a_row_is_not_replaced_either(
    log: RecordStore, sql: Any, append: Any, sequence: int
) -> None:
    append(log, manifest_id=None, manifest=SMALL)
    names = [
        field.name
        for field in dataclasses.fields(next(log.records()))
        if field.name != "sequence"
    ]
    rest = ", ".join(names)
    with pytest.raises(Exception, match="records are only appended"):
        sql(
            f"INSERT OR REPLACE INTO record (sequence, {rest}) "
            f"SELECT {sequence}, {rest} FROM record WHERE sequence = 1"
        )
    with pytest.raises(Exception, match="manifests are never replaced"):
        sql("INSERT OR REPLACE INTO manifest VALUES ('m', 'x', 'y', 'z', NULL)")


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["record", "manifest", "checkpoint", "spent_payload"])
def test_no_table_is_emptied(log: RecordStore, sql: Any, table: str) -> None:
    with pytest.raises(Exception, match=r"are never|never change"):
        sql(f"TRUNCATE {table}")


# Manifests


def test_a_manifest_comes_back_and_can_be_withdrawn(
    log: RecordStore, append: Any
) -> None:
    stored = StoredManifest(manifest_id="urn:c2pa:1", content=bytes(range(256)) * 40)
    record = append(log, manifest_id=None, manifest=stored)
    assert record.manifest_id == "urn:c2pa:1"
    assert record.manifest_sha256 == hashlib.sha256(stored.content).hexdigest()
    assert log.manifest("urn:c2pa:1") == stored.content
    assert log.manifest("urn:c2pa:2") is None
    append(log, manifest_id="urn:c2pa:1", manifest=stored)  # the same once more
    other = StoredManifest(manifest_id="urn:c2pa:1", content=b"other")
    with pytest.raises(RecordError, match="is another one already"):
        append(log, manifest_id=None, manifest=other)
    assert log.verify().count == 8
    for _ in range(2):
        log.withdraw("urn:c2pa:1")
        assert log.manifest("urn:c2pa:1") is None
        assert log.verify().ok
    with pytest.raises(RecordError, match="keeps no manifest"):
        log.withdraw("urn:c2pa:2")


@pytest.mark.parametrize(
    "fields",
    [
        {"manifest_id": "", "content": b"c"},
        {"manifest_id": "x" * 513, "content": b"c"},
        {"manifest_id": "m", "content": b""},
        {"manifest_id": "m", "content": bytes((16 << 20) + 1)},
        {"manifest_id": "m", "content": b"c", "media_type": ""},
    ],
)
def test_a_manifest_that_cannot_be_meant_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        StoredManifest(**fields)


def test_a_record_and_its_manifest_agree_on_the_name(
    log: RecordStore, append: Any
) -> None:
    stored = StoredManifest(manifest_id="m", content=b"c")
    with pytest.raises(UsageError, match="not that of the manifest"):
        append(log, manifest_id="n", manifest=stored)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM manifest",
        "UPDATE manifest SET sha256 = '{other}'",
        "UPDATE manifest SET content = NULL",
        "UPDATE manifest SET withdrawn = 'now'",
        "UPDATE manifest SET content = manifest_id{cast}",
        "UPDATE manifest SET manifest_id = 'other'",
    ],
)
def test_a_changed_manifest_is_found(
    log: RecordStore, forge: Forge, append: Any, place: Any, change: str
) -> None:
    append(log, manifest_id=None, manifest=SMALL)
    append(log)
    cast = "" if isinstance(place, Path) else "::bytea"
    forge(change.format(other="0" * 64, cast=cast))
    result = log.verify()
    assert (result.ok, result.first_bad_sequence) == (False, 7)
    if "withdrawn" not in change and "_id = " not in change and "DELETE" not in change:
        with pytest.raises(RecordStoreDamaged, match="was changed") as caught:
            log.manifest("m")
        assert caught.value.path == log.path
