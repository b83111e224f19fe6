"""The writer's connection: kept from one transaction to the next.

To take one and give it back for each costs two ways to MariaDB: is it still there, and a rollback of nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from farm.database.memory import Memory, attach

TRUSTED = 1.0
"""Seconds without use after which a connection may be gone: it is given back, and one is taken that answers."""


class Kept:
    """One thread's connection.

    Args:
        engine: where connections come from.
        memory: what the thread remembers; each connection gets it.
    """

    def __init__(self, engine: Engine, memory: Memory) -> None:
        self._engine = engine
        self._memory = memory
        self._conn: Connection | None = None
        self._used = 0.0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give the connection. After any fault it is not kept: what is left of a broken one, the pool knows."""
        try:
            yield self._get()
        except BaseException:  # whatever broke, a stopped thread too: nobody knows what state it left
            self.close()
            raise
        self._used = time.monotonic()

    def close(self) -> None:
        """Give it back."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()

    def _get(self) -> Connection:
        if self._conn is not None and time.monotonic() - self._used > TRUSTED:
            self.close()
        if self._conn is None:
            self._conn = self._engine.connect()
            attach(self._conn, self._memory)
        return self._conn
