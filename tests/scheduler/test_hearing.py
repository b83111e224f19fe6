"""Servers that were down, machines that slept, clocks that were set: no slave is lost for it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.engine import Connection

from farm.accounts import notices as notified
from farm.database import leaps
from farm.database.schema import notices
from farm.scheduler import standing
from farm.scheduler.hearing import Hearing
from farm.scheduler.policy import Policy
from farm.scheduler.sweep import sweep
from farm.server.periodic import SWEEP
from farm.server.policy import policy_of
from farm.words.clock import SECOND
from farm.words.notices import About, Way
from farm.words.settings import ServerSettings
from farm.words.states import FailureClass
from tests.scheduler.world import World, frames_of

HOUR = 3600 * SECOND


class Sweeps:
    """Sweeps of one process, whose time passes whatever its clock says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hearing = Hearing()
        self.passed = 0
        world.at += 10 * HOUR
        self.sweep()

    def sweep(self, seconds: float = 0, leap: int = 0) -> None:
        """Sweep after so many seconds; the clock was set by `leap` µs meanwhile."""
        self.passed += int(seconds * SECOND)
        self.world.at += int(seconds * SECOND) + leap
        self.hearing = self.hearing.now(self.world.at, self.passed, self.world.policy)
        now, since, policy = self.world.at, self.hearing.since, self.world.policy
        self.world.database.write_now(lambda conn: sweep(conn, now, policy, since))


@pytest.mark.parametrize("before", [0.0, 0.01, 0.5, 0.99])
def test_a_killed_slaves_frames_are_ready_again_within_15_seconds(world: World, before: float) -> None:
    """As a new server does it, with its own heartbeat and sweeps; killed right after a word, at any moment between two
    sweeps, as is worst."""
    world.policy = policy_of(ServerSettings())
    sweeps, job, slave = Sweeps(world), world.job("1-4"), world.slave("ws01")
    held = frames_of(world.report(slave, want=1))
    sweeps.sweep(SWEEP)
    world.report(slave, running={held[0].attempt: SWEEP})
    killed = world.at
    sweeps.sweep(SWEEP - before)
    while world.counts(job).get("leased"):
        assert world.at - killed < 60 * SECOND
        sweeps.sweep(SWEEP)
    assert world.counts(job) == {"ready": 4}
    assert 2 * world.policy.heartbeat_seconds * SECOND < world.at - killed < 15 * SECOND


