"""What a result costs its job's owner, and what its slave's owner earns; written where a result is accepted.

Nothing is earned by frames of one's own jobs, and nothing here reads a row per frame: the neighbours that a frame is
compared with are remembered per job, and read anew only after a start.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts import ledger
from farm.accounts.formula import REACH, REFERENCE, Near, Seen, Time, bounded, near, possible, worth
from farm.accounts.ledger import FARM, About, Kind
from farm.database.memory import memory
from farm.database.schema import attempts, slaves
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Finished
from farm.scheduler import crowd, devices, escrow, jobrow, standing
from farm.scheduler.fairness import LAST, charged
from farm.scheduler.fit import Machine
from farm.scheduler.held import Held
from farm.scheduler.jobrow import JobRow, job_row
from farm.words import backends
from farm.words.clock import microseconds
from farm.words.states import AttemptState, FailureClass

_JOBS = 256
"""Jobs whose finished frames a writer remembers."""


@lru_cache(maxsize=4096)
def powers(text: str) -> dict[str, int]:
    """Return what was measured of a slave, from the JSON of its row: thousandths by method."""
    return dict(json.loads(text)) if text else {}


@dataclass(frozen=True, slots=True)
class Spent:
    """What an accepted frame took.

    Args:
        finished: what the slave says.
        device: by which way it was rendered on a graphics card; empty: on the processor.
        busy: since when the slave has had frames without a break, µs.
    """

    finished: Finished
    device: str
    busy: int

    @property
    def said(self) -> int:
        """The time that is paid for, as the slave says: its processors', or its graphics card's; µs."""
        return microseconds(self.finished.seconds if self.device else self.finished.cpu_seconds)


def rendered_on(conn: Connection, slave: Machine, attempt: Held, finished: Finished) -> str:
    """Return by which way a frame was rendered on a graphics card, as far as that is possible; empty: on none."""
    jobrow.active(conn)  # most likely it is one of them, and they are needed for leases anyway
    return devices.rendered_on(job_row(conn, attempt.job).requires, finished.device, slave.offers)


def key(method: str, device: str) -> str:
    """Return what a frame is rated by: the method, on a graphics card with the way to it: `blender/optix`."""
    return f"{method}/{device}" if device else method


def power(rated: dict[str, int], requires: Requirement, device: str = "") -> int:
    """Return a slave's power for a job: that for its method, else the mean of what was measured, else the reference's.

    Args:
        rated: thousandths by :func:`key`.
        requires: what the job is rendered with.
        device: by which way the frame was rendered on a graphics card; empty: on the processor.
    """
    if device:
        return rated.get(key(requires.method, device), REFERENCE)
    processors = [value for method, value in rated.items() if "/" not in method]
    mean = sum(processors) // len(processors) if processors else REFERENCE
    return rated.get(requires.method, mean)


def earn(
    conn: Connection, slave: Machine, attempt: Held, spent: Spent, paid: tuple[int, int], at: int
) -> tuple[int, int]:
    """Let a slave's owner earn for an accepted result, its job's have had that much, and its job pay its boost.

    Args:
        conn: the writer's.
        slave: who rendered.
        attempt: the one that won.
        spent: what it took.
        paid: up to when its processors, and its graphics cards, are accounted for, µs.
        at: now, µs.

    Returns:
        Up to when both are now.
    """
    job = job_row(conn, attempt.job)
    time = _time(slave, attempt, spent, paid, at)
    rated = power(slave.powers, job.requires, spent.device)
    _credit(conn, job, slave, attempt, (spent.said, time.counts, rated), at)
    had = max(time.counts, min(microseconds(spent.finished.seconds), max(at - attempt.issued, 0)))
    if job.rush != LAST:
        standing.rendered(conn, job.owner, job.number, charged(had * rated / REFERENCE, job.boost), at)
    if job.boost:
        escrow.burn(conn, job, attempt, slave, time.counts, rated, at)
    return (paid[0], time.until) if spent.device else (time.until, paid[1])


def _time(slave: Machine, attempt: Held, spent: Spent, paid: tuple[int, int], at: int) -> Time:
    """Return the time that counts; cards have theirs, with which processors have nothing to do."""
    until = paid[1] if spent.device else paid[0]
    units = slave.cores
    if spent.device:
        units = max((backends.cards(offer.devices, spent.device) for offer in slave.offers), default=0) or 1
    return possible(spent.said, attempt.issued, spent.busy, until, at, units)


def _credit(
    conn: Connection, job: JobRow, slave: Machine, attempt: Held, measured: tuple[int, int, int], at: int
) -> None:
    """Write what a frame earns; `measured`: the time that was said, and that counts (µs), and the slave's power."""
    said, counts, rated = measured
    foreign = slave.owner != job.owner and said > 0
    seen = _seen(conn, job.number, attempt.frame) if foreign else _known(conn).get(job.number)
    if seen is None:
        return
    is_worth = worth(counts, rated)
    if foreign:
        others = near(attempt.frame, slave.owner, seen)
        about = About(job.number, attempt.frame, slave.id, _inputs(counts, said, rated, others))
        ledger.post(conn, Kind.EARNED, attempt.id, FARM, slave.owner, bounded(is_worth, others), about, at)
    seen.append(Seen(attempt.frame, slave.owner, is_worth))


