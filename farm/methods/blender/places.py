"""Where Blenders usually are."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from farm.methods.base import PART, Launcher, MethodConfig
from farm.methods.blender.command import PACKAGE, PROGRAM

_LINUX = (
    "/opt/blender*/blender",
    "/usr/local/blender*/blender",
    "/usr/local/bin/blender*",
    "/usr/bin/blender",
    "/snap/bin/blender",
    "~/blender*/blender",
    "~/Applications/blender*/blender",
    "~/.local/bin/blender",
    "~/.local/share/blender*/blender",
)
_MAC = ("/Applications/Blender*.app/Contents/MacOS/Blender", "~/Applications/Blender*.app/Contents/MacOS/Blender")
_WINDOWS = ("Blender Foundation/Blender*/blender.exe", "Steam/steamapps/common/Blender/blender.exe")


def candidates(config: MethodConfig) -> Iterator[Launcher]:
    """Yield everything that may be a Blender, those that a person named first, each once."""
    seen: set[Path] = set()
    for launcher in _all(config):
        # A virtual environment's python is a link to the system's: only the link says where bpy is.
        place = launcher.program.absolute() if launcher.kind == PACKAGE else launcher.program.resolve()
        if launcher.program.is_file() and place not in seen:
            seen.add(place)
            yield launcher


def named(path: Path) -> Launcher:
    """Return how to start what a person named: a Blender, a Python, or a folder with either."""
    path = path.expanduser()
    if path.is_dir():
        inside = (path / "blender", path / "blender.exe", path / "Contents/MacOS/Blender", python_of(path))
        path = next((p for p in inside if p.is_file()), path)
    kind = PACKAGE if path.name.lower().startswith("python") else PROGRAM
    return Launcher(kind, path)


def python_of(environment: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _all(config: MethodConfig) -> Iterator[Launcher]:
    yield from map(named, config.programs)
    for folder in config.environments:
        yield from (Launcher(PACKAGE, python_of(f)) for f in (folder, *_folders(folder)))
    if config.search:
        yield from (Launcher(PROGRAM, path) for path in _usual())


def _folders(folder: Path) -> list[Path]:
    whole = (p for p in folder.iterdir() if p.is_dir() and PART not in p.name) if folder.is_dir() else ()
    return sorted(whole, reverse=True)


def _usual() -> Iterator[Path]:
    on_path = shutil.which("blender")
    if on_path:
        yield Path(on_path)
    for pattern in _patterns():
        root = Path(pattern.anchor)
        yield from sorted(root.glob(str(pattern.relative_to(root))), reverse=True)


def _patterns() -> list[Path]:
    if sys.platform == "win32":
        bases = {os.environ.get(k, "") for k in ("ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA")} - {""}
        return [Path(base) / pattern for base in sorted(bases) for pattern in _WINDOWS]
    return [Path(p).expanduser() for p in (_MAC if sys.platform == "darwin" else _LINUX)]
