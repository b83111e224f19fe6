"""Returns that come late, twice, or from somebody else, and tars that do harm: refused, or counted once."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from farm.client.farmclient import FarmClient
from farm.database import engine
from farm.files.disk import DiskStore
from farm.files.view import JobFolders
from farm.jobs.audit import audit
from farm.words.states import FrameState, JobState
from tests.api.test_jobs import RESULT, leased, queued, send, sha, sleeping, staged
from tests.jobs.pretend import tar_of
from tests.jobs.test_results import HOSTILE
from tests.serving import Served, SlaveCaller, serving

OTHER = tar_of(output_0001_png=b"another picture", log=b"x")


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    """A server on each kind of database in turn; what it leaves must be sound."""
    with serving(tmp_path / "data", database=database_url, result_limit="1MB") as running:
        yield running
    storage, reading = tmp_path / "data" / "storage", engine.reading(database_url)
    with reading.connect() as conn:
        faults = audit(conn, DiskStore(storage / "blobs"), JobFolders(storage / "stor"), deep=True)
    reading.dispose()
    assert faults == []


def end(attempt: int, tar: bytes = RESULT, **more: Any) -> dict[str, Any]:
    """Return what a report says of a finished frame whose result rides along."""
    return {"attempt": attempt, "sha256": sha(tar), "inline": base64.b64encode(tar).decode(), "seconds": 1, **more}


def verdicts(slave: SlaveCaller, *ends: dict[str, Any], **more: Any) -> list[str]:
    return [verdict.verdict for verdict in slave.orders(finished=list(ends), **more).verdicts]


def test_forged_late_and_repeated_returns_are_refused_or_count_once(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    honest, thief = served.slave(admin), served.slave(admin, "thief")
    job = queued(admin, tmp_path, frames="1").job
    _, [(attempt, _)] = leased(honest)
    assert verdicts(thief, end(attempt)) == ["refused"], "another slave's attempt"
    assert staged(thief, attempt).status_code == 404
    assert verdicts(honest, end(10**9), holding=[attempt]) == ["refused"], "an attempt that never was"
    assert verdicts(honest, end(attempt, sha256=sha(b"a lie"))) == ["again"]
    assert admin.job(job).counts.leased == 1, "nothing counted yet"
    assert verdicts(honest, end(attempt)) == ["accepted"]
    assert verdicts(honest, end(attempt)) == ["accepted"], "the same once more"
    assert verdicts(honest, end(attempt, OTHER)) == ["accepted"], "what it says now changes nothing"
    assert staged(honest, attempt, OTHER).status_code == 409
    assert [file.size for file in admin.output(job).files] == [len(bytes(range(256)) * 20)]
    view = admin.job(job)
    assert (view.state, view.counts.done) == (JobState.DONE, 1)


def test_results_of_a_canceled_job_and_of_a_frame_that_was_retried_are_refused(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    slave = served.slave(admin)
    job = queued(admin, tmp_path, frames="1").job
    _, [(attempt, _)] = leased(slave)
    admin.command(job, "cancel")
    assert staged(slave, attempt).status_code == 409
    assert verdicts(slave, end(attempt)) == ["refused"]
    admin.command(job, "retry")
    assert verdicts(slave, end(attempt)) == ["refused"], "the old attempt stays what it is"
    _, [(again, _)] = leased(slave)
    assert verdicts(slave, end(again)) == ["accepted"]
    assert admin.job(job).counts.done == 1


def test_one_return_from_many_connections_at_once_counts_once(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    slave = served.slave(admin)
    job = queued(admin, tmp_path, frames="1-4").job
    lease = slave.orders(want=4).leases
    attempts = [frame.attempt for each in lease for frame in each.frames]
    report = {"finished": [end(attempt) for attempt in attempts]}
    slave.seq += 1

    def tell(_n: int) -> int:
        return slave.http.post("/api/slave/next", json={"seq": slave.seq, **report}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(tell, range(16))) <= {200, 409}
    assert admin.job(job).counts.done == len(attempts)
    assert len(admin.output(job).files) == len(attempts)


def test_no_tar_does_harm(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    slave = served.slave(admin)
    job = queued(admin, tmp_path, frames="1").job
    _, [(attempt, _)] = leased(slave)
    bomb = gzip.compress(tar_of(output_0001_png=bytes(50_000_000)))
    for tar in (*HOSTILE.values(), bomb, b""):
        refused = staged(slave, attempt, tar)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json"), refused.text
    huge = tar_of(output_0001_png=bytes(3_000_000))
    assert staged(slave, attempt, huge).status_code == 413
    assert slave.http.put(f"/api/slave/results/{attempt}", content=iter([huge])).status_code == 413
    many = tar_of(**{f"output_{n}_png": b"x" for n in range(2000)})
    assert staged(slave, attempt, many).status_code == 413
    assert admin.frame(job, 1).state is FrameState.LEASED
    blobs = tmp_path / "data" / "storage" / "blobs"
    assert not list(blobs.glob("??/*"))
    assert not [path for path in (blobs / "incoming").rglob("*") if path.is_file()]
    assert verdicts(slave, end(attempt, HOSTILE["link"])) == ["refused"]
    assert admin.frame(job, 1).attempts[0].failure_class == "slave", "who sends such a thing is at fault"


def test_two_users_and_many_connections_send_one_blob_at_once(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    data = b"0123456789abcdef" * 50_000
    bob = served.invited(admin, "bob")
    jobs = [(client, client.submit(sleeping({"big": data})).job) for client in (admin, bob)]
    gate = threading.Barrier(8)

    def put(client: FarmClient) -> None:
        folder = tmp_path / str(threading.get_ident())
        folder.mkdir()
        gate.wait(30)
        send(client, folder, data)

    with ThreadPoolExecutor(8) as pool:
        sends: list[Callable[[], None]] = [lambda c=c: put(c) for c, _ in jobs * 4]  # type: ignore[misc]
        for future in [pool.submit(each) for each in sends]:
            future.result()
    assert all(client.queue(job).state is JobState.QUEUED for client, job in jobs)
    assert len(list((tmp_path / "data" / "storage" / "blobs").glob("??/*"))) == 1
