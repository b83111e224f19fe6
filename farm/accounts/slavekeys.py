"""Slave keys: a slave logs in with its key and password, and belongs to a user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import deeds, logins, opaque
from farm.accounts.identity import Identity
from farm.database.schema import slaves, users
from farm.protocol.joining import SlaveKeyMade
from farm.words.clock import SECOND
from farm.words.errors import Forbidden, NameTaken, NotFound, SlaveBusyElsewhere, WrongPassphrase
from farm.words.states import SlaveState

SILENCE = 15 * SECOND
"""µs that a slave must be silent before its key may log in again, usually."""


_UNSEEN = {"version": "", "slots": 0, "hardware": "", "offers": "[]", "seq": -1, "seen": None, "done": 0, "message": ""}
"""A slave that has never logged in."""


@dataclass(frozen=True, slots=True)
class SlaveGranted:
    """A slave that has logged in."""

    id: int
    name: str
    token: str


def make(conn: Connection, name: str, owner: Identity, at: int) -> SlaveKeyMade:
    """Make a slave, or a new password for one's own; it is shown this once.

    A new password ends the slave's login; a retired slave comes back.

    Raises:
        NameTaken: the slave is another user's.
    """
    old = _by_name(conn, name)
    if old is not None and old["owner"] != owner.id:
        raise NameTaken(f"There is a slave “{name}” of another user already.", hint="Choose another name.")
    key, password = opaque.code(3), opaque.token("password")
    fresh = {"key": key, "password": opaque.digest(password), "state": SlaveState.OFFLINE}
    if old is None:
        conn.execute(insert(slaves).values(name=name, owner=owner.id, created=at, **_UNSEEN, **fresh))
    else:
        logins.revoke_slave(conn, old["id"])
        conn.execute(update(slaves).where(slaves.c.id == old["id"]).values(_renewed(old, fresh)))
    deeds.note(conn, owner.id, "slave key" if old is None else "new slave key", at=at, detail=name)
    return SlaveKeyMade(name=name, key=key, password=password)


def log_in(conn: Connection, key: str, password: str, at: int, silence: int = SILENCE) -> SlaveGranted:
    """Open a slave's login and return its token.

    Args:
        conn: the writer's.
        key: the slave's.
        password: the key's.
        at: now, µs.
        silence: µs that whoever has the key must have been silent.

    Raises:
        WrongPassphrase: key and password don't belong together, or the slave is retired.
        SlaveBusyElsewhere: a slave with this key was heard of a moment ago.
    """
    found = conn.execute(select(slaves).where(slaves.c.key == key)).mappings().one_or_none()
    known = found["password"] if found is not None else bytes(32)
    right = opaque.same(known, opaque.digest(password))
    if not right or found is None or found["state"] == SlaveState.RETIRED or _kept_out(conn, found["owner"]):
        raise WrongPassphrase("Slave key or password is wrong.", hint="Make new ones: `distren slave-key NAME`.")
    _must_be_silent(found, at, silence)
    return SlaveGranted(found["id"], found["name"], logins.grant_slave(conn, found["id"], at))


def unused(conn: Connection, name: str, owner: Identity) -> bool:
    """Tell whether a name is free for a new machine: there is no such slave, or one of this user's that never came."""
    old = _by_name(conn, name)
    return old is None or (old["owner"] == owner.id and old["seen"] is None and not old["version"])


def own(conn: Connection, name: str, asker: Identity) -> int:
    """Return the id of a slave that this user may steer: their own, or any for an admin.

    Raises:
        NotFound: there is no such slave.
        Forbidden: it is another user's.
    """
    found = _by_name(conn, name)
    if found is None:
        raise NotFound(f"There is no slave “{name}”.", hint="`distren slaves` lists them.")
    if found["owner"] != asker.id and not asker.is_admin:
        raise Forbidden(f"The slave “{name}” is another user's.", hint="Its owner or an admin may do this.")
    return int(found["id"])


def _kept_out(conn: Connection, owner: int) -> bool:
    return bool(conn.execute(select(users.c.disabled).where(users.c.id == owner)).scalar())


def _by_name(conn: Connection, name: str) -> RowMapping | None:
    return conn.execute(select(slaves).where(slaves.c.name == name)).mappings().one_or_none()


def _renewed(old: RowMapping, fresh: dict[str, Any]) -> dict[str, Any]:
    """Return what a new password changes: a slave at work keeps its state until it falls silent."""
    keeps = old["state"] != SlaveState.RETIRED
    return {**fresh, "state": old["state"] if keeps else SlaveState.OFFLINE, "seen": None}


def _must_be_silent(slave: RowMapping, at: int, silence: int) -> None:
    if slave["state"] == SlaveState.OFFLINE or slave["seen"] is None:
        return
    wait = (slave["seen"] + silence - at) / SECOND
    if wait > 0:
        raise SlaveBusyElsewhere(
            f"Another slave is logged in as “{slave['name']}” and was heard of a moment ago.",
            hint=f"Give each slave a key of its own, or wait {silence / SECOND:.0f} seconds after the other has ended.",
            retry_after=max(1, round(wait)),
        )
