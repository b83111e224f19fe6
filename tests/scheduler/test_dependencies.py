"""Frames that wait for frames: set free, failed, revived and canceled with them, in one job and across jobs."""

from __future__ import annotations

import pytest

from farm.scheduler import bulk, ripples
from farm.scheduler.jobstate import Growth
from farm.words.ranges import FrameRange
from farm.words.states import FailureClass
from tests.scheduler.world import World, frames_of, numbers_of

CHAIN = [("2-5", 0, "1-4", True)]


def fail(world: World, job: int, number: int) -> None:
    """Let a frame fail for good, by the job's own fault: as on two slaves."""
    agents = [world.slave(f"bad{job}{number}{n}", slots=8) for n in range(2)]
    for agent in agents:
        got = frames_of(world.report(agent, want=8))
        bad = {f.attempt: FailureClass.JOB for f in got if f.number == number and agent.holding[f.attempt][0] == job}
        world.report(agent, failed=bad, returned=[f.attempt for f in got if f.attempt not in bad])
    assert world.frame(job, number).state == "failed"


def states(world: World, job: int, numbers: str) -> list[str]:
    return [world.frame(job, number).state for number in FrameRange.parse(numbers)]


def test_a_chain_is_rendered_one_after_the_other(world: World) -> None:
    job, slave = world.job("1-5", waits=CHAIN), world.slave("ws01", slots=8)
    assert world.counts(job) == {"blocked": 4, "ready": 1}
    assert [world.render(slave, want=8) for _ in range(5)] == [[1], [2], [3], [4], [5]]
    assert world.state(job) == "done"


def test_a_frame_is_free_in_the_answer_to_the_result_that_it_waited_for(world: World) -> None:
    _, slave = world.job("1-5", waits=CHAIN), world.slave("ws01")
    (first,) = frames_of(world.report(slave, want=1))
    assert numbers_of(world.report(slave, done=[first.attempt], want=1)) == [2]


def test_a_frame_that_waits_for_all_others_comes_last(world: World) -> None:
    job, slave = world.job("1-9", waits=[("9", 0, "1-8", False)]), world.slave("ws01", slots=3)
    rendered = [world.render(slave, want=3) for _ in range(4)]
    assert rendered[-1] == [9]
    assert world.state(job) == "done"


def test_tiles_are_waited_for_group_by_group(world: World) -> None:
    _, slave = world.job("1-15", waits=[("13-15", 0, "1-12", True)]), world.slave("ws01")
    for number in (12, 9, 11, 1, 10):
        orders = frames_of(world.report(slave, want=12))
        done = [f.attempt for f in orders if f.number == number]
        world.report(slave, done=done, returned=[f.attempt for f in orders if f.attempt not in done])
    assert world.frame(1, 15).state == "ready"
    assert states(world, 1, "13-14") == ["blocked", "blocked"]


def test_frames_wait_for_the_same_ones_of_another_job(world: World) -> None:
    layer, slave = world.job("1-3"), world.slave("ws01", slots=4)
    world.report(slave, done=[f.attempt for f in frames_of(world.report(slave, want=1))])
    over = world.job("1-3", waits=[("1-3", layer, "1-3", True)], priority=90)
    assert states(world, over, "1-3") == ["ready", "blocked", "blocked"]
    world.render(slave, want=4)
    assert states(world, over, "1-3") == ["done", "ready", "ready"]


def test_a_job_that_waits_for_all_of_a_done_job_is_ready_at_once(world: World) -> None:
    layer, slave = world.job("1-3"), world.slave("ws01", slots=4)
    world.render(slave, want=4)
    assert world.counts(world.job("1-4", waits=[("1-4", layer, "1-3", False)])) == {"ready": 4}


