"""What a result costs its job's owner, and what its slave's owner earns; written where a result is accepted.

Nothing is earned by frames of one's own jobs, and nothing here reads a row per frame: the neighbours that a frame is
compared with are remembered per job, and read anew only after a start.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts import ledger
from farm.accounts.formula import REACH, REFERENCE, Near, Seen, Time, bounded, near, possible, worth
from farm.accounts.ledger import FARM, About, Kind
from farm.database.memory import memory
from farm.database.schema import attempts, slaves
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Finished
from farm.scheduler import devices, escrow, jobrow, standing
from farm.scheduler.fairness import LAST, charged
from farm.scheduler.fit import Machine
from farm.scheduler.held import Held
from farm.scheduler.jobrow import JobRow, job_row
from farm.words.clock import microseconds
from farm.words.states import AttemptState, FailureClass

_JOBS = 256
"""Jobs whose finished frames a writer remembers."""


@lru_cache(maxsize=4096)
def powers(text: str) -> dict[str, int]:
    """Return what was measured of a slave, from the JSON of its row: thousandths by method."""
    return dict(json.loads(text)) if text else {}


def key(requires: Requirement) -> str:
    """Return what a job's frames are rated by: the method, on graphics cards `method/gpu`."""
    return f"{requires.method}/gpu" if devices.slot_for(requires) == "gpu" else requires.method


def power(rated: dict[str, int], requires: Requirement) -> int:
    """Return a slave's power for a job: that for its method, else the mean of what was measured, else the reference's.

    Args:
        rated: thousandths by :func:`key`.
        requires: what the job is rendered with.
    """
    if devices.slot_for(requires) == "gpu":
        return rated.get(key(requires), REFERENCE)
    processors = [value for method, value in rated.items() if "/" not in method]
    mean = sum(processors) // len(processors) if processors else REFERENCE
    return rated.get(requires.method, mean)


def earn(conn: Connection, slave: Machine, attempt: Held, finished: Finished, busy: int, paid: int, at: int) -> int:
    """Let a slave's owner earn for an accepted result, its job's have had that much, and its job pay its boost.

    Args:
        conn: the writer's.
        slave: who rendered.
        attempt: the one that won.
        finished: what it says.
        busy: since when it has had frames without a break, µs.
        paid: up to when its processors are accounted for, µs.
        at: now, µs.

    Returns:
        Up to when they are now.
    """
    jobrow.active(conn)  # most likely it is one of them, and they are needed for leases anyway
    job = job_row(conn, attempt.job)
    said = _said(finished, job.requires)
    time = _time(slave, job, attempt, said, busy, paid, at)
    rated = power(slave.powers, job.requires)
    _credit(conn, job, slave, attempt, (said, time.counts, rated), at)
    spent = max(time.counts, min(microseconds(finished.seconds), max(at - attempt.issued, 0)))
    if job.rush != LAST:
        standing.rendered(conn, job.owner, job.number, charged(spent * rated / REFERENCE, job.boost), at)
    if job.boost:
        escrow.burn(conn, job, attempt, slave, time.counts, rated, at)
    return time.until


def _time(slave: Machine, job: JobRow, attempt: Held, said: int, busy: int, paid: int, at: int) -> Time:
    if devices.slot_for(job.requires) == "gpu":  # a card's time, which its processors have nothing to do with
        return Time(min(said, max(at - attempt.issued, 0)), paid)
    return possible(said, attempt.issued, busy, paid, at, slave.cores)


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
    query = select(*columns).join(slaves, slaves.c.id == c.slave).where(c.job == job.number, c.frame == frame)
    blaming = (c.state == AttemptState.FAILED.value, c.failure_class == FailureClass.JOB.value, c.issued >= job.queued)
    others = list(conn.execute(query.where(*blaming, slaves.c.owner != job.owner).order_by(c.id)))
    for row in others:
        # Who failed was not told how busy its processors were: one of them counts.
        said = row.seconds or 0
        spent, rated = min(said, max((row.ended or at) - row.issued, 0)), power(powers(row.powers), job.requires)
        neighbours = near(frame, row.owner, _seen(conn, job.number, frame))
        is_worth = worth(spent, rated)
        milli = min(is_worth, bounded(is_worth, neighbours)) // 2
        about = About(job.number, frame, row.slave, _inputs(spent, said, rated, neighbours))
        ledger.post(conn, Kind.HALF, row.id, FARM, row.owner, milli, about, at)


def _said(finished: Finished, requires: Requirement) -> int:
    """Return the time that is paid for, as the slave says: its processors', or its graphics card's."""
    card = devices.slot_for(requires) == "gpu"
    return microseconds(finished.seconds if card else finished.cpu_seconds)


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
    query = select(c.frame, c.cpu, slaves.c.owner, slaves.c.powers).join(slaves, slaves.c.id == c.slave)
    around = c.frame.between(frame - REACH // 2, frame + REACH // 2)
    rows = conn.execute(query.where(c.job == job, around, c.state == AttemptState.WON.value).order_by(c.id))
    requires = job_row(conn, job).requires
    return [Seen(r.frame, r.owner, worth(r.cpu or 0, power(powers(r.powers), requires))) for r in rows]
