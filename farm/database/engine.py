"""Connections: one engine that writes, one that only reads.

SQLite: WAL and `synchronous=FULL`; the writer begins IMMEDIATE, since a transaction that
reads first and writes later fails at once when another wrote between. Readers open with
`mode=ro`: a `query_only` connection still checkpoints, and two checkpointing connections
can corrupt older SQLites. MariaDB: READ COMMITTED, and a ping before use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from farm.words.errors import NotASetup

READERS = 4
"""Threads that read; each has a connection."""

_PRAGMAS = ("busy_timeout=20000", "foreign_keys=ON", "synchronous=FULL")
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
        return _sqlite(parsed, begin="BEGIN IMMEDIATE", more=("journal_mode=WAL",))
    return _mysql(parsed, size=2)


def reading(url: str) -> Engine:
    """Return the engine of those who only read."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        file = quote(str(Path(str(parsed.database)).absolute()))
        return _sqlite(parsed.set(database=f"file:{file}", query={"mode": "ro", "uri": "true"}), begin="BEGIN")
    engine = _mysql(parsed, size=READERS)
    event.listen(engine, "connect", _read_only)
    return engine


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
        said = str(error.orig.args[-1]) if error.orig is not None and error.orig.args else type(error).__name__
        shown = parsed.database if parsed.get_backend_name() == "sqlite" else parsed.render_as_string()
        raise NotASetup(
            f"The database {shown} can't be used: {said}.", hint=_MENDS[parsed.get_backend_name()]
        ) from error


def _mysql(url: URL, size: int) -> Engine:
    return create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=size,
        pool_recycle=3600,
        connect_args={"charset": "utf8mb4", "connect_timeout": 10},
    )


def _read_only(dbapi: Any, _record: Any) -> None:
    with dbapi.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


def _sqlite(url: URL, begin: str, more: tuple[str, ...] = ()) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "isolation_level": None})

    def connected(dbapi: Any, _record: Any) -> None:
        for pragma in (*_PRAGMAS, *more):
            dbapi.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(begin))
    return engine
