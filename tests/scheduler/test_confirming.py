"""Whose slaves confirm what a slave was measured at: pretended slaves, real databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from farm.accounts.formula import REFERENCE
from farm.database.schema import attempts, ratings, slaves, users
from farm.jobs.benchmarks import Benchmark, Subject, begin, drawn, subject
from farm.jobs.ratings import finish
from farm.protocol.points import Cause
from farm.protocol.slaves import Offer
from farm.words.ranges import FrameRange
from tests.scheduler.world import Agent, World, frames_of

OFFER = Offer(method="blender", version="4.5.2", engines=["CYCLES"])
STRONG = 6
"""CPU-seconds that make a slave seem stronger than the reference."""


class Measuring:
    """A farm where each slave's owner is a person of their own; `strangers`: as with the profile `open`."""

    def __init__(self, world: World, *, strangers: bool) -> None:
        self.world, self.strangers = world, strangers

    def slave(self, name: str, role: str = "user") -> Agent:
        owner = self.world.user(name)
        self.world.database.write_now(lambda c: c.execute(update(users).where(users.c.id == owner).values(role=role)))
        return self.world.slave(name, offer=OFFER, owner=owner)

    def measure(self, agent: Agent, drawn: dict[int, str]) -> None:
        """Let a slave be measured by frames, of which it draws these pixels; each a letter."""
        world, mine = self.world, slaves.c.id == agent.id
        owner = world.database.read_now(lambda c: c.execute(select(slaves.c.owner).where(mine)).scalar_one())
        job = world.job(",".join(map(str, drawn)), owner=owner)
        bench = Benchmark(self.subject(agent), "blender", FrameRange.of(drawn), Cause.ASKED)
        world.database.write_now(lambda c: begin(c, job, bench, world.at))
        while got := frames_of(world.report(agent, want=1)):
            world.pass_time(1)
            world.report(agent, done=[frame.attempt for frame in got], cpu=STRONG)
            for frame in got:
                pixels = bytes.fromhex(drawn[frame.number] * 64)
                change = update(attempts).where(attempts.c.id == frame.attempt).values(pixels=pixels)
                world.database.write_now(lambda c, change=change: c.execute(change))  # type: ignore[misc]
        assert world.database.write_now(lambda c: finish(c, world.at, strangers=self.strangers)) == 1

    def subject(self, agent: Agent) -> Subject:
        return self.world.database.read_now(lambda c: subject(c, agent.id))

    def provisional(self, agent: Agent) -> bool:
        return bool(self._last(agent, ratings.c.provisional))

    def _last(self, agent: Agent, column: Any) -> Any:
        query = select(column).where(ratings.c.slave == agent.id).order_by(ratings.c.job.desc()).limit(1)
        return self.world.database.read_now(lambda c: c.execute(query).scalar_one())

    def counts(self, agent: Agent) -> str:
        query = select(slaves.c.powers).where(slaves.c.id == agent.id)
        return str(self.world.database.read_now(lambda c: c.execute(query).scalar_one()))


@pytest.mark.parametrize("strangers", [False, True])
def test_two_users_slaves_confirm_each_other_in_a_studio_but_not_among_strangers(
    world: World, *, strangers: bool
) -> None:
    farm = Measuring(world, strangers=strangers)
    one, two = farm.slave("one"), farm.slave("two")
    farm.measure(one, {1: "a", 2: "a", 3: "a"})
    farm.measure(two, {1: "a", 4: "a", 5: "a"})
    assert (farm.provisional(one), farm.provisional(two)) == (strangers, strangers)
    assert (farm.counts(two) == f'{{"blender": {REFERENCE}}}') is strangers


def test_among_strangers_an_admins_slave_confirms_whoever_was_measured_before_or_after_it(world: World) -> None:
    farm = Measuring(world, strangers=True)
    before, root, after = farm.slave("before"), farm.slave("root", "admin"), farm.slave("after")
    farm.measure(before, {1: "a", 2: "a", 3: "a"})
    farm.measure(root, {1: "a", 6: "a", 7: "a"})
    farm.measure(after, {6: "a", 8: "a", 9: "a"})
    assert [farm.provisional(agent) for agent in (before, root, after)] == [False, False, False]


def test_what_an_admins_slave_has_confirmed_confirms_nobody_else_among_strangers(world: World) -> None:
    farm = Measuring(world, strangers=True)
    root, one, two = farm.slave("root", "admin"), farm.slave("one"), farm.slave("two")
    farm.measure(root, {1: "a", 2: "a", 3: "a"})
    farm.measure(one, {1: "a", 4: "f", 5: "f"})
    farm.measure(two, {4: "f", 5: "f", 6: "f"})
    assert [farm.provisional(agent) for agent in (root, one, two)] == [False, False, True]


def test_among_strangers_one_frame_of_a_benchmark_is_an_admins_slaves(world: World) -> None:
    farm = Measuring(world, strangers=True)
    root, other, new = farm.slave("root", "admin"), farm.slave("other"), farm.slave("new")
    farm.measure(root, {1: "a", 2: "a", 3: "a"})
    world.pass_time(60)
    farm.measure(other, {4: "a", 5: "a", 6: "a"})
    whom = farm.subject(new)
    frames = world.database.read_now(lambda c: drawn(c, whom, "blender", strangers=True))
    assert {1, 2, 3} & set(frames)
