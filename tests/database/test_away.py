"""A database that goes away, is locked, loses its file or has no space: nobody hangs, and it heals by itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from farm.database import engine, eventlog, writer
from farm.database.handle import Database
from farm.database.migrate import SHARED
from farm.database.reader import EventReader, Told
from farm.database.schema import meta
from farm.words.errors import DatabaseAway, DiskFull
from tests.databases import MariaDB, mariadb_server
from tests.disks import fill, small_disk


def put(key: str, size: int = 1) -> object:
    return lambda conn: conn.execute(insert(meta), {"key": key, "value": "x" * size}) and None


def keys(conn: Connection) -> list[str]:
    return sorted(conn.execute(select(meta.c.key).where(meta.c.key != SHARED)).scalars())


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture(scope="module")
def own_mariadb() -> Iterator[MariaDB]:
    """A MariaDB that tests may kill."""
    with mariadb_server() as server:
        yield server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HOLD", 0.3)


async def _all_refused(database: Database, count: int) -> set[type[BaseException]]:
    writes = [database.write(put(f"no{n}")) for n in range(count)]  # type: ignore[arg-type]
    reads = [database.read(keys) for _ in range(count)]
    said = await asyncio.wait_for(asyncio.gather(*writes, *reads, return_exceptions=True), 30)
    return {type(one) for one in said if one is not None}


@pytest.mark.mariadb
def test_all_are_refused_at_once_while_mariadb_is_away_and_served_when_it_is_back(
    own_mariadb: MariaDB, impatient: None
) -> None:
    with own_mariadb.fresh() as url, opened(url) as database:
        database.write_now(put("before"))  # type: ignore[arg-type]
        own_mariadb.kill()
        try:
            assert asyncio.run(_all_refused(database, 300)) == {DatabaseAway}
            assert database.away
            assert asyncio.run(_all_refused(database, 300)) == {DatabaseAway}
        finally:
            own_mariadb.start()
        database.write_now(put("after"))  # type: ignore[arg-type]
        assert not database.away
        assert _read_again(database) == ["after", "before"]


def _read_again(database: Database) -> list[str]:
    """Read as soon as reads are let through: after the last one that failed, all are refused for a moment."""
    end = time.monotonic() + 30
    while True:
        try:
            return database.read_now(keys)
        except DatabaseAway:
            assert time.monotonic() < end
            time.sleep(0.02)


def _write_on(database: Database, written: list[str]) -> None:
    for n in range(100):
        database.write_now(put(f"k{n}", 400_000))  # type: ignore[arg-type]
        written.append(f"k{n}")


@pytest.mark.mariadb
def test_a_full_disk_of_mariadb_s_own_loses_nothing_and_it_goes_on_when_there_is_room(impatient: None) -> None:
    with mariadb_server(disk=200_000_000) as mariadb:
        mariadb.run("CREATE DATABASE farm")
        with opened(f"mysql+pymysql://root@127.0.0.1:{mariadb.port}/farm") as database:
            database.write_now(put("before"))  # type: ignore[arg-type]
            ballast = mariadb.folder / "ballast"
            fill(ballast, 2_000_000)
            written: list[str] = []
            with pytest.raises((DiskFull, DatabaseAway)) as refused:
                _write_on(database, written)
            assert refused.value.status == 503
            ballast.unlink()
            if isinstance(refused.value, DatabaseAway):
                mariadb.kill()  # InnoDB ends itself rather than write half of something, or is about to
                mariadb.start()
            database.write_now(put("after"))  # type: ignore[arg-type]
            assert set(_read_again(database)) - {f"k{len(written)}"} == {"before", *written, "after"}


@pytest.mark.mariadb
def test_a_short_restart_of_mariadb_is_not_noticed(own_mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HOLD", 60)
    with own_mariadb.fresh() as url, opened(url) as database:
        own_mariadb.kill()
        waiting = [threading.Thread(target=database.write_now, args=(put(f"k{n}"),)) for n in range(20)]
        for thread in waiting:
            thread.start()
        own_mariadb.start()
        for thread in waiting:
            thread.join(60)
        assert len(database.read_now(keys)) == 20


@pytest.mark.mariadb
def test_a_connection_that_mariadb_closed_between_two_transactions_costs_nothing(own_mariadb: MariaDB) -> None:
    with own_mariadb.fresh() as url, opened(url) as database:
        for n in range(5):
            number = database.write_now(lambda conn: conn.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
            own_mariadb.run(f"KILL CONNECTION {number}")
            database.write_now(put(f"k{n}"))  # type: ignore[arg-type]
        assert len(database.read_now(keys)) == 5


@pytest.mark.mariadb
def test_what_a_server_on_a_dead_line_has_locked_is_free_again(
    own_mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB itself would hold it for hours: it waits for the next word of a connection that nobody has any more."""
    monkeypatch.setattr(engine, "FORGOTTEN", 1)
    with own_mariadb.fresh() as url, opened(url) as database:
        database.write_now(put("row"))  # type: ignore[arg-type]
        silent = engine.writing(url)
        change = update(meta).where(meta.c.key == "row")
        with silent.connect() as conn:
            conn.begin()
            conn.execute(change.values(value="half"))
            database.write_now(lambda there: there.execute(change.values(value="whole")) and None)
            conn.invalidate()
        silent.dispose()
        value = select(meta.c.value).where(meta.c.key == "row")
        assert database.read_now(lambda conn: conn.execute(value).scalar_one()) == "whole"


