"""A peer that talks nonsense, lies, swallows or floods is contained, and admins see what it did."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farm.client.peerlink import MOST
from farm.database.handle import Database
from farm.peers import lent
from farm.peers.introduction import hello
from farm.peers.keys import KeyRing
from farm.peers.peering import Peering
from farm.protocol.lending import CounterReceipt, CounterReceipts, Lend, PeerAudit, Receipt, Receipts, Statement
from farm.protocol.signed import SLAVE, Letter, digest_of
from farm.protocol.slaves import Lease, LeasedFrame, Orders, Report, Verdict
from farm.words.clock import now
from farm.words.errors import Unauthenticated
from tests.api.browsing import text
from tests.cli.conftest import Run
from tests.cli.conftest import home as _home
from tests.cli.conftest import run as _run
from tests.peers.conftest import Home, sleep_job
from tests.peers.conftest import home as server
from tests.peers.lenders import finished, until
from tests.peers.liar import Liar, lying
from tests.peers.test_servers_page import browser
from tests.serving import SlaveCaller

home, run = _home, _run


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Liar]]:
    """`near`, and a peer of which nobody knows yet that it lies."""
    folder = tmp_path_factory.mktemp("near")
    with (
        pytest.MonkeyPatch.context() as patch,
        server(folder, "near") as near,
        lying(folder / "liar", "liar") as liar,
    ):
        patch.setattr("farm.peers.lender.REST", 0.1)
        patch.setattr("farm.peers.lender.LONGEST", 0.5)
        liar.befriend(near)
        yield near, liar


@pytest.fixture
def both(known: tuple[Home, Liar]) -> Iterator[tuple[Home, Liar]]:
    """The same; slaves are lent to the liar."""
    near, liar = known
    near.peers.lend("liar", Lend())
    yield near, liar
    liar.honest()
    near.peers.lend("liar", None)


@pytest.fixture
def slave(known: tuple[Home, Liar], request: pytest.FixtureRequest) -> Iterator[SlaveCaller]:
    near = known[0]
    caller = near.served.slave(near.admin, f"s{abs(hash(request.node.name)) % 10**6}", slots=2)
    yield caller
    caller.http.post("/api/slave/logout")


def error_of(home: Home, name: str = "liar") -> str:
    """Return what went wrong last with a peer, as admins see it."""
    (peer,) = [peer for peer in home.peers.peers() if peer.name == name]
    return peer.error


def told(home: Home, words: str, ask: Callable[[], object] = lambda: None) -> None:
    """Wait until admins are told something of the peer, asking again and again for what makes it so."""
    end = time.monotonic() + 90
    while words not in (error := error_of(home)):
        assert time.monotonic() < end, error
        ask()
        time.sleep(0.05)


def lease(number: int, attempt: int = 1) -> Lease:
    frames = [LeasedFrame(attempt=attempt, number=1, picture=1)]
    return Lease(lease=number, job=1, revision=1, frames=frames, deadline=datetime.now(UTC))


def still_renders(near: Home, slave: SlaveCaller) -> None:
    """See that the slave gets, and delivers, a frame of its own server."""
    job = sleep_job(near.admin, "1")
    orders = until(lambda: slave.orders(want=1), lambda said: any(one.job == job.job for one in said.leases))
    (mine,) = [one for one in orders.leases if one.job == job.job]
    said = slave.orders(finished=[finished(mine.frames[0].attempt)])
    assert [verdict.verdict for verdict in said.verdicts] == ["accepted"]


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (b"nonsense", "makes no sense here"),
        (b'{"leases": 7}', "makes no sense here"),
        (b" " * (MOST + 1), "bytes, which is no answer"),
        (Orders(revoked=[1 << lent.BITS]), "a number that is none of its own"),
        (Orders(leases=[lease(-1)]), "a number that is none of its own"),
        (Orders(verdicts=[Verdict(attempt=1 << 60, verdict="accepted")]), "a number that is none of its own"),
    ],
    ids=["no JSON", "no orders", "without end", "another peer's attempt", "no number", "another server's verdict"],
)
def test_what_makes_no_sense_keeps_no_slave_from_its_own_work_and_is_told(
    both: tuple[Home, Liar], slave: SlaveCaller, answer: bytes | Orders, seen: str
) -> None:
    near, liar = both
    liar.says["/api/slave/next"] = lambda _: answer

    def nothing() -> None:
        orders = slave.orders(want=1)
        assert (orders.leases, orders.revoked, orders.verdicts) == ([], [], [])

    told(near, seen, nothing)
    still_renders(near, slave)


def test_an_answer_that_is_not_signed_is_not_believed_and_told(both: tuple[Home, Liar], slave: SlaveCaller) -> None:
    near, liar = both
    liar.says["/api/slave/next"] = lambda _: Orders(leases=[lease(1)])
    liar.unsigned.add("/api/slave/next")
    told(near, "is not signed by liar", lambda: must_be_idle(slave.orders(want=1)))
    still_renders(near, slave)


def must_be_idle(orders: Orders) -> None:
    assert not orders.leases


def test_no_more_is_leased_than_was_wanted_and_nobody_reports_without_a_break(
    both: tuple[Home, Liar], slave: SlaveCaller
) -> None:
    _, liar = both
    leases = [lease(number, number) for number in range(1, 9)]
    liar.says["/api/slave/next"] = lambda _: Orders(leases=leases, watched=[1], heartbeat_seconds=0)
    orders = until(lambda: slave.orders(want=1), lambda said: bool(said.leases))
    assert len(orders.leases) == 1
    assert orders.heartbeat_seconds >= 1


def lends_a_frame(liar: Liar, slave: SlaveCaller, attempt: int) -> None:
    """Have the slave render a frame of the liar's, which says that it takes it."""

    def answer(body: bytes) -> Orders:
        ends = Report.model_validate_json(body).finished
        if ends:
            return Orders(verdicts=[Verdict(attempt=one.attempt, verdict="accepted") for one in ends])
        return Orders(leases=[lease(1, attempt)])

    liar.says["/api/slave/next"] = answer
    orders = until(lambda: slave.orders(want=1), lambda said: bool(said.leases))
    mine = orders.leases[0].frames[0].attempt
    until(lambda: slave.orders(finished=[finished(mine)]), lambda said: bool(said.verdicts))


