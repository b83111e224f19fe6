"""What a server leaves behind: what nothing refers to must go by itself, and nothing else may."""

from __future__ import annotations

import asyncio
import os

from sqlalchemy import Connection, not_, select

from farm.database.handle import Database
from farm.database.schema import blobs
from farm.files.choice import store_of
from farm.files.store import BlobStore
from farm.jobs.collect import SETTLE, collect, collect_strays, referred, strays
from farm.words import clock
from farm.words.settings import ServerSettings


def orphans(settings: ServerSettings) -> list[str]:
    """Return what is left of blobs that nobody needs, one sentence each, after the server's own collection.

    A crash may leave bytes that no row knows, a slave that comes late ones that nothing refers to: they are collected
    when they are old. So they are made old, and collected; what is still there then, stays for ever.

    Args:
        settings: of a server that has ended, and keeps its blobs on a disk.
    """
    return asyncio.run(_orphans(Database.open(settings.database_url), store_of(settings)))


async def _orphans(database: Database, store: BlobStore) -> list[str]:
    try:
        await asyncio.to_thread(_age, store)
        await collect(database, store, clock.now(), grace=0)
        await collect_strays(database, store)
        found = [f"Blob {name[:12]}… is in the storage, but no row knows it." async for name in strays(database, store)]
        unneeded = await database.read(_unneeded)
        return found + [f"Blob {digest.hex()[:12]}… is kept, but nothing refers to it." for digest in unneeded]
    finally:
        await asyncio.to_thread(database.close)


def _age(store: BlobStore) -> None:
    """Make all files so old that none counts as being on its way."""
    for name in list(store.hashes()):
        file = store.local(name)
        old = file.stat().st_mtime - 2 * SETTLE
        os.utime(file, (old, old))


def _unneeded(conn: Connection) -> list[bytes]:
    return list(conn.execute(select(blobs.c.hash).where(not_(referred())).limit(100)).scalars())
