"""Books of jobs that were deleted long ago are closed: the rows go, and nothing that they gave."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select, update

from farm.accounts import books as archive
from farm.accounts import ledger, ledgeraudit, ledgerviews
from farm.accounts.ledger import Kind
from farm.database import numbers, schema
from farm.database.handle import Database
from farm.files.disk import DiskStore
from farm.files.view import JobFolders
from farm.jobs import closing
from farm.jobs.audit import audit
from farm.jobs.closing import DAY, close
from farm.jobs.collect import collect
from farm.scheduler import escrow, standing
from tests.scheduler.world import Agent, World, frames_of

KEEP = 10.0


class Killed(BaseException):
    """Stands for the end of a process between two commands."""


class Dying:
    """A way to a database that ends after so many turns."""

    def __init__(self, database: Database, turns: int) -> None:
        self._database = database
        self.turns = turns

    def _turn(self) -> None:
        self.turns -= 1
        if self.turns < 0:
            raise Killed

    async def read(self, query: Callable[[Any], Any]) -> Any:
        self._turn()
        return await self._database.read(query)

    async def write(self, command: Callable[[Any], Any]) -> Any:
        self._turn()
        return await self._database.write(command)


@dataclass
class Shop:
    """A farm where bea and cem render for anna, and boosts were bought."""

    world: World
    store: DiskStore
    bea: int
    cem: int
    agents: tuple[Agent, Agent]

    def render(self, agent: Agent, frames: int, cpu: float = 60) -> list[int]:
        made: list[int] = []
        for _ in range(frames):
            got = frames_of(self.world.report(agent, want=1))[:1]
            self.world.pass_time(60)
            made += (mine := [one.attempt for one in got])
            rest = [a for a in agent.holding if a not in mine]
            self.world.report(agent, done=mine, seconds=60, cpu=cpu, forget=rest)
        return made

    def history(self, frames: int = 3) -> int:
        """Let both render frames of a job, of which one is boosted by what anna has; delete it."""
        job = self.world.job(f"1-{2 * frames}")
        for agent in self.agents:
            self.render(agent, frames)
        self.world.act("delete", job)
        return job

    def close(self, database: Any = None, days: float = KEEP) -> int:
        self.world.database.write_now(lambda c: standing.forget_old(c, self.world.at))
        return asyncio.run(close(database or self.world.database, self.store, days, self.world.at))

    def accounts(self) -> list[ledger.Account]:
        who = (ledger.FARM, self.bea, self.cem)
        return self.world.database.read_now(lambda c: [ledger.stored(c, each) for each in who])

    def count(self, table: Table) -> int:
        query = select(func.count()).select_from(table)
        return self.world.database.read_now(lambda c: c.execute(query).scalar_one())

    def faults(self) -> list[str]:
        return self.world.database.read_now(lambda c: ledgeraudit.audit(c, self.store))

    def book(self) -> Any:
        return self.world.database.read_now(lambda c: archive.archives(c)[-1])

    def archived(self) -> bool:
        return bool(self.world.database.read_now(archive.archives))

    def later(self, days: float) -> None:
        self.world.at += round(days * DAY)


def opened(database: Database, folder: Path) -> Iterator[Shop]:
    world = World(database)
    bea, cem = world.user("bea"), world.user("cem")
    agents = world.slave("b", owner=bea, cores=4), world.slave("c", owner=cem, cores=4)
    made = Shop(world, DiskStore(folder / "blobs"), bea, cem, agents)
    yield made
    assert world.faults() == []


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Iterator[Shop]:
    """On each kind of database: what depends on transactions and locks."""
    yield from opened(database, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Shop]:
    """On SQLite: all the rest."""
    database = Database.open(f"sqlite:///{tmp_path / 'farm.db'}")
    yield from opened(database, tmp_path)
    database.close()


def boosted(shop: Shop) -> int:
    """Let bea have a job rendered sooner, which cem renders, and delete it: rows of all kinds but forfeits."""
    job = shop.world.job("1-4", owner=shop.bea)
    shop.world.database.write_now(lambda c: escrow.put(c, job, 700, 3, shop.world.at))
    shop.render(shop.agents[1], 2)
    shop.world.act("delete", job)
    return job


def test_rows_of_a_job_that_was_deleted_long_ago_go_into_an_archive_and_accounts_stay(shop: Shop) -> None:
    old, spent = shop.history(), boosted(shop)
    shop.later(KEEP + 2)
    young, living = shop.history(1), shop.world.job("1-2")
    shop.render(shop.agents[0], 1)
    before, rows = shop.accounts(), shop.count(schema.postings)
    told = shop.world.database.read_now(lambda c: ledgerviews.view(c, shop.bea, "bea"))
    assert shop.close(days=0) == 0, "0 days are for ever"
    gone = shop.close()
    assert gone == rows - 3
    assert shop.accounts() == before
    assert shop.faults() == []
    left = shop.world.database.read_now(lambda c: set(c.execute(select(schema.jobs.c.number)).scalars()))
    assert left == {young, living}
    assert not left & {old, spent}
    assert shop.world.database.write_now(lambda c: numbers.take(c, "job")) == living + 1
    (listed_book,) = shop.world.database.read_now(ledgerviews.closed_books)
    assert (listed_book.rows, listed_book.sha256) == (gone, shop.book().hash.hex())
    assert listed_book.closed is not None
    entries = list(archive.read(shop.store.local(shop.book().hash.hex())))
    assert {one.kind for one in entries} == {"earned", "escrow", "tip", "gone"}
    assert {one.job for one in entries} == {old, spent}
    shows = shop.world.database.read_now(lambda c: ledgerviews.view(c, shop.bea, "bea"))
    listed = shop.world.database.read_now(lambda c: ledgerviews.page(c, shop.bea, "home", None, 100))
    assert shows.milli == told.milli == shows.closed_milli + sum(row.milli for row in listed.rows)
    lines = shop.world.database.read_now(lambda c: ledgerviews.closed_csv(c, shop.bea)).splitlines()
    assert lines == [
        ",earned,3.000,,,carried forward from 3 rows of closed books,",
        ",escrow,-0.700,,,carried forward from 1 rows of closed books,",
    ]


def test_what_is_needed_or_few_and_young_is_not_closed_yet(small: Shop) -> None:
    job = small.history(1)
    small.later(KEEP + 0.5)
    assert small.close() == 0, "a tenth of the time is waited for more"
    small.later(1)
    waits = small.world.job("1")
    waiting = {"job": waits, "place": 0, "frames": "1", "first": 1, "last": 1, "on_job": job, "needs": "1"}
    small.world.database.write_now(lambda c: c.execute(schema.dependencies.insert(), waiting) and None)
    assert small.close() == 0
    small.world.database.write_now(lambda c: c.execute(schema.dependencies.delete()) and None)
    assert small.close() == 2


def test_a_job_that_left_no_rows_leaves_no_book_either(small: Shop) -> None:
    job = small.world.job("1-2")
    small.world.act("delete", job)
    small.later(2 * KEEP)
    assert small.close() == 0
    assert (small.count(schema.jobs), small.count(schema.books)) == (0, 0)
    assert list(small.store.hashes()) == []


def test_whatever_moment_it_is_killed_at_nothing_is_lost_or_counted_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "PIECE", 3)
    monkeypatch.setattr(closing, "PAGE", 2)
    shop.history(4)
    boosted(shop)
    shop.later(2 * KEEP)
    before, rows, turns, names = shop.accounts(), shop.count(schema.postings), 0, set[str]()
    while True:
        try:
            shop.close(Dying(shop.world.database, turns))
        except Killed:
            turns = turns % 3 + 1 if shop.archived() else turns + 1
            assert shop.accounts() == before
            assert shop.faults() == []
            names |= set(shop.store.hashes())
        else:
            break
    assert len(names) == 1, "an archive that is written again is the same one"
    assert shop.accounts() == before
    assert shop.faults() == []
    assert shop.count(schema.postings) == 0
    assert (shop.book().entries, shop.book().cleared) == (rows, rows)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from farm.database.handle import Database
from farm.files.disk import DiskStore
from farm.jobs import closing
closing.PIECE = 2
database, turns = Database.open(sys.argv[1]), int(sys.argv[4])
do = database.write
async def write(command):
    global turns
    found = await do(command)
    turns -= 1
    if not turns:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
database.write = write
asyncio.run(closing.close(database, DiskStore(Path(sys.argv[2])), 10, int(sys.argv[3])))
"""


