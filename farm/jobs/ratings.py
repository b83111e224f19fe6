"""Measuring slaves: a benchmark is a job of our own scene for one slave, and its end is a rating."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import power
from farm.accounts.power import Measured
from farm.database.schema import attempts, jobs, ratings, slaves, users
from farm.methods.benchmark.scenes import LAST, Scene, reference
from farm.protocol.accounts import Role
from farm.protocol.jobs import FileEntry, Requirement, Submission
from farm.protocol.points import RatingView
from farm.scheduler import crowd, jobstate
from farm.words.clock import microseconds, moment
from farm.words.errors import NotFound, WrongState
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED, AttemptState, JobState

FRAMES = 3
"""Frames of a benchmark: their median counts."""


def scenes_for(conn: Connection, slave: int, *, strangers: bool) -> list[tuple[str, FrameRange]]:
    """Return the methods that a slave can be measured with, and which frames it should render.

    One of them is of another owner's slave, if there is a rating: so both can be compared pixel by pixel. Among
    strangers it is of an admin's, if there is one: nobody else's confirms a rating there.

    Raises:
        WrongState: it is being measured already.
        NotFound: it has no renderer that there is a scene for.
    """
    if conn.execute(select(ratings.c.job).where(ratings.c.slave == slave, ratings.c.over.is_(False))).first():
        raise WrongState("This slave is being measured already.", hint="`distren jobs` shows how far it is.")
    row = conn.execute(select(slaves.c.offers, slaves.c.owner).where(slaves.c.id == slave)).one()
    offered = {offer.method for offer in crowd.offers(row.offers, "", "")}
    found = [
        (name, _frames(conn, name, row.owner, strangers=strangers))
        for name in sorted(reference().scenes)
        if name in offered
    ]
    if not found:
        raise NotFound("There is no scene for what this slave renders with.", hint="It must have logged in once.")
    return found


def _frames(conn: Connection, method: str, owner: int, *, strangers: bool) -> FrameRange:
    c = ratings.c
    query = select(c.pixels).join(slaves, slaves.c.id == c.slave).join(users, users.c.id == slaves.c.owner)
    query = query.where(c.method == method, slaves.c.owner != owner, c.power.is_not(None), c.pixels != "{}")
    admins_first = [(users.c.role == Role.ADMIN.value).desc()] if strangers else []
    last = conn.execute(query.order_by(*admins_first, c.at.desc()).limit(1)).scalar()
    numbers = {int(secrets.choice(list(json.loads(last))))} if last else set[int]()
    while len(numbers) < FRAMES:
        numbers.add(1 + secrets.randbelow(LAST))
    return FrameRange.of(sorted(numbers))


def submission(name: str, method: str, frames: FrameRange, *, later: bool) -> Submission:
    """Return the job that measures a slave; `later`: when those before it are done, for it must have the machine."""
    scene = reference().scenes[method]
    needs = {"method": method, "version": scene.version, "engine": scene.engine, "device": scene.device}
    size = scene.path.stat().st_size
    return Submission(
        name=f"benchmark of {name}",
        project="benchmark",
        requires=Requirement.model_validate(needs),
        settings=scene.settings,
        source=scene.file,
        frames=str(frames),
        files=[FileEntry(path=scene.file, sha256=scene.sha256, size=size)],
        slaves=[name],
        paused=later,
    )


def begin(conn: Connection, job: int, slave: int, method: str, at: int) -> None:
    """Write down what a job is for."""
    conn.execute(insert(ratings).values(job=job, slave=slave, method=method, at=at, over=False, provisional=True))


_ENDED = select(ratings, jobs.c.state, jobs.c.pinned).join(jobs, jobs.c.number == ratings.c.job)
_ENDED = _ENDED.where(ratings.c.over.is_(False), jobs.c.state.in_([state.value for state in JOB_ENDED]))


def due(conn: Connection) -> bool:
    """Tell whether benchmarks have ended that are not rated yet."""
    return conn.execute(_ENDED.limit(1)).first() is not None


def finish(conn: Connection, at: int, *, strangers: bool) -> int:
    """Rate the slaves whose benchmarks have ended, and begin their next ones; return how many.

    Args:
        conn: the writer's.
        at: now, µs.
        strangers: only an admin's slave confirms a rating, since one person may have two accounts.
    """
    rows = conn.execute(_ENDED).all()
    for row in rows:
        values = _rated(conn, row, strangers=strangers) if row.state == JobState.DONE else {}
        conn.execute(update(ratings).where(ratings.c.job == row.job).values(over=True, **values))
        if values:
            _count(conn, row, values)
        _go_on(conn, row.slave, at)
    return len(rows)


def _go_on(conn: Connection, slave: int, at: int) -> None:
    """Begin a slave's next benchmark, unless one is going on."""
    query = select(ratings.c.job, jobs.c.state).join(jobs, jobs.c.number == ratings.c.job)
    left = conn.execute(query.where(ratings.c.slave == slave, ratings.c.over.is_(False)).order_by(ratings.c.job)).all()
    if left and left[0].state == JobState.PAUSED:
        jobstate.resume(conn, left[0].job, at)


