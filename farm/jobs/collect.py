"""Garbage collection: what nothing refers to any more goes, after a grace time.

A blob is needed by every manifest that names it and by every result file (deleting a job
drops both), and archives of the ledger for ever. So collecting has three steps: drop results
that nobody needs, mark blobs that nothing refers to, and remove those that were marked longer
ago than the grace time. Until then their senders possess them, and need not send them again.

Candidates are found by readers; the writer only looks at few of them at a time, and looks
again, since a job may have begun to need one in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection, and_, delete, exists, func, not_, or_, select, update
from sqlalchemy.sql import ColumnElement

from farm.database.handle import Database
from farm.database.schema import (
    attempts,
    blobs,
    books,
    frames,
    job_files,
    possessions,
    remote_files,
    result_files,
    spot_checks,
)
from farm.files.store import BlobStore
from farm.jobs import arrivals
from farm.jobs.files import still_named
from farm.words.clock import microseconds
from farm.words.states import AttemptState

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Rows that the writer looks at in one transaction."""

PAGE = 5000
"""Rows that a reader looks at in one question."""


SETTLE = 600.0
"""Seconds in which an upload that is in the store must have been written down: younger bytes are never removed."""


@dataclass(slots=True)
class Collected:
    """What a collection did."""

    results: int = 0
    possessions: int = 0
    blobs: int = 0
    freed: int = 0


async def collect(database: Database, store: BlobStore, at: int, grace: float) -> Collected:
    """Collect garbage once.

    Args:
        database: what refers to what.
        store: the bytes.
        at: the time, µs.
        grace: seconds that things are kept after they were needed last.
    """
    before = at - microseconds(grace)
    done = Collected()
    done.results = await _drop_results(database, before)
    await database.write(arrivals.forget)
    done.possessions = await _drop_possessions(database)
    await _mark(database, at)
    await _remove(database, store, before, done)
    await _settle(database, store)
    if done.blobs or done.results:
        log.info("Garbage was collected.", blobs=done.blobs, bytes=done.freed, result_files=done.results)
    return done


def _delete_results(conn: Connection, found: list[int]) -> int:
    if found:
        conn.execute(delete(result_files).where(result_files.c.attempt.in_(found)))
    return len(found)


async def _drop_results(database: Database, before: int) -> int:
    """Drop results that can't be a frame's any more: doubles, and those of refused or replaced attempts."""
    dropped, after = 0, 0
    while True:
        found = await database.read(partial(_useless_results, before=before, after=after))
        if not found:
            return dropped
        after = found[-1]
        for at in range(0, len(found), AT_ONCE):
            some = found[at : at + AT_ONCE]
            dropped += await database.write(partial(_drop_useless, before=before, some=some))


def _useless(before: int) -> ColumnElement[bool]:
    """Tell which attempts' results nobody can need: the attempt ended long ago, and is not its frame's result.

    An open attempt may still report. A lost one may too, as long as its frame has no result. Former versions
    are kept as long as their job.
    """
    settled_elsewhere = and_(frames.c.result_attempt.is_not(None), frames.c.result_attempt != attempts.c.id)
    never = attempts.c.state.in_([AttemptState.REVOKED, AttemptState.LATE])
    replaced = and_(attempts.c.state == AttemptState.WON, frames.c.result_attempt.is_(None))
    ended = func.coalesce(attempts.c.ended, attempts.c.issued) < before
    kept = attempts.c.state.in_([AttemptState.OPEN, AttemptState.FORMER])
    return and_(ended, not_(kept), or_(settled_elsewhere, never, replaced))


def _useless_results(conn: Connection, before: int, after: int) -> list[int]:
    query = (
        select(result_files.c.attempt)
        .join(attempts, attempts.c.id == result_files.c.attempt)
        .join(frames, and_(frames.c.job == attempts.c.job, frames.c.number == attempts.c.frame))
        .where(result_files.c.attempt > after, _useless(before))
        .distinct()
        .order_by(result_files.c.attempt)
        .limit(PAGE)
    )
    return list(conn.execute(query).scalars())


def _drop_useless(conn: Connection, before: int, some: list[int]) -> int:
    query = (
        select(attempts.c.id)
        .join(frames, and_(frames.c.job == attempts.c.job, frames.c.number == attempts.c.frame))
        .where(attempts.c.id.in_(some), _useless(before))
    )
    return _delete_results(conn, list(conn.execute(query).scalars()))


async def _drop_possessions(database: Database) -> int:
    """Drop what users have sent and only others' jobs still name.

    What nobody names goes with its blob, when the grace time is over.
    """
    dropped = 0
    place = (0, b"")
    while True:
        found = await database.read(partial(_idle_possessions, after=place))
        if not found:
            return dropped
        place = found[-1]
        for at in range(0, len(found), AT_ONCE):
            dropped += await database.write(partial(_forget, some=found[at : at + AT_ONCE]))


def _others_only() -> ColumnElement[bool]:
    return and_(not_(still_named()), exists(select(1).where(job_files.c.hash == possessions.c.hash)))


