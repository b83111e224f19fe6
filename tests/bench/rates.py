"""Claim and return over HTTP, as often as it goes: load by wrk, everything on that production has."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import MakeInvite, Register, Role
from farm.protocol.jobs import Requirement, Submission
from farm.simulator.pictures import Packed, packed
from tests.bench.entry import Entry
from tests.databases import mariadb_server
from tests.farm.farm import PASSPHRASE, Farm, running

SCRIPT = Path(__file__).with_name("report.lua")
SECONDS = 6
FRAMES = 150_000
"""More than are returned in that time."""
NOTHING = Packed("A" * 1366 + "==", "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
"""A result tar without any file: 1,024 zeros."""


@dataclass(frozen=True, slots=True)
class Load:
    """How wrk asks."""

    connections: int
    batch: int = 1
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """What came of it: durable returns per second; ms of the slowest hundredth of the calls; CPU of one return."""

    frames: float
    p99: float
    errors: int
    cpu: float

    def __str__(self) -> str:
        return f"{SECONDS} s; p99 {self.p99:.0f} ms; {self.errors} errors; {self.cpu:.2f} ms of the server's CPU each"


def measured(folder: Path) -> Iterator[Entry]:
    """Measure on SQLite."""
    with running(folder, heartbeat_seconds="5") as farm:
        yield from _all(farm, folder, "SQLite", {(8, 1): 1500, (64, 1): 3000, (8, 16): None, (64, 16): 6000})


def on_mariadb(folder: Path) -> Iterator[Entry]:
    """Measure on MariaDB, durable."""
    with mariadb_server() as server, server.fresh() as url, running(folder, url, heartbeat_seconds="5") as farm:
        yield from _all(farm, folder, "MariaDB", {(8, 1): None, (64, 1): 2000, (64, 16): 4000})


def _all(farm: Farm, folder: Path, database: str, goals: dict[tuple[int, int], int | None]) -> Iterator[Entry]:
    callers = Callers(farm, folder)
    for (connections, batch), goal in goals.items():
        rate = callers.rate(Load(connections, batch))
        name = f"{database}: returns, {batch} per report, {connections} connections"
        note = f"{rate}; results without a file"
        yield Entry(name, rate.frames, "frames/s", f">= {goal}" if goal else "", "Tractor, Slurm 500", note=note)
        if (connections, batch) == (8, 1):
            yield Entry(f"{database}: p99 of a call at 8 connections", rate.p99, "ms", "<= 50")
    rate = callers.rate(Load(8, bytes=10_000))
    yield Entry(f"{database}: returns with a 10 KB file inline, 8 connections", rate.frames, "frames/s",
                note=f"{rate}; other bytes each time")  # fmt: skip
    rate = Callers(farm, folder, _other_user(farm)).rate(Load(64))
    yield Entry(f"{database}: returns that earn points, 64 connections", rate.frames, "frames/s",
                note=f"{rate}; another user's slaves, a row of the ledger each")  # fmt: skip


class Callers:
    """Slaves that are logged in, and a job that is large enough; `owner`: whose slaves they are, if not the job's."""

    def __init__(self, farm: Farm, folder: Path, owner: FarmClient | None = None) -> None:
        self._farm = farm
        self._owner = owner or farm.client
        self._name = "theirs" if owner else "w"
        self._folder = folder / f"wrk-{self._name}"
        self._folder.mkdir()
        self._tokens: list[str] = []
        self._job = 0

    def rate(self, load: Load) -> Rate:
        """Return how many frames per second are returned, by what the server has counted.

        The job is over afterwards: beside the next one, it would get half of what is returned.
        """
        wish = Submission(name="rate", requires=Requirement(method="sleep"), frames=f"1-{FRAMES}")
        self._job = self._farm.client.submit(wish).job
        self._farm.client.queue(self._job)
        self._prepare(load)
        rate = self._measure(load)
        self._farm.client.command(self._job, "cancel")
        self._farm.until(lambda: not self._farm.client.job(self._job).counts.ready, 120, "the job is over")
        return rate

    def _prepare(self, load: Load) -> None:
        while len(self._tokens) < load.connections:
            self._tokens.append(_login(self._owner, self._farm.url, f"{self._name}{len(self._tokens)}"))
        each = 12_000 // load.connections if load.bytes else 1
        for place in range(load.connections):
            (self._folder / f"token{place}").write_text(self._tokens[place] + "\n")
            made = (packed(place * each + n, load.bytes) for n in range(each)) if load.bytes else [NOTHING]
            lines = [f'"sha256":"{one.sha256}","inline":"{one.inline}"' for one in made]
            (self._folder / f"results{place}").write_text("\n".join(lines) + "\n")

    def _measure(self, load: Load) -> Rate:
        wrk = shutil.which("wrk")
        assert wrk, "apt-get install wrk"
        count = str(load.connections)
        how = ["-t", count, "-c", count, "-d", f"{SECONDS}s", "--latency", "--timeout", "20s", "-s", str(SCRIPT)]
        command = [wrk, *how, self._farm.url, "--", str(self._folder), str(load.batch)]
        server = psutil.Process(self._farm.server.popen.pid)
        before = sum(server.cpu_times()[:2])
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
        took = _number(said, r"requests in ([\d.]+)(s|m)", {"s": 1, "m": 60})
        cpu = sum(server.cpu_times()[:2]) - before
        time.sleep(0.3)
        done = self._farm.client.job(self._job).counts.done
        errors = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        p99 = _number(said, r"99%\s+([\d.]+)(us|ms|s)", {"us": 0.001, "ms": 1, "s": 1000})
        return Rate(done / took, p99, int(errors[1]) if errors else 0, 1000 * cpu / max(done, 1))


def _other_user(farm: Farm) -> FarmClient:
    invite = farm.client.make_invite(MakeInvite(role=Role.USER)).code
    granted = farm.asking().register(Register(name="bea", passphrase=PASSPHRASE, invite=invite))
    return FarmClient(farm.url, granted.token)


def _login(client: FarmClient, url: str, name: str) -> str:
    made = client.make_slave_key(name)
    body = {"key": made.key, "password": made.password, "version": "bench", "slots": 1}
    body |= {"hardware": {"cores": 1, "memory_bytes": 2**30}, "offers": [{"method": "sleep"}]}
    with closing(httpx.Client(base_url=url, trust_env=False)) as http:
        return str(http.post("/api/slave/login", json=body).raise_for_status().json()["token"])


def _number(said: str, pattern: str, units: dict[str, float]) -> float:
    found = re.search(pattern, said)
    assert found, said
    return float(found[1]) * units[found[2]]