def earn_half(conn: Connection, job: JobRow, frame: int, at: int) -> None:
    """Let those earn half who tried a frame that failed for good by its job's own fault."""
    memory(conn).flush(conn)
    c = attempts.c
    columns = (c.id, c.issued, c.ended, c.seconds, slaves.c.id.label("slave"), slaves.c.owner, slaves.c.powers)
    query = (
        select(*columns, slaves.c.offers)
        .join(slaves, slaves.c.id == c.slave)
        .where(c.job == job.number, c.frame == frame)
    )
    blaming = (c.state == AttemptState.FAILED.value, c.failure_class == FailureClass.JOB.value, c.issued >= job.queued)
    others = list(conn.execute(query.where(*blaming, slaves.c.owner != job.owner).order_by(c.id)))
    for row in others:
        # Who failed was not told how busy its processors were: one of them counts.
        said = row.seconds or 0
        spent, card = min(said, max((row.ended or at) - row.issued, 0)), _card(row.offers, job.requires)
        rated = power(powers(row.powers), job.requires, card)
        neighbours = near(frame, row.owner, _seen(conn, job.number, frame))
        is_worth = worth(spent, rated)
        milli = min(is_worth, bounded(is_worth, neighbours)) // 2
        about = About(job.number, frame, row.slave, _inputs(spent, said, rated, neighbours))
        ledger.post(conn, Kind.HALF, row.id, FARM, row.owner, milli, about, at)


def _inputs(cpu: int, said: int, rated: int, others: list[Near]) -> str:
    return json.dumps({"cpu": cpu, "said": said, "power": rated, "near": others}, separators=(",", ":"))


def _seen(conn: Connection, job: int, frame: int) -> deque[Seen]:
    """Return the last finished frames of a job, as this writer remembers them, or those around a frame."""
    known = _known(conn)
    if job not in known:
        known[job] = deque(_read(conn, job, frame), maxlen=REACH)
        if len(known) > _JOBS:
            known.popitem(last=False)
    known.move_to_end(job)
    return known[job]


def _known(conn: Connection) -> OrderedDict[int, deque[Seen]]:
    known: OrderedDict[int, deque[Seen]] = memory(conn).shelf.setdefault("worths", OrderedDict())
    return known


def _read(conn: Connection, job: int, frame: int) -> list[Seen]:
    c = attempts.c
    columns = (c.frame, c.cpu, c.seconds, c.device, slaves.c.owner, slaves.c.powers)
    query = select(*columns).join(slaves, slaves.c.id == c.slave)
    around = c.frame.between(frame - REACH // 2, frame + REACH // 2)
    rows = conn.execute(query.where(c.job == job, around, c.state == AttemptState.WON.value).order_by(c.id))
    requires = job_row(conn, job).requires
    return [_seen_then(row, requires) for row in rows]


def _seen_then(row: Any, requires: Requirement) -> Seen:
    spent = (row.seconds if row.device else row.cpu) or 0
    return Seen(row.frame, row.owner, worth(spent, power(powers(row.powers), requires, row.device)))


def _card(text: str, requires: Requirement) -> str:
    """Return by which way a slave most likely rendered on a graphics card, from its offers' JSON."""
    return devices.rendered_on(requires, "", crowd.offers(text, "", ""))
