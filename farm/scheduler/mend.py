"""Put right what can only be wrong in one way: counts that are sums, numbers that would be given twice.

Nothing of this happens to a farm that runs; a disk, a restore by hand or a fault of ours may have done it.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import exists, select, update
from sqlalchemy.engine import Connection

from farm.accounts import ledger
from farm.accounts.formula import points
from farm.accounts.ledgeraudit import misstated
from farm.database.schema import attempts, frames, jobs, sequences
from farm.scheduler import audit, tally
from farm.scheduler.frames import change_states
from farm.scheduler.settle import settle
from farm.words.states import JOB_ACTIVE, AttemptState, FrameState


def mend(conn: Connection, at: int) -> list[str]:
    """Put it right; return what was done, one sentence each.

    Counts come first: what follows changes them together with the frames.

    Args:
        conn: the writer's, while no server works on the database.
        at: now, µs.
    """
    return [*_numbers(conn), *_accounts(conn), *_counts(conn), *_nobodys(conn), *_ends(conn, at)]


def _numbers(conn: Connection) -> Iterator[str]:
    for name, after, highest in list(audit.overtaken(conn)):
        conn.execute(update(sequences).where(sequences.c.name == name).values(next=highest + 1))
        yield f"The next {name} will be {highest + 1}, not {after}: {highest} is in use."


def _nobodys(conn: Connection) -> Iterator[str]:
    """Free frames that count as leased, though nobody has them."""
    had = exists().where(
        attempts.c.job == frames.c.job,
        attempts.c.frame == frames.c.number,
        attempts.c.state == AttemptState.OPEN.value,
    )
    query = select(frames.c.job).where(frames.c.state == FrameState.LEASED.value, ~had).distinct()
    for job in sorted(conn.execute(query).scalars().all()):
        count = change_states(conn, job, [FrameState.LEASED], FrameState.READY, ~had, lease=None)
        yield f"{count} frames of job {job} that nobody had are to be rendered again."


def _counts(conn: Connection) -> Iterator[str]:
    for job, state, have, say in list(audit.miscounted(conn)):
        tally.moved(conn, job, None, state.value, have - say)
        yield f"Job {job} counts {have} {state} frames now, as it has, not {say}."


def _accounts(conn: Connection) -> Iterator[str]:
    """Give accounts what their rows say: the rows are the truth, and are never changed."""
    for account, (milli, earned) in misstated(conn).items():
        ledger.correct(conn, account, milli, earned)
        yield f"Account {account} is corrected by {points(milli)} points, to what the ledger's rows give."


def _ends(conn: Connection, at: int) -> Iterator[str]:
    """End jobs of which nothing is left to do."""
    left = exists().where(
        frames.c.job == jobs.c.number,
        frames.c.state.in_([FrameState.BLOCKED.value, FrameState.READY.value, FrameState.LEASED.value]),
    )
    over = jobs.c.state.in_([state.value for state in JOB_ACTIVE]), jobs.c.unfinished.is_(None), ~left
    for job in sorted(conn.execute(select(jobs.c.number).where(*over)).scalars().all()):
        settle(conn, job, at)
        yield f"Job {job} has ended: nothing of it was left to do."
