"""What must always be true of a server: the scheduler's tables, files and their blobs, numbers on the shelf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, exists, or_, select

from farm.accounts import ledgeraudit
from farm.database import engine
from farm.database.engine import snapshot
from farm.database.schema import blobs, books, job_files, jobs, possessions, remote_files, result_files, sequences
from farm.files.choice import store_of
from farm.files.sizes import Sizes
from farm.files.store import BlobStore, Damage
from farm.files.view import JobFolders
from farm.scheduler import audit as scheduler
from farm.words.errors import FileNotHere, NotASetup
from farm.words.settings import ServerSettings
from farm.words.states import JobState

_MOST = 100
_AT_ONCE = 1000
_WITHOUT = (JobState.RECEIVING.value, JobState.DELETED.value)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A blob that is not in the store as it should be; `copy`: only this machine's copy of it is not."""

    hash: bytes
    size: int
    fault: str
    copy: bool = False


def audit(conn: Connection, store: BlobStore, folders: JobFolders, *, deep: bool = False) -> list[str]:
    """Return violated invariants, one sentence each; empty when all is well. Also while the server runs.

    Args:
        conn: a reader's.
        store: the bytes.
        folders: the admin's view of jobs.
        deep: read all bytes and compare their hashes, too.
    """
    with snapshot(conn):
        found = [*scheduler.audit(conn), *ledgeraudit.audit(conn, store if deep else None)]
        for words, query in _queries():
            rows = conn.execute(query.limit(_MOST)).mappings()
            found += [words.format(**{k: _shown(v) for k, v in row.items()}) for row in rows]
        found += list(_shelf(conn, folders))
    return found + [blob.fault for blob in spoilt(conn, store, deep=deep)]


def contradictions(settings: ServerSettings, *, deep: bool = False) -> list[str]:
    """Return what an audit finds in a server's data, on its machine; it reads only.

    Raises:
        NotASetup: that is no server's data.
    """
    reading, storage = engine.reading(settings.database_url), settings.storage_folder
    try:
        with engine.opening(settings.database_url), reading.connect() as conn:
            conn.exec_driver_sql("SELECT 1 FROM meta")
            conn.rollback()
            if not settings.bucket and not (storage / "blobs").is_dir():
                raise NotASetup(
                    f"There are no stored files in {storage}.", hint="Name the server's folder with --data."
                )
            return audit(conn, store_of(settings), JobFolders(storage / "stor"), deep=deep)
    finally:
        reading.dispose()


def _shown(value: Any) -> Any:
    return f"{value.hex()[:12]}…" if isinstance(value, bytes) else value


def _queries() -> Iterator[tuple[str, Select[Any]]]:
    """Find files whose blob is not kept for them."""
    file = select(job_files.c.job, job_files.c.path, job_files.c.hash, job_files.c.size)
    whole = file.join(jobs, jobs.c.number == job_files.c.job).where(jobs.c.state.not_in(_WITHOUT))
    blob = exists().where(blobs.c.hash == job_files.c.hash, blobs.c.size == job_files.c.size)
    yield "File {path} of job {job} is not kept: there is no blob {hash} of {size} bytes.", whole.where(~blob)
    sent = exists().where(possessions.c.hash == job_files.c.hash, possessions.c.user == jobs.c.owner)
    yield "File {path} of job {job} was never sent by the job's owner.", whole.where(~sent)
    result = select(result_files.c.attempt, result_files.c.name, result_files.c.hash, result_files.c.size)
    blob = exists().where(blobs.c.hash == result_files.c.hash, blobs.c.size == result_files.c.size)
    yield "File {name} of attempt {attempt} is not kept: no blob {hash} of {size} bytes.", result.where(~blob)
    there = select(remote_files.c.server, remote_files.c.job, remote_files.c.name, remote_files.c.hash)
    blob = exists().where(blobs.c.hash == remote_files.c.hash, blobs.c.size == remote_files.c.size)
    yield "File {name} of distren://{server}/{job} is not kept: there is no blob {hash}.", there.where(~blob)
    blob = exists().where(blobs.c.hash == books.c.hash, blobs.c.size == books.c.size)
    lost = select(books.c.number, books.c.hash).where(books.c.hash.is_not(None), ~blob)
    yield "The archive of book {number} of the ledger is not kept: there is no blob {hash}.", lost
    named = or_(
        exists().where(
            job_files.c.hash == blobs.c.hash, jobs.c.number == job_files.c.job, jobs.c.state.not_in(_WITHOUT)
        ),
        exists().where(result_files.c.hash == blobs.c.hash),
        exists().where(remote_files.c.hash == blobs.c.hash),
        exists().where(books.c.hash == blobs.c.hash),
    )
    yield (
        "Blob {hash} counts as unused, but is needed.",
        select(blobs.c.hash).where(blobs.c.unused.is_not(None), named),
    )


def _shelf(conn: Connection, folders: JobFolders) -> Iterator[str]:
    """Look for folders of jobs whose numbers the database does not know: it would give them again."""
    after = conn.execute(select(sequences.c.next).where(sequences.c.name == "job")).scalar() or 1
    for job in sorted(folders.jobs()):
        if job >= after:
            yield f"The next job would be {after}, but there is a folder of job {job}."


def spoilt(conn: Connection, store: BlobStore, *, deep: bool) -> Iterator[Spoilt]:
    """Yield blobs that are not in the store as they should be.

    One that was collected meanwhile is none any more.
    """
    after, sizes = b"", Sizes(store)
    while rows := conn.execute(
        select(blobs.c.hash, blobs.c.size).where(blobs.c.hash > after).order_by(blobs.c.hash).limit(_AT_ONCE)
    ).all():
        after = rows[-1].hash
        for digest, size in rows:
            found = _looked_at(store, sizes.of(digest.hex(), size), digest, size, deep=deep)
            if found and _still(conn, digest):
                yield found


def _looked_at(store: BlobStore, found: int | None, digest: bytes, size: int, *, deep: bool) -> Spoilt | None:
    blob = f"Blob {_shown(digest)}"
    if found is None:
        return Spoilt(digest, size, f"{blob} is not in the storage.")
    if found != size:
        return Spoilt(digest, size, f"{blob} has {found:,} bytes in the storage, but should have {size:,}.")
    return _read(store, digest, size) if deep else None


def _read(store: BlobStore, digest: bytes, size: int) -> Spoilt | None:
    blob = f"Blob {_shown(digest)}"
    try:
        damage = store.damage(digest.hex())
    except FileNotHere:  # it went between two looks
        return Spoilt(digest, size, f"{blob} is not in the storage.")
    if damage is Damage.COPY:
        return Spoilt(digest, size, f"{blob} has other bytes in this machine's copy than were sent.", copy=True)
    return Spoilt(digest, size, f"{blob} has other bytes in the storage than were sent.") if damage else None


def _still(conn: Connection, digest: bytes) -> bool:
    return conn.execute(select(blobs.c.hash).where(blobs.c.hash == digest)).first() is not None
