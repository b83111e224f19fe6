from __future__ import annotations

import asyncio
import os

from sqlalchemy import update

from farm.database import schema
from farm.files.store import take_in
from farm.files.view import JobFolders
from farm.jobs.collect import Collected, collect, collect_strays
from farm.jobs.results import Arriving, stage
from farm.jobs.shelf import Shelf
from farm.scheduler import bulk
from farm.words.clock import SECOND
from farm.words.states import AttemptState
from tests.jobs.pretend import NOW, Farm, chunks, sha, submission, tar_of

HOUR = 3600 * SECOND
LATER = NOW + 100 * HOUR


def gather(farm: Farm, at: int) -> Collected:
    for name in farm.store.hashes():
        os.utime(farm.store.local(name), (0, 0))
    return asyncio.run(collect(farm.database, farm.store, at, grace=3600))


def twice(farm: Farm, at: int = LATER) -> Collected:
    """Collect until what is unused is gone: first it is marked, a grace time later removed."""
    first, second = gather(farm, at), gather(farm, at + 2 * HOUR)
    return Collected(first.results + second.results, 0, first.blobs + second.blobs, first.freed + second.freed)


def delete(farm: Farm, job: int) -> None:
    farm.database.write_now(lambda conn: bulk.delete(conn, job, NOW))


def finish(farm: Farm, job: int, frame: int, slave: int, data: bytes) -> int:
    attempt = farm.attempt(job, frame, slave)
    doing = stage(farm.database, farm.store, slave, attempt, Arriving(chunks(tar_of(output_a_png=data)), 10**6))
    asyncio.run(doing)
    return attempt


def test_what_jobs_need_is_never_collected(farm: Farm) -> None:
    ada = farm.user("ada")
    slave = farm.slave("ws1", ada)
    job = farm.job(ada, {"shot.blend": b"scene"})
    receiving = farm.submit(ada, submission({"other.blend": b"half sent", "x": b"never sent"}))
    farm.send(ada, b"half sent")
    farm.accept(finish(farm, job, 1, slave, b"done"))
    finish(farm, job, 2, slave, b"staged")
    assert twice(farm).blobs == 0
    assert {sha(d) for d in (b"scene", b"half sent", b"done", b"staged")} == set(farm.store.hashes())
    assert receiving.job == 2


def test_a_deleted_jobs_bytes_go_when_their_grace_is_over(farm: Farm) -> None:
    ada, bob = farm.user("ada"), farm.user("bob")
    slave = farm.slave("ws1", ada)
    job = farm.job(ada, {"shot.blend": b"scene", "shared.png": b"shared"})
    farm.job(bob, {"shot.blend": b"another", "shared.png": b"shared"})
    farm.accept(finish(farm, job, 1, slave, b"picture"))
    delete(farm, job)
    gather(farm, NOW)
    assert gather(farm, NOW + HOUR // 2) == Collected()
    again = farm.submit(ada, submission({"shot.blend": b"scene"}))
    assert again.missing == [], "within the grace time nothing need be sent again"
    delete(farm, again.job)
    done = twice(farm)
    assert (done.blobs, done.freed) == (2, len(b"scene") + len(b"picture"))
    assert set(farm.store.hashes()) == {sha(b"shared"), sha(b"another")}
    assert farm.submit(ada, submission({"new.blend": b"shared"})).missing == [sha(b"shared")]


def test_what_is_needed_again_loses_its_mark(farm: Farm) -> None:
    ada = farm.user("ada")
    delete(farm, farm.job(ada, {"shot.blend": b"scene"}))
    gather(farm, LATER)
    assert farm.row(schema.blobs).unused == LATER
    farm.job(ada, {"shot.blend": b"scene"})
    assert farm.row(schema.blobs).unused is None
    assert twice(farm, LATER + HOUR).blobs == 0
    assert farm.store.size(sha(b"scene")) == 5


def test_doubles_and_refused_results_go(farm: Farm) -> None:
    ada = farm.user("ada")
    slave = farm.slave("ws1", ada)
    job = farm.job(ada, {"shot.blend": b"scene"})
    winner = finish(farm, job, 1, slave, b"winner")
    double = finish(farm, job, 1, slave, b"double")
    revoked = finish(farm, job, 2, slave, b"revoked")
    lost = finish(farm, job, 3, slave, b"lost, may still come")
    farm.accept(winner)
    for attempt, state in (
        (double, AttemptState.LATE),
        (revoked, AttemptState.REVOKED),
        (lost, AttemptState.LOST),
    ):
        change = update(schema.attempts).where(schema.attempts.c.id == attempt).values(state=state, ended=NOW)
        farm.database.write_now(lambda conn, change=change: conn.execute(change) and None)
    assert twice(farm).blobs == 2
    assert set(farm.store.hashes()) == {sha(d) for d in (b"scene", b"winner", b"lost, may still come")}


def test_bytes_just_sent_survive_a_collection_that_runs_meanwhile(farm: Farm) -> None:
    ada = farm.user("ada")
    delete(farm, farm.job(ada, {"shot.blend": b"scene"}))
    gather(farm, LATER)
    asyncio.run(take_in(farm.store, chunks(b"scene")))
    asyncio.run(collect(farm.database, farm.store, LATER + 2 * HOUR, grace=3600))
    assert farm.count(schema.blobs) == 0
    assert farm.store.size(sha(b"scene")) == 5, "young bytes stay until their row is written"


def test_stray_bytes_of_a_crash_go_and_known_ones_stay(farm: Farm) -> None:
    ada = farm.user("ada")
    farm.job(ada, {"shot.blend": b"scene"})
    asyncio.run(take_in(farm.store, chunks(b"stray")))
    assert asyncio.run(collect_strays(farm.database, farm.store)) == 0, "it may be an upload that ends right now"
    os.utime(farm.store.local(sha(b"stray")), (0, 0))
    assert asyncio.run(collect_strays(farm.database, farm.store)) == 1
    assert set(farm.store.hashes()) == {sha(b"scene")}


def test_the_shelf_is_made_again_after_a_crash(farm: Farm) -> None:
    ada = farm.user("ada")
    slave = farm.slave("ws1", ada)
    job, deleted = farm.job(ada, {"shot.blend": b"scene"}), farm.job(ada, {"b.blend": b"b"})
    folders = JobFolders(farm.store.root.parent / "stor")
    farm.accept(finish(farm, job, 1, slave, b"picture"))
    finish(farm, job, 2, slave, b"not accepted")

    async def remake() -> None:
        await Shelf(farm.database, farm.store, folders).remake()

    asyncio.run(remake())
    asyncio.run(remake())
    assert (folders.root / "job1/job1.blend").read_bytes() == b"scene"
    assert (folders.root / "job1/output/a.png").read_bytes() == b"picture"
    assert sorted(folders.jobs()) == [1, 2]
    delete(farm, deleted)
    asyncio.run(remake())
    assert list(folders.jobs()) == [1]
