"""What jobs hold, as the database knows it; what they may hold is in `portions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import attempts, slaves
from farm.scheduler import agreed, crowd
from farm.scheduler.jobrow import JobRow
from farm.scheduler.policy import Policy
from farm.scheduler.portions import Held, ordered
from farm.words.states import AttemptState

_HELD = (
    select(attempts.c.job, slaves.c.slots, func.count(attempts.c.lease.distinct()).label("leases"))
    .join(slaves, slaves.c.id == attempts.c.slave)
    .where(attempts.c.state == AttemptState.OPEN.value)
    .group_by(attempts.c.job, attempts.c.slave, slaves.c.slots)
)


def capped(conn: Connection, jobs: Sequence[JobRow], at: int, policy: Policy) -> Sequence[JobRow]:
    """Apply the caps, where there are any; what is held is read once per transaction."""
    if not jobs:
        return jobs
    terms = agreed.terms(conn, at)
    own = terms.slots
    if terms.limited and (policy.user_slots, policy.job_share) != (terms.user_slots, terms.job_share):
        policy = replace(policy, user_slots=terms.user_slots, job_share=terms.job_share)
    if not policy.user_slots and not own and not (policy.strangers and len(jobs) > 1):
        return jobs
    page = memory(conn).page
    if "slots held" not in page:
        memory(conn).flush(conn)
        page["slots held"] = _read(conn, at)
    return ordered(jobs, page["slots held"], policy, own)


def held(conn: Connection) -> dict[int, int]:
    """Return how many slots each job holds."""
    by_job: dict[int, int] = {}
    for row in conn.execute(_HELD):
        by_job[row.job] = by_job.get(row.job, 0) + min(row.slots, row.leases)
    return by_job


def _read(conn: Connection, at: int) -> Held:
    return Held(sum(machine.slots for machine in crowd.living(conn, at)), held(conn))
