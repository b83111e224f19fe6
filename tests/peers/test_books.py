"""What is written down of peers, and what keeps their messages out, is the same on SQLite and on MariaDB."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import ledger
from farm.accounts.ledger import FARM, About, Kind
from farm.database.handle import Database
from farm.database.schema import lent_frames, peers, slaves
from farm.peers import account, book, exchange, guests, lending, receipts
from farm.peers.exchange import Rate
from farm.peers.gate import Gate
from farm.peers.keys import KeyRing
from farm.protocol.peers import PEERING, PeerState, ServerCard
from farm.protocol.signed import Letter, digest_of
from farm.protocol.slaves import Finished
from farm.words.clock import SECOND
from farm.words.errors import DistrenError, Forbidden, PeeringPaused, PeerRefused, VersionUnfit

NOW = 20_000 * account.DAY + 7 * 3600 * SECOND
"""µs; some morning."""


@pytest.fixture
def annex(database: Database, tmp_path: Path) -> KeyRing:
    """The keys of a peer that the database knows as `annex`."""
    keys = KeyRing(tmp_path / "annex.key")
    card = ServerCard(name="annex", addresses=[], version="1", peering=PEERING, key=keys.public.hex(), methods=[])
    database.write_now(partial(book.add, card=card, ours=keys.public, at=NOW, sees_all=False))
    return keys


def lent(conn: Connection, *frames: tuple[int, int, int]) -> None:
    """Write down frames: days ago, what was signed, and what it is worth here; of their numbers from 1."""
    rows = [
        {"peer": "annex", "attempt": n, "cpu": 10**6, "at": NOW - days * account.DAY}
        | {"milli": milli, "worth": worth, "receipt": "", "signer": b""}
        for n, (days, milli, worth) in enumerate(frames, 1)
    ]
    conn.execute(insert(lent_frames), rows)


def test_who_counts_otherwise_is_measured_told_of_once_and_converted(database: Database, annex: KeyRing) -> None:
    database.write_now(lambda conn: lent(conn, *[(0, 1000, 3000)] * 8, (0, 7, 0)))
    found = database.read_now(partial(account.measure, peer="annex", at=NOW))
    assert (found.milli, found.probes) == (round(1000 * 25 / 9), 8), "what nobody can tell the worth of is no probe"
    row = database.read_now(partial(book.known, name="annex"))
    database.write_now(partial(account._note, row=row, measured=found, at=NOW))
    (peer,) = database.read_now(partial(account.between, errors=True))
    assert peer.error == exchange.told("annex", found)
    assert (peer.rate, peer.probes, peer.lent_frames) == (2.778, 8, 9)
    assert peer.balance == found.here(8007) / 1000
    # It is told again only when it has been right between.
    database.write_now(lambda conn: conn.execute(update(peers).values(error="")))
    row = database.read_now(partial(book.known, name="annex"))
    for measured, said in ((Rate(3000, 9), False), (Rate(1100, 20), False), (Rate(500, 30), True)):
        database.write_now(partial(account._note, row=row, measured=measured, at=NOW))
        row = database.read_now(partial(book.known, name="annex"))
        assert bool(row.error) == said


def test_what_was_found_false_is_taken_back_by_signed_counter_receipts_once(database: Database, annex: KeyRing) -> None:
    def earned(conn: Connection) -> None:
        guests.welcome(conn, "", "annex", 0, NOW)
        owner = receipts.owner_of(conn, "annex")
        about = About(12, 3, None, '{"why": "frame 3 of job 12 falsely"}')
        for attempt in (1, 2, 3):
            ledger.post(conn, Kind.EARNED, attempt, FARM, owner, 500, about, NOW - (attempt - 1) * account.DAY)
        for attempt, milli in ((1, 500), (2, 0), (3, 20)):
            ledger.post(conn, Kind.FORFEIT, attempt, owner, FARM, milli, about, NOW)

    database.write_now(earned)
    ours = partial(receipts.counter, us="home", peer="annex", sign=annex.sign)
    found = database.read_now(partial(ours, known=0, after=-1))
    assert [(one.attempt, one.milli) for one in found] == [(1, 500), (3, 20)]
    assert found[0].why == "A slave of annex drew frame 3 of job 12 falsely."
    assert database.read_now(partial(ours, known=2, after=-1)) == [], "who has all is told none"
    assert [one.attempt for one in database.read_now(partial(ours, known=1, after=1))] == [3]
    book_of = database.read_now(partial(account.statement, peer="annex"))
    assert (book_of.owed_frames, book_of.owed_milli, book_of.owed_back) == (3, 1500, 520)
    days = database.read_now(partial(account.history, peer="annex", at=NOW, days=4))
    assert [(day.borrowed_frames, day.borrowed_minutes) for day in days] == [(0, 0), (1, 0.5), (1, 0.5), (1, 0.5)]
    # The other side keeps each once, for what it lent, and no more than it was owed.
    database.write_now(lambda conn: lent(conn, (0, 500, 500), (1, 500, 500), (1, 19, 19)))
    keep = partial(receipts._keep_counters, peer="annex", key=annex.public, found=found, at=NOW)
    assert [one.attempt for one in database.write_now(keep)] == [1]
    assert database.write_now(keep) == []
    assert database.read_now(partial(account.statement, peer="annex")).lent_back == 500
    days = database.read_now(partial(account.history, peer="annex", at=NOW, days=2))
    assert [(day.lent_frames, day.lent_minutes) for day in days] == [(2, 0.519), (1, 0.5)]


def test_what_is_forged_said_twice_or_not_a_peers_to_say_stays_out(database: Database, annex: KeyRing) -> None:
    at = SimpleNamespace(now=NOW)

    def gate() -> Gate:
        return Gate("home", database, 10**9, now=lambda: at.now)

    def letter(**more: Any) -> Letter:
        given: dict[str, Any] = {"method": "POST", "target": "/api/jobs", "digest": digest_of(b""), "sender": "annex"}
        return Letter(**{**given, "to": "home", "user": "maya", "at": NOW, "nonce": f"{1:032x}", **more})

    def said(one: Letter, by: Gate, signature: bytes | None = None) -> Any:
        return asyncio.run(by.admit(one, annex.sign(one.text()) if signature is None else signature, "127.0.0.1"))

    def refused(error: type[DistrenError], one: Letter, by: Gate, signature: bytes | None = None) -> None:
        with pytest.raises(error):
            said(one, by, signature)

    first = gate()
    who = said(letter(), first)
    assert (who.name, who.peer, who.is_admin) == ("maya@annex", "annex", False)
    refused(PeerRefused, letter(), first)
    refused(PeerRefused, letter(), gate())  # also after a restart: it is in the database
    good = annex.sign(letter(nonce="2" * 32).text())
    refused(PeerRefused, letter(nonce="3" * 32), gate(), good)
    for more in ({"to": "other"}, {"sender": "unknown"}, {"at": NOW - 61 * SECOND}, {"at": NOW + 61 * SECOND}):
        refused(PeerRefused, letter(nonce="4" * 32, **more), gate())
    refused(VersionUnfit, letter(nonce="5" * 32, peering=PEERING + 1), gate())
    refused(Forbidden, letter(nonce="6" * 32, target="/api/accounts/invites"), gate())
    assert "Refused what came from 127.0.0.1" in database.read_now(partial(book.known, name="annex")).error
    database.write_now(partial(book.set_state, name="annex", state=PeerState.PAUSED))
    refused(PeeringPaused, letter(nonce="7" * 32), gate())
    database.write_now(partial(book.set_state, name="annex", state=PeerState.ENDED))
    refused(PeerRefused, letter(nonce="8" * 32), gate())


def test_a_lent_slaves_frame_is_worth_what_was_measured_of_where_it_was_rendered(database: Database) -> None:
    rated = '{"blender": 2000, "povray": 4000, "blender/optix": 50000, "blender/cuda": 30000}'
    shown = {
        "name": "ws01",
        "key": "k",
        "password": b"",
        "state": "idle",
        "hardware": "",
        "message": "",
        "offers": "[]",
    }
    ends = [
        (Finished(attempt=n, sha256="0" * 64, seconds=60, cpu_seconds=120, device=device), slot)
        for n, (device, slot) in enumerate([("cpu", "cpu"), ("optix", "gpu"), ("", "gpu"), ("", "")], 1)
    ]

    def rendered(conn: Connection) -> None:
        guests.welcome(conn, "", "annex", 0, NOW)
        values = {**shown, "owner": receipts.owner_of(conn, "annex"), "created": NOW, "powers": rated}
        slave = conn.execute(insert(slaves).values(**values)).inserted_primary_key[0]
        lending.rendered(conn, "annex", slave, ends, NOW)

    database.write_now(rendered)
    found = database.read_now(lambda conn: conn.execute(select(lent_frames.c.worth).order_by(lent_frames.c.attempt)))
    assert [row.worth for row in found] == [6000, 50_000, 40_000, None]
