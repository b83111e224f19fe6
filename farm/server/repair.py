"""Put right what an audit finds, as far as there is only one way to do so.

The server is stopped meanwhile. All changes of the database are one transaction; a rehearsal is the same one, undone
at its end. Nothing is removed but bytes that no row knows, which the server removes daily; damaged files are set aside.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.engine import Connection

from farm.database import engine
from farm.database.handle import Database
from farm.database.migrate import revision
from farm.database.snapshots import must_be_newest
from farm.files.choice import store_of
from farm.files.copying import copy
from farm.files.store import BlobStore
from farm.files.view import JobFolders
from farm.jobs import losses
from farm.jobs.audit import audit, spoilt
from farm.jobs.collect import collect_strays, strays
from farm.scheduler.mend import mend
from farm.server.backupfolder import BackupFolder
from farm.server.stopped import stopped
from farm.words import clock
from farm.words.settings import ServerSettings


@dataclass(slots=True)
class Repair:
    """What was done, or would be, and what the audit still finds afterwards; one sentence each."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class _Rehearsed(Exception):
    """Undoes a transaction, and carries what it would have done."""

    def __init__(self, said: list[str]) -> None:
        self.said = said


def repair(settings: ServerSettings, *, act: bool, deep: bool, backup: BackupFolder | None = None) -> Repair:
    """Repair a server's data, or rehearse it.

    Args:
        settings: the server's.
        act: do it; else only say what would be done.
        deep: read all files, and compare their hashes.
        backup: where lost files may be.

    Raises:
        NotASetup: a server works there, or it is no server's data of this version.
    """
    with stopped(settings):
        _must_fit(settings.database_url)
        database, store = Database.open(settings.database_url), store_of(settings)
        try:
            found = Repair()
            lost = _files(database, store, found, act=act, deep=deep, backup=backup)
            found.done += _rows(database, lost, act=act)
            found.done += asyncio.run(_strays(database, store, act=act))
            folders = JobFolders(settings.storage_folder / "stor")
            found.left = database.read_now(partial(audit, store=store, folders=folders, deep=deep)) if act else []
        finally:
            database.close()
    return found


def _must_fit(url: str) -> None:
    reading = engine.reading(url)
    try:
        with engine.opening(url):
            must_be_newest(revision(reading))
    finally:
        reading.dispose()


def _files(
    database: Database, store: BlobStore, found: Repair, *, act: bool, deep: bool, backup: BackupFolder | None
) -> list[bytes]:
    """Bring files back; return the hashes of those that are lost for good."""
    lost: list[bytes] = []
    kept = backup.store if backup and backup.names() else None
    faults = database.read_now(lambda conn: list(spoilt(conn, store, deep=deep)))
    for blob in faults:
        sha256 = blob.hash.hex()
        if act:
            store.spoil(sha256)
        if blob.copy:
            found.done.append(f"{blob.fault} It is set aside.")
        elif kept is None or kept.size(sha256) != blob.size or (act and copy(kept, store, [(sha256, blob.size)]).lost):
            found.done.append(blob.fault)
            lost.append(blob.hash)
        else:
            found.done.append(f"{blob.fault} The backup has it: copied back.")
    return lost


def _rows(database: Database, lost: list[bytes], *, act: bool) -> list[str]:
    try:
        return database.write_now(partial(_mended, lost=lost, act=act))
    except _Rehearsed as rehearsed:
        return rehearsed.said


def _mended(conn: Connection, lost: list[bytes], *, act: bool) -> list[str]:
    at = clock.now()
    said = [*mend(conn, at), *losses.settle(conn, lost, at)]
    if not act:
        raise _Rehearsed(said)
    return said


async def _strays(database: Database, store: BlobStore, *, act: bool) -> list[str]:
    count = await collect_strays(database, store) if act else len([name async for name in strays(database, store)])
    return [f"{count} files that nothing knows are removed, unless they came in the last ten minutes."] if count else []
