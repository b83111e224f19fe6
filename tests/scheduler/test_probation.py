"""Reliability as the scheduler counts it, and what it means among strangers."""

from __future__ import annotations

import pytest

from farm.accounts import slavekeys
from farm.accounts.identity import Identity
from farm.protocol.accounts import Role
from farm.scheduler.policy import Policy
from farm.words.errors import Unauthenticated
from farm.words.states import FailureClass
from tests.scheduler.world import Agent, World, frames_of


@pytest.fixture
def strangers(world: World) -> World:
    world.policy = Policy(strangers=True)
    return world


def counts(world: World, agent: Agent) -> tuple[float, float]:
    row = world.slave_row(agent)
    return round(row.good, 1), round(row.bad, 1)


def test_accepted_results_and_own_failures_count_and_nothing_else_does(world: World) -> None:
    world.job("1-20")
    agent = world.slave("ws1")
    world.render(agent)
    for fault in (FailureClass.SLAVE, FailureClass.FARM, FailureClass.JOB):
        got = frames_of(world.report(agent, want=1))
        world.report(agent, failed={got[0].attempt: fault}, returned=[f.attempt for f in got[1:]])
    assert counts(world, agent) == (1, 1)


def test_too_little_memory_for_a_job_is_no_mark_against_a_machine(world: World) -> None:
    world.job("1-3")
    agent = world.slave("ws1")
    got = frames_of(world.report(agent, want=1))
    world.report(agent, failed={got[0].attempt: FailureClass.SLAVE}, short=True)
    assert counts(world, agent) == (0, 0)


def test_a_result_that_is_told_twice_counts_once(world: World) -> None:
    world.job("1-3")
    agent = world.slave("ws1")
    got = frames_of(world.report(agent, want=1))
    for _ in range(2):
        world.report(agent, done=[got[0].attempt])
    assert counts(world, agent) == (1, 0)


def test_a_new_key_ends_the_old_ones_calls_at_once_whichever_process_they_reach(world: World) -> None:
    world.job("1-3")
    agent = world.slave("ws1")
    assert world.report(agent, want=1).leases
    owner = Identity(world.owner, "anna", Role.USER, b"")
    world.database.write_now(lambda c: slavekeys.make(c, "ws1", owner, world.at))
    with pytest.raises(Unauthenticated, match="new key"):
        world.report(agent)
    world.log_in(agent)
    assert world.report(agent, want=1).leases


def lease(world: World, agent: Agent) -> int:
    return len(frames_of(world.report(agent, want=1)))


def test_among_strangers_a_new_slave_gets_single_frames_until_it_has_shown_that_it_works(strangers: World) -> None:
    strangers.job("1-200")
    agent = strangers.slave("ws1", contained=True)
    assert [len(strangers.render(agent, seconds=0.1)) for _ in range(3)] == [1, 1, 1]
    assert lease(strangers, agent) > 1


def test_among_strangers_a_slave_that_fails_gets_single_frames_again(strangers: World) -> None:
    strangers.job("1-200")
    agent = strangers.slave("ws1", contained=True, good=10.0, bad=9.0, judged=strangers.at)
    strangers.render(agent, seconds=0.1)
    assert lease(strangers, agent) == 1


def test_in_a_studio_there_is_no_probation(world: World) -> None:
    world.job("1-200")
    agent = world.slave("ws1")
    world.render(agent, seconds=0.1)
    assert lease(world, agent) > 1


def test_a_slave_on_probation_is_not_asked_to_be_faster_than_a_straggler(strangers: World) -> None:
    strangers.job("1-3")
    slow = strangers.slave("slow", contained=True)
    new, known = strangers.slave("new", contained=True), strangers.slave("known", contained=True, good=50.0)
    for agent in (new, known):
        strangers.render(agent, seconds=1)
    got = frames_of(strangers.report(slow, want=1))
    strangers.pass_time(10)
    strangers.report(slow, running={got[0].attempt: 10})
    assert not strangers.report(new, want=1).leases
    assert strangers.report(known, want=1).leases
