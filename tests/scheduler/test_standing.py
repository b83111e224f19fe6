"""The fair queue on real tables."""

from __future__ import annotations

from sqlalchemy import func, select

from farm.database.schema import shares
from farm.scheduler.policy import Policy
from farm.scheduler.standing import read
from farm.scheduler.terms import ERA, FORGOTTEN, HALF_LIFE
from farm.words.clock import SECOND
from tests.scheduler.world import World, frames_of


def minutes(world: World, user: int) -> float:
    return world.database.read_now(lambda c: read(c, world.at)).user(user).work / SECOND / 60


def test_one_job_of_a_user_gets_half_the_farm_beside_five_of_another(world: World) -> None:
    bea = world.user("bea")
    mine = [world.job("1-200") for _ in range(5)]
    hers = world.job("1-200", owner=bea)
    agents = [world.slave(f"ws{n}") for n in range(4)]
    got = dict.fromkeys((*mine, hers), 0)
    for _ in range(20):
        for agent in agents:
            orders = world.report(agent, want=1)
            for lease in orders.leases:
                got[lease.job] += len(lease.frames)
            world.pass_time(30)
            world.report(agent, done=[f.attempt for f in frames_of(orders)], seconds=30)
    assert abs(got[hers] - sum(got.values()) / 2) <= 2
    assert max(got[job] for job in mine) - min(got[job] for job in mine) <= 2


def test_who_comes_later_starts_level_and_does_not_take_all(world: World) -> None:
    world.job("1-500")
    agent = world.slave("ws1")
    for _ in range(20):
        world.render(agent, seconds=60)
        world.pass_time(1)
    bea = world.user("bea")
    world.job("1-500", owner=bea)
    assert minutes(world, bea) > 15
    assert abs(minutes(world, bea) - minutes(world, world.owner)) < 0.1


def test_what_is_rendering_counts_before_it_is_done_and_no_more_when_it_is_lost(world: World) -> None:
    world.job("1-50")
    agent = world.slave("ws1")
    world.render(agent, seconds=60)
    held = frames_of(world.report(agent, want=1))
    world.pass_time(2)
    assert 1.9 < minutes(world, world.owner) <= 1 + len(held)
    world.steer("log_out", agent)
    assert 0.9 < minutes(world, world.owner) <= 1


def test_a_waiting_job_is_told_its_place_and_why(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1")
    jobs = [world.job("1-50")]
    world.render(agent, seconds=600)
    jobs += [world.job("1-50", owner=bea), world.job("1-50")]
    world.render(agent, seconds=600)
    world.pass_time(2)
    lines = sorted(why for job in jobs for why in world.why(job))
    assert lines[0] == "All fitting slaves are busy; the job is number 1 in line."
    assert lines[-1].endswith("its owner had 19 CPU-minutes of the farm lately, another user 9 CPU-minutes.")


def test_own_slaves_come_first_where_users_are_strangers(world: World) -> None:
    world.policy = Policy(strangers=True)
    bea = world.user("bea")
    mine = world.job("1-50")
    agent = world.slave("ws1", contained=True)
    world.render(agent, seconds=600)
    world.job("1-50", owner=bea)
    assert {lease.job for lease in world.report(agent, want=1).leases} == {mine}


def test_old_work_fades_and_its_rows_go(world: World) -> None:
    world.job("1-50")
    agent = world.slave("ws1")
    world.render(agent, seconds=60)
    world.pass_time(3600)
    assert 0.45 < minutes(world, world.owner) < 0.55
    world.pass_time((FORGOTTEN * HALF_LIFE + ERA) / SECOND)
    world.sweep()
    assert world.database.read_now(lambda c: c.execute(select(func.count()).select_from(shares)).scalar()) == 0


def test_a_slave_that_claims_days_does_not_put_its_jobs_owner_behind(world: World) -> None:
    world.job("1")
    agent = world.slave("ws1", owner=world.user("rival"))
    (frame,) = frames_of(world.report(agent, want=1))
    world.pass_time(60)
    world.report(agent, done=[frame.attempt], seconds=1e6, cpu=1e6)
    assert minutes(world, world.owner) <= 1
