"""From blocked to ready: what a finished frame sets free.

Whoever finishes a frame that others wait for looks at these, in the same transaction. A rule by which frames
wait for many others watches one that is not done, and is not touched before that one is: so what 100,000
frames cost is 100,000 times nothing, and then a search. Another process that finishes the next watched frame
at the same time is waited for, by a lock on that frame.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.memory import memory
from farm.database.schema import dependencies, frames, jobs
from farm.scheduler import elsewhere, jobrow, rules, tally
from farm.scheduler.frames import AGAIN, USUAL, within
from farm.scheduler.rules import EACH, NEVER, Rule, Rulebook
from farm.words.ranges import FrameRange
from farm.words.states import FRAME_MOVES, FrameState, JobState, move

IN = 500
"""Numbers in one list of a statement."""

_RANKS = list(range(USUAL + AGAIN + 1))
_DEAD = (FrameState.FAILED, FrameState.CANCELED)
_NOT_DONE = [state.value for state in FrameState if state is not FrameState.DONE]
_WOKEN = select(dependencies.c.job, dependencies.c.place, dependencies.c.on_job, dependencies.c.watch).where(
    dependencies.c.on_job.in_(bindparam("these", expanding=True)),
    dependencies.c.watch.in_(bindparam("done", expanding=True)),
    dependencies.c.server == "",
)


def after(conn: Connection, done: dict[int, list[int]], at: int) -> dict[int, set[int]]:
    """Make frames ready that wait for nothing but what has just been done.

    Args:
        conn: the writer's.
        done: frames that have a result now, by job.
        at: now, µs.

    Returns:
        Frames that may be free, too, but are too many for this transaction, by job.
    """
    jobrow.active(conn)  # most likely they are among these, which are needed for leases anyway
    done = {job: numbers for job, numbers in done.items() if rules.needed(conn, job)}
    if not done:
        return {}
    memory(conn).flush(conn)  # whoever watches a frame must find it done, or this must find their rule
    free: defaultdict[int, set[int]] = defaultdict(set)
    for number, rule in _woken(conn, done):
        if number == EACH:
            free[rule.job].update(rule.waiting(done[rule.on_job]))
        elif _watch_another(conn, rule):
            free[rule.job].update(rule.frames.whole)
    many = {job: free.pop(job) for job in list(free) if len(free[job]) > IN}
    for job, numbers in sorted(free.items()):
        # Locked before anything is asked: of two who do its last dependencies, one sees the other's.
        blocked = _in_state(conn, job, numbers, FrameState.BLOCKED, lock=True)
        waiting = unmet(conn, job, blocked, known=done) if blocked else set()
        _set(conn, job, [number for number in blocked if number not in waiting], FrameState.READY, at)
    return many


def _woken(conn: Connection, done: dict[int, list[int]]) -> list[tuple[int, Rule]]:
    """Return the rules that wait for frames one by one, and those that watch one of the done."""
    watched = {EACH, *(number for numbers in done.values() for number in numbers)}
    rows = conn.execute(_WOKEN, {"these": sorted(done), "done": sorted(watched)}).all()
    found = [(watch, rules.book(conn, job).rules[place]) for job, place, _, watch in rows]
    return [(watch, rule) for watch, rule in found if watch == EACH or watch in done[rule.on_job]]


def unmet(conn: Connection, job: int, numbers: Collection[int], known: dict[int, list[int]] | None = None) -> set[int]:
    """Return those of a job's frames that wait for one that is not done.

    Args:
        conn: the writer's.
        job: whose frames.
        numbers: which.
        known: frames, by job, that are done for sure.
    """
    watching: list[Rule] = []
    one_by_one: list[Rule] = []
    others: list[Rule] = []
    for rule in rules.book(conn, job).of(numbers):
        (others if rule.server else one_by_one if rule.each else watching).append(rule)
    found = set(elsewhere.unmet(conn, others, numbers))
    for rule in _unsatisfied(conn, job, watching):
        found.update(_of_these(rule, numbers))
    return found | _unmet_one_by_one(conn, one_by_one, numbers, known or {})


def _unmet_one_by_one(
    conn: Connection, some: list[Rule], numbers: Collection[int], known: dict[int, list[int]]
) -> set[int]:
    wanted: defaultdict[int, defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for rule in some:
        for number in _of_these(rule, numbers):
            for need in rule.needed(number):
                wanted[rule.on_job][need].add(number)
    found: set[int] = set()
    for job, needs in wanted.items():
        ask = needs.keys() - set(known.get(job, ()))
        done = [] if not ask or _deleted(conn, job) else _in_state(conn, job, ask, FrameState.DONE)
        found.update(*(needs[need] for need in ask.difference(done)))
    return found


def look(conn: Connection, job: int, numbers: Collection[int], at: int) -> dict[int, str]:
    """Make blocked frames ready whose dependencies are done by now.

    Returns:
        Those that wait for what will never be done by itself, each with the reason.
    """
    memory(conn).flush(conn)
    blocked = set(_in_state(conn, job, numbers, FrameState.BLOCKED))
    if not blocked:
        return {}
    _watch_others(conn, job, min(blocked), max(blocked))
    waiting = unmet(conn, job, blocked)
    _set(conn, job, sorted(blocked - waiting), FrameState.READY, at)
    return dict(_hopeless(conn, rules.book(conn, job), waiting)) if waiting else {}


def undone(conn: Connection, job: int, numbers: Collection[int]) -> None:
    """Let rules watch frames that were done, and are to be done again."""
    if not rules.needed(conn, job):
        return
    content = select(dependencies.c.job, dependencies.c.place).where(
        dependencies.c.on_job == job, dependencies.c.watch.is_(None), dependencies.c.server == ""
    )
    for user, place in conn.execute(content).all():
        again = next((n for n in numbers if n in rules.book(conn, user).rules[place].needs), None)
        if again is not None:
            _watch(conn, user, place, again)


def gone(conn: Connection, job: int) -> None:
    """Let rules that were content with a job's frames wait for ever: its files are no more."""
    on_it = (dependencies.c.on_job == job, dependencies.c.server == "", dependencies.c.each.is_(False))
    conn.execute(update(dependencies).where(*on_it).values(watch=NEVER))


