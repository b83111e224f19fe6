"""Where a frame's time went, over real HTTP: the slave's word between what the server saw."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.timing import FrameTiming
from tests.api.test_next import finished, leased, submit, tar
from tests.serving import Served

SLOW = 3600 * 10**6


def rendered(served: Served, admin: FarmClient, folder: Path, trace: str) -> FrameTiming:
    """Have one frame rendered by a slave that tells this of it."""
    slave = served.slave(admin)
    job = submit(admin)
    attempt = leased(slave).attempt
    time.sleep(0.05)
    (verdict,) = slave.orders(finished=[{**finished(attempt, tar(folder)), "trace": trace}]).verdicts
    assert verdict.verdict == "accepted"
    return admin.frame_timing(job, 1)


def test_a_frames_steps_lie_between_its_submission_and_its_result(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    timing = rendered(served, admin, tmp_path, "wait:0+1000 render:1000+30000 check:31000+2000")
    spans = {span.step.value: span for span in timing.spans}
    assert list(spans) == ["submit", "queue", "wait", "render", "check", "report"]
    assert spans["render"].seconds == pytest.approx(0.03)
    assert spans["wait"].at == pytest.approx(spans["queue"].at + spans["queue"].seconds)
    assert spans["report"].at == pytest.approx(spans["check"].at + 0.002), "what is left is the report's"
    assert spans["report"].seconds >= 0.015


def test_a_lying_slave_can_not_move_its_steps_beyond_the_time_that_it_had_the_frame(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    timing = rendered(served, admin, tmp_path, f"wait:{SLOW}+{SLOW} render:0+{SLOW}")
    assert all(span.at >= 0 and span.at + span.seconds < 60 for span in timing.spans)


@pytest.mark.parametrize("trace", ["render", "render:1+2 " * 17, "é:1+2", "x:" + "1" * 400])
def test_a_trace_that_is_none_is_malformed(served: Served, admin: FarmClient, tmp_path: Path, trace: str) -> None:
    slave = served.slave(admin)
    submit(admin)
    end = {**finished(leased(slave).attempt, tar(tmp_path)), "trace": trace}
    assert slave.report(finished=[end]).status_code == 422


def test_a_job_sums_up_its_frames_and_says_when_they_were_fetched(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    slave = served.slave(admin)
    job = submit(admin, "1-3")
    for _ in range(3):
        for lease in slave.orders(want=1).leases:
            ends = [
                {**finished(f.attempt, tar(tmp_path, str(f.number))), "trace": "render:0+2000"} for f in lease.frames
            ]
            slave.orders(finished=ends)
    timing = admin.job_timing(job)
    totals = {total.step.value: total for total in timing.steps}
    assert (timing.frames, totals["render"].frames) == (3, 3)
    assert totals["render"].total == pytest.approx(0.006)
    assert timing.home is None
    assert timing.queued is not None
    assert timing.first_lease is not None
    assert timing.last_result is not None
    assert timing.queued <= timing.first_lease <= timing.last_result
    (file, *_) = admin.output(job).files
    admin.fetch_file(job, file, tmp_path / "home.txt")
    end = time.monotonic() + 20
    while (home := admin.job_timing(job).home) is None:
        assert time.monotonic() < end, "the server notes it within moments"
        time.sleep(0.1)
    assert home >= timing.last_result
    assert [span.step.value for span in admin.frame_timing(job, file.frame).spans][-1] == "home"


def test_nobody_sees_timings_without_a_login(served: Served) -> None:
    answer = served.http.get("/api/jobs/1/timing")
    assert answer.status_code == 401
    assert served.http.get("/api/jobs/1/frames/1/timing").status_code == 401


def test_only_what_somebody_has_wholly_counts_as_fetched(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    slave = served.slave(admin)
    job = submit(admin, "1-2")
    for _ in range(2):
        for lease in slave.orders(want=1).leases:
            slave.orders(finished=[finished(f.attempt, tar(tmp_path, f"picture {f.number}")) for f in lease.frames])
    first, second = admin.output(job).files
    at = f"/api/jobs/{job}/output/{first.frame}/{first.name}"
    login = {"Authorization": admin._http.headers["Authorization"]}
    for shown in ({"Range": "bytes=0-0"}, {"Sec-Fetch-Dest": "image"}):
        assert served.http.get(at, headers=login | shown).is_success
    assert served.http.head(at, headers=login).is_success
    bundle = served.http.get(f"/api/jobs/{job}/frames/{second.frame}/bundle", headers=login)
    assert bundle.is_success
    assert until_home(admin, job, second.frame)
    assert not until_home(admin, job, first.frame, seconds=0)
    assert served.http.get(at, headers=login | {"Range": f"bytes={first.size - 1}-"}).status_code == 206
    assert until_home(admin, job, first.frame)


def until_home(admin: FarmClient, job: int, frame: int, seconds: float = 30) -> bool:
    """Wait until a frame counts as fetched; tell whether it does."""
    end = time.monotonic() + seconds
    while True:
        if any(span.step == "home" for span in admin.frame_timing(job, frame).spans):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
