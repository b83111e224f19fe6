"""Points over real HTTP: what is earned, shown, exported, audited and spent."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from farm.client.farmclient import FarmClient
from farm.client.pointcalls import PointCalls
from farm.database.handle import Database
from farm.database.schema import slaves
from farm.protocol.points import Boost
from farm.words.errors import Forbidden, Malformed, NotEnoughPoints
from tests.api.test_next import finished, leased, submit, tar
from tests.serving import Served


@pytest.fixture
def database(served: Served) -> Database:
    """The server's database, as another process has it."""
    return Database.open(f"sqlite:///{served.process.settings.data / 'distren.sqlite3'}")


@pytest.fixture
def bea(served: Served, admin: FarmClient, tmp_path: Path, database: Database) -> FarmClient:
    """A user whose very strong slave has rendered a frame for the admin."""
    user = served.invited(admin, "bea")
    slave = served.slave(user, "strong")
    powers = '{"sleep":4000000000}'
    database.write_now(lambda c: c.execute(update(slaves).values(powers=powers)) and None)
    submit(admin, "1-3")
    attempt = leased(slave).attempt
    time.sleep(0.05)
    slave.orders(finished=[{**finished(attempt, tar(tmp_path)), "cpu_seconds": 10**6}])
    database.close()
    return user


def test_a_user_sees_what_they_earned_and_why(bea: FarmClient, admin: FarmClient) -> None:
    mine = PointCalls(bea).points()
    assert mine.milli == mine.earned_milli >= 1_000_000
    (row,) = PointCalls(bea).ledger().rows
    assert (row.kind, row.milli, row.address, row.slave) == ("earned", mine.milli, "distren://home/1/1", "strong")
    assert "CPU-seconds × power 4000000.000 / 60" in row.reason
    assert "more than its processors could have had" in row.reason
    assert PointCalls(admin).points().milli == 0
    assert PointCalls(admin).points("bea") == mine
    with pytest.raises(Forbidden):
        PointCalls(bea).points("ada")
    assert admin.job(1).frame_milli
    assert bea.job(submit(bea)).frame_milli is None


def test_the_ledger_comes_in_pages_and_as_csv(bea: FarmClient) -> None:
    job = submit(bea)
    for points in (10, 20, 0):
        PointCalls(bea).boost(job, Boost(points=points, boost=1))
    seen, after = [], None
    while True:
        page = PointCalls(bea).ledger(after=after, limit=1)
        seen += page.rows
        if (after := page.next) is None:
            break
    assert [row.milli for row in seen[:3]] == [20_000, -10_000, -10_000]
    assert [row.row for row in seen] == [row.row for row in PointCalls(bea).ledger().rows]
    rows = list(csv.DictReader(io.StringIO(PointCalls(bea).ledger_csv())))
    assert [row["row"] for row in rows] == [row.row for row in seen]
    with pytest.raises(Malformed):
        PointCalls(bea).ledger(after="1-2-3")
    with pytest.raises(Forbidden):
        PointCalls(bea).books()


def test_a_boost_says_what_it_costs_and_how_much_sooner_before_it_is_done(
    served: Served, bea: FarmClient, admin: FarmClient
) -> None:
    served.slave(admin, "other").orders(want=0)
    submit(served.invited(admin, "carl"), "1-200")
    job = submit(bea, "1-100")
    said = PointCalls(bea).preview_boost(job, Boost(points=1000, boost=4))
    assert (said.frames_left, said.frames_boosted, said.escrow_milli) == (100, 100, 0)
    assert said.cost_milli == 100 * 500 * 4  # a frame that nothing is known of counts as half a minute
    assert said.eta_seconds is not None
    assert said.boosted_eta_seconds is not None
    assert said.boosted_eta_seconds < said.eta_seconds
    assert PointCalls(bea).points().escrow_milli == 0
    assert PointCalls(bea).boost(job, Boost(points=1000, boost=4)).boost == 4
    assert PointCalls(bea).boost(job, Boost(points=1000, boost=4)).boost == 4
    assert PointCalls(bea).points().escrow_milli == 1_000_000
    with pytest.raises(Forbidden):
        PointCalls(admin).boost(job, Boost(points=0, boost=1))
    bea.command(job, "cancel")
    assert PointCalls(bea).points().escrow_milli == 0
    assert PointCalls(admin).audit_points().faults == []
    with pytest.raises(Forbidden):
        PointCalls(bea).audit_points()


@pytest.mark.parametrize(
    "wish",
    [
        {"points": -1, "boost": 1},
        {"points": 0.5, "boost": 1},
        {"points": 10**30, "boost": 1},
        {"points": 1e300, "boost": 1},
        {"points": "NaN", "boost": 1},
        {"points": True, "boost": 1},
        {"points": 1, "boost": 0},
        {"points": 1, "boost": -3},
        {"points": 1, "boost": 16},
        {"points": 1, "boost": 1.5},
    ],
)
def test_hostile_amounts_are_refused(served: Served, admin: FarmClient, wish: dict[str, Any]) -> None:
    job = submit(admin)
    token = admin._http.headers["Authorization"]
    answer = served.http.put(f"/api/jobs/{job}/boost", json=wish, headers={"Authorization": token})
    assert answer.status_code == 422, answer.text
    assert admin.job(job).boost == 0


def test_nobody_spends_what_they_have_not(admin: FarmClient) -> None:
    job = submit(admin)
    with pytest.raises(NotEnoughPoints, match=r"This takes 1\.000 points, and there are 0\.000"):
        PointCalls(admin).boost(job, Boost(points=1, boost=1))
