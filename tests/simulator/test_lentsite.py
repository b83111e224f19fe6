"""`distren simulate --server`: a guest at a farm that is at work, who takes away what it brought."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.client.poolcalls import PoolCalls
from farm.client.usercalls import UserCalls
from farm.protocol.accounts import Role
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.pools import PoolWish
from farm.simulator.drill import Drill, Scenario
from farm.simulator.faults import FAULTS
from farm.simulator.lentsite import NAME, LentSite
from farm.simulator.manner import Manner
from farm.words.errors import Forbidden, WrongState
from farm.words.states import JobState
from tests.cli.conftest import Farm, Run, farm, home, run, wait_for
from tests.serving import serving

__all__ = ["farm", "home", "run"]

FEW = Scenario(slaves=3, users=2, jobs=1, frames=8, waves=1, manner=Manner(seconds=0.05))


@pytest.mark.timeout(120)
def test_nobody_else_renders_for_a_simulation_and_it_renders_for_nobody_else(
    run: Run, farm: Farm, tmp_path: Path
) -> None:
    words = ["--slaves", 4, "--users", 2, "--frames", 24, "--waves", 1, "--seconds", 0.2, "--deaths", 0, "--late", 0]
    where = ["--server", farm.url, "--yes", "--report", tmp_path / "report", "--json"]
    with FarmClient(farm.url, farm.admin_token) as admin:
        # The farm's one slave has a job of somebody's, which four idle slaves more would have ended sooner.
        mine = Submission(name="real", requires=Requirement(method="sleep"), frames="1-8", settings={"seconds": 0.8})
        job = admin.submit(mine).job
        admin.queue(job)
        made = run("simulate", *words, *where, env={"DISTREN_TOKEN": farm.admin_token})
        assert made.exit_code == 0, made.output
        said = json.loads(made.stdout)
        assert (said["violations"], said["facts"]["frames rendered"]) == ([], "24")
        wait_for(lambda: admin.job(job).state is JobState.DONE)
        assert {one.slave for n in range(1, 9) for one in admin.frame(job, n).attempts} == {"ws01"}
        (slave,) = admin.slaves()
        assert (slave.name, slave.pool, slave.frames_done) == ("ws01", "", 8)


@pytest.mark.timeout(120)
def test_all_of_it_goes_and_it_can_be_done_again(database_url: str, tmp_path: Path) -> None:
    with serving(tmp_path / "server", database=database_url) as served:
        admin = served.admin()
        for _ in range(2):
            drill = Drill(FEW, LentSite(admin))
            drill.run()
            assert (drill.witness.violations, drill.witness.rendered) == ([], 16)
            assert (drill.fetched.said, drill.audits) == ("all 16", 1)
            assert (admin.jobs().jobs, admin.slaves(), PoolCalls(admin).pools()) == ([], [], [])
            known = {user.name: user.disabled for user in UserCalls(admin).users()}
            assert known == {"ada": False, f"{NAME}-1": True, f"{NAME}-2": True}


def test_what_a_killed_simulation_left_is_taken_away_by_the_next(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as served:
        admin = served.admin()
        left = served.invited(admin, f"{NAME}-1")
        left.make_slave_key(f"{NAME}-1-00099")
        PoolCalls(admin).put(NAME, PoolWish(slaves=[f"{NAME}-1-00099"]))
        wish = Submission(name="left", requires=Requirement(method="sleep", pool=NAME), frames="1-5")
        left.queue(left.submit(wish).job)
        drill = Drill(FEW, LentSite(admin))
        drill.run()
        assert drill.witness.violations == []
        assert (admin.jobs().jobs, admin.slaves(), PoolCalls(admin).pools()) == ([], [], [])


def test_who_breaks_it_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted(_done: int) -> None:
        raise KeyboardInterrupt

    with serving(tmp_path / "server") as served:
        admin = served.admin()
        with pytest.raises(KeyboardInterrupt):
            Drill(FEW, LentSite(admin), interrupted).run()
        assert (admin.jobs().jobs, admin.slaves(), PoolCalls(admin).pools()) == ([], [], [])
        assert [user.disabled for user in UserCalls(admin).users()] == [False, True, True]


def test_two_simulations_do_not_meet_and_only_admins_have_them(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as served:
        admin = served.admin()
        served.slave(admin, f"{NAME}-1-00000")
        PoolCalls(admin).put(NAME, PoolWish(slaves=[f"{NAME}-1-00000"]))
        with pytest.raises(WrongState, match="Another simulation"), LentSite(admin).opened():
            pass
        assert [slave.name for slave in admin.slaves()] == [f"{NAME}-1-00000"]
        with pytest.raises(Forbidden, match="admin's login"):
            LentSite(served.invited(admin, "bea"))


def test_an_admin_of_such_a_name_is_left_alone(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as served:
        admin = served.admin()
        served.invited(admin, f"{NAME}-1", Role.ADMIN)
        with pytest.raises(WrongState, match="is an admin there"):
            Drill(FEW, LentSite(admin)).run()
        assert not any(user.disabled for user in UserCalls(admin).users())


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.own])
def test_no_fault_happens_to_a_server_that_is_somebodys(run: Run, farm: Farm, name: str) -> None:
    made = run("simulate", "--server", farm.url, "--yes", "--faults", name, env={"DISTREN_TOKEN": farm.admin_token})
    assert made.exit_code != 0
    assert f"{name} can't happen" in made.stderr
    assert "partition" in made.stderr


def test_it_asks_before_and_does_nothing_without_a_yes(run: Run, farm: Farm) -> None:
    with FarmClient(farm.url, farm.admin_token) as admin:
        users = UserCalls(admin).users()
        made = run("simulate", "--server", farm.url, "--slaves", 1234, env={"DISTREN_TOKEN": farm.admin_token})
        assert made.exit_code != 0
        assert "1,234 pretend slaves" in " ".join(made.stderr.split())
        assert "--yes" in made.stderr
        assert (UserCalls(admin).users(), len(admin.slaves())) == (users, 1)
