"""Jobs in order: one slave, ascending, whatever happens to slaves and frames."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.scheduler.failures import Try
from farm.scheduler.inorder import takes
from farm.scheduler.policy import Policy
from farm.words.states import FailureClass
from tests.scheduler.world import World, frames_of, numbers_of

ids = st.integers(1, 4)


def test_frames_go_to_one_slave_ascending_without_probes(world: World) -> None:
    job = world.job("1-40", in_order=True)
    first, second = world.slave("ws01", slots=4), world.slave("ws02")
    rendered = world.render(first, want=4, seconds=5)
    assert rendered == [1], "one lease, though it has four slots"
    assert numbers_of(world.report(second, want=1)) == [], "it stays where it is"
    rendered += world.render(first, want=4, seconds=5)
    assert rendered == list(range(1, len(rendered) + 1))
    held = world.report(first, want=1)
    assert len(frames_of(held)) > 1
    assert numbers_of(world.report(second, want=1)) == []
    assert world.why(job) == ["Its frames are rendered in order, by one slave: ws01 is at it."]
    assert world.faults() == []


def test_another_slave_takes_over_when_the_one_is_gone(world: World) -> None:
    world.job("1-40", in_order=True)
    first, second = world.slave("ws01"), world.slave("ws02")
    world.render(first, seconds=5)
    lost = numbers_of(world.report(first, want=1))
    world.pass_time(20)
    world.report(second)
    world.sweep()
    world.pass_time(2)
    world.report(second)
    assert numbers_of(world.report(second, want=1))[0] == lost[0] == 2
    world.report(first)
    assert numbers_of(world.report(first, want=1)) == []


def test_a_frame_that_failed_is_tried_elsewhere_before_those_after_it(world: World) -> None:
    job = world.job("1-9", in_order=True)
    first, second = world.slave("ws01"), world.slave("ws02")
    world.render(first, seconds=1)
    frames = frames_of(world.report(first, want=1))
    assert len(frames) > 1
    rest = [f.attempt for f in frames[1:]]
    world.report(first, failed={frames[0].attempt: FailureClass.SLAVE}, done=rest)
    assert numbers_of(world.report(first, want=1)) == [], "others may try what failed here"
    again = frames_of(world.report(second, want=1))
    assert again[0].number == frames[0].number
    assert [f.number for f in again] == sorted(f.number for f in again)
    world.report(second, done=[f.attempt for f in again])
    while world.state(job) == "rendering":
        assert world.render(second)
    assert world.state(job) == "done"


def test_one_bad_frame_fails_alone_and_a_bad_first_one_pauses_the_job(world: World) -> None:
    job, slave = world.job("1-5", in_order=True), world.slave("ws01")
    one = frames_of(world.report(slave, want=1))
    world.report(slave, failed={one[0].attempt: FailureClass.JOB})
    assert world.state(job) == "paused/fault"
    other = world.job("1-5", in_order=True)
    world.render(slave)
    while world.state(other) in ("queued", "rendering"):
        got = frames_of(world.report(slave, want=1))
        bad = {f.attempt: FailureClass.JOB for f in got if f.number == 3}
        world.report(slave, done=[f.attempt for f in got if f.number != 3], failed=bad)
    assert world.state(other) == "failed"
    assert world.counts(other) == {"done": 4, "failed": 1}


def test_the_last_frames_are_not_rendered_twice(world: World) -> None:
    world.job("1-3", in_order=True)
    first, second = world.slave("ws01"), world.slave("ws02")
    world.render(first, seconds=1)
    got = frames_of(world.report(first, want=1))
    world.pass_time(600)
    world.report(first, running={got[0].attempt: 600.0})
    assert numbers_of(world.report(second, want=1)) == []


@given(
    slave=ids,
    tries=st.lists(st.builds(Try, ids, st.sampled_from(FailureClass), st.integers(0, 10**6)), max_size=4),
    holders=st.sets(ids, max_size=1),
    last=st.none() | ids,
    fitting=st.sets(ids, min_size=1),
)
def test_somebody_may_always_go_on_and_never_two_at_once(
    slave: int, tries: list[Try], holders: set[int], last: int | None, fitting: set[int]
) -> None:
    at, policy = 10**12, Policy()
    may = {s for s in fitting | {slave} if takes(s, tries, holders, last, fitting | {slave}, at, policy)}
    if holders:
        assert may <= holders
    else:
        assert may, "else the job would wait for ever"
