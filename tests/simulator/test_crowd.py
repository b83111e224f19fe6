"""Pretend slaves at a real server."""

from __future__ import annotations

import asyncio
import io
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from farm.api.slave.admission import BESIDE, Admission, Place
from farm.client.farmclient import FarmClient
from farm.database.schema import attempts
from farm.package.results import members
from farm.protocol.jobs import JobView, Requirement, Submission
from farm.protocol.slaves import LeasedFrame, Orders
from farm.simulator.crowd import crowd
from farm.simulator.holding import Holding
from farm.simulator.manner import Manner
from farm.simulator.pictures import packed
from farm.words.errors import Crowded
from farm.words.states import JobState
from tests.serving import serving


async def _rendered(client: FarmClient, url: str, frames: int, slaves: int, manner: Manner) -> JobView:
    keys = [client.make_slave_key(f"p{n}") for n in range(slaves)]
    async with crowd(url, keys, manner, seconds=60):
        wish = Submission(name="pretended", requires=Requirement(method="sleep"), frames=f"1-{frames}")
        job = client.submit(wish).job
        await asyncio.to_thread(client.queue, job)
        while (view := await asyncio.to_thread(client.job, job)).state not in {JobState.DONE, JobState.FAILED}:  # noqa: ASYNC110 - another process ends it
            await asyncio.sleep(0.02)
    return view


@pytest.mark.timeout(90)
def test_pretend_slaves_render_a_job_and_bring_every_file(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as served:
        client = served.admin()
        view = asyncio.run(_rendered(client, served.url, 60, 5, Manner(slots=2, seconds=0.01)))
        assert view.state is JobState.DONE
        files = client.output(view.job, limit=500).files
        assert len({file.sha256 for file in files}) == 60
        assert {slave.state for slave in client.slaves()} == {"offline"}


class Full(Admission):
    """Turns the first ones away, and has room for few."""

    refused = 0

    async def enter(self, size: int) -> Place:
        if self.refused < 20:
            self.refused += 1
            raise Crowded(retry_after=0.1)
        return await super().enter(size)


@pytest.mark.timeout(90)
def test_slaves_that_are_turned_away_come_again_and_lose_no_attempt(tmp_path: Path) -> None:
    with serving(tmp_path / "server", heartbeat_seconds=60) as served:
        assert served.process._server is not None
        services = served.process._server._services
        services.policy = replace(services.policy, stragglers=False)
        services.admission = Full(1, at_once=2, room=4 * BESIDE)
        view = asyncio.run(_rendered(served.admin(), served.url, 60, 8, Manner(slots=2, seconds=0.01)))
        assert view.state is JobState.DONE
        query = select(attempts.c.state, func.count()).group_by(attempts.c.state)
        assert services.database.read_now(lambda c: [tuple(row) for row in c.execute(query)]) == [("won", 60)]


def test_a_result_is_a_valid_tar_of_its_own_bytes() -> None:
    one = packed(7, 1, size=10_000)
    seen = []
    for member in members(io.BytesIO(b64decode(one.inline)), 10**6):
        with Image.open(io.BytesIO(member.data.read())) as picture:
            picture.load()
            seen.append((member.name, member.size > 10_000, picture.size))
    assert seen == [("0007.png", True, (64, 36))]
    assert one == packed(7, 1, size=10_000)
    assert one.sha256 != packed(7, 2, size=10_000).sha256


def test_a_frame_that_is_taken_back_is_forgotten() -> None:
    holding = Holding(Manner())
    holding.queue.extend(LeasedFrame(attempt=n, number=n, picture=n) for n in (1, 2))
    holding.running[3] = 0.0
    holding.take(Orders(revoked=[2, 3]))
    report = holding.report(1, 5)
    assert (report.holding, report.running, report.want) == ([1], [], 1)
