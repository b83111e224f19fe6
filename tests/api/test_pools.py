"""Pools, tags and shares over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from farm.client.farmclient import FarmClient
from farm.client.poolcalls import PoolCalls
from farm.client.sharecalls import ShareCalls
from farm.client.usercalls import UserCalls
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.pools import PoolWish
from farm.protocol.shares import ShareTerms, UserShareWish
from farm.words.errors import Forbidden, NotFound
from tests.api.test_next import leased, submit
from tests.serving import Served


def demanding(client: FarmClient, **more: Any) -> int:
    job = client.submit(Submission(requires=Requirement(method="sleep", **more), name="sleep", frames="1")).job
    client.queue(job)
    return job


def test_an_admin_makes_a_pool_and_who_is_not_in_it_waits_and_may_not_name_it(
    served: Served, admin: FarmClient
) -> None:
    bea = served.invited(admin, "bea")
    slave = served.slave(admin, "ws01")
    with pytest.raises(Forbidden):
        PoolCalls(bea).put("heavy", PoolWish(slaves=["ws01"], users=["bea"]))
    PoolCalls(admin).put("heavy", PoolWish(slaves=["ws01"], users=["ada"]))
    PoolCalls(admin).tag("ws01", ["fast", "quiet"])
    with pytest.raises(NotFound):
        PoolCalls(admin).tag("ws99", ["fast"])
    (view,) = admin.slaves()
    assert (view.tags, view.pool) == (["fast", "quiet"], "heavy")
    assert PoolCalls(bea).pools()[0].users == ["ada"]
    job = submit(bea)
    assert bea.job(job).waiting[0].startswith("Slaves that could render it are kept for the users of heavy.")
    with pytest.raises(Forbidden, match="is for others"):
        demanding(bea, pool="heavy")
    PoolCalls(admin).put("heavy", PoolWish(slaves=["ws01"], users=["ada", "bea"]))
    wanted = demanding(bea, pool="heavy", tags=["quiet"])
    assert bea.job(wanted).requires.pool == "heavy"
    assert leased(slave).attempt
    PoolCalls(admin).remove("heavy")
    assert PoolCalls(bea).pools() == []
    assert [deed.verb for deed in UserCalls(admin).deeds()][:4] == ["no pool", "pool", "tag slave", "pool"]


def test_all_see_how_the_farm_is_shared_and_admins_change_it(served: Served, admin: FarmClient) -> None:
    bea = ShareCalls(served.invited(admin, "bea"))
    calls = ShareCalls(admin)
    calls.change(ShareTerms(half_life_minutes=120, unserved_minutes=5))
    calls.change_user("bea", UserShareWish(weight=2, slots=3))
    assert (bea.shares().half_life_minutes, bea.shares().next_half_life_minutes) == (60, 120)
    assert bea.shares().users == []
    (share,) = calls.shares().users
    assert (share.name, share.weight, share.points, share.slots) == ("bea", 2, 1, 3)
    with pytest.raises(Forbidden):
        bea.change(ShareTerms(unserved_minutes=1))
    with pytest.raises(Forbidden):
        bea.change_user("bea", UserShareWish(weight=9))
    with pytest.raises(NotFound):
        calls.change_user("nobody", UserShareWish(weight=2))
    assert [deed.verb for deed in UserCalls(admin).deeds()][:2] == ["share", "shares"]
