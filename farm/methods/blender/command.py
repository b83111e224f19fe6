"""The command line that runs a script of ours in a Blender."""

from __future__ import annotations

from pathlib import Path

from farm.methods.base import Launcher

PROGRAM, PACKAGE = "program", "bpy"
"""The two kinds of Blender: an executable, and a Python that can `import bpy`."""

SCRIPT_FAILED = 97
"""The exit code of a Blender whose script raised: without this option it is 0."""


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
