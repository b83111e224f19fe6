"""What goes by itself a while after its job's end, and what never does."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import insert, select, update

from farm.accounts import ledger
from farm.accounts.ledger import FARM, About, Kind
from farm.database import numbers, schema
from farm.jobs import homecoming
from farm.jobs.homecoming import Home
from farm.jobs.retention import DAY, Keep, thin_out
from farm.words.states import AttemptState, JobState
from tests.jobs.pretend import NOW, Farm, sha

LATER = NOW + 31 * DAY


def thinned(farm: Farm, at: int = LATER, **keep: float) -> int:
    return asyncio.run(thin_out(farm.database, Keep(**keep), at))


def do(farm: Farm, statement: Any) -> None:
    farm.database.write_now(lambda conn: conn.execute(statement) and None)


def ended(farm: Farm, job: int, state: JobState = JobState.DONE, at: int = NOW) -> None:
    these = schema.jobs.c.number == job
    do(farm, update(schema.jobs).where(these).values(state=state, ended=at, started=at))


def picture(farm: Farm, job: int, frame: int, slave: int, *names: str) -> int:
    """Let a frame be done, with files of these names whose bytes are the same."""
    attempt = farm.attempt(job, frame, slave)
    files = [("output", name) for name in names] + [("log", "log.txt"), ("thumbnail", "thumbnail.webp")]
    rows = [
        {"attempt": attempt, "role": role, "name": name, "job": job, "frame": frame, "hash": b"h" * 32, "size": 1}
        for role, name in files
    ]
    do(farm, insert(schema.result_files).values(rows))
    farm.accept(attempt)
    return attempt


def fetch(farm: Farm, job: int, frame: int, *names: str) -> None:
    seen = {Home(job, frame, name, (b"h" * 32).hex()): NOW for name in names}
    farm.database.write_now(lambda conn: homecoming.record(conn, seen))


def states(farm: Farm) -> dict[int, str]:
    query = select(schema.jobs.c.number, schema.jobs.c.state)
    return {row.number: row.state for row in farm.database.read_now(lambda conn: conn.execute(query).all())}


def test_only_a_job_whose_every_picture_somebody_has_goes_and_leaves_its_number(farm: Farm) -> None:
    ada = farm.user("ada")
    slave = farm.slave("ws1", ada)
    home, half, never, fresh = (farm.job(ada, {"shot.blend": b"a scene"}, frames="1-2") for _ in range(4))
    for job in (home, half, never, fresh):
        picture(farm, job, 1, slave, "a.png", "depth.exr")
        ended(farm, job, at=LATER if job == fresh else NOW)
    fetch(farm, home, 1, "a.png", "depth.exr")
    fetch(farm, fresh, 1, "a.png", "depth.exr")
    fetch(farm, half, 1, "a.png")
    assert thinned(farm) == 0, "0 days are for ever"
    assert thinned(farm, jobs=30) == 1
    assert states(farm) == {home: "deleted", half: "done", never: "done", fresh: "done"}
    fetch(farm, half, 1, "depth.exr")
    assert thinned(farm, jobs=30) == 1
    assert farm.job(ada, {"shot.blend": b"a scene"}) == fresh + 1


def test_a_picture_that_was_rendered_anew_since_it_was_fetched_keeps_its_job(farm: Farm) -> None:
    ada = farm.user("ada")
    job = farm.job(ada, frames="1")
    picture(farm, job, 1, farm.slave("ws1", ada), "a.png")
    ended(farm, job)
    stale = {Home(job, 1, "a.png", sha(b"as it was before")): NOW}
    farm.database.write_now(lambda conn: homecoming.record(conn, stale))
    assert thinned(farm, jobs=30) == 0


def test_a_job_that_others_wait_for_or_that_goes_on_stays(farm: Farm) -> None:
    ada = farm.user("ada")
    needed, runs = farm.job(ada, frames="1"), farm.job(ada, frames="1")
    waits = {"job": runs, "place": 0, "frames": "1", "first": 1, "last": 1, "on_job": needed, "needs": "1"}
    do(farm, insert(schema.dependencies).values(waits))
    ended(farm, needed, JobState.FAILED)
    assert thinned(farm, jobs=30) == 0
    ended(farm, runs, JobState.CANCELED)
    assert thinned(farm, jobs=30) == 2


def test_logs_and_tries_without_a_picture_go_and_pictures_and_paid_tries_stay(farm: Farm) -> None:
    ada = farm.user("ada")
    slave = farm.slave("ws1", ada)
    job, other = farm.job(ada, frames="1-3"), farm.job(ada, frames="1")
    won = picture(farm, job, 1, slave, "a.png")
    lost, half = (farm.attempt(job, frame, slave, AttemptState.FAILED) for frame in (2, 3))
    kept = farm.attempt(other, 1, slave, AttemptState.FAILED)
    do(farm, update(schema.attempts).values(log="long", trace="render:0+1"))

    def pay(conn: Any) -> None:
        ledger.post(conn, Kind.HALF, half, FARM, ada.user, 5, About(job, 3, slave), NOW)
        numbers.take(conn, "posting")

    farm.database.write_now(pay)
    ended(farm, job, JobState.FAILED)
    thinned(farm, logs=30)
    c = schema.attempts.c
    logs = farm.database.read_now(
        lambda conn: {row.id: (row.log, row.trace) for row in conn.execute(select(c.id, c.log, c.trace))}
    )
    assert logs == {won: ("", None), lost: ("", None), half: ("", None), kept: ("long", "render:0+1")}
    assert [row.role for row in rows_of(farm)] == ["output", "thumbnail"]
    thinned(farm, attempts=30)
    left = farm.database.read_now(lambda conn: set(conn.execute(select(c.id)).scalars()))
    assert left == {won, half, kept}
    ended(farm, other, at=NOW + DAY)
    thinned(farm, logs=30, attempts=30)
    assert farm.count(schema.attempts) == 2, "what ended later is thinned out in its turn"


def rows_of(farm: Farm) -> list[Any]:
    query = select(schema.result_files.c.role).order_by(schema.result_files.c.role)
    return list(farm.database.read_now(lambda conn: conn.execute(query).all()))
