"""What slaves' owners lend, and to whom: by their word on the server and by slave.conf; the stricter one counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.schema import friends, slaves
from farm.protocol.slaves import Offer
from farm.protocol.terms import Accept, Terms

_STRICTER = list(Accept)
_LENT = Terms()


@lru_cache(maxsize=4096)
def terms(text: str) -> Terms:
    """Return an owner's word from its JSON; empty: all is lent."""
    return Terms.model_validate_json(text) if text else _LENT


@lru_cache(maxsize=4096)
def in_force(text: str, accept: str) -> Terms:
    """Return what counts of an owner's word and slave.conf's."""
    said = terms(text)
    both = max(said.accept, Accept(accept), key=_STRICTER.index)
    return said.model_copy(update={"accept": both})


def lent(offers: tuple[Offer, ...], text: str) -> tuple[Offer, ...]:
    """Return those of a slave's offers that its owner lends."""
    said = terms(text)
    if said.cards and not said.methods:
        return offers
    kept = [offer for offer in offers if not said.methods or offer.method in said.methods]
    return tuple(kept if said.cards else (offer.model_copy(update={"devices": []}) for offer in kept))


def whose(text: str, accept: str) -> Accept:
    """Return whose jobs a slave renders, by its owner's word and slave.conf's."""
    return Accept.ALL if accept == Accept.ALL and not text else in_force(text, accept).accept


def serves(owner: int, text: str, accept: str, friends: Callable[[int], frozenset[int]]) -> frozenset[int] | None:
    """Return the users whose jobs a slave renders; None: everybody's.

    Args:
        owner: the slave's.
        text: the owner's word on the server, JSON.
        accept: what slave.conf says.
        friends: gives a user's; asked only where it depends on them.
    """
    both = whose(text, accept)
    if both is Accept.ALL:
        return None
    return frozenset((owner, *(friends(owner) if both is Accept.FRIENDS else ())))


def friends_of_owners(conn: Connection, rows: Iterable[Any]) -> dict[int, frozenset[int]]:
    """Return the friends of those owners who lend to friends only, for :func:`serves`; `rows`: slaves'."""
    return friends_of(conn, {row.owner for row in rows if whose(row.terms, row.accept) is Accept.FRIENDS})


def friends_of(conn: Connection, users: Collection[int]) -> dict[int, frozenset[int]]:
    """Return the friends of some users, by one question for all of them."""
    if not users:
        return {}
    found: dict[int, set[int]] = {user: set() for user in users}
    for user, friend in conn.execute(select(friends.c.user, friends.c.friend).where(friends.c.user.in_(sorted(users)))):
        found[user].add(friend)
    return {user: frozenset(named) for user, named in found.items()}


def say(conn: Connection, slave: int, wish: Terms, at: int) -> None:
    """Lend a slave on these terms from now on.

    It hears of them with its next report. What it has begun for others it may finish, and
    gives back what it has not.
    """
    text = "" if wish == _LENT else wish.model_dump_json()
    conn.execute(update(slaves).where(slaves.c.id == slave).values(terms=text))
    row = conn.execute(select(slaves.c.name, slaves.c.state).where(slaves.c.id == slave)).one()
    eventlog.note(conn, "slave", at=at, slave=row.name, data={"state": row.state})
