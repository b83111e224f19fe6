"""Attempts that a slave still has, though the server gave them up."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import attempts, frames
from farm.scheduler import held, jobrow, tally
from farm.scheduler.held import Held
from farm.scheduler.policy import Policy
from farm.words.states import AttemptState, FrameState

_GIVEN_UP = frozenset({AttemptState.LOST, AttemptState.RETURNED})


def reopen(
    conn: Connection, slave: int, given_up: Mapping[int, Held], rendering: set[int], at: int, policy: Policy
) -> tuple[dict[int, Held], set[int]]:
    """Go on with attempts whose frame nobody has taken since; find those to be stopped.

    A slave that was silent for a while goes on with what it renders: if another has the
    frame by now, the first good result wins. What it only holds, it drops.

    Returns:
        Those that are open again, by id, and those to stop.
    """
    back: dict[int, Held] = {}
    stop: set[int] = set()
    active = {job.number for job in jobrow.active(conn)} if given_up else set()
    for number, attempt in sorted(given_up.items()):
        parked = number not in rendering and attempt.job not in active
        if parked or attempt.slave != slave or attempt.state not in _GIVEN_UP:
            stop.add(number)
        elif attempt.frame_state is FrameState.READY and _retake(conn, attempt, at, policy):
            back[number] = attempt
        elif attempt.frame_state is not FrameState.LEASED or number not in rendering:
            stop.add(number)
    return back, stop


def _retake(conn: Connection, attempt: Held, at: int, policy: Policy) -> bool:
    place = (frames.c.job == attempt.job, frames.c.number == attempt.frame, frames.c.state == FrameState.READY.value)
    leased = {"state": FrameState.LEASED.value, "lease": attempt.lease}
    if not conn.execute(update(frames).where(*place).values(leased)).rowcount:
        return False
    again = {"state": AttemptState.OPEN.value, "ended": None, "deadline": at + policy.deadline_us}
    again |= {"failure_class": None, "message": ""}
    memory(conn).flush(conn)
    held.forget(conn)
    conn.execute(update(attempts).where(attempts.c.id == attempt.id).values(again))
    attempt.state, attempt.frame_state = AttemptState.OPEN, FrameState.LEASED
    tally.moved(conn, attempt.job, FrameState.READY, FrameState.LEASED)
    eventlog.note_frames(conn, attempt.job, FrameState.LEASED, [attempt.frame], at=at)
    jobrow.frames_came(conn, attempt.job)
    return True
