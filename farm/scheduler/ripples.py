"""What happens to frames when something happened to those that they wait for: they fail, too, or are done again.

A chain may be 100,000 frames long. So each transaction goes on for a piece, without recursion, and what is left
stands in the table `ripple`, written in the same transaction: a crash loses nothing, since the sweep goes on with it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, delete, exists, insert, select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import frames, jobs, ripples
from farm.scheduler import held, jobrow, rules, unblock
from farm.scheduler.frames import change_states
from farm.scheduler.jobrow import JobRow
from farm.scheduler.settle import set_state, settle
from farm.scheduler.takeback import AFRESH, take_back
from farm.words.ranges import FrameRange, Places
from farm.words.states import FrameState, JobState

PIECE = 1000
"""Frames that one transaction goes on to."""

_LEFT = "ripples"
"""On the writer's shelf: there may be some left."""

_RESTING = frozenset({JobState.RECEIVING, JobState.CANCELED, JobState.DELETED})
"""Jobs whose frames are left as they are: they are looked at when the job goes on. Those without files never do."""

_TOUCHED = {
    "fail": (FrameState.BLOCKED,),
    "lose": (FrameState.BLOCKED, FrameState.READY, FrameState.LEASED),
    "redo": (FrameState.READY, FrameState.LEASED, FrameState.DONE, FrameState.FAILED),
}
"""The states in which a ripple finds frames that it changes; it ends at all others."""

_BUSY = exists().where(jobs.c.number == ripples.c.job, jobs.c.unfinished.is_not(None))


@dataclass(frozen=True, slots=True)
class Ripple:
    """Something to do to frames, and then to those that wait for them.

    Args:
        verb: `fail` those that are blocked; `lose` also those that began, for the files of others are no more; `redo`
            them: take back what they have, and block them; `look` whether
            they wait any longer, or for what will not come; `wake` those that do not.
        job: whose frames.
        frames: which.
        reason: why they fail.
    """

    verb: str
    job: int
    frames: FrameRange
    reason: str = ""


def failed(conn: Connection, job: int, numbers: Collection[int], reason: str, at: int) -> None:
    """Let frames fail that wait for some that never will be done."""
    _begin(conn, _next(conn, "fail", job, numbers, reason), at)


def lost(conn: Connection, job: int, numbers: Collection[int], reason: str, at: int) -> None:
    """Let frames fail that need files which are no more, also those that have begun."""
    _begin(conn, _next(conn, "lose", job, numbers, reason), at)


def again(conn: Connection, job: int, numbers: Collection[int], at: int) -> None:
    """Let frames be done again that wait for some that are done again, or were given up and are not any more."""
    unblock.undone(conn, job, numbers)
    _begin(conn, _next(conn, "redo", job, numbers, ""), at)


def given_up(conn: Connection, job: int, numbers: FrameRange, reason: str, at: int) -> None:
    """Let frames fail that wait for some of another server which will not come."""
    _begin(conn, [Ripple("fail", job, numbers, reason)], at)


def replaced(conn: Connection, job: int, numbers: FrameRange, at: int) -> None:
    """Let frames be done again that were made of another server's, of which there are others now."""
    _begin(conn, [Ripple("redo", job, numbers)], at)


def done(conn: Connection, finished: dict[int, list[int]], at: int) -> None:
    """Make frames ready that wait for nothing but what has just been done."""
    many = unblock.after(conn, finished, at)
    _begin(conn, [Ripple("look", job, FrameRange.of(numbers)) for job, numbers in many.items()], at)


def look(conn: Connection, job: int, numbers: FrameRange, at: int) -> None:
    """See which of some frames wait for others, and which can't be done any more."""
    if numbers and rules.book(conn, job).rules:
        _begin(conn, [Ripple("look", job, numbers)], at)


def wake(conn: Connection, job: int, at: int) -> None:
    """Mend a job of which frames wait though nothing keeps them: two processes had left them to each other."""
    row = _row(conn, job)
    if row is not None:
        _begin(conn, [Ripple("wake", job, FrameRange.parse(row.frames))], at)


def later(conn: Connection, job: int, numbers: Collection[int]) -> None:
    """Do the same as :func:`again` and :func:`look` when the job's change is finished, of which this is a piece."""
    unblock.undone(conn, job, numbers)
    _store(conn, _next(conn, "redo", job, numbers, ""))
    if numbers and rules.book(conn, job).rules:
        _store(conn, [Ripple("look", job, FrameRange.of(numbers))])


def pending(conn: Connection) -> bool:
    """Tell whether there is something that can be gone on with."""
    return conn.execute(select(ripples.c.id).where(~_BUSY).limit(1)).first() is not None


