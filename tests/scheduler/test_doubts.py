"""A slave that names a build of the renderer that nobody else has, and draws otherwise: what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from farm.accounts import deeds, ledgerviews, slaveviews
from farm.database.handle import Database
from farm.database.schema import blobs, notices, spot_checks, subscriptions
from farm.jobs import collect, doubts
from farm.protocol.points import PointsView
from farm.protocol.slaveviews import Reliability
from farm.scheduler import escrow
from farm.scheduler.checkrules import FIRST
from farm.words.errors import NotEnoughPoints, NotFound
from tests.scheduler.strangers import Strangers, built
from tests.scheduler.world import frames_of

GRAINS = {
    name: bytes(values * 256).hex()
    for name, values in {"right": [99] * 3, "rightish": [99, 100, 99], "false": [9] * 3}.items()
}
RIGHT = dict.fromkeys(("one", "two", "three"), "right")
ITS_OWN = "blender 4.5.2 its own"


@pytest.fixture
def strangers(database: Database) -> Iterator[Strangers]:
    """Eve's slave has a build of its own; an admin's two have Blender's."""
    made = Strangers(database)
    made.world.log_in(made.checked, contained=True, devices=["CPU x"], offer=built("its own"))
    for name in ("one", "two"):
        made.checker(name, build="blender's")
    yield made
    assert made.world.faults() == []


def doubted(strangers: Strangers, text: str = "1", **draws: str) -> None:
    strangers.rendered(text)
    strangers.check({**RIGHT, **draws}, grains=GRAINS)


def act(strangers: Strangers, what: str, slave: str = "evil") -> None:
    strangers.write(lambda c: getattr(doubts, what)(c, slave, strangers.admin, strangers.world.at))


def reliability(strangers: Strangers) -> Reliability:
    (view,) = strangers.world.database.read_now(lambda c: slaveviews.views(c, "home", name="evil"))
    assert view.reliability
    return view.reliability


def points(strangers: Strangers) -> PointsView:
    return strangers.world.database.read_now(lambda c: ledgerviews.view(c, strangers.eve, "eve"))


def boost(strangers: Strangers, job: int, milli: int) -> None:
    strangers.write(lambda c: escrow.put(c, job, milli, 1, strangers.world.at))


def one_lease(strangers: Strangers) -> int:
    """Render what one lease has, a second each; return how many frames."""
    got = frames_of(strangers.world.report(strangers.checked, want=1))
    strangers.world.pass_time(1)
    strangers.world.report(strangers.checked, done=[frame.attempt for frame in got], cpu=1, seconds=1)
    return len(got)


def test_what_others_drew_otherwise_is_in_doubt_and_admins_see_both_pictures_and_are_told_once(
    strangers: Strangers,
) -> None:
    told = {"user": strangers.admin, "kind": "webhook", "address": "x", "about": "slave", "secret": "", "created": 0}
    strangers.write(lambda c: c.execute(insert(subscriptions).values(told)))
    doubted(strangers, "1-3")
    assert strangers.states() == ["doubted"] * 3
    titles = strangers.world.database.read_now(lambda c: c.execute(select(notices.c.title)).scalars().all())
    assert titles == ["Slave evil draws otherwise than others"]
    found = strangers.world.database.read_now(lambda c: doubts.views(c, "home"))
    assert [(one.slave, one.owner, one.build, set(one.others)) for one in found] == [
        ("evil", "eve", ITS_OWN, {"one", "two"})
    ] * 3
    both = strangers.world.database.read_now(
        lambda c: [doubts.picture(c, found[0].attempt, which) for which in ("checked", "other")]
    )
    assert {tile for _, tile in both} == {found[0].tile}
    assert strangers.world.slave_state(strangers.checked) != "retired"


def test_both_pictures_are_kept_until_it_is_settled(strangers: Strangers) -> None:
    doubted(strangers)
    both = {"picture": b"p" * 32, "other": b"o" * 32}
    strangers.write(lambda c: c.execute(update(spot_checks).values(both)))
    stored = [{"hash": hashed, "size": 1, "created": 0} for hashed in both.values()]
    strangers.write(lambda c: c.execute(insert(blobs), stored))

    def kept(conn: Connection) -> set[bytes]:
        return set(conn.execute(select(blobs.c.hash).where(collect.referred())).scalars())

    assert strangers.world.database.read_now(kept) == set(both.values())
    act(strangers, "trust")
    assert strangers.world.database.read_now(kept) == set()
    strangers.write(lambda c: c.execute(delete(blobs)))


