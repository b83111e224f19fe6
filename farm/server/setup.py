"""The first start: the server's name and the setup code; later starts find them."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import invites, opaque, users
from farm.accounts.invites import DAY
from farm.database.handle import Database
from farm.database.schema import meta, sequences
from farm.protocol.accounts import Role
from farm.words.errors import NotASetup
from farm.words.names import SERVER_NAME

log = structlog.get_logger(__name__)

NAME, SETUP_CODE = "name", "setup_code"

JOBS = "job"
"""The sequence of job numbers."""

_YEARS = 3650 * DAY


@dataclass(frozen=True, slots=True)
class Founded:
    """What a database says of its server. `setup_code` None: there is an admin."""

    name: str
    setup_code: str | None


def found(database: Database, wanted_name: str, at: int) -> Founded:
    """Return the server's name and, until the first admin has registered, the setup code.

    Args:
        database: the server's.
        wanted_name: the name in the settings; empty: the one it has.
        at: now, µs.

    Raises:
        NotASetup: it has another name already, and names are constant.
    """
    return database.write_now(partial(_found, wanted_name=wanted_name, at=at))


def _found(conn: Connection, wanted_name: str, at: int) -> Founded:
    name = _read(conn, NAME)
    if name is None:
        name = wanted_name or machine_name(socket.gethostname())
        conn.execute(insert(meta).values(key=NAME, value=name))
    if wanted_name and wanted_name != name:
        raise NotASetup(
            f"This server's name is “{name}” and can't become “{wanted_name}”: addresses of its jobs hold it.",
            hint=f"Set name={name}, or start a new server in another data folder.",
        )
    return Founded(name, _setup_code(conn, at))


def _setup_code(conn: Connection, at: int) -> str | None:
    """Return the code that makes the first admin: an invite, kept readable until it was used."""
    code = _read(conn, SETUP_CODE)
    if users.has_admin(conn):
        conn.execute(delete(meta).where(meta.c.key == SETUP_CODE))
        return None
    if code is not None and invites.valid(conn, code, at):
        return code
    conn.execute(delete(meta).where(meta.c.key == SETUP_CODE))
    code = opaque.code()
    invites.keep(conn, code, role=Role.ADMIN, uses=1, expires=at + _YEARS)
    conn.execute(insert(meta).values(key=SETUP_CODE, value=code))
    return code


def numbers_above(database: Database, highest: int) -> None:
    """Give the next job a number above one that was seen in the storage: a restored database may not know it."""
    database.write_now(partial(_numbers_above, highest=highest))


def _numbers_above(conn: Connection, highest: int) -> None:
    below = sequences.c.name == JOBS, sequences.c.next <= highest
    if _read_next(conn) is None and highest:
        conn.execute(insert(sequences).values(name=JOBS, next=highest + 1))
    elif conn.execute(update(sequences).where(*below).values(next=highest + 1)).rowcount:
        log.warning("The storage knows later jobs than the database: numbers go on after them.", highest=highest)


def _read_next(conn: Connection) -> int | None:
    return conn.execute(select(sequences.c.next).where(sequences.c.name == JOBS)).scalar()


def machine_name(hostname: str) -> str:
    """Return a server name made of a machine's name; `home` where nothing fits."""
    name = re.sub(r"[^a-z0-9-]+", "-", hostname.split(".")[0].lower()).strip("-")[:63].strip("-")
    return name if SERVER_NAME.fullmatch(name) and name != "localhost" else "home"


def _read(conn: Connection, key: str) -> str | None:
    return conn.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
