"""A server of two processes: whichever ends, nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from farm.database.schema import attempts
from farm.simulator.manner import Manner
from farm.words.states import AttemptState, JobState
from tests.databases import MariaDB
from tests.farm.balanced import BalancedFarm
from tests.farm.people import pretend_slaves
from tests.galera import Cluster, galera_cluster
from tests.server.test_underpath import NGINX

log = logging.getLogger(__name__)
pytestmark = pytest.mark.skipif(not NGINX.exists(), reason="There is no nginx here.")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with galera_cluster() as made:
        yield made


@pytest.fixture
def farm(tmp_path: Path, mariadb: MariaDB) -> Iterator[BalancedFarm]:
    with mariadb.fresh() as url, contextlib.closing(BalancedFarm(tmp_path, url)) as made:
        yield made


def test_a_process_that_is_killed_costs_no_frame_and_the_other_goes_on(farm: BalancedFarm) -> None:
    for name in ("ws01", "ws02"):
        farm.start_slave(name, slots="2")
    job = farm.sleep_job("1-120", seconds=0.2)
    farm.done_frames(job, 10)
    killed = farm.caretaker()
    assert killed is not None
    farm.processes[killed].kill()
    gone = farm.client.make_slave_key("gone")  # everything works with one process
    assert gone.name == "gone"
    farm.until(lambda: farm.caretaker() == 1 - killed, 60, "the other does the periodic work")
    farm.slaves["ws02"].kill()  # whose frames only a sweep gives back
    farm.start_process(killed)
    assert farm.ended(job, 120).state is JobState.DONE
    assert len(farm.output(job)) == 120
    with farm.direct(killed, farm.token) as one, farm.direct(1 - killed, farm.token) as other:
        assert one.job(job).counts == other.job(job).counts
    assert farm.audit() == []


@pytest.mark.soak
def test_nodes_of_a_galera_cluster_and_processes_may_be_killed_in_turn(tmp_path: Path, cluster: Cluster) -> None:
    with cluster.fresh() as url, contextlib.closing(BalancedFarm(tmp_path, url)) as farm:
        for name in ("ws01", "ws02"):
            farm.start_slave(name, slots="2")
        job = farm.sleep_job("1-600", seconds=0.2)
        for turn, node in enumerate(cluster.nodes):
            farm.done_frames(job, 30 + 120 * turn, 120)
            node.kill()
            farm.done_frames(job, 80 + 120 * turn, 120)
            farm.processes[turn % 2].kill()
            node.start()
            farm.start_process(turn % 2)
        assert farm.ended(job, 300).state is JobState.DONE
        assert len(farm.output(job)) == 600
        assert farm.audit() == []
        rows = [node.counted(url, "frame") for node in cluster.nodes]
        assert rows == [600, 600, 600]


@dataclass
class Heard:
    """Keeps which results the server said it accepted: job, frame and attempt."""

    told: list[tuple[int, int, int]]

    def returned(self, job: int, frame: int, attempt: int, content: str) -> None:
        """Nothing to note."""

    def accepted(self, job: int, frame: int, attempt: int) -> None:
        self.told.append((job, frame, attempt))


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_nodes_that_are_killed_at_random_moments_lose_no_result_that_was_accepted(
    tmp_path: Path, cluster: Cluster
) -> None:
    """It is the node that all write to, in the middle of transactions: they never pause."""
    dice, kills, end = random.Random(7), 0, time.monotonic() + 180
    told: list[tuple[int, int, int]] = []
    with cluster.fresh() as url, contextlib.closing(BalancedFarm(tmp_path, url, heartbeat_seconds="2")) as farm:
        keys = [farm.client.make_slave_key(f"p{n}") for n in range(16)]
        manner = Manner(slots=4, seconds=0.05, ahead=1)
        with pretend_slaves(farm, keys, manner, Heard(told)):
            job = farm.sleep_job("1-100000")
            while time.monotonic() < end:
                time.sleep(dice.uniform(0.5, 3))
                node = max(cluster.nodes, key=lambda one: one.connections(url))
                node.kill()
                kills += 1
                time.sleep(dice.uniform(0, 1))
                node.start()
            done = farm.client.job(job).counts.done
            farm.done_frames(job, done + 100, 120)
        farm.client.command(job, "cancel")
        farm.ended(job, 120)
        log.info("kills: %s; results that the server accepted: %s", kills, len(told))
        assert farm.audit() == []
        with farm.reading() as conn:
            this = (attempts.c.job == job, attempts.c.state == AttemptState.WON.value)
            won = {
                tuple(row) for row in conn.execute(select(attempts.c.job, attempts.c.frame, attempts.c.id).where(*this))
            }
        assert set(told) <= won, "what was accepted stays so"
        assert len(told) == len(set(told)) > 1000
        assert len({node.counted(url, "attempt") for node in cluster.nodes}) == 1
