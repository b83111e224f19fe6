"""What the dashboard's pages of jobs and frames offer, over plain HTTP: without a script."""

from __future__ import annotations

import html
import io
import re
import tarfile
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update

from farm.client.farmclient import FarmClient
from farm.client.usercalls import UserCalls
from farm.database.handle import Database
from farm.database.schema import jobs
from farm.protocol.slaves import LeasedFrame
from farm.words.states import JobState
from tests.api.browsing import own, text
from tests.api.test_jobs import PICTURE, RESULT, queued, render, sha, staged
from tests.jobs.pretend import tar_of
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


def test_an_admin_lets_a_job_come_first_or_alone_and_takes_it_back_and_all_is_on_record(
    served: Served, admin: FarmClient, browser: httpx.Client, tmp_path: Path
) -> None:
    bea = served.invited(admin, "bea")
    job, other = queued(bea, tmp_path, frames="1-2").job, queued(bea, tmp_path, frames="1-2").job
    assert "Do this first" in text(browser.get(f"/jobs/{job}"))
    assert browser.post(f"/jobs/{job}/first", data={"verb": "alone"}).status_code == 303
    assert "All other jobs are held until this one is done." in text(browser.get(f"/jobs/{job}"))
    assert "An admin holds all other jobs" in text(browser.get(f"/jobs/{other}"))
    assert browser.post(f"/jobs/{job}/first", data={"verb": "in_turn"}).status_code == 303
    assert browser.post(f"/jobs/{job}/first", data={"verb": "first"}).status_code == 303
    assert "It comes before all other jobs." in text(browser.get(f"/jobs/{job}/points"))
    assert (admin.job(job).rush, admin.job(other).rush) == (1, 0)
    assert [deed.verb for deed in UserCalls(admin).deeds()][:3] == ["first", "first no more", "hold others"]
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as mine:
        mine.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
        assert "In its turn again" not in mine.get(f"/jobs/{job}").text
        assert mine.post(f"/jobs/{job}/first", data={"verb": "in_turn"}).status_code == 403
    assert admin.job(job).rush == 1


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


def test_a_frame_is_compared_with_another_and_with_its_former_version(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, {"nap.txt": b"one"}, source="nap.txt", frames="1-2").job
    render(slave, 2)
    first = browser.get(f"/jobs/{job}/2/compare")
    assert _pictures(first) == [f"/api/jobs/{job}/output/2/0001.png", f"/api/jobs/{job}/output/1/0001.png"]
    queued(admin, tmp_path, {"nap.txt": b"two"}, source="nap.txt", frames="2", updates=job)
    render(slave, 1, tar_of(output_0001_png=b"another picture", log=b"-"))
    now, then = _pictures(browser.get(f"/jobs/{job}/2/compare"))
    assert (now, then) == (f"/api/jobs/{job}/output/2/0001.png", f"/api/jobs/{job}/output/2/0001.png?version=1")
    assert browser.get(now).content == b"another picture"
    assert browser.get(then).content == PICTURE
    assert browser.get(f"/jobs/{job}/2/compare?version=9").status_code == 404
    assert "has no picture" in text(browser.get(f"/jobs/{job}/2/compare?other=77"))


def test_a_frame_is_compared_with_one_of_another_job_that_its_viewer_may_see(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    jobs = [queued(admin, tmp_path, frames="1-2").job for _ in range(2)]
    render(slave, 4)
    here, there = (f"/api/jobs/{job}/output" for job in jobs)
    page = browser.get(f"/jobs/{jobs[0]}/2/compare?job={jobs[1]}")
    assert _pictures(page) == [f"{here}/2/0001.png", f"{there}/2/0001.png"]
    assert f"Frame 2 of job {jobs[1]}" in text(page)
    # What the form of a job with versions sends along is no version of the other's.
    page = browser.get(f"/jobs/{jobs[0]}/2/compare?job={jobs[1]}&other=1&version=7")
    assert _pictures(page) == [f"{here}/2/0001.png", f"{there}/1/0001.png"]
    assert browser.get(f"/jobs/{jobs[0]}/2/compare?job=77").status_code == 404


def test_a_log_is_searched_on_the_server_and_says_nothing_but_text(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1").job
    assert "There is no log" in text(browser.get(f"/jobs/{job}/1/log"))
    said = "Fra:1 Mem:3M\n<script>alert(1)</script> Warning: dusty\n" + "Sample\n" * 3000
    render(slave, 1, tar_of(output_0001_png=PICTURE, log=said.encode()))
    whole = browser.get(f"/jobs/{job}/1/log")
    assert "1,002 earlier lines are left out" in text(whole)
    some = browser.get(f"/jobs/{job}/1/log?search=warning")
    assert '<li value="2">&lt;script&gt;alert(1)&lt;/script&gt; <mark>Warning</mark>: dusty</li>' in some.text
    assert "Mem:3M" not in text(some)
    assert "No line says “<b>”" in html.unescape(browser.get(f"/jobs/{job}/1/log?search=<b>").text)


def _pictures(page: httpx.Response) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'<img src="(/(?:api|jobs)[^"]*)" alt="Frame', page.text)]


def _told(slave: SlaveCaller, frame: LeasedFrame) -> dict[str, Any]:
    """Return what is said of a frame: the second took long, the third much memory."""
    assert staged(slave, frame.attempt, RESULT).status_code == 200
    measured = {"seconds": 30 if frame.number == 2 else 2, "peak_memory_bytes": 10**9 * (4 if frame.number == 3 else 1)}
    return {"attempt": frame.attempt, "sha256": sha(RESULT), **measured}


def test_a_job_whose_files_were_let_go_says_so_and_offers_no_way_that_needs_them(
    served: Served, admin: FarmClient, browser: httpx.Client, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, {"nap.txt": b"scene"}, source="nap.txt", frames="1").job
    offered = text(browser.get(f"/jobs/{job}"))
    assert "Submit again" in offered
    assert "Render again" in offered
    admin.command(job, "cancel")
    database = Database.open(f"sqlite:///{served.process.settings.data / 'distren.sqlite3'}")
    old = update(jobs).where(jobs.c.number == job).values(let_go=1_800_000_000_000_000)
    database.write_now(lambda conn: conn.execute(old) and None)
    database.close()
    page = text(browser.get(f"/jobs/{job}"))
    assert "Its files were let go 2027-01-15" in page
    assert not any(word in page for word in ("Submit again …", "Render again", "Retry"))
    refused = browser.get(f"/jobs/{job}/again")
    assert refused.status_code == 409
    assert "let go on 2027-01-15" in refused.text
