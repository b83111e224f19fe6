"""Give absolute paths of the artist's machine their place in the job's folder.

Paths that begin with `//` need nothing: the tree is the artist's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import bpy

from blender_addon.named import NODES
from blender_addon.pointcaches import point_caches
from blender_addon.scene_nodes import all_nodes, strips

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


Moved = list[tuple[Any, str, str, str]]
"""What was moved: thing, attribute, what it was before, and what it became."""


def relocate(relocation: Relocation) -> Moved:
    """Move all absolute paths of the open file."""
    moved = _libraries(relocation)
    for place in (*_data(), *_within_data()):
        moved += _move(relocation, *place)
    return moved


def restore(moved: Moved) -> None:
    """Make paths what they were, unless they were changed since, in a file that is to be saved."""
    for thing, attribute, old, new in reversed(moved):
        if getattr(thing, attribute) == new:
            setattr(thing, attribute, old)


def _libraries(relocation: Relocation) -> Moved:
    moved: Moved = []
    for _ in range(ROUNDS):
        moves = {lib.name: new for lib in bpy.data.libraries if (new := relocation.moved(lib.filepath))}
        if not moves:
            break
        for name, new in moves.items():
            library = bpy.data.libraries.get(name)
            if library is not None:
                moved.append((library, "filepath", library.filepath, new))
                library.filepath = new
                # A library that is still missing is named by the checks that follow.
                if os.path.isfile(new):
                    library.reload()
    return moved


def _data() -> Iterator[tuple[Any, str]]:
    for collection, attribute in _PATHS:
        things = [item for item in getattr(bpy.data, collection, ()) if not getattr(item, "packed_file", None)]
        yield from ((item, attribute) for item in things)


def _move(relocation: Relocation, thing: Any, attribute: str) -> Moved:
    old = getattr(thing, attribute, "") or ""
    new = relocation.moved(old)
    if not new:
        return []
    # Blender knows a folder by the slash at its end.
    new = os.path.join(new, "") if old[-1] in "/\\" else new
    setattr(thing, attribute, new)
    return [(thing, attribute, old, new)]


def _within_data() -> Iterator[tuple[Any, str]]:
    """Yield what has paths inside of scenes, materials and objects."""
    for scene in bpy.data.scenes:
        yield from ((strip, name) for strip in strips(scene) for name in ("filepath", "directory"))
    yield from ((node, "filepath") for node, _ in all_nodes() if node.bl_idname in NODES)
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            yield from _of_modifier(modifier)
    yield from ((cache, "filepath") for _, cache in point_caches() if cache.use_external)


def _of_modifier(modifier: Any) -> Iterator[tuple[Any, str]]:
    if modifier.type in ("MESH_CACHE", "OCEAN"):
        yield modifier, "filepath"
    elif modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
        yield modifier.domain_settings, "cache_directory"
    elif modifier.type == "NODES":
        yield from ((modifier, name) for name in ("bake_directory", "simulation_bake_directory"))
        yield from ((bake, "directory") for bake in getattr(modifier, "bakes", ()))


def _plain(path: str) -> str:
    return path.replace("\\", "/").rstrip("/")


def _within(path: str, folder: str) -> bool:
    if len(folder) > 1 and folder[1] == ":":  # Windows does not tell cases apart
        path, folder = path.lower(), folder.lower()
    return path == folder or path.startswith(folder + "/")
