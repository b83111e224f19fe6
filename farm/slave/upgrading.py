"""The slave gets its server's version: fetched while it renders, tried when it has finished, and given up if it fails.

Nothing changes here until the new version has rendered a test frame; then this process ends like any slave that
is told to stop, and goes on as the new version.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import structlog

from farm.package.release import lacking, unpack
from farm.protocol.upgrades import Upgrade, UpgradeWord
from farm.slave.desk import Desk
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.link import Link
from farm.slave.retry import patiently
from farm.slave.tryout import tried
from farm.slave.versions import Versions
from farm.words.errors import DistrenError, NotASetup
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)


class Upgrading:
    """Does what the server orders, once at a time.

    Args:
        settings: slave.conf; its owner may forbid upgrades.
        folders: the slave's.
        desk: the frames here.
        events: hears what happens.
        clear: called when nothing new is to be begun from now on, or may be again.
        leave: called when this version has to end: the new one is ready.
    """

    def __init__(
        self,
        settings: SlaveSettings,
        folders: Folders,
        link: Link,
        desk: Desk,
        events: Events,
        clear: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        self.draining = False
        """Nothing new is begun."""
        self.successor = ""
        """The folder of the version that goes on here; empty: none."""
        self._settings = settings
        self._folders = folders
        self._link = link
        self._desk = desk
        self._events = events
        self._clear = clear
        self._leave = leave
        self._versions = Versions.of(settings)
        self._over = ""
        self._work: asyncio.Task[None] | None = None

    async def logged_in(self) -> None:
        """Hear that this version works; if another one did not, the server is told."""
        await asyncio.to_thread(self._versions.confirm)
        pointer = await asyncio.to_thread(self._versions.read)
        if pointer.failed:
            self._over = pointer.failed
            await self._say(pointer.failed, "failed", pointer.reason)
            await asyncio.to_thread(self._versions.told)

    def told(self, wanted: Upgrade | None) -> None:
        """Hear which version is to run here; None: this one."""
        if wanted is None:
            self._over = ""
        elif self._work is None and wanted.build != self._over:
            self._work = asyncio.create_task(self._upgrade(wanted), name="upgrading")

    async def close(self) -> None:
        """Stop, wherever it is; the next start is told anew."""
        if self._work is not None and not self.successor:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _upgrade(self, wanted: Upgrade) -> None:
        self._events.say("upgrading", version=wanted.version, build=wanted.build)
        try:
            if not self._settings.upgrade:
                raise NotASetup("Its owner does not let the server do that.", hint="upgrade = true in slave.conf does.")
            await self._fetch(wanted)
            await self._finish(wanted)
            await self._say(wanted.build, "trying")
            frames = await self._try(wanted)
            await self._say(wanted.build, "starting")
        except (DistrenError, OSError) as error:
            await self._give_up(wanted, _words(error))
        else:
            self._events.say("upgraded", version=wanted.version, test_frames=frames)
            self.successor = self._place(wanted).name
            self._leave()
        finally:
            self._work = None

    async def _fetch(self, wanted: Upgrade) -> None:
        """Bring the version here and look at it.

        Raises:
            DistrenError: it is not what was announced, or needs what is not here.
        """
        await self._say(wanted.build, "fetching")
        place = self._place(wanted)
        place.parent.mkdir(parents=True, exist_ok=True)
        wheel = place.parent / f"{place.name}.whl"
        await patiently(lambda: self._link.fetch_release(wanted.sha256, wheel), f"version {wanted.version}")
        try:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
            await asyncio.to_thread(unpack, wheel, wanted.sha256, place)
        finally:
            wheel.unlink(missing_ok=True)
        lacks = await asyncio.to_thread(lacking, place)
        if lacks:
            raise NotASetup(f"It needs {', '.join(lacks)}.", hint="Install that on the machine, then upgrade again.")

    async def _finish(self, wanted: Upgrade) -> None:
        """Begin nothing new, and wait until all that is here is rendered and the server's."""
        self.draining = True
        self._clear()
        await self._say(wanted.build, "draining")
        while self._desk.held:  # noqa: ASYNC110  frames leave the desk at many places, and this is no hurry
            await asyncio.sleep(0.1)
        # An open renderer has memory that the test frame may need.
        self._desk.dismiss()

    async def _try(self, wanted: Upgrade) -> list[str]:
        """Render test frames with the new version, in a process of its own; return how that went, in words.

        Raises:
            NotASetup: it failed.
        """
        said = await tried(self._settings, self._folders, self._place(wanted).name)
        if said.get("build") != wanted.build:
            raise NotASetup(str(said.get("failed") or "Another version ran than the one that was sent."))
        return [str(frame) for frame in said.get("frames", ())]

    async def _give_up(self, wanted: Upgrade, reason: str) -> None:
        """Go on as before, and say why."""
        self._events.warn("not upgraded", version=wanted.version, reason=reason)
        self._over, self.draining = wanted.build, False
        self._clear()
        await asyncio.to_thread(shutil.rmtree, self._place(wanted), ignore_errors=True)
        await self._say(wanted.build, "failed", reason)

    async def _say(
        self, build: str, stage: Literal["fetching", "draining", "trying", "starting", "failed"], message: str = ""
    ) -> None:
        word = UpgradeWord(build=build, stage=stage, message=message[:1000])
        with contextlib.suppress(DistrenError):
            # What the server no longer wants to know is no reason to stop; it says itself what it wants.
            await patiently(lambda: self._link.upgrading(word), "word of an upgrade")

    def _place(self, wanted: Upgrade) -> Path:
        return self._versions.place(wanted.version, wanted.build)


def _words(error: DistrenError | OSError) -> str:
    said = (error.message, error.hint) if isinstance(error, DistrenError) else (str(error),)
    return " ".join(filter(None, said))
