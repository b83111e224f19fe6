"""What people do to jobs: pause, resume, approve, cancel, retry, delete."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, select

from farm.database.handle import Database
from farm.database.schema import jobs
from farm.jobs.access import Asker, changing
from farm.protocol.jobs import JobCommand
from farm.scheduler import bulk, jobstate, rules
from farm.words.clock import now
from farm.words.errors import NotFound
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED, PauseReason

_Act = Callable[[Connection, int, JobCommand, int], None]


def _pause(conn: Connection, job: int, _order: JobCommand, at: int) -> None:
    jobstate.pause(conn, job, PauseReason.USER, at)


def _resume(conn: Connection, job: int, _order: JobCommand, at: int) -> None:
    jobstate.resume(conn, job, at)


def _approve(conn: Connection, job: int, _order: JobCommand, at: int) -> None:
    jobstate.approve(conn, job, at)


def _cancel(conn: Connection, job: int, order: JobCommand, at: int) -> None:
    bulk.cancel(conn, job, at, waiting=order.dependents == "wait")


def _retry(conn: Connection, job: int, order: JobCommand, at: int) -> None:
    frames = None if order.frames is None else FrameRange.parse(order.frames)
    bulk.retry(conn, job, frames, at)


VERBS: dict[str, _Act] = {
    "pause": _pause,
    "resume": _resume,
    "approve": _approve,
    "cancel": _cancel,
    "retry": _retry,
}
"""What can be said to a job."""


def command(conn: Connection, asker: Asker, job: int, verb: str, order: JobCommand, at: int) -> None:
    """Do to a job what a person said.

    Raises:
        JobNotFound: it is none of their business.
        NeedsConfirmation: it is another user's, and nobody asked the person yet.
        WrongState: its state does not admit this.
    """
    act = VERBS.get(verb)
    if act is None:
        raise NotFound(f"Nobody can {verb[:30]} a job.", hint=f"Say one of {', '.join(VERBS)}.")
    detail = order.frames or ""
    changing(conn, asker, job, verb, confirmed=order.confirmed, at=at, detail=detail)
    for other in _with(conn, job, verb, order):
        changing(conn, asker, other, verb, confirmed=order.confirmed, at=at, detail=f"with job {job}")
        act(conn, other, order, at)
    act(conn, job, order, at)


def _with(conn: Connection, job: int, verb: str, order: JobCommand) -> list[int]:
    """Return the jobs that are to be canceled with one: those that wait for it, and for these, and are not over."""
    if verb != "cancel" or order.dependents != "cancel":
        return []
    found, ahead = {job}, [job]
    while ahead:
        more = set(rules.users(conn, ahead.pop())) - found
        found |= more
        ahead += more
    query = select(jobs.c.number).where(jobs.c.number.in_(found - {job}))
    return sorted(conn.execute(query.where(jobs.c.state.not_in([s.value for s in JOB_ENDED]))).scalars())


async def carried_out(database: Database, act: Callable[[Connection], None], job: int) -> None:
    """Run a command on a job, with all its pieces; what an earlier one left comes first.

    Args:
        database: where the job is.
        act: the command.
        job: the job's number.
    """
    await finished(database, job)
    await database.write(act)
    await finished(database, job)


async def finished(database: Database, job: int) -> None:
    """Do all that is left of a job's change."""
    more = await database.read(partial(bulk.unfinished, job=job))
    while more:
        more = await database.write(partial(bulk.go_on, job=job, at=now()))


def delete(conn: Connection, asker: Asker, job: int, at: int, *, confirmed: bool) -> None:
    """Delete a job: its number is never used again, its files go when their grace is over.

    Raises:
        JobNotFound, NeedsConfirmation, WrongState: as for :func:`command`.
    """
    changing(conn, asker, job, "delete", confirmed=confirmed, at=at)
    bulk.delete(conn, job, at)
