"""The files of jobs that ended long ago go, their pictures stay, and nothing brings such a job back."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from farm.database import schema
from farm.files.view import JobFolders
from farm.jobs import change, control, packages
from farm.jobs.access import Asker
from farm.jobs.collect import collect
from farm.jobs.jobviews import job_view
from farm.jobs.retention import DAY, Keep, thin_out
from farm.jobs.shelf import Shelf
from farm.protocol.jobs import JobChange, JobCommand
from farm.scheduler import letgo
from farm.words.clock import moment
from farm.words.errors import WrongState
from farm.words.states import JobState
from tests.jobs.pretend import NOW, Farm, sha, submission
from tests.scheduler.world import World, frames_of

LATER = NOW + 31 * DAY
SCENE, WOOD = b"a scene", b"wood"


@pytest.fixture
def ada(farm: Farm) -> Asker:
    return farm.user("ada")


def thinned(farm: Farm, at: int = LATER) -> None:
    asyncio.run(thin_out(farm.database, Keep(packages=30), at))


def do(farm: Farm, statement: Any) -> None:
    farm.database.write_now(lambda conn: conn.execute(statement) and None)


def ended(farm: Farm, job: int, at: int = NOW) -> None:
    do(farm, update(schema.jobs).where(schema.jobs.c.number == job).values(state=JobState.DONE, ended=at, started=NOW))


def named(farm: Farm) -> list[tuple[int, str]]:
    query = select(schema.job_files.c.job, schema.job_files.c.path).order_by(schema.job_files.c.job)
    return [(row.job, row.path) for row in farm.database.read_now(lambda conn: conn.execute(query).all())]


def refusals(farm: Farm, ada: Asker, job: int) -> list[str]:
    """Try all ways to have a job rendered again; return what is said."""
    change_ = JobChange(add_frames="11-12")
    tries = (
        partial(control.command, asker=ada, job=job, verb="retry", order=JobCommand(frames="1"), at=LATER),
        partial(control.command, asker=ada, job=job, verb="retry", order=JobCommand(), at=LATER),
        partial(change.change, asker=ada, job=job, wanted=change_, rules=farm.rules, at=LATER),
        partial(packages.as_submitted, asker=ada, job=job),
    )
    said = []
    for act in tries:
        with pytest.raises(WrongState) as refused:
            farm.database.write_now(act)
        said.append(refused.value)
    with pytest.raises(WrongState) as refused:
        farm.submit(ada, submission({"shot.blend": b"better"}, frames="1", updates=job))
    assert all("Submit it again" in one.hint for one in [*said, refused.value])
    return [one.message for one in [*said, refused.value]]


def test_a_jobs_files_go_and_its_picture_stays_and_who_wants_more_is_told_to_submit_again(
    farm: Farm, ada: Asker
) -> None:
    world = World(farm.database)
    world.at = NOW
    job = farm.job(ada, {"shot.blend": SCENE, "wood.png": WOOD}, frames="1-2")
    other = farm.job(ada, {"wood.blend": WOOD}, frames="1")
    slave = world.slave("ws01")
    while got := frames_of(world.report(slave, want=1)):
        world.report(slave, done=[frame.attempt for frame in got])
    pictures = farm.count(schema.result_files)
    ended(farm, other, at=LATER)
    do(farm, update(schema.jobs).where(schema.jobs.c.number == job).values(ended=NOW))
    thinned(farm, at=NOW + DAY)
    assert len(named(farm)) == 3, "it did not end so long ago"
    thinned(farm)
    assert named(farm) == [(other, "wood.blend")]
    assert farm.count(schema.result_files) == pictures
    for name in farm.store.hashes():
        os.utime(farm.store.local(name), (0, 0))
    for at in (LATER, LATER + 2 * DAY):
        asyncio.run(collect(farm.database, farm.store, at, grace=3600))
    assert [farm.store.local(sha(data)).exists() for data in (SCENE, WOOD)] == [False, True]
    view = farm.database.read_now(lambda conn: job_view(conn, ada, job, "home", LATER))
    assert (view.state, view.let_go, view.counts.done) == (JobState.DONE, moment(LATER), 2)
    assert set(refusals(farm, ada, job)) == {
        f"Job {job} can't be rendered again: its files were let go on {moment(LATER):%Y-%m-%d}."
    }
    assert farm.job(ada, {"shot.blend": SCENE}, frames="1") > other, "submitted again, its files are sent again"
    assert world.faults() == []


def test_files_stay_while_others_wait_for_frames_or_an_update_is_being_sent(farm: Farm, ada: Asker) -> None:
    needed, runs, updated = (farm.job(ada, {"shot.blend": SCENE}, frames="1") for _ in range(3))
    waits = {"job": runs, "place": 0, "frames": "1", "first": 1, "last": 1, "on_job": needed, "needs": "1"}
    do(farm, insert(schema.dependencies).values(waits))
    ended(farm, needed)
    ended(farm, updated)
    coming = farm.submit(ada, submission({"shot.blend": b"a better one"}, frames="1", updates=updated)).job
    thinned(farm)
    assert [job for job, _ in named(farm)] == [needed, runs, updated, coming]
    ended(farm, runs, at=LATER)
    do(farm, update(schema.jobs).where(schema.jobs.c.number == coming).values(state=JobState.CANCELED, ended=LATER))
    thinned(farm)
    assert [job for job, _ in named(farm)] == [runs, coming]


def test_a_job_without_its_files_is_left_alone_when_frames_that_it_needed_are_rendered_again(
    farm: Farm, ada: Asker
) -> None:
    world = World(farm.database)
    world.at = NOW
    first = farm.job(ada, {"shot.blend": SCENE}, frames="1")
    second = farm.job(ada, {"cut.blend": WOOD}, frames="1", depends=[{"on": str(first)}])
    slave = world.slave("ws01")
    while got := frames_of(world.report(slave, want=1)):
        world.report(slave, done=[frame.attempt for frame in got])
    do(farm, update(schema.jobs).where(schema.jobs.c.number == second).values(ended=NOW))
    do(farm, update(schema.jobs).where(schema.jobs.c.number == first).values(ended=LATER))
    thinned(farm)
    assert [job for job, _ in named(farm)] == [first]
    again = JobCommand(frames="1")
    farm.database.write_now(lambda conn: control.command(conn, ada, first, "retry", again, LATER))
    asyncio.run(control.finished(farm.database, first))
    query = select(schema.jobs.c.number, schema.jobs.c.state)
    states = {row.number: row.state for row in farm.database.read_now(lambda conn: conn.execute(query).all())}
    assert states == {first: "queued", second: "done"}


def test_what_a_killed_server_left_of_a_long_list_of_files_goes_later(
    farm: Farm, ada: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letgo, "PIECE", 2)
    job = farm.job(ada, {f"{number}.blend": SCENE for number in range(5)}, frames="1")
    ended(farm, job)
    do(farm, update(schema.jobs).where(schema.jobs.c.number == job).values(let_go=NOW + DAY))
    thinned(farm)
    assert named(farm) == []
    assert farm.row(schema.jobs, schema.jobs.c.number == job).let_go == NOW + DAY


def test_an_admins_folder_shows_the_file_no_more(farm: Farm, ada: Asker, tmp_path: Any) -> None:
    job = farm.job(ada, {"shot.blend": SCENE}, frames="1")
    folders = JobFolders(tmp_path / "stor")
    shown = folders.folder(job) / f"job{job}.blend"
    asyncio.run(Shelf(farm.database, farm.store, folders).remake())
    assert shown.read_bytes() == SCENE
    ended(farm, job)
    thinned(farm)
    asyncio.run(Shelf(farm.database, farm.store, folders).remake())
    assert not shown.exists()
