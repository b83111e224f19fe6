"""Many frames that take no time, and many slaves."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from pathlib import Path

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import Requirement, Submission
from farm.simulator.crowd import crowd
from farm.simulator.manner import Manner
from farm.words.states import JobState
from tests.bench.entry import Entry
from tests.farm.farm import running

FRAMES = 2000


def measured(folder: Path) -> Iterator[Entry]:
    """Measure trivial frames on a real slave and on pretend ones, and 200 slaves at once."""
    with running(folder, heartbeat_seconds="5") as farm:
        yield Entry("2,000 trivial frames, 1 pretend slave × 4 slots",
                    pretended(farm.client, farm.url, FRAMES, 1, Manner(slots=4, seconds=0.0)), "s", "<= 5",
                    peer="Afanasy 1,022", note="every frame has a file of its own bytes")  # fmt: skip
        took = pretended(farm.client, farm.url, FRAMES, 200, Manner(slots=1, seconds=1.0))
        ideal = math.ceil(FRAMES / 200)
        yield Entry("200 pretend slaves × 1 slot, 2,000 frames of 1 s", 100 * ideal / took, "% of ideal", ">= 95",
                    peer="Afanasy 26", note=f"{took:.2f} s; ideal {ideal} s")  # fmt: skip
        farm.start_slave("real", slots="4")
        farm.until(lambda: any(s.name == "real" and s.state == "idle" for s in farm.client.slaves()), 30, "it is in")
        began = time.monotonic()
        farm.ended(farm.sleep_job(f"1-{FRAMES}", seconds=0), 600)
        yield Entry("2,000 trivial frames, 1 real slave × 4 slots", time.monotonic() - began, "s", "<= 5",
                    peer="Afanasy 1,022", note="with processes, picture checks and thumbnails")  # fmt: skip


def pretended(client: FarmClient, url: str, frames: int, slaves: int, manner: Manner) -> float:
    """Return the seconds from queueing a job to its end."""
    keys = [client.make_slave_key(f"p{slaves}x{n}") for n in range(slaves)]

    async def run() -> float:
        async with crowd(url, keys, manner, seconds=600):
            await asyncio.sleep(2)
            wish = Submission(name="pretended", requires=Requirement(method="sleep"), frames=f"1-{frames}")
            job = (await asyncio.to_thread(client.submit, wish)).job
            began = time.monotonic()
            await asyncio.to_thread(client.queue, job)
            await asyncio.to_thread(wait, client, job)
            return time.monotonic() - began

    return asyncio.run(run())


def wait(client: FarmClient, job: int) -> None:
    """Return when a job has ended."""
    while client.job(job).state not in {JobState.DONE, JobState.FAILED}:
        time.sleep(0.05)
