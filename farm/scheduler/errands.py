"""Errands: what people have slaves do, one at a time, and what the slaves say of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import deeds
from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import errands, slaves, users
from farm.protocol.errands import ErrandOrder, ErrandView, ErrandWord, SendErrand
from farm.words.clock import SECOND, moment
from farm.words.errands import ENDS, Errand
from farm.words.errors import NotFound, WrongState
from farm.words.states import SlaveState

KEPT = 20
"""Errands of a slave that are remembered."""

STALE = 600 * SECOND
"""µs after which a stop that a slave never heard of is not told to a new process any more."""

_AWAY = frozenset({SlaveState.OFFLINE, SlaveState.RETIRED})


def order(conn: Connection, slave: int, wish: SendErrand, by: int, at: int) -> int:
    """Have a slave do something as soon as it hears of it; return the errand's number.

    A newer errand takes the place of one that is not over: who wants a slave stopped at once does not wait for its
    restart.

    Args:
        conn: the writer's.
        slave: the id of the slave's row.
        wish: what it is to do.
        by: the user who wants it.
        at: now, µs.

    Raises:
        WrongState: it is away, or of another make.
    """
    row = _row(conn, slave)
    if not row.build:
        raise WrongState(f"Slave {row.name} does not run errands.", hint="It is of another make, or never logged in.")
    if row.state in _AWAY:
        raise WrongState(f"Slave {row.name} is {row.state}.", hint="Start it on its machine first.")
    _over(conn, row, "replaced", "", at)
    seconds = round(wish.seconds) if wish.errand is Errand.REST else 0
    values = {"slave": slave, "errand": wish.errand.value, "seconds": seconds, "by": by, "at": at, "stage": "ordered"}
    number = int(conn.execute(insert(errands).values(**values, message="", shown="")).inserted_primary_key[0])  # type: ignore[index]
    order = ErrandOrder(number=number, errand=wish.errand, seconds=seconds)
    _put(conn, row, order.model_dump_json(), at)
    _forget(conn, slave)
    deeds.note(conn, by, f"{wish.errand.value.replace('_', ' ')} slave", at=at, detail=row.name)
    return number


def hear(conn: Connection, slave: int, word: ErrandWord, at: int) -> None:
    """Take what a slave says of its errand; of another one than the present, it means nothing."""
    row = _row(conn, slave)
    present = _present(row)
    if present is None or present.number != word.number:
        return
    if word.stage == "begun":
        _say(conn, word.number, {"stage": "begun", "message": word.message}, at)
        _tell(conn, row, at)
    else:
        _over(conn, row, word.stage, word.message, at, word.text)


def logged_in(conn: Connection, slave: int, at: int) -> None:
    """Note that a slave's process is a new one: a restart is done. Anything else is told to the new one again.

    But for a stop that the former one never heard of, and that is older than :data:`STALE`: whoever started it since
    wants it to run.
    """
    row = _row(conn, slave)
    present = _present(row)
    if present is None or present.errand not in ENDS:
        return
    stage, ordered = _stage(conn, present.number)
    if stage == "begun":
        _over(conn, row, "done", "It is back." if present.errand is Errand.RESTART else "It ended; it runs again.", at)
    elif at - ordered > STALE:
        _over(conn, row, "failed", "It was away before it heard of this, and was started since.", at)


def logged_out(conn: Connection, slave: int, at: int) -> None:
    """Note that a slave goes: if it heard that it should stop, that is done. Else it hears of it when it is back."""
    row = _row(conn, slave)
    present = _present(row)
    if present is None or present.errand not in ENDS - {Errand.RESTART}:
        return
    if _stage(conn, present.number)[0] == "begun":
        _over(conn, row, "done", "It has ended.", at)


def views(conn: Connection, slave: int) -> list[ErrandView]:
    """Return a slave's errands, the newest first."""
    c = errands.c
    columns = (c.id, c.errand, c.stage, c.message, c.at, c.said, (c.shown != "").label("shows"), users.c.name)
    query = select(*columns).join(users, users.c.id == c.by).where(c.slave == slave).order_by(c.id.desc())
    return [
        ErrandView(
            number=row.id,
            errand=Errand(row.errand),
            by=row.name,
            stage=row.stage,
            message=row.message,
            at=moment(row.at),
            said=moment(row.said),
            shows=bool(row.shows),
        )
        for row in conn.execute(query)
    ]


def text(conn: Connection, slave: int, number: int) -> str:
    """Return what a slave showed.

    Raises:
        NotFound: it has no such errand, or showed nothing.
    """
    query = select(errands.c.shown).where(errands.c.slave == slave, errands.c.id == number)
    shown = conn.execute(query).scalar()
    if not shown:
        raise NotFound("There is no such text.", hint="A slave's last errands are kept; ask for its log anew.")
    return str(shown)


def _row(conn: Connection, slave: int) -> Any:
    memory(conn).flush(conn)
    c = slaves.c
    return conn.execute(select(c.id, c.name, c.state, c.build, c.errand).where(c.id == slave)).one()


def _present(row: Any) -> ErrandOrder | None:
    return ErrandOrder.model_validate_json(row.errand) if row.errand else None


def _stage(conn: Connection, number: int) -> tuple[str, int]:
    """Return how far an errand is, and when it was ordered."""
    stage, ordered = conn.execute(select(errands.c.stage, errands.c.at).where(errands.c.id == number)).one()
    return str(stage), int(ordered)


def _over(conn: Connection, row: Any, stage: str, message: str, at: int, shown: str = "") -> None:
    present = _present(row)
    if present is not None:
        _say(conn, present.number, {"stage": stage, "message": message, "shown": shown}, at)
        _put(conn, row, "", at)


def _say(conn: Connection, number: int, values: dict[str, str], at: int) -> None:
    conn.execute(update(errands).where(errands.c.id == number).values(**values, said=at))


def _put(conn: Connection, row: Any, present: str, at: int) -> None:
    conn.execute(update(slaves).where(slaves.c.id == row.id).values(errand=present))
    _tell(conn, row, at)


def _tell(conn: Connection, row: Any, at: int) -> None:
    """Wake the slave's call, and those who look at slaves."""
    eventlog.note(conn, "slave", at=at, slave=row.name, data={"state": row.state})


def _forget(conn: Connection, slave: int) -> None:
    oldest = select(errands.c.id).where(errands.c.slave == slave).order_by(errands.c.id.desc()).offset(KEPT).limit(1)
    last = conn.execute(oldest).scalar()
    if last is not None:
        conn.execute(delete(errands).where(errands.c.slave == slave, errands.c.id <= last))