def test_what_waits_for_all_of_a_job_waits_for_frames_that_come_later_and_is_done_again(world: World) -> None:
    layer, slave = world.job("1-3"), world.slave("ws01", slots=8)
    video = world.job("1", waits=[("1", layer, "1-3", False)])
    part = world.job("1", waits=[("1", layer, "2-3", False)])
    world.render(slave, want=8)
    world.render(slave, want=8)
    assert [world.state(job) for job in (layer, video, part)] == ["done", "done", "done"]
    world.act("add_frames", layer, [Growth(FrameRange.parse("3-5"))])
    assert states(world, video, "1") == ["blocked"]
    assert [world.state(job) for job in (layer, video, part)] == ["queued", "queued", "done"]
    world.render(slave, want=8)
    world.render(slave, want=8)
    assert [world.state(job) for job in (layer, video, part)] == ["done", "done", "done"]
    world.act("add_frames", layer, [Growth(FrameRange.parse("9"))])  # it knows of those that came before
    assert states(world, video, "1") == ["blocked"]
    world.act("retry", layer, FrameRange.parse("4"))
    assert states(world, layer, "4,9") == ["ready", "ready"]
    world.render(slave, want=1)
    assert states(world, video, "1") == ["blocked"]
    world.render(slave, want=8)
    world.render(slave, want=8)
    assert world.state(video) == "done"
    assert world.faults() == []


def test_what_waits_for_a_failed_frame_fails_with_the_reason_and_retry_heals_the_chain(world: World) -> None:
    job = world.job("1-5", waits=CHAIN)
    world.render(world.slave("ws01"))
    fail(world, job, 2)
    assert world.state(job) == "failed"
    assert states(world, job, "1-5") == ["done", "failed", "failed", "failed", "failed"]
    assert world.frame(job, 5).message == f"It needs frame 2 of job {job}, which failed."
    world.act("retry", job, FrameRange.parse("2"))
    assert states(world, job, "1-5") == ["done", "ready", "blocked", "blocked", "blocked"]
    assert [world.render(world.agents["ws01"]) for _ in range(4)] == [[2], [3], [4], [5]]
    assert world.state(job) == "done"


def test_retrying_all_that_failed_heals_it_too(world: World) -> None:
    job = world.job("1-5", waits=CHAIN)
    fail(world, job, 1)
    world.act("retry", job, None)
    assert world.counts(job) == {"blocked": 4, "ready": 1}


def test_retrying_what_waits_for_a_failed_frame_fails_it_again_with_the_reason(world: World) -> None:
    job = world.job("1-3", waits=[("2-3", 0, "1-2", True)])
    fail(world, job, 1)
    world.act("retry", job, FrameRange.parse("3"))
    assert world.state(job) == "failed"
    assert world.frame(job, 3).message == f"It needs frame 2 of job {job}, which failed."


def test_a_frame_that_is_done_again_has_all_that_came_of_it_done_again(world: World) -> None:
    job, slave = world.job("1-4", waits=[("4", 0, "1-3", False)]), world.slave("ws01", slots=4)
    film = world.job("1", waits=[("1", job, "1-4", False)])
    while world.state(film) != "done":
        world.render(slave, want=4)
    world.act("retry", job, FrameRange.parse("2"))
    assert states(world, job, "1-4") == ["done", "ready", "done", "blocked"]
    assert (world.state(film), world.frame(film, 1).state) == ("queued", "blocked")
    assert [world.render(slave, want=4) for _ in range(3)] == [[2], [4], [1]]
    assert (world.state(job), world.state(film)) == ("done", "done")


def test_a_dependent_that_renders_is_stopped_when_what_it_needs_is_done_again(world: World) -> None:
    job, slave = world.job("1-2", waits=[("2", 0, "1", True)]), world.slave("ws01")
    world.render(slave)
    (second,) = frames_of(world.report(slave, want=1))
    world.act("retry", job, FrameRange.parse("1"))
    assert world.report(slave, running={second.attempt: 1.0}).revoked == [second.attempt]
    assert [v.verdict for v in world.report(slave, done=[second.attempt]).verdicts] == ["refused"]
    assert [world.render(slave) for _ in range(2)] == [[1], [2]]


def test_a_late_result_revives_what_was_given_up_for_it(world: World) -> None:
    job, slave = world.job("1-3", waits=[("2-3", 0, "1-2", True)]), world.slave("ws01")
    (first,) = frames_of(world.report(slave, want=1))
    for _ in range(2):
        world.pass_time(60)
        world.sweep()
    fail(world, job, 1)
    assert world.state(job) == "failed"
    world.log_in(slave)
    world.report(slave, done=[first.attempt])
    assert states(world, job, "1-3") == ["done", "ready", "blocked"]
    assert world.state(job) == "queued"


