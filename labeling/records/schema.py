"""The tables of the log, the same in SQLite and PostgreSQL.

- ``record``: what was labeled, one row an item, chained by hashes (`chain`).
- ``manifest``: C2PA manifests as they were signed; a withdrawn one keeps its row.
- ``checkpoint``: signed heads of the chain; with ``root``, all records up to there
  were removed when their time was over.
- ``spent_payload``: payloads of removed records, which never stand for another item.

The migrations make the tables and their triggers; `REVISION` is the newest of them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

__all__ = [
    "METADATA",
    "REVISION",
    "checkpoint",
    "manifest",
    "record",
    "spent_payload",
]

REVISION = "0001"

METADATA = MetaData()

# SQLite numbers its rows by a column only when its type is INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")

record = Table(
    "record",
    METADATA,
    Column("sequence", _Number, primary_key=True, autoincrement=False),
    Column("time", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("produce_id", Text, nullable=False),
    Column("origin_id", Text),
    Column("payload", Text),
    Column("key_id", Text),
    Column("sha256_before", Text, nullable=False),
    Column("sha256_after", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("layers", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("jurisdictions", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("target", Text),
    Column("notice", Text),
    Column("consent", Text),
    Column("exemption", Text),
    Column("manifest_id", Text),
    Column("manifest_sha256", Text),
    Column("fingerprint", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("record_payload", "payload", unique=True),
    Index("record_produce_id", "produce_id"),
    Index("record_sha256_before", "sha256_before"),
    Index("record_sha256_after", "sha256_after"),
    Index("record_manifest_id", "manifest_id"),
)

manifest = Table(
    "manifest",
    METADATA,
    Column("manifest_id", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary),
    Column("media_type", Text, nullable=False),
    Column("withdrawn", Text),
)

checkpoint = Table(
    "checkpoint",
    METADATA,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("sequence", _Number, nullable=False),
    Column("hash", Text, nullable=False),
    Column("time", Text, nullable=False),
    Column("root", Boolean, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Index("checkpoint_sequence", "sequence"),
)

spent_payload = Table(
    "spent_payload",
    METADATA,
    Column("payload", Text, primary_key=True),
)
