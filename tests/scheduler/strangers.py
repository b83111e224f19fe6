"""Anna's jobs among strangers, eve's slave that is checked, and those who check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, update

from farm.accounts import ledger, lending
from farm.database.handle import Database
from farm.database.schema import jobs, spot_checks, users
from farm.jobs import convictions, spotchecks
from farm.protocol.slaves import Offer
from farm.protocol.terms import Terms
from farm.scheduler.checkrules import (
    Picture,
)
from farm.scheduler.policy import Policy
from tests.scheduler.world import BLENDER, Agent, World, frames_of

CARDS = Offer(method="blender", version="4.5.2", engines=["CYCLES"], devices=["CUDA A"])


def built(build: str) -> Offer:
    """Return a Blender of some build."""
    return BLENDER.model_copy(update={"build": build})


class Strangers:
    """Anna's jobs, eve's slave that is checked, and slaves of an admin's and of others."""

    def __init__(self, database: Database) -> None:
        self.world = World(database, Policy(strangers=True))
        self.admin = self.world.user("root")
        self.eve = self.world.user("eve")
        database.write_now(lambda c: c.execute(update(users).where(users.c.id == self.admin).values(role="admin")))
        self.checked = self.slave("evil", self.eve)
        self.checkers: list[Agent] = []

    def slave(self, name: str, owner: int, card: str = "CPU x") -> Agent:
        return self.world.slave(name, contained=True, owner=owner, devices=[card])

    def checker(self, name: str, owner: int | None = None, card: str = "CPU x", build: str = "") -> Agent:
        agent = self.world.slave(name, contained=True, owner=owner or self.admin)
        self.world.log_in(agent, contained=True, devices=[card], offer=built(build))
        self.checkers.append(agent)
        return agent

    def rendered(self, text: str, **values: Any) -> int:
        """Let anna have a job, and eve's slave render it."""
        job = self.world.job(text, **values)
        self.world.pass_time(1)
        while got := frames_of(self.world.report(self.checked, want=1)):
            self.world.pass_time(1)
            self.world.report(self.checked, done=[f.attempt for f in got], cpu=1, seconds=1)
        return job

    def check(
        self, draws: dict[str, str], pixels: str = "false", grains: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Go on with checks, with what each slave draws, until nothing is left to do; `grains`: of which pixels."""
        for _ in range(40):
            self.write(lambda c: spotchecks.reconsider(c, self.world.at))
            self.write(lambda c: spotchecks.begin(c, self.world.at))
            for agent in self.checkers:
                self.world.render(agent)
            ended = self.world.database.read_now(spotchecks._ended)
            for one in ended:
                name = next((a.name for a in self.checkers if a.id == one.slave), "")
                both = [Picture(one, grain=grains.get(one, "")) for one in (pixels, draws.get(name, ""))]
                self.write(lambda c, o=one, b=both: spotchecks.settle(c, o, *b, self.world.at))
            if not ended:
                return

    def convict(self) -> None:
        while self.world.database.read_now(convictions.due):
            self.write(lambda c: convictions.go_on(c, self.world.at))

    def write(self, act: Any) -> None:
        self.world.database.write_now(lambda c: act(c) and None)

    def states(self) -> list[str]:
        query = select(spot_checks.c.state).order_by(spot_checks.c.attempt)
        return list(self.world.database.read_now(lambda c: c.execute(query).scalars().all()))

    def milli(self) -> int:
        return self.world.database.read_now(lambda c: ledger.stored(c, self.eve)).milli


def lend(strangers: Strangers, agent: Agent, **terms: object) -> None:
    strangers.write(lambda c: lending.say(c, agent.id, Terms.model_validate(terms), strangers.world.at))


def begun(strangers: Strangers) -> list[str]:
    """Go on with checks; return the slaves that the one that is rendered names."""
    strangers.write(lambda c: spotchecks.withdraw(c, strangers.world.at))
    strangers.write(lambda c: spotchecks.begin(c, strangers.world.at))
    query = select(jobs.c.slaves).join(spot_checks, spot_checks.c.work == jobs.c.number)
    texts = strangers.world.database.read_now(lambda c: c.execute(query).scalars().all())
    return sorted(name for text in texts for name in json.loads(text))
