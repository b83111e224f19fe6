"""What is done to all frames of a job: cancel, retry, delete, a piece at a time.

The first piece belongs to the command, so small jobs are done with it. What is left then
stands in the job's row (`unfinished`), written in the transaction of the piece before: a
crash loses nothing, since the sweep goes on with it. Nobody else's command waits for more
than one piece. Meanwhile a canceled job is `canceled`, though some of its frames are
not yet; a retried one stays what it was until its last frame is back, and starts then.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import (
    attempts,
    dependencies,
    frames,
    job_versions,
    jobs,
    paces,
    result_files,
    tallies,
)
from farm.database.schema import (
    ripples as ripple_rows,
)
from farm.scheduler import jobrow, letgo, ripples, rules, tally, unblock
from farm.scheduler.frames import change_states, within
from farm.scheduler.jobrow import JobRow, job_row
from farm.scheduler.settle import set_state, settle
from farm.scheduler.takeback import AFRESH, take_back
from farm.words.errors import FrameNotFound, WrongState
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ACTIVE, JOB_ENDED, AttemptState, FrameState, JobState, PauseReason

PIECE = 1000
"""Frames that one command changes: 10 to 20 ms of a database's time."""

PURGED = 1000
"""Frames whose rows one command removes, with those of their attempts and files."""

_LEFT = "bulk"
"""On the writer's shelf: there may be pieces left."""

_AGAIN = ("retry", "update")

_WAITING = (FrameState.BLOCKED, FrameState.READY, FrameState.LEASED)
_ENDED = (FrameState.FAILED, FrameState.CANCELED)


@dataclass(frozen=True, slots=True)
class Bulk:
    """What is left to do.

    Args:
        verb: cancel, retry, update (a retry that keeps the results so far as a former version) or delete.
        frames: which are retried; empty: all that failed or were canceled.
        after: frames up to this number are done with.
        waiting: frames of other jobs go on waiting for those that are canceled; else they fail.
    """

    verb: str
    frames: str = ""
    after: int = -1
    waiting: bool = False


def cancel(conn: Connection, job: int, at: int, *, waiting: bool = False) -> None:
    """End a job now: its open attempts are revoked, their results refused.

    Args:
        conn: the writer's.
        job: its number.
        at: now, µs.
        waiting: frames of other jobs that wait for its frames go on waiting, for somebody may retry it; else they fail.

    Raises:
        WrongState: it has ended, or is being retried.
    """
    row = jobrow.fresh(conn, job)
    left = _left_of(conn, job)
    if row.state is JobState.CANCELED and (left is None or left.verb not in _AGAIN):
        return
    _must_be_free(row, left)
    set_state(conn, row, JobState.CANCELED, at, ended=at)
    _do_piece(conn, job, Bulk("cancel", waiting=waiting), at)


def retry(conn: Connection, job: int, numbers: FrameRange | None, at: int) -> None:
    """Render frames again: failed and canceled ones, and done ones that are named.

    Args:
        conn: the writer's.
        job: its number.
        numbers: which; None: all that failed or were canceled.
        at: now, µs.

    Raises:
        WrongState: there is nothing to retry, it is being changed, or its files were let go.
        FrameNotFound: none of the named frames can be rendered again.
    """
    row = jobrow.fresh(conn, job)
    if row.state is JobState.RECEIVING:
        raise WrongState(f"Job {job} is still receiving its files.")
    _must_be_free(row, _left_of(conn, job))
    letgo.must_have_files(conn, job)
    ended = (*_ENDED, FrameState.DONE) if numbers is not None else _ENDED
    if not _any(conn, job, ended, numbers):
        if numbers is not None:
            raise FrameNotFound(f"Job {job} has no ended frame among {numbers}.", job=job)
        raise WrongState(f"Job {job} has no failed or canceled frames.", hint="Name frames to render them again.")
    conn.execute(update(paces).where(paces.c.job == job).values(failures=0))
    _do_piece(conn, job, Bulk("retry", "" if numbers is None else str(numbers)), at)


