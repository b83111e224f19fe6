"""Two servers with two slaves each, of which one has all the work, beside one server with four."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from farm.client.peercalls import PeerCalls
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.lending import Borrow, Lend
from farm.protocol.peers import AcceptPeer, MakePeerInvite
from farm.simulator.crowd import crowd
from farm.simulator.manner import Manner
from tests.bench.crowds import wait
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running

FRAMES = 160
"""Of half a second each: 20 s on four slots."""

SECONDS = 0.5


def measured(folder: Path) -> Iterator[Entry]:
    """Measure the same frames by four slaves of one server, and by two of its own and two that a peer lends."""
    homes = [folder / name for name in ("home", "annex")]
    for each in homes:
        each.mkdir()
    how = {"heartbeat_seconds": "5", "peer_private": "true"}
    with (
        running(homes[0], name="home", quick=False, **how) as home,
        running(homes[1], name="annex", quick=False, **how) as annex,
    ):
        alone = _seconds(home, [(home, 4)])
        code = PeerCalls(annex.client).invite(MakePeerInvite(name="home")).code
        PeerCalls(home.client).accept(AcceptPeer.model_validate({"code": code}))
        PeerCalls(annex.client).lend("home", Lend())
        PeerCalls(home.client).borrow("annex", Borrow())
        shared = _seconds(home, [(home, 2), (annex, 2)])
        lent = next(peer for peer in PeerCalls(annex.client).peers() if peer.name == "home").lent_frames
    yield Entry("two servers with 2 slaves each ÷ one server with 4", 100 * alone / shared, "% of its rate", ">= 95",
                note=f"{FRAMES} frames of {SECONDS} s, all jobs at one: {shared:.1f} s and {alone:.1f} s; "
                f"{lent} frames lent; pretend slaves")  # fmt: skip


def _seconds(home: Farm, slaves: list[tuple[Farm, int]]) -> float:
    """Return the seconds from queueing a job at home to its end."""

    async def run() -> float:
        async with AsyncExitStack() as stack:
            for farm, count in slaves:
                names = [f"b{count}x{n}" for n in range(count)]
                keys = [await asyncio.to_thread(farm.client.make_slave_key, name) for name in names]
                await stack.enter_async_context(crowd(farm.url, keys, Manner(slots=1, seconds=SECONDS), seconds=600))
            await asyncio.sleep(3)  # peers look every two seconds
            wish = Submission(name="shared", requires=Requirement(method="sleep"), frames=f"1-{FRAMES}")
            job = (await asyncio.to_thread(home.client.submit, wish)).job
            began = time.monotonic()
            await asyncio.to_thread(home.client.queue, job)
            await asyncio.to_thread(wait, home.client, job)
            return time.monotonic() - began

    return asyncio.run(run())
