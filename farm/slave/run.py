"""The way in for `distren slave`: run a slave in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

import structlog

from farm.client.slavelink import SlaveLink
from farm.slave.agent import Agent
from farm.slave.cardtrial import contained
from farm.slave.containment import Containment, contain
from farm.slave.events import Events, Watcher
from farm.slave.folders import Folders
from farm.slave.renderers import probe
from farm.slave.versions import Versions
from farm.words import limits
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)


def run(settings: SlaveSettings, on_event: Watcher | None = None) -> int:
    """Run a slave; return the exit code. If its server sent another version, that one goes on in this process.

    Ctrl-C or SIGTERM once: finish what renders, give back the rest. Twice: give back all now.

    Args:
        settings: slave.conf.
        on_event: gets each event as plain JSON values.

    Raises:
        DistrenError: no renderer, a wrong key, folders in use, the server's refusal.
    """
    if not settings.key or not settings.password.get_secret_value():
        raise NotASetup(
            "The slave has no key or no password.", hint="Make them with `distren slave-key NAME`; see slave.conf."
        )
    limits.settle()
    versions = Versions.of(settings)
    versions.enter()
    try:
        agent = asyncio.run(_run(settings, Events(on_event)))
    except Exception as error:  # whatever is wrong with a version on trial, the former one did work
        if not versions.on_trial:
            raise
        versions.fall_back(str(error))
        versions.go()
    if agent.successor:
        versions.switch(agent.successor)
        versions.go()
    versions.rest()
    if agent.restarts:
        versions.go()
    return 0


async def _run(settings: SlaveSettings, events: Events) -> Agent:
    """Run a slave to its end; return it, for it knows what comes after it."""
    folders = Folders.of(settings)
    lock = await asyncio.to_thread(folders.claim)
    link = SlaveLink(settings.server, str(settings.certificate) if settings.certificate else True)
    try:
        offered = await asyncio.to_thread(probe, settings, folders.known, folders.installed)
        containment = await contain(settings, folders, offered)
        if containment.works:
            offered = await asyncio.to_thread(contained, containment, folders, offered)
        _say(events, containment)
        agent = Agent(settings, link, folders, offered, events, containment)
        with _signals(agent):
            await agent.run()
    finally:
        await link.close()
        lock.release()
    return agent


def _say(events: Events, containment: Containment) -> None:
    if containment.works:
        events.say("jobs are contained", by="bubblewrap")
    else:
        events.warn("jobs are not contained", reason=containment.reason, mend=containment.mend)


class _signals:  # noqa: N801  (used like the functions of contextlib)
    """Turn Ctrl-C and SIGTERM into words for the agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._count = 0
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Windows has no such handlers, and threads other than the main one can't have any.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._told)
                self._undo.append(lambda number=number: loop.remove_signal_handler(number))  # type: ignore[misc]

    def __exit__(self, *_: object) -> None:
        for undo in self._undo:
            undo()

    def _told(self) -> None:
        self._count += 1
        log.info("Told to stop", times=self._count)
        self._agent.stop(now=self._count > 1)
