"""A job that has ended gets other files for some of its frames, and keeps its former pictures."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from farm.database import schema
from farm.jobs.access import Asker
from farm.jobs.checking import check
from farm.jobs.collect import collect
from farm.jobs.jobviews import job_view
from farm.jobs.outputs import output_file, output_page
from farm.jobs.sheet import sheet
from farm.jobs.submission import queue
from farm.protocol.jobs import JobView, Requirement
from farm.scheduler import bulk
from farm.words.errors import BadFrameRange, FileNotHere, Forbidden, JobNotFound, Malformed, WrongState
from tests.jobs.pretend import METHODS, NOW, Farm, sha, submission
from tests.scheduler.world import Agent, World, digest, frames_of

NEEDS = Requirement(method="blender", version="4.5", engine="CYCLES")
OLD, NEW = {"shot.blend": b"a scene"}, {"shot.blend": b"a better scene", "wood.png": b"wood"}


@pytest.fixture
def ada(farm: Farm) -> Asker:
    return farm.user("ada")


@pytest.fixture
def world(farm: Farm) -> World:
    made = World(farm.database)
    made.at = NOW
    yield made
    assert made.faults() == []


@pytest.fixture
def slave(world: World) -> Agent:
    return world.slave("ws01")


def rendered(world: World, slave: Agent) -> dict[int, int]:
    """Render all that is ready; return which attempt each frame's result is of."""
    found = {}
    while got := frames_of(world.report(slave, want=1)):
        world.pass_time(1)
        world.report(slave, done=[frame.attempt for frame in got])
        found |= {frame.number: frame.attempt for frame in got}
    world.pass_time(1)
    return found


def updated(farm: Farm, world: World, ada: Asker, job: int, frames: str, **more: Any) -> int:
    """Send other files for some frames of a job; return the number of the job that brought them."""
    made = farm.submit(ada, submission(NEW, **{"requires": NEEDS, "frames": frames, "updates": job, **more}))
    for data in NEW.values():
        if sha(data) in made.missing:
            farm.send(ada, data)
    assert farm.database.write_now(partial(queue, asker=ada, job=made.job, at=world.at)) == job
    return made.job


def shown(farm: Farm, ada: Asker, job: int) -> JobView:
    return farm.database.read_now(partial(job_view, asker=ada, job=job, server="home", at=NOW))


def hashes(farm: Farm, ada: Asker, job: int, version: int | None = None) -> dict[int, str]:
    page = farm.database.read_now(partial(output_page, asker=ada, job=job, after=None, limit=100, version=version))
    return {file.frame: file.sha256 for file in page.files}


def told(attempts: dict[int, int]) -> dict[int, str]:
    return {frame: digest(attempt) for frame, attempt in attempts.items()}


def pieces(world: World, job: int) -> None:
    """Do what is left of a job's change."""
    while world.database.write_now(lambda c: bulk.go_on(c, job, world.at)):
        assert world.faults() == []


def test_only_the_named_frames_are_rendered_anew_and_former_pictures_are_kept(
    farm: Farm, world: World, ada: Asker, slave: Agent
) -> None:
    job = farm.job(ada, OLD, requires=NEEDS, frames="1-5")
    first = rendered(world, slave)
    assert (sorted(first), world.state(job)) == ([1, 2, 3, 4, 5], "done")
    bringer = updated(farm, world, ada, job, "2-3", settings={"samples": 9})
    assert world.counts(job) == {"ready": 2, "done": 3}
    with pytest.raises(JobNotFound):
        shown(farm, ada, bringer)
    got = frames_of(world.report(slave, want=1))
    files = farm.database.read_now(lambda c: sheet(c, slave.id, job, "home", scripts=False)).files
    assert {file.path: file.sha256 for file in files} == {path: sha(data) for path, data in NEW.items()}
    world.report(slave, done=[got[0].attempt])
    second = {got[0].number: got[0].attempt, **rendered(world, slave)}
    assert (sorted(second), world.state(job)) == ([2, 3], "done")
    view = shown(farm, ada, job)
    assert (view.version, view.name, view.settings, view.frames) == (2, "shot", {"samples": 9}, "1-5")
    updated(farm, world, ada, job, "3", approval=True)
    third = rendered(world, slave)
    assert world.state(job) == "done", "all that it asked to look at is done"
    assert hashes(farm, ada, job) == hashes(farm, ada, job, 3) == told({**first, **second, **third})
    assert hashes(farm, ada, job, 2) == told({**first, **second})
    assert hashes(farm, ada, job, 1) == told(first)
    assert farm.database.read_now(partial(output_file, asker=ada, job=job, frame=3, name="a.png", version=1))
    with pytest.raises(FileNotHere, match="has no version 4"):
        hashes(farm, ada, job, 4)
    world.pass_time(10 * 86400)
    asyncio.run(collect(farm.database, farm.store, world.at, 86400))
    assert hashes(farm, ada, job, 1) == told(first), "as long as the job is there"
    world.act("delete", job)
    assert farm.count(schema.job_versions) == 0


