"""Bake the simulations of a scene, as its artist would by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import bpy

from .physics import modifier_unbaked, scene_objects, unbaked, zone_bakes


def bake(
    scene: Any,
    tell: Callable[[int, int], None] = lambda frame, last: None,
    last: int | None = None,
    *,
    beside: bool = False,
) -> list[str]:
    """Bake what simulates in a scene and is not baked.

    Caches that are not baked get the end that is wanted: what lies behind a cache stands still,
    and what nobody renders need not be simulated.

    Args:
        scene: it becomes the one in front.
        tell: called with the frame that is simulated now, and with the last one.
        last: the last frame to simulate; None: the scene's last.
        beside: write all files of caches beside the .blend, wherever the file wants them.

    Returns:
        What could not be baked, one phrase each, as :func:`unbaked` names it.
    """
    bpy.context.window.scene = scene
    here, end = scene.frame_current, scene.frame_end
    last = end if last is None else last
    handler = _teller(scene, tell, last)
    bpy.app.handlers.frame_change_post.append(handler)
    try:
        if unbaked(scene):
            _bake_points(scene, last)
            _bake_fluids(scene, last, beside=beside)
            scene.frame_end = last  # zones know no other end
            _bake_zones(scene, beside=beside)
    finally:
        scene.frame_end = end
        bpy.app.handlers.frame_change_post.remove(handler)
        scene.frame_set(here)
    return unbaked(scene)


def _teller(scene: Any, tell: Callable[[int, int], None], last: int) -> Callable[..., None]:
    def told(*_: Any) -> None:
        tell(scene.frame_current, last)

    return told


def _bake_points(scene: Any, last: int) -> None:
    for cache in _point_caches(scene):
        if not cache.is_baked:
            cache.frame_end = max(cache.frame_start + 1, last)
    # It leaves hair out, and so do we: 3.4.1 and 4.5.15 render none of the hair that is baked.
    bpy.ops.ptcache.bake_all(bake=True)


def _point_caches(scene: Any) -> Iterator[Any]:
    world = scene.rigidbody_world
    if world is not None and world.point_cache is not None:
        yield world.point_cache
    for thing in scene_objects(scene):
        for modifier in thing.modifiers:
            if modifier.type == "PARTICLE_SYSTEM":
                if modifier.particle_system.settings.type != "HAIR":
                    yield modifier.particle_system.point_cache
            elif modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings is not None:
                yield from (surface.point_cache for surface in modifier.canvas_settings.canvas_surfaces)
            elif hasattr(modifier, "point_cache"):
                yield modifier.point_cache


def _bake_fluids(scene: Any, last: int, *, beside: bool) -> None:
    for thing in scene_objects(scene):
        for modifier in thing.modifiers:
            if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
                domain = modifier.domain_settings
                if domain.cache_type != "ALL" and not domain.has_cache_baked_data:
                    domain.cache_type = "ALL"  # Replay and Modular are for work in progress
                if not domain.has_cache_baked_data:
                    if beside:
                        domain.cache_directory = _folder(thing, modifier)
                    domain.cache_frame_end = max(domain.cache_frame_start + 1, last)
                    with bpy.context.temp_override(scene=scene, object=thing, active_object=thing):
                        bpy.ops.fluid.bake_all()


def _bake_zones(scene: Any, *, beside: bool) -> None:
    for thing in scene_objects(scene):
        for modifier in thing.modifiers:
            if modifier.type == "NODES" and "simulation zone" in modifier_unbaked(modifier):
                with bpy.context.temp_override(scene=scene, object=thing, active_object=thing):
                    _bake_zones_of(thing, modifier, beside=beside)


def _folder(thing: Any, modifier: Any) -> str:
    """Return the folder beside the .blend for what a modifier writes."""
    home = os.path.splitext(os.path.basename(bpy.data.filepath))[0]
    return f"//blendcache_{home}/{bpy.path.clean_name(f'{thing.name}_{modifier.name}')}"


def _bake_zones_of(thing: Any, modifier: Any, *, beside: bool) -> None:
    """Bake the zones of a modifier into files: packed into the .blend, a bake can't be told from none."""
    folder = _folder(thing, modifier)
    if not hasattr(modifier, "bakes"):  # until 4.0, a modifier has one folder for all its zones
        modifier.simulation_bake_directory = (not beside and modifier.simulation_bake_directory) or folder
        bpy.ops.object.simulation_nodes_cache_bake(selected=False)
        return
    modifier.bake_directory = (not beside and modifier.bake_directory) or folder
    packs = hasattr(modifier, "bake_target")  # 4.2 knows only files
    if packs:
        modifier.bake_target = "DISK"
    for one in zone_bakes(modifier):
        if packs:
            one.bake_target = "INHERIT"
        if beside:
            one.use_custom_path = False
        bpy.ops.object.geometry_node_bake_single(
            session_uid=thing.session_uid, modifier_name=modifier.name, bake_id=one.bake_id
        )
