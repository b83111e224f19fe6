"""What a job's frames wait for: rules, each a shape of many edges, and a book of them. Pure, but for reading it.

A chain of 100,000 frames is one rule, and so is a frame that waits for 100,000: what waits for a frame is
computed from the rule, and never stored per edge.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from farm.database.memory import memory
from farm.database.schema import dependencies
from farm.scheduler import jobrow
from farm.words.ranges import FrameRange, Places, places

EACH = -1
"""The `watch` of a rule that is looked at whenever one of its frames is done."""

NEVER = -2
"""The `watch` of a rule that waits for files that are no more."""

_NARROW = 64
"""Rules of so few frames are found by a frame's number; all others are few, and asked one by one."""

_BOOKS = 64
"""Jobs whose rules a writer remembers: they only get more, and job numbers are never used again."""

_COLUMNS = (
    dependencies.c.job,
    dependencies.c.place,
    dependencies.c.frames,
    dependencies.c.server,
    dependencies.c.on_job,
    dependencies.c.needs,
    dependencies.c.each,
    dependencies.c.overlay,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A rule of a job that has no number yet: its own is 0. See :class:`Rule`."""

    frames: FrameRange
    on_job: int
    needs: FrameRange
    each: bool
    server: str = ""
    overlay: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Some frames of a job that wait for some of another, or of the same.

    Args:
        job: whose frames wait.
        place: the rule's number in the job.
        frames: which wait.
        server: another server, whose job `on_job` is; empty: this one.
        on_job: whose frames they wait for.
        needs: which these are.
        each: the first waits for the first (or the first few), and so on; else each waits for all.
        overlay: the files of these are laid over the job's own, for all of its frames.
    """

    job: int
    place: int
    frames: Places
    server: str
    on_job: int
    needs: Places
    each: bool
    overlay: bool = False

    @property
    def fan(self) -> int:
        """How many frames one of them waits for."""
        return len(self.needs) // len(self.frames) if self.each else len(self.needs)

    def waiting(self, done: Collection[int]) -> Iterator[int]:
        """Yield the frames that wait for one of some frames of `on_job`."""
        if self.each:
            found = (self.needs.of(number) for number in done)
            yield from (self.frames.at(place // self.fan) for place in found if place is not None)
        elif any(number in self.needs for number in done):
            yield from self.frames.whole

    def needed(self, number: int) -> FrameRange:
        """Return the frames of `on_job` that one of the frames waits for."""
        if not self.each:
            return self.needs.whole
        place = self.frames.of(number)
        assert place is not None
        first = place * self.fan
        return FrameRange.of(self.needs.at(at) for at in range(first, first + self.fan))


class Rulebook:
    """A job's rules, found by the frames that wait, and by those that they wait for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = {rule.place: rule for rule in rules}
        self._wide: list[Rule] = []
        self._of: dict[int, list[Rule]] = {}
        self._wide_on: list[Rule] = []
        self._on: dict[tuple[int, int], list[Rule]] = {}
        for rule in self.rules.values():
            self._file(rule)

    def _file(self, rule: Rule) -> None:
        if len(rule.frames) > _NARROW:
            self._wide.append(rule)
        else:
            for number in rule.frames.whole:
                self._of.setdefault(number, []).append(rule)
        if rule.server:
            return
        if len(rule.needs) > _NARROW:
            self._wide_on.append(rule)
        else:
            for number in rule.needs.whole:
                self._on.setdefault((rule.on_job, number), []).append(rule)

    def __contains__(self, number: int) -> bool:
        """Tell whether a frame waits for others, or did."""
        return number in self._of or any(number in rule.frames for rule in self._wide)

    def of(self, numbers: Collection[int]) -> list[Rule]:
        """Return the rules that some frames wait by."""
        found = {rule.place: rule for number in numbers for rule in self._of.get(number, ())}
        wide = (rule for rule in self._wide if any(number in rule.frames for number in numbers))
        return [*found.values(), *wide]

    def on(self, job: int, done: Collection[int]) -> set[int]:
        """Return the frames that wait for one of some frames of a job of this server."""
        found: set[int] = set()
        for rule in self._wide_on:
            if rule.on_job == job:
                found.update(rule.waiting(done))
        for number in done:
            for rule in self._on.get((job, number), ()):
                found.update(rule.waiting((number,)))
        return found

    @property
    def elsewhere(self) -> FrameRange:
        """The frames that wait for those of other jobs: some of these may be done already."""
        return together([rule for rule in self.rules.values() if rule.on_job != rule.job or rule.server])

    def first_of(self, whole: FrameRange) -> FrameRange:
        """Return those of all frames of the job that can be rendered before any other of them."""
        own = [rule for rule in self.rules.values() if rule.on_job == rule.job and not rule.server]
        return whole.minus(together(own)) if own else whole

    def apart(self, numbers: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return those that wait for others, and those that don't."""
        wait, free = list[int](), list[int]()
        for number in numbers:
            (wait if number in self else free).append(number)
        return wait, free


def together(some: Sequence[Rule]) -> FrameRange:
    """Return all frames that wait by some rules; those of one need not be counted out."""
    return some[0].frames.whole if len(some) == 1 else FrameRange.of(n for rule in some for n in rule.frames.whole)


def book(conn: Connection, job: int) -> Rulebook:
    """Return a job's rules; the writer remembers them as long as no other has added some."""
    books: OrderedDict[int, tuple[int, Rulebook]] = memory(conn).shelf.setdefault("rulebooks", OrderedDict())
    count = _count(conn, job)
    if job not in books or books[job][0] != count:
        books[job] = count, Rulebook(read(conn, job))
        if len(books) > _BOOKS:
            books.popitem(last=False)
    books.move_to_end(job)
    return books[job][1]


def _count(conn: Connection, job: int) -> int:
    """Return how many rules a job has; asked once per transaction, by a look at the last one."""
    page, key = memory(conn).page, ("rules", job)
    if key not in page:
        query = select(dependencies.c.place).where(dependencies.c.job == job).order_by(dependencies.c.place.desc())
        last = conn.execute(query.limit(1)).scalar()
        page[key] = 0 if last is None else last + 1
    return int(page[key])


def insert_rules(conn: Connection, job: int, shapes: Iterable[Shape]) -> None:
    """Write down what a job's frames wait for: before these are inserted, or beside what they waited for so far."""
    rows = [_row(job, place, shape) for place, shape in enumerate(shapes, _count(conn, job))]
    if rows:
        conn.execute(insert(dependencies), rows)
        memory(conn).page.pop(("rules", job), None)
        for needed in {int(str(row["on_job"])) for row in rows if not row["server"]}:
            jobrow.forget(conn, needed)


def grow(conn: Connection, job: int, before: FrameRange, more: FrameRange) -> None:
    """Let what waits for all of some frames of a job wait for further ones, too; not what waits for a part of them.

    Args:
        conn: the writer's.
        job: whose frames.
        before: those that it, or a set of it, had so far.
        more: the further ones.
    """
    for user in users(conn, job):
        of: dict[FrameRange, list[Rule]] = {}
        for rule in book(conn, user).rules.values():
            if rule.on_job == job and not rule.server and not rule.each:
                of.setdefault(rule.frames.whole, []).append(rule)
        wide = (some for some in of.values() if _together(some) == before)
        insert_rules(
            conn, user, [Shape(one[0].frames.whole, job, more, each=False, overlay=one[0].overlay) for one in wide]
        )


def _together(some: Sequence[Rule]) -> FrameRange:
    """Return all frames that some rules wait for."""
    return some[0].needs.whole if len(some) == 1 else FrameRange.of(n for rule in some for n in rule.needs.whole)


def _row(job: int, place: int, shape: Shape) -> dict[str, object]:
    """Return a rule's row. It watches the last frame of all, which may be done: that is put right when it is queued."""
    watch = EACH if shape.each else shape.needs.last if shape.needs else NEVER
    return {
        "job": job,
        "place": place,
        "frames": str(shape.frames),
        "first": shape.frames.first,
        "last": shape.frames.last,
        "server": shape.server,
        "on_job": shape.on_job or job,
        "needs": str(shape.needs),
        "each": shape.each,
        "overlay": shape.overlay,
        "watch": watch,
    }


def read(conn: Connection, job: int, among: tuple[int, int] | None = None) -> list[Rule]:
    """Return a job's rules from the database.

    Args:
        conn: any connection.
        job: the job's number.
        among: only those of frames from one number to another.
    """
    query = select(*_COLUMNS).where(dependencies.c.job == job).order_by(dependencies.c.place)
    if among is not None:
        query = query.where(dependencies.c.first <= among[1], dependencies.c.last >= among[0])
    return [_rule(*row) for row in conn.execute(query)]


def users(conn: Connection, job: int) -> list[int]:
    """Return the jobs whose frames wait for those of a job, itself among them if some of its own do."""
    query = select(dependencies.c.job).where(dependencies.c.on_job == job, dependencies.c.server == "").distinct()
    return sorted(conn.execute(query).scalars())


def needed(conn: Connection, job: int) -> bool:
    """Tell whether anything waits for frames of a job; asked once per transaction."""
    page = memory(conn).page
    known, key = page.get(("job", job)), ("needed", job)
    if known is not None:
        return bool(known.needed)
    if key not in page:
        query = select(dependencies.c.job).where(dependencies.c.on_job == job, dependencies.c.server == "").limit(1)
        page[key] = conn.execute(query).first() is not None
    return bool(page[key])


def _rule(job: int, place: int, frames: str, server: str, on_job: int, needs: str, each: bool, overlay: bool) -> Rule:
    return Rule(job, place, places(frames), server, on_job, places(needs), bool(each), bool(overlay))
