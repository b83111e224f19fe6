"""What owners lend of their slaves, and to whom."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from farm.accounts import lending
from farm.database.schema import friends, slaves
from farm.protocol.slaves import Offer
from farm.protocol.terms import Accept, Terms
from tests.scheduler.world import Agent, World, frames_of


def lend(world: World, agent: Agent, **terms: object) -> None:
    wish = Terms.model_validate(terms)
    world.database.write_now(lambda c: lending.say(c, agent.id, wish, world.at))


def jobs_for(world: World, agent: Agent, want: int = 1) -> set[int]:
    world.pass_time(2)
    return {lease.job for lease in world.report(agent, want=want).leases}


def test_a_slave_renders_for_everybody_its_owners_friends_or_its_owner_alone(world: World) -> None:
    eve, fred = world.user("eve"), world.user("fred")
    world.database.write_now(lambda c: c.execute(insert(friends).values(user=world.owner, friend=fred)) and None)
    hers = world.job("1-2", owner=eve)
    agent = world.slave("ws1")
    lend(world, agent, accept="friends")
    assert jobs_for(world, agent) == set()
    assert world.why(hers) == [
        "Slaves that have blender 4.5 with CYCLES are lent only to their owners, or to friends of these."
    ]
    his = world.job("1", owner=fred)
    assert jobs_for(world, agent) == {his}
    lend(world, agent, accept="mine")
    own = world.job("1")
    assert jobs_for(world, agent) == {own}
    assert jobs_for(world, agent) == set()
    lend(world, agent)
    assert jobs_for(world, agent) == {hers}


def test_of_two_words_the_stricter_one_counts() -> None:
    assert lending.in_force('{"accept": "all"}', "friends").accept is Accept.FRIENDS
    assert lending.in_force('{"accept": "mine"}', "friends").accept is Accept.MINE


def test_only_methods_and_cards_that_are_lent_are_used(world: World) -> None:
    cards = Offer(method="blender", version="4.5.2", engines=["CYCLES"], devices=["CUDA A"])
    agent = world.slave("ws1", offer=cards)
    lend(world, agent, cards=False)
    orders = world.report(agent)
    assert orders.terms is not None
    assert not orders.terms.cards, "the slave hears of it"
    texts = world.database.read_now(lambda c: c.execute(select(slaves.c.offers, slaves.c.terms)).one())
    assert not lending.lent((cards,), texts.terms)[0].devices
    job = world.job("1")
    lend(world, agent, methods=["povray"])
    assert jobs_for(world, agent) == set()
    lend(world, agent, methods=["povray", "blender"])
    assert jobs_for(world, agent) == {job}


def test_what_has_begun_is_finished_and_what_waits_goes_back(world: World) -> None:
    job = world.job("1-8", owner=world.user("eve"))
    agent = world.slave("ws1")
    first, *others = frames_of(world.report(agent, want=4))
    world.report(agent, running={first.attempt: 3})
    lend(world, agent, accept="mine")
    orders = world.report(agent, running={first.attempt: 4})
    assert set(orders.revoked) == {frame.attempt for frame in others}
    assert {world.attempt_state(frame.attempt) for frame in others} <= {"returned"}
    world.report(agent, done=[first.attempt])
    assert world.counts(job) == {"ready": 7, "done": 1}
    assert (world.slave_row(agent).bad, world.slave_row(agent).good) == (0, 1), "it costs no reliability"


@pytest.mark.parametrize("running", [True, False])
def test_a_stopped_slave_stops_at_once_and_it_costs_nothing(world: World, running: bool) -> None:
    job = world.job("1-4")
    agent = world.slave("ws1")
    held = [frame.attempt for frame in frames_of(world.report(agent, want=2))]
    world.report(agent, running={held[0]: 3.0} if running else {})
    world.steer("stop", agent)
    orders = world.report(agent, want=2, running={held[0]: 4.0} if running else {})
    assert orders.drain
    assert set(orders.revoked) == set(held)
    assert world.counts(job) == {"ready": 4}
    row = world.slave_row(agent)
    assert (row.state, row.bad) == ("paused", 0)
    world.steer("resume", agent)
    assert world.report(agent, want=1).leases
