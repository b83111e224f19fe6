"""Leasing a straggler's frame a second time; the rule is in :mod:`farm.scheduler.stragglers`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.engine import Connection

from farm.database import numbers, schema
from farm.database.memory import memory
from farm.database.schema import attempts, frames, slaves
from farm.protocol.slaves import Lease
from farm.scheduler import crowd, devices, held, jobrow, paces, standing, tally
from farm.scheduler.chosen import TWICE
from farm.scheduler.claim import Wish, issue, may, own
from farm.scheduler.frames import AGAIN
from farm.scheduler.jobrow import JobRow
from farm.scheduler.leasesize import Pace, pace_of
from farm.scheduler.policy import Policy
from farm.scheduler.stragglers import Copy, pick
from farm.words.clock import SECOND
from farm.words.states import AttemptState, FrameState

_MOST = 256

CALM = SECOND // 5
"""µs for which a job without stragglers counts as such: at its end all slaves ask at once, and each look costs much."""

_CALM = "calm"
_KNOWN = 1000
_COPIES = (
    select(
        frames.c.number,
        frames.c.picture,
        frames.c.set,
        frames.c.lease,
        frames.c.rank,
        attempts.c.slave,
        attempts.c.started,
        attempts.c.progress,
        slaves.c.slots,
        schema.paces.c.done,
        schema.paces.c.seconds,
        schema.paces.c.failures,
    )
    .select_from(frames)
    .join(attempts, and_(attempts.c.job == frames.c.job, attempts.c.frame == frames.c.number))
    .join(slaves, slaves.c.id == attempts.c.slave)
    .outerjoin(schema.paces, and_(schema.paces.c.slave == attempts.c.slave, schema.paces.c.job == frames.c.job))
    .where(
        frames.c.job == bindparam("of"),
        frames.c.state == FrameState.LEASED.value,
        attempts.c.state == AttemptState.OPEN.value,
    )
    .order_by(attempts.c.id)
    .limit(_MOST)
)
_RELEASE = (
    update(frames)
    .where(
        frames.c.job == bindparam("of_job"),
        frames.c.number == bindparam("of_frame"),
        frames.c.state == FrameState.LEASED.value,
        frames.c.lease == bindparam("was"),
    )
    .values(lease=bindparam("new_lease"))
)


def double(conn: Connection, wish: Wish, at: int, policy: Policy) -> list[Lease]:
    """Lease one frame that another has to an idle slave, if that ends its job sooner.

    Args:
        conn: the writer's.
        wish: who asks; nothing renders there.
        at: now, µs.
        policy: the scheduler's numbers.
    """
    slave = wish.slave
    for job in standing.in_turn(conn, jobrow.going(conn), at, own(slave, policy)):
        fit = may(conn, slave, job, policy) and bool(wish.room.free(devices.slot_for(job.requires)))
        if not fit or job.in_order or job.max_slaves is not None or job.probing or tally.counts(conn, job.number).ready:
            continue
        lease = _from_job(conn, job, wish, at, policy)
        if lease is not None:
            return [lease]
    return []


def _from_job(conn: Connection, job: JobRow, wish: Wish, at: int, policy: Policy) -> Lease | None:
    slave = wish.slave
    shown = paces.own(conn, slave.id, job.number)
    able = crowd.able(conn, job.requires, job.admission, at, job.owner, strangers=policy.strangers)
    if devices.yields(job.requires, slave, able.machines):
        return None
    mean = tally.counts(conn, job.number).pace
    each = pace_of(Pace(shown.done, shown.seconds) if shown else Pace(), mean)
    if each is None or (shown is not None and shown.failures) or _calm(conn, job.number, each, at):
        return None
    straggler = pick(_copies(conn, job.number, mean, at), slave.id, each)
    if straggler is None:
        _note_calm(conn, job.number, each, at)
        return None
    lease = numbers.reserved(conn, "lease")[0]
    place = {"of_job": job.number, "of_frame": straggler.frame, "was": straggler.lease, "new_lease": lease}
    if not conn.execute(_RELEASE, place).rowcount:
        return None
    held.forget(conn)
    wish = replace(wish, chosen=TWICE)
    return issue(conn, job, wish, lease, [(straggler.frame, straggler.picture, straggler.set)], at, policy)


def _calm(conn: Connection, job: int, each: float, at: int) -> bool:
    """Tell whether a moment ago no frame of a job was late for a slave as fast as this one."""
    since, pace = memory(conn).shelf.get(_CALM, {}).get(job, (0, 0.0))
    return bool(since <= at < since + CALM and each >= pace)


def _note_calm(conn: Connection, job: int, each: float, at: int) -> None:
    known: dict[int, tuple[int, float]] = memory(conn).shelf.setdefault(_CALM, {})
    if len(known) >= _KNOWN:
        known.clear()
    known[job] = (at, each)


def _copies(conn: Connection, job: int, mean: Pace, at: int) -> list[Copy]:
    memory(conn).flush(conn)
    waiting: Counter[int] = Counter()
    copies = []
    for row in conn.execute(_COPIES, {"of": job}):
        elapsed = None if row.started is None else max(at - row.started, 0)
        each = pace_of(Pace(row.done or 0, row.seconds or 0), mean) or 0.0
        ahead = waiting[row.slave] // max(row.slots, 1)
        waiting[row.slave] += 1
        troubled = row.rank % (AGAIN + 1)
        progress = (row.progress or 0) / 1000
        copy = Copy(row.number, row.picture, row.lease, row.slave, ahead, elapsed, progress, each, row.set)
        copies += [copy, copy] if troubled else [copy]  # one that failed before is not doubled
    return copies
