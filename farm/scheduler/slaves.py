"""A slave's comings and goings, and what people do to it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import attempts, slaves, tokens
from farm.protocol.slaves import Hardware, SlaveLogin
from farm.scheduler import crowd, errands, held, telling, upgrades
from farm.scheduler.policy import Policy
from farm.scheduler.releases import Release, release
from farm.words.errors import NotFound, Unauthenticated, WrongState
from farm.words.states import SLAVE_MOVES, AttemptState, FailureClass, SlaveState, move

_KEPT = frozenset({SlaveState.PAUSED, SlaveState.SICK})
"""What a slave stays, gone or not: a person paused it, or it has to prove itself."""

_NONE = 2**62 + 1
"""A number that no report reaches: after a logout, calls that are still on their way come too late."""


def log_in(conn: Connection, slave: int, login: SlaveLogin, at: int, policy: Policy | None = None) -> None:
    """Note that a slave is here, and what it has. What it held before is lost: it is a new process."""
    row = _fresh(conn, slave)
    _give_back(conn, slave, at, policy or Policy())
    state = SlaveState(row.state)
    values = {
        "version": login.version,
        "slots": login.slots,
        "hardware": login.hardware.model_dump_json(),
        "offers": json.dumps([offer.model_dump() for offer in login.offers]),
        "seq": -1,
        "seen": at,
        "message": "",
        "accept": login.accept.value,
        "benchmark": login.benchmark,
        "changed": _changed(conn, slave, login, at),
    }
    conn.execute(update(slaves).where(slaves.c.id == slave).values(values))
    _become(conn, row, state if state in _KEPT else SlaveState.IDLE, at)
    upgrades.logged_in(conn, slave, login.build, at)
    errands.logged_in(conn, slave, at)


def _changed(conn: Connection, slave: int, login: SlaveLogin, at: int) -> int:
    """Return since when a slave's pictures are the same to the last bit, as its machine and renderers say; µs."""
    query = select(slaves.c.hardware, slaves.c.offers, slaves.c.changed).where(slaves.c.id == slave)
    before = conn.execute(query).one()
    if not before.hardware or before.offers != json.dumps([offer.model_dump() for offer in login.offers]):
        return at
    return before.changed if _kind(Hardware.model_validate_json(before.hardware)) == _kind(login.hardware) else at


def _kind(machine: Hardware) -> tuple[object, ...]:
    return machine.system, machine.devices, machine.arithmetic, machine.drivers


def log_out(conn: Connection, slave: int, at: int, policy: Policy | None = None) -> None:
    """Note that a slave goes: all that it has is given back.

    Calls of its that still hang, or are on their way, count for nothing from now on.
    """
    row = _fresh(conn, slave)
    _give_back(conn, slave, at, policy or Policy())
    conn.execute(update(slaves).where(slaves.c.id == slave).values(seq=_NONE))
    errands.logged_out(conn, slave, at)
    _become(conn, row, SlaveState.PAUSED if row.state == SlaveState.PAUSED else SlaveState.OFFLINE, at)


def pause(conn: Connection, slave: int, at: int) -> None:
    """Lease a slave nothing new, until it is resumed."""
    _become(conn, _fresh(conn, slave), SlaveState.PAUSED, at)


def stop(conn: Connection, slave: int, at: int) -> None:
    """Pause a slave, and take back what it has: it stops with its next report, by no fault of its own."""
    pause(conn, slave, at)
    _revoke(conn, slave, at)


def resume(conn: Connection, slave: int, at: int) -> None:
    """Let a paused or sick slave take frames again.

    Raises:
        WrongState: it is neither.
    """
    row = _fresh(conn, slave)
    if row.state not in _KEPT:
        raise WrongState(f"Slave {row.name} is {row.state}, not paused.")
    _become(conn, row, SlaveState.IDLE, at)


def retire(conn: Connection, slave: int, at: int) -> None:
    """Void a slave's key: what it has is revoked and rendered elsewhere."""
    row = _fresh(conn, slave)
    _revoke(conn, slave, at)
    conn.execute(delete(tokens).where(tokens.c.slave == slave))
    _become(conn, row, SlaveState.RETIRED, at)


def shut_out(conn: Connection, slave: int, at: int) -> None:
    """Take back at once what a slave has whose logins are void: others render it, and nothing of it counts.

    Nor do calls of its that still hang: they would get leases again.
    """
    if conn.execute(select(slaves.c.state).where(slaves.c.id == slave)).scalar() == SlaveState.RETIRED:
        return  # it has nothing any more
    row = _fresh(conn, slave)
    _revoke(conn, slave, at)
    conn.execute(update(slaves).where(slaves.c.id == slave).values(seq=_NONE))
    _become(conn, row, SlaveState(row.state) if row.state in _KEPT else SlaveState.OFFLINE, at)


def _revoke(conn: Connection, slave: int, at: int) -> None:
    mine = list(held.open_of(conn, slave).values())
    release(conn, [Release(attempt, AttemptState.REVOKED) for attempt in mine], at, Policy())


def lose(conn: Connection, slave: int, at: int, policy: Policy) -> None:
    """Give up a slave that fell silent; late results are still welcome."""
    row = _fresh(conn, slave)
    lose_attempts(conn, list(held.open_of(conn, slave).values()), at, policy, f"Slave {row.name} fell silent.")
    _become(conn, row, SlaveState.OFFLINE, at)
    telling.of_silence(conn, row.name, row.owner, at)


def lose_attempts(conn: Connection, lost: list[held.Held], at: int, policy: Policy, why: str) -> None:
    """Give up attempts that nobody speaks of any more."""
    releases = [Release(attempt, AttemptState.LOST, FailureClass.FARM, why) for attempt in lost]
    release(conn, releases, at, policy)


def _fresh(conn: Connection, slave: int) -> Any:
    memory(conn).flush(conn)
    query = select(slaves.c.id, slaves.c.name, slaves.c.state, slaves.c.owner).where(slaves.c.id == slave)
    row = conn.execute(query).first()
    if row is None:
        raise NotFound(f"There is no slave {slave}.")
    if row.state == SlaveState.RETIRED:
        raise Unauthenticated(f"Slave {row.name} is retired.", hint="Make a new slave key.")
    return row


def _give_back(conn: Connection, slave: int, at: int, policy: Policy) -> None:
    mine = held.open_of(conn, slave).values()
    release(conn, [Release(attempt, AttemptState.RETURNED) for attempt in mine], at, policy)


def _become(conn: Connection, row: Row[Any], new: SlaveState, at: int) -> None:
    old = SlaveState(row.state)
    if new is not old:
        move(SLAVE_MOVES, old, new)
        conn.execute(update(slaves).where(slaves.c.id == row.id).values(state=new.value))
    eventlog.note(conn, "slave", at=at, slave=row.name, data={"state": new.value})
    crowd.changed(conn)


def open_attempts(conn: Connection, ids: list[int]) -> list[held.Held]:
    """Return those of these attempts that are still open."""
    memory(conn).flush(conn)
    return [attempt for attempt in held.by_ids(conn, ids).values() if attempt.state is AttemptState.OPEN]


def expired(conn: Connection, at: int, most: int) -> list[int]:
    """Return ids of open attempts whose deadline is over."""
    query = select(attempts.c.id).where(attempts.c.state == AttemptState.OPEN.value, attempts.c.deadline < at)
    return list(conn.execute(query.order_by(attempts.c.deadline).limit(most)).scalars())
