"""Is there room on the slave's disks? The cache gives way first; without room nothing new is rendered."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from farm.slave.cache import BlobCache
from farm.slave.folders import Folders
from farm.slave.hoard import FULL
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)

_RESULTS = 20_000_000_000
"""Bytes of unsent results above which nothing new is rendered: the way to the server is too slow."""

_LOOK, _LOOK_AGAIN = 10.0, 2.0
"""Seconds between looks, and while there is no room."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that the slave writes to, by its name in slave.conf."""

    name: str
    folder: Path

    def free(self) -> int:
        """Return the free bytes of its disk."""
        try:
            return shutil.disk_usage(self.folder).free
        except OSError:
            return 0


class Space:
    """Looks at the disks of all folders that the slave writes to.

    Args:
        settings: slave.conf.
        folders: the slave's own.
        cache: jobs' files, which can be fetched anew.
        changed: called with why there is no room any more; with an empty text when there is again.
    """

    def __init__(
        self, settings: SlaveSettings, folders: Folders, cache: BlobCache, changed: Callable[[str], None]
    ) -> None:
        self._least = int(settings.free_space)
        self._places = (Place("work", folders.work), Place("state", folders.state), Place("cache", cache.root))
        self._cache = cache
        self._changed = changed
        self._filled = False
        self._woken = asyncio.Event()
        self.reason = ""

    @property
    def enough(self) -> bool:
        """Tell whether there is room to render."""
        return not self.reason

    async def look(self, results: int) -> None:
        """Look anew, and have the cache give way where something else needs its room.

        Args:
            results: bytes of results that wait to be sent.
        """
        # Who has had a full disk waits for more room than the last bytes.
        least = max(self._least, 2 * FULL) if self._filled else self._least
        short = await asyncio.to_thread(lambda: [place for place in self._places if not self._has(place, least)])
        self._filled = self._filled and bool(short)
        unsent = f"{results:,} bytes of results wait to be sent" if results >= _RESULTS else ""
        self._tell("; ".join([*(_words(place, least) for place in short), *filter(None, [unsent])]))

    def filled(self) -> None:
        """Note that a disk was full a moment ago: nothing new is rendered before there is room again."""
        self._filled = True
        short = [_words(place, 2 * FULL) for place in self._places if place.free() < 2 * FULL]
        self._tell("; ".join(short) or "a disk was full")
        self._woken.set()

    def full(self) -> list[str]:
        """Return the names of the folders whose disks are as good as full right now."""
        return [place.name for place in self._places if place.free() < FULL]

    async def pause(self) -> None:
        """Wait until it is time to look again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK if self.enough else _LOOK_AGAIN):
                await self._woken.wait()
        self._woken.clear()

    def _has(self, place: Place, least: int) -> bool:
        lacking = least - place.free()
        if lacking > 0 and _same_disk(place.folder, self._cache.root):
            self._cache.give_way(lacking)
            lacking = least - place.free()
        return lacking <= 0

    def _tell(self, reason: str) -> None:
        # Free bytes differ from look to look; that is no news.
        news = bool(reason) != bool(self.reason)
        self.reason = reason
        if news:
            self._changed(reason)


def _words(place: Place, least: int) -> str:
    return f"{place.name} ({place.folder}) has {place.free():,} bytes free and needs {least:,}"


def _same_disk(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False
