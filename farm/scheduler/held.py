"""The attempts that a slave has, as the database knows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.engine import Connection

from farm.accounts import lending
from farm.database.memory import memory
from farm.database.schema import attempts, frames, slaves
from farm.words.states import AttemptState, FrameState

_COLUMNS = (
    attempts.c.id,
    attempts.c.job,
    attempts.c.frame,
    attempts.c.slave,
    attempts.c.lease,
    attempts.c.issued,
    attempts.c.state,
    attempts.c.deadline,
    attempts.c.started,
    attempts.c.progress,
    attempts.c.result,
    attempts.c.seq,
    frames.c.state.label("frame_state"),
    frames.c.rank,
    frames.c.result_attempt,
    frames.c.lease.label("frame_lease"),
)
_ALL = select(*_COLUMNS).join(frames, and_(frames.c.job == attempts.c.job, frames.c.number == attempts.c.frame))
_OPEN = _ALL.where(
    attempts.c.slave.in_(bindparam("these", expanding=True)), attempts.c.state == AttemptState.OPEN.value
)
_WHO = select(
    slaves.c.id,
    slaves.c.name,
    slaves.c.state,
    slaves.c.seq,
    slaves.c.slots,
    slaves.c.offers,
    slaves.c.owner,
    slaves.c.hardware,
    slaves.c.message,
    slaves.c.powers,
    slaves.c.paid,
    slaves.c.carded,
    slaves.c.upgrade,
    slaves.c.terms,
    slaves.c.accept,
    slaves.c.good,
    slaves.c.bad,
    slaves.c.judged,
    slaves.c.seen,
    slaves.c.tags,
    slaves.c.pool,
    slaves.c.errand,
    slaves.c.done,
).where(slaves.c.id.in_(bindparam("these", expanding=True)))
_AHEAD, _FORGOTTEN = "held", "to be read anew"


@dataclass(slots=True)
class Held:
    """An attempt and its frame. `progress` in thousandths; times in µs; `seq`: the report in whose answer it came."""

    id: int
    job: int
    frame: int
    slave: int
    lease: int
    issued: int
    state: AttemptState
    deadline: int
    started: int | None
    progress: int | None
    result: bytes | None
    seq: int | None
    frame_state: FrameState
    rank: int
    result_attempt: int | None
    frame_lease: int | None


def open_of(conn: Connection, slave: int) -> dict[int, Held]:
    """Return a slave's open attempts by id."""
    return {row[0]: _held(row) for row in conn.execute(_OPEN, {"these": [slave]}).all()}


@dataclass(frozen=True, slots=True)
class Known:
    """A slave's row (None: there is none), and its open attempts by id."""

    row: Any
    open: dict[int, Held]


def read_ahead(conn: Connection, ids: Iterable[int]) -> None:
    """Read many slaves and their open attempts by two queries."""
    memory(conn).flush(conn)
    these = sorted(set(ids))
    known = {slave: Known(None, {}) for slave in these}
    for who in conn.execute(_WHO, {"these": these}).all():
        known[who.id] = Known(who, {})
    for row in conn.execute(_OPEN, {"these": these}).all():
        attempt = _held(row)
        known[attempt.slave].open[attempt.id] = attempt
    memory(conn).ahead.setdefault(_AHEAD, {}).update(known)


def known(conn: Connection, slave: int) -> Known:
    """Return a slave as it is now: what was read ahead, if nothing has changed it since."""
    ahead: dict[int, Known] = memory(conn).ahead.get(_AHEAD, {})
    if slave not in ahead:
        read_ahead(conn, [slave, *memory(conn).ahead.pop(_FORGOTTEN, ())])
        ahead = memory(conn).ahead[_AHEAD]
    return ahead[slave]


def take(conn: Connection, slave: int) -> Known:
    """Return the same, to change it: the next who asks reads it anew."""
    found = known(conn, slave)
    del memory(conn).ahead[_AHEAD][slave]
    return found


def neighbours(conn: Connection) -> list[int]:
    """Return the slaves that were read ahead and whose turn is still to come."""
    return list(memory(conn).ahead.get(_AHEAD, ()))


def friends(conn: Connection, user: int) -> frozenset[int]:
    """Return the friends of a slave's owner; they are read together with those of its neighbours' owners."""
    ahead = memory(conn).ahead
    named: dict[int, frozenset[int]] = ahead.setdefault("friends", {})
    if user not in named:
        beside = {known.row.owner for known in ahead.get(_AHEAD, {}).values() if known.row is not None}
        named.update(lending.friends_of(conn, beside | {user}))
    return named[user]


def forget(conn: Connection) -> None:
    """Forget what was read ahead: attempts or frames of any slave were changed.

    Whose turn is still to come is read anew with the next of them: in a batch of 64, one failure is usual.
    """
    ahead = memory(conn).ahead
    left = ahead.get(_FORGOTTEN, frozenset()) | ahead.get(_AHEAD, {}).keys()
    ahead.clear()
    ahead[_FORGOTTEN] = left


def by_ids(conn: Connection, ids: Iterable[int]) -> dict[int, Held]:
    """Return attempts by id, whatever their state; those of deleted jobs are gone."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {row[0]: _held(row) for row in conn.execute(_ALL.where(attempts.c.id.in_(wanted))).all()}


def _held(row: Any) -> Held:
    held = Held(*row)
    held.state, held.frame_state = AttemptState(held.state), FrameState(held.frame_state)
    return held
