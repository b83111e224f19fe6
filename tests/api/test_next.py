"""The slave's one call, over real HTTP: hangs, wakes, is superseded, takes results."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from farm.client.farmclient import FarmClient
from farm.client.lendcalls import LendCalls
from farm.client.poolcalls import PoolCalls
from farm.client.sharecalls import ShareCalls
from farm.package.results import pack
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.pools import PoolWish
from farm.protocol.shares import UserShareWish
from farm.protocol.slaves import LeasedFrame, Orders
from tests.serving import Served, SlaveCaller, serving


def submit(client: FarmClient, frames: str = "1", **more: Any) -> int:
    wish = Submission(name="sleep", requires=Requirement(method="sleep"), frames=frames, **more)
    job = client.submit(wish).job
    client.queue(job)
    return job


def tar(folder: Path, text: str = "picture") -> bytes:
    (folder / "0001.txt").write_text(text)
    stream = io.BytesIO()
    pack(stream, {"0001.txt": folder / "0001.txt"})
    return stream.getvalue()


def finished(attempt: int, data: bytes, *, sha256: str = "", inline: bool = True) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "sha256": sha256 or hashlib.sha256(data).hexdigest(),
        "inline": base64.b64encode(data).decode() if inline else "",
        "seconds": 0.5,
    }


def leased(slave: SlaveCaller) -> LeasedFrame:
    (lease,) = slave.orders(want=1).leases
    return lease.frames[0]


class Hanging:
    """Calls that hang, each in a thread."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(8)

    def call(self, served: Served, slave: SlaveCaller, **report: Any) -> Future[Orders]:
        """Let a slave call; return when its call hangs."""
        before = self.count(served)
        future = self.pool.submit(slave.orders, hold=30, **report)
        end = time.monotonic() + 10
        while self.count(served) <= before and not future.done():
            assert time.monotonic() < end
            time.sleep(0.005)
        time.sleep(0.05)
        return future

    def count(self, served: Served) -> int:
        assert served.process._server is not None
        return len(served.process._server._services.polls)


@pytest.fixture
def hanging() -> Any:
    calls = Hanging()
    yield calls
    calls.pool.shutdown(cancel_futures=True)


@pytest.fixture
def patient(tmp_path: Path) -> Any:
    """A server whose slaves may hang for long."""
    with serving(tmp_path / "data", heartbeat_seconds=60) as served:
        yield served


def test_a_call_with_nothing_to_say_hangs_for_a_heartbeat_at_most(tmp_path: Path) -> None:
    with serving(tmp_path / "data", heartbeat_seconds=0.3) as served:
        slave = served.slave(served.admin())
        began = time.monotonic()
        assert slave.orders(want=1, hold=30) == Orders(heartbeat_seconds=0.3)
        assert 0.25 < time.monotonic() - began < 5
        assert slave.orders(want=1, hold=0) == Orders(heartbeat_seconds=0.3)


def test_a_hanging_slave_gets_a_new_job_at_once(patient: Served, hanging: Hanging) -> None:
    admin = patient.admin()
    future = hanging.call(patient, patient.slave(admin), want=1)
    job = submit(admin)
    (lease,) = future.result(10).leases
    assert (lease.job, [frame.number for frame in lease.frames]) == (job, [1])


def test_all_hanging_slaves_get_frames_of_a_new_job(patient: Served, hanging: Hanging) -> None:
    admin = patient.admin()
    futures = [hanging.call(patient, patient.slave(admin, f"ws{n}"), want=1) for n in range(4)]
    submit(admin, "1-40")
    assert all(future.result(10).leases for future in futures)


def test_a_hanging_slave_looks_anew_when_what_it_may_render_is_another(patient: Served, hanging: Hanging) -> None:
    admin = patient.admin()
    pools, shares = PoolCalls(admin), ShareCalls(admin)
    bea = patient.invited(admin, "bea")
    slave = patient.slave(admin, accept="friends")
    wish = Submission(name="sleep", requires=Requirement(method="sleep", tags=["fast"]), frames="1-9")
    bea.queue(bea.submit(wish).job)
    pools.put("heavy", PoolWish(slaves=["ws01"], users=["ada"]))
    shares.change_user("bea", UserShareWish(slots=1))
    other = patient.slave(bea, "ws02", offers=[{"method": "sleep", "tags": ["fast"]}])
    held = leased(other).attempt

    def then(*acts: Callable[[], object]) -> None:
        future = hanging.call(patient, slave, want=1)
        for act in acts:
            assert not future.done()
            act()
        (lease,) = future.result(60).leases
        slave.orders(returned=[frame.attempt for frame in lease.frames])

    then(
        lambda: LendCalls(admin).befriend("bea"),
        lambda: pools.tag("ws01", ["fast"]),
        lambda: pools.remove("heavy"),
        lambda: shares.change_user("bea", UserShareWish(slots=0)),
    )
    other.orders(returned=[held])
    LendCalls(admin).part("bea")
    then(lambda: LendCalls(admin).befriend("bea"))
    pools.tag("ws01", [])
    then(lambda: pools.tag("ws01", ["fast"]))
    pools.put("heavy", PoolWish(slaves=["ws01"], users=["ada"]))
    then(lambda: pools.put("heavy", PoolWish(slaves=["ws01"], users=["ada", "bea"])))


