"""What the methods share that only combine the files of other frames: how their sessions start."""

from __future__ import annotations

import sys
from pathlib import Path

from farm.methods.base import Launch, Offered, Sample
from farm.methods.child import ChildMethod, child
from farm.protocol.slaves import JobSheet


class CombiningMethod(ChildMethod):
    """A method whose renderer is this Python; it needs no file to open, but other frames' files."""

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Return nothing to try: there are no other frames."""
        return Sample()

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session; it is told the program that was found, if it needs one."""
        python, program = Path(sys.executable), offered.launcher.program
        own = () if program == python else (str(program),)
        words = (f"farm.methods.{self.name}.inside.session", *own)
        return child(words, sheet, root, scratch, needs=_folders(program, python), persistent=False)


def _folders(program: Path, python: Path) -> tuple[Path, ...]:
    """Return what a program of a person's own consists of; the system's is seen anyway."""
    place = program.resolve()
    return () if program == python or place.is_relative_to("/usr") else (place.parent,)
