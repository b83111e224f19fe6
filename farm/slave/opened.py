"""What a renderer said of its work, read with suspicion: it ran somebody's job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.slave.wire import number


@dataclass(frozen=True, slots=True)
class Done:
    """A rendered frame: files by the name the artist wants to see; times in seconds, memory in bytes.

    Args:
        seconds: from the order to the end, of which `prepare` went by before the first sample, and
            `write` after the last.
        idle: seconds that the renderer had nothing to do before it.
    """

    files: dict[str, Path]
    seconds: float
    cpu_seconds: float
    load_seconds: float
    memory_bytes: int
    prepare: float = 0.0
    write: float = 0.0
    idle: float = 0.0


def read_done(event: dict[str, Any], output: Path) -> Done | None:
    """Return what a `done` event says; None if a file is none of this frame's, or there is none."""
    named = event.get("files")
    if not isinstance(named, list) or not named:
        return None
    files = {}
    for text in named:
        path = Path(text) if isinstance(text, str) else None
        if path is None or not _inside(path, output):
            return None
        files[path.relative_to(output).as_posix()] = path
    seconds, cpu, load = (number(event, name) for name in ("seconds", "cpu_seconds", "load_seconds"))
    steps = {name: number(event, f"{name}_seconds") for name in ("prepare", "write", "idle")}
    return Done(files, seconds, cpu, load, int(number(event, "memory")), **steps)


def _inside(path: Path, folder: Path) -> bool:
    """Tell whether a path is a plain file below a folder, reached by no link."""
    try:
        plain = path.is_file() and not path.is_symlink() and path.is_relative_to(folder)
        return plain and path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