def test_deleting_a_job_fails_what_waits_for_it(world: World) -> None:
    layer = world.job("1-3")
    over = world.job("1-4", waits=[("1-3", layer, "1-3", True)])
    world.act("delete", layer)
    assert world.counts(over) == {"failed": 3, "ready": 1}
    assert world.frame(over, 2).message == f"It needs frames of job {layer}, which was deleted."
    world.act("retry", over, None)
    assert world.counts(over) == {"failed": 3, "ready": 1}


@pytest.mark.parametrize(("waiting", "became"), [(False, "failed"), (True, "blocked")])
def test_canceling_a_job_has_a_choice_for_what_waits_for_it(world: World, waiting: bool, became: str) -> None:
    layer = world.job("1-3")
    over = world.job("1-2", waits=[("1-2", layer, "1-3", False)])
    world.database.write_now(lambda c: bulk.cancel(c, layer, world.at, waiting=waiting))
    world.pass_time(120)
    world.sweep()
    assert states(world, over, "1-2") == [became, became]
    world.act("retry", layer, None)
    slave = world.slave("ws01", slots=3)
    while world.state(over) != "done":
        assert world.render(slave, want=3)


def test_a_canceled_chain_comes_back_as_it_was(world: World) -> None:
    job, slave = world.job("1-5", waits=CHAIN), world.slave("ws01")
    world.render(slave)
    world.act("cancel", job)
    assert world.counts(job) == {"done": 1, "canceled": 4}
    world.act("retry", job, None)
    assert world.counts(job) == {"done": 1, "blocked": 3, "ready": 1}


def test_probes_are_those_that_wait_for_no_frame_of_their_job(world: World) -> None:
    job, slave = world.job("1-9", waits=[("2-9", 0, "1-8", True)], approval=True), world.slave("ws01")
    assert world.render(slave) == [1]
    assert world.state(job) == "paused/approval"


def test_long_chains_fail_and_heal_a_piece_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ripples, "PIECE", 50)
    monkeypatch.setattr(bulk, "PIECE", 50)
    job = world.job("1-400", waits=[("2-400", 0, "1-399", True)])
    fail(world, job, 1)
    assert world.counts(job)["failed"] == 51
    while world.database.write_now(lambda c: bulk.work(c, world.at)):
        assert world.faults() == []
    assert world.counts(job) == {"failed": 400}
    assert world.state(job) == "failed"
    world.act("retry", job, FrameRange.parse("1"))
    while world.database.write_now(lambda c: bulk.work(c, world.at)):
        assert world.faults() == []
    assert world.counts(job) == {"ready": 1, "blocked": 399}


def test_a_job_whose_files_lie_under_others_asks_for_them_anew_when_these_are_made_again(world: World) -> None:
    bake, slave = world.job("9"), world.slave("ws01", slots=4)
    plain, job = (world.job("1-3", waits=[("1-3", bake, "9", False)], overlay=overlay) for overlay in (False, True))
    while world.state(job) != "done" or world.state(plain) != "done":
        world.render(slave, want=4)
    before = [world.job_row(number).revision for number in (plain, job)]
    world.act("retry", bake, FrameRange.parse("9"))
    assert states(world, job, "1-3") == ["blocked"] * 3
    assert [world.job_row(number).revision for number in (plain, job)] == [before[0], before[1] + 1]
    world.render(slave, want=1)
    (lease, *_) = (lease for lease in world.report(slave, want=4).leases if lease.job == job)
    assert lease.revision == before[1] + 1


def test_people_see_how_far_is_what_a_job_waits_for(world: World) -> None:
    bake, slave = world.job("9"), world.slave("ws01")
    job = world.job("1-3", waits=[("1-3", bake, "9", False)])
    assert world.why(job) == [f"Its frames wait for distren://home/{bake}."]
    (frame,) = frames_of(world.report(slave, want=1))
    world.report(slave, running={frame.attempt: 3.0})
    assert world.why(job) == [f"Its frames wait for distren://home/{bake} (frame 9, on ws01: 50 %)."]
    many = world.job("1-3", waits=[("2-3", 0, "1-2", True)])
    world.report(slave, done=[frame.attempt])
    while not world.counts(many).get("done"):
        world.render(slave)
    last = world.job("1", waits=[("1", many, "1-3", False)])
    assert world.why(last) == [f"Its frames wait for distren://home/{many} (1 of 3 frames done)."]
