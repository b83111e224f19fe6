"""The versions of DistRen on a slave: the installed one, and those that its server sent, each in a folder of its own.

A pointer file says which one runs. A new one is on trial until it has logged in: a start that finds it still on
trial, though it has begun before, goes back to the former one. Whoever installs another DistRen by hand is
obeyed: what servers sent to the former one is forgotten.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

import farm
from farm.package.release import build
from farm.slave.folders import Folders
from farm.words.durable import sync_file, sync_folder
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)

_FILE = "current.json"
_PATH = "PYTHONPATH"


class Pointer(BaseModel):
    """What the pointer file says. Versions read what others of them wrote: members only come.

    Args:
        current: the folder of the version that is to run; empty: the installed one.
        former: the one before, to go back to.
        installed: the build of the installed one, when this was written.
        trial: the current one has not logged in yet.
        begun: it has been started.
        failed: the build that did not work, and `reason`; until the server has heard of it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    current: str = ""
    former: str = ""
    installed: str = ""
    trial: bool = False
    begun: bool = False
    failed: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """The folder of a slave's versions.

    Args:
        folder: `versions` in the slave's state folder.
    """

    folder: Path

    @classmethod
    def of(cls, settings: SlaveSettings) -> Versions:
        """Return the versions of a slave."""
        return cls(Folders.of(settings).state.absolute() / "versions")

    def enter(self) -> None:
        """Go on as the version that is to run; returns if that is this one."""
        pointer, here = self.read(), self.here
        if here:
            if pointer.trial and pointer.current == here:
                self._write(pointer.model_copy(update={"begun": True}))
            return
        if pointer.current and (pointer.installed != build() or not (self.folder / pointer.current).is_dir()):
            log.warning("Another version was installed here; the server's is forgotten", former=pointer.current)
            self._write(Pointer())
            return
        if pointer.trial and pointer.begun:
            pointer = self.fall_back("It was started, and did not come as far as logging in.")
        if pointer.current:
            self.go()

    def place(self, version: str, build: str) -> Path:
        """Return the folder of a version that the server sent."""
        return self.folder / f"{version}-{build}"

    def switch(self, name: str) -> None:
        """Have a version run from the next start on, on trial."""
        here = self.here
        installed = self.read().installed if here else build()
        self._write(Pointer(current=name, former=here, installed=installed, trial=True))

    def confirm(self) -> None:
        """Keep the version on trial: it has logged in. Others are removed, but for the former one."""
        pointer = self.read()
        if pointer.trial:
            self._write(pointer.model_copy(update={"trial": False, "begun": False}))
            self._tidy({pointer.current, pointer.former})

    def fall_back(self, reason: str) -> Pointer:
        """Have the version before run again; the reason is told to the server."""
        old = self.read()
        failed = old.current.rpartition("-")[2]
        pointer = Pointer(current=old.former, installed=old.installed, failed=failed, reason=reason[:1000])
        log.error("Going back to the version before", failed=old.current, reason=reason)
        self._write(pointer)
        return pointer

    def told(self) -> None:
        """Forget the reason of going back: the server has heard of it."""
        pointer = self.read()
        if pointer.failed:
            self._write(pointer.model_copy(update={"failed": "", "reason": ""}))

    def rest(self) -> None:
        """Note that a version on trial was ended by a person, which is no fault of its."""
        pointer = self.read()
        if pointer.trial:
            self._write(pointer.model_copy(update={"begun": False}))

    @property
    def on_trial(self) -> bool:
        """Whether what runs here has not logged in yet."""
        pointer = self.read()
        return pointer.trial and pointer.current == self.here

    def read(self) -> Pointer:
        """Return what the pointer file says; nothing, if it can't be read."""
        with contextlib.suppress(OSError, ValidationError):
            return Pointer.model_validate_json((self.folder / _FILE).read_bytes())
        return Pointer()

    def environment(self, name: str) -> dict[str, str]:
        """Return this process's environment for another version; empty: the installed one."""
        others = [path for path in os.environ.get(_PATH, "").split(os.pathsep) if path and not self._mine(Path(path))]
        paths = [str(self.folder / name), *others] if name else others
        env = {key: value for key, value in os.environ.items() if key != _PATH}
        return env | ({_PATH: os.pathsep.join(paths)} if paths else {})

    def go(self) -> NoReturn:
        """Become the version that is to run: the same process, with the same command line."""
        # -P: the folder in which this was started must not be looked into before the version's.
        argv = [sys.executable, "-P", "-m", "farm.cli.main", *sys.argv[1:]]
        env = self.environment(self.read().current)
        sys.stdout.flush()
        sys.stderr.flush()
        if sys.platform == "win32":  # there, exec would end this process, and whoever waits for it would start anew
            raise SystemExit(subprocess.call(argv, env=env))
        os.execve(sys.executable, argv, env)  # noqa: S606  no shell is wanted

    @property
    def here(self) -> str:
        """The folder of the version that runs here; empty: the installed one."""
        home = Path(farm.__file__).absolute().parent.parent
        return home.name if self._mine(home) else ""

    def _mine(self, path: Path) -> bool:
        return path.parent == self.folder

    def _tidy(self, kept: set[str]) -> None:
        for old in self.folder.iterdir():
            if old.name not in kept and old.name != _FILE:
                shutil.rmtree(old, ignore_errors=True)
                old.unlink(missing_ok=True) if old.is_file() else None

    def _write(self, pointer: Pointer) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{_FILE}.part"
        part.write_text(pointer.model_dump_json(), encoding="utf-8")
        sync_file(part)
        part.replace(self.folder / _FILE)
        sync_folder(self.folder)
