"""What would become of a submission, before any byte travels."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from farm.database.schema import slaves
from farm.jobs import files, updates
from farm.jobs.access import Asker
from farm.jobs.checks import Methods, objections
from farm.jobs.depends import There, resolved
from farm.jobs.graph import refuse_circles
from farm.jobs.pools import must_let_in
from farm.jobs.rules import Rules
from farm.jobs.submission import new_bytes
from farm.methods.sets import JobSets
from farm.protocol.jobs import CheckReport, Requirement, Submission
from farm.protocol.slaves import Offer
from farm.scheduler import crowd, devices, installs, pools
from farm.scheduler.fit import Machine, closest, fits, instead, numbers, wanted
from farm.scheduler.pools import serves
from farm.words.errors import BadFrameRange, DistrenError
from farm.words.states import SlaveState


def check(
    conn: Connection, asker: Asker, submission: Submission, methods: Methods, rules: Rules, server: str, there: There
) -> CheckReport:
    """Say what stands against a submission, and what is worth a thought.

    Args:
        conn: a connection.
        asker: whose job it would be.
        submission: the job.
        methods: the render methods by name.
        rules: the server's limits.
        server: its name.
        there: what other servers have of the jobs that it depends on.
    """
    problems = [_text(objection) for objection in objections(submission, methods, rules)]
    problems += _update(conn, asker, submission) if not problems else []
    missing = new_bytes(conn, asker, submission)
    over = missing - files.room_left(conn, asker.user)
    if over > 0:
        problems.append(f"files: they are {over:,} bytes more than your quota leaves. Delete old jobs.")
    problems += _dependencies(conn, asker, submission, server, there)
    problems += _pool(conn, asker, submission)
    farm, known = _farm(conn), pools.read(conn)
    left = [slave for slave in farm if serves(known.get(slave.pool), submission.requires, asker.user)]
    fitting, fit_problems, warnings = _fitting(left, submission)
    return CheckReport(
        problems=[*problems, *fit_problems],
        unfit=fit_problems,
        warnings=[*_unknown(farm, submission), *warnings],
        fitting_slaves=fitting,
        missing_bytes=missing,
        frames=_count(submission),
    )


def _update(conn: Connection, asker: Asker, submission: Submission) -> list[str]:
    try:
        if submission.updates is not None:
            updates.frames_of(conn, asker, submission)
    except DistrenError as error:
        return [_text(error)]
    return []


def _pool(conn: Connection, asker: Asker, submission: Submission) -> list[str]:
    try:
        must_let_in(conn, asker, submission.requires.pool)
    except DistrenError as error:
        return [_text(error)]
    return []


def _text(error: DistrenError) -> str:
    return f"{error.message} {error.hint}".strip()


def _dependencies(conn: Connection, asker: Asker, submission: Submission, server: str, there: There) -> list[str]:
    """Return what is wrong with what its frames wait for."""
    if not submission.depends:
        return []
    try:
        sets = JobSets.of(submission.frames, submission.sets)
        refuse_circles(resolved(conn, asker, submission.depends, sets.portions(), server, there), sets.whole())
    except BadFrameRange:
        return []  # which is a problem of its own
    except DistrenError as error:
        return [_text(error)]
    return []


def _count(submission: Submission) -> int:
    try:
        portions = JobSets.of(submission.frames, submission.sets).portions()
        return sum(len(portion.pictures) for portion in portions)
    except BadFrameRange:
        return 0


def _farm(conn: Connection) -> list[Row[Any]]:
    return list(conn.execute(select(slaves).where(slaves.c.state != SlaveState.RETIRED).order_by(slaves.c.name)))


def _unknown(farm: list[Row[Any]], submission: Submission) -> list[str]:
    known = {slave.name for slave in farm}
    named = {*submission.slaves, *submission.not_slaves}
    return [f"slaves: there is no slave {name}." for name in sorted(named - known)]


def _fitting(farm: list[Row[Any]], submission: Submission) -> tuple[list[str], list[str], list[str]]:
    """Return the slaves that could render the job, and what to say if there are none."""
    admitted = [slave for slave in farm if _admitted(slave.name, submission)]
    seen = [slave for slave in admitted if slave.seen is not None]
    reasons = {slave.name: fits(submission.requires, _offers(slave)) for slave in seen}
    fitting = [name for name, reason in reasons.items() if not reason]
    machines = [_machine(slave) for slave in seen]
    if fitting:
        awake = any(slave.name in fitting and slave.state != SlaveState.OFFLINE for slave in seen)
        notes = [] if awake else ["The slaves that could render this are offline: the job will wait."]
        return fitting, [], [*notes, *_newer(submission.requires, machines)]
    live = [machine for machine, slave in zip(machines, seen, strict=True) if slave.state in crowd.LIVE]
    hopes = installs.hopes(submission.requires, live)
    if hopes:
        names = [machine.name for machine in live if installs.would_do(submission.requires, machine)]
        return names, [], [f"No slave has {wanted(submission.requires)} yet. {hopes[0]}"]
    if seen:
        choices = instead(submission.requires, machines) or devices.advice(submission.requires)
        if choices:
            return [], [f"requires: no slave has {wanted(submission.requires)}; {choices}"], []
        said = "; ".join(sorted({f"{reason}" for reason in reasons.values()}))
        return [], [f"requires: no slave fits: {said}."], []
    if farm and not admitted:
        return [], ["slaves: none of the farm's slaves may render this job."], []
    return [], [], ["No slave has logged in to this farm yet: the job will wait."]


def _newer(requires: Requirement, machines: list[Machine]) -> list[str]:
    """Say it if all frames will be rendered with a newer version than the source's, as its owner agreed."""
    best = closest(requires, machines)
    if not (requires.newer and requires.version and best) or numbers(best)[:2] == numbers(requires.version)[:2]:
        return []
    return [f"No slave has {requires.method} {requires.version}: all frames will be rendered with {best}."]


def _machine(slave: Row[Any]) -> Machine:
    offers = tuple(_offers(slave))
    return Machine(0, slave.name, slave.slots, offers, installs=crowd.installs(slave.hardware))


def _admitted(name: str, submission: Submission) -> bool:
    return name not in submission.not_slaves and (not submission.slaves or name in submission.slaves)


def _offers(slave: Row[Any]) -> list[Offer]:
    return list(crowd.offers(slave.offers, slave.tags, slave.terms))
