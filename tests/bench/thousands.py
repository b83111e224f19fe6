"""Ten thousand slaves of one server: its memory, its answers, idle slots that are filled, and a restart."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import psutil
from pydantic import SecretStr

from farm import __version__
from farm.client.barelink import BareLink
from farm.client.patience import Backoff, named
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.joining import SlaveKeyMade
from farm.protocol.slaves import Hardware, Offer, Report, Running, SlaveLogin
from farm.words.errors import StaleReport, Unavailable, Unreachable
from farm.words.states import SlaveState
from tests.bench.entry import Entry
from tests.bench.flood import Watch
from tests.farm.farm import Farm, running

SLAVES = 10_000
FRAMES = 1_000
TOGETHER = 16
CALM = 30
"""Seconds for which heartbeats are measured, a little more than one takes."""
PATIENCE = 120


@dataclass(slots=True)
class Member:
    """A slave that reports. Every second one is busy and hears at once; the others hang, and have a slot idle."""

    link: BareLink
    idle: bool
    beat: float = 5.0
    attempt: int = 0
    heard: float = 0.0
    waits: list[float] = field(default_factory=list)
    turned_away: int = 0

    async def enter(self, made: SlaveKeyMade) -> None:
        """Log in."""
        machine, offers = Hardware(cores=1, memory_bytes=2**30), [Offer(method="sleep")]
        login = SlaveLogin(key=made.key, password=SecretStr(made.password), version=__version__, slots=1,
                           hardware=machine, offers=offers)  # fmt: skip
        self.beat = (await self.link.login(login)).heartbeat_seconds

    async def live(self) -> None:
        """Report until cancelled, as real slaves do: patiently."""
        backoff = Backoff()
        await asyncio.sleep(random.uniform(0, self.beat))
        while True:
            try:
                await self._report()
                backoff.reset()
            except (Unavailable, Unreachable) as error:
                self.turned_away += 1
                await asyncio.sleep(named(error) or backoff.next())
            except StaleReport:
                continue

    async def _report(self) -> None:
        hangs = self.idle and not self.attempt
        hold, began = self.beat if hangs else 0.0, time.monotonic()
        running = [Running(attempt=self.attempt, seconds=1)] if self.attempt else []
        report = Report(seq=time.time_ns() // 1_000_000, hold=hold, want=int(hangs), running=running)
        orders = await self.link.next(report)
        self.heard = time.monotonic()
        for lease in orders.leases:
            self.attempt = lease.frames[0].attempt
        if not orders.leases:
            self.waits.append(max(0.0, self.heard - began - hold))
        self.beat = orders.heartbeat_seconds
        if not hangs:
            await asyncio.sleep(self.beat * random.uniform(0.9, 1))


def measured(folder: Path) -> Iterator[Entry]:
    """Measure memory, answers, filling, and what comes after SIGKILL and a restart."""
    with running(folder, heartbeat_seconds="5") as farm:
        yield from asyncio.run(_lived(farm))


async def _lived(farm: Farm) -> list[Entry]:
    members = [Member(BareLink(farm.url, patience=PATIENCE), bool(number % 2)) for number in range(SLAVES)]
    await _each(members, lambda number, member: _joined(farm, number, member))
    async with asyncio.TaskGroup() as group:
        lives = [group.create_task(member.live()) for member in members]
        with Watch(psutil.Process(farm.server.popen.pid)) as watch:
            await asyncio.sleep(max(member.beat for member in members))  # until all have spoken once
            entries = [await _calm(farm, members), await _filled(farm)]
        entries += [_memory("server memory", watch.most), *await _restarted(farm, members)]
        for life in lives:
            life.cancel()
    for member in members:
        await member.link.close()
    return entries


async def _joined(farm: Farm, number: int, member: Member) -> None:
    await member.enter(await asyncio.to_thread(farm.client.make_slave_key, f"t{number}"))


async def _calm(farm: Farm, members: list[Member]) -> Entry:
    for member in members:
        member.waits.clear()
    before = farm.server.cpu()
    await asyncio.sleep(CALM)
    waits = [1000 * wait for member in members for wait in member.waits]
    busy = 100 * (farm.server.cpu() - before) / CALM
    note = (f"{len(waits):,} answers in {CALM} s, heartbeat {members[0].beat:.0f} s, as the server set it; "
            f"median {quantiles(waits, n=2)[0]:.0f} ms; {busy:.0f} % of a core for the server")  # fmt: skip
    return Entry(f"{SLAVES:,} slaves: p99 of a heartbeat's answer", quantiles(waits, n=100)[-1], "ms", "<= 250",
                 note=note)  # fmt: skip


async def _filled(farm: Farm) -> Entry:
    wish = Submission(name="many", requires=Requirement(method="sleep"), frames=f"1-{FRAMES}")
    job = (await asyncio.to_thread(farm.client.submit, wish)).job
    began = time.monotonic()
    await asyncio.to_thread(farm.client.queue, job)
    while await asyncio.to_thread(lambda: farm.client.job(job).counts.leased) < FRAMES:
        assert time.monotonic() < began + PATIENCE
        await asyncio.sleep(0.02)
    return Entry(f"{SLAVES:,} slaves: {FRAMES:,} idle slots filled", time.monotonic() - began, "s", "<= 2",
                 note=f"from queueing a job to the last lease; {SLAVES // 2:,} slaves had an idle slot")  # fmt: skip


async def _restarted(farm: Farm, members: list[Member]) -> list[Entry]:
    """Kill the server, start it, and wait until all slaves have heard of it again."""
    away = sum(member.turned_away for member in members)
    farm.server.kill()
    await asyncio.sleep(2)
    await asyncio.to_thread(farm.start_server)
    began = time.monotonic()
    with Watch(psutil.Process(farm.server.popen.pid)) as watch:
        while any(member.heard < began for member in members):
            assert time.monotonic() < began + PATIENCE
            await asyncio.sleep(0.1)
        took = time.monotonic() - began
    states = [slave.state for slave in await asyncio.to_thread(farm.client.slaves)]
    leased = await asyncio.to_thread(lambda: sum(job.counts.leased for job in farm.client.jobs().jobs))
    tries = sum(member.turned_away for member in members) - away
    note = (f"SIGKILL, 2 s, restart; {tries:,} calls failed meanwhile; heartbeat {members[0].beat:.0f} s; "
            f"{FRAMES - leased} leases lost")  # fmt: skip
    return [
        Entry(f"{SLAVES:,} slaves: all have been heard after a restart", took, "s", note=note),
        Entry(f"{SLAVES:,} slaves: lost by a restart", states.count(SlaveState.OFFLINE), "slaves", "<= 0"),
        _memory("server memory in the rush after a restart", watch.most),
    ]


def _memory(what: str, most: int) -> Entry:
    return Entry(f"{SLAVES:,} slaves: {what}", most / 1e6, "MB", "<= 300", note="resident, at the most")


async def _each(members: list[Member], act: Callable[[int, Member], Awaitable[None]]) -> None:
    gate = asyncio.Semaphore(TOGETHER)

    async def one(number: int, member: Member) -> None:
        async with gate:
            await act(number, member)

    await asyncio.gather(*(one(number, member) for number, member in enumerate(members)))
