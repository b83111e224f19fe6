"""Slaves that are measured by themselves: only idle ones, one method at a time, and never before work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, delete, exists, func, select

from farm.accounts import due
from farm.accounts.due import Past
from farm.database.schema import attempts, jobs, ratings, samples, slaves
from farm.jobs import benchmarks, comparing, itself
from farm.jobs import ratings as rated
from farm.jobs.access import Asker
from farm.jobs.benchmarks import Benchmark, Place, Subject
from farm.protocol.points import Cause
from farm.scheduler import bulk, crowd, earnings, jobrow
from farm.scheduler.fairness import LAST
from farm.scheduler.fit import Machine, fits
from farm.scheduler.jobrow import JobRow
from farm.words.clock import SECOND
from farm.words.errors import DistrenError, JobNotFound, WrongState
from farm.words.names import of_peer
from farm.words.states import JOB_ENDED, AttemptState, SlaveState

log = structlog.get_logger(__name__)

QUIET = 60 * SECOND
"""µs that a slave idles before it is measured: between two frames of a job that come late, it should be ready."""

ASK = 600 * SECOND
"""µs until an idle slave is looked at again that need not be measured."""

AT_ONCE = 20
"""Slaves that are measured at once, and looked at in one go."""

PATIENCE = 1800 * SECOND
"""µs after which a benchmark is given up that does not come to its end."""

FRESH = 300 * SECOND
"""µs in which a slave must have rendered something for its frames to be looked at anew."""

LATELY = 150 * SECOND
"""µs in which a slave has said once or twice how busy its machine is."""

STUCK = 300 * SECOND
"""µs after which frames that wait beside an idle slave are no work for it: limits that only leasing knows keep them."""

BUSY = 500
"""Thousandths of a machine's processors that others may not use while it is measured: it would be rated too low."""

_IDLE = select(slaves.c.id, slaves.c.done, slaves.c.judged).where(
    slaves.c.state == SlaveState.IDLE.value,
    slaves.c.benchmark,
    ~exists().where(samples.c.slave == slaves.c.id, samples.c.at > bindparam("since"), samples.c.cpu >= BUSY),
)
_OPEN = select(ratings.c.job, ratings.c.slave, ratings.c.at).join(jobs, jobs.c.number == ratings.c.job)
_OPEN = _OPEN.where(
    ~ratings.c.over,
    ratings.c.cause != Cause.ASKED.value,
    jobs.c.state.not_in([state.value for state in JOB_ENDED]),
)


@dataclass(slots=True)
class _Seen:
    mark: tuple[int, int]
    since: int
    asked: int = 0
    beside: dict[int, int] = field(default_factory=dict)


