"""Pools and tags, as admins make them: which slaves are for whom, and what jobs may demand of a slave."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, Table, delete, insert, select, update

from farm.accounts import deeds
from farm.database import eventlog
from farm.database.schema import pools, slaves, users
from farm.jobs.access import Asker
from farm.protocol.pools import PoolView, PoolWish, SlaveTags
from farm.scheduler import crowd, jobrow
from farm.scheduler import pools as rules
from farm.words.errors import Forbidden, NotFound
from farm.words.states import SlaveState


def views(conn: Connection) -> list[PoolView]:
    """Return all pools by name."""
    names: dict[int, str] = {row.id: row.name for row in conn.execute(select(users.c.id, users.c.name))}
    there = select(slaves.c.pool, slaves.c.name).where(slaves.c.pool != "", slaves.c.state != SlaveState.RETIRED)
    inside = [(row.pool, row.name) for row in conn.execute(there.order_by(slaves.c.name))]
    return [
        PoolView(
            name=name,
            slaves=[slave for pool, slave in inside if pool == name],
            users=sorted(names[user] for user in pool.users if user in names),
        )
        for name, pool in sorted(rules.read(conn).items())
    ]


def put(conn: Connection, admin: Asker, name: str, wish: PoolWish, at: int) -> None:
    """Make a pool, or make it another; a slave leaves the pool that it was in.

    Raises:
        NotFound: there is no such slave, or no such user.
    """
    members = _named(conn, users, wish.users, "user")
    machines = _named(conn, slaves, wish.slaves, "slave")
    conn.execute(delete(pools).where(pools.c.name == name))
    conn.execute(insert(pools).values(name=name, users=json.dumps(members)))
    conn.execute(update(slaves).where(slaves.c.pool == name).values(pool=""))
    conn.execute(update(slaves).where(slaves.c.id.in_(machines)).values(pool=name))
    detail = f"{name}: slaves {', '.join(wish.slaves) or '-'}; users {', '.join(wish.users) or '-'}"
    _changed(conn, admin, "pool", detail, at)


def move(conn: Connection, admin: Asker, slave: str, pool: str, at: int) -> None:
    """Put a slave into a pool; '' takes it out of its own: it is for everybody again.

    Raises:
        NotFound: there is no such slave, or no such pool.
    """
    (machine,) = _named(conn, slaves, [slave], "slave")
    if pool and pool not in rules.read(conn):
        raise _unknown(pool)
    conn.execute(update(slaves).where(slaves.c.id == machine).values(pool=pool))
    _changed(conn, admin, "pool", f"{slave} into {pool or 'none'}", at)


def remove(conn: Connection, admin: Asker, name: str, at: int) -> None:
    """Undo a pool: its slaves are for everybody again. Jobs that name it wait until they name none, or it is back.

    Raises:
        NotFound: there is none.
    """
    if not conn.execute(delete(pools).where(pools.c.name == name)).rowcount:
        raise _unknown(name)
    conn.execute(update(slaves).where(slaves.c.pool == name).values(pool=""))
    _changed(conn, admin, "no pool", name, at)


def tag(conn: Connection, admin: Asker, name: str, wish: SlaveTags, at: int) -> None:
    """Give a slave tags, beside those that it has of its own; instead of those that an admin gave it before.

    Raises:
        NotFound: there is no such slave.
    """
    (slave,) = _named(conn, slaves, [name], "slave")
    conn.execute(update(slaves).where(slaves.c.id == slave).values(tags=" ".join(sorted(set(wish.tags)))))
    _changed(conn, admin, "tag slave", f"{name}: {', '.join(wish.tags) or '-'}", at)


def must_let_in(conn: Connection, asker: Asker, name: str) -> None:
    """Refuse a user's job that names a pool which is not theirs; '' names none.

    Raises:
        NotFound: there is no such pool.
        Forbidden: it is for others.
    """
    if not name:
        return
    pool = rules.read(conn).get(name)
    if pool is None:
        raise _unknown(name)
    if not (asker.admin or pool.lets_in(asker.user)):
        raise Forbidden(f"The pool {name} is for others.", hint="Ask an admin, or name no pool.")


def _changed(conn: Connection, admin: Asker, verb: str, detail: str, at: int) -> None:
    crowd.changed(conn)
    jobrow.forget_all(conn)
    eventlog.note(conn, "terms", at=at)
    deeds.note(conn, admin.user, verb, at=at, detail=detail)


def _named(conn: Connection, table: Table, names: Iterable[str], what: str) -> list[int]:
    """Return the ids of all that are named."""
    wanted = set(names)
    query = select(table.c.name, table.c.id).where(table.c.name.in_(wanted))
    if table is slaves:
        query = query.where(slaves.c.state != SlaveState.RETIRED)
    found = {row.name: row.id for row in conn.execute(query)}
    if missing := sorted(wanted - found.keys()):
        raise NotFound(f"There is no {what} {', '.join(missing)}.")
    return sorted(found.values())


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no pool {name}.", hint="`distren pools` lists them.")