def _of_these(rule: Rule, numbers: Collection[int]) -> Iterator[int]:
    return (number for number in numbers if number in rule.frames)


def _unsatisfied(conn: Connection, job: int, watching: Sequence[Rule]) -> Iterator[Rule]:
    by_place = {rule.place: rule for rule in watching}
    for some in lists(sorted(by_place)):
        query = select(dependencies.c.place).where(dependencies.c.job == job, dependencies.c.place.in_(some))
        for place in conn.execute(query.where(dependencies.c.watch.is_not(None))).scalars():
            yield by_place[place]


def _watch_another(conn: Connection, rule: Rule) -> bool:
    """Let a rule watch another frame that is not done; tell whether there is none left."""
    found = _not_done(conn, rule.on_job, rule.needs.whole)
    _watch(conn, rule.job, rule.place, found)
    return found is None


def _watch(conn: Connection, job: int, place: int, number: int | None) -> None:
    which = (dependencies.c.job == job, dependencies.c.place == place)
    conn.execute(update(dependencies).where(*which).values(watch=number))


def _watch_others(conn: Connection, job: int, first: int, last: int) -> None:
    """Mend rules, of frames from one to another, that watch what is done: as they do at first, or by a race."""
    c = dependencies.c
    watched = and_(frames.c.job == c.on_job, frames.c.number == c.watch)
    query = select(c.place).join(frames, watched).where(c.job == job, c.server == "", c.first <= last, c.last >= first)
    for place in conn.execute(query.where(frames.c.state == FrameState.DONE.value)).scalars().all():
        _watch_another(conn, rules.book(conn, job).rules[place])


