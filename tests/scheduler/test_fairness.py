"""The fair queue: what it promises, on farms that chance makes up."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.scheduler.fairness import Usage, entry, faded, turns
from farm.scheduler.terms import HALF_LIFE, UNSERVED
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


@dataclass
class Farm:
    """Slots that never rest, and jobs that never end; each slot does `frame` µs of work at a time."""

    jobs: list[Job]
    slots: int
    usage: Usage = field(default_factory=Usage)
    work: Counter[int] = field(default_factory=Counter)
    gaps: Counter[int] = field(default_factory=Counter)

    def run(self, until: int) -> None:
        free: list[tuple[int, int, Job | None]] = [(0, slot, None) for slot in range(self.slots)]
        last, before = dict.fromkeys((job.owner for job in self.jobs), 0), 0
        while free[0][0] < until:
            at, slot, ended = heapq.heappop(free)
            for had in (*self.usage.users.values(), *self.usage.jobs.values()):
                had.recent = faded(had.recent, at - before)
            before = at
            if ended is not None:
                self.usage.add(ended.owner, ended.number, recent=ended.frame, running=-ended.frame)
                self.work[ended.owner] += ended.frame
            job = turns(self.jobs, self.usage, at)[0]
            self.usage.add(job.owner, job.number, running=job.frame, served=at)
            self.gaps[job.owner] = max(self.gaps[job.owner], at - last[job.owner])
            last[job.owner] = at
            heapq.heappush(free, (at + job.frame, slot, job))


some_jobs = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 100), st.integers(10, 900)), min_size=1, max_size=12
).map(lambda found: [Job(n, owner, priority, 0, s * SECOND) for n, (owner, priority, s) in enumerate(found, 1)])


@settings(max_examples=30)
@given(some_jobs, st.integers(1, 8), st.dictionaries(st.integers(1, 5), st.integers(0, 10**12)))
def test_nobody_starves_whatever_others_hold_or_had_before(jobs: list[Job], slots: int, had: dict[int, int]) -> None:
    farm = Farm(jobs, slots)
    for user, work in had.items():
        farm.usage.add(user, 0, recent=work)
    farm.run(3 * 60 * MINUTE)
    users = {job.owner for job in jobs}
    longest = max(job.frame for job in jobs)
    # After ten minutes it is their turn; the others who wait as long come before them, and a slot must come free.
    bound = UNSERVED + longest * (1 + len(users) // slots)
    assert set(farm.gaps) == users
    assert max(farm.gaps.values()) <= bound


@settings(max_examples=5)
@given(st.integers(2, 5), st.integers(1, 50), st.integers(0, 10**6))
def test_fifty_jobs_of_one_user_get_no_more_than_one_job_of_another(users: int, many: int, seed: int) -> None:
    lengths = random.Random(seed)
    jobs = [Job(1, 1, frame=lengths.randint(30, 90) * SECOND)]
    for user in range(2, users + 1):
        jobs += [Job(len(jobs) + n, user, frame=lengths.randint(30, 90) * SECOND) for n in range(1, many + 1)]
    farm = Farm(jobs, slots=100)
    farm.run(2 * HALF_LIFE)
    least, most = min(farm.work.values()), max(farm.work.values())
    assert most - least <= sum(farm.work.values()) / 100 + 90 * SECOND  # one slot in 100


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
