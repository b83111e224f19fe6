"""The live slaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts import lending
from farm.database.memory import memory
from farm.database.schema import slaves
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Hardware, Offer, Renderer
from farm.scheduler import pools
from farm.scheduler.fit import Admission, Machine, closest, fits, fitting, trusted
from farm.scheduler.pools import Pool
from farm.words.clock import SECOND
from farm.words.states import SlaveState

LIVE = (SlaveState.IDLE, SlaveState.RENDERING)
"""States in which a slave takes frames."""

_OFFERS = TypeAdapter(list[Offer])
_COMPARED = 20_000
_SHELF = "crowd"
_LIVE = select(
    slaves.c.id,
    slaves.c.name,
    slaves.c.slots,
    slaves.c.offers,
    slaves.c.owner,
    slaves.c.hardware,
    slaves.c.tags,
    slaves.c.pool,
    slaves.c.terms,
    slaves.c.accept,
).where(slaves.c.state.in_([state.value for state in LIVE]))


@dataclass(frozen=True)
class Able:
    """Live slaves that fit a job, and their slots; `admission` keeps the key's object alive."""

    machines: list[Machine]
    slots: int
    requires: Requirement
    admission: Admission

    @cached_property
    def best(self) -> str:
        """The version that the job should be rendered with, of those that they have."""
        return closest(self.requires, self.machines)

    def knows(self, slave: Machine) -> bool:
        """Tell whether a slave is one of them, with the renderers that it has now."""
        return self._offers.get(slave.id) is slave.offers

    def others(self, slave: Machine) -> list[Machine]:
        """Return them without this one."""
        return [machine for machine in self.machines if machine.id != slave.id]

    @cached_property
    def _offers(self) -> dict[int, tuple[Offer, ...]]:
        return {machine.id: machine.offers for machine in self.machines}


@dataclass(frozen=True, slots=True)
class _Snapshot:
    at: int
    machines: list[Machine]
    pools: dict[str, Pool]
    able: dict[tuple[int, int, int | None], Able]
    selective: bool
    """It matters whose a job is."""

    @classmethod
    def read(cls, conn: Connection, at: int) -> _Snapshot:
        there = pools.read(conn)
        machines = _live(conn, there)
        lent = any(machine.serves is not None for machine in machines)
        return cls(at, machines, there, {}, lent or any(pool.users for pool in there.values()))


@lru_cache(maxsize=4096)
def offers(text: str, tags: str, terms: str) -> tuple[Offer, ...]:
    """Return those of a slave's offers that its owner lends, with the tags that an admin gave it.

    Args:
        text: the offers' JSON.
        tags: with spaces between.
        terms: the owner's, JSON.
    """
    found, given = lending.lent(tuple(_OFFERS.validate_json(text)), terms), set(tags.split())
    return tuple(
        offer.model_copy(update={"tags": sorted({*offer.tags, *given})}) if given else offer for offer in found
    )


@lru_cache(maxsize=4096)
def contained(text: str) -> bool:
    """Tell whether a slave's renderers are contained, from the JSON of its hardware."""
    return bool(text) and Hardware.model_validate_json(text).contained


@lru_cache(maxsize=4096)
def cores(text: str) -> int:
    """Return how many processors a slave has, from the JSON of its hardware."""
    return Hardware.model_validate_json(text).cores if text else 1


@lru_cache(maxsize=4096)
def installs(text: str) -> tuple[Renderer, ...]:
    """Return what a slave would install by itself, from the JSON of its hardware."""
    return tuple(Hardware.model_validate_json(text).installs) if text else ()


@lru_cache(maxsize=4096)
def remarks(text: str) -> tuple[str, ...]:
    """Return what a slave says of itself, from the JSON of its hardware."""
    return tuple(Hardware.model_validate_json(text).remarks) if text else ()


def living(conn: Connection, at: int) -> list[Machine]:
    """Return the same as :func:`live`, as of at most a second ago; for the writer."""
    return _snapshot(conn, at).machines


def live(conn: Connection) -> list[Machine]:
    """Return the slaves that take frames now."""
    return _live(conn, pools.read(conn))


def _live(conn: Connection, known: dict[str, Pool]) -> list[Machine]:
    rows = conn.execute(_LIVE).all()
    friends = lending.friends_of_owners(conn, rows)
    return [
        _machine(
            *(row.id, row.name, row.slots, row.owner),
            *(row.offers, row.tags, row.terms, row.hardware),
            known.get(row.pool),
            lending.serves(row.owner, row.terms, row.accept, friends.__getitem__),
        )
        for row in rows
    ]


@lru_cache(maxsize=4096)
def _machine(
    number: int,
    name: str,
    slots: int,
    owner: int,
    offered: str,
    tags: str,
    terms: str,
    hardware: str,
    pool: Pool | None,
    serves: frozenset[int] | None,
) -> Machine:
    """Return a slave as it was read: a thousand are looked at every second, and most are as they were."""
    has = offers(offered, tags, terms)
    return Machine(number, name, slots, has, owner, contained(hardware), pool=pool, serves=serves)


def pool_of(conn: Connection, name: str, at: int) -> Pool | None:
    """Return a slave's pool, as of at most a second ago; for the writer."""
    return _snapshot(conn, at).pools.get(name) if name else None


def able(
    conn: Connection, requires: Requirement, admission: Admission, at: int, owner: int, *, strangers: bool
) -> Able:
    """Return the live slaves that fit a job, as of at most a second ago.

    That is good enough for sizes of leases, and it is asked for with each report.

    Args:
        conn: the writer's.
        requires: what the job needs.
        admission: which slaves it admits.
        at: now, µs.
        owner: the job's.
        strangers: users don't know each other.
    """
    snapshot = _snapshot(conn, at)
    key = (id(requires), id(admission), owner if strangers or snapshot.selective else None)
    if key not in snapshot.able:
        found = fitting(requires, admission, snapshot.machines, owner)
        found = [machine for machine in found if trusted(machine, owner, strangers=strangers)]
        snapshot.able[key] = Able(found, sum(machine.slots for machine in found), requires, admission)
    return snapshot.able[key]


def lacks(conn: Connection, requires: Requirement, slave: Machine) -> str:
    """Return what a slave lacks for a job, in words; '' if it fits. Each pair of them is compared once.

    Requirements and offers of equal text are the same objects, from the caches of their readers.
    """
    known: dict[tuple[int, int], tuple[str, object]] = memory(conn).shelf.setdefault("lacks", {})
    key = (id(requires), id(slave.offers))
    if key not in known:
        if len(known) >= _COMPARED:
            known.clear()
        known[key] = fits(requires, list(slave.offers)), (requires, slave.offers)  # kept, so that ids stay theirs
    return known[key][0]


def _snapshot(conn: Connection, at: int) -> _Snapshot:
    shelf = memory(conn).shelf
    known: _Snapshot | None = shelf.get(_SHELF)
    if known is None or not known.at <= at < known.at + SECOND:
        known = shelf[_SHELF] = _Snapshot.read(conn, at)
    return known


def changed(conn: Connection) -> None:
    """Forget what is known: a slave came or went, or a pool is another."""
    memory(conn).shelf.pop(_SHELF, None)
