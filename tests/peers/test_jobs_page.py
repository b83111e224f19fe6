"""The list of jobs shows those at other servers beside the own, and never waits for them."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.api.browsing import text
from tests.peers.conftest import Home, befriend, home, sleep_job
from tests.peers.test_servers_page import browser


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait as long as a busy machine needs."""
    monkeypatch.setattr("farm.peers.elsewhere.PATIENCE", 60.0)


@pytest.fixture
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, ExitStack]]:
    """`alpha`, whose peer `beta` the test may end."""
    with ExitStack() as stack, ExitStack() as other:
        alpha = stack.enter_context(home(tmp_path_factory.mktemp("alpha"), "alpha"))
        beta = other.enter_context(home(tmp_path_factory.mktemp("beta"), "beta"))
        befriend(alpha, beta)
        yield alpha, other


def test_jobs_at_a_peer_stand_beside_the_own_and_are_controlled_from_home(pair: tuple[Home, Home]) -> None:
    alpha, beta = pair
    own, there = sleep_job(alpha.admin).job, sleep_job(alpha.at("beta")).job
    with browser(alpha, "alpha-admin") as here:
        first = here.get("/jobs")
        assert f"beta/{there} sleep" not in text(first), "no page waits for a peer"
        assert 'hx-get="/jobs?server=beta&amp;ask=true"' in first.text, "the browser asks"
        asked = text(here.get("/jobs?server=beta&ask=true"))
        assert f"beta/{there} sleep" in asked
        assert f"{own} sleep" not in re.sub(r"beta/\d+ sleep", "", asked)
        both = text(here.get("/jobs"))
        assert f"beta/{there} sleep" in both, "what it said last"
        assert "alpha-admin@beta" not in both
        assert "beta" not in text(here.get("/jobs?server=alpha")).partition("Owner Priority")[2]
        shown = text(here.get(f"/jobs/at/beta/{there}"))
        assert f"beta/{there} sleep queued" in shown
        assert "Cancel 1 job at beta?" in text(here.post("/jobs/at/beta", data={"verb": "cancel", "job": there}))
        assert beta.admin.jobs(state="queued").jobs, "nothing is canceled before a yes"
        for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "canceled"), ("retry", "queued")):
            form = {"verb": verb, "job": str(there), "sure": "true"}
            assert here.post("/jobs/at/beta", data=form).status_code == 303, verb
            assert alpha.at("beta").job(there).state == state
        assert here.post("/jobs/at/beta", data={"verb": "delete", "job": there, "sure": "true"}).status_code == 303
        assert here.get(f"/jobs/at/beta/{there}").status_code == 404
        assert here.post("/jobs/at/beta", data={"verb": "explode", "job": there}).status_code == 404
        assert here.get(f"/jobs/at/gamma/{there}").status_code == 404
        filtered = text(here.get("/jobs?server=beta&ask=true&state=failed"))
        assert "No such jobs there." in filtered


def test_others_jobs_at_a_peer_are_not_shown_from_what_it_told_somebody_else(pair: tuple[Home, Home]) -> None:
    alpha, _ = pair
    alpha.served.invited(alpha.admin, "maya")
    there = sleep_job(alpha.at("beta")).job
    with browser(alpha, "alpha-admin") as here, browser(alpha, "maya") as maya:
        assert f"beta/{there}" in text(here.get("/jobs?server=beta&ask=true"))
        assert f"beta/{there}" not in text(maya.get("/jobs"))
        assert f"beta/{there}" not in text(maya.get("/jobs?server=beta&ask=true"))


def test_of_a_peer_that_is_down_the_last_known_state_is_shown_with_since_when(
    apart: tuple[Home, ExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha, other = apart
    there = sleep_job(alpha.at("beta")).job
    with browser(alpha, "alpha-admin") as here:
        here.get("/jobs?server=beta&ask=true")
        other.close()
        asked = text(here.get("/jobs?server=beta&ask=true"))
        assert f"beta/{there} sleep" in asked
        assert "This is what it said" in asked
        alpha.sql("UPDATE peer SET away = 1764140000000000")
        assert "beta cannot be reached since 2025-11-26" in text(here.get("/jobs"))
        sleep_job(alpha.admin)
        # A peer that takes connections and says nothing.
        monkeypatch.setattr("farm.peers.elsewhere.PATIENCE", 3.0)
        with socket.create_server(("127.0.0.1", 0)) as mute:
            alpha.sql(f"UPDATE peer SET url = 'http://127.0.0.1:{mute.getsockname()[1]}'")
            waiting = threading.Thread(target=lambda: here.get("/jobs?server=beta&ask=true"))
            waiting.start()
            try:
                with browser(alpha, "alpha-admin") as quick:
                    assert "beta" in text(quick.get("/jobs"))
            finally:
                waiting.join(60)
            assert not waiting.is_alive(), "a page waits for a server that says nothing"
