"""Why a job's frames wait, in words from a closed list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from farm.accounts import lending
from farm.database.schema import jobs, slaves
from farm.protocol.jobs import Requirement
from farm.scheduler import caps, crowd, devices, inorder, installs, pin, pools, shortage, standing, tally, waitsfor
from farm.scheduler.claim import holders
from farm.scheduler.fairness import ALONE, Usage
from farm.scheduler.fit import Admission, Machine, Suited, fitting, instead, lends, wanted
from farm.scheduler.jobrow import admission, requirement
from farm.scheduler.pools import Pool, serves
from farm.scheduler.portions import most
from farm.scheduler.standing import Entry
from farm.words.clock import SECOND
from farm.words.names import Address
from farm.words.states import JOB_ACTIVE, JobState, PauseReason, SlaveState

_PAUSED = {
    PauseReason.USER: "The job is paused.",
    PauseReason.APPROVAL: "The probes are done: the job waits for approval.",
    PauseReason.FAULT: "The job is paused: its probes failed by its own fault.",
    PauseReason.QUOTA: "The job is paused: its owner's quota is used up.",
}


_ACTIVE = [state.value for state in sorted(JOB_ACTIVE)]
_SEEN = (
    slaves.c.id,
    slaves.c.name,
    slaves.c.state,
    slaves.c.slots,
    slaves.c.offers,
    slaves.c.hardware,
    slaves.c.tags,
    slaves.c.pool,
    slaves.c.owner,
    slaves.c.terms,
    slaves.c.accept,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A slave that is not retired, and its state."""

    machine: Machine
    state: SlaveState
    remarks: Sequence[str] = ()


class Open(Protocol):
    """How many of a job's frames are to be rendered yet."""

    @property
    def blocked(self) -> int:
        """Frames that wait for others."""

    @property
    def ready(self) -> int:
        """Frames that wait for a slave."""

    @property
    def leased(self) -> int:
        """Frames that are being rendered."""


def why(conn: Connection, job: int, at: int, server: str) -> list[str]:
    """Return why frames of a job wait; empty if none do. For many jobs, one :class:`Look` is quicker.

    Args:
        conn: any connection.
        job: its number.
        at: now, µs.
        server: this server's name.
    """
    return Look(conn, at, server).why(job)


