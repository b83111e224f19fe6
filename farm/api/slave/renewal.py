"""Slaves look anew when what they may render is another: by pools, tags, shares, or whom their owners call friends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from sqlalchemy.engine import Connection

from farm.api.slave.polls import Polls
from farm.database.handle import Database
from farm.database.reader import Told
from farm.scheduler import agreed, crowd
from farm.words.errors import DistrenError


class Renewal:
    """Hears that terms changed, in whichever process; one per process, inside its event loop.

    Args:
        database: whose writer keeps what it knew of them for a second.
        polls: the calls that hang here.
    """

    def __init__(self, database: Database, polls: Polls) -> None:
        self._database = database
        self._polls = polls
        self._changed = asyncio.Event()

    def hear(self, told: Iterable[Told]) -> None:
        """Note that terms changed; for :meth:`farm.database.reader.EventReader.listen`."""
        if any(event.kind == "terms" for event in told):
            self._changed.set()

    async def run(self) -> None:
        """Forget the former terms, and wake who waits for work, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            # Of a database that is away, nothing is known for longer than a second anyway.
            with contextlib.suppress(DistrenError):
                await self._database.write(_forget)
            self._polls.renew()


def _forget(conn: Connection) -> None:
    crowd.changed(conn)
    agreed.changed(conn)
