"""Rows about slaves that servers lend each other: terms, what a slave is to a peer, and what was rendered."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import lending as owners
from farm.accounts import opaque, users
from farm.accounts.formula import REFERENCE, worth
from farm.accounts.identity import Identity
from farm.database import eventlog
from farm.database.schema import frames, friends, jobs, lent_frames, peer_days, peers, slaves
from farm.database.schema import users as people
from farm.jobs import itself
from farm.peers import book, guests
from farm.protocol.lending import Borrow, Lend, LentSlave
from farm.protocol.slaves import Finished, Hardware, Offer, SlaveLogin
from farm.protocol.terms import Accept, Terms
from farm.scheduler import crowd, earnings
from farm.scheduler import slaves as scheduler
from farm.words.clock import SECOND, microseconds
from farm.words.errors import Forbidden, NotFound
from farm.words.names import peer_tag
from farm.words.states import FrameState, JobState, SlaveState

DAY = 24 * 3600 * SECOND
"""µs."""

Ended = tuple[Finished, str]
"""A result, and the slot of its lease: `gpu`, `cpu`; empty: nobody knows any more, since this server was restarted."""

_ACTIVE = (JobState.QUEUED.value, JobState.RENDERING.value)


def set_terms(conn: Connection, name: str, at: int, **terms: Lend | Borrow | None) -> None:
    """Lend slaves to a peer on these terms, or borrow its; None: not any more.

    Args:
        conn: the writer's.
        name: the peer's.
        at: now, µs.
        terms: `lends`, `borrows`.

    Raises:
        UnknownPeer: there is no such peer.
        NotFound: there is no such user.
    """
    book.known(conn, name)
    values = {key: "" if value is None else value.model_dump_json() for key, value in terms.items()}
    conn.execute(update(peers).where(peers.c.name == name).values(values))
    if "borrows" in terms:
        borrowed = terms["borrows"]
        assert not isinstance(borrowed, Lend)
        _must_be_users(conn, borrowed.users if borrowed else [])
        owner = _owner(conn, name, at)
        mine = conn.execute(select(slaves.c.id).where(slaves.c.owner == owner)).scalars().all()
        _agree(conn, owner, mine, borrowed, at)
    eventlog.note(conn, "terms", at=at)


def card(conn: Connection, slave: int) -> LentSlave | None:
    """Return what a slave is to peers; None: it is not here, in a pool, or its owner does not lend it to everybody."""
    row = conn.execute(select(slaves).where(slaves.c.id == slave)).first()
    if row is None or not row.slots or row.pool or row.state in (SlaveState.RETIRED, SlaveState.SICK):
        return None
    if owners.whose(row.terms, row.accept) is not Accept.ALL:
        return None
    offers = list(crowd.offers(row.offers, row.tags, row.terms))
    hardware = Hardware.model_validate_json(row.hardware)
    # What the machine would install by itself is its own server's to ask for.
    shown = hardware.model_copy(update={"installs": [], "remarks": []})
    return LentSlave(name=row.name, version=row.version or "?", slots=row.slots, hardware=shown, offers=offers)


def own_work(conn: Connection) -> bool:
    """Tell whether a job here has a frame that could begin, or renders."""
    open_ = frames.c.state.in_((FrameState.READY.value, FrameState.LEASED.value))
    query = select(frames.c.number).join(jobs, jobs.c.number == frames.c.job)
    return conn.execute(query.where(jobs.c.state.in_(_ACTIVE), open_).limit(1)).first() is not None


def methods(conn: Connection) -> frozenset[str]:
    """Return the render methods of the slaves here that are lent at all."""
    there = conn.execute(select(slaves.c.id).where(slaves.c.state.in_([state.value for state in crowd.LIVE])))
    cards = (card(conn, number) for number in there.scalars().all())
    return frozenset(offer.method for one in cards if one is not None for offer in one.offers)


def rendered(conn: Connection, peer: str, slave: int, ends: Sequence[Ended], at: int) -> None:
    """Write down results of a slave here that a peer took, and what they are worth by its own ratings; each once.

    Args:
        conn: the writer's.
        peer: who took them.
        slave: who rendered.
        ends: what it said.
        at: now, µs.
    """
    c = lent_frames.c
    rated = earnings.powers(conn.execute(select(slaves.c.powers).where(slaves.c.id == slave)).scalar() or "")
    known = set(
        conn.execute(select(c.attempt).where(c.peer == peer, c.attempt.in_([end.attempt for end, _ in ends]))).scalars()
    )
    rows = [
        {"peer": peer, "attempt": end.attempt, "cpu": microseconds(end.cpu_seconds), "at": at}
        | {"worth": _worth(end, slot, rated)}
        for end, slot in ends
        if end.attempt not in known
    ]
    if rows:
        conn.execute(insert(lent_frames), rows)


def _worth(end: Finished, slot: str, rated: dict[str, int]) -> int | None:
    """Return what a result is worth, in thousandths of minutes: by processors' time, or a graphics card's."""
    if not slot:
        return None
    powers = [power for method, power in rated.items() if ("/" in method) == (slot == "gpu")]
    powers = [power for method, power in rated.items() if method.endswith(f"/{end.device}")] or powers
    spent = microseconds(end.seconds if slot == "gpu" else end.cpu_seconds)
    return worth(spent, sum(powers) // len(powers) if powers else REFERENCE)


def moved(conn: Connection, bytes_of: Mapping[str, int], at: int) -> None:
    """Add to what went between this server and peers today."""
    day = at // DAY
    for peer, size in sorted(bytes_of.items()):
        where = (peer_days.c.peer == peer, peer_days.c.day == day)
        if not conn.execute(update(peer_days).where(*where).values(bytes=peer_days.c.bytes + size)).rowcount:
            conn.execute(insert(peer_days).values(peer=peer, day=day, bytes=size))


def today(conn: Connection, at: int) -> dict[str, int]:
    """Return the bytes that went between this server and each peer today."""
    rows = conn.execute(select(peer_days.c.peer, peer_days.c.bytes).where(peer_days.c.day == at // DAY))
    return {row.peer: row.bytes for row in rows}


# --- a peer's slaves, here ---


def welcome(conn: Connection, peer: str, said: LentSlave, at: int) -> None:
    """Let a peer's slave render here, as a slave of a user who is the peer itself.

    Said again, nothing changes: what the slave has, it keeps.

    Raises:
        Forbidden: nothing is borrowed from this peer.
    """
    row = book.known(conn, peer)
    if not row.borrows:
        raise Forbidden(
            f"No slaves are borrowed from {peer} here.", hint=f"An admin can: `distren peers borrow {peer}`."
        )
    terms = Borrow.model_validate_json(row.borrows)
    owner = _owner(conn, peer, at)
    slave = _slave(conn, owner, peer, said, at)
    if not _same(slave, said, peer):
        # Measured here by scenes drawn by lot: what its frames are worth is not for it to say.
        shown = {"accept": _accept(terms), "benchmark": True, **_shown(said, peer)}
        login = SlaveLogin(key="", password=SecretStr(""), **shown)
        scheduler.log_in(conn, slave.id, login, at)
    _agree(conn, owner, [slave.id], terms, at)


def identity(conn: Connection, slave: str, peer: str) -> Identity:
    """Return who a peer's slave is here.

    Raises:
        Forbidden: it was not introduced, or is another's.
    """
    row = conn.execute(select(slaves).where(slaves.c.name == guests.name_of(slave, peer))).first()
    if row is None:
        raise Forbidden(f"{peer} has not introduced its slave {slave}.")
    if conn.execute(select(people.c.name).where(people.c.id == row.owner)).scalar() != guests.name_of("", peer):
        raise Forbidden(f"{row.name} is no slave of {peer}'s.")
    return Identity(int(row.id), row.name, None, b"", peer=peer)


def _must_be_users(conn: Connection, names: Sequence[str]) -> None:
    for name in names:
        if users.find(conn, name) is None:
            raise NotFound(f"There is no user “{name}”.", hint="Names are as they register: small letters.")


def _owner(conn: Connection, peer: str, at: int) -> int:
    guests.welcome(conn, "", peer, 0, at)
    row = users.find(conn, guests.name_of("", peer))
    assert row is not None
    if row["disabled"]:
        raise Forbidden(f"An admin of this server keeps {row['name']} out.")
    return int(row["id"])


def _slave(conn: Connection, owner: int, peer: str, said: LentSlave, at: int) -> Row[Any]:
    name = guests.name_of(said.name, peer)
    query = select(slaves).where(slaves.c.name == name)
    if conn.execute(query).first() is None:
        # The key opens no login: nobody knows a password whose hash is this.
        key, password = f"peer:{secrets.token_hex(8)}", opaque.digest(secrets.token_hex(32))
        values = {"name": name, "owner": owner, "key": key, "password": password, "created": at}
        unseen = {"state": SlaveState.OFFLINE.value, "slots": 0, "offers": "[]", "seq": -1, "done": 0, "version": ""}
        conn.execute(insert(slaves).values(**values, **unseen, hardware="", message=""))
    row = conn.execute(query).one()
    if row.owner != owner:
        raise Forbidden(f"There is a slave {name} here that is not {peer}'s.")
    return row


def _shown(said: LentSlave, peer: str) -> dict[str, Any]:
    offers = [offer.model_copy(update={"tags": sorted({*offer.tags, peer_tag(peer)})}) for offer in said.offers]
    return {"version": said.version, "slots": said.slots, "hardware": said.hardware, "offers": offers}


def _same(row: Row[Any], said: LentSlave, peer: str) -> bool:
    """Tell whether a slave is here, and as it was."""
    if row.seen is None or row.state in (SlaveState.OFFLINE, SlaveState.RETIRED):
        return False
    shown = _shown(said, peer)
    offers = [Offer.model_validate(offer) for offer in crowd.offers(row.offers, "", "")]
    return bool(
        (row.version, row.slots) == (said.version, said.slots)
        and Hardware.model_validate_json(row.hardware) == said.hardware
        and offers == shown["offers"]
    )


def _accept(terms: Borrow | None) -> Accept:
    """Return whose jobs the peer's slaves render: of nobody's here, if nothing is borrowed any more."""
    if terms is None:
        return Accept.MINE
    return Accept.FRIENDS if terms.users else Accept.ALL


def _known(conn: Connection, peer: str, slave: str) -> bool:
    found = select(slaves.c.id).where(slaves.c.name == guests.name_of(slave, peer), slaves.c.seen.is_not(None))
    return conn.execute(found).first() is not None


def _agree(conn: Connection, owner: int, ids: Sequence[int], terms: Borrow | None, at: int) -> None:
    """Let slaves render what this server's admin said: a peer's friends are the users whose jobs they may have."""
    wish = Terms(methods=terms.methods if terms else [])
    text = "" if wish == Terms() else wish.model_dump_json()
    values = {"terms": text, "accept": _accept(terms).value}
    conn.execute(update(slaves).where(slaves.c.id.in_(ids)).values(values))
    # What measures them is the farm's.
    names = [*terms.users, itself.NAME] if terms else []
    itself.user(conn, at)
    wanted = set(conn.execute(select(people.c.id).where(people.c.name.in_(names))).scalars())
    have = set(conn.execute(select(friends.c.friend).where(friends.c.user == owner)).scalars())
    if gone := have - wanted:
        conn.execute(delete(friends).where(friends.c.user == owner, friends.c.friend.in_(gone)))
    if new := wanted - have:
        conn.execute(insert(friends), [{"user": owner, "friend": one} for one in sorted(new)])
    crowd.changed(conn)
