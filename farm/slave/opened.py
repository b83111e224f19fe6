"""What a renderer said of its work, read with suspicion: it ran somebody's job."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from farm.slave.wire import number


@dataclass(frozen=True, slots=True)
class Shape:
    """What a picture must be like: pixels, and channels; 0: any will do."""

    width: int = 0
    height: int = 0
    channels: int = 0

    def objection(self, width: int, height: int, channels: int) -> str:
        """Return what is wrong with a picture, as a sentence; else an empty text.

        A border's edges lie between pixels: there, one more or less is right.
        """
        if self.width and (abs(width - self.width) > 1 or abs(height - self.height) > 1):
            return f"It is {width}x{height} pixels large, not {self.width}x{self.height}."
        if self.channels and channels != self.channels:
            return f"It has {channels} channels, not {self.channels}."
        return ""


@dataclass(frozen=True, slots=True)
class Done:
    """A rendered frame: files by the name the artist wants to see; times in seconds, memory in bytes.

    Args:
        seconds: from the order to the end, of which `prepare` went by before the first sample, and
            `write` after the last.
        idle: seconds that the renderer had nothing to do before it.
        pictures: those of the files that are the frame's pictures, not something beside them.
        preview: a picture to make the thumbnail of, where the files themselves can't be shown.
    """

    files: dict[str, Path]
    seconds: float
    cpu_seconds: float
    load_seconds: float
    memory_bytes: int
    prepare: float = 0.0
    write: float = 0.0
    idle: float = 0.0
    pictures: dict[str, Shape] = field(default_factory=dict)
    preview: Path | None = None

    def moved(self, move: Callable[[Iterable[str]], dict[str, Path]]) -> Done:
        """Return it with its files in another place.

        Args:
            move: takes their names and returns where they are.
        """
        names = [*self.files, *([self.preview.name] if self.preview else [])]
        files = move(names)
        preview = files.pop(self.preview.name) if self.preview else None
        return replace(self, files=files, preview=preview)

    def below(self, folder: str) -> Done:
        """Return it with its files named as in a folder; where they are is not changed."""
        named = {f"{folder}/{name}": path for name, path in self.files.items()}
        return replace(self, files=named, pictures={f"{folder}/{n}": shape for n, shape in self.pictures.items()})


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
    preview = Path(str(event.get("preview") or output))
    shown = preview if preview.parent == output and preview.name not in files and _inside(preview, output) else None
    steps = {name: number(event, f"{name}_seconds") for name in ("prepare", "write", "idle")}
    memory = int(number(event, "memory"))
    return Done(files, seconds, cpu, load, memory, **steps, pictures=_pictures(event, files), preview=shown)


def _pictures(event: dict[str, Any], files: dict[str, Path]) -> dict[str, Shape]:
    """Return which of the files are the frame's pictures, and what they must be like."""
    told = event.get("pictures")
    if not isinstance(told, dict):
        return {}
    shapes = {name: told.get(str(path)) for name, path in files.items()}
    return {name: Shape(*shape) for name, shape in shapes.items() if shape and _is_shape(shape)}


def _is_shape(told: Any) -> bool:
    return isinstance(told, list) and len(told) == 3 and all(isinstance(n, int) for n in told)


def _inside(path: Path, folder: Path) -> bool:
    """Tell whether a path is a plain file below a folder, reached by no link."""
    try:
        plain = path.is_file() and not path.is_symlink() and path.is_relative_to(folder)
        return plain and path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
