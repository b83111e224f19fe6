"""Databases that go away under a running server, and servers that come back to thousands of leases."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import func, select

from farm.client import barelink
from farm.client.farmclient import FarmClient
from farm.database import engine
from farm.database.schema import attempts
from farm.simulator.manner import Manner
from farm.words.states import AttemptState, JobState
from tests.databases import MariaDB, mariadb_server
from tests.disks import read_only
from tests.farm.farm import Farm
from tests.farm.nursery import Forked, QuickFarm
from tests.farm.people import pretend_slaves

log = logging.getLogger(__name__)
KEPT = {AttemptState.WON, AttemptState.RETURNED, AttemptState.LATE}
"""How attempts may end where none is lost: what never began may be given back, a straggler may be leased twice."""


def ends(farm: Farm) -> Counter[AttemptState]:
    """Count all attempts by state."""
    reading = engine.reading(farm.database_url or f"sqlite:///{farm.folder / 'server' / 'distren.sqlite3'}")
    with reading.connect() as conn:
        rows = conn.execute(select(attempts.c.state, func.count()).group_by(attempts.c.state)).all()
    reading.dispose()
    return Counter({AttemptState(state): count for state, count in rows})


@pytest.fixture
def own_mariadb() -> Iterator[MariaDB]:
    """A MariaDB that the test may kill."""
    with mariadb_server() as server:
        yield server


def told_to_the_end(farm: Farm, job: int) -> threading.Thread:
    """Follow a job's events in a thread, as `distren watch` does; it ends with the job."""

    def follow() -> None:
        with FarmClient(farm.url, farm.token) as client:
            for event in client.events(job):
                if event.data.get("state") == JobState.DONE:
                    return

    thread = threading.Thread(target=follow)
    thread.start()
    return thread


def refused(farm: Farm) -> httpx.Response:
    """Ask until the server says that the database is away."""
    headers = {"Authorization": f"Bearer {farm.token}"}
    with httpx.Client(base_url=farm.url, headers=headers, timeout=20, trust_env=False) as http:
        return farm.until(lambda: (said := http.get("/api/jobs")).status_code == 503 and said, 20, "a refusal")


@pytest.mark.mariadb
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seconds", [8, pytest.param(60, marks=pytest.mark.soak)])
def test_mariadb_killed_in_mid_job_costs_nothing_but_time(own_mariadb: MariaDB, tmp_path: Path, seconds: int) -> None:
    own_mariadb.run("CREATE DATABASE farm")
    url = f"mysql+pymysql://root@127.0.0.1:{own_mariadb.port}/farm"
    settings = {"heartbeat_seconds": "2", "free_space": "0", "lease_seconds": "0.4"}
    with contextlib.closing(QuickFarm(tmp_path, url, **settings)) as farm:
        keys = [farm.client.make_slave_key(f"p{n}") for n in range(4)]
        with pretend_slaves(farm, keys, Manner(slots=2, seconds=0.2)):
            job = farm.sleep_job("1-400")
            follower = told_to_the_end(farm, job)
            farm.done_frames(job, 40)
            own_mariadb.kill()
            killed = time.monotonic()
            said = refused(farm)
            assert said.json()["code"] == "database_away"
            assert said.headers["content-type"] == "application/problem+json"
            assert int(said.headers["retry-after"]) >= 1
            ready = httpx.get(f"{farm.url}/readyz", timeout=20, trust_env=False)
            assert (ready.status_code, ready.json()["code"]) == (503, "database_away")
            assert "distren_database_up 0.0" in httpx.get(f"{farm.url}/metrics", timeout=20, trust_env=False).text
            assert httpx.get(f"{farm.url}/healthz", timeout=20, trust_env=False).status_code == 200
            time.sleep(max(seconds - (time.monotonic() - killed), 0))
            own_mariadb.start()
            farm.until(lambda: farm.answers(farm.client) and ready_again(farm), 30, "it is ready again")
            assert farm.ended(job, 90).counts.done == 400
            follower.join(30)
            assert not follower.is_alive(), "the follower heard of the end"
        assert set(ends(farm)) <= KEPT
        assert farm.audit() == []