def test_an_answer_that_was_lost_is_given_again_and_updates_nothing_twice(
    farm: Farm, world: World, ada: Asker, slave: Agent
) -> None:
    job = farm.job(ada, OLD, requires=NEEDS, frames="1-2")
    rendered(world, slave)
    bringer = updated(farm, world, ada, job, "2", key="k")
    assert farm.database.write_now(partial(queue, asker=ada, job=bringer, at=world.at)) == job
    again = farm.submit(ada, submission(NEW, requires=NEEDS, frames="2", updates=job, key="k"))
    assert (again.job, again.missing) == (bringer, [])
    assert shown(farm, ada, job).version == 2
    eve = farm.user("eve")
    with pytest.raises(JobNotFound):
        farm.database.write_now(partial(queue, asker=eve, job=bringer, at=world.at))


def test_what_can_not_take_other_files_says_so_before_anything_is_sent(
    farm: Farm, world: World, ada: Asker, slave: Agent
) -> None:
    job = farm.job(ada, OLD, requires=NEEDS, frames="1-2")
    waiting = submission(NEW, requires=NEEDS, frames="1", updates=job)
    with pytest.raises(WrongState, match="is queued: it can't get other files now"):
        farm.submit(ada, waiting)
    rendered(world, slave)
    for error, who, more in (
        (Forbidden, farm.user("bob"), {}),
        (JobNotFound, farm.user("eve", studio=False), {}),
        (JobNotFound, ada, {"updates": 99}),
        (BadFrameRange, ada, {"frames": "2-4"}),
        (WrongState, ada, {"requires": Requirement(method="blender", version="5.0")}),
        (Malformed, ada, {"requires": Requirement(method="sleep")}),
        (Malformed, ada, {"paused": True}),
    ):
        wanted = submission(NEW, **{"requires": NEEDS, "frames": "1", "updates": job, **more})
        ask = partial(check, asker=who, submission=wanted, methods=METHODS, rules=farm.rules, server="home", there={})
        report = farm.database.read_now(ask)
        with pytest.raises(error) as raised:
            farm.submit(who, wanted)
        assert any(text.startswith(raised.value.message) for text in report.problems), raised.value
    assert farm.count(schema.jobs) == 1
    assert shown(farm, ada, job).version == 1


def test_results_of_the_former_files_that_come_late_are_refused(
    farm: Farm, world: World, ada: Asker, slave: Agent
) -> None:
    job = farm.job(ada, OLD, requires=NEEDS, frames="1")
    (lost,) = frames_of(world.report(slave, want=1))
    world.pass_time(60)
    world.sweep()
    assert world.attempt_state(lost.attempt) == "lost"
    world.act("cancel", job)
    updated(farm, world, ada, job, "1")
    world.log_in(slave)
    slave.holding[lost.attempt] = (job, 1)
    verdicts = world.report(slave, done=[lost.attempt]).verdicts
    assert [(v.attempt, v.verdict) for v in verdicts] == [(lost.attempt, "refused")]
    assert world.counts(job) == {"ready": 1}


def test_a_huge_update_is_done_a_piece_at_a_time(
    farm: Farm, world: World, ada: Asker, slave: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PIECE", 100)
    job = farm.job(ada, OLD, requires=NEEDS, frames="1-350")
    world.act("cancel", job)
    pieces(world, job)
    updated(farm, world, ada, job, "1-300")
    assert world.state(job) == "canceled", "as long as a piece is left"
    assert world.faults() == []
    pieces(world, job)
    assert (world.state(job), world.counts(job)) == ("queued", {"ready": 300, "canceled": 50})
    assert farm.database.read_now(lambda c: c.execute(select(schema.job_versions.c.frames)).scalar()) == "1-300"
