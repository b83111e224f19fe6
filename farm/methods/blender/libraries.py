"""Shared libraries of the system that bpy needs, and how to get them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from farm.words.errors import NotASetup

PACKAGES = {
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libX11.so.6": "libx11-6",
    "libXi.so.6": "libxi6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libXfixes.so.3": "libxfixes3",
    "libXrender.so.1": "libxrender1",
    "libXext.so.6": "libxext6",
    "libgomp.so.1": "libgomp1",
    "libdrm.so.2": "libdrm2",
    "libstdc++.so.6": "libstdc++6",
}
"""Library → the Debian and Ubuntu package that holds it."""

DRAWING = ("libEGL.so.1",)
"""Not linked, but loaded when EEVEE or Workbench draw; without them the process aborts."""

MESA = ("libegl-mesa0", "libgl1-mesa-dri")
"""What EGL draws with where there is no graphics card."""

_ABSENT = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)
_IMPORT = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")
APT_SECONDS = 900

LISTS = Path("/var/lib/apt/lists")
"""What apt knows of packages, after `apt-get update`."""


def missing(environment: Path) -> list[str]:
    """Return the libraries that an environment's bpy lacks here; empty where that can't be told."""
    if not sys.platform.startswith("linux"):
        return []
    modules = sorted(environment.glob("lib/python3*/site-packages/bpy/__init__*.so"))
    lacking = {name for module in modules for name in _linked(module)}
    lacking |= {name for name in DRAWING if not _loads(name)}
    return sorted(lacking)


def install(libraries: Iterable[str], tell: Callable[[str], None]) -> None:
    """Install libraries by apt if this process may.

    Raises:
        NotASetup: it may not, or does not know how; the hint is the one command.
    """
    packages = packages_of(libraries)
    advice = "apt-get install -y --no-install-recommends " + " ".join(packages)
    first = "" if _knows_packages() else "apt-get update && "
    text = f"bpy needs shared libraries that are missing: {', '.join(libraries)}."
    if not shutil.which("apt-get"):
        raise NotASetup(text, hint="Install the packages of your system that hold them.")
    if os.geteuid() != 0:
        raise NotASetup(text, hint=f"Run: {first and f'sudo {first}'}sudo {advice}")
    tell(f"{text} Running {advice} …")
    if _apt("install", "-y", "--no-install-recommends", *packages) and not (
        _apt("update") == 0 and _apt("install", "-y", "--no-install-recommends", *packages) == 0
    ):
        raise NotASetup(f"{text} apt-get could not install them.", hint=f"Run: {first}{advice}")


def packages_of(libraries: Iterable[str]) -> list[str]:
    """Return the Debian packages that hold libraries, with what EGL draws with."""
    known = {PACKAGES[name] for name in libraries if name in PACKAGES}
    return sorted(known | (set(MESA) if "libegl1" in known else set()))


def _knows_packages() -> bool:
    """Tell whether apt has lists of packages: small images come without."""
    return any(LISTS.glob("*_Packages*"))


def _linked(module: Path) -> set[str]:
    if not shutil.which("ldd"):
        return set()
    done = subprocess.run(["ldd", str(module)], capture_output=True, text=True, errors="replace")
    return set(_ABSENT.findall(done.stdout))


def _loads(name: str) -> bool:
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, errors="replace")
    return done.returncode == 0 or not _IMPORT.search(done.stderr)


def _apt(*arguments: str) -> int:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(
            ["apt-get", "-q", *arguments], capture_output=True, env=env, timeout=APT_SECONDS
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 1