def test_receipts_that_it_did_not_sign_are_kept_by_nobody_and_a_book_that_lies_is_told(
    both: tuple[Home, Liar], slave: SlaveCaller
) -> None:
    near, liar = both
    lends_a_frame(liar, slave, 7)

    def receipt(milli: int, debtor: str = "liar", signed: int | None = None) -> Receipts:
        text = Receipt.text(debtor, "near", 7, milli if signed is None else signed)
        return Receipts(receipts=[Receipt(attempt=7, milli=milli, signature=liar.keys.sign(text).hex())])

    nothing = Statement(lent_frames=0, lent_milli=0, owed_frames=0, owed_milli=0)
    liar.says["/api/peering/statement"] = lambda _: nothing
    for forged in (receipt(10, signed=11), receipt(10, debtor="other")):
        liar.says["/api/peering/receipts"] = lambda _, forged=forged: forged
        with pytest.raises(Unauthenticated):
            near.peers.audit("liar")
        told(near, "A receipt is forged")
    liar.says["/api/peering/receipts"] = lambda _: receipt(10)
    found = near.peers.audit("liar")
    assert (found.ours.lent_milli, found.forged, found.agree) == (10, [], False), "it denies what it signed"
    for owed in (9, 11):
        liar.says["/api/peering/statement"] = lambda _, owed=owed: nothing.model_copy(
            update={"owed_frames": 1, "owed_milli": owed}
        )
        assert not near.peers.audit("liar").agree
    true = nothing.model_copy(update={"owed_frames": 1, "owed_milli": 10})
    liar.says["/api/peering/statement"] = lambda _: true
    assert near.peers.audit("liar").agree
    liar.says["/api/peering/statement"] = lambda _: true.model_copy(update={"lent_frames": 5, "lent_milli": 5000})
    apart: PeerAudit = near.peers.audit("liar")
    assert not apart.agree, "it says that it is owed for what it never rendered"
    assert apart.ours.owed_milli == 0

    def counter(milli: int, signed: str = "false", attempt: int = 7) -> CounterReceipts:
        text = CounterReceipt.text("liar", "near", attempt, milli, signed)
        signature = liar.keys.sign(text).hex()
        one = CounterReceipt(attempt=attempt, milli=milli, why="false", signature=signature)
        return CounterReceipts(counters=[one])

    liar.says["/api/peering/counters"] = lambda _: counter(10, signed="another reason")
    with pytest.raises(Unauthenticated):
        near.peers.audit("liar")
    for more in (counter(11), counter(10, attempt=8)):
        liar.says["/api/peering/counters"] = lambda _, more=more: more
        assert near.peers.audit("liar").ours.lent_back == 0, "more than it owed, or for what it never owed"
    liar.says["/api/peering/counters"] = lambda _: counter(10)
    assert near.peers.audit("liar").ours.lent_back == 10
    told(near, "It owes nothing for 1 frame any more")


