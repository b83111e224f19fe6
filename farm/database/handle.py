"""The database: open, read, write, close."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from farm.database import engine, faults, numbers
from farm.database.eventlog import Noted
from farm.database.memory import Memory, attach
from farm.database.migrate import migrate
from farm.database.transfer import must_be_whole
from farm.database.writer import Writer
from farm.words.errors import DatabaseAway

APART = 0.5
"""Seconds for which reads are refused after one found the database away: they must not queue up to wait for it."""

T = TypeVar("T")


class Database:
    """One process's way to the database: one writer thread, a few readers."""

    def __init__(self, url: str, writing: Engine, reading: Engine, writer_number: int) -> None:
        self.url = url
        self.dialect = writing.dialect.name
        self.file = Path(str(writing.url.database)) if self.dialect == "sqlite" else None
        self.writer_number = writer_number
        self._engines = (writing, reading)
        self._listeners: set[Callable[[list[Noted]], None]] = set()
        self._memory = Memory(writer_number, self._committed)
        self._writer = Writer(writing, self._memory)
        self._shut_until = 0.0
        self._readers = ThreadPoolExecutor(engine.READERS, thread_name_prefix="distren-reader")

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a database; make or migrate its tables; take a number for the writer.

        Args:
            url: `sqlite:////folder/farm.db` or `mysql+pymysql://user:password@host/name`.

        Raises:
            NotASetup: the URL is none that DistRen can use, or what it names can't be used, or is not whole.
        """
        writing, migrating = engine.writing(url), engine.migrating(url)
        with engine.opening(url):
            migrate(migrating)
            migrating.dispose()
            with writing.begin() as conn:
                must_be_whole(conn)
                attach(conn, Memory(0))
                number = numbers.take(conn, "writer")
        return cls(url, writing, engine.reading(url), number)

    @property
    def waiting(self) -> int:
        """Commands that wait for the writer."""
        return self._writer.waiting

    @property
    def away(self) -> bool:
        """The database takes nothing, as far as the writer knows."""
        return self._writer.away

    async def write(self, command: Callable[[Connection], T]) -> T:
        """Run a command in the writer's next transaction; return when it is durable.

        The command may run more than once (a batch that failed, a deadlock), each time on
        a transaction of its own: it must have no effect but on its connection.

        Raises:
            Unavailable: the queue is full.
            DatabaseAway, DiskFull: the database does not take it.
        """
        return await self._writer.write(command)

    def write_now(self, command: Callable[[Connection], T]) -> T:
        """Do the same, blocking this thread: for start-up, the CLI and tests."""
        return self._writer.write_now(command)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on a read-only connection, in another thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """Run a query on a read-only connection, in this thread.

        Raises:
            DatabaseAway: it does not answer.
        """
        if time.monotonic() < self._shut_until:
            raise DatabaseAway(hint=faults.WAIT)
        try:
            with faults.translated(), self._engines[1].connect() as conn:
                return query(conn)
        except DatabaseAway:
            self._shut_until = time.monotonic() + APART
            raise

    def after_commit(self, listener: Callable[[list[Noted]], None]) -> Callable[[], None]:
        """Call `listener` (in the writer's thread) with each commit's events, if it has some; return what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def close(self) -> None:
        """Write what waits, end the threads, close the connections."""
        self._writer.close()
        self._readers.shutdown()
        for each in self._engines:
            each.dispose()

    def _committed(self, noted: list[Noted]) -> None:
        for listener in tuple(self._listeners):
            listener(noted)