def test_a_server_that_is_killed_while_it_closes_books_goes_on_when_it_starts(small: Shop) -> None:
    small.history()
    small.later(2 * KEEP)
    before = small.accounts()
    small.world.database.write_now(lambda c: standing.forget_old(c, small.world.at))
    for turn in (2, 1):
        told = small.world.database.url, str(small.store.root), str(small.world.at), str(turn)
        call = [sys.executable, "-c", KILLED, *told]
        done = subprocess.run(call, timeout=300, check=False, env={**os.environ, "PYTHONWARNINGS": ""})
        assert done.returncode == -signal.SIGKILL
        assert (small.accounts(), small.faults()) == (before, [])
    assert small.count(schema.postings) == 4
    small.close()
    assert (small.accounts(), small.faults(), small.count(schema.postings)) == (before, [], 0)


def test_two_processes_that_close_the_same_books_close_them_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "PIECE", 2)
    shop.history(4)
    shop.later(2 * KEEP)
    before = shop.accounts()
    shop.world.database.write_now(lambda c: standing.forget_old(c, shop.world.at))
    other = shop.world.database
    if other.dialect != "sqlite":
        other = Database.open(shop.world.database.url)

    async def both() -> None:
        await asyncio.gather(*(close(one, shop.store, KEEP, shop.world.at) for one in (shop.world.database, other)))

    asyncio.run(both())
    assert (shop.accounts(), shop.faults(), shop.count(schema.postings)) == (before, [], 0)
    assert (shop.book().cleared, shop.count(schema.books)) == (8, 1)
    if other is not shop.world.database:
        other.close()