def renew(conn: Connection, job: int, numbers: FrameRange, at: int) -> None:
    """Render ended frames with the files that their job has now; results so far are kept as a former version.

    Raises:
        WrongState: the job has not ended, is being changed, or its former files were let go.
    """
    row = jobrow.fresh(conn, job)
    if row.state not in JOB_ENDED:
        hint = "Wait for its end, or cancel it first."
        raise WrongState(f"Job {job} is {row.state}: it can't get other files now.", hint=hint)
    _must_be_free(row, _left_of(conn, job))
    letgo.must_have_files(conn, job)
    conn.execute(update(paces).where(paces.c.job == job).values(failures=0))
    _do_piece(conn, job, Bulk("update", str(numbers)), at)


def delete(conn: Connection, job: int, at: int) -> None:
    """Turn a job into a tombstone: its number is never used again, the rest goes.

    A job that runs is canceled first. The rows of a large one are removed by the sweep.

    Raises:
        WrongState: it is being changed.
    """
    row = jobrow.fresh(conn, job)
    _must_be_free(row, _left_of(conn, job))
    if row.state not in JOB_ACTIVE | {JobState.PAUSED}:
        _bury(conn, row, at)
        return
    set_state(conn, row, JobState.CANCELED, at, ended=at)
    _do_piece(conn, job, Bulk("delete"), at)


def unfinished(conn: Connection, job: int) -> bool:
    """Tell whether a job is being changed, or anything that follows from a change."""
    return _left_of(conn, job) is not None or ripples.pending(conn)


def go_on(conn: Connection, job: int, at: int) -> bool:
    """Do the next piece of what is left of a job's change; tell whether there is more."""
    left = _left_of(conn, job)
    if left is None:
        return ripples.work(conn, at)
    memory(conn).flush(conn)
    return _do_piece(conn, job, left, at)


def work(conn: Connection, at: int) -> bool:
    """Do a piece of whatever is left anywhere, also from before a crash; tell whether there may be more."""
    shelf = memory(conn).shelf
    if shelf.get(_LEFT, True):
        job = conn.execute(select(jobs.c.number).where(jobs.c.unfinished.is_not(None)).limit(1)).scalar()
        if job is None:
            shelf[_LEFT] = _purge_some(conn)
        else:
            go_on(conn, job, at)
            return True
    return ripples.work(conn, at) or bool(shelf[_LEFT])


def _left_of(conn: Connection, job: int) -> Bulk | None:
    text = conn.execute(select(jobs.c.unfinished).where(jobs.c.number == job)).scalar()
    return Bulk(**json.loads(text)) if text else None


def _must_be_free(row: JobRow, left: Bulk | None) -> None:
    if left is not None:
        doing = {"cancel": "canceled", "delete": "deleted"}.get(left.verb, "made ready again")
        raise WrongState(f"Job {row.number}: its frames are being {doing}.", hint="Try again in a moment.")


def _do_piece(conn: Connection, job: int, bulk: Bulk, at: int) -> bool:
    doing = {"cancel": _cancel_piece, "delete": _delete_piece}.get(bulk.verb, _retry_piece)
    rest = doing(conn, job, bulk, at)
    text = None if rest is None else json.dumps(asdict(rest))
    conn.execute(update(jobs).where(jobs.c.number == job).values(unfinished=text))
    memory(conn).shelf[_LEFT] = True
    return ripples.work(conn, at) if rest is None else True


def _cancel_piece(conn: Connection, job: int, bulk: Bulk, at: int) -> Bulk | None:
    """Cancel what renders first, since machines work for it; then all others in their order."""
    if _cancel_leased(conn, job, at):
        return bulk
    upto = _end_of_piece(conn, job, bulk.after, PIECE)
    here = _between(bulk.after, upto)
    _revoke(conn, job, here, at)
    change_states(conn, job, _WAITING, FrameState.CANCELED, here, lease=None)
    if not bulk.waiting and rules.needed(conn, job):
        ripples.failed(conn, job, _in_states(conn, job, (FrameState.CANCELED,), here), _canceled(job), at)
    return None if upto is None else replace(bulk, after=upto)


