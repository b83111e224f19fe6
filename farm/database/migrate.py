"""Migrations, run from inside the package: there is no alembic.ini.

Alembic is imported only when there is something to migrate, since that costs a tenth of
a second at every start.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Engine, insert, inspect, select, text, update
from sqlalchemy.engine import Connection

from farm.database.migrations import HEAD, OLDEST
from farm.database.schema import meta
from farm.words.errors import NotASetup

if TYPE_CHECKING:
    from alembic.config import Config

log = structlog.get_logger(__name__)

_LOCK_SECONDS = 120

SHARED = "works from"
"""The key of what a version says of its tables: the oldest revision whose code works on them."""


def migrate(engine: Engine) -> bool:
    """Bring a database to the newest revision; return whether anything was done.

    Raises:
        NotASetup: it is of a newer DistRen that shares it with none as old as this one.
    """
    found = revision(engine)
    if found == HEAD:
        return False
    if found is not None and found > HEAD:
        _must_be_shared(engine, found)
        return False
    from alembic import command

    with engine.connect() as conn, _alone(conn):
        command.upgrade(config(conn), "head")
        _share(conn)
        conn.commit()
    return True


def _share(conn: Connection) -> None:
    """Write down which code works on these tables, for versions that don't know them."""
    if not conn.execute(update(meta).where(meta.c.key == SHARED).values(value=OLDEST)).rowcount:
        conn.execute(insert(meta).values(key=SHARED, value=OLDEST))


def _must_be_shared(engine: Engine, found: str) -> None:
    """Refuse tables of a newer version, unless it has said that this one works on them."""
    with engine.connect() as conn:
        oldest = conn.execute(select(meta.c.value).where(meta.c.key == SHARED)).scalar()
    if oldest is None or oldest > HEAD:
        raise NotASetup(
            f"The database is of a newer DistRen: its revision {found} is unknown here, {HEAD} is the newest.",
            hint="Update DistRen, or restore the backup from before its update.",
        )
    log.info("The database is of a newer DistRen, which this one works with.", revision=found, own=HEAD)


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
