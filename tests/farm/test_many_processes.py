"""A server of two processes: whichever ends, nothing is lost or doubled."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.words.states import JobState
from tests.databases import MariaDB
from tests.farm.balanced import BalancedFarm
from tests.galera import Cluster, galera_cluster
from tests.server.test_underpath import NGINX

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
