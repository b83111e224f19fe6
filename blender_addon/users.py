"""Who uses a datablock, in an artist's words: an image is that of a material, a library that of an object."""

from __future__ import annotations

from typing import Any

import bpy

SHOWN = 2
"""How many users are named."""

_KINDS = (
    (bpy.types.Object, "object"),
    (bpy.types.Material, "material"),
    (bpy.types.Collection, "collection"),
    (bpy.types.World, "world"),
    (bpy.types.Light, "light"),
    (bpy.types.NodeTree, "node group"),
    (bpy.types.Scene, "scene"),
)
"""Users that say something to an artist; those that say most first."""


def known_by(thing: Any) -> str:
    """Return what an artist knows a datablock by: `wood.png, material “Wood”`."""
    if isinstance(thing, bpy.types.Object):
        return f"of object “{thing.name}”"
    return ", ".join(filter(None, (thing.name, users(thing))))


def users(thing: Any) -> str:
    """Return what uses a datablock: `material “Wood”, world “Sky”`; empty: nothing that can be named."""
    if isinstance(thing, bpy.types.Library):
        found = {one for one in bpy.data.user_map() if one.library == thing}
    else:
        found = _direct(thing)
        if not any(isinstance(one, kind) for kind, _ in _KINDS for one in found):
            found = {user for one in found for user in _direct(one)}
    texts = [
        f"{word} “{name}”" for kind, word in _KINDS for name in sorted(o.name for o in found if isinstance(o, kind))
    ]
    more = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _direct(thing: Any) -> set[Any]:
    return set(bpy.data.user_map(subset={thing}).get(thing, ()))
