"""What the open file names beside images, libraries, strips and volumes: fonts, caches, clips, lights, scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy

from .paths import absolute
from .scene_nodes import all_nodes

NODES = {"ShaderNodeTexIES": "light texture", "ShaderNodeScript": "shader script"}
"""Nodes that name files themselves, and what artists call these."""


@dataclass(frozen=True)
class Named:
    """A file that something in the .blend names.

    thing: the datablock that names it. path: as it stands there. place: where that is on this machine.
    many: it is one of a sequence.
    """

    kind: str
    thing: Any
    path: str
    place: str
    many: bool = False


def named() -> Iterator[Named]:
    """Yield what is used, and is not in the .blend itself."""
    yield from _data()
    yield from _nodes()
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            if modifier.type == "MESH_CACHE" and modifier.filepath:
                yield Named("mesh cache", thing, modifier.filepath, absolute(modifier.filepath, thing.library))


def _data() -> Iterator[Named]:
    for kind, things in (("font", bpy.data.fonts), ("cache", bpy.data.cache_files), ("clip", bpy.data.movieclips)):
        for thing in things:
            if used(thing) and not thing.filepath.startswith("<"):
                many = getattr(thing, "is_sequence", False) or getattr(thing, "source", "") == "SEQUENCE"
                yield Named(kind, thing, thing.filepath, absolute(thing.filepath, thing.library), many)


def _nodes() -> Iterator[Named]:
    for node, owner in all_nodes():
        if node.bl_idname in NODES and node.mode == "EXTERNAL" and node.filepath:
            yield Named(NODES[node.bl_idname], owner, node.filepath, absolute(node.filepath, owner.library))


def used(thing: Any) -> bool:
    """Tell whether something names a file that is needed: it is used, and not packed."""
    packed = getattr(thing, "packed_file", None) or getattr(thing, "packed_files", None)
    return thing.users > int(thing.use_fake_user) and not packed and bool(thing.filepath)
