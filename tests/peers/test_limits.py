"""Each limit of what is lent refuses, and says why: by rules alone, and between two real servers."""

from __future__ import annotations

import base64
import time
from datetime import datetime
from typing import Any

import pytest

from farm.peers.limits import Use, refusal
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.lending import Borrow, Lend
from farm.simulator.pictures import packed
from farm.words.errors import NeedsConfirmation
from farm.words.hours import DAYS, Hours
from tests.api.browsing import text
from tests.peers.conftest import Home, sleep_job
from tests.peers.lenders import finished, leased, nothing, told
from tests.peers.test_servers_page import browser
from tests.serving import SlaveCaller

MONDAY = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 - the wall's


@pytest.mark.parametrize(
    ("lend", "use", "why"),
    [
        (Lend(), Use(MONDAY, busy=True, today=10**15, owes=10**9, slots=99_999), ""),
        (Lend(minutes=600), Use(MONDAY, owes=600_000), "It owes 600.000 minutes; at 600, lending stops"),
        (Lend(minutes=600), Use(MONDAY, owes=599_999), ""),
        (Lend(minutes=600), Use(MONDAY, owes=-1), ""),
        (Lend(hours="sat-sun"), Use(MONDAY), "It is lent slaves only sat-sun."),
        (Lend(hours="mon-fri"), Use(MONDAY), ""),
        (Lend(bytes_per_day=10**9), Use(MONDAY, today=10**9), "The 1 GB of today are used up"),
        (Lend(bytes_per_day=10**9), Use(MONDAY, today=10**9 - 1), ""),
        (Lend(idle_only=True), Use(MONDAY, busy=True), "Jobs of this server have something left to render."),
        (Lend(idle_only=True), Use(MONDAY), ""),
        (Lend(methods=["blender"]), Use(MONDAY, methods=frozenset({"povray"})), "renders with blender."),
        (Lend(methods=["blender"]), Use(MONDAY, methods=frozenset({"povray", "blender"})), ""),
        (Lend(slots=2), Use(MONDAY, slots=2), "All slots that it is lent render for it."),
        (Lend(slots=2), Use(MONDAY, slots=1), ""),
    ],
)
def test_a_limit_refuses_from_the_very_amount_on_and_says_why(lend: Lend, use: Use, why: str) -> None:
    said = refusal(lend, Hours.parse(lend.hours), use)
    assert why in said
    assert bool(said) == bool(why)


def why_not(annex: Home) -> str:
    (peer,) = annex.peers.peers()
    return peer.keeps


def never_today() -> str:
    """Return a day that is neither today nor begins or ends while the test runs."""
    return DAYS[(datetime.now().weekday() + 3) % 7]  # noqa: DTZ005 - the wall's


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"hours": never_today()}, "It is lent slaves only"),
        ({"methods": ["blender"]}, "No slave here that is lent renders with blender."),
    ],
)
def test_hours_and_methods_refuse_and_the_page_says_why(
    agreed: tuple[Home, Home], slave: SlaveCaller, terms: dict[str, Any], why: str
) -> None:
    near, annex = agreed
    annex.peers.lend("near", Lend(**terms))
    sleep_job(near.admin, "1")
    nothing(slave)
    assert why in why_not(annex)
    with browser(annex, "annex-admin") as page:
        assert f"Nothing more just now: {why}" in text(page.get("/servers"))
    annex.peers.lend("near", Lend())
    assert leased(slave).frames
    assert why not in why_not(annex)


def test_idle_only_lends_nothing_while_a_job_here_has_anything_left_that_no_slave_can_do(
    agreed: tuple[Home, Home], slave: SlaveCaller
) -> None:
    near, annex = agreed
    wish = Submission(name="own", requires=Requirement(method="sleep", tags=["nowhere"]), frames="1")
    own = annex.admin.queue(annex.admin.submit(wish).job)
    annex.peers.lend("near", Lend(idle_only=True))
    sleep_job(near.admin, "1")
    nothing(slave)
    assert why_not(annex) == "Jobs of this server have something left to render."
    annex.admin.command(own.job, "cancel")
    assert leased(slave).frames


