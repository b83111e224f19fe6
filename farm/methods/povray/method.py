"""The `povray` render method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from farm.methods.base import Launch, MethodConfig, Offered, Plan, Sample
from farm.methods.child import ChildMethod, child
from farm.methods.povray.describe import description
from farm.methods.povray.find import find, libraries
from farm.methods.povray.plan import plan
from farm.protocol.methods import MethodDescription
from farm.protocol.slaves import JobSheet

_SYSTEM = Path("/usr")
_BALL = """#version 3.7;
global_settings { assumed_gamma 1 }
camera { location <0, 1, -4> look_at <0, 0.5, 0> }
light_source { <-5, 8, -6> color rgb 1 }
plane { y, 0 pigment { checker color rgb 0.9, color rgb 0.3 } }
sphere { <0, 1, 0>, 1 pigment { color rgb <0.9, 0.4, 0.1> } }
"""


class PovrayMethod(ChildMethod):
    """POV-Ray, as a program."""

    name = "povray"
    hint = "Debian: sudo apt-get install povray"

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return description()

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the POV-Rays that work here, the best first."""
        return find(found)

    def plan(self, source: Path, settings: dict[str, Any]) -> Plan:
        """Return the scene with all files that it and its included files name."""
        return plan(source, settings)

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Write a ball on a plain."""
        (folder / "ball.pov").write_text(_BALL, encoding="ascii")
        return Sample("ball.pov", {"width": 160, "height": 120})

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session: this Python, that starts one POV-Ray per frame."""
        program = offered.launcher.program
        words = ("farm.methods.povray.inside.session", str(program), *map(str, libraries(program)))
        needs, hands_on = _needs(program), bool(sheet.depends)
        # Each frame has a process of its own.
        launch = child(words, sheet, root, scratch, needs=needs, resumes=True, persistent=False, hands_on=hands_on)
        return replace(launch, env={**launch.env, "POV_TEMP_DIR": str(scratch)})


def _needs(program: Path) -> tuple[Path, ...]:
    """Return what a POV-Ray of a person's own consists of; the system's is seen anyway."""
    place = program.resolve()
    return () if place.is_relative_to(_SYSTEM) else (place.parent, *libraries(program))


METHOD = PovrayMethod()
