"""Where the time of frames went: what slaves told of their steps, between what the server's own clock saw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from farm.database.schema import attempts, frames, slaves
from farm.jobs.access import Asker, seen
from farm.jobs.frameviews import frame_row
from farm.protocol.timing import FrameTiming, JobTiming, StepSpan, StepTotal
from farm.words.clock import moment, seconds
from farm.words.names import Address
from farm.words.states import AttemptState
from farm.words.steps import Span, Step, read

MOST = 5000
"""Results of a job that are looked at, the newest ones."""

_COLUMNS = (
    attempts.c.id,
    attempts.c.issued,
    attempts.c.ended,
    attempts.c.fetched,
    attempts.c.trace,
    attempts.c.state,
)
_WON = (attempts.c.state == AttemptState.WON.value, frames.c.result_attempt == attempts.c.id)


def frame_timing(conn: Connection, asker: Asker, job: int, number: int, server: str) -> FrameTiming:
    """Return where a frame's time went.

    Raises:
        JobNotFound, FrameNotFound: there is none, or it is none of the asker's business.
    """
    found, frame = seen(conn, asker, job), frame_row(conn, job, number)
    query: Select[Any] = select(*_COLUMNS, slaves.c.name).join(slaves, slaves.c.id == attempts.c.slave)
    query = query.where(attempts.c.job == job, attempts.c.frame == number).order_by(attempts.c.id)
    tries = conn.execute(query).all()
    chosen = next((one for one in tries if one.id == frame.result_attempt), tries[-1] if tries else None)
    spans = list(_of_job(found, tries[0].issued if tries else None))
    if chosen is not None:
        before = [one.ended for one in tries if one.id < chosen.id and one.ended is not None]
        spans += _of_attempt(chosen, max(before, default=found.queued))
    return FrameTiming(
        address=str(Address(server, job, number)),
        began=moment(found.created),
        attempt=chosen.id if chosen else None,
        slave=chosen.name if chosen else None,
        spans=[_shown(span, found.created) for span in spans],
    )


def job_timing(conn: Connection, asker: Asker, job: int, server: str) -> JobTiming:
    """Return where the time of a job's frames went.

    Raises:
        JobNotFound: there is none, or it is none of the asker's business.
    """
    found = seen(conn, asker, job)
    rows = conn.execute(_won(job).order_by(attempts.c.id.desc()).limit(MOST)).all()
    first = conn.execute(select(func.min(attempts.c.issued)).where(attempts.c.job == job)).scalar()
    ends = [row.ended for row in rows]
    homes = [row.fetched for row in rows if row.fetched is not None]
    moments = {
        "queued": _first_queued(found, first),
        "first_lease": first,
        "first_result": min(ends, default=None),
        "last_result": max(ends, default=None),
        "home": max(homes, default=None),
    }
    return JobTiming(
        address=str(Address(server, job)),
        began=moment(found.created),
        frames=len(rows),
        steps=_totals((*_of_job(found, first), *(span for row in rows for span in _of_attempt(row, found.queued)))),
        **{name: None if at is None else seconds(at - found.created) for name, at in moments.items()},
    )


def _totals(spans: Iterable[Span]) -> list[StepTotal]:
    lengths: dict[Step, list[float]] = {step: [] for step in Step}
    for span in spans:
        lengths[span.step].append(seconds(span.length))
    return [
        StepTotal(step=step, frames=len(some), median=median(some), total=sum(some))
        for step, some in lengths.items()
        if some
    ]


def _won(job: int) -> Select[Any]:
    query = select(*_COLUMNS).join(frames, (frames.c.job == attempts.c.job) & (frames.c.number == attempts.c.frame))
    return query.where(attempts.c.job == job, *_WON)


def _first_queued(job: Row[Any], leased: int | None) -> int | None:
    """Return when all files of a job were here; a retry queues it anew, which is not what is asked."""
    queued: int | None = job.queued
    return queued if leased is None or queued is None else min(queued, leased)


def _of_job(job: Row[Any], leased: int | None) -> Iterator[Span]:
    queued = _first_queued(job, leased)
    if queued is not None:
        yield _between(Step.SUBMIT, job.created, queued)


def _of_attempt(row: Row[Any], since: int | None) -> Iterator[Span]:
    """Yield an attempt's spans by the server's clock, µs.

    A slave's word can't move anything out of the time that it had the frame.
    """
    if since is not None and since <= row.issued:
        yield _between(Step.QUEUE, since, row.issued)
    end = row.issued
    for told in read(row.trace or ""):
        last = row.ended if row.ended is not None else told.end + row.issued
        at = min(row.issued + told.at, last)
        span = _between(told.step, at, min(row.issued + told.end, last))
        end = max(end, span.end)
        yield span
    if row.state == AttemptState.WON and row.ended is not None:
        yield _between(Step.REPORT, end, row.ended)
        if row.fetched is not None:
            yield _between(Step.HOME, row.ended, row.fetched)


def _between(step: Step, began: int, ended: int) -> Span:
    return Span(step, began, max(0, ended - began))


def _shown(span: Span, zero: int) -> StepSpan:
    return StepSpan(step=span.step, at=seconds(span.at - zero), seconds=seconds(span.length))
