"""Two servers on one database finish what a frame waits for at the same moment: one of them sets it free."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.engine import Connection

from farm.database.handle import Database
from farm.protocol.slaves import Finished, Report
from farm.scheduler.jobstate import Growth
from farm.scheduler.slavecall import take_report
from farm.words.ranges import FrameRange
from tests.scheduler.world import Agent, World, digest


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """A second process on the same database."""
    opened = Database.open(database.url)
    yield opened
    opened.close()


def finished(world: World, agent: Agent) -> Report:
    (attempt,) = agent.holding
    world.stage([attempt])
    agent.seq += 1
    return Report(seq=agent.seq, finished=[Finished(attempt=attempt, sha256=digest(attempt), seconds=1)])


@pytest.mark.parametrize("each", [True, False])
@pytest.mark.parametrize("first", [0, 1])
def test_of_two_who_finish_at_once_the_later_one_sets_free_what_waits(
    world: World, other: Database, first: int, each: bool
) -> None:
    job = world.job("1-3", waits=[("3", 0, "1-2", each)])
    agents = [world.slave("ws01"), world.slave("ws02")]
    for agent in agents:
        world.report(agent, want=1)
    reports = [finished(world, agent) for agent in agents]
    inside, passed, go = threading.Event(), threading.Event(), threading.Event()

    def slowly(conn: Connection) -> None:
        take_report(conn, agents[first].id, reports[first], world.at, world.policy)
        inside.set()
        go.wait(10)

    def quickly(conn: Connection) -> None:
        take_report(conn, agents[1 - first].id, reports[1 - first], world.at, world.policy)
        passed.set()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(world.database.write_now, slowly)
        assert inside.wait(30)
        two = pool.submit(other.write_now, quickly)
        if other.url.startswith("mysql"):
            passed.wait(1)  # it does not get so far unless it misses the other; SQLite has one writer at a time anyway
        go.set()
        one.result(30)
        two.result(30)
    assert world.frame(job, 3).state == "ready"


def test_another_process_hears_of_what_its_frames_wait_for_later(world: World, other: Database) -> None:
    here = world.database
    layer, slave = world.job("1-2"), world.slave("ws01", slots=8)
    video = world.job("1", waits=[("1", layer, "1-2", False)])
    world.database = other
    world.render(slave, want=8)  # it reads the rules, and remembers them
    assert world.frame(video, 1).state == "ready"
    world.database = here
    world.act("add_frames", layer, [Growth(FrameRange.parse("3"))])
    world.database = other
    assert world.frame(video, 1).state == "blocked"
    assert [world.render(slave, want=8) for _ in range(2)] == [[3], [1]]
    assert world.state(video) == "done"
