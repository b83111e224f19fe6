"""The `povray` render method."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import farm
from farm.methods.base import Device, Launch, MethodConfig, Offered, Sample, needs_of_python
from farm.methods.povray.describe import description
from farm.methods.povray.find import find, libraries
from farm.protocol.methods import MethodDescription
from farm.protocol.slaves import JobSheet
from farm.words.errors import NotASetup

_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
_SYSTEM = Path("/usr")
_BALL = """#version 3.7;
global_settings { assumed_gamma 1 }
camera { location <0, 1, -4> look_at <0, 0.5, 0> }
light_source { <-5, 8, -6> color rgb 1 }
plane { y, 0 pigment { checker color rgb 0.9, color rgb 0.3 } }
sphere { <0, 1, 0>, 1 pigment { color rgb <0.9, 0.4, 0.1> } }
"""


class PovrayMethod:
    """POV-Ray, as a program."""

    name = "povray"

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return description()

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the POV-Rays that work here, the best first."""
        return find(found)

    def installs(self) -> list[str]:
        """Return nothing: POV-Ray comes with the system's packages."""
        return []

    def install(self, version: str, folder: Path, limit: int, cache: Path) -> None:
        """Refuse.

        Raises:
            NotASetup: always.
        """
        raise NotASetup("POV-Ray can't be installed by a slave.", hint="Debian: sudo apt-get install povray")

    def broken(self, offered: Offered, card: Device, scratch: Path, around: Callable[[Launch], Launch]) -> str:
        """Return nothing: it uses no card."""
        return ""

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Write a ball on a plain."""
        (folder / "ball.pov").write_text(_BALL, encoding="ascii")
        return Sample("ball.pov", {"width": 160, "height": 120})

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session: this Python, that starts one POV-Ray per frame."""
        program = offered.launcher.program
        # The package's own folder goes first, so that another working folder finds the same code.
        home = str(Path(farm.__file__).parent.parent)
        env = {k: os.environ[k] for k in _KEPT if k in os.environ}
        env |= dict.fromkeys(("HOME", "TMPDIR", "POV_TEMP_DIR"), str(scratch))
        env |= {"PYTHONPATH": home, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        opening = {
            "do": "open",
            "source": str(root / sheet.source),
            "root": str(root),
            "settings": sheet.settings,
            # Each frame has a process of its own.
            "persistent": False,
            "hands_on": bool(sheet.depends),
        }
        python = Path(sys.executable)
        needs = (*needs_of_python(python), Path(farm.__file__).parent, *_needs(program))
        libs = map(str, libraries(program))
        argv = [str(python), "-m", "farm.methods.povray.inside.session", str(program), *libs]
        return Launch(argv, env, scratch, opening, needs, resumes=True)


def _needs(program: Path) -> tuple[Path, ...]:
    """Return what a POV-Ray of a person's own consists of; the system's is seen anyway."""
    place = program.resolve()
    return () if place.is_relative_to(_SYSTEM) else (place.parent, *libraries(program))
