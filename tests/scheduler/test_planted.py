"""What must never be, planted in the tables, is found: one violation of each kind."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import Connection, Executable, insert, update

from farm.accounts import ledgeraudit
from farm.database.schema import attempts, balances, frames, jobs, slaves
from farm.scheduler.audit import audit
from tests.scheduler.world import World

PLANTED: dict[str, tuple[list[Executable], str]] = {
    "a frame that two attempts won": (
        [update(attempts).where(attempts.c.id > 0).values(frame=1)],
        "Frame 1 of job 1 was won 2 times.",
    ),
    "a lease that two slaves hold": (
        [update(attempts).values(state="open", ended=None, lease=7)],
        "Lease 7 is held by 2 slaves.",
    ),
    "a frame that is leased to nobody": (
        [update(frames).where(frames.c.number == 3).values(state="leased")],
        "Frame 3 of job 1 is leased, but nobody has it.",
    ),
    "points out of nothing": (
        [insert(balances).values(account=1, writer=9, milli=5000, earned=0)],
        "The sum of all accounts is 5.000 instead of zero.",
    ),
    "a state that there is not": (
        [update(frames).where(frames.c.number == 3).values(state="lost")],
        "Frame 3 of job 1 has the unknown state “lost”.",
    ),
    "a job in no state": ([update(jobs).values(state="lost")], "Job 1 has the unknown state “lost”."),
    "a slave in no state": ([update(slaves).values(state="lost")], "Slave one has the unknown state “lost”."),
    "an attempt in no state": (
        [update(attempts).where(attempts.c.frame == 1).values(state="gone")],
        "has the unknown state “gone”.",
    ),
    "a job that goes on with nothing left to do": (
        [update(frames).where(frames.c.number == 3).values(state="canceled")],
        "Job 1 is rendering, but nothing of it is left to do.",
    ),
}


class Undone(Exception):
    """Takes a planted violation back, and carries what was found."""


def found(conn: Connection, plants: list[Executable]) -> None:
    for statement in plants:
        conn.execute(statement)
    raise Undone([*audit(conn), *ledgeraudit.audit(conn)])


def test_each_is_found(world: World) -> None:
    job = world.job("1-3")
    for slave in ("one", "two"):
        world.render(world.slave(slave), seconds=1)
    assert world.counts(job)["done"] == 2
    assert world.faults() == []
    for name, (plants, sentence) in PLANTED.items():
        with pytest.raises(Undone) as undone:
            world.database.write_now(partial(found, plants=plants))
        assert any(sentence in one for one in undone.value.args[0]), f"{name}: {undone.value.args[0]}"
