"""Who may hear of what: among strangers, users hear of their own jobs and slaves only."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.database.handle import Database
from farm.database.reader import Told
from farm.database.schema import jobs, slaves

REMEMBERED = 10_000
"""The most owners that one listener's audience remembers."""


class Audience:
    """Decide what one listener hears.

    Args:
        database: where owners are looked up.
        user: only what this user owns; None: everything.
    """

    def __init__(self, database: Database, user: int | None) -> None:
        self._database = database
        self._user = user
        self._owners: dict[tuple[int | None, str | None], int | None] = {}

    async def may_hear(self, event: Told) -> bool:
        """Tell whether the listener may hear of an event."""
        if self._user is None or event.kind == "reset":
            return True
        key = (event.job, event.slave if event.job is None else None)
        if key not in self._owners:
            if len(self._owners) >= REMEMBERED:
                self._owners.clear()
            self._owners[key] = await self._database.read(partial(_owner, job=key[0], slave=key[1]))
        return self._owners[key] == self._user


def _owner(conn: Connection, job: int | None, slave: str | None) -> int | None:
    """Return who owns a job, or a slave; neither ever changes its owner."""
    if job is not None:
        return conn.execute(select(jobs.c.owner).where(jobs.c.number == job)).scalar()
    return conn.execute(select(slaves.c.owner).where(slaves.c.name == slave)).scalar()