def test_a_sqlite_file_that_turns_read_only_is_named_and_costs_nothing_but_time(quick_lite_farm: QuickFarm) -> None:
    farm = quick_lite_farm
    file = farm.folder / "server" / "distren.sqlite3"
    keys = [farm.client.make_slave_key(f"p{n}") for n in range(4)]
    headers = {"Authorization": f"Bearer {farm.token}"}
    with (
        pretend_slaves(farm, keys, Manner(slots=2, seconds=0.2)),
        httpx.Client(base_url=farm.url, headers=headers, timeout=30, trust_env=False) as http,
    ):
        job = farm.sleep_job("1-80")
        farm.done_frames(job, 8)
        with read_only(file, file.with_name(f"{file.name}-wal")):
            for _ in range(3):
                said = http.post("/api/accounts/invites", json={})
                assert (said.status_code, said.json()["code"]) == (503, "database_away"), said.text
                assert "file can't be written" in said.json()["detail"]
                assert int(said.headers["retry-after"]) >= 1
            assert http.get("/readyz").status_code == 503
            assert http.get(f"/api/jobs/{job}").json()["counts"]["done"] >= 8, "reading goes on"
        assert farm.ended(job, 90).counts.done == 80
        assert ready_again(farm)
    assert set(ends(farm)) <= KEPT
    assert farm.audit() == []


def ready_again(farm: Farm) -> bool:
    return httpx.get(f"{farm.url}/readyz", timeout=20, trust_env=False).status_code == 200


def restarted(farm: QuickFarm, slaves: int, slots: int, down: float, more: float) -> None:
    """Kill a server with a lease out for every slot; start it again, some time before the first frame ends."""
    keys = [farm.client.make_slave_key(f"p{n}") for n in range(slaves)]
    frames = slaves * slots
    with pretend_slaves(farm, keys, Manner(slots=slots, seconds=down + more, ahead=0.1)):
        job = farm.sleep_job(f"1-{frames}")
        farm.until(lambda: farm.client.job(job).counts.leased == frames, 300, "all slots have a frame")
        farm.server.kill()
        time.sleep(down)
        farm.start_server()
        assert isinstance(farm.server, Forked)
        time.sleep(more / 2)
        memory = psutil.Process(farm.server.popen.pid).memory_info().rss
        assert farm.ended(job, 300).counts.done == frames
    found = ends(farm)
    assert found.pop(AttemptState.WON) == frames
    assert set(found) <= KEPT, "nothing was lost or revoked"
    assert farm.audit() == []
    assert memory < 300_000_000


@pytest.mark.timeout(240)
def test_a_server_that_comes_back_to_many_leases_loses_none(quick_farm: QuickFarm) -> None:
    restarted(quick_farm, slaves=40, slots=4, down=7, more=4)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_server_that_comes_back_to_10_000_leases_loses_none(quick_farm: QuickFarm) -> None:
    restarted(quick_farm, slaves=500, slots=20, down=20, more=20)


def answers_watched(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[int, bool]]:
    """Count what pretend slaves are answered: the status, and whether it says when to come again."""
    said: Counter[tuple[int, bool]] = Counter()
    parsed = barelink._parsed

    def watched(head: bytes) -> tuple[int, int, bool]:
        found = parsed(head)
        said[found[0], b"\r\nretry-after:" in head.lower()] += 1
        return found

    monkeypatch.setattr(barelink, "_parsed", watched)
    return said


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_2_000_slaves_that_come_back_in_one_moment_are_all_let_in(
    quick_lite_farm: QuickFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = answers_watched(monkeypatch)
    restarted(quick_lite_farm, slaves=2000, slots=1, down=20, more=150)
    log.info("answers by status, and whether they say when to come again: %s", dict(said))
    assert {status for status, _ in said} <= {200, 204, 409, 503}  # 409: an older report of its own
    assert not said[503, False]


def test_a_server_that_slept_loses_no_slave(quick_lite_farm: QuickFarm) -> None:
    farm = quick_lite_farm
    keys = [farm.client.make_slave_key(f"p{n}") for n in range(4)]
    with pretend_slaves(farm, keys, Manner(slots=2, seconds=0.5)):
        job = farm.sleep_job("1-40")
        farm.done_frames(job, 8)
        assert isinstance(farm.server, Forked)
        farm.server.freeze(8)
        assert farm.ended(job, 60).counts.done == 40
    assert set(ends(farm)) <= KEPT
