"""What we survive, first part: real processes, killed for real."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from farm.protocol.jobs import JobCommand
from farm.words.states import AttemptState, FailureClass, FrameState, JobState, SlaveState
from tests.farm.farm import Farm, running


def numbers(farm: Farm, job: int) -> list[int]:
    return [file.frame for file in farm.output(job)]


def test_a_job_is_rendered_and_every_frame_has_one_file(farm: Farm) -> None:
    farm.start_slave(slots="2")
    job = farm.sleep_job("1-20", seconds=0.05)
    view = farm.ended(job)
    assert view.state is JobState.DONE
    assert view.counts.done == 20
    assert numbers(farm, job) == list(range(1, 21))
    assert farm.audit() == []


def test_the_server_killed_in_mid_job_goes_on_where_it_was(farm: Farm) -> None:
    farm.start_slave("ws01")
    farm.start_slave("ws02")
    job = farm.sleep_job("1-60", seconds=0.1)
    for done in (5, 25):
        farm.done_frames(job, done)
        farm.server.kill()
        time.sleep(random.uniform(0, 0.5))
        farm.start_server()
    assert farm.ended(job, 90).state is JobState.DONE
    assert numbers(farm, job) == list(range(1, 61))
    assert farm.audit() == []


def test_a_killed_slaves_frames_are_rendered_by_another_and_it_leaves_no_process(farm: Farm) -> None:
    first = farm.start_slave("ws01")
    job = farm.sleep_job("1-12", seconds=0.5)
    farm.done_frames(job, 2)
    first.kill()
    killed = time.monotonic()
    farm.until(lambda: not first.descendants(), 10, "no renderer of the killed slave is left")
    farm.start_slave("ws02")
    farm.until(
        lambda: farm.client.job(job).counts.leased == 0 or farm.client.job(job).counts.done > 2, 20, "frames are back"
    )
    assert farm.ended(job, 60).state is JobState.DONE
    assert time.monotonic() - killed < 60
    assert numbers(farm, job) == list(range(1, 13))
    assert farm.audit() == []


def test_a_slave_that_is_killed_and_started_again_goes_on(lite_farm: Farm) -> None:
    farm = lite_farm
    slave = farm.start_slave()
    job = farm.sleep_job("1-20", seconds=0.2)
    farm.done_frames(job, 4)
    slave.kill()
    farm.start_slave()
    assert farm.ended(job, 90).state is JobState.DONE
    assert numbers(farm, job) == list(range(1, 21))
    assert farm.audit() == []


def test_one_failing_frame_fails_with_its_reason_and_the_others_are_done(farm: Farm) -> None:
    farm.start_slave()
    job = farm.sleep_job("1-8", fail_frames="5", seconds=0.05)
    view = farm.ended(job)
    assert view.state is JobState.FAILED
    assert (view.counts.done, view.counts.failed) == (7, 1)
    frame = farm.client.frame(job, 5)
    assert frame.state is FrameState.FAILED
    assert "5" in frame.message
    assert all(a.failure_class is FailureClass.JOB for a in frame.attempts)
    assert farm.audit() == []


def test_a_crashing_renderer_is_the_slaves_fault_and_the_job_still_ends(lite_farm: Farm) -> None:
    farm = lite_farm
    farm.start_slave("ws01")
    farm.start_slave("ws02")
    job = farm.sleep_job("1-6", crash_frames="4", seconds=0.05)
    view = farm.ended(job)
    assert view.state is JobState.FAILED
    assert (view.counts.done, view.counts.failed) == (5, 1)
    attempts = farm.client.frame(job, 4).attempts
    assert {a.failure_class for a in attempts if a.state is AttemptState.FAILED} == {FailureClass.SLAVE}
    assert "Frame 4 was told to crash." in farm.client.log(job, 4), "its last words are kept"
    assert farm.audit() == []


def test_a_hung_renderer_is_ended_by_the_silence_limit(lite_farm: Farm) -> None:
    farm = lite_farm
    slave = farm.start_slave("ws01")
    job = farm.sleep_job("1-4", hang_frames="2", seconds=0.05, limits={"silence_seconds": 1})
    view = farm.ended(job, 90)
    assert view.state is JobState.FAILED
    assert view.counts.done == 3
    assert "job" in view.message or "frame" in farm.client.frame(job, 2).message.lower()
    slave.stop()
    assert not slave.descendants()


def test_a_renderer_that_needs_more_memory_than_it_may_is_stopped_and_the_others_are_done(tmp_path: Path) -> None:
    with running(tmp_path, attempts_limit="2", quick=True) as farm:
        slave = farm.start_slave("ws01", memory="200MB")
        job = farm.sleep_job("1-4", hungry_frames="2", seconds=0.05)
        view = farm.ended(job, 90)
        assert (view.state, view.counts.done, view.counts.failed) == (JobState.FAILED, 3, 1)
        tried = farm.client.frame(job, 2)
        assert "ran out of memory" in tried.message
        assert {a.failure_class for a in tried.attempts} == {FailureClass.SLAVE}
        slave.stop()
        assert not slave.descendants()


def test_a_job_that_names_no_limits_has_the_servers(tmp_path: Path) -> None:
    with running(tmp_path, silence_seconds="1", attempts_limit="2", quick=True) as farm:
        farm.start_slave("ws01")
        farm.start_slave("ws02")
        job = farm.sleep_job("1-3", hang_frames="2", seconds=0.05)
        view = farm.ended(job)
        assert (view.counts.done, view.counts.failed) == (2, 1)
        tried = farm.client.frame(job, 2)
        assert "no progress for 1 s" in tried.message
        assert "silence-limit=" in tried.message
        assert {a.slave for a in tried.attempts} == {"ws01", "ws02"}, "each of the two had its try"


def test_a_stopped_slave_gives_its_work_back_at_once(lite_farm: Farm) -> None:
    farm = lite_farm
    slave = farm.start_slave()
    job = farm.sleep_job("1-30", seconds=0.3)
    farm.done_frames(job, 4)
    slave.stop()
    view = farm.client.job(job)
    assert view.counts.leased == 0
    assert not slave.descendants()
    assert farm.client.slaves()[0].state is SlaveState.OFFLINE


def test_a_canceled_job_stops_its_renderers_and_a_retry_revives_it(lite_farm: Farm) -> None:
    farm = lite_farm
    farm.start_slave()
    job = farm.sleep_job("1-40", seconds=0.2)
    farm.done_frames(job, 3)
    farm.client.command(job, "cancel")
    view = farm.ended(job)
    assert view.state is JobState.CANCELED
    done = view.counts.done
    time.sleep(1)
    assert farm.client.job(job).counts.done == done
    farm.client.command(job, "retry", JobCommand())
    assert farm.ended(job).counts.done == 40
    assert numbers(farm, job) == list(range(1, 41))


def test_a_paused_job_gives_out_nothing_until_it_is_resumed(lite_farm: Farm) -> None:
    farm = lite_farm
    farm.start_slave()
    job = farm.sleep_job("1-30", seconds=0.1)
    farm.done_frames(job, 3)
    farm.client.command(job, "pause")
    farm.until(lambda: farm.client.job(job).counts.leased == 0, 10, "the leased frames are finished")
    # One that rendered is still taken.
    farm.until(lambda: all(s.state is SlaveState.IDLE for s in farm.client.slaves()), 30, "the slave renders nothing")
    done = farm.client.job(job).counts.done
    time.sleep(0.7)
    view = farm.client.job(job)
    assert (view.state, view.counts.done) == (JobState.PAUSED, done)
    farm.client.command(job, "resume")
    assert farm.ended(job).state is JobState.DONE


def test_a_job_waits_for_approval_after_its_probes(lite_farm: Farm) -> None:
    farm = lite_farm
    farm.start_slave()
    job = farm.sleep_job("1-9", approval=True)
    view = farm.reached(job, JobState.PAUSED)
    assert view.counts.done == 3
    assert numbers(farm, job) == [1, 5, 9]
    assert any("approv" in reason for reason in view.waiting)
    farm.client.command(job, "approve")
    assert farm.ended(job).counts.done == 9


def test_a_job_that_no_slave_can_render_says_so(lite_farm: Farm) -> None:
    job = lite_farm.sleep_job("1-3")
    waiting = lite_farm.client.job(job).waiting
    assert waiting == ["The farm has no slaves yet."]


@pytest.mark.soak
def test_a_server_killed_again_and_again_loses_and_doubles_nothing(farm: Farm) -> None:
    for name in ("ws01", "ws02", "ws03"):
        farm.start_slave(name, slots="2")
    job = farm.sleep_job("1-2000", seconds=0.02)
    kills = 0
    while farm.client.job(job).state not in (JobState.DONE, JobState.FAILED) and kills < 40:
        time.sleep(random.uniform(0.05, 1.5))
        farm.server.kill()
        farm.start_server()
        kills += 1
    assert farm.ended(job, 300).state is JobState.DONE
    assert numbers(farm, job) == list(range(1, 2001))
    assert farm.audit() == []
