"""Reads the event log, once per process, for all who listen.

It looks every 50 ms, less often where the server is so busy that a look takes long; what this process committed
itself, it is told at once. Who missed more than is kept gets `reset` and reads everything anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import structlog
from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.engine import Connection, Row

from farm.database.eventlog import Noted
from farm.database.handle import Database
from farm.database.schema import events, sequences
from farm.database.vector import Vector
from farm.words import clock
from farm.words.errors import DistrenError

log = structlog.get_logger(__name__)

EVERY = 0.05
"""Seconds between two looks."""

ALONE = 1.0
"""The same on SQLite, where no other process serves: only an admin's command may have written something."""

SHARE = 0.1
"""The most of its time that a process looks: so many looks would take a fifteenth of a busy one's processor."""

AGAIN = 0.5
"""Seconds after which a log that could not be read is tried again."""

_AT_ONCE = 500
_BEHIND = 2000
_QUIET_EVERY = 40
_TERMS = 200
_RECENT = 256
"""Writers so far back are looked for though they have told nothing yet: another process of this farm may be one."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and the place after it, to resume from.

    kind: `job`, `frames` (`ranges`: state → frame range), `slave`, `terms` (who may render what is another),
    `watch` (`attempts` whose output is read), `log` (what renderers said of frames), or `reset` (events were missed).
    `at` in µs.
    """

    kind: str
    at: int
    place: Vector
    job: int | None = None
    slave: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    writer: int = 0
    seq: int = 0


