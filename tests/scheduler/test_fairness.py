"""The fair queue: what it promises, on farms that chance makes up."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from farm.scheduler.fairness import Usage, entry, faded, turns
from farm.scheduler.terms import HALF_LIFE
from farm.words.clock import SECOND

MINUTE = 60 * SECOND


@dataclass(frozen=True)
class Job:
    number: int
    owner: int
    priority: int = 50
    queued: int = 0
    frame: int = MINUTE
    rush: int = 0


some_jobs = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 100), st.integers(10, 900)), min_size=1, max_size=12
).map(lambda found: [Job(n, owner, priority, 0, s * SECOND) for n, (owner, priority, s) in enumerate(found, 1)])


@given(some_jobs)
def test_of_one_users_jobs_the_priority_decides_before_what_they_had(jobs: list[Job]) -> None:
    usage = Usage()
    for job in jobs:
        usage.add(job.owner, job.number, recent=job.frame)
    order = turns(jobs, usage, MINUTE)
    for user in {job.owner for job in jobs}:
        of_user = [job for job in order if job.owner == user]
        assert of_user == sorted(of_user, key=lambda job: (-job.priority, job.frame, job.number))


@given(some_jobs)
def test_on_their_own_slave_a_users_jobs_come_before_all_others(jobs: list[Job]) -> None:
    order = [job.owner == jobs[-1].owner for job in turns(jobs, Usage(), MINUTE, jobs[-1].owner)]
    assert order == sorted(order, reverse=True)


@given(st.floats(0, 1e12), st.lists(st.floats(0, 1e12)))
def test_who_comes_starts_level_with_the_least_of_the_others_and_never_below_what_they_had(had, others) -> None:
    came = had + entry(had, others)
    assert came >= had
    assert came <= max([had, *others]) * (1 + 1e-9)
    if others:
        assert came >= min(others) * (1 - 1e-9)


def test_work_counts_half_after_an_hour() -> None:
    assert faded(8.0, HALF_LIFE) == 4.0
    assert faded(faded(8.0, -3 * HALF_LIFE), 3 * HALF_LIFE) == 8.0
