"""What is linked from libraries that do not have it any more: it was renamed or removed there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import bpy

from .paths import library_file

KINDS = {
    "actions": "action", "armatures": "armature", "cameras": "camera", "collections": "collection", "curves": "curve",
    "images": "image", "lattices": "lattice", "lights": "light", "materials": "material", "meshes": "mesh",
    "metaballs": "metaball", "node_groups": "node group", "objects": "object", "particles": "particle settings",
    "scenes": "scene", "textures": "texture", "volumes": "volume", "worlds": "world",
}  # fmt: skip
"""What can be linked: Blender's name for them all, and a person's for one."""

_KNOWN = "is_missing" in bpy.types.ID.bl_rna.properties
"""Older Blenders don't say what is missing: there, libraries are asked for what they have."""


def broken() -> Iterator[tuple[str, Any, str]]:
    """Yield the kind of what is missing in its library, which is there; the thing; the name of an override of it."""
    for collection, kind in KINDS.items():
        things = list(getattr(bpy.data, collection))
        overridden = {of: one.name for one in things if (of := _reference(one)) is not None}
        for thing in _missing(collection, things):
            yield kind, thing, overridden.get(thing, "")


def _missing(collection: str, things: list[Any]) -> Iterator[Any]:
    has: dict[str, set[str]] = {}
    for thing in things:
        if thing.library is None or thing.library.packed_file or not os.path.isfile(library_file(thing.library)):
            continue  # of a library that is not here all is missing; it is named itself
        path = library_file(thing.library)
        if not _KNOWN and path not in has:
            has[path] = _names(path, collection)
        if thing.is_missing if _KNOWN else thing.name not in has[path]:
            yield thing


def _names(path: str, collection: str) -> set[str]:
    with bpy.data.libraries.load(path, link=True) as (theirs, _):
        return set(getattr(theirs, collection))


def _reference(thing: Any) -> Any:
    """Return what a library override is of; None: it is none."""
    override = thing.override_library if thing.library is None else None
    return override.reference if override is not None else None
