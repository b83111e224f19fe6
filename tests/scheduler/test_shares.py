"""What the fair queue promises, played by its own rules in virtual time: shares, boosts, and that nobody starves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.scheduler.fairness import weight
from farm.scheduler.policy import Policy
from farm.scheduler.terms import HALF_LIFE, UNSERVED
from farm.simulator.measures import Treatment
from farm.simulator.rules import Fair
from farm.simulator.virtual import Farm, Job, Slot
from farm.words.clock import SECOND

MINUTE = 60 * SECOND
POINTS = st.integers(0, 10**8)
SLOTS = [Slot(number, 0) for number in range(100)]


@dataclass
class Shares:
    """What users hold of the slots after a while, in slots on the average."""

    until: int
    since: int = HALF_LIFE // 2
    got: Counter[int] = field(default_factory=Counter)

    def came(self, job: Job) -> None:
        pass

    def leased(self, job: Job, at: int, until: int) -> None:
        self.got[job.owner] += max(0, min(until, self.until) - max(at, self.since))

    def slots(self, user: int) -> float:
        return self.got[user] / (self.until - self.since)


def endless(owner: int, number: int = 0, priority: int = 50) -> Job:
    """A job that lasts longer than the play; its owner's id is its number, unless there are more."""
    return Job(number or owner, owner, priority, 0, 100_000, MINUTE)


def played(jobs: list[Job], rule: Fair) -> Shares:
    found = Shares(2 * HALF_LIFE)
    Farm(SLOTS, rule, found).run(jobs, found.until)
    return found


def weighing(earned: dict[int, int], rule: Fair) -> Fair:
    """Let users have earned points; slots belong to nobody who plays, so that it stays so."""
    rule.earned.update(earned)
    rule.usage.weights.update({user: weight(milli) for user, milli in earned.items()})
    return rule


@settings(max_examples=4, deadline=None)
@given(st.lists(POINTS, min_size=2, max_size=5))
def test_shares_are_as_the_weights_within_one_slot_of_a_hundred(earned: list[int]) -> None:
    users = dict(enumerate(earned, 1))
    found = played([endless(user) for user in users], weighing(users, Fair(slots=100)))
    whole = sum(weight(milli) for milli in earned)
    for user, milli in users.items():
        assert abs(found.slots(user) - 100 * weight(milli) / whole) <= 1


@settings(max_examples=3, deadline=None)
@given(st.integers(2, 30), POINTS, st.integers(1, 100))
def test_many_jobs_of_one_user_do_not_beat_one_of_another(many: int, milli: int, priority: int) -> None:
    users = {1: milli, 2: milli}
    jobs = [endless(1), *(endless(2, 2 + n, priority) for n in range(many))]
    found = played(jobs, weighing(users, Fair(slots=100)))
    assert abs(found.slots(1) - found.slots(2)) <= 2


@settings(max_examples=4, deadline=None)
@given(st.integers(2, 6), st.integers(1, 15))
def test_a_boost_takes_its_shares_and_slows_others_by_no_more_than_that(users: int, boost: int) -> None:
    found = played([endless(user) for user in range(1, users + 1)], Fair(slots=100, boosts={1: boost}))
    whole = users + boost  # one share for each, and as many more as the boost says
    assert abs(found.slots(1) - 100 * (1 + boost) / whole) <= 1
    for user in range(2, users + 1):
        assert found.slots(user) >= 100 / whole - 1


some_jobs = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 100), st.integers(10, 900), st.integers(1, 400), st.integers(0, 7200)),
    min_size=1,
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@given(
    some_jobs,
    st.integers(1, 8),
    st.dictionaries(st.integers(1, 5), POINTS),
    st.dictionaries(st.integers(1, 10), st.integers(1, 15)),
    st.dictionaries(st.integers(1, 5), st.integers(0, 10**12)),
)
def test_nobody_starves_whatever_others_hold_spend_or_had(
    wishes: list[tuple[int, int, int, int, int]],
    slots: int,
    earned: dict[int, int],
    boosts: dict[int, int],
    had: dict[int, int],
) -> None:
    jobs = [
        Job(number, owner, priority, at * SECOND, frames, span * SECOND)
        for number, (owner, priority, span, frames, at) in enumerate(wishes, 1)
    ]
    rule, seen = weighing(earned, Fair(Policy(), slots, boosts)), Treatment()
    for user, work in had.items():
        rule.usage.add(user, 0, recent=work)
    Farm([Slot(number, 0) for number in range(slots)], rule, seen).run(jobs)
    longest = max(round(job.span * 1.2) for job in jobs)
    users = len({job.owner for job in jobs})
    # After ten minutes it is their turn; the others who wait as long come before them, and a slot must come free.
    assert max(seen.gaps.values()) <= UNSERVED + longest * (1 + users // slots)
