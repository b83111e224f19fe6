"""A job as the scheduler sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, bindparam, exists, select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import dependencies, frames, jobs
from farm.protocol.jobs import Requirement
from farm.scheduler.fairness import Line, not_held
from farm.scheduler.fit import Admission, Machine, lends, pinned_to, trusted
from farm.scheduler.pools import serves
from farm.words.errors import JobNotFound
from farm.words.states import JOB_ACTIVE, FrameState, JobState

_COLUMNS = (
    jobs.c.number,
    jobs.c.owner,
    jobs.c.state,
    jobs.c.pause_reason,
    jobs.c.priority,
    jobs.c.revision,
    jobs.c.requires,
    jobs.c.pinned,
    jobs.c.slaves,
    jobs.c.not_slaves,
    jobs.c.max_slaves,
    jobs.c.in_order,
    jobs.c.approval,
    jobs.c.approved,
    jobs.c.queued,
    jobs.c.started,
    jobs.c.frames,
    jobs.c.boost,
    jobs.c.rush,
)
_NAMES = (*(column.key for column in _COLUMNS), "needed", "ready")
_NEEDED = exists().where(dependencies.c.on_job == jobs.c.number, dependencies.c.server == "")
_ONE = select(*_COLUMNS, _NEEDED.label("needed")).where(jobs.c.number == bindparam("of"))
_READY = exists().where(frames.c.job == jobs.c.number, frames.c.state == FrameState.READY.value)
_ACTIVE = select(*_COLUMNS, _NEEDED.label("needed"), _READY.label("ready")).where(jobs.c.state.in_(sorted(JOB_ACTIVE)))
_ACTIVE_OF = _ACTIVE.where(jobs.c.number.in_(bindparam("these", expanding=True)))
_ALL, _OLD, _WAITING, _GOING = "active", "active before", "waiting", "going"
"""What a transaction knows: the active jobs, the numbers of those that have changed since, and lines of them."""

_LINES = (_WAITING, _GOING)
_LOCK = select(jobs.c.number).where(jobs.c.number == bindparam("of")).with_for_update()


@dataclass(frozen=True, slots=True)
class JobRow:
    """What the rules need of a job.

    Args:
        requires: what a slave must have; just one version as soon as that is pinned.
        pinned: the version that all its frames are rendered with; empty before the first lease.
        needed: frames wait for its own, as far as is known.
        boost: how much sooner it is rendered for points.
        rush: an admin's word, or the farm's; see :class:`farm.scheduler.fairness.Waiting`.
        ready: it has ready frames, as far as is known.
    """

    number: int
    owner: int
    state: JobState
    pause_reason: str | None
    priority: int
    revision: int
    requires: Requirement
    pinned: str
    admission: Admission
    max_slaves: int | None
    in_order: bool
    approval: bool
    approved: bool
    queued: int
    started: int | None
    frames: str
    boost: int
    rush: int
    needed: bool
    ready: bool = True

    @property
    def probing(self) -> bool:
        """Only probes may be leased."""
        return self.approval and not self.approved

    def admits(self, slave: Machine, *, strangers: bool) -> bool:
        """Tell whether a slave may render it, whatever it can: see :func:`farm.scheduler.fit.trusted` of strangers."""
        named = self.admission.admits(slave.name) and serves(slave.pool, self.requires, self.owner)
        return named and lends(slave, self.owner) and trusted(slave, self.owner, strangers=strangers)


def job_row(conn: Connection, job: int) -> JobRow:
    """Return a job; it is read once per transaction.

    Raises:
        JobNotFound: there is none, or only its tombstone.
    """
    page = memory(conn).page
    found = page.get(("job", job))
    if found is None:
        row = conn.execute(_ONE, {"of": job}).first()
        if row is None or row.state == JobState.DELETED:
            raise JobNotFound(f"There is no job {job}.", job=job)
        found = page["job", job] = _row(tuple(row))
    assert isinstance(found, JobRow)
    return found


def fresh(conn: Connection, job: int) -> JobRow:
    """Read a job anew, with all that was put off before.

    Raises:
        JobNotFound: there is none, or only its tombstone.
    """
    memory(conn).flush(conn)
    forget(conn, job)
    return job_row(conn, job)


def active(conn: Connection) -> list[JobRow]:
    """Return the jobs whose frames may be leased; read once per transaction."""
    page = memory(conn).page
    known: list[JobRow] | None = page.get(_ALL)
    old: set[int] = page.pop(_OLD, set())
    if known is None or old:
        for view in _LINES:
            page.pop(view, None)
        known = page[_ALL] = stored(conn) if known is None else _renewed(conn, known, old)
        for job in known:
            page.setdefault(("job", job.number), job)
    return known


def waiting(conn: Connection) -> Line[JobRow]:
    """Return the jobs that have ready frames, and are not held back for others."""
    return _line(conn, _WAITING, lambda jobs: (job for job in not_held(jobs) if job.ready))


def going(conn: Connection) -> Line[JobRow]:
    """Return the active jobs that are not held back for others."""
    return _line(conn, _GOING, not_held)


def _line(conn: Connection, view: str, which: Callable[[list[JobRow]], Iterable[JobRow]]) -> Line[JobRow]:
    jobs, page = active(conn), memory(conn).page
    if view not in page:
        page[view] = Line(which(jobs))
    found: Line[JobRow] = page[view]
    return found


def stored(conn: Connection) -> list[JobRow]:
    """Return the same as it is in the database, for readers."""
    return [_row(tuple(row)) for row in conn.execute(_ACTIVE)]


def _renewed(conn: Connection, known: list[JobRow], old: set[int]) -> list[JobRow]:
    """Read some of the active jobs anew, and leave the others: there may be a thousand."""
    rows = conn.execute(_ACTIVE_OF, {"these": sorted(old)})
    return [*(job for job in known if job.number not in old), *(_row(tuple(row)) for row in rows)]


def lock(conn: Connection, job: int) -> None:
    """Keep other processes from ending the job at the same time; once per transaction."""
    page = memory(conn).page
    if ("locked", job) not in page:
        page["locked", job] = True
        if conn.dialect.name != "sqlite":  # which has one writer at a time anyway
            conn.execute(_LOCK, {"of": job})


def locked(conn: Connection, job: int) -> bool:
    """Tell whether this transaction has the lock."""
    return ("locked", job) in memory(conn).page


def forget(conn: Connection, job: int) -> None:
    """Read a job anew the next time: it was changed."""
    memory(conn).page.pop(("job", job), None)
    frames_came(conn, job)


def frames_came(conn: Connection, job: int) -> None:
    """Look anew for ready frames of a job."""
    page = memory(conn).page
    page.setdefault(_OLD, set()).add(job)
    dry(conn).discard(job)
    for known in [key for key in stock(conn) if key[0] == job]:
        del stock(conn)[known]


def forget_all(conn: Connection) -> None:
    """Read all jobs anew the next time."""
    for view in (_ALL, _OLD, *_LINES, "dry", "stock"):
        memory(conn).page.pop(view, None)


def dry(conn: Connection) -> set[int]:
    """Return the jobs in which this transaction found nothing ready."""
    found: set[int] = memory(conn).page.setdefault("dry", set())
    return found


def stock(conn: Connection) -> dict[tuple[int, int], list[Row[Any]]]:
    """Return ready frames that this transaction has read and not leased yet, by job and highest rank."""
    found: dict[tuple[int, int], list[Row[Any]]] = memory(conn).page.setdefault("stock", {})
    return found


@lru_cache(maxsize=4096)
def requirement(text: str, pinned: str = "") -> Requirement:
    """Return a job's requirement from its JSON, and from the version that it is pinned to."""
    return pinned_to(Requirement.model_validate_json(text), pinned)


@lru_cache(maxsize=4096)
def admission(slaves: str, not_slaves: str) -> Admission:
    """Return a job's admission from its JSON."""
    return Admission(frozenset(json.loads(slaves)), frozenset(json.loads(not_slaves)))


@lru_cache(maxsize=4096)
def _row(read: tuple[Any, ...]) -> JobRow:
    """Return a job as it was read: the columns, `needed`, and `ready` if that was asked. Most are as they were."""
    values = dict(zip(_NAMES, read, strict=False))
    values["requires"] = requirement(str(values["requires"]), str(values["pinned"]))
    values["admission"] = admission(str(values.pop("slaves")), str(values.pop("not_slaves")))
    values["state"] = JobState(str(values["state"]))
    values["queued"] = values["queued"] or 0
    return JobRow(**values)
