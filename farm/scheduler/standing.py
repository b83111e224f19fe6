"""What users and jobs have had of the farm, as the database knows it; the rules are in `fairness`.

Work is kept in shards per job, writer and *era* (six hours), as what it would count at the era's begin (it
halves every hour, or as the terms say): so that adding to it needs no look at what is there, no row is shared
between processes, and what has faded goes away with its era.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Table, bindparam, delete, func, select
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from farm.accounts import ledger
from farm.database.many import Rows
from farm.database.memory import Memory, memory
from farm.database.schema import jobs, shares, tallies
from farm.scheduler import agreed, jobrow
from farm.scheduler.chosen import ONLY, choice
from farm.scheduler.fairness import LAST, UNKNOWN, Had, Line, Usage, Waiting, charged, entry, turns, weight
from farm.scheduler.terms import ERA, Terms
from farm.words.clock import SECOND
from farm.words.states import JOB_ACTIVE

FRESH = SECOND
"""µs for which a usage that was read is good; what this process does is added to it at once."""

_USAGE = "usage"
_NOTHING = Usage()
_PENDING = "shares"
_WORK = select(
    shares.c.job,
    jobs.c.owner,
    shares.c.era,
    func.sum(shares.c.of_user).label("of_user"),
    func.sum(shares.c.of_job).label("of_job"),
    func.max(shares.c.served).label("served"),
).where(shares.c.job == jobs.c.number, shares.c.era >= bindparam("oldest"))
_WORK = _WORK.group_by(shares.c.job, jobs.c.owner, shares.c.era)
_ACTIVE = [state.value for state in sorted(JOB_ACTIVE)]
_RUNNING = select(
    tallies.c.job,
    jobs.c.owner,
    jobs.c.boost,
    func.sum(tallies.c.leased).label("leased"),
    func.sum(tallies.c.rendered).label("rendered"),
    func.sum(tallies.c.work).label("work"),
).where(tallies.c.job == jobs.c.number, jobs.c.state.in_(_ACTIVE), jobs.c.rush != LAST)
_RUNNING = _RUNNING.group_by(tallies.c.job, jobs.c.owner, jobs.c.boost)
_QUEUE = select(jobs.c.number, jobs.c.owner, jobs.c.priority, func.coalesce(jobs.c.queued, 0), jobs.c.rush).where(
    jobs.c.state.in_(_ACTIVE)
)

W = TypeVar("W", bound=Waiting)


class Entry(NamedTuple):
    """A job in the queue."""

    number: int
    owner: int
    priority: int
    queued: int
    rush: int = 0


def in_turn(conn: Connection, line: Line[W], at: int, first: int | None = None) -> Sequence[W]:
    """Return jobs in the order in which they get slots.

    Args:
        conn: the writer's.
        line: the jobs.
        at: now, µs.
        first: the user whose jobs come first.
    """
    return line.turns(_known(conn, at).usage if len(line) > 1 else _NOTHING, at, first)


def chosen(conn: Connection, order: Sequence[W], place: int, line: Line[W], at: int, first: int | None = None) -> str:
    """Return why a job is at its place in an order, as it is noted with its attempts.

    Args:
        conn: the writer's.
        order: from :func:`in_turn`.
        place: the job's, from 0.
        line: what the order was made of.
        at: now, µs.
        first: the user whose jobs come first.
    """
    since = line.since(order[place])
    return ONLY if len(order) < 2 else choice(order, place, since, _known(conn, at).usage, at, first).text()


def queue(conn: Connection, at: int) -> tuple[list[Entry], Usage]:
    """Return the active jobs in their order, and what they and their owners have had; for readers."""
    entries = [Entry(*row) for row in conn.execute(_QUEUE).all()]
    usage = read(conn, at)
    return turns(entries, usage, at), usage


def read(conn: Connection, at: int) -> Usage:
    """Return what was had, from the database."""
    return _read(conn, agreed.read(conn), at).usage


def leased(conn: Connection, owner: int, job: int, count: int, at: int) -> None:
    """Note that a job got frames leased."""
    _change(conn, owner, job, at)["served"] = at
    known = _in_mind(conn)
    if known is not None:
        known.usage.add(owner, job, running=count * known.each(job), served=at)


def rendered(conn: Connection, owner: int, job: int, work: float, at: int) -> None:
    """Note work that was done, in µs, as it counts: see :func:`farm.scheduler.fairness.charged`."""
    _add(conn, owner, job, work, work, at)
    known = _in_mind(conn)
    if known is not None:
        known.usage.add(owner, job, recent=work, running=-known.each(job))


def enter(conn: Connection, owner: int, job: int, at: int) -> None:
    """Let a job start level: its owner with other users if nothing else of theirs is active, it with their others."""
    memory(conn).shelf.pop(_USAGE, None)
    usage = _known(conn, at).usage
    active = [row for row in jobrow.active(conn) if row.number != job and row.rush != LAST]
    siblings = [usage.job(row.number).work for row in active if row.owner == owner]
    others = {row.owner for row in active} - {owner}
    level = entry(usage.burden(owner), (usage.burden(user) for user in others))
    of_user = 0.0 if siblings else level * usage.weight(owner)
    of_job = entry(usage.job(job).work, siblings)
    _add(conn, owner, job, of_user, of_job, at)
    usage.users.setdefault(owner, Had()).recent += of_user
    usage.jobs.setdefault(job, Had()).recent += of_job


def forget_old(conn: Connection, at: int) -> None:
    """Remove eras that don't count any more."""
    conn.execute(delete(shares).where(shares.c.era < agreed.read(conn).oldest(at)))


