"""The slave's one call: a report goes in, orders come out, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from farm.accounts import lending
from farm.accounts.reliability import Record, after, on_probation
from farm.database import eventlog
from farm.database.many import Change
from farm.database.memory import memory
from farm.database.schema import attempts, slaves
from farm.protocol.errands import ErrandOrder
from farm.protocol.slaves import Lease, Orders, Report, Running, Verdict
from farm.protocol.upgrades import Upgrade
from farm.scheduler import checks, crowd, earnings, held, installs, jobrow, results, ripples, samples
from farm.scheduler.claim import Wish, claim, may
from farm.scheduler.devices import Room, slot_of
from farm.scheduler.double import double
from farm.scheduler.earnings import Spent
from farm.scheduler.fit import Machine
from farm.scheduler.held import Held
from farm.scheduler.policy import Policy
from farm.scheduler.releases import Release, release
from farm.scheduler.reopen import reopen
from farm.scheduler.settle import settle
from farm.scheduler.unheard import again, unheard
from farm.words.clock import microseconds
from farm.words.errors import StaleReport, Unauthenticated
from farm.words.names import of_peer
from farm.words.states import AttemptState, FailureClass, FrameState, SlaveState

SHOWN = 2.0
"""Seconds after which an attempt's progress is worth a row: shorter ones are over before anybody looks."""

STEP = 20
"""Thousandths of progress that are worth one."""

_STATE = select(slaves.c.state).where(slaves.c.id == bindparam("of"))
_SEEN = Change(
    slaves,
    where={"id": "of", "state": "was"},
    put={name: name for name in ("state", "seq", "seen", "paid", "carded", "good", "bad", "judged")},
    add={"done": "won"},
)
_SAID = Change(slaves, where={"id": "of"}, put={"message": "message"})
_RUNNING = ("deadline", "started", "progress", "memory")
_PROGRESS = Change(attempts, where={"id": "of", "state": "was"}, put={name: name for name in _RUNNING})
_KEPT = frozenset({SlaveState.PAUSED, SlaveState.SICK})


@dataclass(slots=True)
class Call:
    """One call, while it is worked on; `said` is the slave's message so far, `unheard` what it does not know it has.

    `upgrade`: the version that it is to run, as JSON; empty: the one that it runs. `errand`: what it is to do, too.
    `terms`: its owner's, as JSON.
    `done`: results that counted before. `paid`: up to when the slave's processors and its graphics cards are accounted
    for by points, µs.
    `record`: how reliable it was before; `won` and `failed`: what is added to that.
    """

    slave: Machine
    state: SlaveState
    said: str
    upgrade: str
    errand: str
    terms: str
    report: Report
    at: int
    policy: Policy
    open: dict[int, Held]
    paid: tuple[int, int]
    done: int
    record: Record
    unheard: list[Held] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    revoked: list[int] = field(default_factory=list)
    won: int = 0
    failed: int = 0


def _read_ahead(conn: Connection, commands: Sequence[TakeReport]) -> None:
    held.read_ahead(conn, (command.slave for command in commands))


@dataclass(frozen=True, slots=True)
class TakeReport:
    """The command for the writer that takes a report; see :func:`take_report`.

    Args:
        first: what is to be written down before, in the same transaction.
    """

    slave: int
    report: Report
    at: int
    policy: Policy
    first: Callable[[Connection], None] | None = None
    ahead: ClassVar = staticmethod(_read_ahead)

    def __call__(self, conn: Connection) -> Orders:
        """Run."""
        if self.first is not None:
            self.first(conn)
        return take_report(conn, self.slave, self.report, self.at, self.policy)


