"""Jobs, as people see them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from farm.accounts.formula import REFERENCE, worth
from farm.database.schema import jobs, tallies, users
from farm.jobs import files
from farm.jobs.access import Asker, seen
from farm.jobs.pace import WINDOW, done_lately, pace
from farm.methods.sets import JobSets
from farm.protocol.depends import Dependency
from farm.protocol.jobs import Counts, JobPage, JobView, Requirement
from farm.scheduler import waiting
from farm.words.clock import moment
from farm.words.errors import Malformed
from farm.words.names import Address
from farm.words.states import JOB_ACTIVE, FrameOrder, JobState, PauseReason

MOST = 200
"""Jobs on one page."""

_COUNTED = ("blocked", "ready", "leased", "done", "failed", "canceled")
_SUMMED = (*_COUNTED, "rendered", "seconds", "work")
_EXPLAINED = JOB_ACTIVE | {JobState.PAUSED}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs are wanted; empty: all. `states` are words with commas between; `after` continues a list."""

    states: str = ""
    owner: str = ""
    project: str = ""
    search: str = ""
    after: int | None = None
    limit: int = 50


def job_view(
    conn: Connection, asker: Asker, job: int, server: str, at: int, look: waiting.Look | None = None
) -> JobView:
    """Return a job.

    Args:
        conn: any connection.
        asker: who asks.
        job: its number.
        server: this server's name.
        at: now, µs.
        look: at the farm, if somebody has had one on this connection; it is what costs.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    return _views(conn, [seen(conn, asker, job)], server, at, look)[0]


def job_page(
    conn: Connection, asker: Asker, wanted: Filter, server: str, at: int, look: waiting.Look | None = None
) -> JobPage:
    """Return jobs, newest first; the arguments are those of :func:`job_view`.

    Raises:
        Malformed: a state that does not exist.
    """
    limit = max(1, min(wanted.limit, MOST))
    query = _filtered(asker, wanted).order_by(jobs.c.number.desc()).limit(limit + 1)
    rows = conn.execute(query).all()
    more = len(rows) > limit
    return JobPage(jobs=_views(conn, rows[:limit], server, at, look), next=rows[limit - 1].number if more else None)


def _filtered(asker: Asker, wanted: Filter) -> Select[Any]:
    query = select(jobs).where(jobs.c.state != JobState.DELETED)
    if not asker.sees_all:
        query = query.where(jobs.c.owner == asker.user)
    if wanted.states:
        query = query.where(jobs.c.state.in_(_states(wanted.states)))
    if wanted.owner:
        query = query.where(jobs.c.owner.in_(select(users.c.id).where(users.c.name == wanted.owner)))
    if wanted.project:
        query = query.where(jobs.c.project == wanted.project)
    if wanted.search:
        found = (column.icontains(wanted.search, autoescape=True) for column in (jobs.c.name, jobs.c.comment))
        query = query.where(or_(*found))
    return query if wanted.after is None else query.where(jobs.c.number < wanted.after)


def _states(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = set(names) - set(JobState)
    if unknown:
        raise Malformed(f"state: there is no state “{min(unknown)[:40]}”.", hint=f"There are: {', '.join(JobState)}.")
    return names


def _views(
    conn: Connection, rows: Sequence[Row[Any]], server: str, at: int, look: waiting.Look | None
) -> list[JobView]:
    numbers = [row.number for row in rows]
    summed = _tallies(conn, numbers)
    lately = done_lately(conn, [row.number for row in rows if row.started], at)
    owners = _names(conn, {row.owner for row in rows})
    seeing = look or waiting.Look(conn, at, server)

    def known(row: Row[Any]) -> _Known:
        counts = _counts(summed[row.number])
        why = seeing.of(row, counts) if JobState(row.state) in _EXPLAINED else []
        return _Known(summed[row.number], counts, lately.get(row.number, 0), owners[row.owner], why)

    return [_view(conn, row, known(row), server, at) for row in rows]


@dataclass(frozen=True, slots=True)
class _Known:
    """What other tables know of a job: sums, frames by state and done lately, its owner's name, why it waits."""

    summed: dict[str, int]
    counts: Counts
    recent: int
    owner: str
    waiting: list[str]


def _tallies(conn: Connection, numbers: list[int]) -> dict[int, dict[str, int]]:
    found = {number: dict.fromkeys(_SUMMED, 0) for number in numbers}
    sums = [func.sum(tallies.c[name]).label(name) for name in _SUMMED]
    query = select(tallies.c.job, *sums).where(tallies.c.job.in_(numbers)).group_by(tallies.c.job)
    for row in conn.execute(query).mappings():
        found[row["job"]] = {name: int(row[name]) for name in _SUMMED}
    return found


def _worth(summed: dict[str, int]) -> int | None:
    """Return what a frame of a job is worth, in thousandths of points; None: none has been rendered."""
    return worth(round(summed["work"] / summed["rendered"]), REFERENCE) if summed["rendered"] else None


def _counts(summed: dict[str, int]) -> Counts:
    return Counts(**{name: max(0, summed[name]) for name in _COUNTED})


def _names(conn: Connection, ids: set[int]) -> dict[int, str]:
    rows = conn.execute(select(users.c.id, users.c.name).where(users.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _view(conn: Connection, row: Row[Any], known: _Known, server: str, at: int) -> JobView:
    summed = known.summed
    counts = known.counts
    window = min(WINDOW, at - row.started) if row.started else WINDOW
    speed = pace(counts, summed["rendered"], summed["seconds"], known.recent, window)
    state = JobState(row.state)
    receiving = state is JobState.RECEIVING
    return JobView(
        job=row.number,
        address=str(Address(server, row.number)),
        name=row.name,
        owner=known.owner,
        state=state,
        pause_reason=PauseReason(row.pause_reason) if row.pause_reason else None,
        waiting=known.waiting,
        message=row.message,
        requires=Requirement.model_validate_json(row.requires),
        pinned=row.pinned,
        settings=json.loads(row.settings),
        sets=list(JobSets.stored(row.frames, row.sets).views()) if row.sets else [],
        source=row.source,
        priority=row.priority,
        project=row.project,
        comment=row.comment,
        max_slaves=row.max_slaves,
        slaves=json.loads(row.slaves),
        not_slaves=json.loads(row.not_slaves),
        approval=row.approval,
        order=FrameOrder.IN_ORDER if row.in_order else FrameOrder.ANY,
        depends=[Dependency.model_validate(one) for one in json.loads(row.depends or "[]")],
        counts=counts,
        frames=row.frames,
        created=moment(row.created),
        queued=moment(row.queued),
        started=moment(row.started),
        ended=moment(row.ended),
        version=row.version,
        updates=row.updates,
        seconds_per_frame=speed.per_frame,
        frames_per_second=speed.per_second if state in JOB_ACTIVE else 0.0,
        eta_seconds=speed.left if state in JOB_ACTIVE else None,
        missing_bytes=sum(files.missing(conn, row.number, row.owner).values()) if receiving else 0,
        total_bytes=row.bytes,
        let_go=moment(row.let_go),
        boost=row.boost,
        frame_milli=_worth(summed),
        rush=row.rush,
    )
