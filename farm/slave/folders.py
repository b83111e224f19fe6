"""The slave's folders, and that only one slave uses them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import structlog

from farm.sandbox.records import Records
from farm.sandbox.wipe import wipe
from farm.slave.lockfile import LockFile
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)


CIRCLES = 20
"""Folders of compiled shaders that are kept; each may have a gigabyte."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where things are. Each key has its own, so that slaves of one machine may share settings.

    Args:
        work: removed at each start: trees of jobs, sessions, attempts.
        state: kept: results not sent yet, process records, renderers' caches.
    """

    work: Path
    state: Path

    @classmethod
    def of(cls, settings: SlaveSettings) -> Folders:
        """Return the folders of a slave: the same ones when its server has got another address."""
        mark = hashlib.sha256(settings.key.encode()).hexdigest()[:12]
        return cls(settings.work / mark, settings.state / mark)

    @property
    def jobs(self) -> Path:
        """Jobs' trees."""
        return self.work / "jobs"

    @property
    def sessions(self) -> Path:
        """Sessions' own folders."""
        return self.work / "sessions"

    @property
    def attempts(self) -> Path:
        """What is being rendered."""
        return self.work / "attempts"

    @property
    def results(self) -> Path:
        """Results not sent yet."""
        return self.state / "results"

    @property
    def unfinished(self) -> Path:
        """Frames that broke off, for renderers that can go on with them."""
        return self.state / "unfinished"

    @property
    def shaders(self) -> Path:
        """Compiled shaders: tens of seconds of work. Each circle of jobs has a folder of its own in it."""
        return self.state / "shaders"

    def shaders_of(self, circle: str) -> Path:
        """Return the folder of compiled shaders for jobs of one circle; those used last are kept over a restart."""
        folder = self.shaders / (circle or "all")
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        return folder

    @property
    def installed(self) -> Path:
        """Renderers that the slave installed by itself."""
        return self.state / "installed"

    @property
    def known(self) -> Path:
        """The file that remembers which renderers were tried."""
        return self.state / "renderers.json"

    def claim(self) -> LockFile:
        """Make the folders ours, and clean up what a killed slave left: processes first, then files.

        Raises:
            NotASetup: another slave uses them, or they can't be written.
        """
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            lock = LockFile(self.state / "lock")
            if not lock.acquire():
                raise NotASetup(
                    f"Another slave with this key runs on this machine: it uses {self.state}.",
                    hint="Stop it, or give this one a key of its own.",
                )
            self._clean()
        except OSError as error:
            raise NotASetup(
                f"The slave can't use its folder {error.filename}: {error.strerror or error}.",
                hint="Set `work`, `state` and `cache` in slave.conf to folders that it may write to.",
            ) from error
        return lock

    def records(self) -> Records:
        """Return the records of processes."""
        return Records(self.state / "processes")

    def _clean(self) -> None:
        killed = self.records().sweep()
        if killed:
            log.warning("Killed renderers that an earlier slave left", processes=killed)
        wipe(self.work)
        for old in sorted(self.shaders.glob("*"), key=lambda folder: folder.stat().st_mtime)[:-CIRCLES]:
            wipe(old)
        for folder in (self.jobs, self.sessions, self.attempts, self.results, self.shaders, self.unfinished):
            folder.mkdir(parents=True, exist_ok=True)
