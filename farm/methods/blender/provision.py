"""Install the `bpy` package into an environment of its own, where there is no Blender."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from farm.methods.base import PART, Launcher, Offered
from farm.methods.blender.command import PACKAGE
from farm.methods.blender.find import offered
from farm.methods.blender.libraries import install, missing
from farm.methods.blender.places import python_of
from farm.methods.blender.trial import try_it
from farm.words.errors import NotASetup

log = structlog.get_logger(__name__)

PYTHONS = {
    "4.5": (3, 11),
    "5.2": (3, 13),
    "5.1": (3, 13),
    "5.0": (3, 11),
    "4.4": (3, 11),
    "4.3": (3, 11),
    "4.2": (3, 11),
}
"""The Python that PyPI's wheels of each version are made for; first those to take where any will do."""

INSTALL_SECONDS = 3600
SPACE = 2_500_000_000
"""Bytes that the wheel and what is in it need while installing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A Python and the wheel that fits it."""

    python: Path
    wheel: str
    name: str


def provision(
    folder: Path,
    tell: Callable[[str], None] = lambda _: None,
    cache: Path | None = None,
    *,
    version: str = "",
    limit: int | None = None,
) -> Offered:
    """Return a Blender in an environment below a folder; makes it if it is not there yet.

    Args:
        folder: where environments are kept; a name in :class:`MethodConfig.environments`.
        tell: hears what is being done, in sentences.
        cache: where trials are remembered.
        version: `4.5` (its newest patch) or `4.5.9`; empty: whichever fits the Python here.
        limit: bytes that all environments in the folder may use; None: all that are free.

    Raises:
        NotASetup: no fitting Python, no space, no network, or shared libraries are missing;
            says the one command that mends it.
    """
    plan = _plan(version)
    home = folder / plan.name
    if not python_of(home).is_file():
        _make(plan, home, tell, limit)
    _with_libraries(home, tell)
    launcher = Launcher(PACKAGE, python_of(home))
    answer = try_it(launcher, cache)
    if answer.problem:
        shutil.rmtree(home, ignore_errors=True)
        raise NotASetup(f"bpy {plan.wheel.removeprefix('bpy==')} does not work here: {answer.problem[-500:]}")
    return offered(launcher, answer)


def installable() -> list[str]:
    """Return the versions (`major.minor`) for which there is a wheel on PyPI and a Python here."""
    here = {python for python in set(PYTHONS.values()) if _python(python) is not None}
    return sorted(version for version, python in PYTHONS.items() if python in here)


def _plan(version: str) -> Plan:
    if not version:
        return _any_plan()
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
        raise NotASetup(f"“{version}” is no version of Blender.")
    line = ".".join(version.split(".")[:2])
    needs = PYTHONS.get(line)
    python = _python(needs) if needs else None
    if needs is None:
        raise NotASetup(
            f"PyPI has no bpy {version}.", hint="Install this Blender from https://www.blender.org/download/."
        )
    if python is None:
        dotted = ".".join(map(str, needs))
        raise NotASetup(f"bpy {version} needs Python {dotted}, which is not here.", hint=f"Install Python {dotted}.")
    return Plan(python, f"bpy=={version}" + ("" if version != line else ".*"), f"bpy-{version}")


def _any_plan() -> Plan:
    for version, needs in sorted(PYTHONS.items(), key=lambda w: w[1] != sys.version_info[:2]):
        if _python(needs) is not None:
            return _plan(version)
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


def _make(plan: Plan, home: Path, tell: Callable[[str], None], limit: int | None) -> None:
    """Install beside, then rename: a broken-off installation is never taken for a whole one."""
    home.parent.mkdir(parents=True, exist_ok=True)
    _drop_broken_off(home)
    _check_space(home.parent, limit)
    part = home.with_name(f"{home.name}{PART}{os.getpid()}")
    tell(f"Installing {plan.wheel.replace('==', ' ')} from PyPI into {home} (370 MB) …")
    try:
        _run([str(plan.python), "-m", "venv", str(part)], "make an environment", "Install python3-venv.")
        _fetch(plan, part)
        shutil.rmtree(home, ignore_errors=True)
        # Only `python -m pip` and `python` are used of it, and they bear a move.
        part.rename(home)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fetch(plan: Plan, part: Path) -> None:
    """Install the wheel; pip refuses files without the hash that the index publishes for them."""
    options = ["--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--quiet"]
    _run(
        [str(python_of(part)), "-m", "pip", "install", *options, plan.wheel],
        f"install {plan.wheel}",
        "Check the network, or install Blender from https://www.blender.org/download/.",
        part,
    )


def _check_space(folder: Path, limit: int | None) -> None:
    free = shutil.disk_usage(folder).free
    if free < SPACE:
        raise NotASetup(
            f"Only {free / 1e9:.1f} GB are free in {folder}; bpy needs {SPACE / 1e9:.1f} GB.", hint="Make space."
        )
    used = sum(file.lstat().st_size for file in folder.rglob("*") if limit is not None)
    if limit is not None and used + SPACE > limit:
        raise NotASetup(
            f"Installed packages use {used / 1e9:.1f} GB, and bpy needs {SPACE / 1e9:.1f} GB: "
            f"that is more than provision_size, {limit / 1e9:.1f} GB.",
            hint=f"Delete a version from {folder}, or raise provision_size in slave.conf.",
        )


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


def _run(argv: list[str], what: str, mend: str, temporary: Path | None = None) -> None:
    """Run a step; its temporary files go where they are removed even if it is killed."""
    env = {**os.environ, "TMPDIR": str(temporary)} if temporary else None
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=INSTALL_SECONDS, errors="replace", env=env)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotASetup(f"Could not {what}: {error}", hint=mend) from error
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).strip().splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no reason given")
        raise NotASetup(f"Could not {what}: {said[:400]}", hint=mend)
    log.info("A step of the installation is done", what=what)
