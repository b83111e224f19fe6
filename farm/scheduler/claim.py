"""Leasing frames: two steps, so that the cost does not grow with history.

First the few active jobs in their order, then one job's first ready frames by index.
A claim is compare-and-set, so that two processes never lease the same frame;
`SKIP LOCKED` only saves them from waiting for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row, and_, bindparam, insert, select
from sqlalchemy.engine import Connection

from farm.database import eventlog, numbers, schema
from farm.database.many import Change, Rows
from farm.database.memory import memory
from farm.database.schema import attempts, frames
from farm.protocol.slaves import Lease, LeasedFrame
from farm.scheduler import caps, crowd, devices, history, inorder, jobrow, paces, pin, shortage, standing, tally
from farm.scheduler.chosen import ONLY
from farm.scheduler.failures import avoided, may_try
from farm.scheduler.fairness import LAST
from farm.scheduler.fit import Machine
from farm.scheduler.frames import AGAIN, USUAL
from farm.scheduler.jobrow import JobRow
from farm.scheduler.leasesize import Pace, deal, lease_size, pace_of, share
from farm.scheduler.policy import Policy
from farm.scheduler.settle import set_state
from farm.words.clock import microseconds, moment
from farm.words.states import AttemptState, FrameOrder, FrameState, JobState

_READY = (
    select(frames.c.number, frames.c.picture, frames.c.set, frames.c.rank)
    .where(
        frames.c.job == bindparam("of"), frames.c.state == FrameState.READY.value, frames.c.rank <= bindparam("highest")
    )
    .order_by(frames.c.rank, frames.c.number)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TAKE = Change(
    frames,
    where={"job": "job", "number": "number", "state": "was"},
    put={"lease": "lease"},
    fixed={"state": FrameState.LEASED.value},
)
_INSERT = Rows(
    lambda _: insert(attempts),
    ("id", "job", "frame", "slave", "lease", "seq", "chosen", "issued", "deadline"),
    {"state": AttemptState.OPEN.value, "message": "", "log": "", "uniform": False, "device": ""},
)
_LOOK_FURTHER = 256


@dataclass(frozen=True, slots=True)
class Wish:
    """What a slave asks for.

    Args:
        slave: who asks.
        seq: the number of its report; the attempts remember in which answer they were issued.
        room: its slots that wait for frames; leases fill it.
        has: how many frames of each job it holds already.
        singly: one frame for each slot and no more, to see whether it is well: it is sick, or on probation.
        chosen: why it is this job's turn, as it is noted.
    """

    slave: Machine
    seq: int
    room: devices.Room
    has: Mapping[int, int] = field(default_factory=dict)
    singly: bool = False
    chosen: str = ONLY


def claim(conn: Connection, wish: Wish, at: int, policy: Policy) -> list[Lease]:
    """Lease frames to a slave.

    Args:
        conn: the writer's.
        wish: who asks, and for what.
        at: now, µs.
        policy: the scheduler's numbers.

    Returns:
        At most one lease for each slot that waits.
    """
    leases: list[Lease] = []
    slave, room = wish.slave, wish.room
    waiting, first = jobrow.waiting(conn), own(slave, policy)
    order = caps.capped(conn, standing.in_turn(conn, waiting, at, first), at, policy)
    for place, job in enumerate(order):
        if not room.free(""):
            break
        slot = devices.slot_for(job.requires)
        if job.rush == LAST and (leases or wish.has.keys() - {job.number}):
            continue  # it measures the machine, and needs it alone
        if room.free(slot) and job.number not in jobrow.dry(conn) and may(conn, slave, job, policy):
            told = replace(wish, chosen=standing.chosen(conn, order, place, waiting, at, first))
            got = _from_job(conn, job, told, room.free(slot), at, policy)
            room.take(slot, len(got))
            leases += got
    return leases


def may(conn: Connection, slave: Machine, job: JobRow, policy: Policy) -> bool:
    """Tell whether a slave can and may render a job: by what it has, by the job's word, and by its owner's."""
    return job.admits(slave, strangers=policy.strangers) and not crowd.lacks(conn, job.requires, slave)


def own(slave: Machine, policy: Policy) -> int | None:
    """Return the user whose jobs a slave renders before all others': its owner, where users are strangers."""
    return slave.owner if policy.strangers else None