class EventReader:
    """The one reader of a process. Use it inside the process's event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._every = ALONE if database.dialect == "sqlite" else EVERY
        self._place = Vector()
        self._busy: set[int] = set()
        self._upto = 0
        self._listeners: set[Callable[[list[Told]], None]] = set()
        self._wake = asyncio.Event()
        self._news: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._detach: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Begin at the newest event."""
        loop = asyncio.get_running_loop()
        self._place = await self._database.read(newest)
        self._upto = self._database.writer_number + 1
        self._busy = set(self._place.seen) | self._recent()
        self._detach = self._database.after_commit(partial(_hand_over, loop, self._hear))
        self._task = asyncio.create_task(self._run(), name="distren-events")

    async def stop(self) -> None:
        """End the task."""
        self._detach()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    def place(self) -> Vector:
        """Where the reader is."""
        return self._place

    def listen(self, listener: Callable[[list[Told]], None]) -> Callable[[], None]:
        """Call `listener` with each batch of events, in the event loop; return what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def news(self, seconds: float) -> bool:
        """Wait until something happens, at most this long; tell whether it did."""
        if self._news is None or self._news.done():
            self._news = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._news], timeout=seconds)
        return bool(done)

    async def subscribe(self, since: Vector | None = None) -> AsyncIterator[Told]:
        """Yield the events after a place, then those that come; for ever.

        Args:
            since: where the listener was; None begins now.
        """
        queue: asyncio.Queue[Told | None] = asyncio.Queue(_BEHIND)
        stop = self.listen(lambda told: _offer(queue, told))
        here = self._place
        try:
            async for told in self._missed(since, here):
                here = told.place
                yield told
            while True:
                if (told_now := await queue.get()) is None:
                    _empty(queue)
                    here = self._place
                    yield _reset(here)
                else:
                    here = here.after(told_now.writer, told_now.seq)
                    yield replace(told_now, place=here)
        finally:
            stop()

    async def _missed(self, since: Vector | None, until: Vector) -> AsyncIterator[Told]:
        if since is None:
            return
        if not await self._database.read(lambda conn: complete(conn, since)):
            yield _reset(until)
            return
        here = since
        for writer, last in sorted(until.seen.items()):
            while (seen := here.seen.get(writer, 0)) < last:
                rows = await self._database.read(lambda conn, w=writer, s=seen: _after(conn, {w: s}))  # type: ignore[misc]
                rows = [row for row in rows if row.seq <= last]
                if not rows:
                    break
                for row in rows:
                    here = here.after(row.writer, row.seq)
                    yield _event(row, here)

    async def _run(self) -> None:
        turn, troubled, rest = 0, False, self._every
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._wake.wait()
            self._wake.clear()
            turn, began = turn + 1, time.monotonic()
            try:
                await self._look(all_writers=turn % _QUIET_EVERY == 0)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever the database has, the reader must go on looking
                if isinstance(error, DistrenError) and "shutting down" in error.message:
                    return
                if not troubled:
                    log.warning("The event log can't be read; it is tried again and again.", reason=repr(error))
                troubled = True
                await asyncio.sleep(AGAIN)
            else:
                troubled = False
            rest = min(max(self._every, (time.monotonic() - began) / SHARE), ALONE)

    async def _look(self, *, all_writers: bool) -> None:
        seen = dict(self._place.seen)
        watched = set(seen) | self._recent() if all_writers else self._busy
        rows, upto = await self._database.read(lambda conn: _news(conn, {w: seen.get(w, 0) for w in watched}))
        self._busy |= set(range(max([0, *seen, *self._busy]) + 1, upto))
        self._upto = upto
        if all_writers:
            self._busy = {w for w in self._busy if w > upto - 16} | {row.writer for row in rows}
        if rows:
            self._tell(rows)
            if len(rows) >= _AT_ONCE:
                self._wake.set()

    def _recent(self) -> set[int]:
        return set(range(max(1, self._upto - _RECENT), self._upto))

    def _hear(self, noted: list[Noted]) -> None:
        """Tell what this process has committed, without reading it from the database; unless something is missing."""
        if noted[0].seq <= self._place.seen.get(noted[0].writer, 0) + 1:
            self._tell(noted)
        else:
            self._wake.set()

    def _tell(self, rows: Sequence[Row[Any] | Noted]) -> None:
        told = []
        for row in rows:
            if row.seq <= self._place.seen.get(row.writer, 0):
                continue  # it was told already: the question was on its way when this process committed it
            self._busy.add(row.writer)
            self._place = self._place.after(row.writer, row.seq)
            told.append(_event(row, self._place))
        if not told:
            return
        for listener in tuple(self._listeners):
            listener(told)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


def newest(conn: Connection) -> Vector:
    """Return the end of the log."""
    rows = conn.execute(select(events.c.writer, func.max(events.c.seq)).group_by(events.c.writer)).all()
    return Vector({row[0]: row[1] for row in rows})


def complete(conn: Connection, since: Vector) -> bool:
    """Tell whether all events after a place are still kept."""
    rows = conn.execute(select(events.c.writer, func.min(events.c.seq)).group_by(events.c.writer)).all()
    return all(lowest <= since.seen.get(writer, 0) + 1 for writer, lowest in rows)


def _news(conn: Connection, seen: dict[int, int]) -> tuple[list[Row[Any]], int]:
    upto = conn.execute(select(sequences.c.next).where(sequences.c.name == "writer")).scalar() or 1
    return _after(conn, seen), upto


def _after(conn: Connection, seen: dict[int, int]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    places = sorted(seen.items())
    for at in range(0, len(places), _TERMS):
        some = places[at : at + _TERMS]
        values = {f"{name}{i}": value for i, place in enumerate(some) for name, value in zip("ws", place, strict=True)}
        found += conn.execute(_later(len(some)), values).all()
    return found


@lru_cache(maxsize=_TERMS)
def _later(writers: int) -> Select[*tuple[Any, ...]]:
    """Return the question for the events of so many writers: asked 20 times a second, so it is put together once."""
    own, seq = events.c.writer, events.c.seq
    terms = [and_(own == bindparam(f"w{i}"), seq > bindparam(f"s{i}")) for i in range(writers)]
    return select(events).where(or_(*terms)).order_by(own, seq).limit(_AT_ONCE)


def _event(row: Row[Any] | Noted, place: Vector) -> Told:
    data = row.data if isinstance(row, Noted) else json.loads(row.data)
    return Told(row.kind, row.at, place, row.job, row.slave, data, row.writer, row.seq)


def _reset(place: Vector) -> Told:
    return Told("reset", clock.now(), place)


def _offer(queue: asyncio.Queue[Told | None], told: list[Told]) -> None:
    """Queue events; a listener that is too slow gets None, which becomes `reset`."""
    for one in told:
        if queue.qsize() >= _BEHIND - 1:
            _empty(queue)
            queue.put_nowait(None)
            return
        queue.put_nowait(one)


def _empty(queue: asyncio.Queue[Told | None]) -> None:
    while not queue.empty():
        queue.get_nowait()


def _hand_over(loop: asyncio.AbstractEventLoop, hear: Callable[[list[Noted]], None], noted: list[Noted]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens
        loop.call_soon_threadsafe(hear, noted)
