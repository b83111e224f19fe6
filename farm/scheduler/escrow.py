"""Boosts: points that a job's owner put into its escrow, burnt frame by frame, and given back at its end."""

from __future__ import annotations

import json

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from farm.accounts import ledger, provisional
from farm.accounts.formula import burnt, points, tip
from farm.accounts.ledger import FARM, About, Kind
from farm.database import eventlog, numbers
from farm.database.memory import memory
from farm.database.schema import jobs, users
from farm.scheduler import jobrow
from farm.scheduler.fit import Machine
from farm.scheduler.held import Held
from farm.scheduler.jobrow import JobRow
from farm.words.errors import NotEnoughPoints, WrongState
from farm.words.states import JOB_ENDED, JobState

NEAR_THE_END = 64
"""If less is left than so many such frames burn, the job's row is locked: else two processes burn the same points."""


def put(conn: Connection, job: int, milli: int, boost: int, at: int) -> None:
    """Let a job's escrow hold so many points, from its owner's; what was in it before counts.

    Saying it twice is saying it once. With 0 points or no boost, all goes back.

    Args:
        conn: the writer's.
        job: its number.
        milli: thousandths of points.
        boost: how much sooner.
        at: now, µs.

    Raises:
        WrongState: the job has ended.
        NotEnoughPoints: its owner has less.
    """
    jobrow.lock(conn, job)
    row = jobrow.fresh(conn, job)
    if row.state in JOB_ENDED:
        raise WrongState(f"Job {job} is {row.state}: nothing of it is left to be rendered sooner.")
    if not milli or not boost:
        return give_back(conn, row, at, "The boost was ended.")
    lock(conn, row.owner)
    held = ledger.account(conn, ledger.escrow(job)).milli
    more = milli - held
    if more > 0:
        _pay_in(conn, row, more, boost, at)
    elif more < 0:
        _pay_out(conn, row, -more, at, "The boost was made smaller.")
    _set(conn, job, boost, at)
    return None


def burn(conn: Connection, job: JobRow, attempt: Held, slave: Machine, cpu: int, power: int, at: int) -> None:
    """Burn what a frame of a boosted job costs: a part goes to its renderer's owner, the rest to nobody.

    Args:
        conn: the writer's.
        job: whose escrow pays.
        attempt: the one that won the frame.
        slave: who rendered it.
        cpu: its time that counts, µs.
        power: the slave's, thousandths.
        at: now, µs.
    """
    number = ledger.escrow(job.number)
    left = ledger.account(conn, number).milli
    cost = burnt(cpu, power, job.boost, left)
    if left < NEAR_THE_END * cost and not jobrow.locked(conn, job.number):
        jobrow.lock(conn, job.number)
        left = ledger.account(conn, number).milli
        cost = burnt(cpu, power, job.boost, left)
    if cost > 0:
        inputs = json.dumps({"cpu": cpu, "power": power, "boost": job.boost, "left": left})
        about = About(job.number, attempt.frame, slave.id, inputs)
        ledger.post(conn, Kind.TIP, attempt.id, number, slave.owner, tip(cost), about, at)
        ledger.post(conn, Kind.GONE, attempt.id, number, FARM, cost - tip(cost), about, at)
    if cost >= left:
        _set(conn, job.number, 0, at)


def give_back(conn: Connection, job: JobRow, at: int, why: str) -> None:
    """Give what is left in a job's escrow back to its owner, and end the boost."""
    left = ledger.account(conn, ledger.escrow(job.number)).milli
    if left > 0:
        _pay_out(conn, job, left, at, why)
    if job.boost:
        _set(conn, job.number, 0, at)


def empty(conn: Connection, owner: int, at: int, why: str) -> None:
    """Give back what is left in the escrows of all jobs of a user."""
    boosted = select(jobs.c.number).where(jobs.c.owner == owner, jobs.c.boost > 0).order_by(jobs.c.number)
    for job in conn.execute(boosted).scalars().all():
        jobrow.lock(conn, job)
        give_back(conn, jobrow.fresh(conn, job), at, why)


def ended(conn: Connection, job: JobRow, state: JobState, at: int) -> None:
    """Give back what is left when a job ends, however it does."""
    if job.boost and state in JOB_ENDED:
        jobrow.lock(conn, job.number)
        give_back(conn, job, at, f"The job is {state}.")


def _pay_in(conn: Connection, job: JobRow, milli: int, boost: int, at: int) -> None:
    has = ledger.account(conn, job.owner).milli
    memory(conn).flush(conn)
    bound = min(provisional.milli(conn, job.owner), max(has, 0))
    if has - bound < milli:
        hint = "Slaves earn points by rendering for others: distren points."
        if has >= milli:
            hint = f"{points(bound)} more are of a slave in doubt: an admin has to say whether it draws right."
        raise NotEnoughPoints(f"This takes {points(milli)} points, and there are {points(has - bound)}.", hint=hint)
    about = About(job.number, inputs=json.dumps({"boost": boost}))
    number = numbers.take(conn, "posting")
    ledger.post(conn, Kind.ESCROW, number, job.owner, ledger.escrow(job.number), milli, about, at)


def _pay_out(conn: Connection, job: JobRow, milli: int, at: int, why: str) -> None:
    about = About(job.number, inputs=json.dumps({"why": why}))
    number = numbers.take(conn, "posting")
    ledger.post(conn, Kind.RETURNED, number, ledger.escrow(job.number), job.owner, milli, about, at)


def lock(conn: Connection, user: int) -> None:
    """Let a user spend in one process at a time: nobody spends the same points twice."""
    # A real change, not only a lock: Galera's nodes don't see each other's locks, but only one such change commits.
    conn.execute(update(users).where(users.c.id == user).values(spent=users.c.spent + 1))


def _set(conn: Connection, job: int, boost: int, at: int) -> None:
    memory(conn).flush(conn)
    conn.execute(update(jobs).where(jobs.c.number == job).values(boost=boost))
    jobrow.forget(conn, job)
    eventlog.note(conn, "job", at=at, job=job, data={"boost": boost})
