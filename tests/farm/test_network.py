"""A network that delays, loses and cuts: the server on one side of it, slaves and people on the other."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.protocol.jobs import FileEntry, Requirement, Submission
from farm.words.states import JobState, SlaveState
from tests.farm.farm import Farm
from tests.network import FAR, NEAR, Line, line

SEND = """
import json, sys
from pathlib import Path
from farm.client.farmclient import FarmClient
from farm.client.upload import upload_missing
from farm.protocol.jobs import Receiving
server, token, receiving, path = sys.argv[1:]
receiving = Receiving.model_validate_json(receiving)
with FarmClient(server, token) as client:
    upload_missing(client, receiving, {receiving.missing[0]: Path(path)}, lambda _: None)
    client.queue(receiving.job)
"""
SIZE = 4_500_000
RESULT = 500_000


class Apart:
    """A farm whose server is near, and whose slaves and people are far."""

    def __init__(self, way: Line, folder: Path) -> None:
        self.way = way
        self.folder = folder
        self.farm = Farm(folder, host=NEAR, heartbeat_seconds="2")
        self.address = f"http://{NEAR}:{self.farm.port}"

    def submit(self, frames: str) -> tuple[int, subprocess.Popen[bytes]]:
        """Submit a job with a file, and begin to send that from the far side."""
        scene = self.folder / "scene.bin"
        scene.write_bytes(os.urandom(SIZE))
        entry = FileEntry(path="scene.bin", sha256=hashlib.sha256(scene.read_bytes()).hexdigest(), size=SIZE)
        settings = {"seconds": 0.2, "output_bytes": RESULT}
        needs = {"requires": Requirement(method="sleep"), "settings": settings, "files": [entry], "frames": frames}
        receiving = self.farm.client.submit(Submission(name="far away", **needs))
        words = [self.address, self.farm.token, receiving.model_dump_json(), str(scene)]
        return receiving.job, self.start([sys.executable, "-c", SEND, *words])

    def fetch(self, job: int) -> subprocess.Popen[bytes]:
        """Bring a job's pictures to the far side."""
        return self.start([sys.executable, "-m", "farm.cli.main", "fetch", str(job), str(self.folder / "home")])

    def start(self, argv: list[str]) -> subprocess.Popen[bytes]:
        given = {"DISTREN_SERVER": self.address, "DISTREN_TOKEN": self.farm.token, "DISTREN_CLIENT_CONFIG": os.devnull}
        with self.way.far.entered(), (self.folder / "person.log").open("ab") as log:
            return subprocess.Popen(argv, env={**os.environ, **given}, stdout=log, stderr=log)

    def slave(self) -> None:
        # Else the admin's client would make a connection from the far side, and keep it.
        self.farm.keys["ws01"] = self.farm.client.make_slave_key("ws01")
        with self.way.far.entered():
            self.farm.start_slave(server=self.address)

    def until_passed(self, side: str, count: int) -> None:
        """Wait until so many more bytes have come from a side."""
        goal = self.way.passed[side] + count
        self.farm.until(lambda: self.way.passed[side] >= goal, 60, f"{count} bytes came from {side}")

    def ends_well(self, person: subprocess.Popen[bytes], seconds: float = 90) -> None:
        assert person.wait(seconds) == 0, self.farm.logs()


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    with line() as way, way.near.entered():
        made = Apart(way, tmp_path)
        try:
            yield made
        finally:
            made.farm.close()


def test_everything_arrives_once_over_a_line_that_is_cut_again_and_again(apart: Apart) -> None:
    """Both ways, and only one: what is sent arrives, and its confirmation does not, or the other way about."""
    way, farm = apart.way, apart.farm
    job, sending = apart.submit("1-6")
    apart.until_passed(FAR, SIZE // 3)
    with way.broken():
        time.sleep(2)
    apart.ends_well(sending)
    apart.slave()
    apart.until_passed(NEAR, SIZE // 2)
    with way.broken(NEAR):
        time.sleep(2)
    farm.done_frames(job, 2)
    with way.broken(FAR):
        farm.until(lambda: farm.client.slaves()[0].state is SlaveState.OFFLINE, 30, "the slave counts as gone")
    assert farm.ended(job, 90).state is JobState.DONE
    fetching = apart.fetch(job)
    apart.until_passed(NEAR, RESULT)
    with way.broken(FAR):
        time.sleep(2)
    apart.ends_well(fetching)
    check(apart, job, 6)


def test_everything_arrives_once_over_a_line_that_delays_and_loses(apart: Apart) -> None:
    apart.way.delay, apart.way.loss = 0.15, 0.1
    job, sending = apart.submit("1-4")
    apart.ends_well(sending)
    apart.slave()
    assert apart.farm.ended(job, 120).state is JobState.DONE
    apart.ends_well(apart.fetch(job))
    check(apart, job, 4)


@pytest.mark.soak
def test_who_hangs_on_a_dead_line_gives_up_and_goes_on_where_it_stopped(apart: Apart) -> None:
    """The cut is longer than every time-out: connections die on both sides."""
    way = apart.way
    way.delay = 0.05
    job, sending = apart.submit("1-4")
    apart.until_passed(FAR, SIZE // 2)
    with way.broken():
        time.sleep(80)
    before = way.passed[FAR]
    apart.ends_well(sending, 120)
    assert way.passed[FAR] - before < SIZE * 2 // 3, "the second half, and no more than a few bytes twice"
    apart.slave()
    assert apart.farm.ended(job, 120).state is JobState.DONE
    check(apart, job, 4, fetched=False)


def check(apart: Apart, job: int, frames: int, *, fetched: bool = True) -> None:
    assert [file.frame for file in apart.farm.output(job)] == list(range(1, frames + 1))
    assert apart.farm.audit() == []
    if fetched:
        home = sorted((apart.folder / "home").iterdir())
        sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in home}
        assert sums == {file.name: file.sha256 for file in apart.farm.output(job)}
