"""What the methods share that only combine the files of other frames: how their sessions start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import farm
from farm.methods.base import Device, Launch, Offered, Sample, needs_of_python
from farm.protocol.slaves import JobSheet
from farm.words.errors import NotASetup

_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")


class CombiningMethod:
    """A method whose renderer is this Python; it needs no file to open, but other frames' files."""

    name = ""

    def installs(self) -> list[str]:
        """Return nothing: it comes with the slave, or with the system's packages."""
        return []

    def install(self, version: str, folder: Path, limit: int, cache: Path) -> None:
        """Refuse.

        Raises:
            NotASetup: always.
        """
        raise NotASetup(f"There is nothing that a slave could install for the method {self.name}.")

    def broken(self, offered: Offered, card: Device, scratch: Path, around: Callable[[Launch], Launch]) -> str:
        """Return nothing: it uses no card."""
        return ""

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Return nothing to try: there are no other frames."""
        return Sample()

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session; it is told the program that was found, if it needs one."""
        # The package's own folder goes first, so that another working folder finds the same code.
        home = str(Path(farm.__file__).parent.parent)
        env = {k: os.environ[k] for k in _KEPT if k in os.environ} | dict.fromkeys(("HOME", "TMPDIR"), str(scratch))
        env |= {"PYTHONPATH": home, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        opening = {
            "do": "open",
            "source": str(root / sheet.source) if sheet.source else "",
            "root": str(root),
            "settings": sheet.settings,
            "persistent": False,
        }
        python, program = Path(sys.executable), offered.launcher.program
        own = () if program == python else (str(program),)
        needs = (*needs_of_python(python), Path(farm.__file__).parent, *_folders(program, python))
        argv = [str(python), "-m", f"farm.methods.{self.name}.inside.session", *own]
        return Launch(argv, env, scratch, opening, needs)


def _folders(program: Path, python: Path) -> tuple[Path, ...]:
    """Return what a program of a person's own consists of; the system's is seen anyway."""
    place = program.resolve()
    return () if program == python or place.is_relative_to("/usr") else (place.parent,)
