"""What benchmarks come to: a slave's power with each method, and whether another slave confirms it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.engine import Connection

from farm.accounts import power
from farm.accounts.power import Measured
from farm.database.schema import attempts, jobs, ratings, samples, slaves, users
from farm.methods.benchmark.scenes import LAST, reference
from farm.protocol.accounts import Role
from farm.protocol.points import Cause, RatingView
from farm.protocol.slaves import Hardware
from farm.scheduler import bulk, fairness, jobstate
from farm.scheduler.jobstate import Growth
from farm.words.backends import cards
from farm.words.clock import SECOND, microseconds, moment
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED, AttemptState, JobState

LEAST = 15 * SECOND
"""µs that all frames of a benchmark take together at least: shorter ones are measured too coarsely."""

MOST = 48
"""Frames after which it is enough, however short they are."""

_ENDED = select(ratings, jobs.c.state, jobs.c.pinned).join(jobs, jobs.c.number == ratings.c.job)
_ENDED = _ENDED.where(~ratings.c.over, jobs.c.state.in_([state.value for state in JOB_ENDED]))


def due(conn: Connection) -> bool:
    """Tell whether benchmarks have ended that are not rated yet."""
    return conn.execute(_ENDED.limit(1)).first() is not None


def finish(conn: Connection, at: int, *, strangers: bool) -> int:
    """Rate the slaves whose benchmarks have ended, and begin their next ones; return how many.

    Those that were too short get more frames instead.

    Args:
        conn: the writer's.
        at: now, µs.
        strangers: only an admin's slave confirms a rating, since one person may have two accounts.
    """
    ended = [row for row in conn.execute(_ENDED).all() if not _longer(conn, row, at)]
    for row in ended:
        values = _rated(conn, row, strangers=strangers) if row.state == JobState.DONE else {}
        conn.execute(update(ratings).where(ratings.c.job == row.job).values(over=True, **values))
        if values:
            _count(conn, row, values)
        if row.state == JobState.DONE and row.cause != Cause.ASKED:  # nobody should have to tidy up after the farm
            bulk.delete(conn, row.job, at)
        _go_on(conn, row.slave, at)
    return len(ended)


def _longer(conn: Connection, row: Row[Any], at: int) -> bool:
    """Have as many frames again rendered as there are, if these took too little time together; tell whether."""
    tries = _tries(conn, row) if row.state == JobState.DONE else []
    if not tries or len(tries) >= MOST or sum(_spent(row.method, tries)) >= LEAST:
        return False
    more = {1 + secrets.randbelow(LAST) for _ in tries} - {t.frame for t in tries}
    if row.cause != Cause.ASKED:
        conn.execute(update(jobs).where(jobs.c.number == row.job).values(rush=fairness.LAST))
    jobstate.add_frames(conn, row.job, [Growth(FrameRange.of(sorted(more)))], at)
    return True


def _go_on(conn: Connection, slave: int, at: int) -> None:
    """Begin a slave's next benchmark, unless one is going on."""
    query = select(ratings.c.job, jobs.c.state).join(jobs, jobs.c.number == ratings.c.job)
    left = conn.execute(query.where(ratings.c.slave == slave, ~ratings.c.over).order_by(ratings.c.job)).all()
    if left and left[0].state == JobState.PAUSED:
        jobstate.resume(conn, left[0].job, at)


def _tries(conn: Connection, row: Row[Any]) -> Sequence[Any]:
    c = attempts.c
    columns = (c.frame, c.cpu, c.seconds, c.issued, c.ended, c.pixels)
    won = c.job == row.job, c.state == AttemptState.WON.value, c.slave == row.slave
    return conn.execute(select(*columns).where(*won).order_by(c.frame)).all()


def _spent(method: str, tries: Iterable[Any]) -> list[int]:
    """Return the time of each frame that is measured: the processors', or a graphics card's; µs."""
    return [(t.seconds if "/" in method else t.cpu) or 0 for t in tries]


def _rated(conn: Connection, row: Row[Any], *, strangers: bool) -> dict[str, Any]:
    tries = _tries(conn, row)
    if not tries:
        return {}
    wall = max(t.ended for t in tries) - min(t.issued for t in tries)
    measured = Measured(_spent(row.method, tries), wall, _units(conn, row))
    if row.cause != Cause.ASKED and power.disturbed(measured, _busy(conn, row, tries)):
        return {}
    each = microseconds(reference().scene(row.method).cpu_seconds)
    pixels = {str(t.frame): t.pixels.hex() for t in tries if t.pixels}
    return {
        "power": power.power(measured, each),
        "throughput": power.throughput(measured, each),
        "version": row.pinned,
        "pixels": json.dumps(pixels),
        "provisional": not _agree(conn, row, pixels, strangers=strangers),
    }


def _busy(conn: Connection, row: Row[Any], tries: Sequence[Any]) -> float:
    """Return how busy the slave said its processors were meanwhile, at most; 0: it said nothing, or cards did it."""
    c = samples.c
    meanwhile = c.slave == row.slave, c.at > min(t.issued for t in tries), c.at <= max(t.ended for t in tries)
    busy = 0 if "/" in row.method else conn.execute(select(func.max(c.cpu)).where(*meanwhile)).scalar()
    return (busy or 0) / 1000


def _units(conn: Connection, row: Row[Any]) -> int:
    """Return how many processors a slave has, or graphics cards."""
    found = conn.execute(select(slaves.c.hardware, slaves.c.offers).where(slaves.c.id == row.slave)).one()
    if way := row.method.partition("/")[2]:
        return max((cards(offer.get("devices", ()), way) for offer in json.loads(found.offers)), default=0) or 1
    return Hardware.model_validate_json(found.hardware).cores if found.hardware else 1


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
    count(conn, row.slave, row.method, power.counted(values["power"], provisional=values["provisional"]))


def count(conn: Connection, slave: int, method: str, milli: int) -> None:
    """Let a power count from now on, in thousandths."""
    text = conn.execute(select(slaves.c.powers).where(slaves.c.id == slave)).scalar_one()
    rated = json.loads(text) if text else {}
    rated[method] = milli
    conn.execute(update(slaves).where(slaves.c.id == slave).values(powers=json.dumps(rated, sort_keys=True)))


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
        cause=Cause(row.cause),
    )
