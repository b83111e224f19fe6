"""Make a server from a backup.

What happened after the backup is lost; nothing of it may come back as something else. Slaves still hold frames that
the lost server leased, users know jobs' numbers. So numbers go on far above those of the backup: what is reported of
an attempt that this server never gave out is refused, and its frame is rendered again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from farm.database import engine, snapshots, transfer
from farm.database.migrate import migrate, revision
from farm.database.schema import sequences, tokens
from farm.database.snapshots import must_be_newest
from farm.files.choice import store_of
from farm.files.copying import Copied, copy
from farm.peers.keys import FILE
from farm.server.backupfolder import DATABASE, KEYS, BackupFolder, Facts, hash_of
from farm.server.lock import FolderLock
from farm.words.durable import copy_secret
from farm.words.errors import Conflict, HashMismatch
from farm.words.settings import ServerSettings

ATTEMPTS = 1_000_000_000
"""Numbers of attempts and leases that are skipped: three days at 4,000 frames a second."""

WRITERS = 1000
"""Numbers of writers that are skipped: starts of the server since the backup."""

JOBS, PER_MINUTE = 1000, 1
"""Job numbers that are skipped: so many, and so many for each minute since the backup."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and what of its files had to be copied. `copied.lost`: files that the backup has not."""

    facts: Facts
    copied: Copied
    next_job: int


def restore(settings: ServerSettings, folder: BackupFolder, name: str = "", *, log_out: bool = False) -> Restored:
    """Make the server of these settings from a backup; if it broke off, it goes on.

    Args:
        settings: of the server to be; its database must be empty or missing.
        folder: of the backups.
        name: the backup's; empty: the newest.
        log_out: all users have to log in anew: a token that was revoked after the backup would be good again.

    Raises:
        NotASetup: there is a database already, a server runs here, there is no such backup, or a newer version made it.
        Conflict: the server's keys that are here are others.
        HashMismatch: the backup's database is damaged.
    """
    facts = folder.facts(name)
    if hash_of(folder.database(facts.name)) != facts.database_sha256:
        raise HashMismatch(f"The database of backup {facts.name} is damaged.", hint="Name another one with --at.")
    with FolderLock(settings.data):
        draft = settings.data / f".restoring-{DATABASE}"
        try:
            shutil.copyfile(folder.database(facts.name), draft)
            return _restore(settings, folder, facts, draft, log_out=log_out)
        finally:
            draft.unlink(missing_ok=True)


def _restore(settings: ServerSettings, folder: BackupFolder, facts: Facts, draft: Path, *, log_out: bool) -> Restored:
    source = engine.alone(snapshots.url_of(draft))
    target = engine.migrating(settings.database_url)
    try:
        migrate(source)  # the backup may be an older version's
        must_be_newest(
            revision(source)
        )  # or a newer one's, of whose rows this version would drop what it does not know
        with engine.opening(settings.database_url):
            transfer.begin(target, f"backup {facts.server} {facts.name}")
        _keys(settings, folder.root / facts.name / KEYS)
        copied = copy(folder.store, store_of(settings), folder.files(facts.name))
        with source.connect() as conn:
            transfer.copy(conn, target)
            if wrong := transfer.differing(conn, target):
                raise Conflict(f"These tables arrived otherwise than they left: {', '.join(wrong)}.")
            with target.begin() as last:
                next_job = _skip(last, facts.at)
                if log_out:
                    last.execute(delete(tokens).where(tokens.c.user.is_not(None)))
                transfer.finish(conn, last)
    finally:
        source.dispose()
        target.dispose()
    return Restored(facts, copied, next_job)


def _keys(settings: ServerSettings, kept: Path) -> None:
    """Put the server's keys back: other servers know it by them."""
    place = settings.peering_key or settings.data / FILE
    if not kept.is_file() or (place.is_file() and place.read_bytes() == kept.read_bytes()):
        return
    if place.exists():
        raise Conflict(f"The server's keys in {place} are not those of the backup.", hint="Move them away first.")
    copy_secret(kept, place)


def _skip(conn: Connection, at: datetime) -> int:
    """Leave out the numbers that the lost server may have given after the backup; return the next job's."""
    minutes = max(0, int((datetime.now(UTC) - at).total_seconds() // 60))
    skipped = {"attempt": ATTEMPTS, "lease": ATTEMPTS, "writer": WRITERS, "job": JOBS + PER_MINUTE * minutes}
    c = sequences.c
    for name, count in skipped.items():
        if not conn.execute(update(sequences).where(c.name == name).values(next=c.next + count)).rowcount:
            conn.execute(insert(sequences).values(name=name, next=1 + count))
    return int(conn.execute(select(c.next).where(c.name == "job")).scalar_one())