def take_report(conn: Connection, slave_id: int, report: Report, at: int, policy: Policy) -> Orders:
    """Take what a slave says, and answer with leases, verdicts and attempts to stop.

    The same report may come again (the answer was lost, or the call hangs and looks
    anew): what counted counts once, and leases of answers that never arrived are given again.

    Args:
        conn: the writer's.
        slave_id: the id of the slave's row.
        report: what it says; results that it carries must be staged before.
        at: now, µs.
        policy: the scheduler's numbers.

    Raises:
        StaleReport: a newer report was taken before.
        Unauthenticated: the slave is retired, or has a new key.
    """
    call = _begin(conn, slave_id, report, at, policy)
    _take_ends(conn, call)
    _check_held(conn, call)
    _renew(conn, call)
    leases = _lease(conn, call)
    idle = call.state is SlaveState.IDLE and report.want and not (leases or call.open)
    _note_slave(conn, call, busy=bool(leases or call.open))
    if report.load is not None:
        samples.note(conn, slave_id, report.load, at)
    return Orders(
        leases=leases,
        revoked=call.revoked,
        verdicts=call.verdicts,
        heartbeat_seconds=policy.heartbeat_seconds,
        drain=call.state is SlaveState.PAUSED,
        install=installs.asked_for(conn, call.slave, at, policy) if idle else None,
        upgrade=Upgrade.model_validate_json(call.upgrade) if call.upgrade else None,
        errand=ErrandOrder.model_validate_json(call.errand) if call.errand else None,
        terms=lending.terms(call.terms) if call.terms else None,
    )


def _begin(conn: Connection, slave_id: int, report: Report, at: int, policy: Policy) -> Call:
    found = held.take(conn, slave_id)
    row = found.row
    if row is None or row.state == SlaveState.RETIRED:
        raise Unauthenticated("This slave is retired.", hint="Make a new slave key.")
    if row.seen is None:  # other processes may believe its token a little longer
        raise Unauthenticated(f"Slave {row.name} has a new key.", hint="Log in with it.")
    if report.seq < row.seq:
        raise StaleReport(f"Slave {row.name}'s report {report.seq} is older than {row.seq}.")
    offers, pool = crowd.offers(row.offers, row.tags, row.terms), crowd.pool_of(conn, row.pool, at)
    contained, able = crowd.contained(row.hardware), crowd.installs(row.hardware)
    rated, cores = earnings.powers(row.powers), crowd.cores(row.hardware)
    serves = lending.serves(row.owner, row.terms, row.accept, partial(held.friends, conn))
    machine = Machine(slave_id, row.name, row.slots, offers, row.owner, contained, able, cores, pool, rated, serves)
    said = row.message, row.upgrade, row.errand, row.terms
    record = Record(row.good, row.bad, row.judged)
    return Call(
        machine, SlaveState(row.state), *said, report, at, policy, found.open, (row.paid, row.carded), row.done, record
    )


def _take_ends(conn: Connection, call: Call) -> None:
    report = call.report
    if not (report.finished or report.failed or report.returned):
        return
    ended = [*(good.attempt for good in report.finished), *(bad.attempt for bad in report.failed)]
    others = held.by_ids(conn, (number for number in ended if number not in call.open))
    jobs = _take_results(conn, call, others)
    _take_failures(conn, call, others)
    ripples.done(conn, jobs, call.at)
    for job, numbers in sorted(jobs.items()):
        settle(conn, job, call.at, ended=len(numbers))


def _take_results(conn: Connection, call: Call, others: dict[int, Held]) -> dict[int, list[int]]:
    """Take the good ends; return the frames whose results counted, by job."""
    jobs: dict[int, list[int]] = {}
    busy = min((attempt.issued for attempt in call.open.values()), default=call.at)
    for finished in sorted(call.report.finished, key=lambda end: end.attempt):
        attempt = call.open.get(finished.attempt) or others.get(finished.attempt)
        verdict = results.judge(attempt, call.slave.id, finished)
        if verdict is None and attempt is not None:
            device = earnings.rendered_on(conn, call.slave, attempt, finished)
            verdict = results.accept(conn, attempt, finished, device, call.at)
            call.open.pop(attempt.id, None)
            if attempt.state is AttemptState.WON:
                jobs.setdefault(attempt.job, []).append(attempt.frame)
                call.won += 1
                spent = Spent(finished, device, busy)
                call.paid = earnings.earn(conn, call.slave, attempt, spent, call.paid, call.at)
                if call.policy.strangers or of_peer(call.slave.name):
                    checks.draw(conn, call.slave, attempt, call.done, call.at)
                if attempt.frame_state is FrameState.FAILED:
                    _heal(conn, call, attempt)
        if verdict is not None:
            call.verdicts.append(verdict)
    return jobs


