"""Pools and tags: which slaves a job gets, and that a waiting job says so."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.jobs import pools
from farm.jobs.access import Asker
from farm.jobs.change import change
from farm.jobs.rules import Rules
from farm.protocol.jobs import JobChange, Requirement
from farm.protocol.pools import PoolWish, SlaveTags
from farm.protocol.slaves import Offer
from farm.scheduler.fit import fits
from farm.scheduler.pools import Pool, serves
from farm.words.errors import Forbidden, NotFound
from farm.words.states import FailureClass
from tests.scheduler.world import BLENDER, World, frames_of

CYCLES = Requirement(method="blender", version="4.5", engine="CYCLES")
TAGS = st.lists(st.sampled_from(["fast", "gpu", "big", "quiet"]), unique=True)


def admin(world: World) -> Asker:
    return Asker(world.owner, "anna", admin=True)


def needing(**more: object) -> str:
    return CYCLES.model_copy(update=more).model_dump_json()


def pool(world: World, name: str, slaves: list[str], users: list[str] | None = None) -> None:
    put = partial(
        pools.put, admin=admin(world), name=name, wish=PoolWish(slaves=slaves, users=users or []), at=world.at
    )
    world.database.write_now(put)


def got(world: World, name: str) -> set[int]:
    """Return the jobs of which a slave gets frames."""
    agent = world.agents[name]
    orders = world.report(agent, want=1)
    world.report(agent, returned=[frame.attempt for frame in frames_of(orders)])
    return {lease.job for lease in orders.leases}


@given(TAGS, TAGS)
def test_a_slave_fits_if_it_has_every_tag_that_is_demanded(wanted: list[str], has: list[str]) -> None:
    lacks = fits(CYCLES.model_copy(update={"tags": wanted}), [BLENDER.model_copy(update={"tags": has})])
    assert (lacks == "") == (set(wanted) <= set(has))
    assert all(tag in lacks for tag in set(wanted) - set(has))


@given(st.sampled_from(["", "heavy", "other"]), st.sampled_from([None, "heavy"]), st.sets(st.integers(1, 3)))
def test_a_pools_slaves_render_what_names_it_and_its_users_jobs_and_nothing_else(
    named: str, inside: str | None, users: set[int]
) -> None:
    found = serves((inside and Pool(inside, frozenset(users))) or None, CYCLES.model_copy(update={"pool": named}), 1)
    assert found == ((named == inside) if named else (inside is None or 1 in users))


def test_tags_of_the_slave_and_of_an_admin_count_alike(world: World) -> None:
    world.slave("plain")
    world.slave("ws1", offer=BLENDER.model_copy(update={"tags": ["gpu"]}))
    job = world.job("1-50", requires=needing(tags=["gpu", "fast"]))
    assert got(world, "ws1") == set()
    assert world.why(job) == ["No slave has blender 4.5 with CYCLES and the tag fast, gpu; there are gpu."]
    give = partial(pools.tag, admin=admin(world), name="ws1", wish=SlaveTags(tags=["fast"]), at=world.at)
    world.database.write_now(give)
    assert got(world, "plain") == set()
    assert got(world, "ws1") == {job}


def test_a_job_that_names_a_pool_gets_its_slaves_and_no_others(world: World) -> None:
    world.slave("ws1")
    world.slave("ws2")
    pool(world, "heavy", ["ws2"])
    plain, heavy = world.job("1-50"), world.job("1-50", requires=needing(pool="heavy"))
    assert got(world, "ws1") == {plain}
    assert got(world, "ws2") == {heavy}


def test_a_pools_users_need_not_name_it_and_others_jobs_wait_and_say_so(world: World) -> None:
    bea = world.user("bea")
    world.slave("ws1")
    pool(world, "heavy", ["ws1"], ["bea"])
    mine = world.job("1-50")
    assert got(world, "ws1") == set()
    assert world.why(mine) == ["Slaves that could render it are kept for the users of heavy. All slaves are in pools."]
    hers = world.job("1-50", owner=bea)
    assert got(world, "ws1") == {hers}
    world.database.write_now(partial(pools.remove, admin=admin(world), name="heavy", at=world.at))
    assert got(world, "ws1") == {mine}


def test_a_pool_without_slaves_or_one_that_is_gone_is_what_a_job_waits_for(world: World) -> None:
    world.slave("ws1")
    job = world.job("1-50", requires=needing(pool="heavy"))
    assert got(world, "ws1") == set()
    assert world.why(job) == ["Only the pool heavy may render it, and no slave is in it."]
    pool(world, "heavy", ["ws1"])
    world.steer("pause", world.agents["ws1"])
    assert world.why(job)[0].startswith("Only the pool heavy may render it. No slave that has blender 4.5")


def test_a_frame_that_failed_on_all_of_its_pool_has_failed_whatever_others_there_are(world: World) -> None:
    inside = world.slave("ws1")
    world.slave("ws2")
    pool(world, "heavy", ["ws1"])
    job = world.job("1", requires=needing(pool="heavy"))
    (frame,) = frames_of(world.report(inside, want=1))
    world.report(inside, failed={frame.attempt: FailureClass.JOB})
    assert world.state(job) in {"failed", "paused/fault"}


def test_only_a_pools_users_and_admins_may_name_it(world: World) -> None:
    world.user("bea")
    carl = world.user("carl")
    world.slave("ws1")
    pool(world, "heavy", ["ws1"], ["bea"])
    job = world.job("1-50", owner=carl)
    wish = JobChange(pool="heavy", tags=["gpu"])

    def as_(who: Asker) -> None:
        change_ = partial(change, asker=who, job=job, wanted=wish, rules=Rules(), at=world.at)
        world.database.write_now(change_)

    with pytest.raises(Forbidden, match="is for others"):
        as_(Asker(carl, "carl"))
    as_(admin(world))
    assert Requirement.model_validate_json(world.job_row(job).requires).pool == "heavy"
    with pytest.raises(NotFound, match="no pool nowhere"):
        world.database.read_now(partial(pools.must_let_in, asker=admin(world), name="nowhere"))
    with pytest.raises(NotFound, match="no slave ws9"):
        pool(world, "heavy", ["ws9"])


def test_a_slave_is_in_one_pool_at_a_time_and_pools_are_listed(world: World) -> None:
    world.user("bea")
    world.slave("ws1")
    pool(world, "heavy", ["ws1"])
    pool(world, "light", ["ws1"], ["bea"])
    found = world.database.read_now(pools.views)
    assert [(one.name, one.slaves, one.users) for one in found] == [("heavy", [], []), ("light", ["ws1"], ["bea"])]


def test_an_offer_without_tags_is_as_it_was() -> None:
    assert Offer.model_validate_json('{"method":"blender"}').tags == []