def _rated(conn: Connection, row: Row[Any], *, strangers: bool) -> dict[str, Any]:
    c = attempts.c
    columns = (c.frame, c.cpu, c.issued, c.ended, c.pixels)
    won = c.job == row.job, c.state == AttemptState.WON.value, c.slave == row.slave
    tries = conn.execute(select(*columns).where(*won).order_by(c.frame)).all()
    if not tries:
        return {}
    hardware = conn.execute(select(slaves.c.hardware).where(slaves.c.id == row.slave)).scalar_one()
    wall = max(t.ended for t in tries) - min(t.issued for t in tries)
    measured = Measured([t.cpu or 0 for t in tries], wall, crowd.cores(hardware))
    each = microseconds(reference().scenes[row.method].cpu_seconds)
    pixels = {str(t.frame): t.pixels.hex() for t in tries if t.pixels}
    return {
        "power": power.power(measured, each),
        "throughput": power.throughput(measured, each),
        "version": row.pinned,
        "pixels": json.dumps(pixels),
        "provisional": not _agree(conn, row, pixels, strangers=strangers),
    }


def _agree(conn: Connection, row: Row[Any], pixels: dict[str, str], *, strangers: bool) -> bool:
    """Tell whether another owner's slave has drawn the same pixels with the same version; both are confirmed then.

    Among strangers one of the two is an admin's. One that an admin's has confirmed is not enough: only the frames
    that both have drawn were compared, and its others may be made up.
    """
    who = select(slaves.c.owner, users.c.role).join(users, users.c.id == slaves.c.owner)
    owner, role = conn.execute(who.where(slaves.c.id == row.slave)).one()
    c = ratings.c
    query = select(c.job, c.slave, c.method, c.power, c.pixels).join(slaves, slaves.c.id == c.slave)
    query = query.join(users, users.c.id == slaves.c.owner).where(c.method == row.method, c.version == row.pinned)
    query = query.where(c.power.is_not(None), slaves.c.owner != owner)
    if strangers and role != Role.ADMIN.value:
        query = query.where(users.c.role == Role.ADMIN.value)
    agree = [other for other in conn.execute(query) if _same(json.loads(other.pixels), pixels)]
    for other in agree:
        conn.execute(update(ratings).where(c.job == other.job).values(provisional=False))
        _count(conn, other, {"power": other.power, "provisional": False})
    return bool(agree)


def _same(one: dict[str, str], other: dict[str, str]) -> bool:
    both = one.keys() & other.keys()
    return bool(both) and all(one[frame] == other[frame] for frame in both)


def _count(conn: Connection, row: Any, values: dict[str, Any]) -> None:
    """Let a rating count from now on; points that were earned before stay as they are."""
    text = conn.execute(select(slaves.c.powers).where(slaves.c.id == row.slave)).scalar_one()
    rated = json.loads(text) if text else {}
    rated[row.method] = power.counted(values["power"], provisional=values["provisional"])
    conn.execute(update(slaves).where(slaves.c.id == row.slave).values(powers=json.dumps(rated, sort_keys=True)))


def views(conn: Connection, slave: int) -> Sequence[RatingView]:
    """Return a slave's ratings, newest first."""
    c = ratings.c
    query = select(ratings, slaves.c.name).join(slaves, slaves.c.id == c.slave).where(c.slave == slave)
    return [_view(row) for row in conn.execute(query.order_by(c.at.desc(), c.job.desc()).limit(100))]


def _view(row: Row[Any]) -> RatingView:
    at = moment(row.at)
    assert at is not None
    return RatingView(
        slave=row.name,
        job=row.job,
        method=row.method,
        version=row.version,
        at=at,
        over=row.over,
        power=None if row.power is None else row.power / 1000,
        throughput=None if row.throughput is None else row.throughput / 1000,
        provisional=row.provisional,
    )


def scene_of(method: str) -> Scene:
    """Return the scene of a method."""
    return reference().scenes[method]
