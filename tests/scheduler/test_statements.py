"""Each statement is a way to the database and back: many reports that are committed together take no more than few."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any

from sqlalchemy import event, func, insert, select
from sqlalchemy.engine import Connection

from farm.database.handle import Database
from farm.database.schema import friends, spot_checks
from farm.scheduler.policy import Policy
from farm.words.states import FailureClass
from tests.scheduler.world import Agent, World

MOST = {"sqlite": 17, "mysql": 8}
"""Reading who reports, what they hold, jobs, counts, paces and ready frames; then writing each table once.

On MariaDB all that is written goes in one packet.
"""

MOST_AMONG_STRANGERS = {"sqlite": 23, "mysql": 11}
"""Also rows of the ledger and what two accounts have; who was convicted, who was checked, and checks."""

MOST_AMONG_FRIENDS = {"sqlite": 20, "mysql": 9}
"""Also who is whose friend, rows of the ledger, and what two accounts have."""


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """Give the statements that the writer sends while the block runs."""
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    engine = database._engines[0]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def together(world: World, agents: list[Agent], *, failing: Sequence[Agent] = ()) -> list[str]:
    """Let slaves return what they have and ask for more, in one transaction; return its statements."""
    world.stage([attempt for agent in agents if agent not in failing for attempt in agent.holding])
    begun, gate = Event(), Event()

    def hold(_conn: Connection) -> None:
        begun.set()
        gate.wait(60)

    with ThreadPoolExecutor(len(agents) + 1) as pool, counting(world.database) as sent:
        pool.submit(world.database.write_now, hold)
        assert begun.wait(60)
        # Frames of a minute, so that a lease holds one.
        report = partial(world.report, want=1, seconds=60, stage=False)
        reports = [pool.submit(report, agent, **_ends(agent, failing)) for agent in agents]
        end = time.monotonic() + 60
        while world.database.waiting < len(agents):
            assert time.monotonic() < end
            time.sleep(0.01)
        sent.clear()
        gate.set()
        assert all(orders.result().leases for orders in reports)
    return sent


def _ends(agent: Agent, failing: Sequence[Agent]) -> dict[str, Any]:
    if agent in failing:
        return {"failed": dict.fromkeys(agent.holding, FailureClass.FARM)}
    return {"done": list(agent.holding)}


def test_many_reports_take_no_more_statements_than_few(world: World) -> None:
    agents = [world.slave(f"ws{n}") for n in range(24)]
    job = world.job("1-900")
    for some in (agents[:1], agents, agents):  # the first is measured alone; then all have something to return
        together(world, some)
    few, many = together(world, agents[:4]), together(world, agents)
    assert len(many) == len(few) <= MOST[world.database.dialect], many
    assert world.counts(job)["done"] >= len(agents)
    assert world.faults() == []


def test_failures_among_many_reports_do_not_make_the_others_be_read_one_by_one(world: World) -> None:
    agents = [world.slave(f"ws{n}") for n in range(24)]
    world.job("1-900")
    for some in (agents[:1], agents):
        together(world, some)
    sent = together(world, agents, failing=agents[::8])
    assert sum("slave.judged" in statement for statement in sent) <= 4, sent
    assert world.faults() == []


def test_strangers_results_are_checked_by_lot_without_a_question_for_each(database: Database) -> None:
    world = World(database, Policy(strangers=True))
    agents = [world.slave(f"ws{n}", owner=world.user(f"user{n}"), contained=True) for n in range(24)]
    job = world.job("1-900")
    for some in (agents[:1], agents, agents):
        together(world, some)
    few, many = together(world, agents[:4]), together(world, agents)
    assert len(many) == len(few) <= MOST_AMONG_STRANGERS[database.dialect], many
    with database._engines[1].connect() as conn:
        checked = conn.execute(select(func.count()).select_from(spot_checks)).scalar_one()
    assert checked == world.counts(job)["done"]  # all of the first ten of each
    assert world.faults() == []


def test_slaves_that_are_lent_to_friends_ask_for_these_together(database: Database) -> None:
    world = World(database)
    owners = [world.user(f"user{n}") for n in range(24)]
    named = [{"user": owner, "friend": world.owner} for owner in owners[:-1]]
    database.write_now(lambda conn: conn.execute(insert(friends), named))
    agents = [world.slave(f"ws{n}", owner=owner, terms='{"accept":"friends"}') for n, owner in enumerate(owners)]
    lent = agents[:-1]
    world.job("1-900")
    assert not world.report(agents[-1], want=1).leases  # its owner has no friends
    for some in (lent[:1], lent, lent):
        together(world, some)
    few, many = together(world, lent[:4]), together(world, lent)
    assert len(many) == len(few) <= MOST_AMONG_FRIENDS[database.dialect], many
    assert world.faults() == []