def test_until_it_is_settled_it_is_on_probation_and_what_it_earned_can_not_be_spent(strangers: Strangers) -> None:
    doubted(strangers, "1-40")
    assert reliability(strangers).probation
    assert reliability(strangers).doubted >= FIRST
    earned, own = strangers.milli(), strangers.world.job("1-200", owner=strangers.eve)
    assert (points(strangers).milli, points(strangers).provisional_milli) == (earned, earned)
    with pytest.raises(NotEnoughPoints, match="there are 0") as refused:
        boost(strangers, own, 1)
    assert "in doubt" in refused.value.hint
    assert [one_lease(strangers) for _ in range(5)] == [1] * 5
    act(strangers, "trust")
    strangers.world.pass_time(2)
    assert (reliability(strangers).doubted, points(strangers).provisional_milli) == (0, 0)
    assert one_lease(strangers) > 1
    boost(strangers, own, earned)


def test_what_a_check_vouches_for_can_be_spent(strangers: Strangers) -> None:
    strangers.rendered("1-2")
    strangers.check(RIGHT, pixels="right", grains=GRAINS)
    kept = strangers.milli()
    doubted(strangers)
    assert points(strangers).milli - points(strangers).provisional_milli == kept


def test_an_admin_trusts_a_build_on_the_machines_of_one_owner_and_it_is_on_record(strangers: Strangers) -> None:
    doubted(strangers)
    act(strangers, "trust")
    assert strangers.states() == ["undecided"]
    doubted(strangers)
    assert strangers.states() == ["undecided"] * 2, "it is trusted from now on"
    other = strangers.world.user("carl")
    strangers.checked = strangers.slave("other", other)
    strangers.world.log_in(strangers.checked, contained=True, devices=["CPU x"], offer=built("its own"))
    doubted(strangers)
    assert strangers.states()[2:] == ["doubted"]
    act(strangers, "trust", "other")
    act(strangers, "distrust", "other")
    doubted(strangers)
    assert strangers.states()[2:] == ["undecided", "doubted"]
    done = strangers.world.database.read_now(lambda c: deeds.views(c, 9))
    assert [(one.user, one.verb, one.detail) for one in done][::-1] == [
        ("root", "trust build", f"evil: {ITS_OWN}"),
        ("root", "trust build", f"other: {ITS_OWN}"),
        ("root", "distrust build", f"other: {ITS_OWN}"),
    ]


@pytest.mark.parametrize(
    ("draws", "state", "said"),
    [("false", "passed", ""), ("right", "doubted", "A slave of its build drew otherwise, too.")],
)
def test_another_slave_of_the_same_build_is_asked_once_and_settles_it_if_it_agrees(
    strangers: Strangers, draws: str, state: str, said: str
) -> None:
    doubted(strangers)
    strangers.checker("same", build="its own")
    strangers.check({**RIGHT, "same": draws}, grains=GRAINS)
    assert strangers.states() == [state]
    row = strangers.world.database.read_now(lambda c: c.execute(select(spot_checks)).one())
    assert (row.said, row.drawn.count('"slave"')) == (said, 3)
    assert reliability(strangers).doubted == (state == "doubted")


def test_who_names_a_trusted_build_is_in_doubt_again_where_another_slave_of_that_build_draws_otherwise(
    strangers: Strangers,
) -> None:
    doubted(strangers)
    act(strangers, "trust")
    strangers.checker("same", build="its own")
    for name in ("one", "two"):
        strangers.checkers.remove(agent := next(one for one in strangers.checkers if one.name == name))
        strangers.world.steer("log_out", agent)
    strangers.checker("three", build="blender's")
    doubted(strangers, same="right")
    assert strangers.states() == ["undecided", "doubted"]


def test_an_admin_that_has_seen_it_convicts_as_two_others_would(strangers: Strangers) -> None:
    doubted(strangers, "1-3")
    assert strangers.milli() > 0
    act(strangers, "convict")
    strangers.convict()
    assert strangers.states() == ["convicted"] * 3
    assert strangers.world.slave_state(strangers.checked) == "retired"
    assert strangers.milli() == 0
    with pytest.raises(NotFound, match="in doubt"):
        act(strangers, "trust")


@pytest.mark.parametrize("draws", [{"two": "rightish"}, {"one": "rightish", "three": "rightish"}])
def test_that_others_differ_by_rounding_leaves_the_doubt(strangers: Strangers, draws: dict[str, str]) -> None:
    strangers.checker("three", build="blender's")
    doubted(strangers, **draws)
    assert strangers.states() == ["doubted"]


@pytest.mark.parametrize("grains", [{}, {**GRAINS, "false": GRAINS["rightish"]}])
def test_where_rounding_may_be_the_reason_nothing_is_in_doubt(strangers: Strangers, grains: dict[str, str]) -> None:
    strangers.rendered("1")
    strangers.check(RIGHT, grains=grains)
    assert strangers.states() == ["undecided"]
