"""Slaves that report as often as they get answers, driven by wrk; and what each side takes of the processors."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import Requirement, Submission
from farm.simulator.pictures import Packed, packed
from tests.farm.farm import Farm

SCRIPT = Path(__file__).with_name("report.lua")
FRAMES = 150_000
"""More than are returned in that time."""
NOTHING = Packed("A" * 1366 + "==", "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", "")
"""A result tar without any file: 1,024 zeros."""


@dataclass(frozen=True, slots=True)
class Load:
    """How wrk asks, and for how many seconds."""

    connections: int
    batch: int = 1
    bytes: int = 0
    seconds: int = 6


@dataclass(frozen=True, slots=True)
class Shares:
    """CPU time of one return, ms: of the server's processes, of the database's, of the driver's."""

    server: float
    database: float
    driver: float

    @property
    def all(self) -> float:
        """Of all three together: what a core that does nothing else could do in a second, follows from it."""
        return self.server + self.database + self.driver

    def __str__(self) -> str:
        others = f", {self.database:.2f} ms of the database's" if self.database else ""
        return f"{self.server:.2f} ms of the server's CPU each{others}, {self.driver:.2f} ms of wrk's"


@dataclass(frozen=True, slots=True)
class Rate:
    """What came of it: durable returns per second; ms of the slowest hundredth of the calls; CPU of one return."""

    frames: float
    p99: float
    errors: int
    shares: Shares
    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s; p99 {self.p99:.0f} ms; {self.errors} errors; {self.shares}"


class Callers:
    """Slaves that are logged in, and a job that is large enough.

    Args:
        farm: whose server is asked; where it has several processes, each is asked by its part of the slaves.
        folder: for the driver's files.
        owner: whose slaves they are, if not the job's owner's.
        databases: processes whose CPU time is told apart.
    """

    def __init__(
        self, farm: Farm, folder: Path, owner: FarmClient | None = None, databases: Sequence[psutil.Process] = ()
    ) -> None:
        self._farm = farm
        self._owner = owner or farm.client
        self._name = "theirs" if owner else "w"
        self._databases = databases
        self._folder = folder / f"wrk-{self._name}"
        self._folder.mkdir()
        self._tokens: list[str] = []

    def rate(self, load: Load) -> Rate:
        """Return how many frames per second are returned, by what the server has counted.

        The job is over afterwards: beside the next one, it would get half of what is returned.
        """
        with self.job() as job:
            self.prepare(load)
            return self._measure(load, job)

    @contextmanager
    def job(self) -> Iterator[int]:
        """Give a job that is over afterwards."""
        wish = Submission(name="rate", requires=Requirement(method="sleep"), frames=f"1-{FRAMES}")
        job = self._farm.client.submit(wish).job
        self._farm.client.queue(job)
        yield job
        self._farm.client.command(job, "cancel")
        self._farm.until(lambda: not self._farm.client.job(job).counts.ready, 120, "the job is over")

    def prepare(self, load: Load) -> None:
        """Log the slaves in, and write down what they will say."""
        while len(self._tokens) < load.connections:
            self._tokens.append(_login(self._owner, self._farm.url, f"{self._name}{len(self._tokens)}"))
        each = 12_000 // load.connections if load.bytes else 1
        for place in range(load.connections):
            (self._folder / f"token{place}").write_text(self._tokens[place] + "\n")
            made = (packed(n, place * each + n, size=load.bytes) for n in range(each)) if load.bytes else [NOTHING]
            lines = [f'"sha256":"{one.sha256}","inline":"{one.inline}"' for one in made]
            (self._folder / f"results{place}").write_text("\n".join(lines) + "\n")

    def started(self, load: Load) -> list[subprocess.Popen[str]]:
        """Start a driver for each process of the server."""
        doors = self._farm.doors
        each = load.connections // len(doors)
        wrk = shutil.which("wrk")
        assert wrk, "apt-get install wrk"
        how = [wrk, "-t", str(each), "-c", str(each), "-d", f"{load.seconds}s", "--latency", "--timeout", "20s"]
        return [
            subprocess.Popen(
                [*how, "-s", str(SCRIPT), url, "--", str(self._folder), str(load.batch), str(place * each)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for place, (url, _) in enumerate(doors)
        ]

    def _measure(self, load: Load, job: int) -> Rate:
        servers = [psutil.Process(process.popen.pid) for _, process in self._farm.doors]
        before = _spent(servers), _spent(self._databases), _driven()
        said = [driver.communicate(timeout=120)[0] for driver in self.started(load)]
        after = _spent(servers), _spent(self._databases), _driven()
        took = max(_number(one, r"requests in ([\d.]+)(s|m)", {"s": 1, "m": 60}) for one in said)
        p99 = max(_number(one, r"99%\s+([\d.]+)(us|ms|s)", {"us": 0.001, "ms": 1, "s": 1000}) for one in said)
        time.sleep(0.3)
        done = self._farm.client.job(job).counts.done
        errors = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", "".join(said))))
        shares = Shares(*(1000 * (then - first) / max(done, 1) for first, then in zip(before, after, strict=True)))
        return Rate(done / took, p99, errors, shares, took)


def _spent(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _driven() -> float:
    """Return the CPU time of children that have ended, s."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


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
