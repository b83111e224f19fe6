"""Slaves that are measured by themselves while they idle: pretended slaves, real databases."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from farm.accounts.measured import measured_now
from farm.api.jobs.parts import methods
from farm.database.schema import jobs, notices, ratings, shares, slaves, subscriptions, users
from farm.files.disk import DiskStore
from farm.jobs import measuring
from farm.jobs.benchmarks import FRAMES, Place
from farm.jobs.measuring import Watch
from farm.jobs.ratings import MOST, finish
from farm.jobs.rules import Rules
from farm.protocol.errands import Load
from farm.protocol.slaves import Offer
from farm.scheduler.samples import note
from farm.words.clock import SECOND
from farm.words.states import SlaveState
from tests.scheduler.world import Agent, World, frames_of, numbers_of

BLENDER = Offer(method="blender", version="4.5.2", engines=["CYCLES"])
FAKES = [f"{way} fake {card}" for way in ("OPTIX", "CUDA") for card in "AB"]
CARDS = Offer(method="blender", version="4.5.2", engines=["CYCLES"], devices=FAKES)
DAY = 86_400

one_kind = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What these say is no matter of the database; the others ask both."""


class Farm:
    """A world whose server looks for slaves to measure, as its periodic work does."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.watch = world, Watch()
        self.place = Place(world.database, DiskStore(folder / "blobs"), methods(), Rules(), "home", strangers=False)
        self.write(update(users).values(quota=10**9))

    def write(self, statement: Any) -> None:
        self.world.database.write_now(lambda c: c.execute(statement) and None)

    def all(self, query: Any) -> list[Any]:
        return list(self.world.database.read_now(lambda c: c.execute(query).all()))

    def slave(self, name: str, offer: Offer = BLENDER, slots: int = 1, **more: Any) -> Agent:
        agent = self.world.slave(name, slots, offer, **more)
        self.log_in(agent, offer, slots)
        return agent

    def log_in(self, agent: Agent, offer: Offer = BLENDER, slots: int = 1) -> None:
        self.world.log_in(agent, slots, offer, benchmark=True)

    def idle(self, seconds: float) -> None:
        """Let time pass in which the server looks now and then."""
        self.look()
        self.world.pass_time(seconds)
        self.look()

    def look(self) -> None:
        asyncio.run(measuring.work(self.place, self.watch, self.world.at))

    def give_way(self) -> None:
        asyncio.run(measuring.give_way(self.place, self.watch, self.world.at))

    def finish(self) -> int:
        world = self.world
        return int(world.database.write_now(partial(finish, at=world.at, strangers=False)))

    def busy(self, agent: Agent, part: float, ago: int = 0) -> None:
        """Let a slave have said how busy its machine was, some seconds ago."""
        load, at = Load(cpu=part, memory_used=1, disk_bytes=1, disk_free=1, cache_bytes=1), self.world.at - ago * SECOND
        self.world.database.write_now(lambda c: note(c, agent.id, load, at))

    def open(self) -> list[Any]:
        """Return the benchmarks under way."""
        query = select(ratings, jobs.c.rush, jobs.c.state).join(jobs, jobs.c.number == ratings.c.job)
        return self.all(query.where(ratings.c.over.is_(False)))

    def draw(self, agent: Agent, cpu: float = 10, seconds: float = 10, cards: int = 0) -> int:
        """Let a slave render whatever it gets; return how many frames."""
        count = 0
        while got := frames_of(self.world.report(agent, want=1, cards=cards)):
            self.world.pass_time(seconds)
            self.world.report(agent, done=[frame.attempt for frame in got], cpu=cpu, seconds=seconds)
            count += len(got)
        return count

    def rated(self, agent: Agent, method: str = "blender") -> Any:
        query = select(ratings).where(ratings.c.slave == agent.id, ratings.c.method == method)
        return self.all(query.order_by(ratings.c.at.desc()))[0]

    def measure(self, agent: Agent, cpu: float = 10, **more: Any) -> Any:
        """Let a slave idle until it is measured; return its rating."""
        self.idle(61)
        (begun,) = self.open()
        assert self.draw(agent, cpu, **more)
        assert self.finish() == 1
        return self.rated(agent, begun.method)


@pytest.fixture
def farm(world: World, tmp_path: Path) -> Farm:
    return Farm(world, tmp_path)


def test_a_slave_is_measured_when_it_has_idled_for_a_minute_and_only_if_it_lets_itself_be(farm: Farm) -> None:
    willing = farm.slave("willing")
    farm.world.slave("unwilling")
    farm.idle(59)
    assert farm.open() == []
    farm.world.pass_time(2)
    farm.look()
    (begun,) = farm.open()
    assert (begun.slave, begun.method, begun.cause, begun.rush) == (willing.id, "blender", "first", -1)
    assert farm.draw(willing) == FRAMES
    farm.finish()
    rating = farm.rated(willing)
    assert (rating.over, rating.power, rating.provisional) == (True, 2783, True)
    assert json.loads(farm.world.slave_row(willing).powers) == {"blender": 1000}
    assert farm.world.job_row(rating.job).state == "deleted"
    farm.idle(3600)
    assert farm.open() == []


@one_kind
def test_frames_of_a_job_begin_the_minute_anew(farm: Farm) -> None:
    agent = farm.slave("ws1")
    farm.look()
    farm.world.pass_time(50)
    farm.world.job("1")
    assert farm.draw(agent, cpu=1, seconds=1) == 1
    farm.look()
    farm.world.pass_time(50)
    farm.look()
    assert farm.open() == []


@one_kind
def test_a_slave_whose_machine_is_busy_with_something_else_is_measured_later(farm: Farm) -> None:
    agent = farm.slave("ws1")
    for busy, begun in ((0.9, 0), (0.1, 1)):
        farm.busy(agent, busy)
        farm.idle(61)
        assert len(farm.open()) == begun
        farm.world.pass_time(400)
        farm.look()


@one_kind
def test_it_is_measured_again_after_30_days_and_with_another_renderer(farm: Farm) -> None:
    agent = farm.slave("ws1")
    farm.measure(agent)
    farm.world.pass_time(29 * DAY)
    farm.idle(61)
    assert farm.open() == []
    farm.world.pass_time(DAY)
    assert farm.measure(agent).cause == "age"
    farm.log_in(agent, BLENDER.model_copy(update={"version": "5.1.0"}))
    farm.world.pass_time(600)
    assert farm.measure(agent).cause == "changed"


@one_kind
def test_a_benchmark_that_failed_is_tried_again_after_a_day(farm: Farm) -> None:
    agent = farm.slave("ws1")
    farm.idle(61)
    farm.world.act("cancel", farm.open()[0].job)
    assert farm.finish() == 1
    assert farm.rated(agent).power is None
    farm.idle(3600)
    assert farm.open() == []
    farm.idle(DAY)
    assert farm.open()[0].cause == "again"


@one_kind
def test_what_other_programs_disturbed_is_measured_again_after_a_day(farm: Farm) -> None:
    agent = farm.slave("ws1")
    farm.idle(61)
    farm.world.pass_time(1)
    assert farm.draw(agent, cpu=6, seconds=30) == FRAMES
    farm.busy(agent, 0.9, ago=1)
    assert farm.finish() == 1
    assert (farm.rated(agent).over, farm.rated(agent).power) == (True, None)
    farm.world.pass_time(DAY)
    farm.idle(61)
    assert farm.draw(agent, cpu=16, seconds=30) == FRAMES
    farm.busy(agent, 0.9, ago=1)
    assert farm.finish() == 1
    assert farm.rated(agent).power is not None


@one_kind
def test_it_does_not_begin_while_frames_wait_that_the_slave_could_render(farm: Farm) -> None:
    farm.slave("ws1")
    job = farm.world.job("1-2")
    farm.idle(61)
    assert farm.open() == []
    farm.world.act("cancel", job)
    farm.world.pass_time(600)
    farm.look()
    assert len(farm.open()) == 1


def test_work_that_comes_meanwhile_goes_first_and_the_benchmark_begins_anew_when_the_slave_idles(farm: Farm) -> None:
    agent, world = farm.slave("ws1"), farm.world
    farm.idle(61)
    (begun,) = farm.open()
    (frame,) = frames_of(world.report(agent, want=1))
    farm.give_way()
    assert farm.open()
    job = world.job("1")
    farm.give_way()
    assert farm.open() == []
    orders = world.report(agent, running={frame.attempt: 5.0}, want=1)
    assert orders.revoked == [frame.attempt]
    assert [lease.job for lease in orders.leases] == [job]
    assert world.job_row(begun.job).state == "deleted"
    assert farm.draw(agent, cpu=1, seconds=1) == 0
    world.report(agent, done=list(agent.holding))
    assert farm.measure(agent).cause == "first"


@one_kind
def test_a_slave_with_several_slots_renders_no_frame_of_a_benchmark_beside_others(farm: Farm) -> None:
    agent, world = farm.slave("ws1", slots=2), farm.world
    farm.idle(61)
    (begun,) = farm.open()
    job = world.job("1")
    assert [lease.job for lease in world.report(agent, want=2).leases] == [job]
    assert world.report(agent, want=1).leases == []
    farm.give_way()
    assert farm.open() == []
    assert world.job_row(begun.job).state == "deleted"


@one_kind
def test_a_slave_that_is_gone_is_not_measured_any_more(farm: Farm) -> None:
    agent = farm.slave("ws1")
    farm.idle(61)
    farm.world.report(agent, want=1)
    farm.world.steer("log_out", agent)
    farm.give_way()
    assert farm.open() == []
    farm.idle(61)
    assert farm.open() == []


@one_kind
def test_frames_that_wait_but_nobody_may_lease_do_not_keep_an_idle_slave_from_being_measured_for_ever(
    farm: Farm,
) -> None:
    agent, other = farm.slave("ws1"), farm.world.slave("other")
    job = farm.world.job("1-9", max_slaves=1)
    (held,) = frames_of(farm.world.report(other, want=1))
    assert not frames_of(farm.world.report(agent, want=1)), "one slave at most"
    farm.idle(61)
    assert farm.open() == [], "it may be work in a moment"
    farm.idle(700)
    assert [row.slave for row in farm.open()] == [agent.id]
    farm.give_way()
    assert farm.open(), "it waits as it did before"
    farm.world.job("1")
    farm.give_way()
    assert farm.open() == [], "but this is work"
    farm.world.report(other, done=[held.attempt])
    assert farm.world.counts(job)["done"] == 1


@one_kind
def test_a_slave_that_renders_for_a_peer_is_not_idle(farm: Farm) -> None:
    agent = farm.slave("ws1")
    farm.world.report(agent, state=SlaveState.RENDERING)
    assert farm.world.slave_state(agent) == "rendering"
    farm.idle(61)
    assert farm.open() == []
    farm.world.report(agent)
    farm.idle(61)
    assert len(farm.open()) == 1


@one_kind
def test_nobody_is_told_of_a_benchmark_nor_has_less_of_the_farm_for_it(farm: Farm) -> None:
    world = farm.world
    agent = farm.slave("ws1")
    hears = {"user": world.owner, "kind": "mail", "address": "anna@example.org", "about": "done", "secret": ""}
    farm.write(insert(subscriptions).values(**hears, created=world.at))
    farm.measure(agent)
    assert farm.all(select(notices)) == []
    assert farm.all(select(shares.c.of_user)) == []
    world.job("1")
    farm.draw(agent)
    assert len(farm.all(select(notices))) == 1
    assert farm.all(select(shares.c.of_user)) != []


@one_kind
def test_frames_that_take_too_little_time_together_are_followed_by_more(farm: Farm) -> None:
    agent = farm.slave("ws1")
    farm.idle(61)
    count = farm.draw(agent, cpu=1, seconds=1)
    while not farm.finish():
        assert farm.open()[0].rush == -1
        count += farm.draw(agent, cpu=1, seconds=1)
    assert 15 <= count <= MOST
    assert farm.rated(agent).power == 27_830


@one_kind
def test_graphics_cards_are_measured_by_their_time(farm: Farm) -> None:
    """No graphics card is here: these are made up, with two ways to each of them."""
    agent = farm.slave("ws1", CARDS, slots=3)
    assert farm.measure(agent).method == "blender"
    found = {}
    for seconds in (3, 6):
        farm.world.pass_time(1)
        rating = farm.measure(agent, cpu=1, seconds=seconds, cards=1)
        found[rating.method] = rating.power
    assert found == {"blender/optix": 9276, "blender/cuda": 4638}
    farm.idle(1000)
    assert farm.open() == []
    assert json.loads(farm.world.slave_row(agent).powers) == {"blender": 1000, **dict.fromkeys(found, 1000)}


def test_a_slave_whose_frames_drift_from_its_rating_is_measured_anew(farm: Farm) -> None:
    slow, usual = farm.slave("slow"), farm.slave("usual", owner=farm.world.user("bea"))
    farm.write(update(users).values(quota=10**9))
    farm.idle(61)
    for agent in (slow, usual):
        assert farm.draw(agent, cpu=20) == FRAMES
    assert farm.finish() == 2
    farm.world.pass_time(2 * DAY)
    for _ in range(2):
        farm.world.job("1-20")
        for agent, cpu in ((slow, 30), (usual, 10)) * 10:
            farm.world.render(agent, seconds=30, cpu=cpu)
    farm.idle(61)
    causes = {row.slave: row.cause for row in farm.open()}
    assert causes[slow.id] == "drift"


def test_until_it_is_measured_a_slaves_frames_say_what_it_is_worth(farm: Farm) -> None:
    usual = farm.slave("usual")
    farm.measure(usual, cpu=27.83)
    slow = farm.slave("slow", owner=farm.world.user("bea"))
    farm.world.job("1-20")
    for agent, cpu in ((slow, 20), (usual, 10)) * 10:
        farm.world.render(agent, seconds=30, cpu=cpu)
    farm.look()
    assert json.loads(farm.world.slave_row(slow).powers) == {"blender": 500}


def test_people_see_how_far_a_benchmark_is(farm: Farm) -> None:
    agent, world = farm.slave("ws1"), farm.world
    assert world.database.read_now(measured_now) == {}
    farm.idle(61)
    (frame,) = frames_of(world.report(agent, want=1))
    world.pass_time(10)
    world.report(agent, done=[frame.attempt], cpu=10, seconds=10)
    (second,) = frames_of(world.report(agent, want=1))
    world.report(agent, running={second.attempt: 5.0})
    seen = world.database.read_now(measured_now)[agent.id]
    assert (seen.method, seen.cause, seen.done, seen.frames, seen.progress) == ("blender", "first", 1, 3, 0.5)


@one_kind
def test_only_so_many_are_measured_at_once(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "AT_ONCE", 2)
    for name in ("a", "b", "c"):
        farm.slave(name)
    farm.idle(61)
    farm.look()
    assert len(farm.open()) == 2


@one_kind
def test_an_owner_whose_quota_is_used_up_is_not_measured_and_nothing_else_stops(farm: Farm) -> None:
    farm.write(update(users).values(quota=0))
    farm.slave("ws1")
    farm.idle(61)
    assert farm.open() == []
    assert numbers_of(farm.world.report(farm.world.agents["ws1"], want=1)) == []
    assert farm.all(select(slaves.c.state)) == [("idle",)]
