"""Results that count no more, since their frames are rendered again."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.engine import Connection

from farm.database.schema import attempts, frames, result_files
from farm.scheduler.frames import AGAIN
from farm.words.states import AttemptState

AFRESH = {
    "lease": None,
    "result_attempt": None,
    "seconds": None,
    "message": "",
    "rank": frames.c.rank - frames.c.rank % (AGAIN + 1),
}
"""What a frame forgets that is rendered again."""


def take_back(
    conn: Connection, job: int, numbers: list[int], at: int, become: AttemptState = AttemptState.LATE
) -> None:
    """Take back results that counted, and keep other old attempts from counting instead.

    Args:
        conn: the writer's.
        job: the job's number.
        numbers: whose results.
        at: now, µs.
        become: what the attempts are from now on that had won.
    """
    its = (result_files.c.job == job, result_files.c.frame.in_(numbers))
    conn.execute(update(result_files).where(*its).values(accepted=False))
    these = (attempts.c.job == job, attempts.c.frame.in_(numbers))
    welcome = [AttemptState.OPEN.value, AttemptState.LOST.value, AttemptState.RETURNED.value]
    conn.execute(
        update(attempts).where(*these, attempts.c.state.in_(welcome)).values(state=AttemptState.REVOKED.value, ended=at)
    )
    conn.execute(update(attempts).where(*these, attempts.c.state == AttemptState.WON.value).values(state=become.value))
