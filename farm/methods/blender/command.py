"""The command line and the environment that run a script of ours in a Blender."""

from __future__ import annotations

import os
from pathlib import Path

from farm.methods.base import Launcher

PROGRAM, PACKAGE = "program", "bpy"
"""The two kinds of Blender: an executable, and a Python that can `import bpy`."""

SCRIPT_FAILED = 97
"""The exit code of a Blender whose script raised: without this option it is 0."""


_KEPT = (
    "PATH",
    "SYSTEMROOT",
    "WINDIR",
    "LANG",
    "LC_ALL",
    "TZ",
    "LD_LIBRARY_PATH",
    "MESA_SHADER_CACHE_DIR",
    "OCIO",
    "DISPLAY",
)
"""What the renderer may see of the slave's environment: never its passwords."""


def command(launcher: Launcher, script: Path, arguments: tuple[str, ...] = ()) -> list[str]:
    """Return the argument list that runs a script, with factory settings and the file's scripts off.

    Args:
        launcher: the Blender.
        script: a Python file; it finds its arguments in `sys.argv` behind `--`.
        arguments: those arguments.
    """
    if launcher.kind == PACKAGE:
        return [str(launcher.program), "-B", str(script), "--", *arguments]
    options = ["-b", "--factory-startup", "-Y", "-noaudio", "--python-exit-code", str(SCRIPT_FAILED)]
    return [str(launcher.program), *options, "--python", str(script), "--", *arguments]


def environment(scratch: Path) -> dict[str, str]:
    """Return the variables that a renderer gets: nothing secret, and a home of its own."""
    kept = {k: os.environ[k] for k in _KEPT if k in os.environ}
    shaders = {"MESA_SHADER_CACHE_DIR": str(scratch / "shaders")}
    homes = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "BLENDER_USER_RESOURCES"), str(scratch))
    own = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    return {**shaders, **kept, **homes, **own}
