"""How many slots a job or a user may hold while others wait. The rules are pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import attempts, slaves
from farm.scheduler import crowd
from farm.scheduler.jobrow import JobRow
from farm.scheduler.policy import Policy
from farm.words.states import AttemptState

_HELD = (
    select(attempts.c.job, slaves.c.slots, func.count(attempts.c.lease.distinct()).label("leases"))
    .join(slaves, slaves.c.id == attempts.c.slave)
    .where(attempts.c.state == AttemptState.OPEN.value)
    .group_by(attempts.c.job, attempts.c.slave, slaves.c.slots)
)


@dataclass(frozen=True, slots=True)
class Held:
    """Slots that jobs hold, by number, and all that there are."""

    slots: int
    by_job: Mapping[int, int] = field(default_factory=dict)

    def by_user(self, jobs: Sequence[JobRow], user: int) -> int:
        """Return how many slots the jobs of a user hold."""
        return sum(self.by_job.get(job.number, 0) for job in jobs if job.owner == user)


def most(slots: int, share: float) -> int:
    """Return how many slots one job may hold while others wait: at least one."""
    return max(1, ceil(slots * share))


def ordered(jobs: Sequence[JobRow], held: Held, policy: Policy) -> list[JobRow]:
    """Return jobs in their order: those with more than their part last, those of users with too many not at all.

    So nothing stays idle for the cap's sake: whoever is beyond it gets what nobody else takes.
    """
    if policy.user_slots:
        jobs = [job for job in jobs if held.by_user(jobs, job.owner) < policy.user_slots]
    if not policy.strangers:
        return list(jobs)
    limit = most(held.slots, policy.job_share)
    return sorted(jobs, key=lambda job: held.by_job.get(job.number, 0) >= limit)


def capped(conn: Connection, jobs: Sequence[JobRow], at: int, policy: Policy) -> Sequence[JobRow]:
    """Apply the caps, where there are any; what is held is read once per transaction."""
    if not policy.user_slots and not (policy.strangers and len(jobs) > 1):
        return jobs
    page = memory(conn).page
    if "slots held" not in page:
        memory(conn).flush(conn)
        page["slots held"] = _read(conn, at)
    return ordered(jobs, page["slots held"], policy)


def _read(conn: Connection, at: int) -> Held:
    by_job: dict[int, int] = {}
    for row in conn.execute(_HELD):
        by_job[row.job] = by_job.get(row.job, 0) + min(row.slots, row.leases)
    return Held(sum(machine.slots for machine in crowd.living(conn, at)), by_job)
