"""A job is deleted by one server process while another takes in a result of it: no file of nothing is left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.event import listen, remove

from farm.database.handle import Database
from farm.files.store import Stored
from farm.jobs.results import record, record_all
from farm.jobs.unpack import Piece, Unpacked
from farm.protocol.slaves import Finished, Report
from farm.scheduler.audit import audit
from farm.scheduler.slavecall import take_report
from farm.words.errors import DistrenError
from tests.scheduler.world import Agent, World, digest


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """A second process on the same database."""
    opened = Database.open(database.url)
    yield opened
    opened.close()


def result(attempt: int) -> Unpacked:
    return Unpacked(Stored(digest(attempt), 5), (Piece("output", "0001.png", Stored(digest(attempt), 5)),))


def sent(world: World, agent: Agent, attempt: int) -> Callable[[Connection], Any]:
    """Return what writes down a result that was sent by itself."""
    return lambda conn: record(conn, agent.id, attempt, result(attempt), world.at)


def reported(world: World, agent: Agent, attempt: int) -> Callable[[Connection], Any]:
    """Return what takes a report with the result in it."""
    agent.seq += 1
    report = Report(seq=agent.seq, finished=[Finished(attempt=attempt, sha256=digest(attempt), seconds=1)])

    def take(conn: Connection) -> None:
        record_all(conn, agent.id, {attempt: result(attempt)}, world.at)
        take_report(conn, agent.id, report, world.at, world.policy)

    return take


@contextlib.contextmanager
def between(database: Database, statement: str, act: Callable[[], Any]) -> Iterator[None]:
    """Do something when a database is about to be told this for the first time, and let it go on a moment later."""
    engine, told = database._engines[0], list[str]()

    def look(_conn: Any, _cursor: Any, text: str, *_more: Any) -> None:
        if text.startswith(statement) and not told:
            told.append(text)
            act()

    listen(engine, "before_cursor_execute", look)
    yield
    remove(engine, "before_cursor_execute", look)
    assert told


@pytest.mark.mariadb
@pytest.mark.parametrize("way", [sent, reported])
@pytest.mark.parametrize("table", ["resultfile", "attempt", "frame", "tally"])
def test_a_result_that_arrives_while_its_job_is_deleted_leaves_nothing(
    world: World, other: Database, table: str, way: Callable[[World, Agent, int], Callable[[Connection], Any]]
) -> None:
    job, agent = world.job("1-2"), world.slave("ws01")
    world.report(agent, want=1)
    (attempt,) = agent.holding
    came: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:

        def arrive() -> None:
            came.append(pool.submit(other.write_now, way(world, agent, attempt)))
            wait_for(came, 0.5)

        with between(world.database, f"DELETE FROM {table}", arrive):
            world.act("delete", job)
        with contextlib.suppress(DistrenError):
            came[0].result(30)
    assert world.database.read_now(audit) == []
