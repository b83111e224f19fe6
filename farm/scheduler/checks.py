"""Which results of strangers' slaves are checked: drawn by lot where a result is accepted.

It is asked for each accepted frame, so what it depends on is read together for all slaves of a transaction.
"""

from __future__ import annotations

import secrets

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.engine import Connection

from farm.database.many import Rows
from farm.database.memory import memory
from farm.database.schema import spot_checks
from farm.scheduler import held
from farm.scheduler.checkrules import FIRST, chance
from farm.scheduler.fit import Machine
from farm.scheduler.held import Held
from farm.scheduler.jobrow import job_row
from farm.words.checks import CheckState
from farm.words.clock import SECOND

_FINE = 1_000_000
_CHECKED = (
    select(spot_checks.c.slave, func.count())
    .where(spot_checks.c.slave.in_(bindparam("these", expanding=True)))
    .group_by(spot_checks.c.slave)
)
_SUSPICIOUS = [CheckState.FALSE.value, CheckState.CONVICTED.value, CheckState.DOUBTED.value]
_SUSPECTS = select(spot_checks.c.slave, spot_checks.c.state).where(spot_checks.c.state.in_(_SUSPICIOUS)).distinct()
_WORK = select(spot_checks.c.attempt).where(spot_checks.c.work == bindparam("of")).limit(1)
_DRAW = Rows(
    lambda _: insert(spot_checks),
    ("attempt", "slave", "job", "frame", "at"),
    {"state": CheckState.DUE.value, "name": "", "tile": "", "drawn": "[]", "said": "", "build": ""},
)
_ENOUGH = "checked enough"

COMBINING = ("image", "video")
"""Methods whose results are made of others, which are checked themselves."""


def draw(conn: Connection, slave: Machine, attempt: Held, rendered: int, at: int) -> None:
    """Let an accepted result be checked, or not; frames of one's own jobs never are, and earn nothing.

    Nor are checks themselves, nor what can't be rendered alone: jobs in order, and those that combine others' files.

    Args:
        conn: the writer's.
        slave: who rendered.
        attempt: its result.
        rendered: results that it had before.
        at: now, µs.
    """
    job = job_row(conn, attempt.job)
    if job.owner == slave.owner or job.in_order or job.requires.method in COMBINING or _is_check(conn, job.number):
        return
    if slave.id not in _suspects(conn)[0]:
        likely = chance(_checked(conn, slave.id), rendered)
        if secrets.randbelow(_FINE) >= likely * _FINE:
            return
    row = {"attempt": attempt.id, "slave": slave.id, "job": job.number, "frame": attempt.frame, "at": at}
    memory(conn).later(_DRAW, row)
    counts = _counts(conn)
    if slave.id in counts:
        counts[slave.id] += 1


def _is_check(conn: Connection, job: int) -> bool:
    """Tell whether a job renders what is checked. It does from its first frame on, or never."""
    page = memory(conn).page
    if ("check", job) not in page:
        page["check", job] = conn.execute(_WORK, {"of": job}).first() is not None
    found: bool = page["check", job]
    return found


def _suspects(conn: Connection) -> tuple[set[int], set[int]]:
    """Return the slaves that drew falsely, and those that may have."""
    ahead = memory(conn).ahead
    if "suspects" not in ahead:
        false: set[int] = set()
        doubted: set[int] = set()
        for slave, state in conn.execute(_SUSPECTS):
            (doubted if state == CheckState.DOUBTED else false).add(slave)
        ahead["suspects"] = false, doubted
    found: tuple[set[int], set[int]] = ahead["suspects"]
    return found


def in_doubt(conn: Connection, slave: int) -> bool:
    """Tell whether a slave drew a frame of which nobody knows yet who is right."""
    return slave in _suspects(conn)[1]


def _checked(conn: Connection, slave: int) -> int:
    """Return how many results of a slave were checked; it is counted together with its neighbours'.

    From :data:`FIRST` on, the number does not matter, and it never falls.
    """
    enough: set[int] = memory(conn).shelf.setdefault(_ENOUGH, set())
    if slave in enough:
        return FIRST
    counts = _counts(conn)
    if slave not in counts:
        memory(conn).flush_only(conn, _DRAW)
        these = {slave, *held.neighbours(conn)} - enough
        counts.update(dict.fromkeys(these, 0))
        counts.update({row[0]: row[1] for row in conn.execute(_CHECKED, {"these": sorted(these)})})
        enough.update(one for one in these if counts[one] >= FIRST)
    return counts[slave]


def _counts(conn: Connection) -> dict[int, int]:
    counts: dict[int, int] = memory(conn).ahead.setdefault("checked", {})
    return counts


PATIENCE = 7 * 86_400 * SECOND
"""µs after which a check is given up that nobody could do."""
