"""What people do to a job."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from farm.database.schema import attempts, events, frames, jobs, tallies
from farm.scheduler import bulk, tally
from farm.scheduler.frames import chunks, insert_frames
from farm.scheduler.jobstate import Growth
from farm.words.errors import FrameNotFound, JobNotFound, WrongState
from farm.words.ranges import FrameRange
from farm.words.states import FailureClass, PauseReason
from tests.scheduler.world import World, frames_of, numbers_of


def rendered(world: World, text: str = "1-4") -> int:
    job, slave = world.job(text), world.slave("ws01", slots=8)
    while world.state(job) in {"queued", "rendering"}:
        world.render(slave, want=8)
    return job


def test_frames_are_inserted_as_the_range_says(world: World) -> None:
    text = "1-250x2,300,400-1500x7,2000-2003,9999"
    job = world.job(text, queued=False)
    stored = world.database.read_now(
        lambda c: list(c.execute(select(frames.c.number).order_by(frames.c.number)).scalars())
    )
    assert stored == list(FrameRange.parse(text))
    assert world.counts(job) == {"ready": len(stored)}


def test_frames_come_in_chunks_and_twice_is_once(world: World) -> None:
    job = world.job("1-10", queued=False)
    for part in [*chunks(FrameRange.parse("5-25000"), 4000), FrameRange.parse("5-100")]:
        world.database.write_now(lambda c, part=part: insert_frames(c, job, part, 0))  # type: ignore[misc]
    assert world.counts(job) == {"ready": 25_000}


def test_a_job_is_queued_once(world: World) -> None:
    with pytest.raises(WrongState):
        world.act("queue", world.job())


def test_a_receiving_job_leases_nothing(world: World) -> None:
    world.job(queued=False)
    assert not world.report(world.slave("ws01"), want=1).leases


def test_cancel_revokes_what_is_leased_and_refuses_its_result(world: World) -> None:
    job, slave = world.job("1-10"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    world.act("cancel", job)
    assert world.state(job) == "canceled"
    assert world.counts(job) == {"canceled": 10}
    orders = world.report(slave, done=[got.attempt])
    assert orders.verdicts[0].verdict == "refused"


def test_a_slave_is_told_to_stop_what_was_canceled(world: World) -> None:
    job, slave = world.job("1-10"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    world.act("cancel", job)
    assert world.report(slave, running={got.attempt: 1}).revoked == [got.attempt]


def test_a_canceled_job_keeps_what_was_done_and_retry_revives_the_rest(world: World) -> None:
    job, slave = world.job("1-4"), world.slave("ws01")
    world.render(slave)
    world.act("cancel", job)
    assert world.counts(job) == {"done": 1, "canceled": 3}
    world.act("retry", job, None)
    assert world.state(job) == "queued"
    assert world.counts(job) == {"ready": 3, "done": 1}


def test_retry_without_anything_to_retry_says_so(world: World) -> None:
    job = rendered(world)
    with pytest.raises(WrongState):
        world.act("retry", job, None)
    with pytest.raises(FrameNotFound):
        world.act("retry", job, FrameRange.parse("77"))


def test_retry_of_named_done_frames_renders_them_again(world: World) -> None:
    job = rendered(world)
    old = world.frame(job, 2).result_attempt
    world.act("retry", job, FrameRange.parse("2"))
    assert world.state(job) == "queued"
    assert world.frame(job, 2).result_attempt is None
    assert world.attempt_state(old) == "late"
    assert world.render(world.agents["ws01"]) == [2]
    assert world.state(job) == "done"
    assert world.frame(job, 2).result_attempt != old


def test_retry_forgives_old_failures(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    for _ in range(2):
        for _ in range(5):
            got = frames_of(world.report(slave, want=1))
            world.report(slave, failed={got[0].attempt: FailureClass.SLAVE})
        assert world.state(job) == "failed"
        world.pass_time(1)
        world.act("retry", job, None)
    assert world.render(slave) == [1]
    assert world.state(job) == "done"


def test_resume_and_pause_say_what_is_wrong(world: World) -> None:
    job = rendered(world)
    for verb, more in (("pause", [PauseReason.USER]), ("resume", []), ("approve", []), ("cancel", [])):
        with pytest.raises(WrongState):
            world.act(verb, job, *more)


def test_a_paused_job_ends_when_its_last_frame_comes_in(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))
    world.act("pause", job, PauseReason.USER)
    world.report(slave, done=[got[0].attempt])
    assert world.state(job) == "done"


def test_added_frames_are_rendered_even_when_the_job_was_done(world: World) -> None:
    job = rendered(world, "1-4")
    world.act("add_frames", job, [Growth(FrameRange.parse("3-6"))])
    assert world.state(job) == "queued"
    assert world.job_row(job).frames == "1-6"
    assert numbers_of(world.report(world.agents["ws01"], want=8)) == [5, 6]


def test_a_revived_job_whose_probes_are_done_waits_for_approval(world: World) -> None:
    job, slave = world.job("1-10", approval=True), world.slave("ws01", slots=3)
    got = frames_of(world.report(slave, want=3))
    world.act("pause", job, PauseReason.USER)
    world.report(slave, done=[f.attempt for f in got])
    world.act("cancel", job)
    world.act("retry", job, None)
    assert world.state(job) == "paused/approval"


def test_a_deleted_job_leaves_a_tombstone(world: World) -> None:
    job, slave = world.job("1-10"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))[0]
    world.act("delete", job)
    assert world.state(job) == "deleted"
    for table in (frames, attempts, tallies):
        assert not world.database.read_now(
            lambda c, table=table: c.execute(select(func.count()).select_from(table).where(table.c.job == job)).scalar()  # type: ignore[misc]
        )
    assert world.report(slave, running={got.attempt: 1}).revoked == [got.attempt]
    with pytest.raises(JobNotFound):
        world.act("pause", job, PauseReason.USER)
    assert world.job() == job + 1


def test_the_sweep_removes_a_large_deleted_job_bit_by_bit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PURGED", 300)
    job = world.job("1-1000")
    world.act("delete", job)
    for _ in range(5):
        world.sweep()
    assert not world.database.read_now(lambda c: c.execute(select(func.count()).select_from(frames)).scalar())
    assert not world.database.read_now(lambda c: c.execute(select(func.count()).select_from(tallies)).scalar())


def test_the_sweep_ends_a_job_that_two_processes_left_to_each_other(world: World) -> None:
    job = rendered(world)
    world.database.write_now(
        lambda c: c.execute(jobs.update().where(jobs.c.number == job).values(state="rendering")) and None
    )
    world.sweep()
    assert world.state(job) == "done"


def test_an_abandoned_receiving_job_expires(world: World) -> None:
    job = world.job(queued=False)
    world.pass_time(world.policy.receiving_seconds + 1)
    world.sweep()
    assert world.state(job) == "deleted"


def test_shards_of_many_writers_are_folded(world: World) -> None:
    job = world.job("1-10")

    def scatter(conn) -> None:
        for writer in range(100, 120):
            conn.execute(tallies.insert(), {"job": job, "writer": writer, "ready": writer, "done": -writer})
        conn.execute(
            tallies.insert(), {"job": job, "writer": 200, "ready": -sum(range(100, 120)), "done": sum(range(100, 120))}
        )

    world.database.write_now(scatter)
    assert world.database.write_now(tally.fold) == 1
    assert world.counts(job) == {"ready": 10}


def test_events_tell_what_happened(world: World) -> None:
    job, slave = world.job("1-2"), world.slave("ws01")
    world.render(slave)
    rows = world.database.read_now(
        lambda c: c.execute(select(events).where(events.c.job == job).order_by(events.c.seq)).all()
    )
    told = [(row.kind, row.data) for row in rows]
    assert told == [
        ("job", '{"state": "queued", "pause_reason": null}'),
        ("job", '{"pinned": "4.5.2", "state": "rendering", "pause_reason": null}'),
        ("frames", '{"ranges": {"leased": "1"}}'),
        ("frames", '{"ranges": {"done": "1"}}'),
    ]