@pytest.mark.mariadb
def test_the_event_reader_goes_on_where_it_was(own_mariadb: MariaDB, impatient: None) -> None:
    def note(job: int) -> object:
        return lambda conn: eventlog.note(conn, "job", at=1, job=job)

    async def listen(database: Database) -> list[int | None]:
        reader = EventReader(database)
        await reader.start()
        told: list[Told] = []
        reader.listen(told.extend)
        await database.write(note(1))  # type: ignore[arg-type]
        own_mariadb.kill()
        with pytest.raises(DatabaseAway):
            await database.read(keys)
        await asyncio.to_thread(own_mariadb.start)
        while True:
            try:
                await database.write(note(2))  # type: ignore[arg-type]
                break
            except DatabaseAway:
                await asyncio.sleep(0.05)
        async with asyncio.timeout(30):
            while len(told) < 2:  # noqa: ASYNC110 - the reader's own task tells
                await asyncio.sleep(0.02)
        await reader.stop()
        return [one.job for one in told]

    with own_mariadb.fresh() as url, opened(url) as database:
        assert asyncio.run(listen(database)) == [1, 2]


def test_a_sqlite_file_that_somebody_else_locks_is_away_for_writers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "farm.db"
    with opened(f"sqlite:///{file}") as database:
        _wait_less(database)
        thief = sqlite3.connect(file, isolation_level=None)
        thief.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(writer, "HOLD", 0.3)
        with pytest.raises(DatabaseAway, match="locked"):
            database.write_now(put("a"))  # type: ignore[arg-type]
        assert database.read_now(keys) == []
        thief.execute("ROLLBACK")
        thief.close()
        database.write_now(put("b"))  # type: ignore[arg-type]
        assert database.read_now(keys) == ["b"]


def _wait_less(database: Database) -> None:
    """Let the writer's connection wait 0.1 s for locks instead of its usual time."""
    database.write_now(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout=100") and None)


def test_a_sqlite_file_that_vanished_takes_nothing_until_it_is_back(tmp_path: Path, impatient: None) -> None:
    file, aside = tmp_path / "farm.db", tmp_path / "aside.db"
    with opened(f"sqlite:///{file}") as database:
        database.write_now(put("before"))  # type: ignore[arg-type]
        file.rename(aside)
        with pytest.raises(DatabaseAway, match="gone, or was replaced"):
            database.write_now(put("lost"))  # type: ignore[arg-type]
        file.write_bytes(b"")
        with pytest.raises(DatabaseAway, match="gone, or was replaced"):
            database.write_now(put("elsewhere"))  # type: ignore[arg-type]
        aside.rename(file)
        database.write_now(put("after"))  # type: ignore[arg-type]
    with opened(f"sqlite:///{file}") as again:
        assert again.read_now(keys) == ["after", "before"]


def test_a_full_disk_is_named_and_heals_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 3_000_000) as disk:
        file = disk / "farm.db"
        with opened(f"sqlite:///{file}") as database:
            ballast = disk / "ballast"
            fill(ballast)
            with pytest.raises(DiskFull, match="disk is full"):
                database.write_now(put("big", 5_000_000))  # type: ignore[arg-type]
            assert not database.away
            written = database.read_now(keys)
            ballast.unlink()
            database.write_now(put("small"))  # type: ignore[arg-type]
            assert set(database.read_now(keys)) == {*written, "small"}