class Look:
    """The farm as it is at one moment: read once, however many jobs are explained by it.

    Args:
        conn: any connection; only as long as the look lasts.
        at: now, µs.
        server: this server's name.
    """

    def __init__(self, conn: Connection, at: int, server: str) -> None:
        self._conn = conn
        self._at = at
        self.server = server
        self._said: dict[tuple[str, ...], list[str]] = {}
        self._keeps: dict[tuple[str, ...], list[str]] = {}
        self._found: dict[int, list[str]] = {}

    def why(self, job: int) -> list[str]:
        """Return why frames of a job wait; empty if none do."""
        row = self._conn.execute(select(jobs).where(jobs.c.number == job)).first()
        return [] if row is None else self.of(row, tally.stored(self._conn, job))

    def of(self, row: Row[Any], count: Open) -> list[str]:
        """Return the same of a job whose row and counts were read already."""
        if row.number not in self._found:
            self._found[row.number] = self._of(row, count)
        return self._found[row.number]

    def _of(self, row: Row[Any], count: Open) -> list[str]:
        if row.state == JobState.RECEIVING:
            return ["Files of the job have not arrived yet."]
        if row.state == JobState.PAUSED:
            return [_PAUSED[PauseReason(row.pause_reason or PauseReason.USER)]]
        if row.state not in JOB_ACTIVE:
            return []
        if self._alone and row.number not in self._alone:
            return [f"An admin holds all other jobs until {Address(self.server, self._alone[0])} is done."]
        if not count.ready:
            stuck = count.blocked and not count.leased
            return waitsfor.of_job(self._conn, row.number, self.server) if stuck else []
        return self._no_slave(row) or self._busy(row)

    @cached_property
    def _alone(self) -> list[int]:
        """The jobs for which an admin holds all others."""
        active = jobs.c.state.in_([state.value for state in JOB_ACTIVE])
        return sorted(self._conn.execute(select(jobs.c.number).where(active, jobs.c.rush == ALONE)).scalars())

    @cached_property
    def _slaves(self) -> list[Seen]:
        known, query = pools.read(self._conn), select(*_SEEN).where(slaves.c.state != SlaveState.RETIRED.value)
        rows = self._conn.execute(query).all()
        friends = lending.friends_of_owners(self._conn, rows)
        return [_seen(row, known.get(row.pool), friends) for row in rows]

    @cached_property
    def _awake_slots(self) -> int:
        return sum(s.machine.slots for s in self._slaves if s.state in crowd.LIVE)

    @cached_property
    def _selective(self) -> bool:
        """It matters whose a job is."""
        return any(s.machine.pool or s.machine.serves is not None for s in self._slaves)

    @cached_property
    def _queue(self) -> tuple[Sequence[Entry], Usage]:
        return standing.queue(self._conn, self._at)

    @property
    def usage(self) -> Usage:
        """What users and jobs have had of the farm lately."""
        return self._queue[1]

    @cached_property
    def _places(self) -> dict[int, int]:
        """The place of each active job in the line, from 0."""
        return {entry.number: place for place, entry in enumerate(self._queue[0])}

    @cached_property
    def _firsts(self) -> dict[int, int]:
        """The place of each user's first job."""
        entries = self._queue[0]
        return {entry.owner: place for place, entry in reversed(list(enumerate(entries)))}

    def _no_slave(self, row: Row[Any]) -> list[str]:
        """Return why no slave takes frames of a job, and what could be done; jobs that want the same share it."""
        key = self._wish(row)
        if key not in self._said:
            requires, admits = requirement(row.requires, row.pinned), admission(row.slaves, row.not_slaves)
            lent = [s for s in self._slaves if lends(s.machine, row.owner)]
            seen = [s for s in lent if serves(s.machine.pool, requires, row.owner)]
            reason = in_pools(requires, admits, lent, seen)
            if reason and len(lent) < len(self._slaves) and not no_slave(requires, admits, self._slaves):
                reason = f"Slaves that have {wanted(requires)} are lent only to their owners, or to friends of these."
            more = [*installs.hopes(requires, _awake(admits, seen)), *_remarks(requires, seen)] if reason else []
            self._said[key] = [reason, *more] if reason else []
        return self._said[key]

    def _busy(self, row: Row[Any]) -> list[str]:
        reasons = [] if row.pinned else [*self._kept(row)]
        if row.max_slaves is not None:
            count = len(set(self._conn.execute(holders(row.number)).scalars()))
            if count >= row.max_slaves:
                reasons.append(f"The job may have {row.max_slaves} slaves at a time, and has them.")
        if too_small := shortage.why(self._conn, row.number):
            reasons.append(too_small)
        if row.in_order and (names := inorder.at_it(self._conn, row.number)):
            reasons.append(f"Its frames are rendered in order, by one slave: {names} is at it.")
        if too_many := self._at_limit(row.owner) or self._at_share(row.number):
            reasons.append(too_many)
        if row.approval and not row.approved:
            reasons.append("Only the probes are rendered until somebody approves.")
        return reasons or [self._in_line(row.number, row.owner)]

    def _kept(self, row: Row[Any]) -> list[str]:
        """Return which version a job is kept for; jobs that want the same share it."""
        key = self._wish(row)
        if key not in self._keeps:
            self._keeps[key] = _kept(row, admission(row.slaves, row.not_slaves), self._slaves)
        return self._keeps[key]

    def _at_limit(self, owner: int) -> str:
        """Return that a user's jobs hold all the slots that they may."""
        limit = self.usage.terms.most(owner)
        if limit is None:
            return ""
        mine = self._conn.execute(select(jobs.c.number).where(jobs.c.owner == owner, jobs.c.state.in_(_ACTIVE)))
        holds = sum(self._held.get(job, 0) for job in mine.scalars())
        return f"Its owner's jobs may hold {limit} slots at a time, and hold {holds}." if holds >= limit else ""

    def _at_share(self, job: int) -> str:
        """Return that a job holds all the slots that it may while others wait."""
        share, others = self.usage.terms.job_share, len(self._queue[0]) > 1
        slots = self._awake_slots
        holds = self._held.get(job, 0) if share < 1 and others else 0
        if holds < most(slots, share):
            return ""
        return f"It holds {holds} of {slots} slots, and gets more only where no other job wants them."

    @cached_property
    def _held(self) -> dict[int, int]:
        return caps.held(self._conn)

    def _wish(self, row: Row[Any]) -> tuple[str, ...]:
        """Return what decides which slaves fit a job."""
        return row.requires, row.pinned, row.slaves, row.not_slaves, str(row.owner if self._selective else "")

    def _in_line(self, job: int, owner: int) -> str:
        """Return a job's place among the active ones (not all need to have ready frames), and why it is there."""
        place = self._places.get(job, len(self._places))
        ahead = [user for user, first in self._firsts.items() if first < place and user != owner]
        text = f"All fitting slaves are busy; the job is number {1 + place} in line"
        if not ahead:
            return f"{text}."
        mine, theirs = self.usage.user(owner).work, min(self.usage.user(user).work for user in ahead)
        return f"{text}: its owner had {_minutes(mine)} of the farm lately, another user {_minutes(theirs)}."