def _not_done(conn: Connection, job: int, needs: FrameRange) -> int | None:
    """Return one of some frames that is not done, as late a one as is easy to find; others can't change it meanwhile.

    Each step is a look into the index (job, state, rank, number), however many frames there are.
    """
    many = select(frames.c.number).where(frames.c.job == job).limit(1).with_for_update(read=True)
    ready = many.where(frames.c.state == FrameState.READY.value, frames.c.rank == USUAL)
    rest = many.where(frames.c.state.in_(_NOT_DONE), frames.c.rank.in_(_RANKS))
    for query in (ready.order_by(frames.c.number.desc()), rest):
        for part in within(frames.c.number, FrameRange(tuple(reversed(needs.spans)))):
            found: int | None = conn.execute(query.where(part)).scalar()
            if found is not None:
                return found
    return None


def _hopeless(conn: Connection, book: Rulebook, waiting: set[int]) -> Iterator[tuple[int, str]]:
    for rule in book.of(waiting):
        if rule.server:
            continue
        if _deleted(conn, rule.on_job):
            reason = f"It needs frames of job {rule.on_job}, which was deleted."
            yield from ((number, reason) for number in _of_these(rule, waiting))
        elif rule.each:
            by_need = {need: number for number in _of_these(rule, waiting) for need in rule.needed(number)}
            for need, dead in _dead(conn, rule.on_job, FrameRange.of(by_need)):
                yield by_need[need], because(rule.on_job, need, dead)
        else:
            for need, dead in islice(_dead(conn, rule.on_job, rule.needs.whole), 1):
                yield from ((number, because(rule.on_job, need, dead)) for number in _of_these(rule, waiting))


def _deleted(conn: Connection, job: int) -> bool:
    return bool(conn.execute(select(jobs.c.state).where(jobs.c.number == job)).scalar() == JobState.DELETED)


def because(job: int, number: int, state: str) -> str:
    """Return why a frame that needs another can't be rendered."""
    return f"It needs frame {number} of job {job}, which {'failed' if state == FrameState.FAILED else 'was canceled'}."


def _dead(conn: Connection, job: int, needs: FrameRange) -> Iterator[tuple[int, str]]:
    query = select(frames.c.number, frames.c.state).where(
        frames.c.job == job,
        frames.c.state.in_([state.value for state in _DEAD]),
        frames.c.rank.in_(_RANKS),
    )
    for part in within(frames.c.number, needs):
        yield from conn.execute(query.where(part))


def _in_state(
    conn: Connection, job: int, numbers: Collection[int], state: FrameState, *, lock: bool = False
) -> list[int]:
    found: list[int] = []
    query = select(frames.c.number).where(frames.c.job == job, frames.c.state == state.value)
    query = query.with_for_update() if lock else query
    for some in lists(sorted(numbers)):
        found += conn.execute(query.where(frames.c.number.in_(some))).scalars()
    return found


def _set(conn: Connection, job: int, numbers: Sequence[int], new: FrameState, at: int) -> None:
    """Let blocked frames be in another state."""
    move(FRAME_MOVES, FrameState.BLOCKED, new)
    for some in lists(numbers):
        blocked = (frames.c.job == job, frames.c.number.in_(some), frames.c.state == FrameState.BLOCKED.value)
        count = conn.execute(update(frames).where(*blocked).values(state=new.value)).rowcount
        tally.moved(conn, job, FrameState.BLOCKED, new, count)
        eventlog.note_frames(conn, job, new, some, at=at)
    if numbers:
        jobrow.frames_came(conn, job)


def lists(numbers: Sequence[int]) -> Iterable[list[int]]:
    """Cut numbers into lists for statements."""
    return (list(numbers[at : at + IN]) for at in range(0, len(numbers), IN))
