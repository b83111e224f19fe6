"""Bake what simulates in a .blend, with a Blender of this machine."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from blender_addon.inspection import Inspection, from_report
from farm.methods.base import Offered
from farm.methods.blender.command import command, environment
from farm.methods.blender.find import version_key
from farm.methods.blender.header import check_whole, read_header
from farm.methods.blender.inspect import collector_script, fitting, read_report
from farm.words.errors import NotASetup, Refused

MARK = b"\x1e"
LINES = 50
"""So many of the last lines that Blender says are kept."""


def bake(blend: Path, blenders: Sequence[Offered], tell: Callable[[int, int], None]) -> Inspection:
    """Bake what simulates in a .blend and save it; Blender keeps the former file as `.blend1`.

    Args:
        blend: the file.
        blenders: those that work here.
        tell: called with the frame that is simulated now, and with the last one.

    Returns:
        What the file is now; its scenes' `physics` names what could not be baked.

    Raises:
        Refused: no .blend, damaged, or it needs its own Python.
        NotASetup: there is no Blender here of the file's version: another one's would change the file.
        RendererFailed: Blender crashed on it.
    """
    blend = blend.absolute()
    if not blend.is_file():
        raise Refused(f"{blend} is not there.", hint="Check the path.")
    header = read_header(blend)
    check_whole(blend)
    blender = fitting(header, blenders, blend)
    if version_key(blender.offer.version)[:2] != version_key(header.version):
        raise NotASetup(
            f"{blend} is of Blender {header.version}; here is {blender.offer.version}, which would save it as its own.",
            hint=f"Name a Blender {header.version} with --blender PATH, or bake in Blender.",
        )
    with tempfile.TemporaryDirectory(prefix="distren-bake-", ignore_cleanup_errors=True) as name:
        out = Path(name) / "report.json"
        argv = command(blender.launcher, collector_script(), (str(out), "null", str(blend), "bake"))
        said = _run(argv, Path(name), tell)
        return from_report(read_report(out, blender, blend, said), header.version)


def _run(argv: list[str], scratch: Path, tell: Callable[[int, int], None]) -> list[str]:
    """Run a Blender as long as it takes; return the last lines that it said."""
    said: deque[str] = deque(maxlen=LINES)
    with subprocess.Popen(
        argv,
        env=environment(scratch),
        cwd=scratch,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith(MARK):
                    told = json.loads(line[1:])
                    tell(told["frame"], told["last"])
                else:
                    said.append(line.decode(errors="replace").strip())
        finally:
            process.kill()  # Ctrl-C: half a bake is not saved
    return [line for line in said if line]
