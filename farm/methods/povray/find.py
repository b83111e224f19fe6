"""Find the POV-Rays of this machine, and try each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

from farm.methods.base import Launcher, MethodConfig, Offered
from farm.methods.povray.version import SECONDS, version_of
from farm.protocol.slaves import Offer
from farm.words.errors import NotASetup

log = structlog.get_logger(__name__)

_USUAL = (
    "/usr/bin/povray",
    "/usr/local/bin/povray",
    "/opt/povray*/bin/povray",
    "/opt/homebrew/bin/povray",
    "/opt/local/bin/povray",
)
_TRIAL = """#version 3.7;
#include "colors.inc"
global_settings { assumed_gamma 1 }
camera { location -3*z look_at 0 }
light_source { <2, 3, -4>, rgb White }
sphere { 0, 1 pigment { color Red } }
"""


def find(config: MethodConfig) -> list[Offered]:
    """Return the POV-Rays that work here: those that a person named first, else what is in the usual places.

    Raises:
        NotASetup: one that a person named does not work.
    """
    chosen = [_offered(program, must=True) for program in config.programs]
    usual = [_offered(program, must=False) for program in _usual()] if config.search else []
    return [one for one in (*chosen, *usual) if one is not None]


def libraries(program: Path) -> list[Path]:
    """Return the folders with the files that come with a POV-Ray."""
    share = program.resolve().parent.parent / "share"
    homes = sorted((path for path in share.glob("povray*") if (path / "include").is_dir()), reverse=True)
    return [folder for home in homes[:1] for folder in (home / "include", home)]


def _usual() -> Iterator[Path]:
    if sys.platform == "win32":
        return  # the program for Windows is a window; there is no POV-Ray for its command line
    seen: set[Path] = set()
    on_path = shutil.which("povray")
    places = [Path(on_path)] if on_path else []
    places += [path for pattern in _USUAL for path in sorted(Path("/").glob(pattern[1:]), reverse=True)]
    for path in places:
        if path.resolve() not in seen:
            seen.add(path.resolve())
            yield path


def _offered(program: Path, *, must: bool) -> Offered | None:
    program = program.expanduser().absolute()
    version = version_of(program)
    problem = _tried(program) if version else "it does not say the version of a POV-Ray"
    if not problem:
        detail = f"program {program}"[:200]
        return Offered(Offer(method="povray", version=version, detail=detail), Launcher("program", program))
    if must:
        raise NotASetup(f"{program} does not work as a POV-Ray: {problem}.", hint="Name the path of a povray program.")
    log.warning("Not offered", program=str(program), reason=problem)
    return None


def _tried(program: Path) -> str:
    """Render a few pixels; return why that does not work, else an empty text."""
    with tempfile.TemporaryDirectory(prefix="distren-povray-") as text:
        folder = Path(text)
        (folder / "trial.pov").write_text(_TRIAL)
        # Without the machine's own options files, and without a home: as sessions run it.
        (folder / "none.ini").touch()
        env = {**os.environ, "HOME": text, "POVINI": str(folder / "none.ini")}
        paths = [f"+L{library}" for library in libraries(program)]
        argv = [str(program), "trial.pov", "+W8", "+H8", "+Otrial.png", "-D", "-P", *paths]
        try:
            done = subprocess.run(
                argv, cwd=folder, env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"it does not render: {error}"
        if done.returncode == 0 and (folder / "trial.png").is_file():
            return ""
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        wrong = [line.strip() for line in said if "rror" in line] or said[-1:] or ["it said nothing"]
        return f"it does not render: {wrong[0][:300]}"
