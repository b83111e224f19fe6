"""A farm's real scheduler and database in virtual time: a week of a thousand slaves in minutes.

Nothing is pretended but the slaves, the bytes of pictures, and the time: jobs come in by the submission of the
server, reports are the command that its endpoint runs, periodic work is the server's own. There is no HTTP.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import Connection, select

from farm.accounts.identity import Identity
from farm.database.schema import jobs
from farm.jobs.audit import audit
from farm.jobs.collect import collect_strays
from farm.protocol.joining import SlaveKeyMade
from farm.protocol.slaves import Finished, Orders
from farm.scheduler import tally
from farm.server.periodic import Chore
from farm.simulator import days as figures
from farm.simulator.days import Day, Hour
from farm.simulator.manner import Manner
from farm.simulator.month import DAY, HOUR
from farm.simulator.population import Plan, population
from farm.simulator.premises import HEARTBEAT, OFTEN, Premises
from farm.simulator.virtual import Job
from farm.simulator.virtualslave import VirtualSlave
from farm.simulator.witness import Witness
from farm.words import clock
from farm.words.clock import SECOND, microseconds
from farm.words.ranges import count_of
from farm.words.states import JOB_ACTIVE, FrameState, JobState

START = 20_458 * DAY
"""When it begins: a Monday in 2026, µs."""

TICK = 60 * SECOND
"""µs: slaves speak at full ticks only, so that they share transactions, as they do where many come at once."""

AT_ONCE = 256
"""Reports that are on their way together."""

CAUGHT = 60 * SECOND
"""µs: who would speak so soon speaks in a crash."""

AWAY = 1800.0
"""Seconds for which slaves vanish: longer than three heartbeats."""

WAKE = 4, 64
"""Idle slaves that are told at once that there is work, at least and at most; else one for each frame."""

PATIENCE = 3 * DAY
"""µs after which a job that still goes on is one that goes on for ever."""

Act = Callable[[], Awaitable[object]]
Tell = Callable[[Day], None]


@dataclass
class Week:
    """One run.

    Args:
        plan: what happens.
        folder: where the farm's database is.
        tell: is told at the end of each day.
        progress: is told how many frames are rendered.
    """

    plan: Plan
    folder: Path
    tell: Tell = lambda _day: None
    progress: Callable[[int], None] = lambda _done: None
    at: int = START
    days: list[Day] = field(default_factory=list)
    witness: Witness = field(default_factory=Witness)
    _heap: list[tuple[int, int, VirtualSlave | Act]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _slaves: list[VirtualSlave] = field(default_factory=list)
    _keys: dict[int, SlaveKeyMade] = field(default_factory=dict)
    hours: list[Hour] = field(default_factory=list)
    _people: list[Identity] = field(default_factory=list)
    _spans: dict[int, float] = field(default_factory=dict)
    _coming: int = 0
    _news: int = 0
    _failed: int = 0
    _busy: float = 0.0
    _before: int = 0
    _spent: float = 0.0

    def run(self) -> None:
        """Simulate, until all jobs have ended."""
        with clock.driven(lambda: self.at, lambda: self.at):
            asyncio.run(self._run())

    async def _run(self) -> None:
        self.dice = Random(self.plan.seed)
        self.premises = Premises(self.folder)
        try:
            await self._settle_in()
            await self._go_on()
            await self._at_last()
        finally:
            await self.premises.close()

    async def _settle_in(self) -> None:
        made = population(self.plan)
        self._people = [await self.premises.user(f"user{number:02}") for number in range(self.plan.users)]
        manner = Manner(
            seconds=60, failures=self.plan.failures, deaths=self.plan.deaths, late=self.plan.late, away=AWAY
        )
        for slot in made.slots:
            name = f"slave{slot.number:04}"
            number, key = await self.premises.slave(name, self._people[slot.owner])
            self._keys[number] = key
            dice = Random(f"{self.plan.seed}/{slot.number}")
            slave = VirtualSlave(number, name, slot.speed, manner, dice, self._span, self.at)
            self._slaves.append(slave)
            self._plan(self.at + self.dice.randrange(microseconds(HEARTBEAT)), slave)
        for job in made.jobs:
            self._coming += 1
            self._plan(START + job.queued, partial(self._submit, job))
        self._plan_chores()
        for number in range(1, 24 * self.plan.days + 1):
            self._plan(START + number * HOUR, partial(self._end_hour, number))
        for number in range(1, self.plan.days + 1):
            self._plan(START + number * DAY, partial(self._end_day, number))
            for _ in range(self.plan.crashes):
                self._plan(START + (number - 1) * DAY + self.dice.randrange(DAY), self._crash)

    def _plan(self, at: int, what: VirtualSlave | Act) -> None:
        heapq.heappush(self._heap, (max(at, self.at), next(self._order), what))

    def _plan_chores(self) -> None:
        self._epoch = self.premises.database
        for chore in self.premises.chores:
            period = max(chore.seconds, OFTEN)
            self._plan(self.at + microseconds(period * self.dice.random()), partial(self._chore, self._epoch, chore))

    async def _go_on(self) -> None:
        self._cpu = self._spent = figures.cpu()
        while self._coming or self.witness.wanted or len(self.days) < self.plan.days:
            until = (self._heap[0][0] // TICK + 1) * TICK
            due = await self._pass_time(until)
            self.at = until
            for first in range(0, len(due), AT_ONCE):
                await self._report(due[first : first + AT_ONCE])
            await self._hear()
            await self._wake()
            self.progress(self.witness.rendered)
            if self.at > START + self.plan.days * DAY + PATIENCE:
                self.witness.complain(*(f"Job {job} never ended." for job in sorted(self.witness.wanted)))
                return

    async def _pass_time(self, until: int) -> list[VirtualSlave]:
        """Do what is due before a time; return the slaves that want to speak."""
        due: dict[int, VirtualSlave] = {}
        while self._heap and self._heap[0][0] < until:
            at, _, what = heapq.heappop(self._heap)
            self.at = max(self.at, at)
            if not isinstance(what, VirtualSlave):
                await what()
            elif not what.present:
                await self._come_back(what)
            elif what.at <= at:
                due[what.id] = what
        return list(due.values())

    async def _come_back(self, slave: VirtualSlave) -> None:
        await self.premises.log_in(self._keys[slave.id])
        slave.log_in(self.at)
        self._plan(self.at, slave)

    async def _report(self, batch: Iterable[VirtualSlave], *, crash: bool = False) -> list[VirtualSlave]:
        """Let slaves report in their order; return those that got nothing. What is said in a crash, nobody hears."""
        speaking = [slave for slave in batch if not self._gone(slave)]
        calls = [slave.call(self.premises.services.policy, self.premises.store.note) for slave in speaking]
        writes = [self.premises.database.write(call) for call in calls]
        if crash:
            writes.insert(len(writes) // 2, self.premises.database.write(self.premises.crash))
        answers = await asyncio.gather(*writes, return_exceptions=crash)
        idle: list[VirtualSlave] = []
        for slave, orders in zip(speaking, answers, strict=not crash):
            if isinstance(orders, Orders) and not crash:
                self._obey(slave, orders)
                if not orders.leases:
                    idle.append(slave)
            slave.at = slave.next(HEARTBEAT if not crash else OFTEN)
            self._plan(slave.at, slave)
        return idle

    def _gone(self, slave: VirtualSlave) -> bool:
        slave.at = self.at
        away = slave.act()
        if away:
            slave.at += away
            self._plan(slave.at, slave)
        return bool(away)

    def _obey(self, slave: VirtualSlave, orders: Orders) -> None:
        for verdict in orders.verdicts:
            end = slave.holding.ended.get(verdict.attempt)
            if isinstance(end, Finished) and verdict.verdict == "accepted":
                job, frame = slave.jobs[verdict.attempt]
                self.witness.accepted(job, frame.number, verdict.attempt)
            self._busy += end.seconds if end is not None else 0
            self._failed += end is not None and not isinstance(end, Finished)
        slave.obey(orders)

    async def _wake(self) -> None:
        """Tell idle slaves that there is work, as the server does whose calls hang; until some get none."""
        while self._news:
            idle = [slave for slave in self._slaves if slave.idle]
            some = self.dice.sample(idle, min(len(idle), max(WAKE[0], min(self._news, WAKE[1]))))
            self._news = max(0, self._news - len(some))
            if not some or await self._report(some):
                self._news = 0

    async def _submit(self, job: Job) -> None:
        owner = self._people[job.owner]
        number = await self.premises.submit(owner, f"{owner.name}-{job.number}", job.frames, job.priority)
        self._spans[number] = job.span / SECOND
        self.witness.sent(number, job.frames)
        self._coming -= 1
        self._news += job.frames

    def _span(self, job: int) -> float:
        return self._spans[job]

    async def _hear(self) -> None:
        """Hear what was committed: jobs that ended are fetched or retried by their owners, a while later."""
        while self.premises.told:
            event = self.premises.told.popleft()
            if event.kind == "frames" and (ready := event.data["ranges"].get(FrameState.READY)):
                self._news += count_of(ready)
            ended = event.kind == "job" and event.data.get("state") in (JobState.DONE, JobState.FAILED)
            if ended and event.job in self.witness.wanted:
                wait = round(HOUR * self.dice.uniform(0.1, 2))
                self._plan(self.at + wait, partial(self._fetch, event.job))

    async def _fetch(self, job: int) -> None:
        if job not in self.witness.wanted:
            return
        owner, state = await self.premises.database.read(partial(_state, job=job))
        if state == JobState.DONE:
            self.witness.home(job, await self.premises.fetch(job))
            self._spans.pop(job)
        elif state == JobState.FAILED:
            await self.premises.retry(next(one for one in self._people if one.id == owner), job)

    async def _chore(self, epoch: object, chore: Chore) -> None:
        if epoch is self.premises.database:
            await chore.act()
            self._plan(self.at + microseconds(max(chore.seconds, OFTEN)), partial(self._chore, epoch, chore))

    async def _crash(self) -> None:
        """Kill the server while it takes reports; it comes back, and all say again what was not answered."""
        speaking = sorted((s for s in self._slaves if s.present and s.at - self.at < CAUGHT), key=lambda s: s.at)
        await self._report(speaking, crash=True)
        await self.premises.come_back()
        self._plan_chores()
        await self._look_again()

    async def _look_again(self) -> None:
        """Look at jobs whose ends were told while nobody listened."""
        for job in list(self.witness.wanted):
            self._plan(self.at + HOUR, partial(self._fetch, job))

    async def _end_hour(self, number: int) -> None:
        base, frames = self.premises.database, self.witness.rendered
        hour = Hour(
            number,
            frames - self._before,
            self._waiting(),
            await base.read(partial(figures.waited, since=self.at - HOUR)),
            figures.cpu() - self._spent,
            figures.memory(),
            figures.bytes_of(self.premises.file),
        )
        self._before, self._spent = frames, figures.cpu()
        self.hours.append(hour)

    def _waiting(self) -> int:
        """Return how many frames have no result yet."""
        return sum(self.witness.wanted.values()) - sum(map(len, self.witness.won.values()))

    async def _end_day(self, number: int) -> None:
        base = self.premises.database
        await collect_strays(base, self.premises.store)
        await self._audit()
        rows = await base.read(figures.rows)
        frames = self.witness.rendered
        before = sum(day.frames for day in self.days)
        now = figures.cpu()
        day = Day(
            number,
            frames - before,
            self._failed,
            self._waiting(),
            self._busy / (self.plan.slaves * DAY / SECOND),
            now - self._cpu,
            figures.memory(),
            figures.bytes_of(self.premises.file),
            await base.read(figures.free),
            rows,
        )
        self._cpu, self._failed, self._busy = now, 0, 0.0
        self.days.append(day)
        self.tell(day)

    async def _audit(self) -> None:
        check = partial(audit, store=self.premises.store, folders=self.premises.services.folders)
        self.witness.complain(*await self.premises.database.read(check))
        self.witness.complain(*await self.premises.database.read(partial(_endless, before=self.at - PATIENCE)))

    async def _at_last(self) -> None:
        """Audit once more, now that nothing is left to do."""
        await self._audit()
        left = await self.premises.database.read(partial(_endless, before=self.at))
        self.witness.complain(*left)


def _state(conn: Connection, job: int) -> tuple[int, str]:
    row = conn.execute(select(jobs.c.owner, jobs.c.state).where(jobs.c.number == job)).one()
    return int(row.owner), str(row.state)


def _endless(conn: Connection, before: int) -> list[str]:
    going = jobs.c.state.in_([state.value for state in JOB_ACTIVE])
    found = conn.execute(select(jobs.c.number, jobs.c.state).where(going, jobs.c.queued <= before))
    return [f"Job {row.number} is still {row.state}: {_left(conn, row.number)} frames are left." for row in found]


def _left(conn: Connection, job: int) -> int:
    counts = tally.stored(conn, job)
    return sum(int(getattr(counts, state.value)) for state in (FrameState.READY, FrameState.LEASED, FrameState.BLOCKED))
