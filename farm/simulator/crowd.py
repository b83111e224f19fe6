"""Many pretend slaves in one process, bounded in number and in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

from farm.protocol.joining import SlaveKeyMade
from farm.simulator.manner import Manner
from farm.simulator.network import Cable
from farm.simulator.pretend import PretendSlave, Watcher
from farm.words.errors import NotASetup

MOST = 20_000
"""Slaves in one crowd."""

TOGETHER = 16
"""Logins at the same time."""


@contextlib.asynccontextmanager
async def crowd(
    server: str,
    keys: Iterable[SlaveKeyMade],
    manner: Manner,
    seconds: float = 3600,
    *,
    seed: int = 0,
    cables: Sequence[Cable] = (),
    watcher: Watcher | None = None,
    verify: bool | str = True,
) -> AsyncIterator[list[PretendSlave]]:
    """Run a pretend slave per key while the block runs.

    Args:
        server: the server's address.
        keys: made before by a user.
        manner: what they are like.
        seconds: the longest that they live, so that none is forgotten.
        seed: of their chance.
        cables: the network's, which they share evenly.
        watcher: is told of results.
        verify: how the server's certificate is checked.

    Raises:
        NotASetup: there are too many keys.
        ExceptionGroup: the server refused some of them.
        TimeoutError: the block took longer.
    """
    lines = list(cables) or [Cable()]
    slaves = [
        PretendSlave(server, made.key, made.password, manner, f"{seed}/{n}", lines[n % len(lines)], watcher, verify)
        for n, made in enumerate(keys)
    ]
    if len(slaves) > MOST:
        raise NotASetup(f"{len(slaves)} pretend slaves are too many.", hint=f"At most {MOST} fit into one process.")
    gate = asyncio.Semaphore(TOGETHER)

    async def enter(slave: PretendSlave) -> None:
        async with gate:
            await slave.arrive()

    async with asyncio.timeout(seconds):
        await asyncio.gather(*map(enter, slaves))
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(slave.run()) for slave in slaves]
            try:
                yield slaves
            finally:
                for task in running:
                    task.cancel()
