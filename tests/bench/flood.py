"""Ten thousand results in one moment: what that takes of the server's memory, and that none is lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pydantic import SecretStr

from farm import __version__
from farm.client.barelink import BareLink
from farm.client.patience import named
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.joining import SlaveKeyMade
from farm.protocol.slaves import Finished, Hardware, Offer, Report, SlaveLogin
from farm.simulator.pictures import packed
from farm.words.errors import Unavailable
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running

SLAVES = 10_000
TOGETHER = 8
PATIENCE = 300
"""Seconds for an answer: it is memory that is measured, on a machine that may be busy."""
BYTES = 4_000
"""Of a frame's file."""


@dataclass(slots=True)
class Slave:
    """One that leases a frame, and returns it when all have one."""

    link: BareLink
    attempt: int = 0
    verdicts: list[str] = field(default_factory=list)
    turned_away: int = 0

    async def enter(self, made: SlaveKeyMade) -> None:
        """Log in."""
        machine, offers = Hardware(cores=1, memory_bytes=2**30), [Offer(method="sleep")]
        await self.link.login(
            SlaveLogin(
                key=made.key,
                password=SecretStr(made.password),
                version=__version__,
                slots=1,
                hardware=machine,
                offers=offers,
            )
        )

    async def lease(self) -> None:
        """Lease a frame."""
        orders = await self.link.next(Report(seq=1, want=1))
        self.attempt = orders.leases[0].frames[0].attempt

    async def give(self) -> None:
        """Return the frame, as often as it takes."""
        result = packed(self.attempt, self.attempt, size=BYTES)
        end = Finished(attempt=self.attempt, sha256=result.sha256, inline=result.inline, seconds=1)
        for seq in range(2, 1000):
            try:
                orders = await self.link.next(Report(seq=seq, heard=1, finished=[end]))
            except Unavailable as error:
                self.turned_away += 1
                await asyncio.sleep(named(error) or 1)
            else:
                self.verdicts = [verdict.verdict for verdict in orders.verdicts]
                return


def measured(folder: Path) -> Iterator[Entry]:
    """Measure the server's memory before, at the most, and after."""
    with running(folder, heartbeat_seconds="300") as farm:
        process = psutil.Process(farm.server.popen.pid)
        slaves, before, most, took = asyncio.run(_flooded(farm, process))
        accepted = sum(slave.verdicts == ["accepted"] for slave in slaves)
        again = sum(slave.turned_away for slave in slaves)
        note = f"{before:.0f} MB before; {took:.0f} s; {accepted:,} accepted, {again:,} times turned away"
        yield Entry(f"{len(slaves):,} results in one moment: server memory", most, "MB", "<= 300", note=note)


async def _flooded(farm: Farm, process: psutil.Process) -> tuple[list[Slave], float, float, float]:
    gate, slaves = asyncio.Semaphore(TOGETHER), [Slave(BareLink(farm.url, patience=PATIENCE)) for _ in range(SLAVES)]

    async def enter(number: int, slave: Slave) -> None:
        async with gate:
            await slave.enter(await asyncio.to_thread(farm.client.make_slave_key, f"f{number}"))

    async def lease(slave: Slave) -> None:
        async with gate:
            await slave.lease()

    await asyncio.gather(*(enter(number, slave) for number, slave in enumerate(slaves)))
    wish = Submission(name="flood", requires=Requirement(method="sleep"), frames=f"1-{SLAVES}")
    job = (await asyncio.to_thread(farm.client.submit, wish)).job
    await asyncio.to_thread(farm.client.queue, job)
    await asyncio.gather(*map(lease, slaves))
    before, began = process.memory_info().rss / 1e6, time.monotonic()
    with Watch(process) as watch:
        await asyncio.gather(*(slave.give() for slave in slaves))
    return slaves, before, watch.most / 1e6, time.monotonic() - began


class Watch:
    """The most memory that a process had meanwhile."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.most = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, self._process.memory_info().rss)