def work(conn: Connection, at: int) -> bool:
    """Go on for a piece, also with what is left from before a crash; tell whether there may be more."""
    shelf, room = memory(conn).shelf, PIECE
    while room > 0 and shelf.get(_LEFT, True):
        memory(conn).flush(conn)
        row = conn.execute(select(ripples).where(~_BUSY).order_by(ripples.c.id).limit(1)).first()
        if row is None:
            shelf[_LEFT] = conn.execute(select(ripples.c.id).limit(1)).first() is not None
            return False
        conn.execute(delete(ripples).where(ripples.c.id == row.id))
        ripple = Ripple(row.verb, row.job, FrameRange.parse(row.frames), row.reason)
        room -= len(ripple.frames)
        _store(conn, _do(conn, ripple, at))
    return bool(shelf.get(_LEFT, True))


def _begin(conn: Connection, some: Iterable[Ripple], at: int) -> None:
    """Do the first piece now: that is all, but for huge jobs."""
    room = PIECE
    for ripple in some:
        if room > 0:
            room -= len(ripple.frames)
            _store(conn, _do(conn, ripple, at))
        else:
            _store(conn, [ripple])


def _store(conn: Connection, left: Iterable[Ripple]) -> None:
    rows = [{"verb": r.verb, "job": r.job, "frames": str(r.frames), "reason": r.reason} for r in left]
    if rows:
        conn.execute(insert(ripples), rows)
        memory(conn).shelf[_LEFT] = True


def _next(conn: Connection, verb: str, job: int, numbers: Collection[int], reason: str) -> list[Ripple]:
    """Return what becomes of the frames that wait for some others."""
    found = _waiting(conn, job, numbers)
    return [Ripple(verb, user, FrameRange.of(frames), reason) for user, frames in sorted(found.items())]


def _waiting(conn: Connection, job: int, numbers: Collection[int]) -> dict[int, set[int]]:
    if not numbers or not rules.needed(conn, job):
        return {}
    page = memory(conn).page
    if ("users", job) not in page:
        page["users", job] = rules.users(conn, job)
    found = ((user, rules.book(conn, user).on(job, numbers)) for user in page["users", job])
    return {user: frames for user, frames in found if frames}


def _do(conn: Connection, ripple: Ripple, at: int) -> list[Ripple]:
    """Do a piece; return what is left."""
    memory(conn).flush(conn)
    if ripple.verb in ("look", "wake"):
        some, rest = _cut(ripple.frames)
        dead = _looked(conn, ripple.job, list(some), at)
        for reason, numbers in _by_reason(dead if ripple.verb == "look" else {}).items():
            _store(conn, _do(conn, Ripple("fail", ripple.job, FrameRange.of(numbers), reason), at))
        return [replace(ripple, frames=rest)] if rest else []
    reached, left = _spread(conn, ripple)
    for job, changed in sorted(reached.items()):
        if ripple.verb == "redo":
            _redo(conn, job, sorted(changed), at)
        else:
            _fail(conn, job, sorted(changed), ripple.reason, at, _TOUCHED[ripple.verb])
    return left


def _looked(conn: Connection, job: int, numbers: Collection[int], at: int) -> dict[int, str]:
    if _row(conn, job) is None:
        return {}
    return unblock.look(conn, job, numbers, at)


