"""Slaves on the dashboard: many at once, errands, new machines, and what machines are busy with."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from farm.client.farmclient import FarmClient
from farm.package.release import NAME
from farm.protocol.terms import Terms
from farm.words.joincode import JoinCode
from farm.words.states import SlaveState
from tests.api.test_dashboard import own, text
from tests.api.test_jobs import queued, render
from tests.api.test_upgrades import Old, old
from tests.serving import PASSPHRASE, Served, serving


@dataclass
class Yard:
    """A server with machines, and browsers of its admin, ada, and of bob, who owns none."""

    served: Served
    admin: FarmClient
    slave: Old
    ada: httpx.Client
    bob: httpx.Client


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with serving(tmp_path_factory.mktemp("yard")) as served:
        admin = served.admin()
        served.invited(admin, "bob")
        browsers = [httpx.Client(base_url=served.url, headers=own(served), trust_env=False, timeout=30) for _ in "ab"]
        for browser, name in zip(browsers, ("ada", "bob"), strict=True):
            assert browser.post("/login", data={"name": name, "passphrase": PASSPHRASE}).status_code == 303
        slave = old(served, admin)
        yield Yard(served, admin, slave, *browsers)
        slave.close()
        for browser in browsers:
            browser.close()


def states(yard: Yard) -> dict[str, SlaveState]:
    return {slave.name: slave.state for slave in yard.admin.slaves()}


def test_many_slaves_are_steered_at_once_and_what_can_not_be_done_is_said_by_name(yard: Yard) -> None:
    for name in ("many1", "many2"):
        yard.admin.make_slave_key(name)
    chosen = {"slave": ["many1", "many2"]}
    assert yard.ada.post("/slaves", data={**chosen, "verb": "pause"}).status_code == 303
    assert {states(yard)[name] for name in chosen["slave"]} == {SlaveState.PAUSED}
    refused = yard.ada.post("/slaves", data={"slave": ["many1", "ws01"], "verb": "test"})
    assert refused.status_code == 409
    assert "Slave many1 does not run errands" in refused.text
    assert "1 other slave: done" in refused.text
    asked = yard.ada.post("/slaves", data={**chosen, "verb": "retire"})
    assert "Retire 2 slaves?" in text(asked)
    assert "many1" in states(yard), "nothing final is done before a yes"
    assert yard.ada.post("/slaves", data={**chosen, "verb": "retire", "sure": "true"}).status_code == 303
    assert "many1" not in states(yard)
    assert yard.ada.post("/slaves", data={"slave": "ws01", "verb": "fly"}).status_code == 409


def test_a_log_is_asked_for_and_shown_as_text_to_those_who_may_steer_the_slave(yard: Yard) -> None:
    assert yard.ada.post("/slaves", data={"slave": "ws01", "verb": "log"}).headers["location"] == "/slaves/ws01"
    order = yard.slave.orders().errand
    assert order is not None
    assert "Read log: under way" in text(yard.ada.get("/slaves"))
    word = {"number": order.number, "stage": "done", "message": "1 line.", "text": "<script>alert(1)</script>\n"}
    assert yard.slave.http.post("/api/slave/errand", json=word).status_code == 204
    address = f"/slaves/ws01/errands/{order.number}"
    assert address in yard.ada.get("/slaves/ws01").text
    shown = yard.ada.get(address)
    assert "&lt;script&gt;alert(1)" in shown.text
    assert "<script>alert" not in shown.text
    assert yard.bob.get(address).status_code == 403
    theirs = yard.bob.get("/slaves/ws01")
    assert theirs.status_code == 200
    assert address not in theirs.text
    assert 'value="stop"' not in theirs.text
    assert yard.bob.post("/slaves", data={"slave": "ws01", "verb": "log"}).status_code == 409


def test_a_slaves_page_shows_what_its_machine_is_busy_with_and_what_it_renders(yard: Yard, tmp_path: Path) -> None:
    job = queued(yard.admin, tmp_path, frames="1-2").job
    render(yard.slave, 1)
    (lease,) = yard.slave.orders(want=1, hold=5).leases
    running = [{"attempt": lease.frames[0].attempt, "progress": 0.42, "seconds": 30}]
    load = {"cpu": 0.87, "memory_used": 5 * 10**8, "disk_bytes": 10**12, "disk_free": 4 * 10**11, "cache_bytes": 10**9}
    yard.slave.orders(running=running, load=load)
    shown = text(yard.ada.get("/slaves/ws01"))
    assert "Processors now 87 %" in shown
    assert "Memory used now 500 MB of 1 GB" in shown
    assert "Disk used now 600 GB of 1 TB" in shown
    assert "Cache now 1 GB" in shown
    assert f"{job}/2 nap" in shown
    assert "42 %" in shown


def test_a_join_code_is_made_shown_with_its_commands_and_revoked_by_admins_only(yard: Yard) -> None:
    made = yard.ada.post("/newslave/code", data={"machines": "3", "hours": "2"}).text
    code = JoinCode.parse(re.findall(r"distren join (\S+)</pre>", made)[0])
    assert code.address == yard.served.url
    assert made.count(f'pip install "{yard.served.url}/install/{NAME}"') == 2
    assert "3 machines" in text(yard.ada.get("/newslave"))
    (view,) = yard.admin.join_codes()
    assert yard.bob.post("/newslave/code", data={"machines": "3"}).status_code == 403
    assert yard.bob.post(f"/newslave/code/{view.name}/revoke").status_code == 403
    assert "join code" not in text(yard.bob.get("/newslave"))
    assert yard.ada.post(f"/newslave/code/{view.name}/revoke").status_code == 303
    assert yard.admin.join_codes() == []


def test_anyone_may_install_the_servers_own_distren(yard: Yard) -> None:
    wheel = yard.served.http.get(f"/install/{NAME}")
    assert wheel.headers["content-disposition"] == f'attachment; filename="{NAME}"'
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert "farm/slave/agent.py" in archive.namelist()


def test_an_owner_says_on_a_page_what_is_lent_and_the_slave_hears_of_it(yard: Yard) -> None:
    form = {"cores": "1", "memory": "1.5", "disk": "20", "accept": "mine", "methods": "sleep"}
    assert yard.bob.post("/slaves/ws01/terms", data=form).status_code == 403
    assert yard.ada.post("/slaves/ws01/terms", data=form).headers["location"] == "/slaves/ws01"
    told = yard.slave.orders().terms
    assert told is not None
    assert (told.cores, told.memory_bytes, told.disk_bytes) == (1, 15 * 10**8, 2 * 10**10)
    assert (told.cards, told.accept, told.methods) == (False, "mine", ["sleep"])
    for browser in (yard.ada, yard.bob):
        assert "its owner’s jobs, by sleep" in text(browser.get("/slaves/ws01"))
    assert "/slaves/ws01/terms" not in yard.bob.get("/slaves/ws01").text
    filled = yard.ada.get("/slaves/ws01").text
    assert re.search(r'name="memory"[^>]* value="1.5"', filled)
    assert re.search(r'value="sleep" checked', filled)
    assert yard.ada.post("/slaves/ws01/terms", data={"cards": "true"}).status_code == 303
    assert yard.admin.slaves()[0].terms == Terms(), "an empty form lends all again"
    assert yard.ada.post("/slaves/ws01/terms", data={"accept": "nobody"}).status_code == 422


def test_admins_tag_slaves_put_them_into_pools_and_weigh_users_on_pages(yard: Yard) -> None:
    assert yard.ada.post("/slaves/ws01/tags", data={"tags": "Gpu, fast"}).status_code == 303
    assert "The tags.0 won" in html.unescape(yard.ada.post("/slaves/ws01/tags", data={"tags": "<b>"}).text)
    assert yard.ada.post("/shares/pool", data={"name": "heavy", "users": "bob"}).status_code == 303
    assert yard.ada.post("/slaves/ws01/pool", data={"pool": "heavy"}).status_code == 303
    assert yard.ada.post("/slaves/ws01/pool", data={"pool": "none such"}).status_code == 404
    shown = yard.admin.slaves()[0]
    assert (shown.tags, shown.pool) == (["fast", "gpu"], "heavy")
    assert "heavy ws01 bob" in text(yard.bob.get("/shares"))
    assert 'value="ws01"' in yard.ada.get("/shares?pool=heavy").text, "the form begins with what is"
    assert "Undo the pool heavy?" in text(yard.ada.post("/shares/pool/heavy/remove"))
    assert yard.ada.post("/shares/pool/heavy/remove", data={"sure": "true"}).status_code == 303
    assert yard.admin.slaves()[0].pool == ""
    assert yard.ada.post("/shares/user", data={"user": "bob", "weight": "2", "slots": "3"}).status_code == 303
    assert yard.ada.post("/shares/user", data={"user": "nobody"}).status_code == 404
    terms = {"half_life": "60", "points_weight": "0.5", "unserved": "20"}
    assert yard.ada.post("/shares/terms", data=terms).status_code == 303
    seen = text(yard.ada.get("/shares"))
    assert re.search(r"bob 2 by word 1 by points 3 slots", seen)
    assert "Longest wait 20 min" in seen
    assert yard.ada.post("/shares/terms", data={**terms, "half_life": "1"}).status_code == 422
    record = text(yard.ada.get("/users"))
    assert "unserved_minutes&#34;:20.0}" in record, "what stays as it is, is not on record"
    theirs = text(yard.bob.get("/shares"))
    assert "20 min" in theirs
    assert "Users with a share of their own" not in theirs, "others' weights are for admins"
