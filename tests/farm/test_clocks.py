"""The server's clock is set by an hour while it runs, and slaves and people go on."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import threading
import time
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, select

from farm.client.farmclient import FarmClient
from farm.database import engine
from farm.database.schema import attempts, events
from farm.protocol.jobs import FarmEvent, JobView, Requirement, Submission
from farm.simulator.crowd import crowd
from farm.simulator.manner import Manner
from farm.words.states import AttemptState, JobState
from tests.serving import Served, serving

HOUR = datetime.timedelta(hours=1)


def followed(served: Served, token: str, job: int) -> tuple[threading.Thread, list[FarmEvent]]:
    """Follow a job in a thread until it is done."""
    heard: list[FarmEvent] = []

    def follow() -> None:
        with FarmClient(served.url, token) as client:
            for event in client.events(job):
                heard.append(event)
                if event.data.get("state") == JobState.DONE:
                    return

    thread = threading.Thread(target=follow)
    thread.start()
    return thread, heard


async def rendered(served: Served, admin: FarmClient, leap: datetime.timedelta) -> tuple[JobView, list[FarmEvent]]:
    """Let pretend slaves render a job, and set the clock in its middle."""
    keys = [admin.make_slave_key(f"p{n}") for n in range(4)]
    job = admin.submit(Submission(name="clock", requires=Requirement(method="sleep"), frames="1-32")).job
    thread, heard = followed(served, admin._http.headers["Authorization"].removeprefix("Bearer "), job)
    async with crowd(served.url, keys, Manner(slots=2, seconds=1.5), seconds=90):
        await asyncio.to_thread(admin.queue, job)
        while (await asyncio.to_thread(admin.job, job)).counts.done < 8:  # noqa: ASYNC110 - another thread ends it
            await asyncio.sleep(0.02)
        with time_machine.travel(datetime.datetime.now(datetime.UTC) + leap, tick=True):
            while (view := await asyncio.to_thread(admin.job, job)).state is not JobState.DONE:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.to_thread(thread.join, 30)
    return view, heard


@pytest.mark.timeout(120)
@pytest.mark.parametrize("leap", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_clock_that_is_set_in_mid_job_costs_nothing(tmp_path: Path, leap: datetime.timedelta) -> None:
    before = time.time()
    with serving(tmp_path / "data", heartbeat_seconds=5) as served:
        view, heard = asyncio.run(rendered(served, served.admin(), leap))
        url = served.process.settings.database_url
    assert (view.counts.done, view.counts.failed) == (32, 0)
    assert view.seconds_per_frame is None or view.seconds_per_frame >= 0
    states = [event.data["state"] for event in heard if "state" in event.data]
    whole = [JobState.QUEUED, JobState.RENDERING, JobState.DONE]
    assert states == whole[-len(states) :], "events come in their order, from when the follower began"
    reading = engine.reading(url)
    with contextlib.closing(reading.connect()) as conn:
        found = dict(conn.execute(select(attempts.c.state, func.count()).group_by(attempts.c.state)).all())
        longest = conn.execute(select(func.max(attempts.c.seconds), func.min(attempts.c.seconds))).one()
        ended = select(func.max(events.c.seq)).where(events.c.kind == "job", events.c.data.contains('"done"'))
        begun = select(func.min(events.c.seq)).where(events.c.kind == "job", events.c.data.contains('"rendering"'))
        during = events.c.seq.between(begun.scalar_subquery(), ended.scalar_subquery())
        lost = select(events.c.slave).where(events.c.data.contains("offline"), during)
        offline = conn.execute(lost).all()
    reading.dispose()
    assert offline == [], "no slave counted as lost"
    assert found.pop(AttemptState.WON) == 32
    assert set(found) <= {AttemptState.RETURNED, AttemptState.LATE}, "none was lost"
    assert 0 <= longest[1] <= longest[0] < 60_000_000
    assert time.time() - before < HOUR.total_seconds(), "the test's own clock is right again"
