"""Several hosts of one database, such as the nodes of a Galera cluster: whichever answers first in their order.

All of a server's processes name them in the same order, so all write to the same node as long as it lives: two nodes
would refuse each other's transactions at COMMIT, and a node's row locks are its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

CONNECT = 2
"""Seconds in which one of several must take a connection, before the next one is tried."""

RECYCLE = 60
"""Seconds after which connections are made anew: a node that is back is used again by then."""

_CLUSTER = "SELECT VARIABLE_VALUE FROM information_schema.SESSION_VARIABLES WHERE VARIABLE_NAME = 'WSREP_ON'"

_SEEN = "SET SESSION wsrep_sync_wait = 1"
"""Reads see what was written on another node before."""


def of(url: URL) -> list[tuple[str, int]]:
    """Return the hosts that a URL names by `?host=a:3306&host=b`, each with its port; none: it names one as usual."""
    named = url.query.get("host", ())
    words = (named,) if isinstance(named, str) else named
    return [(host, int(port or 3306)) for host, _, port in (word.partition(":") for word in words)]


def without(url: URL) -> URL:
    """Return the URL as the driver wants it."""
    return url.difference_update_query(["host"])


def choose(engine: Engine, hosts: list[tuple[str, int]]) -> None:
    """Let an engine's connections be made to the first of some hosts that works."""

    def connect(dialect: Any, _record: Any, args: Any, given: dict[str, Any]) -> Any:
        error: Exception | None = None
        for host, port in hosts:
            try:
                return _opened(dialect.loaded_dbapi.connect(*args, **{**given, "host": host, "port": port}))
            except dialect.loaded_dbapi.Error as failed:
                error = failed
        assert error is not None
        raise error

    event.listen(engine, "do_connect", connect)


def _opened(dbapi: Any) -> Any:
    """Make sure that a node works: one outside of its cluster takes connections, too, and refuses all that is asked."""
    try:
        with dbapi.cursor() as cursor:
            cursor.execute(_CLUSTER)
            if (cursor.fetchone() or ("OFF",))[0] == "ON":
                cursor.execute(_SEEN)
    except BaseException:  # whatever it was, nobody else will close it
        dbapi.close()
        raise
    return dbapi