class Watch:
    """Knows since when slaves idle, and jobs wait beside them, as far as this process has seen it."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def ripe(self, idle: Iterable[Any], at: int) -> list[int]:
        """Return some slaves that have idled long enough, and were not returned lately.

        Args:
            idle: those that idle now: their ids, and what changes with each frame that they end.
            at: now, µs.
        """
        before, self._seen = self._seen, {}
        found = list[int]()
        for row in idle:
            mark = (row.done, row.judged)
            seen = before.get(row.id)
            seen = self._seen[row.id] = seen if seen is not None and seen.mark == mark else _Seen(mark, at)
            if at - seen.since >= QUIET and at - seen.asked >= ASK and len(found) < AT_ONCE:
                seen.asked = at
                found.append(row.id)
        return found

    def note(self, slave: int, jobs: Iterable[int], at: int) -> None:
        """Remember since when jobs wait that an idle slave could render."""
        seen = self._seen.get(slave)
        if seen is not None:
            seen.beside = {job: seen.beside.get(job, at) for job in jobs}

    def stuck(self, slave: int, at: int) -> frozenset[int]:
        """Return the jobs that have waited beside an idle slave for so long that they are no work for it."""
        seen = self._seen.get(slave)
        return frozenset(job for job, since in seen.beside.items() if at - since >= STUCK) if seen else frozenset()


async def work(place: Place, watch: Watch, at: int) -> None:
    """Begin benchmarks of idle slaves, where they are due, and learn from the frames of those that have no rating."""
    ripe = watch.ripe(await place.database.read(partial(_idle, at=at)), at)
    if ripe:
        for bench in await place.database.read(
            partial(wanted, ripe=ripe, watch=watch, at=at, strangers=place.strangers)
        ):
            await _begin(place, bench, at)
    for learnt in await place.database.read(partial(learn, at=at, strangers=place.strangers)):
        await place.database.write(partial(rated.count, slave=learnt[0], method=learnt[1], milli=learnt[2]))


async def give_way(place: Place, watch: Watch, at: int) -> None:
    """Take back benchmarks of slaves for which there is work now, or that are not there any more."""
    for job in await place.database.read(partial(hindering, watch=watch, at=at, strangers=place.strangers)):
        with contextlib.suppress(JobNotFound, WrongState):  # a person did something to it just now
            await place.database.write(partial(withdraw, job=job, at=at))


async def _begin(place: Place, bench: Benchmark, at: int) -> None:
    whom = bench.subject
    log.info("A slave is measured.", slave=whom.name, scene=bench.scene, cause=bench.cause)
    try:
        await benchmarks.make(place, await _for_whom(place, whom, at), bench, at)
    except DistrenError as error:
        log.warning("A slave can't be measured.", slave=whom.name, reason=error.message)


async def _for_whom(place: Place, whom: Subject, at: int) -> Asker:
    """Return whose job a benchmark is: the owner's, but for another server's slave, whom this farm owes for it."""
    if not of_peer(whom.name):
        return Asker(whom.owner, whom.owner_name, studio=False)
    return Asker(await place.database.write(partial(itself.user, at=at)), itself.NAME, studio=False)


def _idle(conn: Connection, at: int) -> Sequence[Any]:
    """Return the slaves that idle on machines that are not busy with anything else, and let themselves be measured."""
    return conn.execute(_IDLE, {"since": at - LATELY}).all()


def wanted(conn: Connection, ripe: Sequence[int], watch: Watch, at: int, *, strangers: bool) -> list[Benchmark]:
    """Return the benchmarks that are due of idle slaves: one of each, and only where no work waits for it.

    Args:
        conn: any connection.
        ripe: the slaves' ids.
        watch: what this process has seen of them.
        at: now, µs.
        strangers: users don't know each other.
    """
    room = AT_ONCE - (conn.execute(select(func.count()).select_from(_OPEN.subquery())).scalar() or 0)
    machines = {one.id: one for one in crowd.live(conn)}
    waiting = _waiting(conn)
    found: list[Benchmark] = []
    for slave in ripe:
        if len(found) >= room or slave not in machines:
            continue
        work = _work(machines[slave], waiting, strangers=strangers)
        watch.note(slave, work, at)
        if work <= watch.stuck(slave, at):
            found += _due(conn, slave, at, strangers=strangers)
    return found


def _due(conn: Connection, slave: int, at: int, *, strangers: bool) -> list[Benchmark]:
    try:
        whom = benchmarks.subject(conn, slave)
    except DistrenError:  # it is being measured, or there is no scene for it
        return []
    for scene in whom.scenes:
        cause = _cause(conn, whom, scene, at, strangers=strangers)
        if cause is not None:
            return [Benchmark(whom, scene, benchmarks.drawn(conn, whom, scene, strangers=strangers), cause)]
    return []


def _cause(conn: Connection, whom: Subject, scene: str, at: int, *, strangers: bool) -> Cause | None:
    c = ratings.c
    query = select(c.at, c.power, c.machine, c.cause).where(c.slave == whom.id, c.method == scene, c.over.is_(True))
    rows = conn.execute(query.order_by(c.at.desc(), c.job.desc()).limit(10))
    past = [Past(row.at, row.power, row.machine, Cause(row.cause)) for row in rows]
    ratio = None
    if past and past[0].power is not None:
        ratio = due.drift(comparing.sides(conn, whom.id, scene, past[0].at, past[0].power, strangers=strangers))
    return due.due(past, whom.fingerprint(scene), ratio, at)


def _waiting(conn: Connection) -> list[JobRow]:
    return [job for job in jobrow.stored(conn) if job.ready and job.rush != LAST]


def _work(slave: Machine, waiting: Sequence[JobRow], *, strangers: bool) -> set[int]:
    """Return the jobs with frames that wait, which a slave could and may render."""
    mine = (job for job in waiting if job.admits(slave, strangers=strangers))
    return {job.number for job in mine if not fits(job.requires, list(slave.offers))}


def hindering(conn: Connection, watch: Watch, at: int, *, strangers: bool) -> list[int]:
    """Return the jobs of benchmarks that nobody asked for, and that have to give way.

    So do those whose slaves could render something else now, or do, or are not there; and those that take too long.
    """
    opened = conn.execute(_OPEN).all()
    if not opened:
        return []
    machines, waiting = {one.id: one for one in crowd.live(conn)}, _waiting(conn)
    found = []
    for row in opened:
        slave = machines.get(row.slave)
        work = _work(slave, waiting, strangers=strangers) if slave is not None else set[int]()
        if slave is None or at - row.at > PATIENCE or work - watch.stuck(row.slave, at) or _renders(conn, row):
            found.append(row.job)
    return found


def _renders(conn: Connection, row: Any) -> bool:
    """Tell whether a slave that is measured renders something else."""
    c = attempts.c
    other = exists().where(c.slave == row.slave, c.state == AttemptState.OPEN.value, c.job != row.job)
    return bool(conn.execute(select(other)).scalar())


def withdraw(conn: Connection, job: int, at: int) -> None:
    """Take back a benchmark that nobody asked for, as if it had never begun; it is due again when the slave idles."""
    row = jobrow.fresh(conn, job)
    if row.state in JOB_ENDED:  # it was done a moment ago, and will be rated
        return
    conn.execute(delete(ratings).where(ratings.c.job == job))
    bulk.delete(conn, job, at)


def learn(conn: Connection, at: int, *, strangers: bool) -> list[tuple[int, str, int]]:
    """Return what slaves without a rating seem to be worth by their frames: who, with which method, and how much.

    So they earn what others do for the same frames until they are measured; but no more than by the reference's power.
    """
    rating = exists().where(ratings.c.slave == slaves.c.id, ratings.c.power.is_not(None))
    live = slaves.c.state.in_([state.value for state in crowd.LIVE])
    lately = live, slaves.c.judged > at - FRESH, slaves.c.benchmark, ~rating
    found = []
    query = (
        select(slaves.c.id, slaves.c.powers, slaves.c.offers).where(*lately).order_by(slaves.c.judged).limit(AT_ONCE)
    )
    for row in conn.execute(query).all():
        known = earnings.powers(row.powers)
        for key in benchmarks.keys(crowd.offers(row.offers, "", "")):
            ratio = due.drift(comparing.unrated(conn, row.id, key, strangers=strangers))
            if ratio is not None and due.estimated(ratio) != known.get(key):
                found.append((row.id, key, due.estimated(ratio)))
    return found
