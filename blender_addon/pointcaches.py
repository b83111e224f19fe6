"""The point caches of the open file: cloth, soft bodies, particles, rigid bodies, painted surfaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy


def point_caches() -> Iterator[tuple[Any, Any]]:
    """Yield the scene or object that each is of, and the cache."""
    for scene in bpy.data.scenes:
        if scene.rigidbody_world is not None and scene.rigidbody_world.point_cache is not None:
            yield scene, scene.rigidbody_world.point_cache
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            yield from ((thing, cache) for cache in _of_modifier(modifier))


def _of_modifier(modifier: Any) -> Iterator[Any]:
    if modifier.type in ("CLOTH", "SOFT_BODY"):
        yield modifier.point_cache
    elif modifier.type == "PARTICLE_SYSTEM":
        yield modifier.particle_system.point_cache
    elif modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings is not None:
        yield from (surface.point_cache for surface in modifier.canvas_settings.canvas_surfaces)
