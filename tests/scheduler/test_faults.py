"""Failures, lost slaves, late results: nothing is lost, nothing counts twice, a job always ends."""

from __future__ import annotations

import pytest

from farm.scheduler.policy import Policy
from farm.words.states import FailureClass
from tests.scheduler.world import Agent, World, frames_of, numbers_of

JOB, SLAVE, FARM = FailureClass.JOB, FailureClass.SLAVE, FailureClass.FARM


def fail(world: World, agent: Agent, fault: FailureClass, want: int = 1) -> list[int]:
    got = frames_of(world.report(agent, want=want))
    world.report(agent, failed={f.attempt: fault for f in got})
    return [f.number for f in got]


def test_a_frame_fails_when_two_slaves_failed_it_by_the_jobs_fault(world: World) -> None:
    job = world.job("1")
    first, second, _third = world.slave("ws01"), world.slave("ws02"), world.slave("ws03")
    assert fail(world, first, JOB) == [1]
    assert world.counts(job) == {"ready": 1}
    assert fail(world, first, JOB) == [], "who failed it leaves it to the others"
    assert fail(world, second, JOB) == [1]
    assert world.state(job) == "failed"
    assert world.job_row(job).message == "Frame 1 of job 1: no camera"


def test_a_frame_fails_at_once_when_only_one_slave_fits(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    fail(world, slave, JOB)
    assert world.state(job) == "failed"
    assert world.frame(job, 1).message == "Frame 1 of job 1: no camera"


def test_a_job_pauses_when_all_probes_failed_by_its_own_fault(world: World) -> None:
    job, slave = world.job("1-10"), world.slave("ws01", slots=3)
    fail(world, slave, JOB, want=3)
    assert world.state(job) == "paused/fault"
    assert world.counts(job) == {"ready": 7, "failed": 3}
    assert "no camera" in world.job_row(job).message
    world.act("resume", job)
    assert world.state(job) == "rendering"


def test_a_job_goes_on_when_something_succeeded(world: World) -> None:
    job, slave = world.job("1-10"), world.slave("ws01")
    world.render(slave)
    fail(world, slave, JOB)
    fail(world, slave, JOB)
    assert world.state(job) == "rendering"


def test_the_slaves_fault_sends_a_frame_elsewhere(world: World) -> None:
    world.job("1")
    first, second = world.slave("ws01"), world.slave("ws02")
    assert fail(world, first, SLAVE) == [1]
    assert fail(world, first, SLAVE) == []
    assert numbers_of(world.report(second, want=1)) == [1]


def test_the_only_slave_tries_five_times(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    for _ in range(5):
        assert world.state(job) in {"queued", "rendering"}
        assert fail(world, slave, SLAVE) == [1]
    assert world.state(job) == "failed"


def test_a_slave_that_failed_three_times_is_avoided_while_others_fit(world: World) -> None:
    world.job("1-50")
    first, second = world.slave("ws01"), world.slave("ws02")
    for _ in range(3):
        assert fail(world, first, SLAVE)
    assert fail(world, first, SLAVE) == []
    assert world.report(second, want=1).leases
    world.steer("log_out", second)
    assert world.report(first, want=1).leases


def test_the_farms_fault_waits_longer_each_time_and_gives_up_after_twenty(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    assert fail(world, slave, FARM) == [1]
    assert fail(world, slave, FARM) == []
    for _ in range(19):
        world.pass_time(61)
        assert fail(world, slave, FARM) == [1]
    assert world.state(job) == "failed"


def test_a_slave_that_fails_in_two_users_jobs_is_sick_and_healed_by_a_frame(world: World) -> None:
    ben = world.user("ben")
    world.job("1-10"), world.job("1-10", owner=ben, priority=80)
    slave, _other = world.slave("ws01"), world.slave("ws02")
    fail(world, slave, SLAVE, want=11)
    assert world.slave_state(slave) == "sick"
    assert not world.report(slave, want=1).leases
    world.pass_time(61)
    got = frames_of(world.report(slave, want=4))
    assert len(got) == 1
    world.report(slave, done=[got[0].attempt])
    assert world.slave_state(slave) == "idle"


def test_a_silent_slave_is_lost_and_its_frame_rendered_elsewhere(world: World) -> None:
    job, first = world.job("1"), world.slave("ws01")
    lost = frames_of(world.report(first, want=1))[0]
    world.pass_time(16)
    second = world.slave("ws02")
    world.sweep()
    assert world.slave_state(first) == "offline"
    assert world.attempt_state(lost.attempt) == "lost"
    world.pass_time(2)
    world.render(second)
    assert world.state(job) == "done"


def test_a_late_result_of_a_lost_slave_counts_if_it_is_the_first(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    lost = frames_of(world.report(slave, want=1))[0]
    world.pass_time(16)
    world.sweep()
    assert world.report(slave, done=[lost.attempt]).verdicts[0].verdict == "accepted"
    assert world.state(job) == "done"


def test_a_late_result_counts_once(world: World) -> None:
    job, first = world.job("1"), world.slave("ws01")
    lost = frames_of(world.report(first, want=1))[0]
    world.pass_time(16)
    second = world.slave("ws02")
    world.sweep()
    world.pass_time(2)
    world.render(second)
    assert world.report(first, done=[lost.attempt]).verdicts[0].verdict == "late"
    assert world.counts(job) == {"done": 1}
    assert world.attempt_state(lost.attempt) == "late"


def test_a_late_result_heals_a_failed_frame_and_its_job(world: World) -> None:
    world.policy = Policy(farm_attempts_limit=1)
    job, slave = world.job("1"), world.slave("ws01")
    lost = frames_of(world.report(slave, want=1))[0]
    world.pass_time(16)
    world.sweep()
    assert world.state(job) == "failed"
    assert world.report(slave, done=[lost.attempt]).verdicts[0].verdict == "accepted"
    assert world.state(job) == "done"


def test_who_said_that_an_attempt_failed_cant_be_paid_for_its_result_too(world: World) -> None:
    job = world.job("1")
    first, second = world.slave("ws01"), world.slave("ws02")
    got = frames_of(world.report(first, want=1))[0]
    world.report(first, failed={got.attempt: JOB})
    fail(world, second, JOB)
    assert world.state(job) == "failed"
    verdict = world.report(first, done=[got.attempt]).verdicts[0]
    assert (verdict.verdict, verdict.message) == ("refused", "This slave said that the attempt has failed.")
    assert world.counts(job) == {"failed": 1}
    assert world.faults() == []


def test_a_slave_that_was_away_for_a_while_goes_on_with_its_frame(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    world.pass_time(16)
    world.sweep()
    orders = world.report(slave, running={got.attempt: 16})
    assert not orders.revoked
    assert world.counts(job) == {"leased": 1}
    assert world.attempt_state(got.attempt) == "open"


def test_what_another_has_by_now_is_dropped_if_it_was_not_begun(world: World) -> None:
    world.job("1")
    first = world.slave("ws01")
    got = frames_of(world.report(first, want=1))[0]
    world.pass_time(16)
    second = world.slave("ws02")
    world.sweep()
    world.pass_time(2)
    assert numbers_of(world.report(second, want=1)) == [1]
    assert world.report(first).revoked == [got.attempt]


def test_a_reporting_slave_keeps_its_frames_for_hours(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    for beat in range(400):
        world.pass_time(14)
        world.report(slave, running={got.attempt: 14.0 * beat})
        if beat % 20 == 0:
            world.sweep()
    assert world.counts(job) == {"leased": 1}


def test_a_paused_slave_that_falls_silent_loses_its_frames_too(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    world.report(slave, want=1)
    world.steer("pause", slave)
    world.pass_time(120)
    world.sweep()
    assert world.counts(job) == {"ready": 1}
    assert world.slave_state(slave) == "paused"


def test_a_slave_that_starts_anew_gives_back_what_it_had(world: World) -> None:
    job, slave = world.job("1-2"), world.slave("ws01")
    world.report(slave, want=1)
    world.log_in(slave)
    assert world.counts(job) == {"ready": 2}


def test_a_result_of_somebody_elses_attempt_is_refused(world: World) -> None:
    job = world.job("1-2")
    first, second = world.slave("ws01"), world.slave("ws02")
    got = frames_of(world.report(first, want=1))[0]
    assert world.report(second, done=[got.attempt, 999_999]).verdicts[0].verdict == "refused"
    assert world.counts(job) == {"ready": 1, "leased": 1}


def test_a_result_that_was_not_staged_is_asked_for_again(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    assert world.report(slave, done=[got.attempt], stage=False).verdicts[0].verdict == "again"
    assert world.counts(job) == {"leased": 1}
    assert world.report(slave, done=[got.attempt]).verdicts[0].verdict == "accepted"


def test_a_failure_of_an_attempt_that_is_over_means_nothing(world: World) -> None:
    job, slave = world.job("1-2"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    world.report(slave, done=[got.attempt])
    world.report(slave, failed={got.attempt: JOB})
    assert world.counts(job) == {"ready": 1, "done": 1}


def test_two_processes_end_a_job_together(world: World) -> None:
    pytest.importorskip("threading")
    from concurrent.futures import ThreadPoolExecutor

    from farm.database.handle import Database

    other = World.__new__(World)
    other.__dict__ = dict(world.__dict__)
    other.database = Database.open(world.database.url)
    job = world.job("1-60")
    agents = [world.slave(f"ws{n}") for n in range(6)]

    def work(place: World, agent: Agent) -> None:
        while place.state(job) in {"queued", "rendering"}:
            place.render(agent, seconds=0.5)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, [world, other] * 3, agents))
    other.database.close()
    assert world.state(job) == "done"
    assert world.counts(job) == {"done": 60}
