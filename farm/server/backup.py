"""Back a server up while it works.

The database first, then the files: a file is there before a row names it, so whatever the database's moment
names can be copied afterwards. Only garbage collection takes files away; what it took in between is either
nothing that the moment needs, or the moment is taken anew. Nothing is written into the server's database or
folders: on SQLite, a second process must not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from farm import __version__
from farm.database import engine, snapshots
from farm.database.schema import blobs, meta, possessions
from farm.files.choice import store_of
from farm.files.copying import copy
from farm.jobs.collect import referred
from farm.peers.keys import FILE
from farm.server.backupfolder import DATABASE, KEYS, BackupFolder, Facts, files_of, hash_of
from farm.server.setup import NAME
from farm.words.durable import copy_secret
from farm.words.errors import Conflict, NotASetup
from farm.words.settings import ServerSettings

_TRIES = 5
"""Moments that are taken until one keeps all its files; only deleting jobs with `unused_hours = 0` takes a second."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup, and what of its files was copied this time."""

    facts: Facts
    copied: int
    copied_bytes: int


def backup(settings: ServerSettings, folder: BackupFolder, keep: int = 0) -> BackedUp:
    """Make one more backup.

    Args:
        settings: the server's.
        folder: where backups go.
        keep: how many stay; 0: all.

    Raises:
        NotASetup: there is no server's data, or another backup is being made here.
        Conflict: the folder has another server's backups.
        DiskFull: the folder's disk is full; what was copied until then need not be copied again.
    """
    if not settings.bucket and not (settings.storage_folder / "blobs").is_dir():
        raise NotASetup(
            f"There are no stored files in {settings.storage_folder}.", hint="Name the server's folder with --data."
        )
    with folder.alone():
        for _ in range(_TRIES):
            if done := _try(settings, folder):
                if keep:
                    folder.keep(keep)
                return done
        raise Conflict("Files were removed faster than they could be copied.", hint="Raise unused_hours.")


def _try(settings: ServerSettings, folder: BackupFolder) -> BackedUp | None:
    draft, at = folder.draft(), datetime.now(UTC)
    database = draft / DATABASE
    snapshots.take(settings.database_url, database)
    server = _server(database)
    if (names := folder.names()) and (other := folder.facts(names[-1]).server) != server:
        raise Conflict(f"{folder.root} has backups of “{other}”, not of “{server}”.", hint="Name another folder.")
    copied = copy(store_of(settings), folder.store, files_of(database))
    collected = _collected(settings, copied.lost)
    if not _forget(database, collected):
        return None
    _keys(settings, draft)
    files = list(files_of(database))
    facts = Facts(
        name=folder.free_name(at),
        server=server,
        version=__version__,
        at=at,
        database_sha256=hash_of(database),
        files=len(files),
        bytes=sum(size for _, size in files),
        lost=sorted(set(copied.lost) - set(collected)),
    )
    folder.finish(draft, facts)
    return BackedUp(facts, copied.blobs, copied.bytes)


def _server(database: Path) -> str:
    one = engine.alone(snapshots.url_of(database))
    with one.connect() as conn:
        name = conn.execute(select(meta.c.value).where(meta.c.key == NAME)).scalar()
    one.dispose()
    if name is None:
        raise NotASetup("This is no server's database.", hint="Name the server's folder with --data.")
    return str(name)


def _collected(settings: ServerSettings, lost: Sequence[str]) -> list[str]:
    """Return which of the files that could not be copied the server has given up itself since the moment."""
    if not lost:
        return []
    reading = engine.reading(settings.database_url)
    with reading.connect() as conn:
        there = _known(conn, [bytes.fromhex(sha256) for sha256 in lost])
    reading.dispose()
    return [sha256 for sha256 in lost if bytes.fromhex(sha256) not in there]


def _known(conn: Connection, digests: list[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for at in range(0, len(digests), _AT_ONCE):
        query = select(blobs.c.hash).where(blobs.c.hash.in_(digests[at : at + _AT_ONCE]))
        found.update(conn.execute(query).scalars())
    return found


def _forget(database: Path, collected: Sequence[str]) -> bool:
    """Take files that the server gave up out of the snapshot; return whether nothing in it needs them."""
    if not collected:
        return True
    one = engine.alone(snapshots.url_of(database))
    digests = [bytes.fromhex(sha256) for sha256 in collected]
    with one.begin() as conn:
        for at in range(0, len(digests), _AT_ONCE):
            these = digests[at : at + _AT_ONCE]
            if conn.execute(select(blobs.c.hash).where(blobs.c.hash.in_(these), referred()).limit(1)).first():
                return False
            conn.execute(delete(possessions).where(possessions.c.hash.in_(these)))
            conn.execute(delete(blobs).where(blobs.c.hash.in_(these)))
    one.dispose()
    return True


def _keys(settings: ServerSettings, draft: Path) -> None:
    keys = settings.peering_key or settings.data / FILE
    if keys.is_file():
        copy_secret(keys, draft / KEYS)
