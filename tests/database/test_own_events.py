"""A process is told its own events by its writer, and others' by the log: each once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.handle import Database
from farm.database.reader import EventReader, Told

COUNT = 30


def note(job: int) -> Callable[[Connection], None]:
    return lambda conn: eventlog.note(conn, "job", at=job, job=job, data={"n": job})


async def _told_until(told: list[Told], count: int) -> None:
    async with asyncio.timeout(30):
        while len(told) < count:  # noqa: ASYNC110 - the reader's listeners are no futures
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)  # so that one told twice would be here


def test_own_events_and_those_of_others_are_each_told_once(database: Database) -> None:
    other = Database.open(database.url)

    async def listen() -> list[Told]:
        reader, told = EventReader(database), []  # type: ignore[var-annotated]
        await reader.start()
        reader.listen(told.extend)
        await asyncio.gather(*(each.write(note(n)) for n in range(1, COUNT + 1) for each in (database, other)))
        await asyncio.gather(database.write(note(900)), other.write(note(901)))
        while not {900, 901} <= {t.job for t in told}:  # noqa: ASYNC110 - the reader's listeners are no futures
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # so that one told twice would be here
        await reader.stop()
        return told

    try:
        told = asyncio.run(asyncio.wait_for(listen(), 60))
    finally:
        other.close()
    for writer in (database.writer_number, other.writer_number):
        seqs = [t.seq for t in told if t.writer == writer]
        assert seqs == list(range(1, len(seqs) + 1))
    assert {t.job for t in told} == {*range(1, COUNT + 1), 900, 901}
    assert all(t.data == {"n": t.job} for t in told), "they say the same, read or not"


def test_what_was_committed_before_the_reader_began_is_not_told(database: Database) -> None:
    async def listen() -> list[Told]:
        await database.write(note(1))
        reader, told = EventReader(database), []  # type: ignore[var-annotated]
        await reader.start()
        reader.listen(told.extend)
        await database.write(note(2))
        await _told_until(told, 1)
        await reader.stop()
        return told

    assert [t.job for t in asyncio.run(asyncio.wait_for(listen(), 60))] == [2]


def test_a_process_that_was_there_first_and_had_told_nothing_yet_is_heard(database: Database) -> None:
    later = Database.open(database.url)

    async def listen() -> list[Told]:
        reader, told = EventReader(later), []  # type: ignore[var-annotated]
        await reader.start()
        reader.listen(told.extend)
        await database.write(note(7))
        await _told_until(told, 1)
        await reader.stop()
        return told

    try:
        assert [t.job for t in asyncio.run(listen())] == [7]
    finally:
        later.close()
