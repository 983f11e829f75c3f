"""Revisions of the tables: complete, automatic, all or nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synthmark.labeling.errors import RecordError, RecordStoreDamaged
from synthmark.labeling.records import layout, schema
from synthmark.labeling.records.store import RecordStore

# A revision that adds a column, and may die in the middle of its work.
NEXT = """
import os, sqlalchemy as sa
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("record", sa.Column("mood", sa.Text))
    op.create_table("mood", sa.Column("name", sa.Text))
    if os.environ.get("DIE"):
        os.kill(os.getpid(), 9)
    op.create_index("record_mood", "record", ["mood"])
"""

# The program of a later version.
LATER = """
import sys
from pathlib import Path
from synthmark.labeling.records import database, layout
from synthmark.labeling.records.store import RecordStore
database.REVISION, layout.SCRIPTS = "0002", Path(sys.argv[2])
with RecordStore(sys.argv[1]) as store:
    print(store.head()[0])
"""


@pytest.fixture
def later(tmp_path: Path, place: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open the log with a later version of the program."""
    scripts = tmp_path / "mi%grations"
    shutil.copytree(layout.SCRIPTS, scripts)
    (scripts / "versions" / "revision_0002.py").write_text(NEXT)

    def run(die: str = "") -> subprocess.CompletedProcess[str]:
        monkeypatch.setenv("DIE", die)
        return subprocess.run(
            [sys.executable, "-c", LATER, str(place), str(scripts)],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_revisions_make_the_tables_of_the_program(log: RecordStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with log._database.transaction() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": layout.VERSION_TABLE}
        )
        assert context.get_current_revision() == schema.REVISION
        assert compare_metadata(context, schema.METADATA) == []
    assert ScriptDirectory(str(layout.SCRIPTS)).get_heads() == [schema.REVISION]


def test_an_older_log_is_brought_up_to_date(
    log: RecordStore, later: Any, sql: Any
) -> None:
    head = log.head()
    log.close()
    assert later().stdout == "6\n"
    # Columns that are null change no hash.
    assert (
        sql("SELECT hash FROM record WHERE mood IS NULL ORDER BY sequence")[-1]
        == [head[1]]
        or log.verify().ok
    )
    assert later().stdout == "6\n"


def test_a_migration_that_is_killed_leaves_the_old_state(
    log: RecordStore, later: Any, open_log: Any, append: Any
) -> None:
    log.close()
    assert later("yes").returncode == -9
    store = open_log()
    append(store)
    assert store.verify().count == 7
    with pytest.raises(Exception, match=r"no such column|does not exist"):
        store._rows(_text("SELECT mood FROM record"))
    store.close()
    assert later().stdout == "7\n"


def _text(statement: str) -> Any:
    from sqlalchemy import text

    return text(statement)


def test_a_newer_log_is_refused(log: RecordStore, later: Any, open_log: Any) -> None:
    log.close()
    assert later().returncode == 0
    for read_only in (False, True):
        with pytest.raises(RecordError, match="has revision 0002") as caught:
            open_log(read_only=read_only)
        assert not isinstance(caught.value, RecordStoreDamaged)
        assert "newer" in caught.value.hint


def test_a_reader_leaves_an_older_log_alone(
    log: RecordStore, open_log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.close()
    name = "synthmark.labeling.records.database.REVISION"
    monkeypatch.setattr(name, "0002")
    with pytest.raises(RecordError, match="has revision 0001, and only a writer"):
        open_log(read_only=True)


def test_revisions_are_numbered_in_order() -> None:
    names = sorted(path.name for path in (layout.SCRIPTS / "versions").glob("r*.py"))
    assert names == [f"revision_{number:04}.py" for number in range(1, len(names) + 1)]
    assert all(re.fullmatch(r"revision_\d{4}\.py", name) for name in names)
