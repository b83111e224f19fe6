"""Huge jobs are canceled, retried and deleted a piece at a time: nobody waits, a crash loses nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from farm.database.handle import Database
from farm.database.schema import attempts, frames, result_files, tallies
from farm.scheduler import bulk
from farm.words.errors import WrongState
from farm.words.ranges import FrameRange
from tests.scheduler.world import World, frames_of

PIECE = 100


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", PIECE)
    monkeypatch.setattr(bulk, "PURGED", PIECE)


def pieces(world: World, job: int) -> int:
    """Do what is left of a job's change; return in how many pieces."""
    count = 1
    while world.database.write_now(lambda c: bulk.go_on(c, job, world.at)):
        count += 1
        assert world.faults() == [], "also in between"
    return count


def killed(world: World) -> None:
    """Go on with another process, which knows nothing of the first."""
    url = world.database.url
    world.database.close()
    world.database = Database.open(url)


@pytest.fixture
def world(database_url: str) -> World:
    made = World(Database.open(database_url))
    yield made
    assert made.faults() == []
    made.database.close()


def sweep_up(world: World) -> None:
    for _ in range(40):
        world.pass_time(1)
        world.sweep()


def test_a_canceled_job_is_so_at_once_and_what_renders_is_stopped_first(world: World) -> None:
    job, slave = world.job("1-1000"), world.slave("ws01", slots=40)
    got = frames_of(world.report(slave, want=40))
    assert len(got) == 40
    world.act("cancel", job)
    assert world.state(job) == "canceled"
    assert sorted(world.report(slave).revoked) == sorted(f.attempt for f in got)
    assert world.counts(job)["ready"] == 898, "the first piece, and the probes beyond it"
    assert pieces(world, job) == 10
    assert world.counts(job) == {"canceled": 1000}


@pytest.mark.parametrize("verb", ["cancel", "retry", "delete"])
def test_a_crash_in_the_middle_loses_nothing_since_the_sweep_goes_on(world: World, verb: str) -> None:
    job, slave = world.job("1-1000"), world.slave("ws01", slots=150)
    if verb == "retry":
        world.act("cancel", job)
        sweep_up(world)
    else:
        assert len(frames_of(world.report(slave, want=150))) == 150
    world.act(verb, job, *([None] if verb == "retry" else []))
    assert world.faults() == []
    killed(world)
    sweep_up(world)
    assert world.state(job) == {"cancel": "canceled", "retry": "queued", "delete": "deleted"}[verb]
    if verb != "delete":
        assert world.counts(job) == {"canceled" if verb == "cancel" else "ready": 1000}
        return
    for table in (frames, attempts, result_files, tallies):
        query = select(func.count()).select_from(table).where(table.c.job == job)
        assert not world.database.read_now(lambda c, q=query: c.execute(q).scalar())  # type: ignore[misc]


def test_a_retried_job_starts_when_its_last_frame_is_back(world: World) -> None:
    job, slave = world.job("1-1000"), world.slave("ws01")
    world.act("cancel", job)
    pieces(world, job)
    world.act("retry", job, None)
    assert world.state(job) == "canceled"
    assert not world.report(slave, want=1).leases
    pieces(world, job)
    assert world.state(job) == "queued"
    assert world.counts(job) == {"ready": 1000}
    assert world.report(slave, want=1).leases


def test_done_frames_that_are_retried_by_name_are_rendered_once_more_and_not_twice(world: World) -> None:
    job, slave = world.job("1-450"), world.slave("ws01", slots=8)
    while world.state(job) != "done":
        world.render(slave, want=8)
    world.act("retry", job, FrameRange.parse("1-450x2"))
    pieces(world, job)
    assert world.counts(job) == {"ready": 225, "done": 225}
    rendered: list[int] = []
    while world.state(job) != "done":
        rendered += world.render(slave, want=8)
    assert sorted(rendered) == list(range(1, 451, 2))


def test_a_job_in_the_middle_of_a_change_takes_no_other(world: World) -> None:
    job = world.job("1-1000")
    world.act("cancel", job)
    for verb, more in (("retry", [None]), ("delete", [])):
        with pytest.raises(WrongState, match="being canceled"):
            world.act(verb, job, *more)
    pieces(world, job)
    world.act("retry", job, None)
    with pytest.raises(WrongState, match="being made ready again"):
        world.act("cancel", job)
    pieces(world, job)


def test_no_transaction_touches_more_frames_than_a_piece(world: World) -> None:
    job, other = world.job("1-1000"), world.job("1-3")
    most = 0

    def watched(act: object) -> object:
        def counting(conn: Connection) -> object:
            nonlocal most
            before = dict(conn.execute(_states(job)).all())
            result = act(conn)  # type: ignore[operator]
            after = dict(conn.execute(_states(job)).all())
            most = max(most, sum(abs(after.get(s, 0) - before.get(s, 0)) for s in {*before, *after}))
            return result

        return world.database.write_now(counting)

    for verb, args in (("cancel", ()), ("retry", (None,)), ("delete", ())):
        watched(lambda c, v=verb, a=args: getattr(bulk, v)(c, job, *a, world.at))  # type: ignore[misc]
        while watched(lambda c: bulk.work(c, world.at)):
            pass
    assert 0 < most <= 2 * PIECE
    assert world.counts(other) == {"ready": 3}


def _states(job: int) -> object:
    return select(frames.c.state, func.count()).where(frames.c.job == job).group_by(frames.c.state)
