"""Upgrades of slaves: who ordered which version, how far it is, and what came of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from farm.accounts import deeds
from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import slaves
from farm.protocol.upgrades import Upgrade, UpgradeView, UpgradeWord
from farm.words.errors import WrongState

_OVER: dict[str, Any] = {"upgrade": "", "upgrade_by": None, "upgrade_said": ""}


def order(conn: Connection, slave: int, wanted: Upgrade, by: int, at: int) -> UpgradeView:
    """Have a slave run a version from now on, if it does not run it already.

    Args:
        conn: the writer's.
        slave: the id of the slave's row.
        wanted: the version.
        by: the user who wants it.
        at: now, µs.

    Raises:
        WrongState: the slave is of another make, or too old for this.
    """
    row = _row(conn, slave)
    if not row.build:
        raise WrongState(
            f"Slave {row.name} can't be brought up to date from here.",
            hint="Install the new version on its machine." if row.version else "It has never logged in.",
        )
    if row.build == wanted.build:
        _put(conn, row, _OVER, at)
        return UpgradeView(version=wanted.version, stage="current")
    _put(conn, row, {"upgrade": wanted.model_dump_json(), "upgrade_by": by, "upgrade_said": "ordered"}, at)
    deeds.note(conn, by, "upgrade slave", at=at, detail=f"{row.name}, to {wanted.version} ({wanted.build})")
    return UpgradeView(version=wanted.version, stage="ordered")


def hear(conn: Connection, slave: int, word: UpgradeWord, at: int) -> None:
    """Take what a slave says of its upgrade; of another one than the ordered, it means nothing."""
    row = _row(conn, slave)
    wanted = _wanted(row)
    if wanted is None or wanted.build != word.build:
        return
    if word.stage != "failed":
        _put(conn, row, {"upgrade_said": word.stage}, at)
        return
    reason = word.message or "It did not say why."
    _put(conn, row, {**_OVER, "upgrade_said": f"The upgrade to {wanted.version} failed: {reason}"}, at)
    _note(conn, row, f"{row.name} is not upgraded to {wanted.version}: {reason}", at)


def logged_in(conn: Connection, slave: int, build: str, at: int) -> None:
    """Note which build a slave logs in with; if it is the ordered one, the upgrade is over."""
    row = _row(conn, slave)
    wanted = _wanted(row)
    if wanted is not None and wanted.build == build:
        _put(conn, row, {**_OVER, "build": build}, at)
        _note(conn, row, f"{row.name} runs {wanted.version} ({build})", at)
    elif row.build != build:
        _put(conn, row, {"build": build}, at)


def _row(conn: Connection, slave: int) -> Any:
    memory(conn).flush(conn)
    c = slaves.c
    query = select(c.id, c.name, c.state, c.version, c.build, c.upgrade, c.upgrade_by).where(c.id == slave)
    return conn.execute(query).one()


def _wanted(row: Any) -> Upgrade | None:
    return Upgrade.model_validate_json(row.upgrade) if row.upgrade else None


def _put(conn: Connection, row: Any, values: dict[str, Any], at: int) -> None:
    conn.execute(update(slaves).where(slaves.c.id == row.id).values(values))
    # It wakes the slave's call, and those who look at slaves.
    eventlog.note(conn, "slave", at=at, slave=row.name, data={"state": row.state})


def _note(conn: Connection, row: Any, detail: str, at: int) -> None:
    if row.upgrade_by is not None:
        deeds.note(conn, row.upgrade_by, "upgrade slave", at=at, detail=detail)
