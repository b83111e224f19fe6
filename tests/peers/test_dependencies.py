"""Frames that wait for another server's: two real servers, a slave, frames that are pictures."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.depends import Dependency
from farm.protocol.jobs import JobCommand, Requirement, Submission
from farm.protocol.peers import AcceptPeer, MakePeerInvite
from farm.protocol.slaves import RequiredFiles
from farm.words.errors import FrameNotFound, JobNotFound, UnknownPeer
from tests.api.test_next import finished, tar
from tests.peers.conftest import Home, home, sleep_job
from tests.serving import SlaveCaller

T = TypeVar("T")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("annex"), "annex") as annex:
        yield annex


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, there: Home) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("home"), "home") as at_home:
        code = there.peers.invite(MakePeerInvite(name="home")).code
        at_home.peers.accept(AcceptPeer.model_validate({"code": code}))
        yield at_home


@pytest.fixture(scope="module")
def slave_there(there: Home) -> SlaveCaller:
    return there.served.slave(there.admin)


@pytest.fixture(scope="module")
def slave_here(here: Home) -> SlaveCaller:
    return here.served.slave(here.admin)


@pytest.fixture(autouse=True)
def _alone(here: Home, there: Home) -> None:
    """Nothing is left of the tests before."""
    for one in (here.admin, there.admin):
        for job in one.jobs(state="queued,rendering,paused,receiving", limit=1000).jobs:
            one.command(job.job, "cancel", JobCommand(confirmed=True))


def until(happened: Callable[[], T | None], what: str) -> T:
    end = time.monotonic() + 90
    while not (found := happened()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def waits(client: FarmClient, on: str, frames: str = "1-3", **how: str) -> int:
    wish = Submission(
        name="waits",
        requires=Requirement(method="sleep"),
        settings={"seconds": 0},
        frames=frames,
        depends=[Dependency.model_validate({"on": on, **how})],
    )
    return client.queue(client.submit(wish).job).job


def counts(client: FarmClient, job: int) -> dict[str, int]:
    return {state: count for state, count in client.job(job).counts.model_dump().items() if count}


def render(slave: SlaveCaller, folder: Path, picture: str = "picture") -> list[int]:
    """Render all that can be had; return the frames' numbers."""
    done: list[int] = []
    while leases := slave.orders(want=1).leases:
        for frame in leases[0].frames:
            slave.orders(finished=[finished(frame.attempt, tar(folder, f"{picture} {frame.number}"))])
            done.append(frame.number)
    return done


def required(slave: SlaveCaller) -> tuple[int, dict[str, str]]:
    """Lease a frame; return its attempt, and the files that it finds of those that it waited for, by path."""
    (lease,) = slave.orders(want=1).leases
    frame = lease.frames[0]
    answer = slave.http.get(f"/api/slave/jobs/{lease.job}/frames/{frame.number}/required")
    files = RequiredFiles.model_validate_json(answer.content).files
    found = {}
    for file in files:
        blob = slave.http.get(f"/api/slave/blobs/{file.sha256}", params={"job": lease.job})
        assert hashlib.sha256(blob.content).hexdigest() == file.sha256
        found[file.path] = blob.text
    return frame.attempt, found


def test_frames_wait_for_those_of_a_peer_and_find_their_files(
    here: Home, there: Home, slave_here: SlaveCaller, slave_there: SlaveCaller, tmp_path: Path
) -> None:
    layer = sleep_job(here.at("annex"))
    job = waits(here.admin, layer.address, match="same")
    assert counts(here.admin, job) == {"blocked": 3}
    assert here.admin.frame(job, 2).waiting == f"waits for {layer.address}/2"
    assert here.admin.job(job).waiting == [f"Its frames wait for {layer.address}."]
    assert sorted(render(slave_there, tmp_path)) == [1, 2, 3]
    until(lambda: counts(here.admin, job).get("ready") == 3, "the frames are free")
    attempt, found = required(slave_here)
    place = f"depends/annex/{layer.job}"
    assert next(iter(found.values())).startswith("picture ")
    assert all(path.startswith(place) for path in found)
    slave_here.orders(finished=[finished(attempt, tar(tmp_path, "made of it"))])
    render(slave_here, tmp_path)
    assert here.admin.job(job).state == "done"


