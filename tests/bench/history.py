"""Whether a farm that has rendered for years is as fast as a new one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.engine import Connection

from farm.database.handle import Database
from farm.database.schema import attempts, frames, jobs, sequences, slaves, tallies
from farm.protocol.jobs import Requirement, Submission
from farm.words.states import AttemptState, FrameState, JobState
from tests.bench.driving import Callers, Load
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running

JOBS = 20
EACH = 50_000
TRIES = 10
"""Attempts at each frame of the long past: the last one won."""


def measured(folder: Path) -> Iterator[Entry]:
    """Measure returns on an empty SQLite farm, and on the same one with a million finished frames."""
    yield from _measured(folder, 1, f"SQLite: returns with {JOBS * EACH:,} finished frames in the database")


def long(folder: Path) -> Iterator[Entry]:
    """Measure the same with ten million finished attempts."""
    yield from _measured(folder, TRIES, f"SQLite: returns with {JOBS * EACH * TRIES:,} finished attempts kept")


def _measured(folder: Path, tries: int, name: str) -> Iterator[Entry]:
    with running(folder, heartbeat_seconds="5") as farm:
        callers = Callers(farm, folder)
        before = callers.rate(Load(64))
        kept = _render_much(farm, tries)
        callers.rate(Load(64, seconds=2))  # a server that has just started reads its first pages
        after = callers.rate(Load(64))
    assert kept >= JOBS * EACH * tries
    less = 100 * before.shares.server / after.shares.server
    note = f"64 connections; {after.frames:.0f}/s, {before.frames:.0f}/s without them; {after}; by CPU {less:.0f} %"
    yield Entry(name, 100 * after.frames / before.frames, "% of the rate without them", ">= 80", note=note)


def _render_much(farm: Farm, tries: int) -> int:
    """Give the farm a past: finished jobs, and attempts at their frames; return how many attempts are kept."""
    wish = Submission(name="past", requires=Requirement(method="sleep"), frames=f"1-{EACH}")
    made = [farm.client.submit(wish).job for _ in range(JOBS)]
    farm.server.stop()
    database = Database.open(f"sqlite:///{farm.folder / 'server' / 'distren.sqlite3'}")
    try:
        for job in made:
            database.write_now(lambda conn, job=job: _finish(conn, job, tries))  # type: ignore[misc]
        return database.write_now(lambda conn: int(conn.execute(select(func.count(attempts.c.id))).scalar_one()))
    finally:
        database.close()
        farm.start_server()


def _finish(conn: Connection, job: int, tries: int) -> None:
    for left in reversed(range(tries)):
        first = _tried(conn, job, AttemptState.LOST if left else AttemptState.WON)
    done = {"state": FrameState.DONE.value, "result_attempt": first + frames.c.number}
    conn.execute(update(frames).where(frames.c.job == job).values(done))
    conn.execute(update(tallies).where(tallies.c.job == job).values(ready=0, done=tallies.c.ready))
    conn.execute(update(jobs).where(jobs.c.number == job).values(state=JobState.DONE.value, ended=1))


def _tried(conn: Connection, job: int, state: AttemptState) -> int:
    """Note an attempt at each frame of a job; return the number to which a frame's is added."""
    of = sequences.c.name == "attempt"
    first = int(conn.execute(select(sequences.c.next).where(of)).scalar_one())
    conn.execute(update(sequences).where(of).values(next=first + EACH + 1))
    slave = conn.execute(select(slaves.c.id).limit(1)).scalar_one()
    facts = {"slave": slave, "lease": 0, "state": state.value, "issued": 1, "deadline": 1, "ended": 1}
    facts |= {"seconds": 1, "cpu": 1, "progress": 1000, "message": "", "log": "", "uniform": False}
    rows = select(first + frames.c.number, frames.c.job, frames.c.number, *map(literal, facts.values()))
    columns = ["id", "job", "frame", *facts]
    conn.execute(insert(attempts).from_select(columns, rows.where(frames.c.job == job), include_defaults=False))
    return first