def _canceled(job: int) -> str:
    return f"It needs frames of job {job}, which was canceled."


def _delete_piece(conn: Connection, job: int, bulk: Bulk, at: int) -> Bulk | None:
    if _cancel_leased(conn, job, at):
        return bulk
    _bury(conn, job_row(conn, job), at)
    return None


def _cancel_leased(conn: Connection, job: int, at: int) -> bool:
    """Cancel leased frames; tell whether there may be more."""
    leased = select(frames.c.number).where(frames.c.job == job, frames.c.state == FrameState.LEASED.value)
    numbers = list(conn.execute(leased.limit(PIECE)).scalars())
    if numbers:
        these = frames.c.number.in_(numbers)
        _revoke(conn, job, these, at)
        change_states(conn, job, (FrameState.LEASED,), FrameState.CANCELED, these, lease=None)
    return len(numbers) == PIECE


def _revoke(conn: Connection, job: int, these: ColumnElement[bool], at: int) -> None:
    leased = select(frames.c.number).where(frames.c.job == job, frames.c.state == FrameState.LEASED.value, these)
    opened = (attempts.c.job == job, attempts.c.frame.in_(leased), attempts.c.state == AttemptState.OPEN.value)
    conn.execute(update(attempts).where(*opened).values(state=AttemptState.REVOKED.value, ended=at))


def _retry_piece(conn: Connection, job: int, bulk: Bulk, at: int) -> Bulk | None:
    upto = _end_of_piece(conn, job, bulk.after, PIECE)
    here = _between(bulk.after, upto)
    if bulk.frames:
        named = _range(bulk.frames).between(bulk.after + 1, upto)
        for part in within(frames.c.number, named) if named else ():
            if bulk.verb == "update":
                _refuse_coming(conn, job, and_(here, part), at)
            _revive(conn, job, and_(here, part))
            _revive_done(conn, job, and_(here, part), at, former=bulk.verb == "update")
    else:
        _revive(conn, job, here)
    if upto is not None:
        return replace(bulk, after=upto)
    _requeue(conn, jobrow.fresh(conn, job), at)
    return None


def _refuse_coming(conn: Connection, job: int, these: ColumnElement[bool], at: int) -> None:
    """Refuse results of slaves that fell silent: they would be of the former files."""
    ended = frames.c.state.in_([state.value for state in _ENDED])
    its = attempts.c.frame.in_(select(frames.c.number).where(frames.c.job == job, ended, these))
    coming = attempts.c.state.in_([AttemptState.LOST.value, AttemptState.RETURNED.value])
    conn.execute(
        update(attempts)
        .where(attempts.c.job == job, its, coming)
        .values(state=AttemptState.REVOKED.value, ended=func.coalesce(attempts.c.ended, at))
    )


@lru_cache(maxsize=16)
def _range(text: str) -> FrameRange:
    return FrameRange.parse(text)


def _revive(conn: Connection, job: int, these: ColumnElement[bool]) -> None:
    _afresh(conn, job, _ENDED, _in_states(conn, job, _ENDED, these))


def _revive_done(conn: Connection, job: int, these: ColumnElement[bool], at: int, *, former: bool) -> None:
    which = _in_states(conn, job, (FrameState.DONE,), these)
    for some in unblock.lists(which):
        take_back(conn, job, some, at, AttemptState.FORMER if former else AttemptState.LATE)
    _afresh(conn, job, (FrameState.DONE,), which)


def _afresh(conn: Connection, job: int, old: tuple[FrameState, ...], numbers: list[int]) -> None:
    """Make frames ready, or blocked if they wait for others; it is looked at when all are back."""
    wait, free = rules.book(conn, job).apart(numbers)
    for new, which in ((FrameState.BLOCKED, wait), (FrameState.READY, free)):
        for some in unblock.lists(which):
            change_states(conn, job, old, new, frames.c.number.in_(some), **AFRESH)
    ripples.later(conn, job, numbers)