def test_what_a_slave_returns_once_more_after_its_book_was_closed_is_not_paid_again(small: Shop) -> None:
    job = small.world.job("1-2")
    made = small.render(small.agents[0], 2)
    small.world.act("delete", job)
    small.later(2 * KEEP)
    small.close()
    before = small.accounts()
    small.world.report(small.agents[0], done=made, seconds=60, cpu=600)
    assert small.accounts() == before
    assert small.count(schema.postings) == 0


def test_what_is_between_servers_stays_what_it_was(small: Shop) -> None:
    small.history()
    small.later(2 * KEEP)
    small.close()
    earned = small.world.database.read_now(lambda c: archive.forward_of(c, small.bea, Kind.EARNED))
    assert (earned.milli, earned.entries, earned.paid) == (3000, 3, 3)


def forged(shop: Shop, old: bytes, new: bytes) -> None:
    """Falsify an archive, and its hash in the database, too."""
    text = gzip.decompress(shop.store.local(shop.book().hash.hex()).read_bytes())
    incoming = shop.store.incoming()
    incoming.write(gzip.compress(text.replace(old, new, 1)))
    digest = bytes.fromhex(incoming.keep().sha256)
    shop.world.database.write_now(lambda c: c.execute(update(schema.books).values(hash=digest)) and None)


def test_the_audit_finds_a_falsified_archive(small: Shop) -> None:
    small.history()
    small.later(2 * KEEP)
    small.close()
    file = small.store.local(small.book().hash.hex())
    kept, true = file.read_bytes(), small.book().hash

    def says(sentence: str) -> None:
        assert any(sentence in fault for fault in small.faults()), small.faults()

    file.write_bytes(gzip.compress(gzip.decompress(kept).replace(b",1000,", b",9000,", 1)))
    says("its SHA-256 is not what was written down")
    says("it says 9.000 points, but its inputs give 1.000")
    file.write_bytes(kept[:50])
    says("can't be read")
    file.unlink()
    says("can't be read")
    file.write_bytes(kept)
    forged(small, b",1000,", b",9000,")
    says("but 6 of 6.000 were written")
    says("What is carried forward of account")
    small.world.database.write_now(lambda c: c.execute(update(schema.books).values(hash=true)) and None)
    assert small.faults() == []
    change = update(schema.carried).where(schema.carried.c.account == small.bea)
    small.world.database.write_now(lambda c: c.execute(change.values(milli=9000)) and None)
    says("bea's account has 3.000 points (3.000 earned), but its rows give 9.000")
    small.world.database.write_now(lambda c: c.execute(change.values(milli=3000)) and None)


def test_an_archive_is_never_collected_and_a_lost_one_is_told(small: Shop, tmp_path: Path) -> None:
    small.history(1)
    small.later(2 * KEEP)
    small.close()
    for _ in range(2):
        small.later(30)
        asyncio.run(collect(small.world.database, small.store, small.world.at, grace=0))
    assert list(small.store.hashes()) == [small.book().hash.hex()]
    folders = JobFolders(tmp_path / "stor")
    base = small.world.database
    assert base.read_now(lambda c: audit(c, small.store, folders, deep=True)) == []
    base.write_now(lambda c: c.execute(schema.blobs.delete()) and None)
    found = base.read_now(lambda c: audit(c, small.store, folders))
    lost = f"there is no blob {small.book().hash.hex()[:12]}…."
    assert found == [f"The archive of book 1 of the ledger is not kept: {lost}"]
