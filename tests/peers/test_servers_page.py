"""The page of peers, as a browser without scripts opens it."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.api.browsing import own, text
from tests.peers.conftest import Home, home, sleep_job
from tests.ports import free_port
from tests.serving import PASSPHRASE


@contextmanager
def browser(at: Home, name: str) -> Iterator[httpx.Client]:
    """A browser in which somebody is logged in."""
    with httpx.Client(base_url=at.served.url, headers=own(at.served), trust_env=False, timeout=60) as made:
        assert made.post("/login", data={"name": name, "passphrase": PASSPHRASE}).status_code == 303
        yield made


def code_on(page: httpx.Response) -> str:
    found = re.search(r"<pre[^>]*>(.*?)</pre>", page.text, re.DOTALL)
    assert found, page.text
    return html.unescape(found[1])


def test_two_admins_agree_pause_and_end_on_the_page_also_where_one_server_is_below_a_path(tmp_path: Path) -> None:
    port = free_port()
    below = {"public_url": f"http://127.0.0.1:{port}/farm", "port": port}
    with home(tmp_path / "a", "alpha", **below) as alpha, home(tmp_path / "b", "beta") as beta:
        alpha.served.invited(alpha.admin, "eve")
        with (
            browser(alpha, "alpha-admin") as here,
            browser(beta, "beta-admin") as there,
            browser(alpha, "eve") as eve,
        ):
            assert "exchanges jobs with no other" in text(here.get("/servers"))
            code = code_on(there.post("/servers/invite", data={"name": "alpha", "sees_all": "true"}))
            assert code not in there.get("/servers").text, "a code is shown once"
            assert here.post("/servers/accept", data={"code": code}).status_code == 303
            assert "beta up" in text(here.get("/servers"))
            assert "Its users see all jobs here" in text(there.get("/servers"))
            assert here.post("/servers/beta/pause").status_code == 303
            assert "beta paused" in text(here.get("/servers"))
            assert here.post("/servers/beta/resume").status_code == 303
            _a_user_sees_it_and_changes_nothing(eve)
            assert "Make new keys for this server?" in text(here.post("/servers/keys"))
            assert "Told: beta" in text(here.post("/servers/keys", data={"sure": "true"}))
            job = sleep_job(beta.at("alpha")).job
            told = text(here.get("/servers"))
            assert "1 job of theirs has not ended here" in told
            asked = text(here.post("/servers/beta/end"))
            assert "End the exchange with beta?" in asked
            assert f"job {job}" in asked, "what would be lost is named"
            assert "beta up" in text(here.get("/servers")), "nothing ends before a yes"
            assert here.post("/servers/beta/end", data={"sure": "true"}).status_code == 303
            assert "beta ended" in text(here.get("/servers"))


def test_what_waits_for_a_server_and_what_went_wrong_there_is_shown(pair: tuple[Home, Home]) -> None:
    alpha, _ = pair
    there = sleep_job(alpha.at("beta")).job
    sleep_job(alpha.admin, depends=[{"on": f"distren://beta/{there}", "match": "same"}])
    with browser(alpha, "alpha-admin") as here:
        assert "Jobs here wait for 3 frames of it" in text(here.get("/servers"))
        refused = here.post("/servers/accept", data={"code": "nonsense"})
        assert 400 <= refused.status_code < 500
        assert "no name for a server" in here.post("/servers/invite", data={"name": "<b>x</b>"}).text


def test_what_servers_lend_each_other_is_said_on_the_page(pair: tuple[Home, Home]) -> None:
    alpha, _ = pair
    with browser(alpha, "alpha-admin") as here:
        terms = {"name": "beta", "slots": "2", "hours": "sat-sun", "methods": "sleep", "gb_per_day": "1.5"}
        assert here.post("/servers/lend", data={**terms, "idle_only": "true"}).status_code == 303
        assert here.post("/servers/borrow", data={"name": "beta", "users": "alpha-admin"}).status_code == 303
        (peer,) = alpha.peers.peers()
        assert peer.lends is not None
        assert peer.borrows is not None
        assert (peer.lends.slots, peer.lends.bytes_per_day, peer.lends.idle_only) == (2, 15 * 10**8, True)
        shown = text(here.get("/servers"))
        assert "Lends it 2 slots, while nothing is left to render here, sat-sun, for sleep, 1.5 GB a day." in shown
        assert "Its slaves may render all jobs here, of alpha-admin." in shown
        file = alpha.served.process.settings.data / "distren.sqlite3"
        with sqlite3.connect(file, timeout=60) as conn:
            rows = [("beta", n, 10**6, n, 1500, "x") for n in (1, 2)]
            conn.executemany(
                "INSERT INTO lentframe (peer, attempt, cpu, at, milli, receipt) VALUES (?,?,?,?,?,?)", rows
            )
        shown = text(here.get("/servers"))
        assert "For 2 frames rendered here it owes 3.000 points; for 0 frames rendered there this server" in shown
        assert "The balance is 3.000." in shown
        assert here.post("/servers/lend", data={**terms, "hours": "at noon"}).status_code == 422
        assert here.post("/servers/lend", data={**terms, "name": "gamma"}).status_code == 404
        for verb in ("keep", "refrain"):
            assert here.post(f"/servers/beta/{verb}").status_code == 303
        (peer,) = alpha.peers.peers()
        assert (peer.lends, peer.borrows) == (None, None)


def _a_user_sees_it_and_changes_nothing(eve: httpx.Client) -> None:
    seen = eve.get("/servers")
    assert "beta up" in text(seen)
    assert "/servers/beta/" not in seen.text, "no button that would be refused"
    for address in ("beta/pause", "beta/end", "beta/keep", "invite", "accept", "keys", "lend", "borrow"):
        form = {"sure": "true", "name": "gamma", "code": "x"}
        assert eve.post(f"/servers/{address}", data=form).status_code == 403, address
    assert "beta up" in text(eve.get("/servers"))