def letter(liar: Liar, **more: object) -> Letter:
    said = Letter("GET", "/api/jobs", digest_of(b""), "liar", "near", "maya", now(), os.urandom(16).hex())
    return replace(said, **more)  # type: ignore[arg-type]


def say(near: Home, liar: Liar, said: Letter) -> int:
    """Say something to near in the liar's name, signed; return what it is answered with."""
    answer = near.served.http.request(said.method, said.target, headers=said.headers(liar.keys.sign(said.text())))
    return answer.status_code


@pytest.mark.parametrize(
    ("more", "status", "seen"),
    [
        ({"peering": 0}, 409, "speaks version 0 of what servers say to each other; this one's is 1, so it is older"),
        ({"peering": 2}, 409, "speaks version 2 of what servers say to each other; this one's is 1, so it is newer"),
        ({"to": "other"}, 401, "the message was for other"),
        ({"at": 10**15}, 401, "seconds from now"),
        ({"target": "/api/accounts/users"}, 403, "may not GET /api/accounts/users"),
        ({"user": f"{SLAVE}ws01", "target": "/api/slave/jobs/1"}, 403, "has not introduced its slave ws01"),
    ],
    ids=["older", "newer", "for another", "a clock", "what is no job", "an unknown slave"],
)
def test_what_is_refused_is_told_to_admins(
    known: tuple[Home, Liar], more: dict[str, object], status: int, seen: str
) -> None:
    near, liar = known
    assert say(near, liar, letter(liar, **more)) == status
    assert seen in error_of(near)
    assert error_of(near).startswith("Refused what came from 127.0.0.1: ")


def test_what_is_said_twice_and_too_often_is_told_and_shown_on_the_page_and_by_the_command(
    known: tuple[Home, Liar], run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, liar = known
    said = letter(liar)
    assert [say(near, liar, said), say(near, liar, said)] == [200, 401]
    assert "has said this before" in error_of(near)
    monkeypatch.setattr("farm.peers.gate.RATE", 0.001)
    monkeypatch.setattr("farm.peers.gate.BURST", 5)
    with lying(home / "flood", "flood") as flood:
        flood.befriend(near)
        mine = replace(letter(flood), sender="flood")
        answers = [say(near, flood, replace(mine, nonce=os.urandom(16).hex())) for _ in range(9)]
        assert answers == [200] * 5 + [429] * 4
        assert say(near, liar, letter(liar)) == 200, "others are served"
        assert "flood asks more than" in error_of(near, "flood")
        near.peers.end("flood")
    with browser(near, "near-admin") as page:
        shown = text(page.get("/servers"))
    assert "flood asks more than" in shown
    assert "has said this before" in shown
    monkeypatch.setenv("DISTREN_SERVER", near.served.url)
    monkeypatch.setenv("DISTREN_TOKEN", near.token)
    monkeypatch.setenv("COLUMNS", "400")
    assert "has said this before" in " ".join(run("peers").output.split())


@pytest.mark.parametrize(("peering", "word"), [(0, "older"), (2, "newer")])
def test_a_peer_that_was_brought_to_another_protocol_is_told(both: tuple[Home, Liar], peering: int, word: str) -> None:
    near, liar = both
    liar.peering = peering
    data = near.served.process.settings.data

    async def ask() -> None:
        database = Database.open(f"sqlite:///{data / 'distren.sqlite3'}")
        try:
            await hello(Peering("near", KeyRing(data / "peering.key"), database, quota=0, private=True), "liar")
        finally:
            database.close()

    asyncio.run(ask())
    told(near, f"so it is {word}")