def _by_reason(dead: dict[int, str]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, reason in dead.items():
        found[reason].append(number)
    return found


def _cut(numbers: FrameRange) -> tuple[FrameRange, FrameRange]:
    """Return the first piece of some frames, and the rest."""
    if len(numbers) <= PIECE:
        return numbers, FrameRange(())
    last = Places(numbers).at(PIECE - 1)
    return numbers.between(numbers.first, last), numbers.between(last + 1, None)


def _spread(conn: Connection, ripple: Ripple) -> tuple[dict[int, set[int]], list[Ripple]]:
    """Return a piece of all frames that a ripple changes, by job, and from where it goes on."""
    first, rest = _cut(ripple.frames)
    reached: defaultdict[int, set[int]] = defaultdict(set)
    water = _Water(conn, _TOUCHED[ripple.verb])
    ahead: deque[tuple[int, Collection[int]]] = deque([(ripple.job, list(first))])
    count = 0
    while ahead and count < PIECE:
        job, numbers = ahead.popleft()
        fresh = sorted(set(numbers) - reached[job])
        if len(fresh) > PIECE:
            ahead.append((job, fresh[PIECE:]))
            fresh = fresh[:PIECE]
        fresh = water.carries(job, fresh)
        reached[job].update(fresh)
        count += len(fresh)
        ahead.extend(_waiting(conn, job, fresh).items())
    left: defaultdict[int, set[int]] = defaultdict(set)
    for job, more in ahead:
        left[job].update(more)
    going = [replace(ripple, job=job, frames=FrameRange.of(some)) for job, some in sorted(left.items()) if some]
    return reached, [*going, replace(ripple, frames=rest)] if rest else going


class _Water:
    """The frames that a ripple changes. A chain is read ahead: else each of its frames would be a question."""

    def __init__(self, conn: Connection, states: Iterable[FrameState]) -> None:
        self._conn = conn
        self._states = [state.value for state in states]
        self._seen: defaultdict[int, set[int]] = defaultdict(set)
        self._found: defaultdict[int, set[int]] = defaultdict(set)

    def carries(self, job: int, numbers: Collection[int]) -> list[int]:
        """Return those of some frames that are changed; none in a job at rest."""
        unknown = set(numbers) - self._seen[job]
        if unknown:
            first, last = min(unknown), min(unknown) + PIECE
            near = {number for number in unknown if number <= last}
            self._ask(job, frames.c.number.between(first, last), range(first, last + 1))
            for some in unblock.lists(sorted(unknown - near)):
                self._ask(job, frames.c.number.in_(some), some)
        return [number for number in numbers if number in self._found[job]]

    def _ask(self, job: int, these: ColumnElement[bool], seen: Iterable[int]) -> None:
        self._seen[job].update(seen)
        going = exists().where(jobs.c.number == job, _going())
        query = select(frames.c.number).where(frames.c.job == job, these, frames.c.state.in_(self._states), going)
        self._found[job].update(self._conn.execute(query).scalars())


def _going() -> ColumnElement[bool]:
    return and_(jobs.c.state.not_in([state.value for state in _RESTING]), jobs.c.let_go.is_(None))


def _row(conn: Connection, job: int) -> JobRow | None:
    """Return a job in which something may happen now."""
    going = conn.execute(select(jobs.c.number).where(jobs.c.number == job, _going())).first()
    return None if going is None else jobrow.fresh(conn, job)


def _fail(
    conn: Connection,
    job: int,
    numbers: list[int],
    reason: str,
    at: int,
    states: Sequence[FrameState] = _TOUCHED["fail"],
) -> None:
    """Give frames up that wait for what will not come."""
    if _row(conn, job) is None:
        return
    ended = 0
    for some in unblock.lists(numbers):
        found = _which(conn, job, some, states)
        if states != _TOUCHED["fail"] and found:
            held.forget(conn)
            take_back(conn, job, found, at)
        these = frames.c.number.in_(found)
        ended += change_states(conn, job, states, FrameState.FAILED, these, message=reason, lease=None)
        eventlog.note_frames(conn, job, FrameState.FAILED, found, at=at)
    if ended:
        settle(conn, job, at, ended=ended)


def _redo(conn: Connection, job: int, numbers: list[int], at: int) -> None:
    """Take back what frames have, and let them wait; then see which wait no more."""
    row = _row(conn, job)
    if row is None:
        return
    changed = [number for some in unblock.lists(numbers) for number in _block(conn, job, some, at)]
    if not changed:
        return
    unblock.undone(conn, job, changed)
    if any(rule.overlay for rule in rules.book(conn, job).rules.values()):
        # What was laid over the job's files will be another: slaves must ask anew.
        conn.execute(update(jobs).where(jobs.c.number == job).values(revision=jobs.c.revision + 1))
        jobrow.forget(conn, job)
    if row.state in {JobState.DONE, JobState.FAILED}:
        set_state(conn, row, JobState.QUEUED, at, queued=at, ended=None, message="")
    for reason, dead in _by_reason(unblock.look(conn, job, changed, at)).items():
        _fail(conn, job, sorted(dead), reason, at)


def _block(conn: Connection, job: int, numbers: list[int], at: int) -> list[int]:
    found = _which(conn, job, numbers, _TOUCHED["redo"])
    changed = sorted(found)
    if changed:
        held.forget(conn)
        take_back(conn, job, changed, at)
        change_states(conn, job, _TOUCHED["redo"], FrameState.BLOCKED, frames.c.number.in_(changed), **AFRESH)
        eventlog.note_frames(conn, job, FrameState.BLOCKED, changed, at=at)
    return changed


def _which(conn: Connection, job: int, numbers: list[int], states: Iterable[FrameState]) -> list[int]:
    query = select(frames.c.number).where(frames.c.job == job, frames.c.number.in_(numbers))
    return list(conn.execute(query.where(frames.c.state.in_([state.value for state in states]))).scalars())
