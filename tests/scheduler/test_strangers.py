"""Where users are strangers: a slave without a sandbox renders its owner's jobs only."""

from __future__ import annotations

import pytest

from farm.jobs.sheet import sheet
from farm.scheduler.fit import Machine, trusted
from farm.scheduler.policy import Policy
from farm.words.states import FailureClass
from tests.scheduler.world import World, frames_of


@pytest.fixture
def strangers(world: World) -> World:
    world.policy = Policy(strangers=True)
    return world


def test_a_slave_that_contains_nothing_gets_no_strangers_jobs(strangers: World) -> None:
    theirs = strangers.job("1-3", owner=strangers.user("eve"))
    bare = strangers.slave("bare")
    assert not frames_of(strangers.report(bare, want=1))
    own = strangers.job("1")
    assert {lease.job for lease in strangers.report(bare, want=1).leases} == {own}
    caged = strangers.slave("caged", contained=True)
    assert {lease.job for lease in strangers.report(caged, want=1).leases} == {theirs}


def test_in_a_studio_everybody_renders_everything(world: World) -> None:
    job = world.job("1-3", owner=world.user("eve"))
    bare = world.slave("bare")
    assert {lease.job for lease in world.report(bare, want=1).leases} == {job}


def test_slaves_that_may_not_try_a_frame_do_not_keep_it_from_failing(strangers: World) -> None:
    job = strangers.job("1", owner=strangers.user("eve"))
    strangers.slave("bare")
    caged = strangers.slave("caged", contained=True)
    got = frames_of(strangers.report(caged, want=1))
    strangers.report(caged, failed={got[0].attempt: FailureClass.JOB})
    assert strangers.state(job) == "failed"


@pytest.mark.parametrize(("contained", "own", "allowed", "runs"), [
    (True, False, True, True),
    (False, True, True, True),
    (True, True, False, False),
])  # fmt: skip
def test_scripts_run_where_they_are_contained_or_at_home(
    strangers: World, contained: bool, own: bool, allowed: bool, runs: bool
) -> None:
    job = strangers.job("1", owner=None if own else strangers.user("eve"))
    agent = strangers.slave("ws1", contained=contained)
    assert strangers.report(agent, want=1).leases
    found = strangers.database.read_now(lambda c: sheet(c, agent.id, job, "home", scripts=allowed, strangers=True))
    assert found.settings["scripts"] is runs


def test_among_strangers_jobs_of_one_user_may_share_what_renderers_leave(strangers: World) -> None:
    jobs = [strangers.job("1"), strangers.job("1"), strangers.job("1", owner=strangers.user("eve"))]
    agents = [strangers.slave(f"ws{job}", contained=True) for job in jobs]
    leased = {strangers.report(agent, want=1).leases[0].job: agent.id for agent in agents}

    def circles(*, apart: bool) -> list[str]:
        read = strangers.database.read_now
        return [
            read(lambda c, j=job: sheet(c, leased[j], j, "home", scripts=True, strangers=apart)).circle for job in jobs
        ]

    mine, also_mine, eves = circles(apart=True)
    assert mine == also_mine != eves
    assert circles(apart=False) == ["", "", ""]


@pytest.mark.parametrize("strangers", [True, False])
@pytest.mark.parametrize("contained", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_only_among_strangers_an_open_slave_renders_its_owners_jobs_alone(
    strangers: bool, contained: bool, own: bool
) -> None:
    slave = Machine(1, "ws1", 1, (), owner=7, contained=contained)
    assert trusted(slave, 7 if own else 8, strangers=strangers) is (not strangers or contained or own)