def _in_states(conn: Connection, job: int, states: tuple[FrameState, ...], these: ColumnElement[bool]) -> list[int]:
    query = select(frames.c.number).where(frames.c.job == job, frames.c.state.in_([s.value for s in states]), these)
    return sorted(conn.execute(query).scalars())


def _requeue(conn: Connection, row: JobRow, at: int) -> None:
    """Let revived frames be leased; what a person paused stays paused.

    `queued` is set anew: failures before it don't count any more.
    """
    if row.state in {JobState.DONE, JobState.FAILED, JobState.CANCELED} or row.pause_reason == PauseReason.FAULT:
        set_state(conn, row, JobState.QUEUED, at, queued=at, ended=None, message="")
    else:
        conn.execute(update(jobs).where(jobs.c.number == row.number).values(queued=at, changed=at))
        jobrow.forget(conn, row.number)
        eventlog.note(conn, "job", at=at, job=row.number, data={"retried": True})
    settle(conn, row.number, at)


def _bury(conn: Connection, row: JobRow, at: int) -> None:
    set_state(conn, row, JobState.DELETED, at, key=None, updates=None)
    _leave(conn, row.number, FrameRange.parse(row.frames), at)
    purge(conn, row.number)
    memory(conn).shelf[_LEFT] = True


def _leave(conn: Connection, job: int, whole: FrameRange, at: int) -> None:
    """Let those fail that wait for a job that is no more; what it waited for itself does not matter any more."""
    conn.execute(sql_delete(ripple_rows).where(ripple_rows.c.job == job))
    if rules.needed(conn, job):
        unblock.gone(conn, job)
        ripples.lost(conn, job, whole, f"It needs frames of job {job}, which was deleted.", at)


def purge(conn: Connection, job: int) -> bool:
    """Remove rows of a deleted job, a piece at a time; tell whether all are gone."""
    upto = _end_of_piece(conn, job, -1, PURGED)
    more = letgo.drop_files(conn, job)
    for table, column in (
        (attempts, attempts.c.frame),  # first, so that files of a result that another process takes in are seen then
        (result_files, result_files.c.frame),
        (frames, frames.c.number),
    ):
        its = table.c.job == job
        conn.execute(sql_delete(table).where(its if upto is None else and_(its, column <= upto)))
    if upto is not None or more:
        return False
    conn.execute(sql_delete(paces).where(paces.c.job == job))
    conn.execute(sql_delete(job_versions).where(job_versions.c.job == job))
    conn.execute(sql_delete(dependencies).where(dependencies.c.job == job))
    tally.forget(conn, job)
    return True


def _purge_some(conn: Connection) -> bool:
    """Remove some rows of deleted jobs; tell whether there are more. A job's counts go last."""
    deleted = select(jobs.c.number).join(tallies, tallies.c.job == jobs.c.number)
    deleted = deleted.where(jobs.c.state == JobState.DELETED.value).distinct()
    found = sorted(conn.execute(deleted).scalars())
    return bool(found) and (not purge(conn, found[0]) or len(found) > 1)


def _end_of_piece(conn: Connection, job: int, after: int, size: int) -> int | None:
    """Return the last number of a piece of a job's frames; None: it is the last piece."""
    further = select(frames.c.number).where(frames.c.job == job, frames.c.number > after)
    found: int | None = conn.execute(further.order_by(frames.c.number).limit(1).offset(size - 1)).scalar()
    return found


def _between(after: int, upto: int | None) -> ColumnElement[bool]:
    later = frames.c.number > after
    return later if upto is None else and_(later, frames.c.number <= upto)


def _any(conn: Connection, job: int, states: tuple[FrameState, ...], numbers: FrameRange | None) -> bool:
    """Tell whether a job has frames in any of the states, among the named ones."""
    query = select(frames.c.number).where(frames.c.job == job, frames.c.state.in_([s.value for s in states])).limit(1)
    parts = [None] if numbers is None else within(frames.c.number, numbers)
    return any(conn.execute(query if part is None else query.where(part)).first() for part in parts)
