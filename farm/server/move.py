"""Move a stopped server: into another database, another folder, a bucket; from settings to settings.

Everything is copied and compared first; the old data stay as they are, but for a mark by which no server starts on
them again. Each step goes on where it broke off.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.engine import Connection

from farm.database import engine, transfer
from farm.database.migrate import revision
from farm.database.schema import blobs, meta, sequences
from farm.database.snapshots import must_be_newest
from farm.files.choice import store_of
from farm.files.copying import Copied, copy
from farm.peers.keys import FILE
from farm.server.lock import FolderLock
from farm.server.setup import NAME
from farm.server.stopped import stopped
from farm.words.durable import copy_secret
from farm.words.errors import Conflict, NotASetup
from farm.words.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: the server's name, files that had to be copied, rows of each table that had."""

    server: str
    copied: Copied
    rows: dict[str, int]


def move(old: ServerSettings, new: ServerSettings) -> Moved:
    """Move a server; call it again if it broke off.

    Args:
        old: the settings that it ran with.
        new: those that it will run with; their database must be empty, unless it is the same.

    Raises:
        NotASetup: a server works there, or the new database is another's.
        Conflict: rows or keys arrived otherwise than they left.
    """
    with ExitStack() as stack:
        stack.enter_context(stopped(old))
        if new.data.absolute() != old.data.absolute():
            stack.enter_context(FolderLock(new.data))
        reading = engine.reading(old.database_url)
        stack.callback(reading.dispose)
        with engine.opening(old.database_url):
            must_be_newest(revision(reading))
        source = stack.enter_context(reading.connect())
        stack.enter_context(engine.snapshot(source))
        name = _name(source)
        target = None if old.database_url == new.database_url else _begun(source, new.database_url, name, stack)
        copied = copy(store_of(old), store_of(new), _files(source))
        _keys(old, new)
        return Moved(name, copied, {} if target is None else _rows(source, target, old.database_url))


def _name(source: Connection) -> str:
    name = source.execute(select(meta.c.value).where(meta.c.key == NAME)).scalar()
    if name is None:
        raise NotASetup("No server ever started on the old database.", hint="Name its settings with --config.")
    return str(name)


def _begun(source: Connection, url: str, name: str, stack: ExitStack) -> Engine:
    """Begin to fill the new database, or go on, unless the old server ran since: what was copied then is stale."""
    target = engine.migrating(url)
    stack.callback(target.dispose)
    starts = source.execute(select(sequences.c.next).where(sequences.c.name == "writer")).scalar()
    with engine.opening(url):
        transfer.begin(target, f"move {name} {starts}")
    return target


def _files(source: Connection) -> list[tuple[str, int]]:
    return [
        (row.hash.hex(), row.size) for row in source.execute(select(blobs.c.hash, blobs.c.size).order_by(blobs.c.hash))
    ]


def _keys(old: ServerSettings, new: ServerSettings) -> None:
    kept, place = old.peering_key or old.data / FILE, new.peering_key or new.data / FILE
    if not kept.is_file() or (place.is_file() and place.read_bytes() == kept.read_bytes()):
        return
    if place.exists():
        raise Conflict(f"The keys in {place} are another server's.", hint="Move them away first.")
    copy_secret(kept, place)


def _rows(source: Connection, target: Engine, old_url: str) -> dict[str, int]:
    rows: dict[str, int] = {}
    transfer.copy(source, target, rows.__setitem__)
    if wrong := transfer.differing(source, target):
        raise Conflict(f"These tables arrived otherwise than they left: {', '.join(wrong)}.")
    with target.begin() as conn:
        transfer.finish(source, conn)
        # Before the new one is a server's: never are both.
        source.rollback()
        _mark(old_url, target.url.render_as_string())
    return rows


def _mark(url: str, place: str) -> None:
    old = engine.writing(url)
    with old.begin() as conn:
        conn.execute(delete(meta).where(meta.c.key == transfer.MOVED))
        conn.execute(insert(meta).values(key=transfer.MOVED, value=place))
    old.dispose()
