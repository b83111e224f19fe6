"""Real Blenders for tests: those of this machine, and a bpy that the test run installs once."""

from __future__ import annotations

import fcntl
import os
import subprocess
from functools import cache
from pathlib import Path

from farm.methods.base import MethodConfig, Offered
from farm.methods.blender.command import command, environment
from farm.methods.blender.find import find
from farm.methods.blender.provision import provision

HOME = Path(os.environ.get("DISTREN_TEST_BLENDERS", Path.home() / ".cache" / "distren-test"))


@cache
def blenders() -> tuple[Offered, ...]:
    """Return one Blender of each version, the oldest first; at least one is a bpy package."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes, one installation
        found = _found()
        if not any(o.launcher.kind == "bpy" for o in found):
            provision(HOME, cache=HOME / "tried.json")
            found = _found()
    return tuple({o.offer.version: o for o in found}.values())


def _found() -> list[Offered]:
    return find(MethodConfig(environments=(HOME,), cache=HOME / "tried.json"))[::-1]


def two() -> list[Offered]:
    """Return the oldest program and a bpy package (4.5 if it is there): enough to see both kinds."""
    all_ = blenders()
    packages = [o for o in all_ if o.launcher.kind == "bpy"]
    package = next((o for o in packages if o.offer.version.startswith("4.5")), packages[0])
    return [*[o for o in all_ if o.launcher.kind == "program"][:1], package]


@cache
def newest() -> Offered:
    """Return a bpy 5.0, apart from the others: since 5.0 compositor and outputs are others."""
    apart = HOME / "apart"
    apart.mkdir(parents=True, exist_ok=True)
    with (apart / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return provision(apart, cache=apart / "tried.json", version="5.0")


def run_inside(blender: Offered, script: Path, folder: Path, *arguments: str) -> None:
    """Run a script in a Blender and fail with what it said."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command(blender.launcher, script, arguments),
        env=environment(folder), cwd=folder, capture_output=True, text=True, timeout=120, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
