"""Renderers that the slave installs by itself, one at a time, while nothing waits for it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable

import structlog

from farm.methods.base import PART, Offered
from farm.methods.registry import method
from farm.protocol.slaves import Renderer
from farm.sandbox.process import Order
from farm.slave.beside import last_word
from farm.slave.containment import Containment, try_contained
from farm.slave.events import Events
from farm.slave.failedinstalls import FailedInstalls
from farm.slave.folders import Folders
from farm.slave.renderers import methods_of, probe
from farm.words.errors import DistrenError, NotASetup
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)

NICE = 19
"""As low as it gets: the slots render meanwhile."""


class Provisioning:
    """Installs what the server says that jobs wait for.

    Args:
        settings: slave.conf.
        folders: the slave's.
        offered: the renderers that work here; gets those that come.
        containment: how renderers are started: new ones must start so, too.
        events: hears what happens.
        nudge: called when there is something new to log in with.
    """

    def __init__(
        self,
        settings: SlaveSettings,
        folders: Folders,
        offered: list[Offered],
        containment: Containment,
        events: Events,
        nudge: Callable[[], None],
    ) -> None:
        self.changed = False
        """There is something that the server has not heard of yet."""
        self._settings = settings
        self._folders = folders
        self._offered = offered
        self._containment = containment
        self._events = events
        self._nudge = nudge
        self._failed = FailedInstalls(folders.state / "failed-installs.json")
        self._methods = {name: method(name).installs() for name in methods_of(settings)} if settings.provision else {}
        self._work: asyncio.Task[None] | None = None
        self._sweep()

    def able(self) -> list[Renderer]:
        """Return what may be installed here."""
        every = (Renderer(method=name, version=v) for name, versions in self._methods.items() for v in versions)
        return [renderer for renderer in every if not self._failed.has(renderer)]

    def remarks(self) -> list[str]:
        """Say what could not be installed, and why."""
        return self._failed.words() if self._settings.provision else []

    def told(self, wanted: Renderer | None) -> None:
        """Hear what a job waits for."""
        # The server's word chooses among what this slave offered; it never names what is run.
        if wanted is None or self._work is not None or self.changed or self._failed.has(wanted):
            return
        if ".".join(wanted.version.split(".")[:2]) in self._methods.get(wanted.method, ()):
            self._work = asyncio.create_task(self._install(wanted), name="provisioning")

    async def close(self) -> None:
        """Stop what is being installed: nothing is left of it."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _install(self, wanted: Renderer) -> None:
        what = f"{wanted.method} {wanted.version}"
        self._events.say("installing a renderer", renderer=what)
        try:
            await self._run(wanted)
            new = await self._new()
            self._offered += new
            self._events.say("installed a renderer", renderer=what, offers=[one.offer.version for one in new])
        except (DistrenError, OSError) as error:
            why = " ".join(filter(None, (getattr(error, "message", str(error)), getattr(error, "hint", ""))))
            self._failed.add(wanted, why)
            self._events.warn("could not install a renderer", renderer=what, reason=why)
        finally:
            self._work = None
        self.changed = True
        self._nudge()

    async def _new(self) -> list[Offered]:
        """Return the renderers that are here now and were not before; each was tried."""
        known = {one.launcher.program for one in self._offered}
        found = await asyncio.to_thread(probe, self._settings, self._folders.known, self._folders.installed)
        new = [one for one in found if one.launcher.program not in known]
        if self._containment.works:
            for one in new:
                await try_contained(self._containment, self._folders, one)
        if not new:
            raise NotASetup("It was installed, but it is not found.")
        return new

    async def _run(self, wanted: Renderer) -> None:
        """Install in a process of its own.

        Raises:
            NotASetup: it did not work.
        """
        self._folders.installed.mkdir(parents=True, exist_ok=True)
        limit, cache = int(self._settings.provision_size), self._folders.known
        words = (wanted.method, wanted.version, self._folders.installed, limit, cache)
        argv = [sys.executable, "-m", "farm.slave.installing", *map(str, words)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("DISTREN_")}
        log_path = self._folders.state / "install.log"
        try:
            trouble = await last_word(Order(argv, env, self._folders.state, log_path, NICE), self._folders.records())
        finally:
            await asyncio.to_thread(self._sweep)
        if trouble is None:
            raise NotASetup(f"The installation broke off; {log_path} may tell why.")
        if trouble:
            raise NotASetup(str(trouble.get("message")), hint=str(trouble.get("hint") or ""))

    def _sweep(self) -> None:
        """Remove what killed installations left: nearly a gigabyte each. Nobody else uses the folder."""
        for part in self._folders.installed.glob(f"*{PART}*"):
            shutil.rmtree(part, ignore_errors=True)
