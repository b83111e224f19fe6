"""Lines that are dead one way only, between a slave, its server and the database of that.

Nothing is lost or counted twice, nobody waits for ever, and all goes on by itself when the line is whole again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from farm.server.patience import DEAF_SECONDS
from farm.words.errors import Unavailable
from farm.words.states import AttemptState, JobState, SlaveState
from tests.databases import MariaDB, mariadb_server
from tests.farm.farm import Farm
from tests.farm.test_network import Apart, check
from tests.farm.test_network import apart as apart
from tests.farm.test_outages import ends
from tests.network import FAR, NEAR, Line, line

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
PATIENCE = 75
"""Seconds in which the server must answer, whatever the database does: a little more than it waits for that."""


class Asking(threading.Thread):
    """Somebody who asks again and again; `longest` is the longest that an answer took, in seconds."""

    def __init__(self, farm: Farm, path: str) -> None:
        super().__init__()
        self.farm, self.path = farm, path
        self.over = threading.Event()
        self.longest = 0.0
        self.fault: Exception | None = None

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.farm.token}"}
        with httpx.Client(base_url=self.farm.url, headers=headers, timeout=PATIENCE, trust_env=False) as http:
            while not self.over.wait(0.2) and self.fault is None:
                began = time.monotonic()
                try:
                    http.get(self.path)
                except httpx.HTTPError as error:
                    self.fault = error
                self.longest = max(self.longest, time.monotonic() - began)

    def ended(self) -> Asking:
        self.over.set()
        self.join(PATIENCE + 10)
        assert self.fault is None, f"waited {self.longest:.0f} s: {self.fault!r}"
        return self


@pytest.mark.parametrize("silent", [NEAR, FAR], ids=["the slave hears nothing", "the slave is not heard"])
def test_a_slave_on_a_line_that_is_dead_one_way_loses_nothing(apart: Apart, silent: str) -> None:
    farm, way = apart.farm, apart.way
    apart.slave()
    job = farm.sleep_job("1-120", seconds=0.5, output_bytes=100_000)
    farm.done_frames(job, 10)
    with way.broken(silent):
        farm.until(lambda: farm.client.slaves()[0].state is SlaveState.OFFLINE, 60, "the slave counts as gone")
        before = farm.client.job(job).counts.done
        time.sleep(30)  # longer than each call of the slave's may take
        held = farm.client.job(job).counts
        assert held.leased == 0, "what it had waits for others"
        assert held.done - before <= 2, "what was on its way"
    assert farm.ended(job, 180).state is JobState.DONE
    assert [file.frame for file in farm.output(job)] == list(range(1, 121))
    assert ends(farm)[AttemptState.WON] == 120
    assert farm.audit() == []


def connections(farm: Farm) -> int:
    """Return how many connections the server has to the far side."""
    its = psutil.Process(farm.server.popen.pid)
    return sum(1 for one in its.net_connections("tcp") if one.raddr and one.raddr.ip == FAR)


def test_who_vanishes_in_the_middle_of_a_download_is_let_go_after_two_minutes(apart: Apart) -> None:
    """Linux itself would send on for a quarter of an hour; `TCP_USER_TIMEOUT` ends that."""
    farm, way = apart.farm, apart.way
    farm.start_slave()
    job = farm.sleep_job("1", output_bytes=50_000_000)
    assert farm.ended(job, 120).state is JobState.DONE
    way.delay = 0.05
    fetching = apart.fetch(job)
    apart.until_passed(NEAR, 1_000_000)
    with way.broken():
        cut = time.monotonic()
        fetching.kill()  # what its system would say of that gets lost, too
        fetching.wait()
        assert connections(farm)
        farm.until(lambda: not connections(farm), 1.3 * DEAF_SECONDS, "the server lets it go")
        log.info("seconds until the server let the connection go: %s", time.monotonic() - cut)
        assert time.monotonic() - cut > 0.5 * DEAF_SECONDS, "a short cut ends nothing"
    apart.ends_well(apart.fetch(job))
    check(apart, job, 1)


class FarMariaDB(MariaDB):
    """A MariaDB that is reached from another machine."""

    def doors(self) -> list[str]:
        return [f"--port={self.port}", f"--bind-address={FAR}"]


@contextmanager
def database_afar(way: Line) -> Iterator[str]:
    """Give the URL of a database on the far side."""
    with way.far.entered():
        running = mariadb_server(kind=FarMariaDB)
        server = running.__enter__()
    try:
        server.run("CREATE DATABASE farm")
        server.run("CREATE USER farm@'%'")
        server.run("GRANT ALL ON farm.* TO farm@'%'")
        yield f"mysql+pymysql://farm@{FAR}:{server.port}/farm"
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def farm_of_far_database(tmp_path: Path) -> Iterator[tuple[Line, Farm]]:
    with line() as way, way.near.entered(), database_afar(way) as url:
        made = Farm(tmp_path, url, host=NEAR, heartbeat_seconds="2", free_space="0")
        try:
            yield way, made
        finally:
            made.close()


@pytest.mark.mariadb
@pytest.mark.parametrize("seconds", [20, 150])
@pytest.mark.parametrize("silent", [(NEAR,), (FAR,), ()], ids=["it hears nothing", "it is not heard", "both"])
def test_a_database_on_a_line_that_is_dead_costs_nothing_but_time(
    farm_of_far_database: tuple[Line, Farm], silent: tuple[str, ...], seconds: int
) -> None:
    way, farm = farm_of_far_database
    farm.start_slave(slots="4")
    job = farm.sleep_job("1-600", seconds=0.1, output_bytes=1000)
    farm.done_frames(job, 40)
    asking = [Asking(farm, "/api/jobs"), Asking(farm, "/readyz")]
    for each in asking:
        each.start()
    with way.broken(*silent):
        time.sleep(seconds)
        cut = time.monotonic()
    for each in asking:
        each.ended()
    farm.until(lambda: _done(farm, job) > 60, 120, "it goes on by itself")
    log.info("seconds of the longest answer: %s", max(each.longest for each in asking))
    log.info("seconds until it went on: %s", time.monotonic() - cut)
    assert farm.ended(job, 180).counts.done == 600
    assert ends(farm)[AttemptState.WON] == 600
    assert farm.audit() == []


def _done(farm: Farm, job: int) -> int:
    """Return how many frames are done; 0 while the server has not noticed that the database is back."""
    with contextlib.suppress(Unavailable):
        return farm.client.job(job).counts.done
    return 0
