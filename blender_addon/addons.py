"""The add-ons that nodes and engines of the open file are of.

Without them, Blender passes these nodes over, and renders with another engine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import bpy

from .scene_nodes import all_nodes

FOLDER = "distren-addons"
"""Where add-ons that are sent with a job lie in it."""


@dataclass(frozen=True)
class Needed:
    """An add-on.

    name: of its folder or file. user: what is of it. home: its folder, or its file; empty: it came with Blender.
    engines: the ids of engines of scenes that are its own.
    """

    name: str
    user: str
    home: str
    engines: tuple[str, ...] = ()

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield each file of it, and the place of that in a job."""
        if os.path.isfile(self.home):
            yield self.home, f"{FOLDER}/{os.path.basename(self.home)}"
        for at, folders, names in os.walk(self.home):
            # What is hidden, or made anew by each Python, is none of it.
            folders[:] = sorted(name for name in folders if name[0] != "." and name != "__pycache__")
            within = os.path.relpath(at, os.path.dirname(self.home)).replace(os.sep, "/")
            yield from ((os.path.join(at, n), f"{FOLDER}/{within}/{n}") for n in sorted(names) if n[0] != ".")


def needed() -> list[Needed]:
    """Return the add-ons that nodes, trees of nodes, or engines of scenes are of."""
    found: dict[str, Needed] = {}
    for thing, user in _nodes():
        module = _addon(type(thing).__module__)
        if module and module not in found:
            found[module] = Needed(module.rpartition(".")[2], user, _home(module))
    for kind, scene in _engines():
        module = _addon(kind.__module__)
        if module and _home(module):  # Cycles is an add-on, too
            user = f"the engine “{kind.bl_idname}” of “{scene.name}”"
            one = found.setdefault(module, Needed(module.rpartition(".")[2], user, _home(module)))
            found[module] = replace(one, engines=(*one.engines, kind.bl_idname))
    return list(found.values())


def _engines() -> Iterator[tuple[Any, Any]]:
    """Yield the classes of engines that are Python's, each with a scene that it renders."""
    of = {scene.render.engine: scene for scene in bpy.data.scenes}
    for kind in bpy.types.RenderEngine.__subclasses__():
        if getattr(kind, "bl_idname", "") in of:
            yield kind, of[kind.bl_idname]


def _nodes() -> Iterator[tuple[Any, str]]:
    for node, owner in all_nodes():
        yield node, f"the node “{node.name}” of “{owner.name}”"
    for tree in bpy.data.node_groups:
        yield tree, f"the node tree “{tree.name}”"


def _addon(module: str) -> str:
    """Return the enabled add-on that a module is of; empty: none."""
    enabled: Any = bpy.context.preferences.addons.keys()
    return next((name for name in enabled if f"{module}.".startswith(f"{name}.")), "")


def _home(module: str) -> str:
    file = os.path.abspath(getattr(sys.modules.get(module), "__file__", None) or "")
    own = os.path.join(os.path.realpath(bpy.utils.system_resource("SCRIPTS")), "")
    if not os.path.isfile(file) or os.path.realpath(file).startswith(own):
        return ""
    return os.path.dirname(file) if os.path.basename(file) == "__init__.py" else file
