"""What a driver's complaint means: the one place where it becomes one of our errors."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto

from sqlalchemy.exc import DBAPIError

from farm.words.errors import DatabaseAway, DiskFull, DistrenError

WAIT = "Wait a little: everything goes on when it is back. The server's log, and the database's, say more."
"""The hint for those whose request came while the database was away."""


class Fault(Enum):
    """What keeps the database from doing something."""

    OTHERS = auto()
    """Another transaction was in the way: run this one again."""
    AWAY = auto()
    """It is gone, closed, locked or broken: it takes nothing from anybody."""
    FULL = auto()
    """Its disk has no space."""
    OURS = auto()
    """What was asked for is wrong."""


_OTHERS = {1205, 1213, 1020}
"""MariaDB: lock wait time-out, deadlock, row changed."""

_LOST = {0, 2006, 2013, 2055, 1927, 1158, 1159, 1160, 1161, 1180}
"""MariaDB: the connection broke, was closed or killed; or COMMIT broke off, as on a node that lost the others."""

_CLOSED = {1040, 1045, 1047, 1049, 1053, 1077, 1129, 1130, 1290, 1836, 2002, 2003, 2005}
"""MariaDB: too many connections, who is not let in, a node that is not ready, shutting down, read-only, no answer."""

_FULL = {3, 1021, 1026, 1114}
"""MariaDB: the disk or a table is full, a file can't be written."""

_STORAGE = 1030
"""MariaDB: an error of the storage engine, with the system's number in its text."""

_SQLITE = {
    sqlite3.SQLITE_FULL: Fault.FULL,
    **dict.fromkeys(
        (
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_NOTADB,
        ),
        Fault.AWAY,
    ),
}
"""SQLite waits for others by itself: what stays locked for so long is locked by something that is no server."""


_UNWRITABLE = {sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}

_WRITABLE = "Look at its disk, and at who may write to it: everything goes on when it can be written again."
"""The hint for a file that turned read-only, as disks do that have a fault."""


def fault_of(error: BaseException) -> Fault:
    """Tell what an error says about the database."""
    if isinstance(error, DatabaseAway):
        return Fault.AWAY
    if not isinstance(error, DBAPIError):
        return Fault.OURS
    code = getattr(error.orig, "sqlite_errorcode", None)
    return _of_mariadb(error) if code is None else _SQLITE.get(code & 0xFF, Fault.OURS)


def lost(error: DBAPIError) -> bool:
    """Tell whether the connection broke: while committing, nobody knows then whether that was done."""
    return _code(error) in _LOST


def said(error: DBAPIError) -> str:
    """Return what the driver said, without the statement and its values."""
    args = getattr(error.orig, "args", ())
    return str(args[-1]) if args and args[-1] else type(error.orig).__name__


def meaning(error: DBAPIError) -> DistrenError | None:
    """Return our error for a driver's; None if the fault is ours."""
    fault = fault_of(error)
    if fault is Fault.FULL:
        return DiskFull(
            f"The database's disk is full: {said(error)}.", hint="Delete jobs, or give the database more space."
        )
    if fault is Fault.OURS:
        return None
    if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _UNWRITABLE:
        return DatabaseAway(f"The database's file can't be written: {said(error)}.", hint=_WRITABLE)
    return DatabaseAway(f"The database takes nothing at the moment: {said(error)}.", hint=WAIT)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a driver raises into our errors, unless the fault is ours."""
    try:
        yield
    except DBAPIError as error:
        ours = meaning(error)
        if ours is None:
            raise
        raise ours from error


def _of_mariadb(error: DBAPIError) -> Fault:
    code = _code(error)
    if code in _OTHERS:
        return Fault.OTHERS
    if code in _FULL or (code == _STORAGE and f"error {errno.ENOSPC}" in said(error)):
        return Fault.FULL
    return Fault.AWAY if code in _LOST | _CLOSED else Fault.OURS


def _code(error: DBAPIError) -> int | None:
    args = getattr(error.orig, "args", ())
    return args[0] if args and isinstance(args[0], int) else None
