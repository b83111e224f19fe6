"""A method that runs one command per frame: what a small renderer needs to be one of the farm.

A subclass says what it is called, which settings it has, and what the command of a frame is.
The session around it (:mod:`farm.methods.programsession`) does the rest.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import structlog

from farm.methods.base import Launch, Launcher, MethodConfig, Offered, Sample
from farm.methods.child import ChildMethod, child
from farm.protocol.methods import MethodDescription, SettingDescription
from farm.protocol.slaves import JobSheet, Offer
from farm.words.errors import NotASetup

SECONDS = 30
"""The longest that a program may take to tell its version."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FrameToRender:
    """What the command of a frame is made of.

    Args:
        source: the file to open.
        picture: the frame's number.
        settings: the job's, checked.
        output: an empty folder; what lies there when the command has ended are the frame's files.
        threads: how many the program should use.
    """

    source: Path
    picture: int
    settings: Mapping[str, Any]
    output: Path
    threads: int


class ProgramMethod(ChildMethod):
    """One command per frame."""

    title: ClassVar[str] = ""
    help: ClassVar[str] = ""
    suffixes: ClassVar[Sequence[str]] = ()
    """Of the files that it opens."""
    settings: ClassVar[Sequence[SettingDescription]] = ()
    program: ClassVar[str] = ""
    """The program's name, looked for in PATH."""
    example: ClassVar[str] = ""
    """A small source, of which a machine that joins a farm renders frame 1."""
    version_option: ClassVar[str] = "--version"

    def command(self, program: Path, frame: FrameToRender) -> list[str]:
        """Return the command that renders a frame."""
        raise NotImplementedError

    def progress(self, line: str) -> float | None:
        """Return how far the frame is, 0 to 1, from a line that the program prints; None: it does not say."""
        del line
        return None

    def reason(self, lines: Sequence[str]) -> str:
        """Return why a frame failed, out of the last lines that the program printed."""
        wrong = [line for line in lines if "error" in line.lower()]
        return next(iter(wrong or lines[-1:]), "")

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return MethodDescription(
            name=self.name,
            title=self.title or self.name,
            help=self.help,
            source_suffixes=list(self.suffixes),
            settings=list(self.settings),
        )

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the program, if it is here and tells its version.

        Raises:
            NotASetup: one that a person named does not.
        """
        on_path = shutil.which(self.program) if found.search else None
        candidates = [*found.programs, *([Path(on_path)] if on_path else [])]
        offered = [one for program in candidates if (one := self._offered(program))]
        if found.programs and not offered:
            raise NotASetup(f"{found.programs[0]} does not work as {self.title}.", hint=self.hint)
        return offered

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Write the example."""
        name = f"example{next(iter(self.suffixes), '')}"
        (folder / name).write_text(self.example, encoding="utf-8")
        return Sample(name)

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session: this Python, that runs the command of each frame."""
        module = sys.modules[type(self).__module__]
        top = Path(str(sys.modules[module.__name__.partition(".")[0]].__file__))
        place = top.parent if top.name == "__init__.py" else top
        program = offered.launcher.program
        words = ("farm.methods.programsession", module.__name__, str(program))
        needs = (place, *_beside(program))
        return child(words, sheet, root, scratch, needs=needs, paths=(place.parent,), persistent=False)

    def version_of(self, program: Path) -> str | None:
        """Return the version that a program tells; empty if it tells none, None if it can't be run."""
        argv = [str(program), self.version_option]
        try:
            done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("Not offered", program=str(program), reason=str(error))
            return None
        return version_in((done.stdout + done.stderr).decode("utf-8", "replace"))

    def _offered(self, program: Path) -> Offered | None:
        version = self.version_of(program)
        if version is None:
            return None
        offer = Offer(method=self.name, version=version, detail=f"program {program}"[:200])
        return Offered(offer, Launcher("program", program))


def version_in(text: str) -> str:
    """Return the first version in a text, `5.4` of `gnuplot 5.4 patchlevel 4`; empty: there is none."""
    words = (word.strip("v,;()") for word in text.split())
    return next((word for word in words if word.replace(".", "").isdigit() and "." in word), "")


def _beside(program: Path) -> tuple[Path, ...]:
    """Return the folder of a program of a person's own; the system's is seen anyway."""
    place = program.resolve()
    return () if place.is_relative_to("/usr") else (place.parent,)
