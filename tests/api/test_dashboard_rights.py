"""Every address of the dashboard, as nobody and as another user; made from its routes, so that none is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from farm.api.dashboard.app import ROOMS
from farm.api.dashboard.files import PUBLIC
from farm.api.dashboard.rendering import HEADERS
from farm.client.farmclient import FarmClient
from farm.protocol.accounts import LogIn
from farm.protocol.errands import ErrandView, SendErrand
from farm.words.errands import Errand
from tests.api.test_dashboard import own
from tests.api.test_jobs import queued, render
from tests.api.test_upgrades import Old, old
from tests.serving import PASSPHRASE, Served, serving

ROUTES = sorted(
    (method, str(route.path))
    for room in ROOMS
    for route in room.router.routes
    for method in sorted(route.methods - {"HEAD"})
)
"""Method and address of all pages and forms."""

OPEN = {"/addon", "/docs", *PUBLIC}
"""What anyone may open."""

OWN_CODE = re.compile(r"<script(?! src=\"/static/)|<style|<svg/|\sstyle=|\son\w+=|javascript:")
"""What a strict policy would refuse to run or show."""

EVIL = "secret shot<script>alert(1)</script>\"'><svg/onload=alert(2)>"
"""What ada calls all that she may name, and what her slave says of itself."""

ADMINS = {
    *("/settings", "/users", "/newslave/code"),
    *(f"/servers/{verb}" for verb in ("invite", "accept", "keys", "lend", "borrow")),
    *(f"/shares/{what}" for what in ("terms", "user", "pool")),
}
"""What only admins may open."""


@dataclass
class Strangers:
    """A farm for strangers: ada has a job and a slave, bob has nothing; `names` fill addresses with what is ada's."""

    served: Served
    admin: FarmClient
    bob: httpx.Client
    names: dict[str, str]

    def filled(self, address: str) -> str:
        """Return an address that is about something of ada's."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: self.names[found[1]], address)

    def state(self) -> object:
        """Return what nobody but ada may change."""
        job, (slave,) = self.admin.job(int(self.names["job"])), self.admin.slaves()
        return (
            *(job.state, job.priority, job.boost, job.rush, job.counts),
            *(slave.state, slave.errand, slave.terms, slave.tags, slave.pool),
            self.admin.join_codes(),
        )


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strangers]:
    folder = tmp_path_factory.mktemp("strangers")
    with serving(folder / "data", profile="open") as served:
        admin = served.admin()
        slave = old(served, admin)
        hardware = {"cores": 1, "memory_bytes": 0, "hostname": EVIL, "devices": [EVIL], "remarks": [EVIL]}
        slave.login |= {"version": EVIL, "hardware": hardware, "offers": [{"method": "sleep", "cannot": [EVIL]}]}
        slave.again(Old.build)
        job = queued(admin, folder, frames="1-3", name=EVIL, comment=EVIL, project=EVIL).job
        render(slave, 1)
        errand = admin.post("/api/slaves/ws01/errands", ErrandView, SendErrand(errand=Errand.LOG)).number
        slave.http.post("/api/slave/errand", json={"number": errand, "stage": "done", "message": EVIL, "text": EVIL})
        slave.orders(message=EVIL)
        served.invited(admin, "bob")
        names = {
            "job": str(job),
            "frame": "1",
            "name": "ws01",
            "number": str(errand),
            "token": "00" * 32,
            "verb": "pause",
        }
        with httpx.Client(base_url=served.url, headers=own(served), trust_env=False, timeout=60) as bob:
            assert bob.post("/login", data={"name": "bob", "passphrase": PASSPHRASE}).status_code == 303
            yield Strangers(served, admin, bob, names)
        slave.close()


def test_nobody_gets_no_page_but_the_login(strangers: Strangers) -> None:
    assert len(ROUTES) > 30
    with httpx.Client(base_url=strangers.served.url, headers=own(strangers.served), trust_env=False) as nobody:
        for method, address in ROUTES:
            answer = nobody.request(method, strangers.filled(address))
            if address in OPEN:
                assert answer.status_code in {200, 401, 422}, address
            elif method == "GET":
                assert (answer.status_code, answer.headers["location"][:7]) == (303, "/login?"), address
            else:
                assert answer.status_code == 401, address


def test_a_stranger_sees_and_changes_nothing_of_anothers(strangers: Strangers) -> None:
    before = strangers.state()
    for method, address in ROUTES:
        if address == "/logout":
            continue
        form = {"verb": "pause", "job": strangers.names["job"], "slave": "ws01", "sure": "true"}
        given = {"data": form} if method == "POST" else {}
        answer = strangers.bob.request(method, strangers.filled(address), **given)
        assert answer.status_code < 500, address
        if "{" in address and not address.startswith("/me/"):
            assert answer.status_code in {403, 404, 422}, (method, address, answer.status_code)
        if address in ADMINS:
            assert answer.status_code == 403, address
        if answer.status_code < 400:
            assert "secret shot" not in answer.text, address
    assert strangers.state() == before


def test_a_stranger_compares_with_no_frame_of_anothers(strangers: Strangers, tmp_path: Path) -> None:
    served = strangers.served
    bob = served.client(served.client().login(LogIn(name="bob", passphrase=PASSPHRASE)).token)
    page = f"/jobs/{queued(bob, tmp_path, frames='1').job}/1/compare"
    assert strangers.bob.get(page).status_code == 200
    assert strangers.bob.get(page, params={"job": strangers.names["job"]}).status_code == 404


def test_a_form_that_another_site_sends_does_nothing_whoever_is_logged_in(strangers: Strangers) -> None:
    before = strangers.state()
    forms = [address for method, address in ROUTES if method == "POST"]
    assert len(forms) > 20
    with httpx.Client(base_url=strangers.served.url, headers=own(strangers.served), trust_env=False) as ada:
        ada.post("/login", data={"name": "ada", "passphrase": PASSPHRASE})
        for address in forms:
            form = {"verb": "pause", "job": strangers.names["job"], "slave": "ws01", "sure": "true"}
            crossing = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
            assert ada.post(strangers.filled(address), data=form, headers=crossing).status_code in {401, 403}, address
        assert ada.get("/me").status_code == 200, "not even logged out"
    assert strangers.state() == before


def test_each_page_has_the_whole_policy_and_no_script_or_style_of_its_own(strangers: Strangers) -> None:
    with httpx.Client(base_url=strangers.served.url, headers=own(strangers.served), trust_env=False) as ada:
        ada.post("/login", data={"name": "ada", "passphrase": PASSPHRASE})
        for method, address in ROUTES:
            answer = ada.request(method, strangers.filled(address)) if method == "GET" else None
            if answer is None or not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, address
            assert OWN_CODE.findall(answer.text) == [], address
            assert re.search(r"<main.*<h1.*</main>", answer.text, re.DOTALL), f"{address} says nothing without a script"
