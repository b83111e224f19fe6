"""One of a server's processes does the periodic work; when it is gone, another follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from farm.database.handle import Database
from farm.server.caretaker import HOLDS, SILENT, Caretaker
from tests.databases import MariaDB

pytestmark = pytest.mark.anyio


@dataclass
class Clock:
    """A clock that the test sets."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Process:
    """One process of a server, with a clock of its own."""

    database: Database
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.caretaker = Caretaker(self.database, self.clock)

    async def look(self, later: float = 1.0) -> bool:
        """Let time pass, look, and tell whether it is the caretaker."""
        self.clock.at += later
        await self.caretaker.look()
        return self.caretaker.here


@pytest.fixture
def processes(mariadb: MariaDB) -> Iterator[tuple[Process, Process, Process]]:
    """Three processes of one server, whose machines have been up for different times."""
    with mariadb.fresh() as url:
        databases = [Database.open(url) for _ in range(3)]
        yield Process(databases[0], Clock(5.0)), Process(databases[1], Clock(90_000.0)), Process(databases[2])
        for each in databases:
            each.close()


async def test_one_of_two_processes_is_the_caretaker_and_the_other_follows_when_it_is_silent(processes):
    first, second, _ = processes
    assert await first.look()
    assert not await second.look()
    for _ in range(20):
        assert await first.look()
        assert not await second.look()
    passed = 0.0
    while not await second.look(0.5):
        passed += 0.5
    assert SILENT <= passed <= SILENT + 1
    # Who was only frozen does not go on as if nothing had happened.
    first.clock.at += passed
    assert not first.caretaker.here
    assert not await first.look()


async def test_who_is_asked_to_end_is_followed_at_once(processes):
    first, second, _ = processes
    assert await first.look()
    assert not await second.look()
    await first.caretaker.leave()
    assert not first.caretaker.here
    assert await second.look()
    assert not await first.look()


async def test_two_who_notice_at_once_do_not_both_follow(processes):
    first, second, third = processes
    assert await first.look()
    assert [await second.look(), await third.look()] == [False, False]
    assert [await second.look(SILENT + 1), await third.look(SILENT + 1)] == [True, False]


async def test_whoever_can_not_ask_the_database_stops_before_another_may_follow(processes):
    first, _, _ = processes
    assert await first.look()
    first.clock.at += HOLDS
    assert not first.caretaker.here


async def test_on_sqlite_the_only_process_is_it(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'one.sqlite3'}")
    assert Caretaker(database).here
    database.close()
