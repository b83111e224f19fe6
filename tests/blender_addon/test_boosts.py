"""Boosts in the add-on: what they cost and give is said before points are spent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blender_addon.boosts import told
from blender_addon.comms import account, boosting
from blender_addon.comms.boosting import Boost
from blender_addon.comms.link import Link
from blender_addon.comms.trouble import Trouble
from blender_addon.ui.despatch import brief
from farm.accounts import ledger
from farm.accounts.ledger import FARM, About, Kind
from farm.client.farmclient import FarmClient
from farm.client.pointcalls import PointCalls
from farm.database.handle import Database
from tests.api.test_next import submit
from tests.blender_addon.uploads import Seat, until
from tests.serving import PASSPHRASE, Served, serving

pytestmark = pytest.mark.usefixtures("shot")  # its folders are where the login is kept


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as served:
        yield served


@pytest.fixture
def link(served: Served) -> Link:
    made = account.register(Link(served.url), "ada", PASSPHRASE, served.ready.setup_code or "")
    return Link(served.url, made.login.token)


@pytest.fixture
def ada(served: Served, link: Link) -> FarmClient:
    """A user who has 100 points."""
    database = Database.open(f"sqlite:///{served.process.settings.data / 'distren.sqlite3'}")
    database.write_now(lambda conn: ledger.post(conn, Kind.EARNED, 1, FARM, 1, 100_000, About(), 0))
    database.close()
    return served.client(link.token)


def test_what_a_boost_costs_and_gives_is_said_and_follows_the_figures(
    served: Served, link: Link, ada: FarmClient, at_a_desk: Seat
) -> None:
    served.slave(ada).orders(want=0)
    submit(served.invited(ada, "bea"), "1-200")
    job = submit(ada, "1-50")
    desk = at_a_desk(link)
    for points in (1, 10, 80):  # the artist drags the number; only the last one matters
        desk.weigh(Boost(job, points, 4))
    until(desk, lambda: desk.weighed)
    assert desk.weighed is not None
    assert desk.weighed.view is not None
    text = told(desk.weighed.view, brief)
    assert text.startswith("About 80 of your 100 points will be used, for 40 of 50 frames. The job will be done in ")
    assert text.endswith(" sooner.")
    assert PointCalls(ada).points().milli == 100_000
    said = boosting.put(link, Boost(job, 80, 4)).said
    assert said == f"Job {job} is boosted by 4."
    assert (PointCalls(ada).points().milli, ada.job(job).boost) == (20_000, 4)
    assert "what was left of its points is yours" in boosting.put(link, Boost(job, 0, 1)).said
    assert PointCalls(ada).points().milli == 100_000


def test_more_points_than_there_are_and_jobs_that_have_ended_are_said(
    link: Link, ada: FarmClient, at_a_desk: Seat
) -> None:
    job = submit(ada, "1-50")
    with pytest.raises(Trouble, match=r"takes 101\.000 points, and there are 100\.000"):
        boosting.put(link, Boost(job, 101, 1))
    assert told(boosting.weigh(link, Boost(job, 101, 1)).view or {}, brief) == "You have 100 points, not 101."
    desk = at_a_desk(link)
    desk.weigh(Boost(99, 10, 1))
    until(desk, lambda: desk.trouble)
    assert desk.weighed is None
    ada.command(job, "cancel")
    with pytest.raises(Trouble, match="nothing of it is left"):
        boosting.put(link, Boost(job, 10, 1))
