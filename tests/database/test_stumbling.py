"""The writer's thread outlives whatever befalls it, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pymysql
import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog, writer
from farm.database.handle import Database
from farm.database.schema import meta
from farm.words.errors import DatabaseAway, Unavailable

Command = Callable[[Connection], Any]


def put(key: str) -> Command:
    return lambda conn: conn.execute(insert(meta), {"key": key, "value": "0"}) and None


def raised(conn: Connection) -> None:
    """Add one to a number: done twice, it shows."""
    value = int(conn.execute(select(meta.c.value).where(meta.c.key == "number")).scalar_one())
    conn.execute(update(meta).where(meta.c.key == "number").values(value=str(value + 1)))
    eventlog.note(conn, "job", at=1, job=value + 1)


def number(conn: Connection) -> int:
    return int(conn.execute(select(meta.c.value).where(meta.c.key == "number")).scalar_one())


def in_one(database: Database, commands: list[Command]) -> list[Any]:
    """Give commands to the writer while it is busy, so that they come into one transaction."""
    go, entered = threading.Event(), threading.Event()

    def slow(_conn: Connection) -> None:
        entered.set()
        go.wait(30)

    async def all_of_them() -> list[Any]:
        first = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(entered.wait, 30)
        waits = [asyncio.create_task(database.write(command)) for command in commands]
        await asyncio.sleep(0)
        go.set()
        await first
        return await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 30)

    return asyncio.run(all_of_them())


@pytest.mark.timeout(60)
def test_a_nap_that_fails_while_it_waits_for_others_costs_nobody_anything(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.write_now(put("number"))
    monkeypatch.setattr(writer, "_NAP", -1)  # which `time.sleep` refuses, as it does when a clock leaps
    database._writer._crowd = 8
    for count in range(1, 4):
        assert in_one(database, [raised] * 10) == [None] * 10
        assert database.read_now(number) == 10 * count


@pytest.mark.timeout(60)
def test_what_fails_after_the_commit_does_not_write_it_again(database: Database) -> None:
    database.write_now(put("number"))

    def stumble(_noted: list[eventlog.Noted]) -> None:
        raise MemoryError

    stop = database.after_commit(stumble)
    assert in_one(database, [raised] * 10) == [None] * 10
    assert database.read_now(number) == 10
    stop()
    assert in_one(database, [raised] * 10) == [None] * 10
    seqs = database.read_now(lambda conn: list(conn.execute(select(eventlog.events.c.seq)).scalars()))
    assert sorted(seqs) == list(range(1, len(seqs) + 1))


@pytest.mark.timeout(60)
def test_a_commit_that_breaks_off_when_it_is_done_is_not_run_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.write_now(put("number"))
    dialect, commits = database._engines[0].dialect, iter(range(10))
    commit = dialect.do_commit

    def break_off(connection: Any) -> None:
        commit(connection)
        if next(commits) == 1:  # the first is of what keeps the writer busy
            raise MemoryError

    monkeypatch.setattr(dialect, "do_commit", break_off)
    assert {type(answer) for answer in in_one(database, [raised] * 3)} == {DatabaseAway}
    assert database.read_now(number) == 3
    database.write_now(raised)
    assert database.read_now(number) == 4


@pytest.mark.timeout(60)
def test_a_commit_on_a_node_that_has_lost_the_others_is_refused_and_may_be_said_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no nodes")
    database.write_now(put("number"))
    dialect, commits = database._engines[0].dialect, iter(range(10))
    commit = dialect.do_commit

    def break_off(connection: Any) -> None:
        if next(commits) == 1:  # the first is of what keeps the writer busy
            raise pymysql.err.OperationalError(1180, "provider status: Not connected to Primary Component")
        commit(connection)

    monkeypatch.setattr(dialect, "do_commit", break_off)
    assert {type(answer) for answer in in_one(database, [raised] * 3)} == {DatabaseAway}
    assert in_one(database, [raised] * 3) == [None] * 3
    assert database.read_now(number) == 3


@pytest.mark.timeout(60)
def test_a_log_that_can_not_be_written_keeps_nobody_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise MemoryError

    def bad(_conn: Connection) -> None:
        raise ValueError

    monkeypatch.setattr(writer.log, "error", full, raising=False)
    answers = in_one(database, [put("a"), bad, put("b")])
    assert [type(answer) for answer in answers] == [type(None), ValueError, type(None)]
    database.write_now(put("c"))


@pytest.mark.timeout(60)
def test_who_comes_while_it_closes_is_written_or_refused(database: Database) -> None:
    said: list[BaseException | None] = []

    def write_on() -> None:
        for n in range(10_000):
            try:
                database.write_now(put(f"{threading.get_ident()} {n}"))
            except Unavailable as error:
                said.append(error)
                return

    callers = [threading.Thread(target=write_on, daemon=True) for _ in range(8)]
    for caller in callers:
        caller.start()
    database._writer.close()
    for caller in callers:
        caller.join(20)
    assert len(said) == len(callers)
