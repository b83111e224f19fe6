"""A farm in which everything happens at random, on two processes: what must be true stays true, and jobs end."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy

import pytest

from farm.database.handle import Database
from farm.protocol.slaves import Offer
from farm.scheduler import escrow
from farm.scheduler.jobstate import Growth
from farm.words.errors import Conflict, NotFound
from farm.words.ranges import FrameRange
from farm.words.states import FailureClass, PauseReason, SlaveState
from tests.scheduler.world import BLENDER, Agent, World, frames_of

STEPS = 250
ENDED = {"done", "failed", "canceled", "deleted"}


class Chaos:
    """Random acts of people, slaves and the network."""

    def __init__(self, world: World, other: Database, seed: int) -> None:
        self.world = world
        self.databases = [world.database, other]
        self.dice = random.Random(seed)
        self.owners = [world.owner, world.user("ben")]
        self.jobs: list[int] = []
        self.agents = [
            world.slave(f"ws{n}", slots=1 + n % 3, owner=self.owners[n % 2], cores=4, powers='{"blender":900}')
            for n in range(5)
        ]
        self.old = world.slave("old", offer=Offer(method="blender", version="3.4.1", engines=["CYCLES"]))
        self.done_once: set[tuple[int, int]] = set()

    def step(self) -> None:
        self.world.database = self.dice.choice(self.databases)
        self.world.pass_time(self.dice.choice([0.01, 0.1, 1, 3]))
        acts = [self.speak] * 14 + [self.people] * 2 + [self.submit, self.nature]
        self.dice.choice(acts)()

    def submit(self) -> None:
        if len(self.jobs) < 6:
            text = self.dice.choice(["1", "1-3", "1-30", "5-60x5", "1-9,20"])
            more = {"approval": self.dice.random() < 0.3, "priority": self.dice.randrange(100)}
            more["max_slaves"] = self.dice.choice([None, None, 1, 2])
            more["waits"] = self.waits(FrameRange.parse(text))
            self.jobs.append(self.world.job(text, owner=self.dice.choice(self.owners), **more))

    def waits(self, whole: FrameRange) -> list[tuple[str, int, str, bool]]:
        """Let frames wait for others of their job, or of another that there was."""
        numbers, found = list(whole), list[tuple[str, int, str, bool]]()
        if len(numbers) > 1 and self.dice.random() < 0.3:
            found.append((str(FrameRange.of(numbers[1:])), 0, str(FrameRange.of(numbers[:-1])), True))
        if len(numbers) > 1 and self.dice.random() < 0.3:
            found.append((str(numbers[-1]), 0, str(FrameRange.of(numbers[:-1])), False))
        others = [job for job in self.jobs if self.world.state(job) != "deleted"]
        if others and self.dice.random() < 0.5:
            other = self.dice.choice(others)
            theirs = FrameRange.parse(self.world.job_row(other).frames)
            both = str(whole.common(theirs)) if self.dice.random() < 0.5 else ""
            found.append((both, other, both, True) if both else (str(whole), other, str(theirs), False))
        return found

    def speak(self) -> None:
        """Let a slave report what became of some of its attempts."""
        agent = self.present(self.dice.choice([*self.agents, self.old]))
        mine = list(agent.holding)
        self.dice.shuffle(mine)
        done, failed, returned, forget = (mine[at::6] for at in range(4))
        if self.dice.random() < 0.5:
            done, failed, returned, forget = mine, [], [], []
        orders = self.world.report(
            agent,
            want=self.dice.randrange(4),
            done=done,
            seconds=self.dice.choice([0.1, 2, 20]),
            cpu=self.dice.choice([0, 0.4, 8, 1e6]),
            failed={a: self.dice.choice(list(FailureClass)) for a in failed if a not in done},
            returned=[a for a in returned if a not in done],
            forget=[a for a in forget if a not in done],
            running={a: self.dice.choice([0.5, 30, 300]) for a in mine[4::6] if a not in done},
            stage=self.dice.random() < 0.95,
            arrives=self.dice.random() < 0.9,
            heard=self.dice.choice([agent.heard, None]),
        )
        for frame in frames_of(orders):
            assert frame.attempt not in mine

    def present(self, agent: Agent) -> Agent:
        """Let a slave log in again that has logged out."""
        if agent.out:
            self.world.log_in(agent, agent.id % 3 + 1, BLENDER)
        return agent

    def people(self) -> None:
        if not self.jobs:
            return
        job = self.dice.choice(self.jobs)
        some = FrameRange.of(self.dice.sample(range(1, 40), 4))
        acts: list[tuple[str, tuple[object, ...]]] = [
            ("pause", (PauseReason.USER,)),
            ("resume", ()),
            ("approve", ()),
            ("retry", (None,)),
            ("retry", (some,)),
            ("add_frames", ([Growth(some)],)),
            *([("cancel", ()), ("delete", ())] if self.dice.random() < 0.2 else []),
        ]
        if self.dice.random() < 0.2:
            self.boost(job)
        verb, more = self.dice.choice(acts)
        with suppress(Conflict, NotFound):
            self.world.act(verb, job, *more)

    def boost(self, job: int) -> None:
        milli, boost = self.dice.choice([0, 1, 50, 2000, 10**9]), self.dice.randrange(1, 16)
        with suppress(Conflict, NotFound):
            self.world.database.write_now(lambda c: escrow.put(c, job, milli, boost, self.world.at))

    def nature(self) -> None:
        agent = self.dice.choice(self.agents)
        self.dice.choice([self.world.sweep, self.silence, lambda: self.come_and_go(agent)])()

    def silence(self) -> None:
        self.world.pass_time(self.dice.choice([16, 130]))
        self.world.sweep()

    def come_and_go(self, agent: Agent) -> None:
        verb = self.dice.choice(["log_in", "log_out", "pause", "resume"])
        with suppress(Conflict):
            self.world.log_in(agent, agent.id % 3 + 1, BLENDER) if verb == "log_in" else self.world.steer(verb, agent)

    def finish(self) -> None:
        """Let people and machines be good, until all jobs have ended."""
        for agent in self.agents:
            if self.world.slave_state(agent) in {SlaveState.PAUSED, SlaveState.SICK}:
                self.world.steer("resume", agent)
        for _ in range(400):
            self.world.pass_time(5)
            self.world.sweep()
            for job in self.jobs:
                with suppress(Conflict, NotFound):
                    self.world.act("resume", job)
            for agent in map(self.present, self.agents):
                self.world.report(agent, want=2, done=list(agent.holding))
            if {self.world.state(job) for job in self.jobs} <= ENDED:
                return
        raise AssertionError(
            {job: (self.world.state(job), self.world.counts(job), self.world.why(job)) for job in self.jobs}
        )


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """A second process on the same database."""
    opened = Database.open(database.url)
    yield opened
    opened.close()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_farm_stays_sound_and_every_job_ends(world: World, other: Database, seed: int) -> None:
    chaos = Chaos(world, other, seed)
    for number in range(STEPS):
        chaos.step()
        if number % 10 == 0:
            assert world.faults() == [], f"after step {number} of seed {seed}"
    chaos.finish()
    assert world.faults() == []


def rush(chaos: Chaos, agent: Agent, seed: int) -> None:
    """Report again and again, as fast as it goes, so that many reports share a transaction."""
    dice = random.Random(seed)
    for _ in range(40):
        mine = list(agent.holding)
        bad = [a for a in mine if dice.random() < 0.1]
        given = [a for a in mine if a not in bad and dice.random() < 0.1]
        good = [a for a in mine if a not in {*bad, *given}]
        faults = {a: dice.choice(list(FailureClass)) for a in bad}
        chaos.world.report(agent, want=2, done=good, failed=faults, returned=given, seconds=dice.choice([0.5, 8]))


@pytest.mark.parametrize("seed", range(2))
def test_many_slaves_at_once_share_transactions_and_nothing_counts_twice(
    world: World, other: Database, seed: int
) -> None:
    chaos = Chaos(world, other, seed)
    chaos.jobs = [world.job("1-150"), world.job("1-40", max_slaves=2), world.job("1-90", owner=chaos.owners[1])]
    first, tiled, all_ = chaos.jobs
    chaos.jobs += [world.job("1-90", waits=[("1-90", first, "1-90", True), ("90", all_, "1-90", False)])]
    chaos.jobs += [world.job("1-11", waits=[("1-10", tiled, "1-40", True), ("11", 0, "1-10", False)])]
    elsewhere = Chaos.__new__(Chaos)
    elsewhere.world = copy(world)
    elsewhere.world.database = other
    chaos.agents += [world.slave(f"more{n}") for n in range(7)]
    with ThreadPoolExecutor(len(chaos.agents) + 1) as pool:
        rushes = [
            pool.submit(rush, elsewhere if n % 4 == 0 else chaos, agent, seed * 100 + n)
            for n, agent in enumerate(chaos.agents)
        ]
        while not all(future.done() for future in rushes):
            chaos.people()
            time.sleep(0.05)
        for future in rushes:
            future.result()
    assert world.faults() == []
    chaos.finish()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 200))
def test_the_farm_stays_sound_for_long(world: World, other: Database, seed: int) -> None:
    chaos = Chaos(world, other, seed)
    for number in range(STEPS * 8):
        chaos.step()
        if number % 25 == 0:
            assert world.faults() == [], f"after step {number} of seed {seed}"
    chaos.finish()
    assert world.faults() == []
