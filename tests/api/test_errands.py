"""What people have slaves do, over HTTP: told to the slave at once, by those who may, and over in the right way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from farm.client.farmclient import FarmClient
from farm.database import engine
from farm.protocol.errands import ErrandOrder, ErrandView, SendErrand
from farm.scheduler.samples import PLACES, STEP, of_named
from farm.words.errands import Errand
from farm.words.errors import Forbidden, NotFound, WrongState
from tests.api.test_upgrades import Old, old
from tests.serving import Served, serving

_VIEWS = TypeAdapter(list[ErrandView])


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[Served]:
    """A server on each kind of database in turn."""
    more = {"database": database_url} if database_url else {}
    with serving(tmp_path / "data", **more) as running:
        yield running


def send(client: FarmClient, errand: Errand, **more: Any) -> ErrandView:
    wish = SendErrand(errand=errand, **more)
    return client.post("/api/slaves/ws01/errands", ErrandView, wish)


def views(client: FarmClient) -> list[tuple[Errand, str, str]]:
    found = _VIEWS.validate_json(client.send("GET", "/api/slaves/ws01/errands").content)
    return [(view.errand, view.stage, view.message) for view in found]


def says(slave: Old, order: ErrandOrder | None, stage: str, **more: Any) -> int:
    assert order is not None
    word = {"number": order.number, "stage": stage, **more}
    return slave.http.post("/api/slave/errand", json=word).status_code


def test_an_errand_is_told_at_once_and_again_until_it_is_over(both: Served) -> None:
    admin = both.admin()
    slave = old(both, admin)
    assert slave.orders().errand is None
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(slave.orders, hold=60, want=1)
        sent = send(admin, Errand.LOG)
        told = hanging.result(30).errand
    assert told is not None
    assert (told.number, told.errand) == (sent.number, Errand.LOG)
    assert says(slave, told, "begun") == 204
    assert slave.orders().errand == told
    assert says(slave, told, "done", message="Two lines.", text="one\ntwo <b>\n") == 204
    assert slave.orders().errand is None
    assert views(admin) == [(Errand.LOG, "done", "Two lines.")]
    shown = admin.send("GET", f"/api/slaves/ws01/errands/{sent.number}/text").json()
    assert shown == {"text": "one\ntwo <b>\n"}
    with pytest.raises(NotFound):
        admin.send("GET", "/api/slaves/ws01/errands/99/text")
    slave.close()


def test_a_newer_errand_takes_the_place_of_one_that_is_not_over(both: Served) -> None:
    admin = both.admin()
    slave = old(both, admin)
    send(admin, Errand.RESTART)
    first = slave.orders().errand
    assert says(slave, first, "begun") == 204
    send(admin, Errand.STOP_NOW)
    newer = slave.orders().errand
    assert says(slave, first, "failed", message="late") == 204
    assert says(slave, newer, "begun") == 204
    slave.http.post("/api/slave/logout").raise_for_status()
    assert views(admin) == [(Errand.STOP_NOW, "done", "It has ended."), (Errand.RESTART, "replaced", "")]
    slave.close()


def test_a_stop_that_a_slave_never_heard_of_is_not_done_when_it_goes_but_told_when_it_is_back(both: Served) -> None:
    admin = both.admin()
    slave = old(both, admin)
    send(admin, Errand.STOP)
    slave.again(Old.build)
    assert views(admin) == [(Errand.STOP, "ordered", "")]
    told = slave.orders().errand
    assert says(slave, told, "begun") == 204
    slave.again(Old.build)
    assert slave.orders().errand is None
    assert views(admin) == [(Errand.STOP, "done", "It has ended.")]
    slave.close()


def test_a_restart_is_done_when_the_slave_is_back(both: Served) -> None:
    admin = both.admin()
    slave = old(both, admin)
    send(admin, Errand.RESTART)
    assert says(slave, slave.orders().errand, "begun") == 204
    slave.again(Old.build)
    assert slave.orders().errand is None
    assert views(admin) == [(Errand.RESTART, "done", "It is back.")]
    send(admin, Errand.TEST)
    told = slave.orders().errand
    assert says(slave, told, "begun") == 204
    slave.again(Old.build)
    assert slave.orders().errand == told, "a slave that broke off does it anew"
    slave.close()


def test_only_its_owner_or_an_admin_sends_a_slave_on_errands_or_reads_its_log(served: Served) -> None:
    admin = served.admin()
    slave = old(served, admin)
    bob = served.invited(admin, "bob")
    for verb, path in (("GET", "/api/slaves/ws01/errands"), ("GET", "/api/slaves/ws01/errands/1/text")):
        with pytest.raises(Forbidden):
            bob.send(verb, path)
    with pytest.raises(Forbidden):
        send(bob, Errand.STOP)
    slave.http.post("/api/slave/logout").raise_for_status()
    with pytest.raises(WrongState, match="offline"):
        send(admin, Errand.STOP)
    slave.close()
    served.slave(admin, "simple")
    with pytest.raises(WrongState, match="does not run errands"):
        admin.post("/api/slaves/simple/errands", ErrandView, SendErrand(errand=Errand.LOG))


def test_what_a_machine_is_busy_with_is_kept_for_a_day_and_no_longer(both: Served) -> None:
    admin = both.admin()
    slave = old(both, admin)
    for cpu in (0.25, 0.5):
        slave.orders(load={"cpu": cpu, "memory_used": 7, "disk_bytes": 9, "disk_free": 8, "cache_bytes": 2**40})
    with engine.reading(both.process.settings.database_url).connect() as conn:
        found = of_named(conn, "ws01", 0)
        assert [(one.cpu, one.memory, one.free, one.cache) for one in found] == [(0.5, 7, 8, 2**40)]
        assert of_named(conn, "ws01", found[0].at + PLACES * STEP) == []
    slave.close()
