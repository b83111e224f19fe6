"""Try a Blender by running it, and remember what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from farm.methods.base import Launcher
from farm.methods.blender.command import command

PROBE = Path(__file__).parent / "inside" / "probe.py"
SECONDS = 60.0
"""The longest that a trial may take: a cold start from a slow disk, not more."""

MARK = "\x1e"
FORMAT = 3
"""Raised when the meaning of the remembered answers changes."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a Blender said of itself; `problem` is empty if it works."""

    version: str = ""
    engines: tuple[str, ...] = ()
    denoiser: bool = False
    devices: tuple[str, ...] = ()
    problem: str = ""


def try_it(launcher: Launcher, cache: Path | None = None) -> Answer:
    """Run a Blender and ask for its version and engines.

    Args:
        launcher: what may be a Blender.
        cache: a file of earlier answers, by path and time of change.
    """
    remembered = _read(cache)
    key = _key(launcher)
    if key in remembered:
        known = remembered[key]
        return Answer(**{**known, "engines": tuple(known["engines"]), "devices": tuple(known["devices"])})
    answer = _ask(launcher)
    if not answer.problem:
        _remember(cache, {**remembered, key: _plain(answer)})
    return answer


def _ask(launcher: Launcher) -> Answer:
    facts, said = _run(launcher)
    if "version" not in facts:
        log.info("This is no Blender that works here", program=str(launcher.program), said=said[-300:])
        return Answer(problem=said or "It said nothing.")
    engines = facts["engines"]
    if not _run(launcher, "--gl")[0].get("gl"):
        log.info("This Blender can't draw here: only Cycles is offered", program=str(launcher.program))
        engines = [e for e in engines if e == "CYCLES"]
    version = ".".join(map(str, facts["version"]))
    return Answer(version, tuple(engines), bool(facts["denoiser"]), tuple(facts["devices"]))


def _run(launcher: Launcher, *arguments: str) -> tuple[dict[str, Any], str]:
    """Return the probe's answer, and else the end of what the program said."""
    with tempfile.TemporaryDirectory(prefix="distren-probe-") as home:
        env = {
            **os.environ,
            "BLENDER_USER_RESOURCES": home,
            "BLENDER_USER_CONFIG": home,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv = command(launcher, PROBE, arguments)
        try:
            done = subprocess.run(
                argv, capture_output=True, timeout=SECONDS, cwd=home, env=env, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return {}, str(error)
    text = done.stdout.decode(errors="replace")
    lines = [line[1:] for line in text.split("\n") if line.startswith(MARK)]
    said = (text + done.stderr.decode(errors="replace")).strip()
    return (json.loads(lines[-1]), said) if lines else ({}, said or f"It ended with code {done.returncode}.")


def _key(launcher: Launcher) -> str:
    stat = launcher.program.stat()
    # For bpy, the interpreter never changes: the folder where packages are installed does.
    home = launcher.program.parent.parent
    packages = [*home.glob("lib/python3*/site-packages/bpy"), *home.glob("Lib/site-packages/bpy")]
    times = (
        [stat.st_mtime_ns, *(p.stat().st_mtime_ns for p in packages)] if launcher.kind == "bpy" else [stat.st_mtime_ns]
    )
    return json.dumps([FORMAT, launcher.kind, str(launcher.program.absolute()), stat.st_size, *times])


def _plain(answer: Answer) -> dict[str, Any]:
    facts = {"version": answer.version, "engines": list(answer.engines), "denoiser": answer.denoiser}
    return {**facts, "devices": list(answer.devices)}


def _read(cache: Path | None) -> dict[str, Any]:
    try:
        known = json.loads(cache.read_text()) if cache else {}
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(cache: Path | None, known: dict[str, Any]) -> None:
    if cache is None:
        return
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        part = cache.with_name(f"{cache.name}.{os.getpid()}")
        part.write_text(json.dumps(known))
        part.replace(cache)
    except OSError as error:
        log.warning("What was found out about the Blenders here can't be kept", file=str(cache), error=str(error))
