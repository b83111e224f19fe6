"""What a POV-Ray job needs: the scene, and the files that it and its included files name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from farm.methods.base import Plan
from farm.methods.povray.inifile import LARGEST
from farm.methods.povray.shot import BESIDE, shot
from farm.methods.povray.tileable import reasons

_NAMED = re.compile(r'"([^"\n]{1,500})"')
_TEXTS = (".pov", ".inc", ".mcr", ".ini")
_SEARCHED = 20_000_000
"""Bytes of a scene that are searched for names; what is longer is a mesh."""

_RENAMED = {"resolution_x": "width", "resolution_y": "height"}


def plan(source: Path, wishes: dict[str, Any]) -> Plan:
    """Return what a scene or an `.ini` needs.

    Every text in quotes in a scene that is the name of a file here counts as one that it uses. What a
    scene puts together from parts is not found: a package has it.

    Args:
        source: the `.pov` or `.ini`.
        wishes: settings that the person wants.

    Raises:
        BadSetting: a line of an `.ini` is wrong.
    """
    settings = {_RENAMED.get(name, name): value for name, value in wishes.items()}
    source = Path(os.path.abspath(source))  # noqa: PTH100  links keep their names, as the scene says them
    files = [source, *_found(source)]
    root = _root(files)
    wanted = shot(source.relative_to(root).as_posix(), settings, lambda path: _read(root / path))
    missing = [] if (root / wanted.scene).is_file() else [f"The scene {wanted.scene} is missing."]
    size = int(wanted.options["width"]), int(wanted.options["height"])
    seams = reasons(text for path in files if (text := _scene_text(path)) is not None)
    return Plan(root, tuple(files), settings, wanted.frames, tuple(missing), wanted.messages, size, tuple(seams))


def _scene_text(path: Path) -> str | None:
    return _read(path) if path.suffix.lower() in _TEXTS and path.suffix.lower() != ".ini" else None


def _found(source: Path) -> list[Path]:
    """Return the files that a scene uses, and those that they use."""
    home, seen, todo = source.parent, dict[Path, None](), [source, source.parent / BESIDE]
    while todo:
        path = todo.pop()
        if path in seen or not path.is_file():
            continue
        seen[path] = None
        text = _read(path) if path.suffix.lower() in _TEXTS else None
        todo += [place for name in _names(path, text or "") for place in _places(home, path, name)]
    return [path for path in seen if path != source]


def _names(path: Path, text: str) -> list[str]:
    quoted = _NAMED.findall(text)
    if path.suffix.lower() != ".ini":
        return quoted
    return [*quoted, *re.findall(r"[^\s=\"+;]+\.(?:pov|ini)\b", text)]


def _places(home: Path, path: Path, name: str) -> list[Path]:
    """Return where a name may lead: from the scene's folder as POV-Ray does, for an `.ini` from its own."""
    name = name.replace("\\", "/")
    if name.startswith(("/", "~")) or ":" in name:
        return []
    return [Path(os.path.normpath(base / name)) for base in dict.fromkeys((home, path.parent))]


def _root(paths: list[Path]) -> Path:
    """Return the deepest folder with all files in it."""
    root = paths[0].parent
    while not all(path.is_relative_to(root) for path in paths):
        root = root.parent
    return root


def _read(path: Path) -> str | None:
    if not path.is_file():
        return None
    most = LARGEST + 1 if path.suffix.lower() == ".ini" else _SEARCHED
    with path.open("rb") as stream:
        return stream.read(most).decode("utf-8", "replace")
