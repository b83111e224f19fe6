"""Calls of one slave that cross: what one was given is not lost because another does not name it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from farm.database.schema import attempts
from farm.protocol.slaves import LeasedFrame, Orders
from farm.words.errors import StaleReport
from farm.words.states import PauseReason, SlaveState
from tests.scheduler.world import Agent, World, frames_of, numbers_of


def issued(world: World) -> int:
    """Return how many attempts there are."""
    return int(world.database.read_now(lambda c: c.execute(select(func.count()).select_from(attempts)).scalar_one()))


def begun(world: World, frames: str = "1-10", slots: int = 1) -> tuple[int, Agent, LeasedFrame]:
    """Return a job, its slave, and the frame that this renders; its answers 1 is heard."""
    job, slave = world.job(frames), world.slave("ws01", slots)
    return job, slave, frames_of(world.report(slave, want=1))[0]


def crossed(world: World, slave: Agent, first: LeasedFrame, **more: object) -> tuple[Orders, Orders]:
    """Let report 3 name the end of the first frame while the answer to report 2, with another, is on its way."""
    answer = world.report(slave, want=1, heard=1, running={first.attempt: 1}, arrives=False)
    return answer, world.report(slave, heard=1, done=[first.attempt], **{"want": 1, **more})  # type: ignore[arg-type]


def test_what_a_crossing_answer_leased_is_given_again_as_the_same_attempt(world: World) -> None:
    _, slave, first = begun(world)
    answer, after = crossed(world, slave, first)
    assert answer.leases
    assert after.leases[0] == answer.leases[0]
    assert {world.attempt_state(frame.attempt) for frame in frames_of(answer)} == {"open"}
    assert [verdict.verdict for verdict in after.verdicts] == ["accepted"]
    assert world.faults() == []


def test_it_is_given_until_an_answer_is_heard_and_not_after_that(world: World) -> None:
    job, slave, first = begun(world, "1-3")
    answer, lost = crossed(world, slave, first, arrives=False)
    again = world.report(slave, heard=1, want=1, arrives=False)
    assert lost.leases == again.leases == answer.leases
    assert issued(world) == 2
    dropped = frames_of(again)[0]
    world.report(slave, heard=4)
    assert world.attempt_state(dropped.attempt) == "returned"
    assert world.counts(job) == {"ready": 2, "done": 1}


def test_what_is_given_again_fills_the_slots_that_want_something(world: World) -> None:
    _, slave, first = begun(world, "1-20", slots=2)
    answer, after = crossed(world, slave, first)
    assert numbers_of(after) == numbers_of(answer)
    more = world.report(slave, want=2)
    assert not set(numbers_of(more)) & set(numbers_of(after))


def test_more_may_be_given_again_than_is_wanted_by_now(world: World) -> None:
    slave = world.slave("ws01", slots=3)
    world.job("1-20")
    answer = world.report(slave, want=3, heard=0, arrives=False)
    assert world.report(slave, want=1, heard=0).leases == answer.leases
    assert len(answer.leases) == 3


def test_who_makes_one_call_at_a_time_needs_to_name_no_answer(world: World) -> None:
    _, slave, first = begun(world)
    answer = world.report(slave, want=1, seq=7, running={first.attempt: 1}, arrives=False)
    assert world.report(slave, want=1, seq=7, running={first.attempt: 1}, arrives=False).leases == answer.leases
    assert frames_of(world.report(slave, want=1, seq=8))[0].attempt != frames_of(answer)[0].attempt


@pytest.mark.parametrize(
    "says", [{"want": 0}, {"state": SlaveState.RESTING}], ids=["nothing more is wanted", "the machine rests"]
)
def test_nothing_is_given_again_to_who_takes_nothing(world: World, says: dict[str, object]) -> None:
    _, slave, first = begun(world)
    answer, after = crossed(world, slave, first, **says)
    assert not after.leases
    assert world.attempt_state(frames_of(answer)[0].attempt) == "returned"


def test_nothing_of_a_paused_job_is_given_again(world: World) -> None:
    job, slave, first = begun(world)
    answer = world.report(slave, want=1, heard=1, running={first.attempt: 1}, arrives=False)
    world.act("pause", job, PauseReason.USER)
    assert not world.report(slave, heard=1, want=1, done=[first.attempt]).leases
    assert world.attempt_state(frames_of(answer)[0].attempt) == "returned"


def test_a_frame_that_was_canceled_meanwhile_is_not_given_again(world: World) -> None:
    job, slave, first = begun(world)
    world.report(slave, want=1, heard=1, running={first.attempt: 1}, arrives=False)
    world.act("cancel", job)
    after = world.report(slave, heard=1, want=1, running={first.attempt: 2})
    assert (after.leases, after.revoked) == ([], [first.attempt])


def test_a_call_that_comes_after_the_logout_changes_nothing(world: World) -> None:
    job, slave, first = begun(world)
    world.steer("log_out", slave)
    with pytest.raises(StaleReport):
        world.report(slave, want=1, running={first.attempt: 1}, seq=slave.seq + 100)
    assert world.slave_state(slave) == "offline"
    assert world.counts(job) == {"ready": 10}
    world.log_in(slave)
    assert world.report(slave, want=1).leases
