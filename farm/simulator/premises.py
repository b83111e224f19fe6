"""A server's real insides without its door: database, periodic work, accounts; in a time that is told."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Never

from pydantic import SecretStr
from sqlalchemy import Connection, select

from farm import __version__
from farm.accounts import slavekeys, users
from farm.accounts.identity import Identity
from farm.api.jobs.parts import asker, methods, rules
from farm.api.services import Services
from farm.api.slave.endpoints import opened
from farm.database.eventlog import Noted
from farm.database.handle import Database
from farm.database.schema import attempts, result_files
from farm.files.disk import DiskStore
from farm.jobs import control
from farm.jobs.homecoming import Home, record
from farm.jobs.submission import queue, submit
from farm.package.results import OUTPUT
from farm.protocol.accounts import Role
from farm.protocol.jobs import JobCommand, Requirement, Submission
from farm.protocol.joining import SlaveKeyMade
from farm.protocol.slaves import Hardware, Offer, SlaveLogin
from farm.server.caretaker import Caretaker
from farm.server.periodic import Chore, chores
from farm.server.process import services_of
from farm.simulator.hollow import HollowStore
from farm.words import clock
from farm.words.errors import WrongState
from farm.words.settings import ServerSettings, load
from farm.words.states import AttemptState

KEPT: dict[str, Any] = {
    "keep_jobs_days": 0.5,
    "keep_logs_days": 0.25,
    "keep_attempts_days": 0.25,
    "keep_ledger_days": 0.25,
    "events_hours": 12,
    "unused_hours": 6,
}
"""How long a simulated farm keeps what has ended: little, so that a day shows what is left behind for good."""

HEARTBEAT = 300.0
"""Seconds; a server stretches it itself where there are many slaves."""

UNNEEDED = {"caretaker", "heartbeat", "fetched", "notices", "peers", "receipts", "awaiting", "strays"}
"""Periodic work of what there is not: other processes, other servers, shorter heartbeats, bytes.

The last is called at each day's end."""

OFTEN = 240.0
"""Seconds: periodic work is done this often at most, in a time in which nobody waits; more often than heartbeats."""

HOMES = 2000
"""Files that come home at once."""


@dataclass
class Premises:
    """A server in a folder. Times are µs of the farm's own clock.

    Args:
        folder: where its database is.
        store: where its pictures would be.
        told: events, as they were committed.
    """

    folder: Path
    store: HollowStore = field(default_factory=HollowStore)
    told: deque[Noted] = field(default_factory=deque)
    crashes: int = 0

    def __post_init__(self) -> None:
        given: dict[str, Any] = {
            "data": self.folder,
            "name": "simulated",
            "heartbeat_seconds": HEARTBEAT,
            "announce": False,
        }
        self.settings = load(ServerSettings, None, **given, **KEPT, free_space=0, quota=10**15)
        self.store.beside = DiskStore(self.folder / "archives")
        self.open()

    @property
    def file(self) -> Path:
        """The database's."""
        assert self.database.file is not None
        return self.database.file

    def open(self) -> None:
        """Start."""
        self.database = Database.open(self.settings.database_url)
        self.services: Services = services_of(self.settings, self.database, "simulated")
        self.services.store = self.store
        self.database.after_commit(self.told.extend)
        self.chores = [chore for chore in chores(self.services, Caretaker(self.database)) if chore.name not in UNNEEDED]

    async def close(self) -> None:
        """Stop."""
        await self.services.viewer.close()
        await self.services.peering.close()
        self.services.passphrases.close()
        await asyncio.to_thread(self.database.close)

    def crash(self, conn: Connection) -> Never:
        """Die in the middle of a transaction: keep what is on the disk at this moment. For the writer."""
        aside = self.folder / "crashed"
        if not aside.exists():  # a batch that fails is tried again in halves
            aside.mkdir()
            for file in (self.file, Path(f"{self.file}-wal")):
                shutil.copyfile(file, aside / file.name)
        raise WrongState("The server crashes, as it was asked to.")

    async def come_back(self) -> None:
        """Start again from what the crash left."""
        await self.close()
        self._put_back()
        self.told.clear()
        self.crashes += 1
        self.open()

    def _put_back(self) -> None:
        aside = self.folder / "crashed"
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        for file in aside.iterdir():
            file.replace(self.folder / file.name)
        aside.rmdir()

    async def user(self, name: str) -> Identity:
        """Make a user; the first may do everything."""
        new = users.NewUser(name, "", 10**15)
        made = await self.database.write(partial(users.register, new=new, invite=None, at=clock.now()))
        return Identity(made, name, Role.USER, b"")

    async def slave(self, name: str, owner: Identity) -> tuple[int, SlaveKeyMade]:
        """Make a slave and log it in; return its id."""
        made = await self.database.write(partial(slavekeys.make, name=name, owner=owner, at=clock.now()))
        return await self.log_in(made), made

    async def log_in(self, made: SlaveKeyMade) -> int:
        """Log a slave in."""
        login = SlaveLogin(
            key=made.key,
            password=SecretStr(made.password),
            version=__version__,
            slots=1,
            hardware=Hardware(cores=1, memory_bytes=2**34),
            offers=[Offer(method="sleep")],
        )
        return (await self.database.write(partial(opened, login=login, at=clock.now()))).id

    async def submit(self, owner: Identity, name: str, frames: int, priority: int) -> int:
        """Send a job, and queue it."""
        wish = Submission(
            name=name, key=name, requires=Requirement(method="sleep"), frames=f"1-{frames}", priority=priority
        )
        who, own, at = asker(owner, self.settings), self.settings, clock.now()
        made = await submit(self.database, who, wish, methods(), rules(own), "simulated", at, _nobody)
        await self.database.write(partial(queue, asker=who, job=made.job, at=at))
        return made.job

    async def retry(self, owner: Identity, job: int) -> None:
        """Have a job's failed frames rendered again."""
        who, order = asker(owner, self.settings), JobCommand(confirmed=True)
        act = partial(control.command, asker=who, job=job, verb="retry", order=order, at=clock.now())
        await control.carried_out(self.database, act, job)

    async def fetch(self, job: int) -> int:
        """Bring a job's pictures home; return how many there are."""
        found = await self.database.read(partial(_pictures, job=job))
        for start in range(0, len(found), HOMES):
            seen = dict.fromkeys(found[start : start + HOMES], clock.now())
            await self.database.write(partial(record, seen=seen))
        return len(found)


def periods(chores: list[Chore], dice: Random) -> list[tuple[float, Chore]]:
    """Return after how many seconds each chore is due first."""
    return [(max(chore.seconds, OFTEN) * dice.random(), chore) for chore in chores]


async def _nobody(*_: Any) -> Any:
    return {}


def _pictures(conn: Connection, job: int) -> list[Home]:
    c = result_files.c
    query = select(c.frame, c.name, c.hash).join(attempts, attempts.c.id == c.attempt)
    which = (c.job == job, c.role == OUTPUT, attempts.c.state == AttemptState.WON.value)
    rows = conn.execute(query.where(*which).order_by(c.frame))
    return [Home(job, row.frame, row.name, row.hash.hex()) for row in rows]