def test_a_newer_call_makes_the_older_answer_superseded(patient: Served, hanging: Hanging) -> None:
    slave = patient.slave(patient.admin())
    older = hanging.call(patient, slave, want=1)
    newer = slave.orders(want=0, hold=0)
    assert older.result(10) == Orders(superseded=True)
    assert not newer.superseded
    stale = slave.http.post("/api/slave/next", json={"seq": 0})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_report")


def test_pausing_a_slave_tells_its_hanging_call_to_drain_and_the_next_one_hangs(
    patient: Served, hanging: Hanging
) -> None:
    admin = patient.admin()
    slave = patient.slave(admin)
    future = hanging.call(patient, slave, want=1)
    admin.pause_slave("ws01")
    assert future.result(10).drain
    future = hanging.call(patient, slave, want=1)
    assert not future.done()
    admin.resume_slave("ws01")
    assert not future.result(10).drain


def test_canceling_a_job_revokes_its_frames_at_once(patient: Served, hanging: Hanging) -> None:
    admin = patient.admin()
    slave = patient.slave(admin)
    job = submit(admin)
    attempt = leased(slave).attempt
    future = hanging.call(patient, slave, running=[{"attempt": attempt, "progress": 0.5, "seconds": 1}])
    admin.command(job, "cancel")
    assert future.result(10).revoked == [attempt]


def test_stopping_the_server_answers_hanging_calls(tmp_path: Path, hanging: Hanging) -> None:
    with serving(tmp_path / "data", heartbeat_seconds=60) as served:
        future = hanging.call(served, served.slave(served.admin()), want=1)
        began = time.monotonic()
        threading.Timer(0.1, served.process.stop).start()
        assert future.result(10) == Orders(heartbeat_seconds=60)
    assert time.monotonic() - began < 10


def test_a_small_result_rides_inside_the_report(patient: Served, tmp_path: Path) -> None:
    admin = patient.admin()
    slave = patient.slave(admin)
    job = submit(admin)
    attempt = leased(slave).attempt
    (verdict,) = slave.orders(finished=[finished(attempt, tar(tmp_path))]).verdicts
    assert (verdict.attempt, verdict.verdict) == (attempt, "accepted")
    (file,) = admin.output(job).files
    admin.fetch_file(job, file, tmp_path / "home.txt")
    assert (tmp_path / "home.txt").read_text() == "picture"
    assert admin.job(job).state == "done"
    (again,) = slave.orders(finished=[finished(attempt, tar(tmp_path))]).verdicts
    assert again.verdict == "accepted", "an answer that was lost is given again"
    assert len(admin.output(job).files) == 1


def test_a_damaged_small_result_is_asked_for_again_and_a_hostile_one_fails_its_slave(
    patient: Served, tmp_path: Path
) -> None:
    admin = patient.admin()
    slave = patient.slave(admin)
    job = submit(admin)
    attempt = leased(slave).attempt
    (verdict,) = slave.orders(finished=[finished(attempt, tar(tmp_path), sha256="0" * 64)]).verdicts
    assert verdict.verdict == "again"
    (verdict,) = slave.orders(finished=[finished(attempt, b"no tar at all" * 100)]).verdicts
    assert (verdict.attempt, verdict.verdict) == (attempt, "refused")
    tried = admin.frame(job, 1).attempts
    assert [(a.state, a.failure_class) for a in tried][:1] == [("failed", "slave")]
    assert admin.output(job).files == []


def test_a_result_of_somebody_else_s_attempt_is_refused(patient: Served, tmp_path: Path) -> None:
    admin = patient.admin()
    slave, thief = patient.slave(admin), patient.slave(admin, "ws02")
    submit(admin)
    attempt = leased(slave).attempt
    (verdict,) = thief.orders(finished=[finished(attempt, tar(tmp_path))]).verdicts
    assert verdict.verdict == "refused"
    (verdict,) = slave.orders(finished=[finished(attempt, tar(tmp_path))]).verdicts
    assert verdict.verdict == "accepted"


def test_a_result_that_was_never_sent_is_asked_for(patient: Served, tmp_path: Path) -> None:
    admin = patient.admin()
    slave = patient.slave(admin)
    submit(admin)
    attempt = leased(slave).attempt
    data = tar(tmp_path)
    (verdict,) = slave.orders(finished=[finished(attempt, data, inline=False)]).verdicts
    assert verdict.verdict == "again"
    staged = slave.http.put(f"/api/slave/results/{attempt}", content=data)
    assert staged.status_code in (200, 201), staged.text
    (verdict,) = slave.orders(finished=[finished(attempt, data, inline=False)]).verdicts
    assert verdict.verdict == "accepted"
