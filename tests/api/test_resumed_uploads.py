"""Uploads over a connection that breaks: CLI and slave go on where they stopped."""

from __future__ import annotations

import asyncio
import hashlib
import os
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from farm.client import patience
from farm.client.farmclient import FarmClient
from farm.client.patience import persist
from farm.client.slavelink import SlaveLink
from farm.client.upload import upload_missing
from farm.protocol.jobs import FileEntry, Receiving, Requirement, Submission
from farm.protocol.slaves import Hardware, Offer, Report, SlaveLogin
from farm.slave.retry import patiently
from farm.words.errors import DistrenError, FileNotHere, Malformed, Unreachable, WrongOffset, from_problem
from farm.words.states import JobState
from tests.cutting import cutting
from tests.jobs.pretend import tar_of
from tests.serving import Served

SIZE = 12_000_000
CUTS = [("up", 5_000_000), ("up", 4_000_000)]


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    (tmp_path / "scene.blend").write_bytes(os.urandom(SIZE))
    return tmp_path / "scene.blend"


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def submit(client: FarmClient, path: Path) -> Receiving:
    entry = FileEntry(path=path.name, sha256=sha(path), size=path.stat().st_size)
    return client.submit(Submission(name="nap", requires=Requirement(method="sleep"), frames="1-2", files=[entry]))


def through(url: str, client: FarmClient) -> FarmClient:
    return FarmClient(url, client._http.headers["Authorization"].removeprefix("Bearer "))


def test_a_file_goes_on_where_its_connection_broke(served: Served, admin: FarmClient, scene: Path) -> None:
    receiving, told = submit(admin, scene), []
    with cutting(served.url) as relay, through(relay.url, admin) as client:
        relay.cuts = list(CUTS)
        upload_missing(client, receiving, {sha(scene): scene}, told.append)
        assert relay.cuts == []
        assert relay.passed["up"] < SIZE + 4_000_000, "less than a third was sent twice"
    assert sum(told) == SIZE
    assert admin.queue(receiving.job).state is JobState.QUEUED


def test_a_result_goes_on_where_its_connection_broke(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    receiving = admin.submit(Submission(name="nap", requires=Requirement(method="sleep"), frames="1"))
    admin.queue(receiving.job)
    made = admin.make_slave_key("ws01")
    tar = tmp_path / "result.tar"
    tar.write_bytes(tar_of(output_0001_png=os.urandom(SIZE)))

    async def render(url: str) -> None:
        link = SlaveLink(url)
        machine = Hardware(cores=2, memory_bytes=10**9)
        facts = {"version": "test", "slots": 1, "hardware": machine, "offers": [Offer(method="sleep")]}
        await link.login(SlaveLogin(key=made.key, password=SecretStr(made.password), **facts))
        attempt = (await link.next(Report(seq=1, want=1))).leases[0].frames[0].attempt
        send = partial(link.put_result, attempt, tar, sha(tar), tar.stat().st_size)
        staged = await patiently(send, "the result")
        finished = {"attempt": attempt, "sha256": staged.sha256, "seconds": 1}
        orders = await link.next(Report.model_validate({"seq": 2, "finished": [finished]}))
        assert [verdict.verdict for verdict in orders.verdicts] == ["accepted"]
        await link.close()

    with cutting(served.url) as relay:
        relay.cuts = list(CUTS)
        asyncio.run(render(relay.url))
        assert relay.cuts == []
        assert relay.passed["up"] < SIZE + 4_000_000
    (file,) = admin.output(receiving.job).files
    assert file.size == SIZE
    left = list((tmp_path / "data" / "storage" / "blobs" / "partial").rglob("*.*"))
    assert left == [], "what was kept aside is gone"


def test_a_file_comes_home_over_a_connection_that_breaks(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    receiving = admin.submit(Submission(name="nap", requires=Requirement(method="sleep"), frames="1"))
    admin.queue(receiving.job)
    slave = served.slave(admin)
    attempt = slave.orders(want=1).leases[0].frames[0].attempt
    picture = os.urandom(SIZE)
    tar = tar_of(output_0001_png=picture)
    assert slave.http.put(f"/api/slave/results/{attempt}", content=tar).status_code == 200
    slave.orders(finished=[{"attempt": attempt, "sha256": hashlib.sha256(tar).hexdigest(), "seconds": 1}])
    (file,) = admin.output(receiving.job).files
    told: list[int] = []
    with cutting(served.url) as relay, through(relay.url, admin) as client:
        relay.cuts = [("down", 5_000_000), ("down", 4_000_000)]
        persist(lambda count: client.fetch_file(receiving.job, file, tmp_path / "home.png", count), told.append)
        assert relay.cuts == []
        assert relay.passed["down"] < SIZE + 3_000_000
    assert (tmp_path / "home.png").read_bytes() == picture
    assert sum(told) == SIZE


def test_ranges_that_make_no_sense_are_refused(served: Served, admin: FarmClient, scene: Path) -> None:
    receiving = submit(admin, scene)
    headers = {"Authorization": admin._http.headers["Authorization"]}

    def put(told: str, content: bytes = b"xx") -> DistrenError:
        url = f"/api/blobs/{receiving.missing[0]}"
        answer = served.http.put(url, content=content, headers={**headers, "Content-Range": told})
        return from_problem(answer.json(), answer.status_code)

    for told in ("bytes 0-0/12000000", "bytes 5-1/12000000", "bytes */12000000", "nonsense", "bytes 9-8/9"):
        assert isinstance(put(told), Malformed), told
    assert isinstance(put("bytes 11999998-11999999/12000000"), WrongOffset)
    with pytest.raises(FileNotHere):
        admin.send("GET", f"/api/blobs/{'0' * 64}/offset")


def test_who_gets_nothing_through_gives_up_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.6)
    tries: list[int] = []

    def move(count: patience.OnBytes) -> None:
        tries.append(1)
        count(1000)
        raise Unreachable("Nobody is there.")

    told: list[int] = []
    with pytest.raises(Unreachable):
        persist(move, told.append)
    assert len(tries) > 1
    assert sum(told) == 0
