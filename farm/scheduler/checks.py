"""Which results of strangers' slaves are checked: drawn by lot where a result is accepted."""

from __future__ import annotations

import secrets

from sqlalchemy import bindparam, exists, func, insert, select
from sqlalchemy.engine import Connection

from farm.database.schema import slaves, spot_checks
from farm.scheduler.checkrules import CheckState, chance
from farm.scheduler.fit import Machine
from farm.scheduler.held import Held
from farm.scheduler.jobrow import job_row
from farm.words.clock import SECOND

_FINE = 1_000_000
_MINE = spot_checks.c.slave == bindparam("of")
_COUNTS = select(
    slaves.c.done,
    select(func.count()).select_from(spot_checks).where(_MINE).scalar_subquery(),
    exists().where(_MINE, spot_checks.c.state.in_([CheckState.FALSE.value, CheckState.CONVICTED.value])),
    exists().where(spot_checks.c.work == bindparam("at_work")),
).where(slaves.c.id == bindparam("of"))

COMBINING = ("image", "video")
"""Methods whose results are made of others, which are checked themselves."""


def draw(conn: Connection, slave: Machine, attempt: Held, at: int) -> None:
    """Let an accepted result be checked, or not; frames of one's own jobs never are, and earn nothing.

    Nor are checks themselves, nor what can't be rendered alone: jobs in order, and those that combine others' files.
    """
    job = job_row(conn, attempt.job)
    if job.owner == slave.owner or job.in_order or job.requires.method in COMBINING:
        return
    rendered, checked, convicted, checks = conn.execute(_COUNTS, {"of": slave.id, "at_work": job.number}).one()
    if checks:
        return
    if not convicted and secrets.randbelow(_FINE) >= chance(checked, rendered) * _FINE:
        return
    row = {"attempt": attempt.id, "slave": slave.id, "job": job.number, "frame": attempt.frame}
    conn.execute(insert(spot_checks).values(**row, at=at, state=CheckState.DUE.value))


PATIENCE = 7 * 86_400 * SECOND
"""µs after which a check is given up that nobody could do."""