def test_at_the_volume_of_a_day_nothing_more_is_lent(agreed: tuple[Home, Home], slave: SlaveCaller) -> None:
    near, annex = agreed
    annex.peers.lend("near", Lend(bytes_per_day=100_000))
    sleep_job(near.admin, "1-2")
    (frame, *_) = leased(slave).frames
    result = packed(1, 1, size=200_000)
    path = f"/api/slave/results/{frame.attempt}?sha256={result.sha256}"
    assert slave.http.put(path, content=base64.b64decode(result.inline)).status_code == 200
    end = {"attempt": frame.attempt, "sha256": result.sha256, "seconds": 0.5}
    assert [one.verdict for one in told(slave, finished=[end]).verdicts] == ["accepted"], "what has begun is taken"
    nothing(slave)
    assert "of today are used up" in why_not(annex)


def test_only_so_many_slots_render_for_it_and_only_jobs_that_its_admin_named(
    agreed: tuple[Home, Home], slave: SlaveCaller
) -> None:
    near, annex = agreed
    near.peers.borrow("annex", Borrow(users=["nobody"]))
    job = sleep_job(near.admin, "1-9")
    nothing(slave)
    assert near.admin.job(job.job).waiting, "its owner sees why"
    near.peers.borrow("annex", Borrow(users=["near-admin"]))
    annex.peers.lend("near", Lend(slots=1))
    running = [{"attempt": frame.attempt, "seconds": 1} for frame in leased(slave).frames]
    assert not slave.orders(want=1, hold=0.2, running=running).leases
    (peer,) = annex.peers.peers()
    assert (peer.keeps, peer.lent_now) == ("All slots that it is lent render for it.", len(running))
    (theirs,) = near.peers.peers()
    assert theirs.borrowed_now == len(running)
    for home, peer in ((near, "annex"), (annex, "near")):
        with pytest.raises(NeedsConfirmation, match="These are lost"):
            home.peers.end(peer)


def worked(home: Home, caller: SlaveCaller, frames: int, cpu_seconds: float = 30) -> int:
    """Have frames of a new job rendered by a lent slave; return the job."""
    job = sleep_job(home.admin, f"1-{frames}").job
    while home.admin.job(job).state != "done":
        ends = [finished(frame.attempt, frame.picture, cpu_seconds) for frame in leased(caller).frames]
        told(caller, finished=ends)
    return job


def test_at_the_limit_of_what_is_owed_lending_stops_until_it_is_worked_off(agreed: tuple[Home, Home]) -> None:
    near, annex = agreed
    # So many processors that half a minute of their time is possible in a moment.
    many = {"hardware": {"cores": 4096, "memory_bytes": 10**9}}
    lent, own = annex.served.slave(annex.admin, "debts", **many), near.served.slave(near.admin, "worker", **many)
    own.http.post("/api/slave/logout")
    worked(near, lent, 2)
    found = annex.peers.audit("near")
    assert found.agree
    assert found.ours.lent_milli > 300
    annex.peers.lend("near", Lend(minutes=0.3))
    sleep_job(near.admin, "1")
    nothing(lent)
    assert "at 0.3, lending stops until it has worked them off" in why_not(annex)
    near.admin.command(near.admin.jobs(limit=1).jobs[0].job, "cancel")
    # It works it off by rendering for annex.
    annex.peers.borrow("near", Borrow())
    near.peers.lend("annex", Lend())
    lent.http.post("/api/slave/logout")
    own = SlaveCaller(near.served.url, str(own.login["key"]), str(own.login["password"]), **many)
    try:
        worked(annex, own, 2)
    finally:
        own.http.post("/api/slave/logout")
        own.close()
        near.peers.lend("annex", None)
        annex.peers.borrow("near", None)
    assert annex.peers.audit("near").agree
    lent = SlaveCaller(annex.served.url, str(lent.login["key"]), str(lent.login["password"]), **many)
    try:
        sleep_job(near.admin, "1")
        assert leased(lent).frames, "it is lent again"
    finally:
        lent.http.post("/api/slave/logout")
        lent.close()


