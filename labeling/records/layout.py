"""The revision of the tables, and how an older one becomes the newest."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["VERSION_TABLE", "upgrade"]

SCRIPTS = Path(__file__).parent / "migrations"
VERSION_TABLE = "synthmark_revision"

# Alembic's operations go to one connection of the whole process.
_one_at_a_time = threading.Lock()


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest revision, in the transaction of the caller."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    with _one_at_a_time:
        command.upgrade(config, "head")