def in_pools(requires: Requirement, admits: Admission, everybody: Sequence[Seen], seen: Sequence[Seen]) -> str:
    """Return why none of the slaves that pools leave to a job takes its frames now; '' if one does.

    Args:
        requires: what the job needs.
        admits: which slaves it admits.
        everybody: all slaves.
        seen: those of them whose pools let them render it.
    """
    if requires.pool:
        return _in_pool(requires, admits, seen)
    reason = no_slave(requires, admits, seen) if seen or not everybody else "All slaves are in pools."
    mine = {s.machine.id for s in seen}
    others = sorted({s.machine.pool.name for s in everybody if s.machine.pool and s.machine.id not in mine})
    if reason and others and not no_slave(requires, admits, everybody):
        return f"Slaves that could render it are kept for the users of {', '.join(others)}. {reason}"
    return reason


def _in_pool(requires: Requirement, admits: Admission, seen: Sequence[Seen]) -> str:
    if not seen:
        return f"Only the pool {requires.pool} may render it, and no slave is in it."
    reason = no_slave(requires, admits, seen)
    return f"Only the pool {requires.pool} may render it. {reason}" if reason else ""


def no_slave(requires: Requirement, admits: Admission, seen: Sequence[Seen]) -> str:
    """Return why no slave takes frames of a job now; '' if one does."""
    if not seen:
        return "The farm has no slaves yet."
    suited = Suited(requires)
    able = [s for s in seen if not suited.lacks(s.machine)]
    if not able:
        machines = [s.machine for s in seen]
        choices = instead(requires, machines) or devices.advice(requires)
        return f"No slave has {wanted(requires)}" + (f"; {choices}" if choices else ".")
    admitted = [s for s in able if admits.admits(s.machine.name)]
    only = ", ".join(sorted(admits.slaves))
    if not admitted and only:
        return f"Only {only} may render it, and none of these has {wanted(requires)}."
    if not admitted:
        return f"Slaves that have {wanted(requires)} are kept away from it."
    if any(s.state in crowd.LIVE for s in admitted):
        return ""
    states = ", ".join(sorted({s.state.value for s in admitted}))
    if only:
        return f"Only {only} may render it: {states}."
    return f"No slave that has {wanted(requires)} is awake: {states}."


def _kept(row: Row[Any], admits: Admission, seen: Sequence[Seen]) -> list[str]:
    requires = requirement(row.requires)
    able = fitting(requires, admits, _awake(admits, seen), row.owner)
    idle = fitting(requires, admits, [s.machine for s in seen if s.state is SlaveState.IDLE], row.owner)
    text = pin.kept_for(requires, able, idle)
    return [text] if text else []


def _awake(admits: Admission, seen: Sequence[Seen]) -> list[Machine]:
    return [s.machine for s in seen if s.state in crowd.LIVE and admits.admits(s.machine.name)]


def _remarks(requires: Requirement, seen: Sequence[Seen]) -> list[str]:
    """Return what slaves say of this renderer: why they could not install it."""
    about = f"{requires.method} {'.'.join(requires.version.split('.')[:2])}"
    return [f"{s.machine.name}: {text}" for s in seen for text in s.remarks if text.startswith(about)]


def _seen(row: Sequence[Any], pool: Pool | None, friends: Mapping[int, frozenset[int]]) -> Seen:
    *facts, _pool, owner, terms, accept = row
    return _known(*facts, owner, terms, pool, lending.serves(owner, terms, accept, friends.__getitem__))


@lru_cache(maxsize=4096)
def _known(
    number: int,
    name: str,
    state: str,
    slots: int,
    offers: str,
    hardware: str,
    tags: str,
    owner: int,
    terms: str,
    pool: Pool | None,
    lent: frozenset[int] | None,
) -> Seen:
    """Return a slave as its row says it: of most nothing changes between two looks, and this is half of a look."""
    offered, able = crowd.offers(offers, tags, terms), crowd.installs(hardware)
    machine = Machine(number, name, slots, offered, owner, installs=able, pool=pool, serves=lent)
    return Seen(machine, SlaveState(state), crowd.remarks(hardware))


def _minutes(work: float) -> str:
    return f"{work / SECOND / 60:.0f} CPU-minutes"
