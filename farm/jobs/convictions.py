"""What follows when a slave drew a frame falsely: two others agree, and it is retired.

All that it rendered for others and that no check vouches for is rendered again, a job at a time, and what it earned for
that goes back to the farm, as far as its owner still has it.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select, update

from farm.accounts import ledger, logins, notices
from farm.accounts.ledger import FARM, About, Kind
from farm.accounts.provisional import vouched
from farm.database.memory import memory
from farm.database.schema import attempts, jobs, postings, slaves, spot_checks, users
from farm.protocol.accounts import Role
from farm.scheduler import bulk, escrow
from farm.scheduler import slaves as comings
from farm.words.checks import CheckState
from farm.words.notices import About as Told
from farm.words.ranges import FrameRange
from farm.words.states import AttemptState, JobState, SlaveState

AT_ONCE = 500
"""Rows of the ledger that are written at once."""

MARK = 100.0
"""Failures that a false frame counts for: who comes back is on probation for long."""

TWO = "two other slaves drew the same pixels, and it did not."
"""What is told where no admin has said it."""

_LASTING = (JobState.QUEUED, JobState.RENDERING, JobState.PAUSED, JobState.DONE, JobState.FAILED)
_FALSE = spot_checks.c.state == CheckState.FALSE.value


def due(conn: Connection) -> bool:
    """Tell whether there is a slave of which it was found out."""
    return conn.execute(select(spot_checks.c.attempt).where(_FALSE).limit(1)).first() is not None


def go_on(conn: Connection, at: int) -> int | None:
    """Do the next of what follows from a conviction; return the slave, whose logins are void.

    Each call does a piece, and the last one ends the matter: a crash between two of them loses nothing.
    """
    check = conn.execute(select(spot_checks).where(_FALSE).order_by(spot_checks.c.attempt).limit(1)).first()
    if check is None:
        return None
    slave = conn.execute(select(slaves).where(slaves.c.id == check.slave)).one()
    _retire(conn, slave, at)
    if not (_forfeit(conn, check, slave, at) or _render_again(conn, slave, at)):
        _end_checks(conn, slave.id, at)
        _tell(conn, check, slave, at)
    return int(slave.id)


def _retire(conn: Connection, slave: Any, at: int) -> None:
    if slave.state != SlaveState.RETIRED:
        logins.revoke_slave(conn, slave.id)
        comings.retire(conn, slave.id, at)
        conn.execute(update(slaves).where(slaves.c.id == slave.id).values(good=0.0, bad=MARK, judged=at))


def _forfeit(conn: Connection, check: Any, slave: Any, at: int) -> bool:
    """Take back what frames had earned that no check vouches for; tell whether there is more.

    Nobody's account goes below zero: what was spent, is gone.
    """
    p = postings.c
    mine = p.taker == slave.owner, p.slave == slave.id, p.kind == Kind.EARNED.value
    gone = select(p.ref).where(p.kind == Kind.FORFEIT.value, p.giver == slave.owner)
    query = select(p.ref, p.job, p.frame, p.milli).where(*mine, p.ref.not_in(vouched(slave.id)), p.ref.not_in(gone))
    closing = select(jobs.c.number).where(jobs.c.book.is_not(None))  # nothing is added to their rows
    rows = conn.execute(query.where(p.job.not_in(closing)).order_by(p.ref).limit(AT_ONCE)).all()
    if rows:  # points that lie in a boost are still its owner's
        escrow.empty(conn, slave.owner, at, "A slave of the same owner drew a picture falsely.")
        escrow.lock(conn, slave.owner)
    for row in rows:
        left = ledger.account(conn, slave.owner).milli
        why = f"frame {check.frame} of job {check.job} falsely"
        inputs = json.dumps({"earned": row.milli, "left": max(left, 0), "why": why})
        about = About(row.job, row.frame, slave.id, inputs)
        taken = min(row.milli, max(left, 0))
        ledger.post(conn, Kind.FORFEIT, row.ref, slave.owner, FARM, taken, about, at)
    return bool(rows)


def _render_again(conn: Connection, slave: Any, at: int) -> bool:
    """Have frames of one job rendered again that no check vouches for; tell whether there are more."""
    memory(conn).flush(conn)
    c = attempts.c
    won = c.slave == slave.id, c.state == AttemptState.WON.value, c.id.not_in(vouched(slave.id))
    lasting = (
        jobs.c.state.in_([state.value for state in _LASTING]),
        jobs.c.owner != slave.owner,
        jobs.c.let_go.is_(None),
    )
    query = select(c.job, c.frame).join(jobs, jobs.c.number == c.job).where(*won, *lasting, jobs.c.unfinished.is_(None))
    first = conn.execute(query.order_by(c.job).limit(1)).first()
    if first is None:
        changing = select(c.id).join(jobs, jobs.c.number == c.job).where(*won, *lasting).limit(1)
        return conn.execute(changing).first() is not None  # its job is being changed: later
    numbers = conn.execute(query.where(c.job == first.job).order_by(c.frame).limit(AT_ONCE)).all()
    bulk.retry(conn, first.job, FrameRange.of(row.frame for row in numbers), at)
    return True


def _end_checks(conn: Connection, slave: int, at: int) -> None:
    """Close all checks of a slave: its frames are rendered again anyway."""
    mine = spot_checks.c.slave == slave
    works = select(spot_checks.c.work).where(mine, spot_checks.c.state == CheckState.RENDERING.value)
    for work in conn.execute(works).scalars().all():
        if conn.execute(select(jobs.c.state).where(jobs.c.number == work)).scalar() != JobState.DELETED:
            bulk.delete(conn, work, at)
    gone: dict[str, Any] = {"picture": None, "other": None}
    conn.execute(update(spot_checks).where(mine, _FALSE).values({**gone, "state": CheckState.CONVICTED.value}))
    left = spot_checks.c.state.in_([CheckState.DUE.value, CheckState.RENDERING.value, CheckState.DOUBTED.value])
    said = {**gone, "state": CheckState.UNDECIDED.value, "said": "Another check found it out before."}
    conn.execute(update(spot_checks).where(mine, left).values(said))


def _tell(conn: Connection, check: Any, slave: Any, at: int) -> None:
    """Tell the slave's owner and all admins."""
    title = f"Slave {slave.name} returned a false picture"
    body = (
        f"Frame {check.frame} of job {check.job}: {check.said or TWO} It is "
        "retired; what it rendered for others is rendered again, and what it earned for that is taken back. If its "
        "machine is broken (memory, overheated card), mend it and make a new key."
    )
    admins = conn.execute(select(users.c.id).where(users.c.role == Role.ADMIN)).scalars()
    for user in sorted({slave.owner, *admins}):
        notices.tell(conn, user, Told.SLAVE, title, body, "/slaves", at)
