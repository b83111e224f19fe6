"""Having a job rendered sooner for points: what it costs, what it gives, and doing it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from farm.accounts import ledger
from farm.accounts.formula import REFERENCE, worth
from farm.database.schema import jobs
from farm.jobs.access import Asker, owner_name, seen
from farm.protocol.points import Boost, BoostView
from farm.scheduler import crowd, escrow, forecast, standing, tally
from farm.scheduler.fairness import UNKNOWN
from farm.scheduler.fit import fitting
from farm.scheduler.forecast import Load
from farm.scheduler.jobrow import admission, requirement
from farm.words.clock import seconds
from farm.words.errors import Forbidden
from farm.words.states import JOB_ACTIVE

_ACTIVE = select(
    jobs.c.number, jobs.c.owner, jobs.c.priority, jobs.c.queued, jobs.c.boost, jobs.c.requires, jobs.c.pinned
).where(jobs.c.state.in_([state.value for state in JOB_ACTIVE]))


def preview(conn: Connection, asker: Asker, job: int, wish: Boost, at: int) -> BoostView:
    """Return what a boost would cost, and how much sooner the job would be done; nothing is changed.

    Raises:
        JobNotFound, Forbidden: it is not the asker's own.
    """
    row = own(conn, asker, job)
    loads, slots = queue(conn, row), slots_for(conn, row)
    mine = next((load for load in loads if load.number == job), None)
    milli = wish.points * 1000
    each = worth(round(mine.work), REFERENCE) * wish.boost if mine else 0
    frames = mine.frames if mine else 0
    lasts = frames if each == 0 else min(frames, milli // each)
    usage = standing.read(conn, at)
    plain = [replace(load, boost=0, boosted=0) if load.number == job else load for load in loads]
    boosted = [replace(load, boost=wish.boost, boosted=lasts) if load.number == job else load for load in loads]
    known = bool(slots and mine)
    return BoostView(
        job=job,
        points=wish.points,
        boost=wish.boost,
        cost_milli=min(each * frames, milli),
        frames_left=frames,
        frames_boosted=lasts,
        balance_milli=ledger.stored(conn, asker.user).milli,
        escrow_milli=ledger.stored(conn, ledger.escrow(job)).milli,
        eta_seconds=seconds(forecast.ends(plain, usage, slots, at)[job]) if known else None,
        boosted_eta_seconds=seconds(forecast.ends(boosted, usage, slots, at)[job]) if known else None,
    )


def put(conn: Connection, asker: Asker, job: int, wish: Boost, at: int) -> None:
    """Do it.

    Raises:
        JobNotFound, Forbidden: the job is not the asker's own.
        NotEnoughPoints, WrongState: see :func:`farm.scheduler.escrow.put`.
    """
    own(conn, asker, job)
    escrow.put(conn, job, wish.points * 1000, wish.boost, at)


def own(conn: Connection, asker: Asker, job: int) -> Row[tuple[object, ...]]:
    """Return the row of a job whose owner asks: nobody spends another's points.

    Raises:
        JobNotFound: it is none of their business.
        Forbidden: they see it, but it is another's.
    """
    row = seen(conn, asker, job)
    if row.owner != asker.user:
        raise Forbidden(f"Job {job} is {owner_name(conn, row.owner)}'s: only they can boost it, with their points.")
    return row


def queue(conn: Connection, also: Row[tuple[object, ...]] | None = None) -> list[Load]:
    """Return the queue, with a job that may not be in it yet."""
    rows = {row.number: row for row in (*conn.execute(_ACTIVE), *([also] if also is not None else []))}
    return [_load(conn, row) for _, row in sorted(rows.items())]


def _load(conn: Connection, row: Row[tuple[object, ...]]) -> Load:
    count = tally.stored(conn, row.number)
    work = count.work / count.rendered if count.rendered else UNKNOWN
    span = count.seconds / count.rendered if count.rendered else UNKNOWN
    left = ledger.stored(conn, ledger.escrow(row.number)).milli if row.boost else 0
    each = worth(round(work), REFERENCE) * row.boost
    lasts = count.open if not each else left // each
    return Load(row.number, row.owner, row.priority, row.queued or 0, count.open, span, work, row.boost, lasts)


def slots_for(conn: Connection, row: Row[tuple[object, ...]]) -> int:
    """Return the slots of the slaves that are here and fit a job."""
    requires = requirement(row.requires, row.pinned)
    able = fitting(requires, admission(row.slaves, row.not_slaves), crowd.live(conn), row.owner)
    return sum(machine.slots for machine in able)
