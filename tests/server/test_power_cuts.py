"""The power fails at any moment of a real server's work: what it said was done is there, and nothing is half there."""

from __future__ import annotations

import random
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from farm.client.farmclient import FarmClient
from farm.database import engine
from farm.files.disk import DiskStore
from farm.files.view import JobFolders
from farm.jobs.audit import audit
from farm.protocol.accounts import LogIn, Register
from tests.api.test_jobs import queued, render
from tests.jobs.pretend import tar_of
from tests.powercut import Call, Disk, calls, recorded
from tests.server.test_process import ready, started
from tests.serving import PASSPHRASE, Served, SlaveCaller, serving

Fact = tuple[str, int]
"""What was said to be done: a query, and the least that it returns then."""


class Record(NamedTuple):
    """A server's folder as it was before, all that it wrote then, and what it said was done at each mark."""

    before: Path
    log: Path
    facts: list[Fact]


EVERY = 7
"""Of so many moments one is tried."""

STARTS = 29
"""Of so many moments a server is started on one."""

JOBS = "SELECT count(*) FROM job WHERE state != 'receiving'"
DONE = "SELECT count(*) FROM attempt WHERE state = 'won'"
GONE = "SELECT count(*) FROM job WHERE state IN ('canceled', 'deleted')"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record a server at work."""
    folder = tmp_path_factory.mktemp("power")
    data, log = folder / "data", folder / "calls"
    first = started(data)
    code = ready(first)["setup_code"]
    first.terminate()
    first.communicate(timeout=60)
    (before := folder / "before").mkdir()
    Disk(data).cut(before, None)
    second = started(data, lambda argv: recorded(log, argv))
    try:
        url = ready(second)["url"]
        token = registered(url, code)
        facts = list(worked(url, token, folder))
    finally:
        killed(second)
    return Record(before, log, facts)


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record a server's first start, which makes its database."""
    folder = tmp_path_factory.mktemp("first")
    (before := folder / "before").mkdir()
    process = started(folder / "data", lambda argv: recorded(folder / "calls", argv))
    try:
        ready(process)
    finally:
        killed(process)
    return Record(before, folder / "calls", [])


def killed(traced: subprocess.Popen[str]) -> None:
    """Kill a server that strace has started."""
    for child in psutil.Process(traced.pid).children():
        child.kill()
    traced.communicate(timeout=60)


def registered(url: str, code: str) -> str:
    """Register the first admin; return their token."""
    with FarmClient(url) as guest:
        wish = {"name": "ada", "passphrase": PASSPHRASE, "invite": code}
        return guest.register(Register.model_validate(wish)).token


def worked(url: str, token: str, folder: Path) -> Iterator[Fact]:
    """Do what people and slaves do; after each step, say so where the record has it, too."""
    dice = random.Random(7)
    with FarmClient(url, token) as ada:
        steps = 0

        def marked(query: str, least: int) -> Fact:
            nonlocal steps
            steps += 1
            assert ada._http.get(f"/mark/{steps}.").status_code == 404
            return query, least

        made = ada.make_slave_key("ws01")
        slave = SlaveCaller(url, made.key, made.password)
        yield marked("SELECT count(*) FROM slave", 1)
        for job in range(1, 4):
            queued(ada, folder, {f"scene{job}": dice.randbytes(50_000 * job)}, frames="1-4")
            yield marked(JOBS, job)
            render(slave, 4, tar_of(output_0001_png=dice.randbytes(20_000 if job % 2 else 200_000)))
            yield marked(DONE, 4 * job)
        ada.command(queued(ada, folder, {"scene4": b"4"}).job, "cancel")
        yield marked(GONE, 1)
        assert ada._http.delete("/api/jobs/1", params={"confirmed": True}).status_code == 204
        yield marked(GONE, 2)
        slave.close()


def moments(record: Record) -> Iterator[tuple[Disk, list[Fact]]]:
    """Give the disk after each call that changed something, with what was said to be done by then."""
    before, log, facts = record
    data = log.parent / "data"
    disk, said = Disk(before, data), 0
    for call in calls(log):
        if is_mark(call, said + 1):
            said += 1
        if disk.take(call):
            yield disk, facts[:said]
    assert said == len(facts), "the record is whole"


def is_mark(call: Call, number: int) -> bool:
    return call.name in {"write", "writev", "sendmsg", "sendto"} and any(
        f"/mark/{number}.".encode() in text for text in call.texts
    )


def faults(folder: Path, facts: list[Fact]) -> list[str]:
    """Return what a server would find wrong, and what was said to be done and is not."""
    file = folder / "distren.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        wrong = [str(row[0]) for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
        for query, least in facts:
            (found,) = database.execute(query).fetchone()
            wrong += [f"{query}: {found} instead of {least}"] if found < least else []
    reading, store = engine.reading(f"sqlite:///{file}"), DiskStore(folder / "storage" / "blobs")
    store.tidy(0)
    with reading.connect() as conn:
        wrong += audit(conn, store, JobFolders(folder / "storage" / "stor"), deep=True)
    reading.dispose()
    return wrong


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_the_power_may_fail_at_any_moment(record: Record, tmp_path: Path) -> None:
    dice, cuts = random.Random(7), 0
    for number, (disk, said) in enumerate(moments(record)):
        if number % EVERY:
            continue
        for luck in (None, dice):
            disk.cut(tmp_path / "cut", luck)
            wrong = faults(tmp_path / "cut", said)
            assert not wrong, f"after call {number}, {'some' if luck else 'nothing'} of what was not synced: {wrong}"
            cuts += 1
    assert cuts > 100


def goes_on(folder: Path) -> None:
    """Start a server on what is left, and have a job of its own rendered to its end."""
    with serving(folder, name="") as served:
        ada = served.admin("ada") if served.ready.setup_code else logged_in(served)
        before = {job.job for job in ada.jobs().jobs}
        job = queued(ada, folder.parent, {"scene": b"a new scene"}, frames="1-3").job
        assert job > max(before, default=0)
        slave = served.slave(ada, "ws99")
        while ada.job(job).counts.done < 3:
            render(slave, 1, tar_of(output_0001_png=b"a new picture"))


def logged_in(served: Served) -> FarmClient:
    wish = {"name": "ada", "passphrase": PASSPHRASE}
    return served.client(served.client().login(LogIn.model_validate(wish)).token)


def started_after_cuts(record: Record, place: Path) -> int:
    """Start a server on what a power cut at every so many moments leaves; return how many did, and went on."""
    dice, starts = random.Random(7), 0
    for number, (disk, said) in enumerate(moments(record)):
        if number % STARTS == 0:
            disk.cut(place, dice if starts % 2 else None)
            goes_on(place)
            wrong = faults(place, said)
            assert not wrong, f"after call {number}: {wrong}"
            starts += 1
    return starts


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_server_starts_on_what_any_power_cut_leaves_and_goes_on(record: Record, tmp_path: Path) -> None:
    assert started_after_cuts(record, tmp_path / "cut") > 15


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_the_power_may_fail_while_a_server_makes_its_database(first_start: Record, tmp_path: Path) -> None:
    assert started_after_cuts(first_start, tmp_path / "cut") > 3


@pytest.mark.soak
def test_it_would_be_noticed_if_nothing_were_synced(record: Record, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(Disk, "_fsync", lambda _disk, _call: False)
    monkeypatch.setattr(Disk, "_fdatasync", lambda _disk, _call: False)
    *_, (disk, said) = moments(record)
    disk.cut(tmp_path / "cut", None)
    assert faults(tmp_path / "cut", said)
