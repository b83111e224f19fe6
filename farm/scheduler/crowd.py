"""The live slaves."""

from __future__ import annotations

from functools import lru_cache

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import slaves
from farm.protocol.slaves import Offer
from farm.scheduler.fit import Machine
from farm.words.clock import SECOND
from farm.words.states import SlaveState

LIVE = (SlaveState.IDLE, SlaveState.RENDERING)
"""States in which a slave takes frames."""

_OFFERS = TypeAdapter(list[Offer])
_SHELF = "crowd"
_LIVE = select(slaves.c.id, slaves.c.name, slaves.c.slots, slaves.c.offers).where(
    slaves.c.state.in_([state.value for state in LIVE])
)


@lru_cache(maxsize=4096)
def offers(text: str) -> tuple[Offer, ...]:
    """Return a slave's offers from their JSON."""
    return tuple(_OFFERS.validate_json(text))


def live(conn: Connection) -> list[Machine]:
    """Return the slaves that take frames now."""
    return [Machine(row.id, row.name, row.slots, offers(row.offers)) for row in conn.execute(_LIVE)]


def about(conn: Connection, at: int) -> list[Machine]:
    """Return the same, as of at most a second ago: good enough for sizes, and asked per report."""
    shelf = memory(conn).shelf
    known: tuple[int, list[Machine]] | None = shelf.get(_SHELF)
    if known is None or not known[0] <= at < known[0] + SECOND:
        known = shelf[_SHELF] = (at, live(conn))
    return known[1]


def changed(conn: Connection) -> None:
    """Forget what is known: a slave came or went."""
    memory(conn).shelf.pop(_SHELF, None)
