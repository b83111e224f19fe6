"""The fair queue: what it promises, on farms that chance makes up."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from farm.scheduler.fairness import FIRST, LAST, Line, Usage, entry, faded, turns
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


waiting_jobs = st.lists(
    st.builds(
        Job,
        st.integers(1, 10**6),
        st.integers(1, 5),
        st.sampled_from([30, 50]),
        st.integers(0, 60 * MINUTE),
        rush=st.sampled_from([0, 0, 0, FIRST, LAST]),
    ),
    max_size=20,
    unique_by=lambda job: job.number,
)
had_so_far = st.tuples(st.integers(0, 3), st.integers(0, 60 * MINUTE))


@given(waiting_jobs, st.data(), st.none() | st.integers(1, 5))
def test_the_order_is_that_of_the_rule(jobs: list[Job], data: st.DataObject, first: int | None) -> None:
    usage, now = Usage(), 60 * MINUTE
    for job in jobs:
        work, served = data.draw(had_so_far)
        usage.add(job.owner, job.number, recent=work * MINUTE, served=served)
    fair = [job for job in jobs if job.rush != LAST]

    def place(job: Job) -> tuple[object, ...]:
        theirs = [one for one in fair if one.owner == job.owner] or [job]
        waits = now - max(min(one.queued for one in theirs), usage.user(job.owner).served)
        user = (job.owner != first, min(usage.terms.unserved - waits, 0), usage.burden(job.owner))
        least = min(one.number for one in theirs)
        if job.rush == LAST:
            return True, False, job.number
        return False, not job.rush, user, least, -job.priority, usage.job(job.number).work, job.number

    order = turns(jobs, usage, now, first)
    assert order == sorted(jobs, key=place)
    lazy = Line(jobs).turns(usage, now, first)
    assert [lazy[n] for n in range(len(lazy))] == order


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
