"""What the dashboard's pages of jobs and frames offer, over plain HTTP: without a script."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import httpx

from farm.client.farmclient import FarmClient
from farm.protocol.slaves import LeasedFrame
from farm.words.states import JobState
from tests.api.browsing import own, text
from tests.api.test_jobs import RESULT, queued, render, sha, staged
from tests.serving import PASSPHRASE, Served, SlaveCaller


def test_a_job_is_submitted_again_with_changes_and_nothing_is_sent(
    browser: httpx.Client,
    served: Served,
    admin: FarmClient,
    tmp_path: Path,
) -> None:
    job = queued(admin, tmp_path, {"nap.txt": b"scene"}, source="nap.txt", frames="1-3", settings={"seconds": 0.5}).job
    form = browser.get(f"/jobs/{job}/again").text
    assert 'name="setting" value="seconds"' in form
    told = {"name": "nap <2>", "frames": "7-9", "priority": "70", "paused": "true"}
    made = browser.post(f"/jobs/{job}/again", data={**told, "setting": ["seconds", ""], "value": ["0.25", ""]})
    assert made.headers["location"] == f"/jobs/{job + 1}"
    new = admin.job(job + 1)
    assert (new.name, new.frames, new.priority, new.state) == ("nap <2>", "7-9", 70, JobState.PAUSED)
    assert new.settings["seconds"] == 0.25
    assert new.source == admin.job(job).source
    assert admin.job(job).frames == "1-3"
    wrong = browser.post(f"/jobs/{job}/again", data={**told, "frames": "nonsense"})
    assert wrong.status_code == 422
    served.invited(admin, "bea")
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as hers:
        hers.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
        assert "You have not sent the files" in hers.get(f"/jobs/{job}/again").text


def test_a_boost_is_forecast_before_it_is_confirmed(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    bea = served.invited(admin, "bea")
    hers = served.slave(bea, "ws09")
    queued(admin, tmp_path, frames="1-2")
    render(hers, 2)
    job = queued(bea, tmp_path, frames="1-5").job
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as mine:
        mine.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
        assert "Boost it" not in mine.get(f"/jobs/{job}/points").text
        assert "Lasts for" in text(mine.get(f"/jobs/{job}/points?points=1&boost=2"))
        assert admin.job(job).boost == 0
        assert mine.post(f"/jobs/{job}/points", data={"points": "0", "boost": "1"}).status_code == 303
        assert mine.post(f"/jobs/{job}/points", data={"points": "1000000", "boost": "1"}).status_code == 409
        mine.post("/login", data={"name": "ada", "passphrase": PASSPHRASE})
        assert "Only bea can" in text(mine.get(f"/jobs/{job}/points"))


def test_outliers_are_named_and_chosen_frames_are_downloaded(
    browser: httpx.Client,
    admin: FarmClient,
    slave: SlaveCaller,
    tmp_path: Path,
) -> None:
    job = queued(admin, tmp_path, frames="1-4").job
    while admin.job(job).counts.done < 4:
        leases = slave.orders(want=1, hold=5).leases
        slave.orders(finished=[_told(slave, frame) for lease in leases for frame in lease.frames])
    page = browser.get(f"/jobs/{job}")
    assert re.findall(r"Far above the others: (\d+)", text(page)) == ["2", "3"]
    found = re.search(r'formaction="(/api/jobs/\d+/bundle)"', page.text)
    assert found is not None
    some = browser.get(found[1], params={"frames": "2-3", "job": job})
    assert (some.status_code, some.headers["content-type"]) == (200, "application/x-tar")
    with tarfile.open(fileobj=io.BytesIO(some.content)) as tar:
        assert len(tar.getnames()) == 2


def _told(slave: SlaveCaller, frame: LeasedFrame) -> dict[str, Any]:
    """Return what is said of a frame: the second took long, the third much memory."""
    assert staged(slave, frame.attempt, RESULT).status_code == 200
    measured = {"seconds": 30 if frame.number == 2 else 2, "peak_memory_bytes": 10**9 * (4 if frame.number == 3 else 1)}
    return {"attempt": frame.attempt, "sha256": sha(RESULT), **measured}