def test_a_peer_that_understates_what_it_owes_is_found_out_by_the_frames_that_both_have_counted(
    agreed: tuple[Home, Home],
) -> None:
    near, annex = agreed
    many = {"hardware": {"cores": 4096, "memory_bytes": 10**9}}
    slave = annex.served.slave(annex.admin, "honest", **many)
    worked(near, slave, 1, cpu_seconds=0)  # it is introduced
    near.sql("""UPDATE slave SET powers = '{"sleep"\\:100}' WHERE name = 'honest@annex'""")
    worked(near, slave, 8)
    found = annex.peers.audit("near")
    assert found.agree, "what is signed is signed; what it is worth is another matter"
    (peer,) = annex.peers.peers()
    assert peer.probes >= 8
    assert peer.rate > 2
    assert peer.balance * 1000 > 1.5 * (found.ours.lent_milli - found.ours.owed_milli), (
        "the limit counts what it is worth"
    )
    with browser(annex, "annex-admin") as page:
        assert f"is worth {peer.rate:.2f} of this server’s" in text(page.get("/servers"))
    slave.http.post("/api/slave/logout")


@pytest.mark.timeout(600)
def test_a_false_picture_of_a_lent_slave_is_found_in_a_studio_too_and_lowers_what_is_owed_for_it(
    agreed: tuple[Home, Home],
) -> None:
    near, annex = agreed
    many = {"hardware": {"cores": 4096, "memory_bytes": 10**9, "system": "Linux x86_64"}}
    liar = annex.served.slave(annex.admin, "liar", **many)
    job = sleep_job(near.admin, "1").job
    (frame,) = leased(liar).frames
    told(liar, finished=[finished(frame.attempt, 1, 30, colour=7)])
    before = annex.peers.audit("near").ours
    assert before.lent_milli > before.lent_back
    liar.http.post("/api/slave/logout")
    own = [near.served.slave(near.admin, name, **many) for name in ("check1", "check2")]
    limit = time.monotonic() + 300
    convicted = "SELECT count(*) FROM spotcheck WHERE state = 'convicted'"
    while not near.sql(convicted):  # others' frames are checked, too
        assert time.monotonic() < limit, "the verdict has no consequences"
        for each in own:
            frames = [one for lease in each.orders(want=1, hold=0.2).leases for one in lease.frames]
            if frames:
                told(each, finished=[finished(one.attempt, one.picture) for one in frames])
    found = annex.peers.audit("near")
    assert found.agree, found
    assert len(near.admin.frame(job, 1).attempts) > 1 or near.admin.job(job).state != "done", "it is rendered again"
    assert found.ours.lent_back - before.lent_back == 500, "all that it was to have for the frame"
    assert near.peers.audit("annex").agree
    assert annex.sql("SELECT max(why) FROM takenback") == f"A slave of annex drew frame 1 of job {job} falsely."
    last = annex.sql("SELECT max(attempt) FROM takenback")
    annex.sql(f"UPDATE takenback SET milli = milli - 1 WHERE attempt = {last}")
    assert annex.peers.audit("near").forged == [last]
    annex.sql(f"UPDATE takenback SET milli = milli + 1 WHERE attempt = {last}")
    # It is retired there, and the others are not.
    back = SlaveCaller(annex.served.url, str(liar.login["key"]), str(liar.login["password"]), **many)
    other = annex.served.slave(annex.admin, "other", **many)
    assert not back.orders(want=1, hold=0.5).leases
    sleep_job(near.admin, "1")
    assert leased(other).job
    for each in (*own, back, other):
        each.http.post("/api/slave/logout")
    back.close()
