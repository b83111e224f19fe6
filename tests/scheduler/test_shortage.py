"""Frames that need more memory than a slave has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.scheduler.shortage import bigger
from farm.words.states import FailureClass, SlaveState
from tests.scheduler.world import World, frames_of, numbers_of

GB = 10**9


def test_a_frame_that_lacked_memory_goes_to_a_bigger_slave_only(world: World) -> None:
    job = world.job("1")
    small, same, big = (world.slave(f"ws0{n}", memory=size * GB) for n, size in ((1, 16), (2, 16), (3, 64)))
    got = frames_of(world.report(small, want=1))
    world.report(small, failed={got[0].attempt: FailureClass.SLAVE}, short=True)
    assert numbers_of(world.report(small, want=1)) == []
    assert numbers_of(world.report(same, want=1)) == []
    assert world.why(job) == ["Frame 1 needs more than 16.0 GB of memory: it waits for a slave that has 64.0 GB."]
    assert world.render(big) == [1]
    assert world.state(job) == "done"
    assert world.faults() == []


def test_without_a_bigger_slave_it_is_tried_as_ever_and_the_job_ends(world: World) -> None:
    job, slave = world.job("1-3"), world.slave("ws01", memory=16 * GB)
    while world.state(job) in ("queued", "rendering"):
        got = frames_of(world.report(slave, want=1))
        assert got, "nothing waits for a slave that is not there"
        bad = {f.attempt: FailureClass.SLAVE for f in got if f.number == 2}
        world.report(slave, done=[f.attempt for f in got if f.number != 2], failed=bad, short=True)
    assert world.state(job) == "failed"
    assert world.counts(job) == {"done": 2, "failed": 1}


def test_heavy_jobs_of_two_users_do_not_make_a_small_slave_sick(world: World) -> None:
    world.job("1"), world.job("1", owner=world.user("bo"))
    small = world.slave("ws01", memory=16 * GB)
    world.slave("ws02", memory=64 * GB)
    for _ in range(2):
        got = frames_of(world.report(small, want=1))
        world.report(small, failed={got[0].attempt: FailureClass.SLAVE}, short=True)
    assert world.slave_state(small) == SlaveState.IDLE


@given(st.integers(1, 100), st.dictionaries(st.integers(), st.integers(0, 100), min_size=1))
def test_there_is_always_somebody_left_and_the_bigger_ones_if_there_are_any(
    short: int, memories: dict[int, int]
) -> None:
    left = bigger(short, memories)
    assert left
    assert left == {s for s, size in memories.items() if size > short} or max(memories.values()) <= short
