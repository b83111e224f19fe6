"""Real servers for tests: the whole process's insides, in a thread, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import MakeInvite, Register, Role
from farm.protocol.slaves import Orders, SlaveWelcome
from farm.server.process import ServerProcess, ServerReady
from farm.words.settings import ServerSettings

PASSPHRASE = "correct horse battery"


class Served:
    """A running server, and ways to talk to it."""

    def __init__(self, process: ServerProcess, ready: ServerReady) -> None:
        self.process = process
        self.ready = ready
        self.url = ready.url
        self.http = httpx.Client(base_url=ready.url, timeout=30, trust_env=False)
        self._open: list[Any] = [self.http]

    def client(self, token: str | None = None) -> FarmClient:
        """Return a client that is closed with the server."""
        self._open.append(client := FarmClient(self.url, token))
        return client

    def close(self) -> None:
        """Close all clients."""
        for each in self._open:
            each.close()

    def admin(self, name: str = "ada") -> FarmClient:
        """Register the first admin with the setup code."""
        return self.register(name, self.ready.setup_code or "")

    def register(self, name: str, invite: str) -> FarmClient:
        """Register a user and return their client."""
        wish = {"name": name, "passphrase": PASSPHRASE, "invite": invite}
        return self.client(self.client().register(Register.model_validate(wish)).token)

    def invited(self, admin: FarmClient, name: str, role: Role = Role.USER) -> FarmClient:
        """Register another user, whom an admin invites."""
        return self.register(name, admin.make_invite(MakeInvite(role=role)).code)

    def slave(self, owner: FarmClient, name: str = "ws01", **more: Any) -> SlaveCaller:
        """Make a slave key and log a pretend slave in."""
        made = owner.make_slave_key(name)
        self._open.append(caller := SlaveCaller(self.url, made.key, made.password, **more))
        return caller


class SlaveCaller:
    """A pretend slave that says what a test wants it to."""

    def __init__(
        self, url: str, key: str, password: str, slots: int = 1, method: str = "sleep", verify: Any = True, **login: Any
    ) -> None:
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False, verify=verify)
        self.seq = 0
        self.login = {
            "key": key,
            "password": password,
            "version": "test",
            "slots": slots,
            "hardware": {"cores": 2, "memory_bytes": 10**9},
            "offers": [{"method": method}],
            **login,
        }
        answer = self.http.post("/api/slave/login", json=self.login)
        assert answer.status_code == 200, answer.text
        self.welcome = SlaveWelcome.model_validate_json(answer.content)
        self.http.headers["Authorization"] = f"Bearer {self.welcome.token}"

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def report(self, **report: Any) -> httpx.Response:
        """Send a report with the next number."""
        self.seq += 1
        return self.http.post("/api/slave/next", json={"seq": self.seq, **report})

    def orders(self, **report: Any) -> Orders:
        """Send a report that must be taken."""
        answer = self.report(**report)
        assert answer.status_code == 200, answer.text
        return Orders.model_validate_json(answer.content)


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Served]:
    """Run a server until the block ends.

    Args:
        folder: its data folder.
        settings: what differs from the defaults.
    """
    given = {"data": folder, "host": "127.0.0.1", "port": 0, "free_space": 0, "name": "home", **settings}
    ready: list[ServerReady] = []
    faults: list[BaseException] = []
    started = threading.Event()

    def is_ready(facts: ServerReady) -> None:
        ready.append(facts)
        started.set()

    process = ServerProcess(ServerSettings(**given), is_ready)

    def run() -> None:
        try:
            process.run()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test can see it
            faults.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(60)
        if faults:
            raise faults[0]
        served = Served(process, ready[0])
        try:
            yield served
        finally:
            served.close()
    finally:
        process.stop()
        thread.join(40)
        assert not thread.is_alive(), "the server does not stop"
    assert not faults, faults
