"""A server of the simulation's own, in a folder: with it may be done what one would not do to any other."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import SecretStr

from farm.client.farmclient import FarmClient
from farm.jobs.audit import contradictions
from farm.protocol.accounts import MakeInvite, Register
from farm.protocol.joining import SlaveKeyMade
from farm.simulator import faults
from farm.simulator.days import bytes_of
from farm.simulator.faults import FAULTS
from farm.simulator.leavings import orphans
from farm.simulator.network import Cable
from farm.simulator.owndatabase import OwnDatabase
from farm.simulator.ownfarm import SERVER, OwnFarm
from farm.simulator.wrongclock import wrong_by
from farm.words.settings import ServerSettings, load

NAME = "simulation"


class OwnSite:
    """A server that lives as long as :meth:`opened`.

    Args:
        folder: where the farm is meanwhile, and its database beside it.
        wanted: the faults that are to happen.
        mariadb: its database is a MariaDB of its own, whatever the faults are.
        heartbeat: seconds.
        say: is told what can't be done here.
    """

    def __init__(
        self,
        folder: Path,
        wanted: Sequence[str] = (),
        *,
        mariadb: bool = False,
        heartbeat: float = 5.0,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.url, self.verify, self.pool = "", True, ""
        self.cables = (Cable(), Cable())
        self.undone = {name: why for name in wanted if (why := FAULTS[name].hinders())}
        self._folder, self._wanted, self._heartbeat, self._say = folder, wanted, heartbeat, say
        self._farm = OwnFarm(folder / "farm", NAME)
        self._clock = self._farm.folder / "clock"
        self._mariadb = mariadb or self._possible("kill-database")
        self._database: OwnDatabase | None = None
        self._clients: list[FarmClient] = []

    @property
    def where(self) -> str:
        """What server that is, in words."""
        return f"a server of its own with {'MariaDB' if self._mariadb else 'SQLite'}"

    @property
    def machine(self) -> OwnSite:
        """The server's machine: this one."""
        return self

    @property
    def disk(self) -> Path:
        """The server's folder."""
        return self._farm.folder / "server"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Start the server, and all that it needs; end them, and remove what is left of them."""
        with self._farm, self._disk(), self._own_database():
            for name, why in self.undone.items():
                self._say(f"{name}: not done here. {why}")
            wrong_by(self._clock, 0)
            ready = self._start(0)
            self.url = str(ready["url"])
            try:
                self._clients = [self._register("admin", str(ready["setup_code"]))]
                yield
            finally:
                for client in self._clients:
                    client.close()
                self._farm.stop()

    def people(self, count: int) -> list[FarmClient]:
        """Register the users; the first is the admin."""
        admin = self._clients[0]
        for number in range(1, count):
            self._clients.append(self._register(f"user{number}", admin.make_invite(MakeInvite()).code))
        return self._clients

    def slaves(self, count: int) -> list[SlaveKeyMade]:
        """Return the keys of slaves, which belong to the users in turn."""
        return [self._clients[n % len(self._clients)].make_slave_key(f"pretend{n:05}") for n in range(count)]

    async def kill_server(self, seconds: float) -> None:
        """Kill the server; start it again after a while."""
        port = int(self.url.rpartition(":")[2])
        await asyncio.to_thread(self._farm.kill, SERVER)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._start, port)

    async def kill_database(self, seconds: float) -> None:
        """Kill the database's server; start it again after a while."""
        assert self._database is not None
        await asyncio.to_thread(self._database.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._database.start)

    def set_clock(self, us: int) -> None:
        """Set the server's clock wrong."""
        wrong_by(self._clock, us)

    def size(self) -> tuple[int, int]:
        """Return the bytes of the server's memory, and those of SQLite's file."""
        memory = 0
        with contextlib.suppress(psutil.Error, StopIteration):
            memory = psutil.Process(self._farm.process(SERVER)).memory_info().rss
        return memory, 0 if self._mariadb else bytes_of(self.disk / "distren.sqlite3")

    def audit(self) -> list[str]:
        """Return what `distren audit` finds."""
        return contradictions(self._settings())

    def audit_at_end(self) -> list[str]:
        """Return what `distren audit --deep` finds when the server has ended, before and after garbage is collected."""
        self._farm.stop()
        settings = self._settings()
        found = contradictions(settings, deep=True)
        return [*found, *orphans(settings), *contradictions(settings)]

    def _possible(self, name: str) -> bool:
        return name in self._wanted and name not in self.undone

    def _settings(self) -> ServerSettings:
        return load(ServerSettings, None, data=self.disk, database=self._database.url if self._database else None)

    def _start(self, port: int) -> dict[str, object]:
        given: dict[str, object] = {"heartbeat_seconds": self._heartbeat, "free_space": 0, "announce": False}
        if self._database is not None:
            given["database"] = self._database.url
        return self._farm.start_server(port, self._clock, log_level="warning", **given)

    @contextmanager
    def _own_database(self) -> Iterator[None]:
        """Run a MariaDB server beside the farm, if one is to be."""
        if not self._mariadb:
            yield
            return
        self._folder.chmod(0o711)  # its user must pass
        self._database = OwnDatabase(self._folder / "database")
        try:
            self._database.run("CREATE DATABASE farm")
            yield
        finally:
            self._database.stop()

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Mount the disk that is to be full, if one is, and this is allowed here."""
        mounted = False
        if self._possible("disk-full"):
            self.disk.mkdir()
            why = faults.own_disk(self.disk)
            mounted = not why
            self.undone |= {"disk-full": why} if why else {}
        try:
            yield
        finally:
            if mounted:
                self._farm.stop()
                faults.unmount(self.disk)

    def _register(self, name: str, invite: str) -> FarmClient:
        wish = Register(name=name, passphrase=SecretStr(secrets.token_urlsafe(9)), invite=invite, device=NAME)
        with FarmClient(self.url) as guest:
            return FarmClient(self.url, guest.register(wish).token)
