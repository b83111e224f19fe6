"""A server of two processes: whichever ends, nothing is lost or doubled."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.words.states import JobState
from tests.databases import MariaDB
from tests.farm.balanced import BalancedFarm
from tests.server.test_underpath import NGINX

pytestmark = pytest.mark.skipif(not NGINX.exists(), reason="There is no nginx here.")


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
