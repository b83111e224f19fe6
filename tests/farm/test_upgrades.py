"""Versions that fail only when they run, and slaves that are killed in the middle of becoming another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm import __version__
from farm.protocol.slaveviews import SlaveView
from farm.words.states import JobState, SlaveState
from tests.farm.farm import Farm
from tests.farm.releases import other

LOGIN = "login, backoff, busy_until = "
DIES = f"__import__('os')._exit(9)\n        {LOGIN}"
"""What the test frame does not come by: the new version dies when it wants to log in."""


def slave(farm: Farm) -> SlaveView:
    (found,) = farm.client.slaves()
    return found


def stage(farm: Farm) -> str:
    """Return how far the slave's upgrade is."""
    found = slave(farm).upgrade
    return found.stage if found else ""


def serve(farm: Farm, code: Path) -> None:
    """Have the server run another version, and wait for the slave."""
    farm.server.stop()
    farm.code = code
    farm.start_server()
    farm.until(lambda: slave(farm).state in (SlaveState.IDLE, SlaveState.RENDERING), 90, "the slave is there")


def test_a_version_that_dies_at_its_start_is_left_at_the_next_one(whole_farm: Farm, tmp_path: Path) -> None:
    farm = whole_farm
    process = farm.start_slave(upgrade="true")
    farm.until(lambda: slave(farm).state is SlaveState.IDLE, 90, "the slave has logged in")
    serve(farm, other(tmp_path, "0.2.0", "farm/slave/entrance.py", LOGIN, DIES))
    farm.client.upgrade_slave("ws01")
    assert process.popen.wait(120) == 9, "as its service would see it"
    farm.start_slave(upgrade="true")
    farm.until(lambda: stage(farm) == "failed", 90, "the version before says what happened")
    found = slave(farm)
    assert found.version == __version__
    assert found.upgrade is not None
    assert "did not come as far as logging in" in found.upgrade.message
    job = farm.sleep_job("1-3")
    assert farm.ended(job, 90).state is JobState.DONE


def test_a_slave_that_allows_no_upgrade_goes_on_as_it_is_until_it_is_too_old(whole_farm: Farm, tmp_path: Path) -> None:
    farm = whole_farm
    farm.start_slave()
    farm.until(lambda: slave(farm).state is SlaveState.IDLE, 90, "the slave has logged in")
    serve(farm, other(tmp_path, "0.2.0"))
    farm.client.upgrade_slave("ws01")
    farm.until(lambda: stage(farm) == "failed", 90, "it refuses")
    found = slave(farm)
    assert found.upgrade is not None
    assert "upgrade = true" in found.upgrade.message
    assert found.version == __version__
    farm.server.stop()
    farm.code = other(tmp_path, "0.3.0")
    farm.start_server()
    farm.slaves["ws01"].stop()
    process = farm.start_slave()
    assert process.popen.wait(90) != 0
    assert f"The slave's version {__version__} is too old for the server's, 0.3.0" in process.log.read_text()


@pytest.mark.soak
def test_a_slave_that_is_killed_in_the_middle_of_an_upgrade_goes_on_with_it(whole_farm: Farm, tmp_path: Path) -> None:
    farm = whole_farm
    process = farm.start_slave(upgrade="true")
    farm.until(lambda: slave(farm).state is SlaveState.IDLE, 90, "the slave has logged in")
    serve(farm, other(tmp_path, "0.2.0"))
    job = farm.sleep_job("1-6", seconds=5, output_bytes=100_000)
    farm.until(lambda: slave(farm).running, 90, "it renders")
    farm.client.upgrade_slave("ws01")
    farm.until(lambda: stage(farm) == "draining", 90, "it finishes what it renders")
    process.kill()
    farm.start_slave(upgrade="true")
    farm.until(lambda: slave(farm).version == "0.2.0", 180, "it is the new version")
    assert farm.ended(job, 120).state is JobState.DONE
    assert [file.frame for file in farm.output(job)] == list(range(1, 7))
    assert farm.audit() == []
