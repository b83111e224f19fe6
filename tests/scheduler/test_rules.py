"""The pure rules, for all that may come."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer
from farm.scheduler.failures import Try, backoff, hopeless, may_try, named, sick
from farm.scheduler.fit import Admission, fits
from farm.scheduler.leasesize import Pace, deal, lease_size, pace_of, share
from farm.scheduler.policy import Policy
from farm.scheduler.stragglers import MARGIN, Copy, left, pick
from farm.words.states import FailureClass

POLICY = Policy()
some_ids = st.sets(st.integers(1, 6))
some_tries = st.lists(
    st.builds(Try, slave=st.integers(1, 6), fault=st.sampled_from(FailureClass), ended=st.integers(0, 10**9)),
    max_size=30,
)
some_times = st.one_of(st.none(), st.floats(0, 1e12))


@example(each=5e-324, ready=10, slots=1, lease_us=10, most=5)
@given(some_times, st.integers(0, 10**6), st.integers(0, 10**4), st.integers(1, 10**9), st.integers(1, 1000))
def test_a_lease_holds_at_least_one_frame_and_at_most_the_limit(
    each: float | None, ready: int, slots: int, lease_us: int, most: int
) -> None:
    size = lease_size(each, ready, slots, lease_us, most)
    assert 1 <= size <= most
    if size > 1:
        assert each is not None
        assert size * each <= lease_us
        assert size <= ready


@given(st.integers(1, 10**5), st.integers(1, 500))
def test_fewer_ready_frames_never_make_a_larger_lease(ready: int, slots: int) -> None:
    assert lease_size(1000, ready, slots, 10**7, 10**6) <= lease_size(1000, ready + 1, slots, 10**7, 10**6)


@given(st.integers(0, 5000), st.lists(st.tuples(st.integers(1, 8), st.integers(0, 20)), min_size=1, max_size=20))
def test_who_holds_nothing_gets_something_and_nobody_more_than_its_part(
    ready: int, slaves: list[tuple[int, int]]
) -> None:
    left, slots = ready + sum(held for _, held in slaves), sum(own for own, _ in slaves)
    for own, held in slaves:
        more = share(left, own, slots, held)
        assert more >= own - held
        assert held + more <= max(held, own, left * own // slots)


@given(st.integers(1, 500), st.lists(st.integers(1, 4), min_size=1, max_size=12))
def test_when_all_ask_in_turn_the_last_frames_are_spread_and_none_is_left_over(frames: int, slots: list[int]) -> None:
    ready, held = frames, [0] * len(slots)
    for at, own in enumerate(slots):
        more = min(ready, share(ready + sum(held), own, sum(slots), held[at]))
        held[at] += more
        ready -= more
    assert ready < sum(slots)
    assert all(count >= own * (frames // sum(slots)) for own, count in zip(slots, held, strict=True))


@given(st.lists(st.integers(), max_size=50), st.integers(1, 10))
def test_dealing_loses_nothing_and_is_even(frames: list[int], slots: int) -> None:
    hands = deal(frames, slots)
    assert sorted(f for hand in hands for f in hand) == sorted(frames)
    assert len(hands) <= slots
    sizes = [len(hand) for hand in hands]
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_the_slaves_own_pace_counts_more_than_the_jobs() -> None:
    assert pace_of(Pace(2, 10), Pace(5, 5)) == 5
    assert pace_of(Pace(), Pace(5, 5)) == 1
    assert pace_of(Pace(), Pace()) is None


@given(some_tries, some_ids)
def test_a_frame_is_hopeless_at_the_latest_when_all_limits_are_reached(tries: list[Try], fitting: set[int]) -> None:
    limit = POLICY.attempts_limit + POLICY.farm_attempts_limit + 1
    if len(tries) > limit and len({t.slave for t in tries if t.fault is FailureClass.JOB}) != 1:
        assert hopeless(tries, fitting, POLICY)


@given(some_tries, some_ids, st.builds(Try, st.integers(1, 6), st.sampled_from(FailureClass), st.just(0)))
def test_what_is_hopeless_stays_so_after_another_failure(tries: list[Try], fitting: set[int], one: Try) -> None:
    if hopeless(tries, fitting, POLICY):
        assert hopeless([*tries, one], fitting, POLICY)


@given(some_tries, st.sets(st.integers(1, 6), min_size=1))
def test_a_frame_with_hope_finds_a_slave_in_the_end(tries: list[Try], fitting: set[int]) -> None:
    if not hopeless(tries, fitting, POLICY):
        assert any(may_try(tries, slave, fitting, 10**12, POLICY) for slave in fitting)


@given(st.integers(1, 100))
def test_waiting_grows_and_is_bounded(count: int) -> None:
    assert 10**6 <= backoff(count, POLICY) <= backoff(count + 1, POLICY) <= POLICY.backoff_seconds * 10**6


def test_one_users_jobs_make_nobody_sick() -> None:
    assert not sick([7, 7, 7])
    assert sick([7, 8])


some_copies = st.lists(
    st.builds(
        Copy,
        frame=st.integers(1, 5),
        picture=st.just(1),
        lease=st.just(1),
        slave=st.integers(1, 4),
        ahead=st.integers(0, 5),
        elapsed=st.one_of(st.none(), st.integers(0, 10**9)),
        progress=st.floats(0, 1),
        each=st.floats(0, 1e9),
    ),
    max_size=10,
)


@given(some_copies, st.integers(1, 4), st.floats(1, 1e9))
def test_only_a_slower_frame_of_another_is_doubled_and_never_thrice(
    copies: list[Copy], slave: int, each: float
) -> None:
    found = pick(copies, slave, each)
    if found is not None:
        assert found.slave != slave
        assert sum(copy.frame == found.frame for copy in copies) == 1
        assert left(found) > MARGIN * each


@pytest.mark.parametrize(
    ("needs", "newer", "engine", "offer", "fit"),
    [
        ("4.5", False, "CYCLES", "4.5.2", True),
        ("4.5", False, "CYCLES", "4.4.0", False),
        ("4.5", False, "CYCLES", "5.0.1", False),
        ("4.5", True, "CYCLES", "5.0.1", True),
        ("4.5", True, "CYCLES", "4.4.9", False),
        ("4.5.3", True, "CYCLES", "4.5.2", False),
        ("4.5.3", False, "CYCLES", "4.5.3", True),
        ("", False, "", "1", True),
        ("4.10", True, "", "4.9.0", False),
        ("4.5", False, "BLENDER_EEVEE_NEXT", "4.5.2", False),
    ],
)
def test_versions_and_engines_fit(needs: str, newer: bool, engine: str, offer: str, fit: bool) -> None:
    requires = Requirement(method="blender", version=needs, newer=newer, engine=engine)
    offers = [Offer(method="sleep"), Offer(method="blender", version=offer, engines=["CYCLES"])]
    reason = fits(requires, offers)
    assert (reason == "") is fit, reason


def test_a_slave_without_the_method_says_so() -> None:
    assert fits(Requirement(method="povray"), [Offer(method="blender", version="4.5")]) == "has no povray"


def test_an_empty_list_admits_all_but_those_kept_away() -> None:
    assert Admission().admits("a")
    assert not Admission((), ("a",)).admits("a")
    assert not Admission(("b",)).admits("a")
    assert not Admission(("a",), ("a",)).admits("a")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", "Frame 3 of job 7: it failed."),
        ("No camera.", "Frame 3 of job 7: No camera."),
        ("Frame 3 of job 7: No camera.", "Frame 3 of job 7: No camera."),
        ("Opening frame 3 of job 7 failed.", "Opening frame 3 of job 7 failed."),
        ("Frame 3 of job 70 failed.", "Frame 3 of job 7: Frame 3 of job 70 failed."),
    ],
)
def test_a_failure_names_its_frame_and_job_once(said: str, kept: str) -> None:
    assert named(said, 7, 3) == kept