def _heal(conn: Connection, call: Call, attempt: Held) -> None:
    """Revive what was given up with a frame that has its result after all; this may revoke attempts of this slave."""
    ripples.again(conn, attempt.job, [attempt.frame], call.at)
    memory(conn).flush(conn)
    still = held.open_of(conn, call.slave.id)
    call.open = {number: each for number, each in call.open.items() if number in still}


def _take_failures(conn: Connection, call: Call, others: dict[int, Held]) -> None:
    """Take the bad ends; of an attempt that is not open any more, they mean nothing."""
    if not (call.report.failed or call.report.returned):
        return
    releases = []
    for failed in call.report.failed:
        attempt = call.open.pop(failed.attempt, None)
        if attempt is not None:
            releases.append(Release.failed(attempt, failed))
        call.verdicts.append(Verdict(attempt=failed.attempt, verdict=_failure(attempt, others.get(failed.attempt))))
    returned = (call.open.pop(number, None) for number in call.report.returned)
    releases += [Release(attempt, AttemptState.RETURNED) for attempt in returned if attempt is not None]
    if releases:
        release(conn, releases, call.at, call.policy)
    # A machine that is too small for a job is not unreliable.
    call.failed += sum(r.fault is FailureClass.SLAVE and not r.short for r in releases)
    if any(r.fault is FailureClass.SLAVE for r in releases):
        call.state = SlaveState(conn.execute(_STATE, {"of": call.slave.id}).scalar_one())


def _failure(attempt: Held | None, other: Held | None) -> str:
    if attempt is not None or (other is not None and other.state is AttemptState.FAILED):
        return "accepted"
    return "late" if other is not None and other.state is not AttemptState.REVOKED else "refused"


def _check_held(conn: Connection, call: Call) -> None:
    """Compare what the slave holds with what it should, and put the difference right."""
    report = call.report
    if not (call.open or report.running or report.holding or report.finishing):
        return
    rendering = [one.attempt for one in report.running]
    named = {*rendering, *report.holding, *report.finishing}
    unsent = named | {f.attempt for f in report.finished}  # a result to be sent again is still on the slave
    unnamed = [attempt for number, attempt in sorted(call.open.items()) if number not in unsent]
    call.unheard = unheard(conn, unnamed, report, call.state)
    unknowing = {attempt.id for attempt in call.unheard}
    lost = [attempt for attempt in unnamed if attempt.id not in unknowing]
    parked = _parked(conn, call)
    if lost or parked:
        over = [*lost, *parked]
        release(conn, [Release(attempt, AttemptState.RETURNED) for attempt in over], call.at, call.policy)
        for attempt in over:
            del call.open[attempt.id]
    stop = {*rendering, *report.holding}
    done = {a.id for a in call.open.values() if a.frame_state is not FrameState.LEASED}
    dead = {attempt.id for attempt in parked}
    unknown = held.by_ids(conn, named - call.open.keys() - dead)
    back, gone = reopen(conn, call.slave.id, unknown, set(rendering), call.at, call.policy)
    call.open |= back
    missing = {number for number in named if number not in call.open and number not in unknown}
    call.revoked = sorted((done | dead | gone | missing) & stop)


def _parked(conn: Connection, call: Call) -> list[Held]:
    """Return attempts that have not begun and should not: their job is paused, or this slave is not lent to it now."""
    waiting = [call.open[number] for number in call.report.holding if number in call.open]
    if not waiting:
        return []
    active = {job.number: job for job in jobrow.active(conn)}
    stay = {n for n in {a.job for a in waiting} if n in active and may(conn, call.slave, active[n], call.policy)}
    return [attempt for attempt in waiting if attempt.job not in stay]


def _renew(conn: Connection, call: Call) -> None:
    """Renew deadlines and note progress, both only when it is worth a row."""
    if not call.open:
        return
    running = {one.attempt: one for one in call.report.running}
    late = call.at + call.policy.deadline_us // 2
    for attempt in call.open.values():
        one = running.get(attempt.id)
        if one is not None and one.tail:
            said = {"attempt": attempt.id, "at": one.tail_at, "text": one.tail}
            eventlog.note(conn, "log", at=call.at, job=attempt.job, data={str(attempt.frame): said})
        if attempt.deadline < late or (one is not None and _worth(attempt, one)):
            row = _progress_row(attempt, one, call.at, call.policy)
            memory(conn).later(_PROGRESS, row)


