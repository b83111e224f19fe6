"""What a .blend uses and says, found out by a Blender with the add-on's own collector."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from blender_addon.inspection import Inspection, from_report
from farm.methods.base import Offered
from farm.methods.blender.command import command, environment
from farm.methods.blender.find import version_key
from farm.methods.blender.header import Header, check_whole, read_header
from farm.package.addon import sources
from farm.words.errors import NotASetup, Refused, RendererFailed
from farm.words.ranges import FrameRange

SECONDS = 300.0
"""The longest that reading a .blend may take."""

LOG_BYTES = 1_000_000
"""So much of what Blender says is read."""

_NO_ENGINE = re.compile(r"Engine '(.*)' not available for scene '(.*)'")


def inspect(
    blend: Path, blenders: Sequence[Offered], frames: FrameRange | None = None, seconds: float = SECONDS
) -> Inspection:
    """Find out all about a .blend.

    Args:
        blend: the file.
        blenders: those that work here, as :func:`farm.methods.blender.find.find` returns them.
        frames: the frames that will be rendered; None: those that the file says.
        seconds: the longest that it may take.

    Raises:
        Refused: no .blend, damaged, or of a newer Blender than any here.
        NotASetup: there is no Blender here.
        RendererFailed: Blender crashed or hung on it.
    """
    blend = blend.absolute()
    if not blend.is_file():
        raise Refused(f"{blend} is not there.", hint="Check the path.")
    header = read_header(blend)
    check_whole(blend)
    chosen = fitting(header, blenders, blend)
    return from_report(_report(chosen, blend, frames, seconds), header.version)


def fitting(header: Header, blenders: Sequence[Offered], blend: Path) -> Offered:
    """Return the Blender that reads a file best: its own version, else the next newer one.

    Raises:
        Refused: all are older than the file; older ones crash, or lose data.
        NotASetup: there is none.
    """
    if not blenders:
        raise NotASetup(
            "No Blender was found here; one is needed to read what the .blend uses.",
            hint="Install Blender, name it with --blender PATH, or run `distren demo` once, which installs bpy.",
        )
    wanted = version_key(header.version)
    able = [b for b in blenders if version_key(b.offer.version)[:2] >= wanted]
    if not able:
        here = ", ".join(sorted({b.offer.version for b in blenders}, key=version_key))
        raise Refused(
            f"{blend} was saved by Blender {header.version}, which is newer than any here ({here}).",
            hint=f"Install Blender {header.version} or newer, and name it with --blender PATH.",
        )
    return min(able, key=lambda b: version_key(b.offer.version)[:2])


def collector_script() -> Path:
    """Return the add-on's script that writes a report."""
    return sources() / "report.py"


def read_report(out: Path, blender: Offered, blend: Path, said: Sequence[str]) -> dict[str, Any]:
    """Return what a Blender wrote about a .blend.

    Args:
        out: the file that it wrote.
        blender: the Blender.
        blend: the file that it looked at.
        said: the last lines that it said.

    Raises:
        RendererFailed: it wrote nothing.
        Refused: it can't open the .blend, or do what was asked.
    """
    if not out.is_file():
        raise RendererFailed(
            f"Blender {blender.offer.version} crashed on {blend}: {' / '.join(said[-3:]) or 'it said nothing'}",
            hint="Open the file in Blender and save it anew, or name another Blender with --blender PATH.",
        )
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    if "error" in report:
        raise Refused(f"Blender {blender.offer.version} can't open {blend}: {report['error']}")
    _name_engines(report, said)
    return report


def _report(blender: Offered, blend: Path, frames: FrameRange | None, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="distren-inspect-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        out = scratch / "report.json"
        wanted = json.dumps(None if frames is None else list(frames))
        argv = command(blender.launcher, collector_script(), (str(out), wanted, str(blend)))
        said = _run(argv, scratch, blend, seconds)
        return read_report(out, blender, blend, said)


def _name_engines(report: dict[str, Any], said: Iterable[str]) -> None:
    """Give scenes their engines of add-ons: Blender, which has none here, shows EEVEE instead."""
    lost = {told[2]: told[1] for told in map(_NO_ENGINE.search, said) if told}
    for scene in (report["scene"], *report["scenes"]):
        scene["engine"] = lost.get(scene["name"], scene["engine"])


def _run(argv: list[str], scratch: Path, blend: Path, seconds: float) -> list[str]:
    """Run a Blender; return the last lines that it said."""
    with (scratch / "log").open("w+b") as log:
        try:
            subprocess.run(
                argv,
                env=environment(scratch),
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise RendererFailed(f"Reading {blend} took longer than {seconds:.0f} s.") from None
        except OSError as error:
            raise NotASetup(f"{argv[0]} can't be started: {error.strerror}.") from error
        log.seek(0)
        return log.read()[-LOG_BYTES:].decode(errors="replace").strip().splitlines()
