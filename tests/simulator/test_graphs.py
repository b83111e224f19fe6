"""Frames that wait for frames, in numbers, rendered by pretend slaves at a real server."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import psutil
import pytest

from farm.protocol.depends import Dependency
from farm.protocol.jobs import Requirement, Submission
from farm.simulator.crowd import crowd
from farm.simulator.manner import Manner
from farm.words.states import JobState
from tests.farm.farm import Farm, running

PARTS = 10
"""So many parts of the work are measured apart."""

MOST_MEMORY = 256 * 1024 * 1024
"""Bytes that the server may have taken at the end; measured: 214 MB after 110,000 frames, 123 MB after a few."""


def submitted(farm: Farm, frames: int, *depends: Dependency) -> int:
    wish = Submission(
        name="graph", requires=Requirement(method="sleep"), frames=f"1-{frames}", depends=list(depends), paused=True
    )
    job = farm.client.submit(wish).job
    farm.client.queue(job)
    return job


async def rendered(farm: Farm, jobs: list[int], frames: int, seconds: float) -> list[float]:
    """Let pretend slaves render jobs; return the server's CPU seconds at each part of all frames."""
    server = psutil.Process(farm.server.popen.pid)
    keys = [farm.client.make_slave_key(f"p{n}") for n in range(4)]
    used: list[float] = []
    async with crowd(farm.url, keys, Manner(slots=4, seconds=0), seconds=seconds):
        for job in jobs:
            await asyncio.to_thread(farm.client.command, job, "resume")
        while True:
            views = [await asyncio.to_thread(farm.client.job, job) for job in jobs]
            if sum(view.counts.done for view in views) * PARTS >= frames * len(used):
                used.append(sum(server.cpu_times()[:2]))
            if all(view.state is JobState.DONE for view in views):
                return used
            assert not any(view.state is JobState.FAILED for view in views)
            await asyncio.sleep(0.1)


SIZES = [pytest.param(400, id="few"), pytest.param(100_000, id="many", marks=pytest.mark.soak)]


@pytest.mark.timeout(7000)
@pytest.mark.parametrize("frames", SIZES)
@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_a_graph_of_frames_costs_no_more_at_its_end_than_at_its_beginning(
    tmp_path: Path, frames: int, shape: str
) -> None:
    with running(tmp_path) as farm:
        if shape == "chain":
            jobs, count = [submitted(farm, frames, Dependency(match="previous"))], frames
        else:
            first = submitted(farm, frames)
            jobs = [first, submitted(farm, frames // 10, Dependency(on=str(first), match="each"))]
            count = frames + frames // 10
        used = asyncio.run(rendered(farm, jobs, count, 6000))
        memory = psutil.Process(farm.server.popen.pid).memory_info().rss
        steps = [later - before for before, later in itertools.pairwise(used)]
        told = f"{sum(steps):.1f} s of CPU time, by parts {[round(step, 1) for step in steps]}, {memory >> 20} MB"
        assert memory < MOST_MEMORY, told
        if frames >= 10_000:  # fewer are measured by chance
            assert sum(steps[-3:]) < 2 * sum(steps[1:4]), told
        assert farm.audit() == []
