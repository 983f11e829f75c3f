"""C2PA manifests beside the records, found again when a file has lost its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import RecordStoreDamaged
from .chain import utc_now
from .schema import manifest
from .stored import StoredManifest

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping, Select

__all__ = ["StoredManifest", "faulty", "fetch", "keep", "withdraw"]

# So many are held in memory at once while all are checked.
GROUP = 16


def keep(connection: Connection, stored: StoredManifest) -> bool:
    """Put a manifest into the log; return False when another has its name."""
    from sqlalchemy import insert, select

    known = select(manifest.c.sha256).where(
        manifest.c.manifest_id == stored.manifest_id
    )
    found = connection.scalar(known)
    if found is None:
        connection.execute(
            insert(manifest),
            {
                "manifest_id": stored.manifest_id,
                "sha256": stored.sha256,
                "content": stored.content,
                "media_type": stored.media_type,
                "withdrawn": None,
            },
        )
    return found in (None, stored.sha256)


def fetch(connection: Connection, manifest_id: str) -> bytes | None:
    """Return the content of a manifest, None when unknown or withdrawn.

    Raises
    ------
    RecordStoreDamaged
        It is not what was put in.
    """
    wanted = _all_columns().where(manifest.c.manifest_id == manifest_id)
    found = connection.execute(wanted).mappings().first()
    if found is None or found["withdrawn"] is not None:
        return None
    if not _is_whole(found):
        raise RecordStoreDamaged(
            f"manifest {manifest_id[:80]} was changed after it was written",
            hint="Verify the log and restore it from a copy.",
        )
    return bytes(found["content"])


def withdraw(connection: Connection, manifest_id: str) -> bool:
    """Remove the content of a manifest; return False when there is none."""
    from sqlalchemy import select, update

    named = manifest.c.manifest_id == manifest_id
    found = connection.execute(select(manifest.c.withdrawn).where(named)).first()
    if found is None:
        return False
    if found.withdrawn is None:
        gone = update(manifest).where(named).values(content=None, withdrawn=utc_now())
        connection.execute(gone)
    return True


def faulty(
    connection: Connection, rows: Iterable[Mapping[str, Any]]
) -> Mapping[int, str]:
    """Check the manifests of some records; return what is wrong, by record."""
    kept = [row for row in rows if row["manifest_sha256"] is not None]
    wrong = {}
    for start in range(0, len(kept), GROUP):
        group = kept[start : start + GROUP]
        wanted = _all_columns().where(
            manifest.c.manifest_id.in_({row["manifest_id"] for row in group})
        )
        found = {
            item["manifest_id"]: item for item in connection.execute(wanted).mappings()
        }
        for row in group:
            item = found.get(row["manifest_id"])
            if item is None:
                wrong[row["sequence"]] = "its manifest is missing"
            elif item["sha256"] != row["manifest_sha256"] or not _is_whole(item):
                wrong[row["sequence"]] = "its manifest was changed"
    return wrong


def _all_columns() -> Select[Any]:
    from sqlalchemy import select, type_coerce
    from sqlalchemy.types import NullType

    # As the database holds it: a text in its place must not stop the check.
    content = type_coerce(manifest.c.content, NullType).label("content")
    others = (column for column in manifest.c if column.name != "content")
    return select(*others, content)


def _is_whole(found: RowMapping) -> bool:
    """Say whether the content fits its digest, or is properly gone."""
    if found["withdrawn"] is not None or found["content"] is None:
        return found["withdrawn"] is not None and found["content"] is None
    if not isinstance(found["content"], bytes):
        return False
    return hashlib.sha256(found["content"]).hexdigest() == str(found["sha256"])
