"""Give absolute paths of the artist's machine their place in the job's folder.

Paths that begin with `//` need nothing: the tree is the artist's own.
"""

from __future__ import annotations

import os

import bpy

from blender_addon.scene_nodes import strips

ROUNDS = 12
"""How deep libraries may link libraries."""

_PATHS = (
    ("images", "filepath"),
    ("sounds", "filepath"),
    ("movieclips", "filepath"),
    ("fonts", "filepath"),
    ("volumes", "filepath"),
    ("cache_files", "filepath"),
    ("texts", "filepath"),
)


class Relocation:
    """A map from the artist's folders to folders here; the longest one that fits wins."""

    def __init__(self, root: str, prefixes: dict[str, str]) -> None:
        self._root = _plain(root)
        self._pairs = sorted(((_plain(old), new) for old, new in prefixes.items()), key=lambda p: -len(p[0]))

    def moved(self, path: str) -> str | None:
        """Return a path's new place; None if it stays."""
        plain = _plain(path)
        if not path or path.startswith(("//", "<")) or _within(plain, self._root):
            return None
        for old, new in self._pairs:
            if _within(plain, old):
                return os.path.join(new, *[p for p in plain[len(old) :].split("/") if p])
        return None


def relocate(relocation: Relocation) -> int:
    """Move all absolute paths of the open file; return how many."""
    return _libraries(relocation) + sum(_data(relocation, *pair) for pair in _PATHS) + _strips(relocation)


def _libraries(relocation: Relocation) -> int:
    count = 0
    for _ in range(ROUNDS):
        moves = {lib.name: new for lib in bpy.data.libraries if (new := relocation.moved(lib.filepath))}
        if not moves:
            break
        for name, new in moves.items():
            library = bpy.data.libraries.get(name)
            if library is not None:
                library.filepath = new
                # A library that is still missing is named by the checks that follow.
                if os.path.isfile(new):
                    library.reload()
                count += 1
    return count


def _data(relocation: Relocation, collection: str, attribute: str) -> int:
    count = 0
    for item in getattr(bpy.data, collection, ()):
        packed = getattr(item, "packed_file", None)
        new = None if packed else relocation.moved(getattr(item, attribute, "") or "")
        if new:
            setattr(item, attribute, new)
            count += 1
    return count


def _strips(relocation: Relocation) -> int:
    count = 0
    for scene in bpy.data.scenes:
        for strip in strips(scene):
            for attribute in ("filepath", "directory"):
                new = relocation.moved(getattr(strip, attribute, "") or "")
                if new:
                    setattr(strip, attribute, new)
                    count += 1
    return count


def _plain(path: str) -> str:
    return path.replace("\\", "/").rstrip("/")


def _within(path: str, folder: str) -> bool:
    if len(folder) > 1 and folder[1] == ":":  # Windows does not tell cases apart
        path, folder = path.lower(), folder.lower()
    return path == folder or path.startswith(folder + "/")
