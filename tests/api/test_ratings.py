"""Measuring slaves over real HTTP; the slaves are pretended, and one of them lies."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from farm.client.farmclient import FarmClient
from farm.client.usercalls import UserCalls
from farm.database.handle import Database
from farm.database.schema import slaves
from farm.protocol.points import RatingView
from farm.words.errors import Forbidden, WrongState
from tests.api.browsing import log_in, own, text
from tests.api.test_next import finished, tar
from tests.serving import Served, SlaveCaller


def rated(owner: FarmClient, slave: str) -> RatingView:
    end = time.monotonic() + 60
    while not (last := UserCalls(owner).ratings(slave)[0]).over:
        assert time.monotonic() < end
        time.sleep(0.1)
    return last


def draw(slave: SlaveCaller, folder: Path, cpu: float, pixels: str = "") -> list[int]:
    """Let a slave render what it gets, and say so; its pixels depend on the frame, unless it makes them up."""
    got: list[int] = []
    end = time.monotonic() + 60
    while len(got) < 3:
        assert time.monotonic() < end
        orders = slave.orders(want=1)
        for frame in [frame for lease in orders.leases for frame in lease.frames]:
            drawn = pixels or f"{frame.number:064x}"
            done = {**finished(frame.attempt, tar(folder)), "cpu_seconds": cpu, "pixels": drawn}
            slave.orders(finished=[done])
            got.append(frame.number)
    return got


def test_two_owners_slaves_that_agree_confirm_each_other_and_one_who_draws_something_else_stays_provisional(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    bea, carl = served.invited(admin, "bea"), served.invited(admin, "carl")
    first = served.slave(bea, "ws1", method="povray")
    (begun,) = UserCalls(bea).measure("ws1")
    assert (begun.over, begun.power) == (False, None)
    with pytest.raises(WrongState):
        UserCalls(bea).measure("ws1")
    with pytest.raises(Forbidden):
        UserCalls(carl).measure("ws1")
    known = draw(first, tmp_path, 9.44)
    alone = rated(bea, "ws1")
    assert (alone.power, alone.provisional) == (2.0, True)
    liar = served.slave(carl, "ws2", method="povray")
    UserCalls(carl).measure("ws2")
    assert set(draw(liar, tmp_path, 5.0, pixels="f" * 64)) & set(known)
    assert rated(carl, "ws2").provisional
    assert rated(bea, "ws1").provisional
    honest = served.slave(carl, "ws3", method="povray")
    UserCalls(carl).measure("ws3")
    draw(honest, tmp_path, 18.88)
    assert (rated(carl, "ws3").power, rated(carl, "ws3").provisional) == (1.0, False)
    assert not rated(bea, "ws1").provisional
    assert rated(carl, "ws2").provisional


def test_a_slaves_benchmarks_come_one_after_the_other(served: Served, admin: FarmClient) -> None:
    served.slave(admin, "ws1", method="povray")
    database = Database.open(f"sqlite:///{served.process.settings.data / 'distren.sqlite3'}")
    offers = '[{"method":"povray"},{"method":"blender","engines":["CYCLES"]}]'
    database.write_now(lambda c: c.execute(update(slaves).values(offers=offers)) and None)
    database.close()
    later, first = UserCalls(admin).measure("ws1")
    assert (admin.job(first.job).state, admin.job(later.job).state) == ("queued", "paused")
    admin.command(first.job, "cancel")
    end = time.monotonic() + 60
    while admin.job(later.job).state != "queued":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert UserCalls(admin).ratings("ws1")[1].power is None


def test_a_slaves_page_shows_what_it_is_measured_at_and_how_far_that_is(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    slave = served.slave(admin, "ws1", method="povray")
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as browser:
        log_in(browser)
        assert browser.post("/slaves", data={"slave": "ws1", "verb": "benchmark"}).status_code == 303
        page = text(browser.get("/slaves/ws1"))
        assert "It is being measured with povray: 0 of 3 frames, 0 %" in page
        assert "under way" in page
        draw(slave, tmp_path, 9.44)
        rated(admin, "ws1")
        page = text(browser.get("/slaves/ws1"))
        assert "being measured" not in page
        assert "2.00" in page
        assert "provisional: counts no more than 1" in page
        assert "somebody wanted it" in page