def _worth(attempt: Held, one: Running) -> bool:
    if one.seconds < SHOWN:
        return False
    return attempt.started is None or abs(round(one.progress * 1000) - (attempt.progress or 0)) >= STEP


def _progress_row(attempt: Held, one: Running | None, at: int, policy: Policy) -> dict[str, int | str | None]:
    started, progress = attempt.started, attempt.progress
    if one is not None:
        started, progress = at - microseconds(one.seconds), round(one.progress * 1000)
    return {
        "of": attempt.id,
        "was": AttemptState.OPEN.value,
        "deadline": at + policy.deadline_us,
        "started": started,
        "progress": progress,
        "memory": one.memory_bytes if one is not None else None,
    }


def _lease(conn: Connection, call: Call) -> list[Lease]:
    want = min(call.report.want, 1) if call.state is SlaveState.SICK else call.report.want
    cards = min(call.report.cards, want)
    if not want or call.state is SlaveState.PAUSED or call.report.state is SlaveState.RESTING:
        return []
    tested = call.state is SlaveState.SICK or (call.policy.strangers and _unproven(conn, call))
    has = Counter([one.job for one in call.open.values()]) if call.open else {}
    wish = Wish(call.slave, call.report.seq, Room(want - cards, cards), has, singly=tested)
    if call.state is SlaveState.SICK:
        well = not call.open and _rested(conn, call)
        return claim(conn, wish, call.at, call.policy) if well else _again(conn, call, wish.room)
    leases = _again(conn, call, wish.room) + claim(conn, wish, call.at, call.policy)
    if not (leases or call.open or tested) and call.policy.stragglers:
        leases = double(conn, wish, call.at, call.policy)
    return leases


def _unproven(conn: Connection, call: Call) -> bool:
    return on_probation(_record(call)) or checks.in_doubt(conn, call.slave.id)


def _again(conn: Connection, call: Call, room: Room) -> list[Lease]:
    """Give again what the slave has not heard of; it fills slots."""
    leases = again(conn, call.unheard) if call.unheard else []
    for lease in leases:
        room.take(slot_of(lease.slot), 1)
    return leases


def _rested(conn: Connection, call: Call) -> bool:
    where = (attempts.c.slave == call.slave.id, attempts.c.state == AttemptState.FAILED.value)
    last = conn.execute(select(func.max(attempts.c.ended)).where(*where)).scalar() or 0
    return call.at >= last + microseconds(call.policy.sick_rest_seconds)


def _record(call: Call) -> Record:
    """Return how reliable the slave is, with what it reports now."""
    return after(call.record, call.won, call.failed, call.at) if call.won or call.failed else call.record


def _note_slave(conn: Connection, call: Call, *, busy: bool) -> None:
    state = _next_state(call, busy=busy)
    row = {"of": call.slave.id, "was": call.state.value, "state": state.value, "seq": call.report.seq}
    record = _record(call)
    judged = {"good": record.good, "bad": record.bad, "judged": record.at}
    paid, carded = call.paid
    # Exact: a person may have paused it by another process a moment ago.
    paid_up = {"paid": paid, "carded": carded}
    memory(conn).later(_SEEN, {**row, **judged, **paid_up, "seen": call.at, "won": call.won}, exact=True)
    said = call.report.message
    if said != call.said:
        memory(conn).later(_SAID, {"of": call.slave.id, "message": said})
    if state is not call.state or said != call.said:
        eventlog.note(conn, "slave", at=call.at, slave=call.slave.name, data={"state": state.value})
        if (state in crowd.LIVE) != (call.state in crowd.LIVE):
            crowd.changed(conn)


def _next_state(call: Call, *, busy: bool) -> SlaveState:
    if call.state in _KEPT and not (call.state is SlaveState.SICK and call.won):
        return call.state
    if call.report.state is SlaveState.RESTING:
        return SlaveState.RESTING
    # It says so itself where it renders for a peer that it is lent to.
    return SlaveState.RENDERING if busy or call.report.state is SlaveState.RENDERING else SlaveState.IDLE