def test_a_frame_fails_with_the_reason_and_is_revived_by_retry(
    here: Home, there: Home, slave_here: SlaveCaller, slave_there: SlaveCaller, tmp_path: Path
) -> None:
    layer = sleep_job(here.at("annex"), "1")
    job = waits(here.admin, f"{layer.address}/1", frames="1-2")
    there.admin.command(layer.job, "cancel", JobCommand(confirmed=True))
    until(lambda: here.admin.job(job).state == "failed", "the job fails")
    assert here.admin.frame(job, 1).message == f"It needs {layer.address}/1, which was canceled."
    here.at("annex").command(layer.job, "retry")
    here.admin.command(job, "retry")
    assert counts(here.admin, job) == {"blocked": 2}
    assert render(slave_there, tmp_path) == [1]
    until(lambda: counts(here.admin, job).get("ready") == 2, "the frames are free")
    render(slave_here, tmp_path)
    assert here.admin.job(job).state == "done"


def test_what_is_rendered_again_there_is_made_again_here(
    here: Home, there: Home, slave_here: SlaveCaller, slave_there: SlaveCaller, tmp_path: Path
) -> None:
    layer = sleep_job(here.at("annex"), "1-2")
    job = waits(here.admin, layer.address, frames="1-2", match="same")
    (lease,) = slave_there.orders(want=1).leases
    slave_there.orders(finished=[finished(lease.frames[0].attempt, tar(tmp_path, "first"))])
    first = lease.frames[0].number
    until(lambda: counts(here.admin, job).get("ready") == 1, "one is free")
    assert render(slave_here, tmp_path) == [first]
    here.at("annex").command(layer.job, "retry", JobCommand(frames=str(first)))
    assert sorted(render(slave_there, tmp_path, "second")) == [1, 2]
    until(lambda: counts(here.admin, job) == {"ready": 2}, "both are to be made, one of them again")
    texts = []
    for _ in range(2):
        attempt, found = required(slave_here)
        texts += found.values()
        slave_here.orders(finished=[finished(attempt, tar(tmp_path, "made of it"))])
    assert sorted(texts) == ["second 1", "second 2"]
    assert here.admin.job(job).state == "done"


def test_a_job_that_is_deleted_there_is_missed_here(here: Home, there: Home) -> None:
    layer = sleep_job(here.at("annex"), "1")
    job = waits(here.admin, layer.address, frames="1")
    here.at("annex").command(layer.job, "cancel", JobCommand(dependents="wait"))
    there.admin.delete(layer.job, confirmed=True)
    until(lambda: here.admin.job(job).state == "failed", "the job fails")
    assert str(layer.address) in here.admin.frame(job, 1).message


def test_only_what_the_submitter_may_see_there_can_be_waited_for(here: Home, there: Home) -> None:
    theirs = sleep_job(there.admin)
    mine = sleep_job(here.at("annex"))
    with pytest.raises(JobNotFound, match=r"depends\[0\].*at annex that home-admin@home may see"):
        waits(here.admin, theirs.address)
    other = here.served.invited(here.admin, "eve")
    with pytest.raises(JobNotFound, match="that eve@home may see"):
        waits(other, mine.address)
    with pytest.raises(FrameNotFound, match="has no frame 9"):
        waits(here.admin, f"{mine.address}/9")
    with pytest.raises(UnknownPeer):
        waits(here.admin, "distren://nowhere/1")
    wish = Submission(
        name="w", requires=Requirement(method="sleep"), frames="1", depends=[Dependency(on="distren://nowhere/1")]
    )
    assert "exchanges no jobs" in here.admin.check(wish).problems[0]


def test_a_peer_that_is_away_only_makes_its_frames_wait(here: Home, tmp_path: Path, slave_here: SlaveCaller) -> None:
    with home(tmp_path / "third", "third") as third:
        code = third.peers.invite(MakePeerInvite(name="home")).code
        here.peers.accept(AcceptPeer.model_validate({"code": code}))
        layer = sleep_job(here.at("third"), "1")
        job = waits(here.admin, layer.address, frames="1")
    until(lambda: "third does not answer" in here.admin.frame(job, 1).waiting, "it is noticed")
    assert counts(here.admin, job) == {"blocked": 1}
    own = sleep_job(here.admin, "1")
    render(slave_here, tmp_path)
    assert here.admin.job(own.job).state == "done"
    here.admin.command(job, "cancel")
