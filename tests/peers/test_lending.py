"""Slaves of one server render for another: two real servers, slaves that say what a test wants."""

from __future__ import annotations

import base64
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from farm.client.poolcalls import PoolCalls
from farm.peers import lent, occupied
from farm.protocol.lending import Borrow, Lend, LentSlave
from farm.protocol.pools import PoolWish
from farm.protocol.slaves import Hardware, Orders
from farm.simulator.pictures import packed
from farm.words.errors import DistrenError, Forbidden, NotFound, PeerRefused
from tests.api.test_tail import Reader
from tests.databases import MariaDB
from tests.peers.conftest import Home, befriend, home, sleep_job
from tests.peers.lenders import finished, leased, nothing, told, until
from tests.serving import SlaveCaller


def test_an_idle_slave_renders_for_a_peer(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    job = sleep_job(near.admin, "1-2")
    lease = leased(slave)
    place, theirs = lent.there(lease.job)
    assert place, "a peer's numbers are not taken for this server's"
    assert theirs == job.job
    sheet = slave.http.get(f"/api/slave/jobs/{lease.job}").json()
    assert (sheet["job"], sheet["address"]) == (lease.job, f"distren://near/{job.job}")
    ended = [finished(frame.attempt, frame.picture) for frame in lease.frames]
    verdicts = told(slave, finished=ended).verdicts
    assert [one.verdict for one in verdicts] == ["accepted"] * len(ended)
    while len(ended) < 2:
        lease = leased(slave)
        ended += (more := [finished(frame.attempt, frame.picture) for frame in lease.frames])
        told(slave, finished=more)
    assert near.admin.job(job.job).state == "done"
    assert near.admin.frame(job.job, 1).attempts[0].slave.endswith("@annex")
    assert not annex.admin.jobs().jobs, "nothing of it is a job there"
    (peer,) = annex.peers.peers()
    assert (peer.lent_frames, peer.lent_seconds) == (2, 1.0)


def test_files_and_large_results_go_through_and_a_failure_says_why(
    agreed: tuple[Home, Home], slave: SlaveCaller
) -> None:
    near, _ = agreed
    job = sleep_job(near.admin, "1")
    (frame,) = (lease := leased(slave)).frames
    result = packed(1, 1, size=200_000)
    path = f"/api/slave/results/{frame.attempt}?sha256={result.sha256}"
    staged = slave.http.put(path, content=base64.b64decode(result.inline))
    assert staged.json()["attempt"] == frame.attempt
    assert slave.http.get(f"/api/slave/blobs/{'0' * 64}?job={lease.job}").status_code == 404
    failure = {"attempt": frame.attempt, "failure_class": "job", "message": "no camera", "log": "line 7"}
    assert [one.verdict for one in told(slave, failed=[failure]).verdicts] == ["accepted"]
    assert near.admin.frame(job.job, 1).attempts[0].message == "no camera"


def test_the_own_servers_work_comes_first(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    sleep_job(near.admin, "1-4")
    waiting = [frame.attempt for frame in leased(slave).frames]
    own = sleep_job(annex.admin, "1")
    orders = until(lambda: slave.orders(want=1, hold=1, holding=waiting), lambda found: bool(found.leases))
    assert [lease.job for lease in orders.leases] == [own.job]
    assert set(waiting) <= set(orders.revoked)


def test_canceling_at_home_stops_it_there(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, _ = agreed
    job = sleep_job(near.admin, "1")
    (frame,) = leased(slave).frames
    near.admin.command(job.job, "cancel")
    running = [{"attempt": frame.attempt, "seconds": 1}]
    until(lambda: slave.orders(running=running), lambda found: found.revoked == [frame.attempt])


def test_who_reads_a_frames_log_at_home_hears_what_its_renderer_says_there(
    agreed: tuple[Home, Home], slave: SlaveCaller
) -> None:
    near, _ = agreed
    job = sleep_job(near.admin, "1")
    attempt = leased(slave).frames[0].attempt

    def renders(**more: object) -> Orders:
        return slave.orders(running=[{"attempt": attempt, "seconds": 3, **more}])

    assert until(lambda: renders(tail="nobody reads this"), lambda _: True).watched == []
    reader = Reader(near.admin, job.job, 1)
    orders = until(renders, lambda found: found.watched == [attempt])
    assert orders.heartbeat_seconds <= 1
    until(lambda: renders(tail="Sample 1/64\n", tail_at=0), lambda _: bool(reader.heard))
    assert reader.text.startswith("Sample 1/64\n")
    told(slave, finished=[finished(attempt)])
    reader.thread.join(60)
    assert not reader.thread.is_alive(), "it ends with the frame"


@pytest.mark.parametrize(
    ("borrow", "lend"),
    [
        (None, Lend()),
        (Borrow(methods=["blender"]), Lend()),
        (Borrow(users=["nobody"]), Lend()),
        (Borrow(), None),
        (Borrow(), Lend(methods=["blender"])),
    ],
)
def test_nothing_is_lent_or_borrowed_against_an_admins_word(
    agreed: tuple[Home, Home], slave: SlaveCaller, borrow: Borrow | None, lend: Lend | None
) -> None:
    near, annex = agreed
    near.peers.borrow("annex", borrow)
    annex.peers.lend("near", lend)
    sleep_job(near.admin, "1")
    nothing(slave)
    near.peers.borrow("annex", Borrow(users=["near-admin"]))
    annex.peers.lend("near", Lend())
    assert leased(slave).frames


def test_a_slave_in_a_pool_is_not_lent_and_again_when_it_has_left(
    agreed: tuple[Home, Home], slave: SlaveCaller
) -> None:
    near, annex = agreed
    job = sleep_job(near.admin, "1-9")
    lease = leased(slave)  # the peer knows it
    (name,) = (one.name for one in annex.admin.slaves() if one.state == "idle")
    PoolCalls(annex.admin).put("heavy", PoolWish(slaves=[name]))
    told(slave, finished=[finished(frame.attempt, frame.picture) for frame in lease.frames])
    nothing(slave)
    assert near.admin.job(job.job).state == "rendering"
    PoolCalls(annex.admin).remove("heavy")
    assert leased(slave).frames


def test_only_so_many_slots_are_lent(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    annex.peers.lend("near", Lend(slots=1))
    sleep_job(near.admin, "1-9")
    running = [{"attempt": frame.attempt, "seconds": 1} for frame in leased(slave).frames]
    for _ in range(3):
        assert not slave.orders(want=1, hold=0.2, running=running).leases


def test_a_slot_counts_before_its_slave_has_said_that_it_renders(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    annex.peers.lend("near", Lend(slots=1))
    sleep_job(near.admin, "1-9")
    other = annex.served.slave(annex.admin, "other")
    first = leased(slave)
    for _ in range(3):
        assert not other.orders(want=1, hold=0.2).leases
    slave.orders(returned=[frame.attempt for frame in first.frames])
    assert leased(other).frames
    other.http.post("/api/slave/logout")


def test_a_slave_that_logs_out_leaves_its_slot_to_others_at_once(
    agreed: tuple[Home, Home], slave: SlaveCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occupied, "LEAST", 3600.0)
    near, annex = agreed
    annex.peers.lend("near", Lend(slots=1))
    sleep_job(near.admin, "1-9")
    gone = annex.served.slave(annex.admin, "gone")
    assert leased(gone).frames
    gone.http.post("/api/slave/logout")
    assert leased(slave).frames


def test_what_is_left_after_the_end_of_lending_still_counts(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    job = sleep_job(near.admin, "1")
    (frame,) = leased(slave).frames
    annex.peers.lend("near", None)
    near.peers.borrow("annex", None)
    assert [one.verdict for one in told(slave, finished=[finished(frame.attempt)]).verdicts] == ["accepted"]
    assert near.admin.job(job.job).state == "done"


def test_a_paused_exchange_loses_no_result(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, _ = agreed
    job = sleep_job(near.admin, "1")
    (frame,) = leased(slave).frames
    near.peers.pause("annex")
    assert not slave.orders(finished=[finished(frame.attempt)]).verdicts, "the slave keeps it, and says it again"
    near.peers.resume("annex")
    assert [one.verdict for one in told(slave, finished=[finished(frame.attempt)]).verdicts] == ["accepted"]
    assert near.admin.job(job.job).state == "done"


def test_a_peer_can_say_nothing_of_others_attempts(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, _ = agreed
    own = near.served.slave(near.admin, "own")
    job = sleep_job(near.admin, "1-20")
    (mine, *_) = until(lambda: own.orders(want=1), lambda found: bool(found.leases)).leases
    place, _ = lent.there((lease := leased(slave)).job)
    forged = lent.here(place, mine.frames[0].attempt)
    assert [one.verdict for one in told(slave, finished=[finished(forged)]).verdicts] == ["refused"]
    assert slave.http.put(f"/api/slave/results/{forged}", content=b"x").status_code >= 400
    assert near.admin.frame(job.job, mine.frames[0].number).state == "leased"
    assert lease.job


def test_both_books_agree_and_a_forged_receipt_is_found(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    job = sleep_job(near.admin, "1-3")
    while near.admin.job(job.job).state != "done":
        ends = [finished(frame.attempt, frame.picture) for frame in leased(slave).frames]
        time.sleep(0.3)  # processors are not believed to have worked longer than the clock went
        told(slave, finished=ends)
    there = annex.peers.audit("near")
    here = near.peers.audit("annex")
    assert there.agree, there
    assert here.agree, here
    assert there.ours.lent_milli == here.ours.owed_milli > 0
    assert there.ours.lent_frames
    file = annex.served.process.settings.data / "distren.sqlite3"
    with sqlite3.connect(file, timeout=60) as conn:
        (last,) = conn.execute("SELECT max(attempt) FROM lentframe WHERE milli > 0").fetchone()
        conn.execute("UPDATE lentframe SET milli = milli * 10 WHERE attempt = ?", [last])
    assert not (found := annex.peers.audit("near")).agree
    assert len(found.forged) == 1
    with sqlite3.connect(file, timeout=60) as conn:
        conn.execute("UPDATE lentframe SET milli = milli / 10 WHERE attempt = ?", [last])
    assert annex.peers.audit("near").agree
    # What it owes is above a thousandth of a minute, so no more is lent.
    annex.peers.lend("near", Lend(minutes=0.001))
    sleep_job(near.admin, "1")
    nothing(slave)


def test_minutes_are_not_believed_beyond_what_the_clock_allows(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    before = near.peers.audit("annex").ours.owed_milli
    job = sleep_job(near.admin, "1")
    attempt = leased(slave).frames[0].attempt
    began = time.monotonic()
    claimed = {"seconds": 10**6, "cpu_seconds": 10**6}
    told(slave, finished=[{**finished(attempt), **claimed}])
    took = time.monotonic() - began + 60  # from the lease, however busy the machine is
    assert near.admin.job(job.job).state == "done"
    assert (found := near.peers.audit("annex")).agree
    assert found.ours.owed_milli - before <= took * 2 * 1000 / 60, "two processors, for so long"
    assert annex.peers.audit("near").agree


@pytest.mark.mariadb
def test_lending_and_its_books_are_the_same_on_mariadb(mariadb: MariaDB, tmp_path: Path) -> None:
    with ExitStack() as stack:
        urls = {name: stack.enter_context(mariadb.fresh()) for name in ("near", "annex")}
        near, annex = (stack.enter_context(home(tmp_path / name, name, database=url)) for name, url in urls.items())
        befriend(near, annex)
        near.peers.borrow("annex", Borrow(users=["near-admin"]))
        annex.peers.lend("near", Lend(bytes_per_day=10**9, minutes=10**6, idle_only=True))
        slave = annex.served.slave(annex.admin, "ws01")
        job = sleep_job(near.admin, "1-2")
        while near.admin.job(job.job).state != "done":
            lease = leased(slave)
            assert slave.http.get(f"/api/slave/jobs/{lease.job}").status_code == 200
            ends = [finished(frame.attempt, frame.picture) for frame in lease.frames]
            time.sleep(0.3)  # processors are not believed to have worked longer than the clock went
            told(slave, finished=ends)
        assert annex.peers.audit("near").agree
        assert (found := near.peers.audit("annex")).agree
        assert found.ours.owed_milli > 0
        (peer,) = annex.peers.peers()
        assert peer.lent_frames == 2


@pytest.mark.parametrize("path", ["/api/slave/jobs/1", "/api/jobs/../slave/jobs/1", "/api/%73lave/jobs/1"])
def test_a_user_who_is_called_like_a_slave_is_none(agreed: tuple[Home, Home], slave: SlaveCaller, path: str) -> None:
    near, annex = agreed
    job = sleep_job(near.admin, "1")
    leased(slave)
    annex.served.slave(annex.admin, "annex-admin")
    with pytest.raises(Forbidden):
        annex.at("near").send("GET", path.replace("/1", f"/{job.job}"))


def test_only_admins_lend_and_borrow_and_only_a_peer_introduces_slaves(agreed: tuple[Home, Home]) -> None:
    near, annex = agreed
    user = annex.served.invited(annex.admin, "maya")
    for what in ("lend", "borrow"):
        with pytest.raises(Forbidden):
            user.send("PUT", f"/api/peers/near/{what}", Lend() if what == "lend" else Borrow())
    with pytest.raises(NotFound, match="no user"):
        near.peers.borrow("annex", Borrow(users=["mayx"]))
    said = LentSlave(name="ws01", version="1", slots=1, hardware=Hardware(cores=1, memory_bytes=1), offers=[])
    with pytest.raises(DistrenError):
        annex.at("near").send("POST", "/api/peering/slaves", said)
    with pytest.raises(PeerRefused):
        near.admin.send("POST", "/api/peering/slaves", said)