def _idle_possessions(conn: Connection, after: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    user, digest = after
    further = or_(possessions.c.user > user, and_(possessions.c.user == user, possessions.c.hash > digest))
    query = select(possessions.c.user, possessions.c.hash).where(further, _others_only())
    rows = conn.execute(query.order_by(possessions.c.user, possessions.c.hash).limit(PAGE))
    return [(row.user, row.hash) for row in rows]


def _forget(conn: Connection, some: list[tuple[int, bytes]]) -> int:
    gone = 0
    for user, digest in some:
        mine = and_(possessions.c.user == user, possessions.c.hash == digest)
        gone += conn.execute(delete(possessions).where(mine, _others_only())).rowcount
    return gone


def referred() -> ColumnElement[bool]:
    """Tell which blobs something refers to."""
    return or_(
        exists(select(1).select_from(job_files).where(job_files.c.hash == blobs.c.hash)),
        exists(select(1).select_from(result_files).where(result_files.c.hash == blobs.c.hash)),
        exists(select(1).select_from(remote_files).where(remote_files.c.hash == blobs.c.hash)),
        exists(select(1).select_from(books).where(books.c.hash == blobs.c.hash)),
        exists(select(1).select_from(spot_checks).where(spot_checks.c.picture == blobs.c.hash)),
        exists(select(1).select_from(spot_checks).where(spot_checks.c.other == blobs.c.hash)),
    )


async def _mark(database: Database, at: int) -> None:
    """Mark blobs that nothing refers to, and take the mark off those that something refers to again."""
    after = b""
    while found := await database.read(partial(_wrongly_marked, after=after)):
        after = found[-1]
        for start in range(0, len(found), AT_ONCE):
            await database.write(partial(_mark_some, some=found[start : start + AT_ONCE], at=at))


def _wrongly_marked(conn: Connection, after: bytes) -> list[bytes]:
    wrong = or_(and_(blobs.c.unused.is_(None), not_(referred())), and_(blobs.c.unused.is_not(None), referred()))
    query = select(blobs.c.hash).where(blobs.c.hash > after, wrong).order_by(blobs.c.hash).limit(PAGE)
    return list(conn.execute(query).scalars())


def _mark_some(conn: Connection, some: list[bytes], at: int) -> None:
    these = blobs.c.hash.in_(some)
    conn.execute(update(blobs).where(these, blobs.c.unused.is_not(None), referred()).values(unused=None))
    conn.execute(update(blobs).where(these, blobs.c.unused.is_(None), not_(referred())).values(unused=at))


async def _remove(database: Database, store: BlobStore, before: int, done: Collected) -> None:
    """Remove blobs that were marked before: first the rows, then, when that is durable, the bytes.

    A crash in between leaves bytes without a row, which harm nobody; the other order
    would leave a row without its bytes.
    """
    while gone := await database.write(partial(_remove_rows, before=before)):
        for digest, size in gone.items():
            if await asyncio.to_thread(store.delete, digest.hex(), SETTLE):
                done.blobs += 1
                done.freed += size


async def _settle(database: Database, store: BlobStore) -> None:
    """Put back what somebody sent again while it was removed, where a store can't tell by itself."""
    for sha256 in await asyncio.to_thread(lambda: sorted(store.aside(SETTLE))):
        wanted = bool(await database.read(partial(_known, some=[sha256])))
        await asyncio.to_thread(store.settle, sha256, wanted=wanted)


def _remove_rows(conn: Connection, before: int) -> dict[bytes, int]:
    query = select(blobs.c.hash, blobs.c.size).where(blobs.c.unused <= before).limit(AT_ONCE)
    found = {row.hash: row.size for row in conn.execute(query)}
    if not found:
        return {}
    old = and_(blobs.c.hash.in_(sorted(found)), blobs.c.unused <= before)
    conn.execute(update(blobs).where(old, referred()).values(unused=None))
    idle = select(blobs.c.hash).where(old).with_for_update()
    gone = list(conn.execute(idle).scalars())
    conn.execute(delete(possessions).where(possessions.c.hash.in_(gone)))
    conn.execute(delete(blobs).where(blobs.c.hash.in_(gone)))
    return {digest: found[digest] for digest in gone}


async def collect_strays(database: Database, store: BlobStore) -> int:
    """Remove bytes that no row knows, which a crash left; return how many. It looks at every blob."""
    removed = 0
    async for stray in strays(database, store):
        removed += await asyncio.to_thread(store.delete, stray, SETTLE)
    if removed:
        log.info("Stray bytes were removed.", blobs=removed)
    return removed


async def strays(database: Database, store: BlobStore) -> AsyncIterator[str]:
    """Yield the hashes of bytes that no row knew a moment ago. Young ones may be on their way to get one."""
    hashes = await asyncio.to_thread(lambda: sorted(store.hashes()))
    for at in range(0, len(hashes), PAGE):
        some = hashes[at : at + PAGE]
        known = await database.read(partial(_known, some=some))
        for name in some:
            if bytes.fromhex(name) not in known:
                yield name


def _known(conn: Connection, some: list[str]) -> set[bytes]:
    digests = [bytes.fromhex(name) for name in some]
    found: set[bytes] = set()
    for at in range(0, len(digests), AT_ONCE):
        query = select(blobs.c.hash).where(blobs.c.hash.in_(digests[at : at + AT_ONCE]))
        found.update(conn.execute(query).scalars())
    return found
