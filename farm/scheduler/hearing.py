"""Since when slaves could be heard: silence counts only from then on.

A server that was down, a database that was away, a machine that slept and a clock that
was set forward all look as if every slave had fallen silent. None of them is lost for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Table, and_, case, delete, func, or_, select, update
from sqlalchemy.engine import Connection

from farm.accounts.notices import LONGEST
from farm.database.schema import attempts, jobs, notices, samples, shares, slaves
from farm.scheduler.policy import Policy
from farm.scheduler.terms import ERA
from farm.words.clock import SECOND, microseconds
from farm.words.states import AttemptState

_LEAP = 2 * SECOND
"""µs by which the clock and the time that passed may differ before the clock counts as set."""

_LATEST = 100_000
"""Attempts that are looked at for times that are yet to come: the latest."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How long a process has heard slaves without a break.

    Args:
        since: from when on, by the clock, in µs.
        clock: what the clock said at the last sweep that came to an end, µs.
        passed: the time that had passed then, in µs of a clock that nobody sets.
    """

    since: int = -1
    clock: int = 0
    passed: int = 0

    def now(self, clock: int, passed: int, policy: Policy) -> Hearing:
        """Return what is true at this sweep: it begins anew if there was a break, or the clock was set."""
        between = passed - self.passed
        pause = between > max(3 * SECOND, microseconds(policy.heartbeat_seconds))
        leap = abs((clock - self.clock) - between) > _LEAP
        return Hearing(clock if self.since < 0 or pause or leap else self.since, clock, passed)

    def broken(self) -> Hearing:
        """Return what is true after a sweep that failed."""
        return replace(self, since=-1)


def nothing_is_yet_to_come(conn: Connection, at: int, policy: Policy) -> None:
    """Set times of the future to now: the clock was put back, and nobody may wait until it is there again.

    Args:
        conn: the writer's.
        at: now, µs.
        policy: how far in the future deadlines may lie.
    """
    _cap(conn, slaves, at, "seen")
    _cap(conn, jobs, at, "created", "changed", "queued", "started", "ended")
    newest = conn.execute(select(func.max(attempts.c.id))).scalar() or 0
    _cap(conn, attempts, at, "issued", "started", "ended", only=attempts.c.id > newest - _LATEST)
    last = at + policy.deadline_us
    opened = and_(attempts.c.state == AttemptState.OPEN.value, attempts.c.deadline > last)
    conn.execute(update(attempts).where(opened).values(deadline=last))
    conn.execute(update(notices).where(notices.c.due > at + LONGEST).values(due=at))
    conn.execute(delete(samples).where(samples.c.at > at))
    _forget_work_to_come(conn, at)


def _forget_work_to_come(conn: Connection, at: int) -> None:
    """Forget who had what of the farm in hours that are yet to come: it would weigh until then, and never fade."""
    conn.execute(delete(shares).where(shares.c.era > at // ERA))
    _cap(conn, shares, at, "served")


def _cap(conn: Connection, table: Table, at: int, *names: str, only: Any = None) -> None:
    columns = [table.c[name] for name in names]
    late = or_(*(column > at for column in columns))
    values = {column.name: case((column > at, at), else_=column) for column in columns}
    conn.execute(update(table).where(late if only is None else and_(only, late)).values(values))
