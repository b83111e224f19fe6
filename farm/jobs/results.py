"""Results on the server: staged durably first, committed by the slave's report."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from farm.database.handle import Database
from farm.database.schema import attempts, result_files
from farm.files.store import BlobStore
from farm.jobs.files import keep_blob
from farm.jobs.unpack import Unpacked, unpack_stream
from farm.protocol.slaves import ResultStaged
from farm.words.clock import now
from farm.words.errors import Conflict, HashMismatch, NotFound, WrongState
from farm.words.states import AttemptState

_SETTLED = {AttemptState.WON, AttemptState.LATE}


async def stage(
    database: Database,
    store: BlobStore,
    slave: int,
    attempt: int,
    stream: AsyncIterator[bytes],
    limit: int,
    sha256: str | None = None,
) -> ResultStaged:
    """Take in a result tar; it is durable when this returns, and may be sent again.

    Args:
        database: where its files are written down.
        store: where its files go.
        slave: the id of the slave that sends it.
        attempt: whose result it is.
        stream: the tar.
        limit: the most bytes of all its files together.
        sha256: the announced hash of the tar, if there is one.

    Raises:
        NotFound: the attempt was not issued to this slave.
        WrongState: it was revoked.
        HashMismatch, UnsafePackage, TooLarge, DiskFull: the result is not taken.
    """
    await database.read(partial(issued, slave=slave, attempt=attempt))
    unpacked = await unpack_stream(store, stream, limit)
    if sha256 is not None and unpacked.tar.sha256 != sha256:
        raise HashMismatch(f"The result of attempt {attempt} arrived damaged.", hint="Send it again.")
    return await database.write(partial(record, slave=slave, attempt=attempt, unpacked=unpacked, at=now()))


def issued(conn: Connection, slave: int, attempt: int) -> Row[Any]:
    """Return the row of an attempt whose result this slave may send.

    Raises:
        NotFound: it was not issued to this slave.
        WrongState: it was revoked.
    """
    row = conn.execute(select(attempts).where(attempts.c.id == attempt, attempts.c.slave == slave)).first()
    if row is None:
        raise NotFound(f"No attempt {attempt} was issued to this slave.", attempt=attempt)
    if row.state == AttemptState.REVOKED:
        raise WrongState(
            f"Attempt {attempt} at frame {row.frame} of job {row.job} was taken back.",
            hint="Throw the result away.",
            attempt=attempt,
        )
    return row


def record(conn: Connection, slave: int, attempt: int, unpacked: Unpacked, at: int) -> ResultStaged:
    """Write down a result whose files are in the store; doing it again changes nothing.

    It may run in the same transaction as the report that commits it.

    Raises:
        NotFound, WrongState: see :func:`issued`.
        Conflict: the attempt has been counted with another result.
    """
    row = issued(conn, slave, attempt)
    tar = bytes.fromhex(unpacked.tar.sha256)
    answer = ResultStaged(attempt=attempt, sha256=unpacked.tar.sha256, size=unpacked.tar.size)
    if row.result == tar and (row.state in _SETTLED or _has_files(conn, attempt)):
        return answer
    if row.state in _SETTLED:
        raise Conflict(f"Attempt {attempt} at frame {row.frame} of job {row.job} has its result already.")
    conn.execute(delete(result_files).where(result_files.c.attempt == attempt))
    _insert(conn, row, unpacked, at)
    conn.execute(update(attempts).where(attempts.c.id == attempt).values(result=tar))
    return answer


def _has_files(conn: Connection, attempt: int) -> bool:
    query = select(result_files.c.attempt).where(result_files.c.attempt == attempt).limit(1)
    return conn.execute(query).first() is not None


def _insert(conn: Connection, attempt: Row[Any], unpacked: Unpacked, at: int) -> None:
    rows = []
    for piece in sorted(unpacked.pieces, key=lambda piece: piece.stored.sha256):
        digest = bytes.fromhex(piece.stored.sha256)
        keep_blob(conn, digest, piece.stored.size, at)
        rows.append(
            {
                "attempt": attempt.id,
                "role": piece.role,
                "name": piece.name,
                "job": attempt.job,
                "frame": attempt.frame,
                "hash": digest,
                "size": piece.stored.size,
                "accepted": False,
            }
        )
    if rows:
        conn.execute(insert(result_files), rows)
