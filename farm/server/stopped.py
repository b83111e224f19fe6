"""Work on a server's data while no server does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select

from farm.database import engine
from farm.database.schema import meta
from farm.server.caretaker import KEY, NOBODY, SILENT
from farm.server.lock import FolderLock
from farm.words.errors import NotASetup
from farm.words.settings import ServerSettings

_LOOK = 0.25
"""Seconds between two looks."""

_WATCH = 2 * SILENT
"""Seconds without a word after which no server works there; one that left properly said so."""


@contextmanager
def stopped(settings: ServerSettings) -> Iterator[None]:
    """Make sure that no process of the server runs, nor starts in this folder.

    On SQLite the folder's lock says so. On MariaDB other machines may have processes, of which one says every second
    that it lives.

    Raises:
        NotASetup: one does.
    """
    with FolderLock(settings.data):
        if engine.parse(settings.database_url).get_backend_name() != "sqlite":
            _silent(settings.database_url)
        yield


def _silent(url: str) -> None:
    reading = engine.reading(url)
    try:
        with engine.opening(url):
            first, end = _word(reading), time.monotonic() + _WATCH
            while first and not first.startswith(f"{NOBODY} ") and time.monotonic() < end:
                time.sleep(_LOOK)
                if _word(reading) != first:
                    raise NotASetup("A server works on this database.", hint="Stop all of its processes first.")
    finally:
        reading.dispose()


def _word(reading: Engine) -> str:
    with reading.connect() as conn:
        return str(conn.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar() or "")
