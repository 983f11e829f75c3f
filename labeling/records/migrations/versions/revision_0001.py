"""Tables of records, manifests, checkpoints and spent payloads, with their triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite runs no delete trigger for the rows that INSERT OR REPLACE pushes out, so
# each insert itself refuses what is there already.
SQLITE = (
    """
    CREATE TRIGGER record_insert BEFORE INSERT ON record
    WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM record)
        OR EXISTS (SELECT 1 FROM record WHERE payload = NEW.payload)
        OR EXISTS (SELECT 1 FROM spent_payload WHERE payload = NEW.payload)
    BEGIN SELECT raise(ABORT, 'records are only appended'); END
    """,
    """
    CREATE TRIGGER record_update BEFORE UPDATE ON record
    BEGIN SELECT raise(ABORT, 'records are never changed'); END
    """,
    """
    CREATE TRIGGER record_delete BEFORE DELETE ON record
    WHEN OLD.time >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-183 days')
        OR NOT EXISTS (
            SELECT 1 FROM checkpoint WHERE root AND sequence >= OLD.sequence
        )
    BEGIN SELECT raise(ABORT, 'records are never deleted, only pruned'); END
    """,
    """
    CREATE TRIGGER manifest_insert BEFORE INSERT ON manifest
    WHEN EXISTS (SELECT 1 FROM manifest WHERE manifest_id = NEW.manifest_id)
    BEGIN SELECT raise(ABORT, 'manifests are never replaced'); END
    """,
    """
    CREATE TRIGGER manifest_update BEFORE UPDATE ON manifest
    WHEN NEW.content IS NOT NULL OR NEW.withdrawn IS NULL
        OR OLD.withdrawn IS NOT NULL
        OR NEW.manifest_id IS NOT OLD.manifest_id
        OR NEW.sha256 IS NOT OLD.sha256
        OR NEW.media_type IS NOT OLD.media_type
    BEGIN SELECT raise(ABORT, 'manifests are never changed, only withdrawn'); END
    """,
    """
    CREATE TRIGGER manifest_delete BEFORE DELETE ON manifest
    WHEN EXISTS (
        SELECT 1 FROM record WHERE manifest_id = OLD.manifest_id AND sequence >
            (SELECT coalesce(max(sequence), 0) FROM checkpoint WHERE root)
    )
    BEGIN SELECT raise(ABORT, 'manifests stay as long as their records'); END
    """,
    """
    CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint
    WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM checkpoint)
        OR NOT EXISTS (
            SELECT 1 FROM record WHERE sequence = NEW.sequence AND hash = NEW.hash
        )
    BEGIN SELECT raise(ABORT, 'checkpoints are heads of the chain'); END
    """,
    """
    CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint
    BEGIN SELECT raise(ABORT, 'checkpoints are never changed'); END
    """,
    """
    CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint
    BEGIN SELECT raise(ABORT, 'checkpoints are never deleted'); END
    """,
    """
    CREATE TRIGGER spent_payload_update BEFORE UPDATE ON spent_payload
    BEGIN SELECT raise(ABORT, 'spent payloads are never changed'); END
    """,
    """
    CREATE TRIGGER spent_payload_delete BEFORE DELETE ON spent_payload
    BEGIN SELECT raise(ABORT, 'spent payloads are never deleted'); END
    """,
)

# The name of each function is that of its trigger.
POSTGRESQL = {
    ("record", "INSERT"): """
        IF NEW.sequence IS DISTINCT FROM
            (SELECT coalesce(max(sequence), 0) + 1 FROM record)
            OR EXISTS (SELECT 1 FROM record WHERE payload = NEW.payload)
            OR EXISTS (SELECT 1 FROM spent_payload WHERE payload = NEW.payload)
        THEN RAISE EXCEPTION 'records are only appended'; END IF;
        RETURN NEW;
    """,
    ("record", "UPDATE"): "RAISE EXCEPTION 'records are never changed';",
    ("record", "DELETE"): """
        IF OLD.time COLLATE "C" >= to_char(
                (now() AT TIME ZONE 'UTC') - interval '183 days',
                'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
            )
            OR NOT EXISTS (
                SELECT 1 FROM checkpoint WHERE root AND sequence >= OLD.sequence
            )
        THEN RAISE EXCEPTION 'records are never deleted, only pruned'; END IF;
        RETURN OLD;
    """,
    ("record", "TRUNCATE"): "RAISE EXCEPTION 'records are never deleted';",
    ("manifest", "UPDATE"): """
        IF NEW.content IS NOT NULL OR NEW.withdrawn IS NULL
            OR OLD.withdrawn IS NOT NULL
            OR NEW.manifest_id IS DISTINCT FROM OLD.manifest_id
            OR NEW.sha256 IS DISTINCT FROM OLD.sha256
            OR NEW.media_type IS DISTINCT FROM OLD.media_type
        THEN RAISE EXCEPTION 'manifests are never changed, only withdrawn'; END IF;
        RETURN NEW;
    """,
    ("manifest", "DELETE"): """
        IF EXISTS (
            SELECT 1 FROM record WHERE manifest_id = OLD.manifest_id AND sequence >
                (SELECT coalesce(max(sequence), 0) FROM checkpoint WHERE root)
        )
        THEN RAISE EXCEPTION 'manifests stay as long as their records'; END IF;
        RETURN OLD;
    """,
    ("manifest", "TRUNCATE"): "RAISE EXCEPTION 'manifests are never deleted';",
    ("checkpoint", "INSERT"): """
        IF NEW.number IS DISTINCT FROM
            (SELECT coalesce(max(number), 0) + 1 FROM checkpoint)
            OR NOT EXISTS (
                SELECT 1 FROM record WHERE sequence = NEW.sequence AND hash = NEW.hash
            )
        THEN RAISE EXCEPTION 'checkpoints are heads of the chain'; END IF;
        RETURN NEW;
    """,
    ("checkpoint", "UPDATE"): "RAISE EXCEPTION 'checkpoints are never changed';",
    ("checkpoint", "DELETE"): "RAISE EXCEPTION 'checkpoints are never deleted';",
    ("checkpoint", "TRUNCATE"): "RAISE EXCEPTION 'checkpoints are never deleted';",
    ("spent_payload", "UPDATE"): "RAISE EXCEPTION 'spent payloads never change';",
    ("spent_payload", "DELETE"): "RAISE EXCEPTION 'spent payloads never change';",
    ("spent_payload", "TRUNCATE"): "RAISE EXCEPTION 'spent payloads never change';",
}


def upgrade() -> None:
    """Make everything in an empty database."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "record",
        sa.Column("sequence", number, primary_key=True, autoincrement=False),
        *map(_given, ("time", "action", "produce_id")),
        *map(_optional, ("origin_id", "payload", "key_id")),
        *map(_given, ("sha256_before", "sha256_after", "media", "layers", "service")),
        *map(_given, ("jurisdictions", "software")),
        *map(_optional, ("target", "notice", "consent", "exemption")),
        *map(_optional, ("manifest_id", "manifest_sha256", "fingerprint")),
        *map(_given, ("previous_hash", "hash")),
    )
    op.create_index("record_payload", "record", ["payload"], unique=True)
    for name in ("produce_id", "sha256_before", "sha256_after", "manifest_id"):
        op.create_index(f"record_{name}", "record", [name])
    op.create_table(
        "manifest",
        sa.Column("manifest_id", sa.Text, primary_key=True),
        _given("sha256"),
        sa.Column("content", sa.LargeBinary),
        _given("media_type"),
        _optional("withdrawn"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("number", number, primary_key=True, autoincrement=False),
        sa.Column("sequence", number, nullable=False),
        *map(_given, ("hash", "time")),
        sa.Column("root", sa.Boolean, nullable=False),
        *map(_given, ("public_key", "signature")),
    )
    op.create_index("checkpoint_sequence", "checkpoint", ["sequence"])
    op.create_table("spent_payload", sa.Column("payload", sa.Text, primary_key=True))
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE:
            op.execute(statement)
        return
    for (table, event), body in POSTGRESQL.items():
        name = f"{table}_{event.lower()}"
        each = "STATEMENT" if event == "TRUNCATE" else "ROW"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
            f"AS $$ BEGIN {body} END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION {name}()"
        )


def _given(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _optional(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text)
