"""Install the `bpy` package into an environment of its own, where there is no Blender."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from farm.methods.base import Launcher, Offered
from farm.methods.blender.command import PACKAGE
from farm.methods.blender.find import offered
from farm.methods.blender.libraries import install, missing
from farm.methods.blender.places import PART, python_of
from farm.methods.blender.trial import try_it
from farm.words.errors import NotASetup

log = structlog.get_logger(__name__)

WHEELS = {(3, 11): "bpy==4.5.*", (3, 13): "bpy==5.2.*"}
"""The wheels on PyPI by Python version; none for others."""

INSTALL_SECONDS = 3600
SPACE = 2_500_000_000
"""Bytes that the wheel and what is in it need while installing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A Python and the wheel that fits it."""

    python: Path
    wheel: str
    name: str


def provision(folder: Path, tell: Callable[[str], None] = lambda _: None, cache: Path | None = None) -> Offered:
    """Return a Blender in an environment below a folder; makes it if it is not there yet.

    Args:
        folder: where environments are kept; a name in :class:`MethodConfig.environments`.
        tell: hears what is being done, in sentences.
        cache: where trials are remembered.

    Raises:
        NotASetup: no fitting Python, no space, no network, or shared libraries are missing;
            says the one command that mends it.
    """
    plan = _plan()
    home = folder / plan.name
    if not python_of(home).is_file():
        _make(plan, home, tell)
    _with_libraries(home, tell)
    launcher = Launcher(PACKAGE, python_of(home))
    answer = try_it(launcher, cache)
    if answer.problem:
        raise NotASetup(
            f"bpy is installed in {home} but does not work: {answer.problem[-500:]}", hint=f"Delete {home}."
        )
    return offered(launcher, answer)


def _plan() -> Plan:
    for version, wheel in sorted(WHEELS.items(), key=lambda w: w[0] != sys.version_info[:2]):
        python = _python(version)
        if python is not None:
            return Plan(python, wheel, "bpy-" + wheel.removeprefix("bpy==").removesuffix(".*"))
    here = platform.python_version()
    raise NotASetup(
        f"No Blender was found, and PyPI has no bpy for Python {here}: only for 3.11 and 3.13.",
        hint="Install Blender from https://www.blender.org/download/, or Python 3.11 or 3.13.",
    )


def _python(version: tuple[int, int]) -> Path | None:
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    found = shutil.which(f"python{version[0]}.{version[1]}")
    # A shim may be there for a version that is not.
    works = found and subprocess.run([found, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0
    return Path(found) if found and works else None


def _make(plan: Plan, home: Path, tell: Callable[[str], None]) -> None:
    """Install beside, then rename: a broken-off installation is never taken for a whole one."""
    home.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home.parent).free
    if free < SPACE:
        raise NotASetup(
            f"Only {free / 1e9:.1f} GB are free in {home.parent}; bpy needs {SPACE / 1e9:.1f} GB.", hint="Make space."
        )
    _drop_broken_off(home)
    part = home.with_name(f"{home.name}{PART}{os.getpid()}")
    tell(f"Installing {plan.wheel.replace('==', ' ')} from PyPI into {home} (370 MB) …")
    try:
        _run([str(plan.python), "-m", "venv", str(part)], "make an environment", "Install python3-venv.")
        options = ["--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--quiet"]
        pip = [str(python_of(part)), "-m", "pip", "install", *options, plan.wheel]
        _run(
            pip,
            f"install {plan.wheel}",
            "Check the network, or install Blender from https://www.blender.org/download/.",
        )
        shutil.rmtree(home, ignore_errors=True)
        # Only `python -m pip` and `python` are used of it, and they bear a move.
        part.rename(home)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _drop_broken_off(home: Path) -> None:
    """Remove what killed processes left: nearly a gigabyte each."""
    for part in home.parent.glob(f"{home.name}{PART}*"):
        number = part.name.rpartition("-")[2]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            shutil.rmtree(part, ignore_errors=True)


def _with_libraries(home: Path, tell: Callable[[str], None]) -> None:
    lacking = missing(home)
    if lacking:
        install(lacking, tell)
        lacking = missing(home)
    if lacking:
        raise NotASetup(f"bpy still lacks shared libraries: {', '.join(lacking)}.", hint="Install what holds them.")


def _run(argv: list[str], what: str, mend: str) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=INSTALL_SECONDS, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotASetup(f"Could not {what}: {error}", hint=mend) from error
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).strip().splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no reason given")
        raise NotASetup(f"Could not {what}: {said[:400]}", hint=mend)
    log.info("A step of the installation is done", what=what)
