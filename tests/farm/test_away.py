"""Away and back: servers that are gone or moved, laptops that slept, wrong clocks, keys that are used twice."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from farm.client.farmclient import FarmClient
from farm.words.states import AttemptState, JobState, SlaveState
from tests.farm.farm import Farm, Process
from tests.ports import free_port

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
LARGE = 200_000
"""Bytes of a picture that does not ride inside a report."""


def told(slave: Process, event: str) -> list[dict[str, Any]]:
    """Return what a slave has logged of some kind."""
    lines = (line for line in slave.log.read_text().splitlines() if line.startswith("{"))
    return [said for said in map(json.loads, lines) if said.get("event") == event]


def rendered(slave: Process) -> Counter[int]:
    return Counter(said["frame"] for said in told(slave, "frame rendered"))


def unsent(farm: Farm, name: str = "ws01") -> int:
    return len(list((farm.folder / name / "state").glob("*/results/*.json")))


def everything_once(farm: Farm, job: int, frames: int) -> None:
    assert farm.ended(job, 90).state is JobState.DONE
    assert [file.frame for file in farm.output(job)] == list(range(1, frames + 1))
    assert farm.audit() == []


def test_results_wait_for_a_server_that_is_long_away_and_has_forgotten_the_login(lite_farm: Farm) -> None:
    farm = lite_farm
    slave = farm.start_slave(slots="2", offline_seconds="1")
    job = farm.sleep_job("1-12", seconds=0.3, output_bytes=LARGE)
    farm.done_frames(job, 2)
    farm.server.kill()
    farm.until(lambda: unsent(farm) >= 2, 30, "results wait on the slave's disk")
    # Longer than the slave goes on without a server: it starts nothing new.
    time.sleep(2.5)
    waiting = unsent(farm)
    time.sleep(1)
    assert unsent(farm) == waiting
    with sqlite3.connect(farm.folder / "server" / "distren.sqlite3") as database:
        gone = database.execute("DELETE FROM token WHERE slave IS NOT NULL").rowcount
    database.close()
    assert gone == 1
    farm.start_server()
    everything_once(farm, job, 12)
    assert set(rendered(slave).values()) == {1}, "nothing was rendered twice for it"


def test_a_killed_slave_delivers_its_results_to_a_server_at_another_address(lite_farm: Farm) -> None:
    farm = lite_farm
    slave = farm.start_slave(slots="2")
    job = farm.sleep_job("1-8", seconds=0.3, output_bytes=LARGE)
    farm.done_frames(job, 1)
    farm.server.kill()
    farm.until(lambda: unsent(farm) >= 2, 30, "results wait on the slave's disk")
    slave.kill()
    farm.until(lambda: not slave.descendants(), 10, "no renderer of the killed slave is left")
    finished = set(rendered(slave))
    farm.port = free_port()
    farm.url = f"http://127.0.0.1:{farm.port}"
    farm.start_server()
    farm.client.close()
    farm.client = FarmClient(farm.url, farm.token)
    slave = farm.start_slave(slots="2")
    everything_once(farm, job, 8)
    assert len(told(slave, "sending a result of an earlier run")) >= 2
    assert finished
    assert set(rendered(slave).values()) == {1}, "what was finished was not rendered anew"


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
def test_a_laptop_that_slept_while_its_wall_clock_went_on_comes_back(lite_farm: Farm) -> None:
    farm, clock = lite_farm, lite_farm.folder / "clock"
    clock.write_text("+0")
    faked = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    laptop = farm.start_slave("laptop", {**faked, "DONT_FAKE_MONOTONIC": "1"}, sandbox="off")
    job = farm.sleep_job("1-10", seconds=0.4)
    farm.done_frames(job, 2)
    sleepers = [psutil.Process(laptop.popen.pid), *psutil.Process(laptop.popen.pid).children(recursive=True)]
    for process in sleepers:
        process.send_signal(signal.SIGSTOP)
    farm.until(lambda: farm.client.slaves()[0].state is SlaveState.OFFLINE, 30, "the laptop counts as gone")
    assert farm.client.job(job).counts.leased == 0
    farm.start_slave("ws02")
    farm.done_frames(job, 4)
    clock.write_text("+8h")
    for process in sleepers:
        process.send_signal(signal.SIGCONT)
    everything_once(farm, job, 10)
    farm.until(lambda: all(s.state is not SlaveState.OFFLINE for s in farm.client.slaves()), 30, "the laptop is back")
    second = farm.sleep_job("1-6", seconds=0.2)
    everything_once(farm, second, 6)
    assert {a.slave for n in range(1, 7) for a in farm.client.frame(second, n).attempts} == {"laptop", "ws02"}


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
def test_clocks_an_hour_apart_change_nothing(lite_farm: Farm) -> None:
    farm = lite_farm
    for name, offset in (("early", "-1h"), ("late", "+1h")):
        faked = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": offset, "DONT_FAKE_MONOTONIC": "1"}
        slave = farm.start_slave(name, faked, sandbox="off")
        farm.until(lambda slave=slave: told(slave, "logged in"), 30, f"{name} has logged in")
        stamp = told(slave, "logged in")[0]["timestamp"]
        assert abs(time.time() - _seconds(stamp)) > 3000, "its clock is wrong indeed"
    job = farm.sleep_job("1-12", seconds=0.3, output_bytes=LARGE)
    everything_once(farm, job, 12)
    attempts = [attempt for n in range(1, 13) for attempt in farm.client.frame(job, n).attempts]
    assert {attempt.slave for attempt in attempts} == {"early", "late"}
    won = [attempt for attempt in attempts if attempt.state is AttemptState.WON]
    assert len(won) == 12
    assert AttemptState.LOST not in {attempt.state for attempt in attempts}
    for attempt in won:
        assert 0 < (attempt.ended - attempt.issued).total_seconds() < 600
        assert abs(attempt.issued.timestamp() - time.time()) < 600


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def test_of_two_slaves_with_one_key_the_second_waits_until_the_first_is_silent(lite_farm: Farm) -> None:
    farm = lite_farm
    first = farm.start_slave("ws01")
    job = farm.sleep_job("1-100", seconds=0.5)
    farm.done_frames(job, 1)
    elsewhere = {part: str(farm.folder / "elsewhere" / part) for part in ("cache", "work", "state")}
    second = farm.start_slave("ws01", **elsewhere)
    second.log = first.log
    farm.until(lambda: told(second, "waiting to log in"), 30, "the second is refused")
    assert len(told(second, "logged in")) == 1
    first.kill()
    farm.until(lambda: len(told(second, "logged in")) == 2, 40, "the second is admitted")
    kills = farm.client.job(job).counts.done
    farm.done_frames(job, kills + 2)
    farm.until(lambda: not first.descendants(), 10, "the first has left no renderer")
    farm.client.command(job, "cancel")
    farm.ended(job)
    assert farm.audit() == []
