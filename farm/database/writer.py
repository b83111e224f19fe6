"""The one writer: a thread that runs many commands in one transaction (group commit).

Neighbours in the queue of one kind may say together what they are going to read, so that
it is read by one query (:class:`Foreseeing`).

A batch that fails is rolled back and its halves are run again, down to single commands, so
that one bad command costs the others nothing but a little time. So a command must be a function of its
connection and arguments, without any other effect.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Protocol, TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from farm.database import faults
from farm.database.faults import Fault
from farm.database.kept import Kept
from farm.database.memory import Memory, Overtaken
from farm.words.errors import DatabaseAway, DistrenError, Unavailable

log = structlog.get_logger(__name__)
T = TypeVar("T")

QUEUE = 4096
"""Commands that may wait; one more is answered by `Unavailable`."""

BATCH = 64
"""The most commands in one transaction."""

LINGER = 0.010
"""Seconds that a transaction waits for those who came together last time, while they keep coming.

What a transaction costs whoever is in it (16 statements, and a sync) is shared by more: where 64 call at once, a
return took a sixth more of the processor when 48 were enough, and a fifth more again when 16 were.
"""

PAUSE = 0.002
"""Seconds without anybody after which it does not."""

_NAP = 0.0003

TRIES = 12
"""How often a transaction is tried that others keep failing."""

HOLD = 3.0
"""Seconds that commands wait for a database that went away; after that they are refused until it is back."""


class OutcomeUnknown(Exception):
    """COMMIT broke off: nobody knows whether it was done."""


class Foreseeing(Protocol):
    """A command that can read ahead for itself and its neighbours of the same kind."""

    ahead: ClassVar[Callable[[Connection, list[Any]], None]]
    """Called with the neighbours in the queue, before the first of them runs; it puts what it reads into
    the memory's `ahead`, which is empty then."""

    def __call__(self, conn: Connection) -> Any:
        """Run."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A command in the queue, and whom its result goes to."""

    command: Callable[[Connection], Any]
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None
    value: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Hand the result over; a caller that went away is no fault."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class Writer:
    """The thread that writes."""

    def __init__(self, engine: Engine, memory: Memory) -> None:
        self.memory = memory
        self._kept = Kept(engine, memory)
        self._queue: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="distren-writer", daemon=True)
        self._closed = False
        self._closing = threading.Lock()
        self._over = False
        self._away: float | None = None
        self._crowd = 1
        self._thread.start()

    async def write(self, command: Callable[[Connection], T]) -> T:
        """Run a command; return after COMMIT."""
        loop = asyncio.get_running_loop()
        ticket = Ticket(command, loop.create_future(), loop)
        self._put(ticket)
        result: T = await ticket.future  # type: ignore[misc]
        return result

    def write_now(self, command: Callable[[Connection], T]) -> T:
        """Run a command and wait, blocking this thread."""
        future: Future[T] = Future()
        self._put(Ticket(command, future, None))
        return future.result()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Commands in the queue."""
        return self._queue.qsize()

    @property
    def away(self) -> bool:
        """The database took nothing when it was last tried."""
        return self._away is not None

    def _put(self, ticket: Ticket) -> None:
        with self._closing:  # nobody may come after the last
            if self._closed:
                raise Unavailable("The server is shutting down.", hint="Try again in a moment.")
            if self._queue.qsize() >= QUEUE:
                raise Unavailable("The database's queue is full.", hint="Try again in a moment.")
            self._queue.put(ticket)

    def _run(self) -> None:
        while not self._over:
            batch: list[Ticket] = []
            _outlived(self._gather, batch)  # what it took from the queue is written, whatever befell it then
            if error := _outlived(self._write, batch):
                for ticket in batch:
                    ticket.error = ticket.error or error
            if _outlived(_answer, batch):
                for ticket in batch:
                    _outlived(_answer, [ticket])
        self._kept.close()

    def _gather(self, batch: list[Ticket]) -> None:
        crowd, self._crowd = self._crowd, 1
        self._take(self._queue.get(), batch)
        if batch:
            self._linger(crowd)
        with contextlib.suppress(queue.Empty):
            while not self._over and len(batch) < BATCH:
                self._take(self._queue.get_nowait(), batch)
        self._crowd = max(len(batch), crowd * 3 // 4)

    def _take(self, ticket: Ticket | None, batch: list[Ticket]) -> None:
        if ticket is None:
            self._over = True
        else:
            batch.append(ticket)

    def _write(self, batch: list[Ticket]) -> None:
        self._work([ticket for ticket in batch if not ticket.future.cancelled()])

    def _linger(self, crowd: int) -> None:
        """Let those who came together last time come together again, instead of one after the other.

        Who comes alone waits for nobody. Meanwhile this thread does not take turns with the one that brings them.
        """
        came, last = 0, time.monotonic()
        until = last + LINGER
        while (here := self._queue.qsize() + 1) < min(crowd, BATCH):
            now = time.monotonic()
            came, last = (here, now) if here > came else (came, last)
            if now > min(until, last + PAUSE):
                return
            time.sleep(_NAP)

    def _work(self, batch: list[Ticket]) -> None:
        if len(batch) <= 1:
            for ticket in batch:
                self._single(ticket)
            return
        try:
            self._transaction(batch)
        except OutcomeUnknown as error:
            _refuse(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the command alone will show it again
            if faults.fault_of(error) is Fault.AWAY:
                self._missing(batch, error)
                return
            log.debug("A batch is replayed in halves.", commands=len(batch))
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                self._work(half)

    def _single(self, ticket: Ticket) -> None:
        for attempt in range(TRIES):
            try:
                self._transaction([ticket])
            except OutcomeUnknown as error:
                _refuse([ticket], error)
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                fault = Fault.OTHERS if isinstance(error, Overtaken) else faults.fault_of(error)
                if fault is Fault.AWAY:
                    self._missing([ticket], error)
                elif fault is not Fault.OTHERS:
                    ticket.error = _ours(error)
                elif attempt + 1 == TRIES:
                    _refuse([ticket], error)
                else:
                    time.sleep(random.uniform(0.2, 1) * min(0.002 * 2**attempt, 1))
                    continue
            return

    def _missing(self, batch: list[Ticket], error: Exception) -> None:
        """Wait a little for a database that went away; else refuse these, and all that wait behind them.

        Nobody may hang because each of hundreds is tried for seconds.
        """
        now = time.monotonic()
        if self._away is None:
            self._away = now
            log.warning("The database is away.", reason=_reason(error))
        if now - self._away < HOLD and not self._closed:
            time.sleep(0.1)
            self._work(batch)
            return
        behind = self._waiting_now()
        for ticket in [*batch, *behind]:
            ticket.error = _ours(error)
        _answer(behind)

    def _waiting_now(self) -> list[Ticket]:
        found: list[Ticket] = []
        for _ in range(self._queue.qsize()):
            self._take(self._queue.get_nowait(), found)
        return found

    def _transaction(self, batch: list[Ticket]) -> None:
        memory = self.memory
        memory.batch = len(batch)
        committed = False
        try:
            with self._kept.connection() as conn, conn.begin() as transaction:
                for ahead, tickets in groupby(batch, _ahead):
                    _run(conn, memory, ahead, list(tickets))
                memory.finish(conn)
                _commit(transaction)
                committed = True
            memory.committed()
        except BaseException as error:  # what rolled it back: what was remembered of it never was
            memory.rolled_back()
            if not committed:
                raise
            _stumbled(error, batch)  # it stands, and must not be run again
        if self._away is not None:
            log.warning("The database is back.", seconds=round(time.monotonic() - self._away, 1))
            self._away = None


def _outlived(step: Callable[[list[Ticket]], None], batch: list[Ticket]) -> BaseException | None:
    """Do a step of the thread, which must outlive any fault: else everybody would wait for ever."""
    try:
        step(batch)
    except BaseException as error:  # noqa: BLE001 - whatever it is
        _stumbled(error, batch)
        return error
    return None


def _stumbled(error: BaseException, batch: list[Ticket]) -> None:
    with contextlib.suppress(Exception):  # as without memory, when not even that can be said
        log.error("The writer stumbled.", commands=len(batch), exc_info=error)


def _ahead(ticket: Ticket) -> Callable[[Connection, list[Any]], None] | None:
    return getattr(ticket.command, "ahead", None)


def _run(
    conn: Connection, memory: Memory, ahead: Callable[[Connection, list[Any]], None] | None, tickets: list[Ticket]
) -> None:
    memory.flush(conn)
    memory.ahead.clear()  # those before them may have changed it
    if ahead is not None:
        ahead(conn, [ticket.command for ticket in tickets])
    for ticket in tickets:
        ticket.value = ticket.command(conn)


def _commit(transaction: Any) -> None:
    try:
        transaction.commit()
    except DBAPIError as error:
        if faults.lost(error):
            transaction.connection.invalidate()
            raise OutcomeUnknown(faults.said(error)) from error
        raise
    except Exception as error:
        transaction.connection.invalidate()  # else the next commit would make it durable, after it was refused
        raise OutcomeUnknown(repr(error)) from error


def _ours(error: Exception) -> Exception:
    """Return what is said to whoever asked."""
    return (faults.meaning(error) if isinstance(error, DBAPIError) else None) or error


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, DistrenError) else str(_ours(error))


def _refuse(batch: list[Ticket], error: Exception) -> None:
    log.warning("The database did not take a transaction.", reason=str(error), commands=len(batch))
    for ticket in batch:
        ticket.error = DatabaseAway("The database did not take this.", hint="Try again in a moment.")


def _answer(batch: list[Ticket]) -> None:
    """Hand out the results, with one wake-up per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
    for ticket in batch:
        if ticket.error is not None and not isinstance(ticket.error, DistrenError):
            with contextlib.suppress(Exception):
                log.error("A command failed.", reason=repr(ticket.error))
        if ticket.loop is None:
            ticket.settle()
        else:
            loops.setdefault(ticket.loop, []).append(ticket)
    for loop, tickets in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, tickets)
        except RuntimeError:  # the loop is closed: nobody waits any more
            log.debug("Results came after their loop had ended.", commands=len(tickets))


def _settle(tickets: list[Ticket]) -> None:
    for ticket in tickets:
        ticket.settle()