@pytest.mark.parametrize("leap", [HOUR, -HOUR])
def test_a_clock_that_is_set_by_an_hour_loses_no_slave_and_no_lease(world: World, leap: int) -> None:
    sweeps, job, slave = Sweeps(world), world.job("1-2"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    sweeps.sweep(1, leap)
    for _ in range(4):
        sweeps.sweep(4)
        assert not world.report(slave, running={got.attempt: 4}).revoked
    assert world.counts(job) == {"ready": 1, "leased": 1}
    row = world.job_row(job)
    assert row.created <= row.started <= world.at, "no time lies in the future"


@pytest.mark.parametrize("leap", [HOUR, -HOUR])
def test_a_slave_that_falls_silent_when_the_clock_is_set_is_lost_in_time(world: World, leap: int) -> None:
    sweeps, job, slave = Sweeps(world), world.job("1-2"), world.slave("ws01")
    world.report(slave, want=1)
    sweeps.sweep(1, leap)
    for _ in range(16):
        sweeps.sweep(1)
    assert world.slave_state(slave) == "offline"
    assert world.counts(job) == {"ready": 2}


def test_a_server_that_was_down_for_an_hour_gives_its_slaves_time_to_come_back(world: World) -> None:
    job, slave = world.job("1-2"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    world.pass_time(3600)
    sweeps = Sweeps(world)
    sweeps.sweep(10)
    assert not world.report(slave, running={got.attempt: 3610}).revoked
    sweeps.sweep(10)
    assert world.counts(job) == {"ready": 1, "leased": 1}


def test_a_failure_after_the_clock_was_put_back_does_not_wait_for_an_hour(world: World) -> None:
    sweeps, _job, slave = Sweeps(world), world.job("1"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    world.report(slave, failed={got.attempt: FailureClass.FARM})
    sweeps.sweep(1, -HOUR)
    sweeps.sweep(2)
    assert world.report(slave, want=1).leases


def test_work_of_a_day_that_never_was_weighs_nothing_afterwards(world: World) -> None:
    """It would weigh up to 64 times as much, for all of that day, and a lease then would count as the last one."""
    sweeps, slave = Sweeps(world), world.slave("ws01")
    world.job("1-900")
    sweeps.sweep(1, 24 * HOUR + 5 * HOUR)
    for _ in range(3):
        got = frames_of(world.report(slave, want=1))
        world.pass_time(4)
        sweeps.passed += 4 * SECOND
        world.report(slave, done=[frame.attempt for frame in got], seconds=4)
    sweeps.sweep(1, -29 * HOUR)
    had = world.database.read_now(lambda conn: standing.read(conn, world.at)).user(world.owner)
    assert had.recent == 0
    assert had.served <= world.at


@pytest.mark.parametrize("leap", [24 * HOUR, -24 * HOUR])
def test_what_is_done_each_minute_goes_on_when_the_clock_is_set_by_a_day(world: World, leap: int) -> None:
    world.policy = replace(world.policy, receiving_seconds=120)
    sweeps = Sweeps(world)
    sweeps.sweep(1, leap)
    half = world.job("1-3", queued=False)
    for _ in range(4):
        sweeps.sweep(61)
    assert world.job_row(half).state == "deleted", "a job whose files never come expires in its time"


def test_no_half_job_expires_by_a_leap_of_the_clock(world: World) -> None:
    sweeps, half = Sweeps(world), world.job("1-3", queued=False)
    world.database.write_now(partial(leaps.look, at=world.at))
    sweeps.sweep(1, 30 * 24 * HOUR)
    sweeps.sweep(61)
    assert world.job_row(half).state == "receiving"
    sweeps.sweep(61, -30 * 24 * HOUR)
    assert world.job_row(half).state == "receiving"


def test_a_notification_does_not_wait_until_a_clock_that_was_put_back_is_there_again(world: World) -> None:
    sweeps = Sweeps(world)

    def subscribed(conn: Connection) -> None:
        notified.subscribe(conn, world.owner, Way.WEBHOOK, "https://example.org/hook", [About.SLAVE], "s", world.at)

    world.database.write_now(subscribed)
    sweeps.sweep(1, 24 * HOUR)
    waiting = {"subscription": 1, "at": world.at, "due": world.at + HOUR, "tries": 1, "about": About.SLAVE.value}
    row = {**waiting, "title": "t", "body": "b", "path": "/"}
    world.database.write_now(lambda conn: conn.execute(insert(notices), row) and None)
    sweeps.sweep(1, -24 * HOUR)
    at = world.at
    assert len(world.database.write_now(lambda conn: notified.due(conn, at))) == 1


@given(st.lists(st.sampled_from([0.5, 1.0, 2.0]), max_size=20))
def test_as_long_as_sweeps_follow_each_other_hearing_has_no_break(steps: list[float]) -> None:
    policy, now = Policy(), Hearing().now(1000 * SECOND, 0, Policy())
    began = now.since
    for step in steps:
        now = now.now(now.clock + int(step * SECOND), now.passed + int(step * SECOND), policy)
    assert now.since == began


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**12))
def test_a_pause_or_a_leap_begins_hearing_anew(leap: int, pause: int) -> None:
    policy, first = Policy(), Hearing().now(10**15, 0, Policy())
    then = first.now(first.clock + pause + leap, pause, policy)
    broken = pause > 5 * SECOND or abs(leap) > 2 * SECOND
    assert then.since == (then.clock if broken else first.since)
    assert replace(then, since=-1) == then.broken()