@dataclass(slots=True)
class _Known:
    """What was read, when, and what a frame of each job is estimated at (µs of work)."""

    at: int
    usage: Usage
    estimates: dict[int, float]

    def each(self, job: int) -> float:
        return self.estimates.get(job, UNKNOWN)


def _known(conn: Connection, at: int) -> _Known:
    known = _in_mind(conn)
    if known is None or not 0 <= at - known.at < FRESH:
        memory(conn).flush(conn)
        known = memory(conn).shelf[_USAGE] = _read(conn, agreed.terms(conn, at), at)
        for (job, era), change in memory(conn).page.get(_PENDING, {}).items():  # not written before its end
            by = [known.usage.terms.faded(change[name], era, at) for name in ("of_user", "of_job")]
            known.usage.users.setdefault(change["owner"], Had()).recent += by[0]
            known.usage.jobs.setdefault(job, Had()).recent += by[1]
    return known


def _in_mind(conn: Connection) -> _Known | None:
    known: _Known | None = memory(conn).shelf.get(_USAGE)
    return known


def _read(conn: Connection, terms: Terms, at: int) -> _Known:
    usage, estimates = Usage(terms=terms), {}
    left: dict[int, float] = {}
    for number, owner, era, of_user, of_job, served in conn.execute(_WORK, {"oldest": terms.oldest(at)}).all():
        part = left.get(era)
        if part is None:
            part = left[era] = terms.faded(1.0, era, at)
        user, job = usage.users.setdefault(owner, Had()), usage.jobs.setdefault(number, Had())
        user.recent += of_user * part
        job.recent += of_job * part
        user.served, job.served = max(user.served, served), max(job.served, served)
    usage.weights = {user: weight(earned, terms.points) for user, earned in ledger.totals(conn).items()}
    for job, owner, boost, leases, measured, work in conn.execute(_RUNNING).all():
        estimates[job] = charged(float(work) / int(measured) if measured else UNKNOWN, boost)
        if leases:
            usage.add(owner, job, running=int(leases) * estimates[job])
    return _Known(at, usage, estimates)


def _add(conn: Connection, owner: int, job: int, of_user: float, of_job: float, at: int) -> None:
    change = _change(conn, owner, job, at)
    terms = agreed.terms(conn, at)
    change["of_user"] += terms.grown(of_user, at)
    change["of_job"] += terms.grown(of_job, at)


def _change(conn: Connection, owner: int, job: int, at: int) -> dict[str, Any]:
    key = (job, at // ERA)
    return _changes(conn).setdefault(key, {"owner": owner, "of_user": 0.0, "of_job": 0.0, "served": 0})


def _changes(conn: Connection) -> dict[tuple[int, int], dict[str, Any]]:
    mind = memory(conn)
    changes: dict[tuple[int, int], dict[str, Any]] | None = mind.page.get(_PENDING)
    if changes is None:
        changes = mind.page[_PENDING] = {}
        mind.at_last(_PENDING, lambda _: _write(mind, changes))
    return changes


def _write(mind: Memory, changes: dict[tuple[int, int], dict[str, Any]]) -> None:
    rows = [{"job": job, "era": era, "writer": mind.writer, **change} for (job, era), change in sorted(changes.items())]
    mind.later_all(_ADD, rows)


def _adding(table: Table, sums: Sequence[str], latest: str) -> Rows:
    """Return the INSERT that adds to a shard, and keeps the latest time, if the shard is there already."""

    def make(dialect: str) -> Insert:
        if dialect == "sqlite":
            lite = sqlite_insert(table)
            put = {name: table.c[name] + lite.excluded[name] for name in sums}
            put[latest] = func.max(table.c[latest], lite.excluded[latest])
            return lite.on_conflict_do_update(index_elements=["job", "era", "writer"], set_=put)
        my = mysql_insert(table)
        put = {name: table.c[name] + my.inserted[name] for name in sums}
        put[latest] = func.greatest(table.c[latest], my.inserted[latest])
        return my.on_duplicate_key_update(put)

    return Rows(make, ("job", "era", "writer", *sums, latest))


_ADD = _adding(shares, ("of_user", "of_job"), "served")
