"""A job's manifest, and who has sent which bytes.

Possession is per user: to whom a blob is missing does not depend on what others sent, so
nobody learns or gets anything by a hash. The same bytes are kept once all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, and_, exists, func, insert, select
from sqlalchemy.sql import ColumnElement, Insert

from farm.database.many import Change, Rows
from farm.database.memory import memory
from farm.database.schema import blobs, job_files, jobs, possessions, users
from farm.protocol.jobs import FileEntry
from farm.words.errors import FileNotHere
from farm.words.states import JobState

CHUNK = 2000
"""Manifest rows that are inserted at once, so that nobody waits for a huge manifest."""

QUESTION = 500
"""Hashes in one question to the database."""


def insert_once(table: Table) -> Insert:
    """Return an INSERT that does nothing where the row is there already."""
    statement = insert(table).prefix_with("OR IGNORE", dialect="sqlite")
    return statement.prefix_with("IGNORE", dialect="mysql").prefix_with("IGNORE", dialect="mariadb")


def add_files(conn: Connection, job: int, files: Sequence[FileEntry], start: int) -> None:
    """Insert a piece of a manifest; doing it again changes nothing.

    Args:
        conn: the transaction.
        job: the job's number.
        files: the entries, of which the first has the place `start`.
        start: a place in the manifest.
    """
    rows = [
        {
            "job": job,
            "place": place,
            "path": file.path,
            "hash": bytes.fromhex(file.sha256),
            "size": file.size,
            "frames": file.frames,
        }
        for place, file in enumerate(files, start)
    ]
    if rows:
        conn.execute(insert_once(job_files), rows)


def pin(conn: Connection, hashes: Iterable[bytes]) -> None:
    """Keep blobs that a collection has already looked at: a job is going to need them."""
    _PIN.run(conn, [{"hash": digest} for digest in sorted(set(hashes))])


def possessed(conn: Connection, user: int, hashes: Iterable[bytes]) -> set[bytes]:
    """Return which of these bytes a user has sent."""
    found: set[bytes] = set()
    for some in _some(sorted(set(hashes))):
        mine = and_(possessions.c.user == user, possessions.c.hash.in_(some))
        found.update(conn.execute(select(possessions.c.hash).where(mine)).scalars())
    return found


def missing(conn: Connection, job: int, user: int) -> dict[str, int]:
    """Return what a user still has to send for a job: hash → size, in the manifest's order."""
    query = (
        select(job_files.c.hash, job_files.c.size)
        .outerjoin(possessions, and_(possessions.c.hash == job_files.c.hash, possessions.c.user == user))
        .where(job_files.c.job == job, possessions.c.hash.is_(None))
        .order_by(job_files.c.place)
    )
    return {digest.hex(): size for digest, size in conn.execute(query)}


@dataclass(frozen=True, slots=True)
class Awaited:
    """Bytes that a user sends: their number, and the user's quota."""

    size: int
    quota: int


def awaited(conn: Connection, user: int, sha256: str) -> Awaited:
    """Return what is known of bytes that a receiving job of this user waits for.

    Raises:
        FileNotHere: none does.
    """
    query = (
        select(job_files.c.size, users.c.quota)
        .join(jobs, jobs.c.number == job_files.c.job)
        .join(users, users.c.id == jobs.c.owner)
        .where(job_files.c.hash == bytes.fromhex(sha256), jobs.c.owner == user, jobs.c.state == JobState.RECEIVING)
        .limit(1)
    )
    row = conn.execute(query).first()
    if row is None:
        raise FileNotHere(
            f"No job of yours waits for {sha256[:12]}….", hint="Submit the job first: its answer says what is missing."
        )
    return Awaited(int(row.size), int(row.quota))


def received(conn: Connection, user: int, sha256: str, size: int, at: int) -> None:
    """Write down that a user has sent bytes, which are in the store by now."""
    digest = bytes.fromhex(sha256)
    keep_blob(conn, digest, size, at)
    conn.execute(insert_once(possessions).values(user=user, hash=digest))


def keep_blob(conn: Connection, digest: bytes, size: int, at: int) -> None:
    """Write down that bytes are in the store, and in use."""
    conn.execute(insert_once(blobs).values(hash=digest, size=size, created=at, unused=None))
    pin(conn, [digest])


_KEEP = Rows(lambda _: insert_once(blobs), ("hash", "size", "created"), {"unused": None})
_PIN = Change(blobs, where={"hash": "hash"}, fixed={"unused": None}, filled=("unused",))


def keep_blob_later(conn: Connection, digest: bytes, size: int, at: int) -> None:
    """Write down before COMMIT that bytes are in the store, and in use."""
    row = {"hash": digest, "size": size, "created": at}
    memory(conn).later(_KEEP, row)
    memory(conn).later(_PIN, row)


def size_of(conn: Connection, digest: bytes) -> int:
    """Return the size of bytes that are here."""
    return int(conn.execute(select(blobs.c.size).where(blobs.c.hash == digest)).scalar_one())


def still_named() -> ColumnElement[bool]:
    """Tell which possessions a job of the same user still needs."""
    needed = select(1).select_from(job_files.join(jobs, jobs.c.number == job_files.c.job))
    return exists(needed.where(job_files.c.hash == possessions.c.hash, jobs.c.owner == possessions.c.user))


def stored_bytes(conn: Connection, user: int) -> int:
    """Return how many bytes are kept for a user's jobs; what deleted jobs left does not count."""
    mine = select(func.sum(blobs.c.size)).join(possessions, possessions.c.hash == blobs.c.hash)
    return int(conn.execute(mine.where(possessions.c.user == user, still_named())).scalar() or 0)


def promised_bytes(conn: Connection, user: int) -> int:
    """Return how many bytes the receiving jobs of a user still wait for."""
    query = (
        select(job_files.c.hash, func.max(job_files.c.size).label("size"))
        .join(jobs, jobs.c.number == job_files.c.job)
        .outerjoin(possessions, and_(possessions.c.hash == job_files.c.hash, possessions.c.user == user))
        .where(jobs.c.owner == user, jobs.c.state == JobState.RECEIVING, possessions.c.hash.is_(None))
        .group_by(job_files.c.hash)
        .subquery()
    )
    return int(conn.execute(select(func.sum(query.c.size))).scalar() or 0)


def room_left(conn: Connection, user: int) -> int:
    """Return how many more bytes a user may announce; what they announced and did not send yet counts too."""
    quota = int(conn.execute(select(users.c.quota).where(users.c.id == user)).scalar_one())
    return quota - stored_bytes(conn, user) - promised_bytes(conn, user)


def _some(hashes: list[bytes]) -> Iterable[list[bytes]]:
    return (hashes[at : at + QUESTION] for at in range(0, len(hashes), QUESTION))
