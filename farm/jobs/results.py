"""Results on the server: staged durably first, committed by the slave's report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from farm.database.handle import Database
from farm.database.many import Change, Rows
from farm.database.memory import Overtaken, memory
from farm.database.schema import attempts, result_files
from farm.files.partials import Upload
from farm.files.store import BlobStore, kept_aside
from farm.jobs.files import keep_blob_later
from farm.jobs.unpack import Piece, Unpacked, unpack_stream
from farm.protocol.slaves import ResultStaged
from farm.protocol.uploads import RESUMABLE_BYTES
from farm.scheduler import held
from farm.words.clock import now
from farm.words.errors import Conflict, HashMismatch, NotFound, TooLarge, UnsafePackage, WrongState
from farm.words.states import AttemptState

_SETTLED = {AttemptState.WON, AttemptState.LATE, AttemptState.FORMER}
_ISSUED = (
    select(attempts.c.id, attempts.c.job, attempts.c.frame, attempts.c.state, attempts.c.result)
    .where(attempts.c.slave == bindparam("of"), attempts.c.id.in_(bindparam("these", expanding=True)))
    .order_by(attempts.c.id)
)
_INSERT = Rows(
    lambda _: insert(result_files), ("attempt", "role", "name", "job", "frame", "hash", "size"), {"accepted": False}
)
_STAGED = Change(attempts, where={"id": "of"}, put={"result": "tar"})

Tried: TypeAlias = Row[Any] | held.Held
"""An attempt, as one of both rooms reads it."""

A = TypeVar("A", Row[Any], held.Held)


@dataclass(frozen=True, slots=True)
class Arriving:
    """A result tar on its way.

    Args:
        stream: its bytes.
        limit: the most bytes of all its files together.
        sha256: the announced hash of the tar, if there is one.
        start: bytes of it that an earlier try left here.
        size: the announced number of all its bytes, if there is one.
    """

    stream: AsyncIterator[bytes]
    limit: int
    sha256: str | None = None
    start: int = 0
    size: int | None = None


def upload_of(slave: int, attempt: int, sha256: str, limit: int) -> Upload:
    """Return what goes on when sending a result broke off."""
    return Upload(f"slave-{slave}", f"{attempt}-{sha256}", 2 * limit)


async def stage(database: Database, store: BlobStore, slave: int, attempt: int, arriving: Arriving) -> ResultStaged:
    """Take in a result tar; it is durable when this returns, and may be sent again.

    Args:
        database: where its files are written down.
        store: where its files go.
        slave: the id of the slave that sends it.
        attempt: whose result it is.
        arriving: the tar.

    Raises:
        NotFound: the attempt was not issued to this slave.
        WrongState: it was revoked.
        WrongOffset: an earlier try left fewer bytes.
        HashMismatch, UnsafePackage, TooLarge, DiskFull: the result is not taken.
    """
    await database.read(partial(issued, slave=slave, attempt=attempt))
    unpacked = await _unpacked(store, slave, attempt, arriving)
    if arriving.sha256 is not None and unpacked.tar.sha256 != arriving.sha256:
        raise HashMismatch(f"The result of attempt {attempt} arrived damaged.", hint="Send it again.")
    return await database.write(partial(record, slave=slave, attempt=attempt, unpacked=unpacked, at=now()))


async def _unpacked(store: BlobStore, slave: int, attempt: int, arriving: Arriving) -> Unpacked:
    """Unpack a result as it arrives; a large one is kept aside meanwhile, so that it can go on if it breaks off."""
    if arriving.sha256 is None or (arriving.size or 0) < RESUMABLE_BYTES:
        return await unpack_stream(store, arriving.stream, arriving.limit)
    upload = upload_of(slave, attempt, arriving.sha256, arriving.limit)
    spool = await asyncio.to_thread(store.spool, upload, arriving.start)
    try:
        unpacked = await unpack_stream(store, kept_aside(spool, arriving.stream), arriving.limit)
        spool.drop()
    except (UnsafePackage, TooLarge):
        # Its bytes are what is wrong: more of them mend nothing.
        spool.drop()
        raise
    finally:
        spool.leave()
    return unpacked


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


def welcome(conn: Connection, slave: int, ids: Collection[int]) -> set[int]:
    """Return those attempts whose results a slave may send."""
    return {row.id for row in _issued(conn, slave, ids) if row.state != AttemptState.REVOKED}


def record(conn: Connection, slave: int, attempt: int, unpacked: Unpacked, at: int) -> ResultStaged:
    """Write down a result whose files are in the store; doing it again changes nothing.

    Raises:
        NotFound, WrongState: see :func:`issued`.
        Conflict: the attempt has been counted with another result.
    """
    row = issued(conn, slave, attempt)
    tar = bytes.fromhex(unpacked.tar.sha256)
    if row.result != tar and row.state in _SETTLED:
        raise Conflict(f"Attempt {attempt} at frame {row.frame} of job {row.job} has its result already.")
    fresh = _write(conn, [(row, unpacked)], at)
    _stage(conn, fresh)
    memory(conn).flush(conn)
    return ResultStaged(attempt=attempt, sha256=unpacked.tar.sha256, size=unpacked.tar.size)


def record_all(conn: Connection, slave: int, unpacked: Mapping[int, Unpacked], at: int) -> None:
    """Write down the results that ride inside a report, in the transaction that commits it.

    Those that are not welcome any more are left out: the scheduler gives the verdict on them.
    """
    mine = held.known(conn, slave).open
    others = held.by_ids(conn, unpacked.keys() - mine.keys())
    found = [mine.get(number) or others.get(number) for number in sorted(unpacked)]
    welcome = [one for one in found if one and one.slave == slave and one.state is not AttemptState.REVOKED]
    fresh = _write(conn, [(attempt, unpacked[attempt.id]) for attempt in welcome], at)
    for attempt, tar in fresh:
        attempt.result = tar  # the report's end of the attempt writes it down, too
    _stage(conn, [(attempt, tar) for attempt, tar in fresh if attempt.id in others])


def _issued(conn: Connection, slave: int, ids: Collection[int]) -> Sequence[Row[Any]]:
    return list(conn.execute(_ISSUED, {"of": slave, "these": sorted(ids)}))


def _write(conn: Connection, results: Iterable[tuple[A, Unpacked]], at: int) -> list[tuple[A, bytes]]:
    """Write results' files down before COMMIT; return the attempts that had no such result, with the tar's hash."""
    fresh = [(row, one, tar) for row, one in results if not _is_here(conn, row, tar := bytes.fromhex(one.tar.sha256))]
    again = [row.id for row, _, _ in fresh if row.result is not None]
    if again:
        conn.execute(delete(result_files).where(result_files.c.attempt.in_(again)))
    for row, one, _ in fresh:
        for piece in one.pieces:
            keep_blob_later(conn, bytes.fromhex(piece.stored.sha256), piece.stored.size, at)
            memory(conn).later(_INSERT, _file(row, piece))
    return [(row, tar) for row, _, tar in fresh]


def _stage(conn: Connection, fresh: Sequence[tuple[Tried, bytes]]) -> None:
    if _STAGED.run(conn, [{"of": attempt.id, "tar": tar} for attempt, tar in fresh]) != len(fresh):
        raise Overtaken("Another process deleted the job of a result since it was read.")


def _is_here(conn: Connection, row: Tried, tar: bytes) -> bool:
    """Tell whether there is nothing to write: it was written before, or the attempt is settled."""
    if row.state in _SETTLED:
        return True
    return row.result == tar and _has_files(conn, row.id)


def _has_files(conn: Connection, attempt: int) -> bool:
    query = select(result_files.c.attempt).where(result_files.c.attempt == attempt).limit(1)
    return conn.execute(query).first() is not None


def _file(attempt: Tried, piece: Piece) -> dict[str, Any]:
    return {
        "attempt": attempt.id,
        "role": piece.role,
        "name": piece.name,
        "job": attempt.job,
        "frame": attempt.frame,
        "hash": bytes.fromhex(piece.stored.sha256),
        "size": piece.stored.size,
        "accepted": False,
    }
