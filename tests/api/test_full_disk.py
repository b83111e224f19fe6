"""A disk that fills up under a server: it says so, keeps nothing by halves, and goes on when there is room."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from farm.client.farmclient import FarmClient
from farm.database import engine
from farm.files.disk import DiskStore
from farm.files.view import JobFolders
from farm.jobs import shelf
from farm.jobs.audit import audit
from farm.words.errors import DiskFull
from farm.words.states import JobState
from tests.api.test_forged import end
from tests.api.test_jobs import leased, sha, sleeping, staged
from tests.disks import fill, small_disk
from tests.jobs.pretend import tar_of
from tests.serving import Served, serving

SCENE = os.urandom(600_000)
RESULT = tar_of(output_0001_png=os.urandom(600_000))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 24_000_000) as disk:
        yield disk


def is_full(answer: httpx.Response) -> bool:
    """Tell whether an answer says clearly that the disk is full."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    said = answer.json()
    return said["code"] == "disk_full" and bool(said["hint"])


def stored(data: Path) -> list[str]:
    """Return all blobs, and all that is on its way to be one."""
    blobs = data / "storage" / "blobs"
    return sorted(p.name for p in [*blobs.glob("??/*"), *(blobs / "incoming").rglob("*")] if p.is_file())


def send(served: Served, admin: FarmClient, data: bytes) -> httpx.Response:
    token = {"Authorization": admin._http.headers["Authorization"]}
    return served.http.put(f"/api/blobs/{sha(data)}", content=data, headers=token)


def test_files_and_results_are_refused_whole_and_taken_when_there_is_room(
    disk: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "AGAIN", 0.2)
    data, ballast = disk / "data", disk / "ballast"
    with serving(data, database=database_url) as served:
        admin = served.admin()
        slave = served.slave(admin)
        job = admin.submit(sleeping({"scene": SCENE}, frames="1")).job
        fill(ballast, leave=200_000)
        assert is_full(send(served, admin, SCENE))
        assert stored(data) == []
        assert is_full(served.http.get("/readyz"))
        assert "distren_storage_free_bytes" in served.http.get("/metrics").text
        assert admin.job(job).state is JobState.RECEIVING, "what needs no space goes on"

        ballast.unlink()
        assert served.http.get("/readyz").status_code == 200
        assert send(served, admin, SCENE).status_code == 201
        admin.queue(job)
        _, [(attempt, _)] = leased(slave)
        fill(ballast, leave=200_000)
        assert is_full(staged(slave, attempt, RESULT))
        assert stored(data) == [sha(SCENE)]
        fill(ballast)
        small = tar_of(output_0001_png=b"small")
        assert is_full(slave.report(finished=[end(attempt, small)]))

        ballast.unlink()
        assert staged(slave, attempt, RESULT).status_code == 200
        finished = {"attempt": attempt, "sha256": sha(RESULT), "seconds": 1}
        assert [v.verdict for v in slave.orders(finished=[finished]).verdicts] == ["accepted"]
        assert admin.job(job).state is JobState.DONE
        shown = data / "storage" / "stor" / f"job{job}" / "output" / "0001.png"
        until(shown.exists)
    assert sound(data, database_url) == []


def test_a_full_disk_of_the_database_refuses_writes_and_goes_on_reading(disk: Path) -> None:
    data, ballast = disk / "data", disk / "ballast"
    with serving(data) as served:
        admin = served.admin()
        job = admin.submit(sleeping(frames="1-3")).job
        fill(ballast)
        with pytest.raises(DiskFull, match="database's disk is full"):
            submit_many(admin)
        assert admin.job(job).counts.total == 3, "what is there can be read"
        assert is_full(served.http.get("/readyz"))
        ballast.unlink()
        assert admin.submit(sleeping(frames="1-500")).job > job
        assert admin.queue(job).state is JobState.QUEUED
        assert served.http.get("/readyz").status_code == 200
    assert sound(data, f"sqlite:///{data / 'distren.sqlite3'}") == []


def test_a_view_that_did_not_fit_is_shown_when_there_is_room(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "AGAIN", 0.2)
    data = disk / "data"
    with serving(data) as served:
        admin = served.admin()
        slave = served.slave(admin)
        job = admin.submit(sleeping(frames="1")).job
        admin.queue(job)
        _, [(attempt, _)] = leased(slave)
        place = data / "storage" / "stor" / f"job{job}"
        place.write_text("in the way")
        assert [v.verdict for v in slave.orders(finished=[end(attempt)]).verdicts] == ["accepted"]
        time.sleep(0.5)
        place.unlink()
        until((place / "output" / "0001.png").exists)


def submit_many(admin: FarmClient) -> None:
    """Submit more than fits into what is left of a database's last pages."""
    for _ in range(500):
        admin.submit(sleeping(frames="1-500"))


def sound(data: Path, url: str) -> list[str]:
    reading = engine.reading(url)
    with reading.connect() as conn:
        found = audit(conn, DiskStore(data / "storage" / "blobs"), JobFolders(data / "storage" / "stor"), deep=True)
    reading.dispose()
    return found


def until(happened: Any) -> None:
    end_ = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end_
        time.sleep(0.05)