def _from_job(conn: Connection, job: JobRow, wish: Wish, want: int, at: int, policy: Policy) -> list[Lease]:
    slave = wish.slave
    shown = paces.own(conn, slave.id, job.number)
    fit = crowd.able(conn, job.requires, job.admission, at, job.owner, strangers=policy.strangers)
    if devices.yields(job.requires, slave, fit.machines):
        return []
    settled = pin.settled(conn, job, slave, fit, at)
    if settled is None:
        return []
    job, able = settled, fit.machines
    if shown is not None and avoided(shown.failures, policy) and _others(conn, job, slave, able, policy):
        return []
    if job.max_slaves is not None and _is_full(conn, job, slave.id):
        return []
    pace = Pace(shown.done, shown.seconds) if shown else Pace()
    want = 1 if job.in_order else want
    most = _most(conn, job, wish, want, fit.slots, pace, policy)
    if not most:
        return []
    hands = deal(_candidates(conn, job, slave, able, most, at, policy), want)
    return [lease for hand in hands if (lease := _take(conn, job, wish, hand, at, policy))]


def _most(conn: Connection, job: JobRow, wish: Wish, want: int, slots: int, own: Pace, policy: Policy) -> int:
    """Return how many frames of a job a slave gets now at most; `slots`: of all live slaves that fit."""
    if wish.singly or job.rush == LAST:
        return want
    count = tally.counts(conn, job.number)
    mine = max(wish.slave.slots, want)
    slots = 1 if job.in_order else max(slots, mine)
    lease_us = microseconds(policy.lease_seconds)
    most = want * lease_size(pace_of(own, count.pace), count.ready, slots, lease_us, policy.lease_frames)
    if job.in_order:
        return most
    return min(most, share(count.ready + count.leased, mine, slots, wish.has.get(job.number, 0)))


def _others(conn: Connection, job: JobRow, slave: Machine, able: Sequence[Machine], policy: Policy) -> bool:
    """Tell whether there is a live fitting slave that is not avoided itself."""
    shown = schema.paces.c
    bad = select(shown.slave).where(shown.job == job.number, shown.failures >= policy.avoid_after)
    return bool({machine.id for machine in able} - {slave.id} - set(conn.execute(bad).scalars()))


def _is_full(conn: Connection, job: JobRow, slave: int) -> bool:
    """Tell whether as many other slaves as the job may have are at it already."""
    jobrow.lock(conn, job.number)
    memory(conn).flush(conn)
    at_it = set(conn.execute(holders(job.number)).scalars())
    return slave not in at_it and len(at_it) >= (job.max_slaves or 0)


def holders(job: int) -> Any:
    """Return the query for the slaves that hold frames of a job."""
    both = and_(attempts.c.job == frames.c.job, attempts.c.frame == frames.c.number)
    query = select(attempts.c.slave).select_from(frames).join(attempts, both).distinct()
    leased = (frames.c.job == job, frames.c.state == FrameState.LEASED.value)
    return query.where(*leased, attempts.c.state == AttemptState.OPEN.value)


def _candidates(
    conn: Connection, job: JobRow, slave: Machine, able: Sequence[Machine], most: int, at: int, policy: Policy
) -> Sequence[Row[Any]]:
    """Return ready frames that this slave may try, in their order."""
    highest = USUAL - 1 if job.probing else USUAL + AGAIN
    if job.in_order:
        return inorder.candidates(conn, job, slave, able, highest, most, at, policy)
    rows = _ready(conn, job.number, highest, most)
    if not rows:
        jobrow.dry(conn).add(job.number)
    if not any(row.rank % 2 for row in rows):
        return rows
    memory(conn).flush(conn)
    jobrow.stock(conn).pop((job.number, highest), None)
    rows = list(conn.execute(_READY, {"of": job.number, "highest": highest, "most": most + _LOOK_FURTHER}))
    again = [row.number for row in rows if row.rank % 2]
    past = history.tries(conn, job.number, again, job.queued)
    fit_ids = {machine.id for machine in able} | {slave.id}
    room = {number: shortage.fitting(conn, tries, fit_ids) for number, tries in past.items()}
    may = [r for r in rows if r.rank % 2 == 0 or may_try(past[r.number], slave.id, room[r.number], at, policy)]
    return may[:most]


