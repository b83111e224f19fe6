"""Connections: one engine that writes, one that only reads.

SQLite: WAL and `synchronous=FULL`; the writer begins IMMEDIATE, since a transaction that
reads first and writes later fails at once when another wrote between. Readers open with
`mode=ro`: a `query_only` connection still checkpoints, and two checkpointing connections
can corrupt older SQLites. MariaDB: READ COMMITTED, and a ping before use. No wait is
endless: a database that falls silent is away after :data:`SILENCE` seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from farm.database import faults, hosts, packets
from farm.words.errors import DatabaseAway, NotASetup

READERS = 4
"""Threads that read; each has a connection."""

CONNECT = 5
"""Seconds in which MariaDB must take a connection."""

SILENCE = 60
"""Seconds in which it must answer; a migration may take longer."""

_LOCKS = "SET SESSION innodb_lock_wait_timeout = 5"
"""Seconds; its own default is 50, and nobody may wait so long."""

FORGOTTEN = 30
"""Seconds after which MariaDB undoes a transaction whose server says nothing more: its line is dead, and what it
locked would be so for hours, until the system misses the other end."""

_FORGETS = " /*M!100300 , idle_transaction_timeout = {} */"
"""What tells it so; MySQL knows no such thing, and skips it."""

_PRAGMAS = ("busy_timeout=5000", "foreign_keys=ON", "synchronous=FULL")
_MYSQL = (
    "Does it run there, and are user, password and rights as in docs/how-to/run-a-server.md? "
    "Special characters of the password are written as %40 for @, %2F for /, and so on."
)
_MENDS = {
    "sqlite": "Check that it is DistRen's, that its folder may be written to, and that the disk has space.",
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}
"""By the databases that DistRen speaks: what to do when one can't be opened."""


def parse(url: str) -> URL:
    """Read a database URL.

    Raises:
        NotASetup: the text is no URL, or of a database that DistRen does not speak.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise NotASetup("The database's URL can't be read.", hint="Write sqlite:////folder/farm.db.") from error
    if parsed.get_backend_name() not in _MENDS:
        raise NotASetup(
            f"DistRen does not speak {parsed.get_backend_name()}.",
            hint="Use sqlite:////folder/farm.db or mysql+pymysql://user:password@host/database.",
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise NotASetup("A farm's SQLite database must be a file.", hint="Write sqlite:////folder/farm.db.")
    return parsed


def writing(url: str) -> Engine:
    """Return the engine of the one writer."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        return _sqlite(parsed, Path(str(parsed.database)), begin="BEGIN IMMEDIATE", more=("journal_mode=WAL",))
    locks = _LOCKS + _FORGETS.format(FORGOTTEN)
    engine = _mysql(parsed, size=2, client_flag=packets.FLAGS, init_command=locks)
    packets.teach(engine)
    return engine


def migrating(url: str) -> Engine:
    """Return an engine that waits as long as a change of large tables takes."""
    parsed = parse(url)
    return writing(url) if parsed.get_backend_name() == "sqlite" else _mysql(parsed, size=1, silence=None)


def reading(url: str) -> Engine:
    """Return the engine of those who only read."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        file = quote(str(Path(str(parsed.database)).absolute()))
        only = parsed.set(database=f"file:{file}", query={"mode": "ro", "uri": "true"})
        return _sqlite(only, Path(str(parsed.database)), begin="BEGIN")
    engine = _mysql(parsed, size=READERS)
    event.listen(engine, "connect", _read_only)
    return engine


def alone(url: str) -> Engine:
    """Return the engine of a SQLite file that nobody else uses, such as a snapshot: it has no log beside it."""
    parsed = parse(url)
    return _sqlite(parsed, Path(str(parsed.database)), begin="BEGIN IMMEDIATE", more=("journal_mode=DELETE",))


@contextmanager
def opening(url: str) -> Iterator[None]:
    """Turn the driver's complaints while a database is opened into words, without the password.

    Raises:
        NotASetup: it can't be reached, or refuses us, or is damaged.
    """
    try:
        yield
    except DBAPIError as error:
        parsed = parse(url)
        shown = parsed.database if parsed.get_backend_name() == "sqlite" else parsed.render_as_string()
        raise NotASetup(
            f"The database {shown} can't be used: {faults.said(error)}.", hint=_MENDS[parsed.get_backend_name()]
        ) from error


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """Let all queries of the block see the same moment, whatever is written meanwhile."""
    if conn.dialect.name != "sqlite":  # where a transaction always does
        conn.execution_options(isolation_level="REPEATABLE READ")
    with conn.begin():
        yield


def _mysql(url: URL, size: int, silence: int | None = SILENCE, **more: int | str) -> Engine:
    several = hosts.of(url)
    connect = hosts.CONNECT if several else CONNECT
    waits = {"connect_timeout": connect, "read_timeout": silence, "write_timeout": silence}
    engine = create_engine(
        hosts.without(url),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=size,
        pool_recycle=hosts.RECYCLE if several else 3600,
        connect_args={"charset": "utf8mb4", "init_command": _LOCKS, **waits, **more},
    )
    if several:
        hosts.choose(engine, several)
    return engine


def _read_only(dbapi: Any, _record: Any) -> None:
    with dbapi.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


def _sqlite(url: URL, file: Path, begin: str, more: tuple[str, ...] = ()) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "isolation_level": None})

    def connected(dbapi: Any, record: Any) -> None:
        for pragma in (*_PRAGMAS, *more):
            dbapi.execute(f"PRAGMA {pragma}")
        record.info["file"] = _identity(file)

    def begins(conn: Connection) -> None:
        if conn.info["file"] != _identity(file):
            raise DatabaseAway(
                f"The database's file {file} is gone, or was replaced while the server ran.",
                hint="Stop the server, put the file back with its -wal and -shm, and start it again.",
            )
        conn.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begins)
    return engine


def _identity(file: Path) -> tuple[int, int] | None:
    """Tell files apart: an open one can be written on after its name is gone, and all of it would be lost."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
