"""Why a slave got this frame and not another; admins' words; caps."""

from __future__ import annotations

from sqlalchemy import select, update

from farm.database.schema import attempts, jobs
from farm.scheduler import chosen, portions
from farm.scheduler.fairness import ALONE, FIRST
from farm.scheduler.policy import Policy
from farm.scheduler.portions import Held
from tests.scheduler.world import Agent, World


def leased(world: World, agent: Agent) -> set[int]:
    return {lease.job for lease in world.report(agent, want=1).leases}


def last(world: World) -> str:
    query = select(attempts.c.chosen).order_by(attempts.c.id.desc()).limit(1)
    return chosen.words(world.database.read_now(lambda c: c.execute(query).scalar_one()))


def rush(world: World, job: int, value: int) -> None:
    world.database.write_now(lambda c: c.execute(update(jobs).where(jobs.c.number == job).values(rush=value)) and None)


def test_each_assignment_says_why_it_was_made(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1")
    first = world.job("1-50")
    world.render(agent, seconds=300)
    assert last(world) == "no other job waited"
    hers = world.job("1-50", owner=bea)
    world.render(agent, seconds=300)
    other = world.slave("ws2")
    world.pass_time(2)
    world.report(other, want=1)
    assert "its owner had had the least of the farm" in last(world)
    assert "2 jobs waited" in last(world)
    rush(world, first, FIRST)
    assert leased(world, world.slave("ws3")) == {first}
    assert last(world) == "an admin had said that the job comes first; 2 jobs waited"
    world.pass_time(700)
    rush(world, first, 0)
    assert leased(world, world.slave("ws4")) <= {first, hers}
    assert last(world).startswith("its owner had got nothing for 10 minutes, and is then next")


def test_what_an_admin_holds_waits_says_for_what_and_goes_on_when_that_is_done(world: World) -> None:
    bea = world.user("bea")
    urgent, other = world.job("1"), world.job("1-50", owner=bea)
    agent, idle = world.slave("ws1"), world.slave("ws2")
    rush(world, urgent, ALONE)
    got = world.report(agent, want=1)
    assert {lease.job for lease in got.leases} == {urgent}
    assert leased(world, idle) == set()
    assert world.why(other) == [f"An admin holds all other jobs until distren://home/{urgent} is done."]
    world.report(agent, done=[frame.attempt for lease in got.leases for frame in lease.frames])
    assert world.state(urgent) == "done"
    assert leased(world, idle) == {other}


def test_one_job_holds_no_more_than_its_part_while_others_wait_but_nothing_stays_idle(world: World) -> None:
    world.policy = Policy(strangers=True, job_share=0.5, lease_frames=1, stragglers=False)
    owner, bea = world.user("carl"), world.user("bea")
    machines = [world.slave(f"ws{n}", owner=owner, contained=True) for n in range(5)]
    mine, hers = world.job("1-50"), world.job("1-2", owner=bea)
    rush(world, mine, FIRST)  # it would get all
    got = [next(iter(leased(world, agent))) for agent in machines]
    assert got == [mine, mine, mine, hers, hers]
    last_one = world.slave("ws9", owner=owner, contained=True)
    assert leased(world, last_one) == {mine}  # nobody else waits


def test_a_user_holds_no_more_slots_than_the_admin_allows(world: World) -> None:
    world.policy = Policy(user_slots=2, lease_frames=1, stragglers=False)
    world.job("1-50")
    machines = [world.slave(f"ws{n}") for n in range(4)]
    assert [len(leased(world, agent)) for agent in machines] == [1, 1, 0, 0]
    hers = world.job("1-50", owner=world.user("bea"))
    assert leased(world, machines[2]) == {hers}


def test_a_job_may_always_hold_one_slot() -> None:
    assert [portions.most(slots, 0.75) for slots in (0, 1, 2, 4, 100)] == [1, 1, 2, 3, 75]
    assert portions.ordered([], Held(0), Policy(strangers=True)) == []