def _ready(conn: Connection, job: int, highest: int, most: int) -> Sequence[Row[Any]]:
    """Return a job's first ready frames; a batch of commands reads those of all its commands at once."""
    mind = memory(conn)
    if mind.batch == 1:
        return list(conn.execute(_READY, {"of": job, "highest": highest, "most": most}))
    stock = jobrow.stock(conn).setdefault((job, highest), [])
    if len(stock) < most:
        mind.flush_only(conn, _TAKE)  # what was taken is not ready any more; nothing else is put off that was
        many = max(most, min(most * mind.batch, _LOOK_FURTHER))
        stock[:] = conn.execute(_READY, {"of": job, "highest": highest, "most": many})
    got = stock[:most]
    del stock[:most]
    return got


def _take(
    conn: Connection, job: JobRow, wish: Wish, wanted: Sequence[Row[Any]], at: int, policy: Policy
) -> Lease | None:
    lease = numbers.reserved(conn, "lease")[0]
    got = _compare_and_set(conn, job.number, wanted, lease)
    if not got:
        return None
    tally.moved(conn, job.number, FrameState.READY, FrameState.LEASED, len(got))
    if job.rush != LAST:
        standing.leased(conn, job.owner, job.number, len(got), at)
    eventlog.note_frames(conn, job.number, FrameState.LEASED, [row.number for row in got], at=at)
    if job.state is JobState.QUEUED and jobrow.job_row(conn, job.number).state is JobState.QUEUED:
        set_state(conn, job, JobState.RENDERING, at, started=job.started or at)
    return issue(conn, job, wish, lease, [(row.number, row.picture, row.set) for row in got], at, policy)


def _compare_and_set(conn: Connection, job: int, wanted: Sequence[Row[Any]], lease: int) -> list[Row[Any]]:
    mind = memory(conn)
    rows = [{"job": job, "number": row.number, "was": FrameState.READY.value, "lease": lease} for row in wanted]
    if mind.batch > 1:  # they will hit, or the batch is run again one by one
        for row in rows:
            mind.later(_TAKE, row, exact=True)
        return list(wanted)
    if _TAKE.run(conn, rows) == len(wanted):
        return list(wanted)
    these = (frames.c.job == job, frames.c.number.in_([row.number for row in wanted]), frames.c.lease == lease)
    mine = set(conn.execute(select(frames.c.number).where(*these)).scalars())
    return [row for row in wanted if row.number in mine]


def issue(
    conn: Connection,
    job: JobRow,
    wish: Wish,
    lease: int,
    got: Sequence[tuple[int, int, str | None]],
    at: int,
    policy: Policy,
) -> Lease:
    """Make an attempt for each frame of a lease: its number, its picture, and its set."""
    ids = numbers.reserved(conn, "attempt", len(got))
    deadline = at + policy.deadline_us
    for number, (frame, *_) in zip(ids, got, strict=True):
        row = {"id": number, "job": job.number, "frame": frame, "slave": wish.slave.id, "lease": lease}
        memory(conn).later(_INSERT, {**row, "seq": wish.seq, "chosen": wish.chosen, "issued": at, "deadline": deadline})
    return lease_of(job, lease, [(a, *frame) for a, frame in zip(ids, got, strict=True)], deadline)


def lease_of(job: JobRow, lease: int, got: Iterable[tuple[int, int, int, str | None]], deadline: int) -> Lease:
    """Return a lease as a slave is told of it: each frame's attempt, number, picture and set; the deadline in µs."""
    leased = [LeasedFrame(attempt=a, number=n, picture=p, set=s or "") for a, n, p, s in got]
    until = moment(deadline)
    assert until is not None
    order = FrameOrder.IN_ORDER if job.in_order else FrameOrder.ANY
    slot = devices.word_for(job.requires)
    return Lease(
        lease=lease, job=job.number, revision=job.revision, frames=leased, deadline=until, order=order, slot=slot
    )
