"""A person at home works at a peer with the account that they have at home: by the command line, real processes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.client.peercalls import PeerCalls
from farm.package.hashing import hash_file
from farm.protocol.jobs import FileEntry, Requirement, Submission
from farm.protocol.peers import AcceptPeer, MakePeerInvite
from farm.protocol.uploads import RESUMABLE_BYTES
from tests.cli.conftest import Run
from tests.cli.conftest import home as _home
from tests.cli.conftest import run as _run
from tests.farm.farm import Farm, running

home, run = _home, _run

SCENE = """#version 3.7;
global_settings { assumed_gamma 1 }
camera { orthographic location -3*z look_at 0 }
background { rgb <clock, 1, 0> }
"""


@pytest.fixture(scope="module")
def farms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Farm, Farm]]:
    """`home`, which has no slaves, and `annex`, which has one."""
    folders = [tmp_path_factory.mktemp(name) for name in ("home", "annex")]
    with (
        running(folders[0], name="home", peer_private="true") as here,
        running(folders[1], name="annex", peer_private="true") as there,
    ):
        code = PeerCalls(there.client).invite(MakePeerInvite(name="home")).code
        PeerCalls(here.client).accept(AcceptPeer.model_validate({"code": code}))
        there.start_slave("ws01", methods="povray")
        yield here, there


@pytest.fixture
def person(farms: tuple[Farm, Farm], home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody who is logged in at home, and nowhere else."""
    monkeypatch.setenv("DISTREN_SERVER", farms[0].url)
    monkeypatch.setenv("DISTREN_TOKEN", farms[0].token)
    return home


def test_submit_follow_fetch_and_list_at_a_peer_from_home(farms: tuple[Farm, Farm], person: Path, run: Run) -> None:
    (person / "main.pov").write_text(SCENE)
    brought = person / "brought"
    size = ["--set", "width=32", "--set", "height=24", "--frames", "1-2"]
    sent = run(
        "submit", person / "main.pov", *size, "--server", "annex", "--wait", "--fetch", brought, "--anyway", "--json"
    )
    assert sent.exit_code == 0, sent.output
    job = json.loads(sent.stdout)
    assert (job["owner"], job["state"]) == ("ada@home", "done")
    assert len(list(brought.rglob("*.png"))) == 2

    listed = run("jobs", "distren://annex/", "--json")
    assert [one["address"] for one in json.loads(listed.stdout)["jobs"]] == [job["address"]]
    shown = run("show", f"{job['address']}/1", "--json")
    assert json.loads(shown.stdout)["state"] == "done"
    assert run("watch", job["address"]).exit_code == 0
    frame = run("watch", f"{job['address']}/2")
    assert (frame.exit_code, frame.stdout.strip()) == (0, f"{job['job']}/2 done")
    assert "CPU-seconds" in run("logs", f"{job['address']}/1").stdout
    again = run("fetch", job["address"], person / "again")
    assert again.exit_code == 0, again.output
    assert run("fetch", job["address"], "--bundle", person / "all.tar").exit_code == 0
    retried = run("retry", f"{job['address']}/2", "--json")
    assert retried.exit_code == 0, retried.output
    assert run("watch", job["address"]).exit_code == 0

    assert json.loads(run("jobs", "--json").stdout)["jobs"] == [], "nothing of it is a job at home"
    assert there_owner(farms[1], job["job"]) == "ada@home"


def there_owner(farm: Farm, job: int) -> str:
    return farm.client.job(job).owner


def test_a_server_that_nobody_knows_is_named(person: Path, run: Run) -> None:
    answer = run("show", "distren://nowhere/1")
    assert answer.exit_code == 8
    assert "is not known here" in answer.output


def test_a_large_file_goes_through_also_after_it_broke_off(farms: tuple[Farm, Farm], tmp_path: Path) -> None:
    here, there = farms
    file = tmp_path / "large.bin"
    file.write_bytes(os.urandom(RESUMABLE_BYTES + 12_345))
    digest, size = hash_file(file)
    with FarmClient(f"{here.url}/api/peers/annex/via", here.token) as client:
        files = [FileEntry(path="large.bin", sha256=digest, size=size)]
        wish = Submission(name="large", requires=Requirement(method="sleep"), frames="1", files=files)
        job = client.submit(wish).job
        with pytest.raises(Interrupt):
            client.put_blob(file, digest, size, interrupted(size // 2))
        client.put_blob(file, digest, size)
        assert client.queue(job).state == "queued"
    assert not there.audit()


def test_a_job_at_home_is_rendered_by_a_peers_slaves_whichever_server_is_killed(
    farms: tuple[Farm, Farm], person: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = farms
    assert run("peers", "borrow", "annex").exit_code == 0
    monkeypatch.setenv("DISTREN_SERVER", there.url)
    monkeypatch.setenv("DISTREN_TOKEN", there.token)
    assert run("peers", "lend", "home", "--methods", "povray").exit_code == 0
    monkeypatch.setenv("DISTREN_SERVER", here.url)
    monkeypatch.setenv("DISTREN_TOKEN", here.token)
    (person / "main.pov").write_text(f"{SCENE}// lent\n")
    size = ["--set", "width=32", "--set", "height=24", "--frames", "1-8"]
    sent = run("submit", person / "main.pov", *size, "--on", "annex", "--anyway", "--json")
    assert sent.exit_code == 0, sent.output
    job = json.loads(sent.stdout)["job"]
    for farm in (there, here, there):
        farm.server.kill()
        farm.start_server()
    here.until(lambda: here.client.job(job).state == "done", 300, "the job is done")
    assert {one.slave for n in (1, 8) for one in here.client.frame(job, n).attempts} == {"ws01@annex"}
    assert run("fetch", str(job), person / "home").exit_code == 0
    assert len(list((person / "home").rglob("*.png"))) == 8
    assert not here.audit()
    assert not there.audit()
    shown = json.loads(run("peers", "--json").stdout)
    assert [one["name"] for one in shown if one["borrows"]] == ["annex"]

    digest = hash_file(person / "main.pov")[0]
    fetched = fetches(there, digest)
    assert fetched, "the slave fetched the file through its own server"
    assert not list((there.folder / "server").rglob(f"*{digest}*")), "which has kept nothing of it"
    again = run("submit", person / "main.pov", *size, "--on", "annex", "--anyway", "--wait", "--json")
    assert again.exit_code == 0, again.output
    assert fetches(there, digest) == fetched, "what the slave has, it fetches no more"


def fetches(farm: Farm, digest: str) -> int:
    """Return how many times slaves have asked a server for a file."""
    return farm.server.log.read_text().count(f'"path": "/api/slave/blobs/{digest}"')


class Interrupt(Exception):
    """The person pressed Ctrl-C."""


def interrupted(after: int) -> Callable[[int], None]:
    sent = 0

    def count(more: int) -> None:
        nonlocal sent
        sent += more
        if sent > after:
            raise Interrupt

    return count
