"""Migrations, run from inside the package: there is no alembic.ini.

Alembic is imported only when there is something to migrate, since that costs a tenth of
a second at every start.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import Connection

from farm.database.migrations import HEAD
from farm.words.errors import NotASetup

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK_SECONDS = 120


def migrate(engine: Engine) -> bool:
    """Bring a database to the newest revision; return whether anything was done.

    Raises:
        NotASetup: it is of a newer DistRen, and can't be brought back.
    """
    found = revision(engine)
    if found == HEAD:
        return False
    from alembic import command
    from alembic.util import CommandError

    with engine.connect() as conn, _alone(conn):
        try:
            command.upgrade(config(conn), "head")
        except CommandError as error:
            raise NotASetup(
                f"The database is of a newer DistRen: its revision {found} is unknown here, {HEAD} is the newest.",
                hint="Update DistRen, or restore the backup from before its update.",
            ) from error
        conn.commit()
    return True


def revision(engine: Engine) -> str | None:
    """Return the revision that a database is at; None for an empty one."""
    with engine.connect() as conn:
        if not inspect(conn).has_table("alembic_version"):
            return None
        return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def config(conn: Connection) -> Config:
    """Return Alembic's configuration for this connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    made.attributes["connection"] = conn
    return made


class _alone:  # noqa: N801 - reads as a phrase
    """Keep other processes from migrating at the same time (SQLite's transaction does that itself)."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn if conn.dialect.name in {"mysql", "mariadb"} else None

    def __enter__(self) -> None:
        if self._conn is not None:
            self._conn.execute(text("SELECT GET_LOCK(CONCAT('distren ', DATABASE()), :s)"), {"s": _LOCK_SECONDS})

    def __exit__(self, *_exc: object) -> None:
        if self._conn is not None:
            self._conn.execute(text("SELECT RELEASE_LOCK(CONCAT('distren ', DATABASE()))"))
