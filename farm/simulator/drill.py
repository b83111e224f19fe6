"""Pretend slaves at a server of their own, over real HTTP: load, faults, and what must be true all the while."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil
from pydantic import SecretStr

from farm.client.farmclient import FarmClient
from farm.jobs.audit import contradictions
from farm.protocol.accounts import MakeInvite, Register
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.joining import SlaveKeyMade
from farm.simulator import faults
from farm.simulator.crowd import crowd
from farm.simulator.days import bytes_of
from farm.simulator.faults import FAULTS
from farm.simulator.manner import Manner
from farm.simulator.network import Cable
from farm.simulator.ownfarm import OwnFarm
from farm.simulator.witness import Witness
from farm.simulator.wrongclock import wrong_by
from farm.words.errors import DistrenError, Malformed, Unavailable, Unreachable
from farm.words.settings import ServerSettings, load
from farm.words.states import JobState

LOOK = 0.5
"""Seconds between two looks at the jobs."""

AUDITS = 5.0
"""Seconds between two audits while it runs."""

NAME = "simulation"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is to happen.

    Args:
        slaves: at the server.
        users: who send jobs.
        jobs: of each user in each wave.
        frames: of each job.
        waves: all jobs of a wave come at once; the next comes when nothing is left to do.
        manner: what slaves are like.
        faults: by name, one after the other, each while there is work.
        heartbeat: seconds.
        patience: seconds after which a job that has not ended is one that never does.
        seed: of chance.
    """

    slaves: int = 100
    users: int = 5
    jobs: int = 2
    frames: int = 50
    waves: int = 2
    manner: Manner = field(default_factory=lambda: Manner(seconds=1, spread=0.3, speeds=0.5, failures=0.02))
    faults: tuple[str, ...] = ()
    heartbeat: float = 5.0
    patience: float = 600.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in self.faults:
            if name not in FAULTS:
                raise Malformed(f"There is no fault “{name}”.", hint=f"There are {', '.join(FAULTS)}.")

    @property
    def total(self) -> int:
        """All frames."""
        return self.users * self.jobs * self.frames * self.waves


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment: seconds since the beginning, frames that were done, bytes of the server and its database."""

    at: float
    done: int
    memory: int
    database: int


@dataclass
class Drill:
    """One run.

    Args:
        scenario: what happens.
        folder: where the farm is meanwhile; it must not be there.
        progress: is told how many frames are done.
        say: is told what happens, one sentence each.
    """

    scenario: Scenario
    folder: Path
    progress: Callable[[int], None] = lambda _done: None
    say: Callable[[str], None] = lambda _sentence: None
    witness: Witness = field(default_factory=Witness)
    samples: list[Sample] = field(default_factory=list)
    happened: list[tuple[float, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    audits: int = 0
    took: float = 0.0

    def run(self) -> None:
        """Run, from the first start of the server to the last audit."""
        with OwnFarm(self.folder, NAME) as self._farm, self._disk():
            self._clock = self.folder / "clock"
            wrong_by(self._clock, 0)
            ready = self._start(0)
            self._url, self._port = str(ready["url"]), int(str(ready["url"]).rpartition(":")[2])
            self._clients = [self._register("admin", str(ready["setup_code"]))]
            try:
                asyncio.run(self._run())
            finally:
                for client in self._clients:
                    client.close()
            self._farm.stop()
            self._audit()

    @property
    def disk(self) -> Path:
        """The server's folder."""
        return self.folder / "server"

    async def kill_server(self, seconds: float) -> None:
        """Kill the server; start it again after a while."""
        await asyncio.to_thread(self._farm.kill, "server")
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._start, self._port)

    def set_clock(self, us: int) -> None:
        """Set the server's clock wrong."""
        wrong_by(self._clock, us)

    def cut(self, *, there: bool, back: bool) -> None:
        """Cut half of the slaves off."""
        self._cables[0].there, self._cables[0].back = there, back

    def _start(self, port: int) -> dict[str, object]:
        beat, log = self.scenario.heartbeat, "warning"
        return self._farm.start_server(
            port, self._clock, heartbeat_seconds=beat, free_space=0, announce=False, log_level=log
        )

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Mount the disk that is to be full, if one is, and this is allowed here."""
        mounted = False
        for name in self.scenario.faults:
            why = FAULTS[name].hinders()
            if name == "disk-full" and not why:
                self.disk.mkdir()
                why = faults.small_disk(self.disk)
                mounted = not why
            if why:
                self.skipped.append(f"{name}: not done here. {why}")
                self.say(self.skipped[-1])
        try:
            yield
        finally:
            if mounted:
                self._farm.stop()
                faults.unmount(self.disk)

    def _register(self, name: str, invite: str) -> FarmClient:
        wish = Register(name=name, passphrase=SecretStr(secrets.token_urlsafe(9)), invite=invite, device=NAME)
        with FarmClient(self._url) as guest:
            return FarmClient(self._url, guest.register(wish).token)

    async def _run(self) -> None:
        self._began = time.monotonic()
        self._cables = [Cable(), Cable()]
        keys = await asyncio.to_thread(self._people)
        manner, whole = self.scenario.manner, 3600 + self.scenario.waves * self.scenario.patience
        self.say(f"{len(keys)} pretend slaves log in.")
        won = self.witness.accepted
        slaves = crowd(self._url, keys, manner, whole, seed=self.scenario.seed, cables=self._cables, won=won)
        async with slaves, self._watched():
            for wave in range(self.scenario.waves):
                await self._wave(wave)
        self.took = time.monotonic() - self._began

    def _people(self) -> list[SlaveKeyMade]:
        """Register the users, and make their slaves' keys."""
        admin = self._clients[0]
        for number in range(1, self.scenario.users):
            self._clients.append(self._register(f"user{number}", admin.make_invite(MakeInvite()).code))
        users = self._clients
        return [users[n % len(users)].make_slave_key(f"pretend{n:05}") for n in range(self.scenario.slaves)]

    async def _wave(self, wave: int) -> None:
        """Send all jobs of a wave, let its faults happen, and wait until all have ended."""
        dice = Random(f"{self.scenario.seed}/{wave}")
        self.say(f"Wave {wave + 1}: {self.scenario.users * self.scenario.jobs} jobs.")
        jobs: dict[int, FarmClient] = {}
        for client in self._clients:
            for number in range(self.scenario.jobs):
                jobs[await self._sent(client, f"wave{wave}-{number}", dice.randrange(100))] = client
        possible = [name for name in self.scenario.faults if not any(s.startswith(f"{name}:") for s in self.skipped)]
        mine = possible[wave :: self.scenario.waves]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._faults(mine))
            group.create_task(self._ended(jobs))

    async def _sent(self, client: FarmClient, key: str, priority: int) -> int:
        """Send a job; a server that is busy or away gets it later, and makes it once."""
        frames, method = f"1-{self.scenario.frames}", Requirement(method="sleep")
        wish = Submission(name="simulated", key=key, requires=method, frames=frames, priority=priority)
        while True:
            with contextlib.suppress(Unavailable, Unreachable):
                job = (await asyncio.to_thread(client.submit, wish)).job
                if job not in self.witness.wanted:
                    self.witness.sent(job, self.scenario.frames)
                await asyncio.to_thread(client.queue, job)
                return job
            await asyncio.sleep(1)

    async def _faults(self, names: list[str]) -> None:
        for name in names:
            await asyncio.sleep(2)
            self.happened.append((time.monotonic() - self._began, name))
            self.say(f"{name}: {FAULTS[name].what}.")
            await FAULTS[name].act(self)

    async def _ended(self, jobs: dict[int, FarmClient]) -> None:
        """Wait until all jobs have ended; what failed is rendered again, as a person would have it."""
        left, until = dict(jobs), time.monotonic() + self.scenario.patience
        while left and time.monotonic() < until:
            for job, client in list(left.items()):
                if await asyncio.to_thread(self._look, client, job):
                    del left[job]
            self.progress(self.witness.rendered)
            await asyncio.sleep(LOOK)
        patience = round(self.scenario.patience)
        self.witness.complain(*(f"Job {job} has not ended after {patience} s." for job in left))

    def _look(self, client: FarmClient, job: int) -> bool:
        """Tell whether a job is done; a server that is away is asked later."""
        with contextlib.suppress(Unavailable, Unreachable):
            state = client.job(job).state
            if state is JobState.FAILED:
                client.command(job, "retry")
            if state is JobState.DONE:
                self.witness.home(job, _pictures(client, job))
                return True
        return False

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    async def _watch(self) -> None:
        """Take samples, and audit now and then."""
        audited = time.monotonic()
        while True:
            await asyncio.sleep(1)
            self._sample()
            if time.monotonic() - audited > AUDITS:
                with contextlib.suppress(DistrenError):  # the disk is full, or the server is just starting
                    await asyncio.to_thread(self._audit)
                audited = time.monotonic()

    def _sample(self) -> None:
        with contextlib.suppress(psutil.Error, StopIteration):
            memory = psutil.Process(self._farm.process("server")).memory_info().rss
            self.samples.append(
                Sample(
                    time.monotonic() - self._began,
                    self.witness.rendered,
                    memory,
                    bytes_of(self.disk / "distren.sqlite3"),
                )
            )

    def _audit(self) -> None:
        self.witness.complain(*contradictions(load(ServerSettings, None, data=self.disk)))
        self.audits += 1


def _pictures(client: FarmClient, job: int) -> int:
    """Return how many pictures a job has; two of one name, or of one content, count once."""
    names, hashes, after = set(), set(), None
    while True:
        page = client.output(job, limit=1000, after=after)
        names |= {file.name for file in page.files}
        hashes |= {file.sha256 for file in page.files}
        after = page.next
        if after is None:
            return min(len(names), len(hashes))
