"""Pretend slaves at a server, over real HTTP: load, faults, and what must be true all the while."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import OutputFile, Requirement, Submission
from farm.simulator.crowd import crowd
from farm.simulator.faults import FAULTS
from farm.simulator.fetched import Fetched
from farm.simulator.manner import Manner
from farm.simulator.site import Site
from farm.simulator.witness import Witness
from farm.words.errors import DistrenError, Malformed, Unavailable, Unreachable
from farm.words.states import JobState

LOOK = 0.5
"""Seconds between two looks at the jobs."""

LONGEST = 30 * 24 * 3600.0
"""Seconds that a run may take."""

AUDITS = 5.0
"""Seconds between two audits while it runs."""


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
        patience: seconds without a frame, after which a job that has not ended is one that never does.
        seed: of chance.
    """

    slaves: int = 100
    users: int = 5
    jobs: int = 2
    frames: int = 50
    waves: int = 2
    manner: Manner = field(default_factory=lambda: Manner(seconds=1, spread=0.3, speeds=0.5, failures=0.02))
    faults: tuple[str, ...] = ()
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
        site: where.
        progress: is told how many frames are done.
        say: is told what happens, one sentence each.
    """

    scenario: Scenario
    site: Site
    progress: Callable[[int], None] = lambda _done: None
    say: Callable[[str], None] = lambda _sentence: None
    witness: Witness = field(default_factory=Witness)
    samples: list[Sample] = field(default_factory=list)
    happened: list[tuple[float, str]] = field(default_factory=list)
    audits: int = 0
    took: float = 0.0

    def __post_init__(self) -> None:
        self.fetched = Fetched(self.witness, self.scenario.seed)
        self._name = secrets.token_hex(4)

    def run(self) -> None:
        """Run, from the opening of the site to the last audit."""
        with self.site.opened():
            asyncio.run(self._run())
            self._audited(self.site.audit_at_end)

    async def _run(self) -> None:
        self._clients = await asyncio.to_thread(self.site.people, self.scenario.users)
        keys = await asyncio.to_thread(self.site.slaves, self.scenario.slaves)
        self.say(f"{len(keys)} pretend slaves log in.")
        slaves = crowd(
            self.site.url,
            keys,
            self.scenario.manner,
            LONGEST,
            seed=self.scenario.seed,
            cables=self.site.cables,
            watcher=self.witness,
            verify=self.site.verify,
        )
        async with slaves:
            self._began = time.monotonic()
            async with self._watched():
                for wave in range(self.scenario.waves):
                    await self._wave(wave)
        self.took = time.monotonic() - self._began
        self.say("What came out is fetched, and compared with what was sent.")
        await self.fetched.compare()

    async def _wave(self, wave: int) -> None:
        """Send all jobs of a wave, let its faults happen, and wait until all have ended."""
        dice = Random(f"{self.scenario.seed}/{wave}")
        self.say(f"Wave {wave + 1}: {self.scenario.users * self.scenario.jobs} jobs.")
        jobs: dict[int, FarmClient] = {}
        for client in self._clients:
            for number in range(self.scenario.jobs):
                jobs[await self._sent(client, f"{self._name}-{wave}-{number}", dice.randrange(100))] = client
        possible = [name for name in self.scenario.faults if name not in self.site.undone]
        mine = possible[wave :: self.scenario.waves]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._faults(mine))
            group.create_task(self._ended(jobs))

    async def _sent(self, client: FarmClient, key: str, priority: int) -> int:
        """Send a job; a server that is busy or away gets it later, and makes it once."""
        frames, method = f"1-{self.scenario.frames}", Requirement(method="sleep", pool=self.site.pool)
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
            await FAULTS[name].act(self.site)

    async def _ended(self, jobs: dict[int, FarmClient]) -> None:
        """Wait until all jobs have ended; what failed is rendered again, as a person would have it."""
        left, patience = dict(jobs), self.scenario.patience
        rendered, until = -1, 0.0
        while left:
            if self.witness.rendered != rendered:
                rendered, until = self.witness.rendered, time.monotonic() + patience
            elif time.monotonic() > until:
                break
            for job, client in list(left.items()):
                files = await asyncio.to_thread(_result, client, job)
                if files is not None:
                    self._home(client, job, files)  # here: the witness hears slaves in this thread
                    del left[job]
            self.progress(self.witness.rendered)
            await asyncio.sleep(LOOK)
        quiet = f"and nothing was rendered for {patience:g} s"
        self.witness.complain(*(f"Job {job} has not ended, {quiet}." for job in left))

    def _home(self, client: FarmClient, job: int, files: Sequence[OutputFile]) -> None:
        """Compare a job that is done with what slaves sent, and note what is to be fetched of it."""
        for file in files:
            self.witness.came_out(job, file.frame, file.sha256)
        self.fetched.note(client, job, files)
        # Two of one name, or of one content, count once.
        self.witness.home(job, min(len({file.name for file in files}), len({file.sha256 for file in files})))

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
                    await asyncio.to_thread(self._audited, self.site.audit)
                audited = time.monotonic()

    def _sample(self) -> None:
        self.samples.append(Sample(time.monotonic() - self._began, self.witness.rendered, *self.site.size()))

    def _audited(self, audit: Callable[[], list[str] | None]) -> None:
        found = audit()
        if found is not None:
            self.witness.complain(*found)
            self.audits += 1


def _result(client: FarmClient, job: int) -> list[OutputFile] | None:
    """Return the files of a job that is done; None: it is not, or the server is away. One that failed goes on."""
    with contextlib.suppress(Unavailable, Unreachable):
        state = client.job(job).state
        if state is JobState.FAILED:
            client.command(job, "retry")
        if state is JobState.DONE:
            return list(_output(client, job))
    return None


def _output(client: FarmClient, job: int) -> Iterator[OutputFile]:
    """Yield all files of a job."""
    after = None
    while True:
        page = client.output(job, limit=1000, after=after)
        yield from page.files
        after = page.next
        if after is None:
            return
