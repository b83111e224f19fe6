"""How many slots a job or a user may hold while others wait. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from farm.scheduler.fairness import LAST, W
from farm.scheduler.policy import Policy

_NOBODY: Mapping[int, int] = {}


@dataclass(frozen=True, slots=True)
class Held:
    """Slots that jobs hold, by number, and all that there are."""

    slots: int
    by_job: Mapping[int, int] = field(default_factory=dict)

    def by_user(self, jobs: Sequence[W], user: int) -> int:
        """Return how many slots the jobs of a user hold."""
        return sum(self.by_job.get(job.number, 0) for job in jobs if job.owner == user)


def most(slots: int, share: float) -> int:
    """Return how many slots one job may hold while others wait: at least one."""
    return max(1, ceil(slots * share))


def full(jobs: Sequence[W], held: Held, policy: Policy, own: Mapping[int, int]) -> set[int]:
    """Return the users whose jobs hold as many slots as they may.

    Args:
        jobs: all that may be leased.
        held: what jobs hold.
        policy: the limit of all.
        own: limits of single users.
    """
    limits = {job.owner: own.get(job.owner, policy.user_slots or None) for job in jobs}
    return {user for user, most in limits.items() if most is not None and held.by_user(jobs, user) >= most}


def ordered(jobs: Sequence[W], held: Held, policy: Policy, own: Mapping[int, int] = _NOBODY) -> list[W]:
    """Return jobs in their order: those with more than their part last, those of users with too many not at all.

    So nothing stays idle for the cap's sake: whoever is beyond it gets what nobody else takes.
    """
    beyond = full(jobs, held, policy, own) if policy.user_slots or own else set()
    jobs = [job for job in jobs if job.owner not in beyond]
    if not policy.strangers:
        return jobs
    limit = most(held.slots, policy.job_share)
    return sorted(jobs, key=lambda job: (job.rush == LAST, held.by_job.get(job.number, 0) >= limit))
