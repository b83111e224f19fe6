"""Find simulations that are not baked: their frames depend on those before them.

A renderer that comes to a frame without the ones before it draws such a simulation as it
begins, without a word. So does an animation rendered in the background: only playing the
timeline, or baking, simulates.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import bpy

POINT_CACHES = {"CLOTH": "cloth", "SOFT_BODY": "soft body"}
"""Types of modifiers with a point cache of their own, and what artists call them."""

ZONE = "GeometryNodeSimulationOutput"

STATELESS = ("NO", "KEYED")
"""Physics of particles that place each of them by the frame's number alone."""


def unbaked(scene: Any) -> list[str]:
    """Return the simulations of a scene that are not baked, one phrase each: `cloth of “Flag”`."""
    found = list(_rigid_bodies(scene))
    for thing in scene_objects(scene):
        for modifier in thing.modifiers:
            found += [f"{what} of “{thing.name}”" for what in modifier_unbaked(modifier)]
    return list(dict.fromkeys(found))


def _rigid_bodies(scene: Any) -> Iterator[str]:
    world = scene.rigidbody_world
    if world is None or not world.enabled or world.collection is None or _baked(world.point_cache):
        return
    bodies = [o.rigid_body for o in world.collection.objects if o.rigid_body]
    if any(body.type == "ACTIVE" and body.enabled and not body.kinematic for body in bodies):
        yield f"rigid bodies of “{scene.name}”"


def scene_objects(scene: Any) -> list[Any]:
    """Return a scene's objects, those of instanced collections and of its background scene too."""
    found: dict[Any, None] = {}
    waiting = [scene.collection]
    if scene.background_set is not None:
        waiting.append(scene.background_set.collection)
    seen = set()
    while waiting:
        collection = waiting.pop()
        if collection in seen:
            continue
        seen.add(collection)
        for thing in collection.all_objects:
            found[thing] = None
            if thing.instance_type == "COLLECTION" and thing.instance_collection is not None:
                waiting.append(thing.instance_collection)
    return list(found)


def modifier_unbaked(modifier: Any) -> Iterator[str]:
    """Yield what a modifier simulates that is not baked."""
    kind = modifier.type
    if not modifier.show_render:
        return
    if kind in POINT_CACHES and not _baked(modifier.point_cache):
        yield POINT_CACHES[kind]
    elif kind == "DYNAMIC_PAINT" and modifier.canvas_settings is not None:
        yield from _paint(modifier.canvas_settings)
    elif kind == "PARTICLE_SYSTEM":
        yield from _particles(modifier.particle_system)
    elif kind == "FLUID" and modifier.fluid_type == "DOMAIN" and not _fluid_baked(modifier.domain_settings):
        yield "fluid or smoke"
    elif kind == "NODES" and modifier.node_group is not None:
        yield from _zones(modifier)


def _paint(canvas: Any) -> Iterator[str]:
    for surface in canvas.canvas_surfaces:
        # Those that write pictures are baked into files, and never simulated while rendering.
        if surface.is_active and surface.surface_format == "VERTEX" and not _baked(surface.point_cache):
            yield "dynamic paint"


def _particles(system: Any) -> Iterator[str]:
    kind = system.settings.type
    if kind == "HAIR":
        if system.use_hair_dynamics and not _baked(system.point_cache):
            yield "hair dynamics"
    elif system.settings.physics_type not in STATELESS and not _baked(system.point_cache):
        yield "particles"


def _baked(cache: Any) -> bool:
    """Tell whether a point cache is baked, with its files there if it keeps it in files."""
    if not cache.is_baked:
        return False
    return not cache.use_disk_cache or cache_files(cache)


def cache_files(cache: Any) -> bool:
    """Tell whether a point cache on disk has files."""
    if cache.use_external:
        folder = bpy.path.abspath(cache.filepath)
    else:
        name = os.path.splitext(os.path.basename(bpy.data.filepath))[0]
        folder = bpy.path.abspath(f"//blendcache_{name}")
    return _holds_files(folder)


def _fluid_baked(domain: Any) -> bool:
    """Tell whether a fluid is baked, with its files there. What playing it left behind may be half of it."""
    return domain.has_cache_baked_data and _holds_files(os.path.join(bpy.path.abspath(domain.cache_directory), "data"))


def _holds_files(folder: str) -> bool:
    return os.path.isdir(folder) and any(names for _, _, names in os.walk(folder))


def _zones(modifier: Any) -> Iterator[str]:
    zones = _simulations(modifier.node_group, set())
    if not zones:
        return
    bakes = zone_bakes(modifier)
    if bakes and all(_bake_files(modifier, bake) for bake in bakes):
        return
    # Until 4.0, a modifier has one folder for all its zones.
    folder = getattr(modifier, "simulation_bake_directory", "")
    if folder and _holds_files(bpy.path.abspath(folder)):
        return
    yield "simulation zone"


def zone_bakes(modifier: Any) -> list[Any]:
    """Return what Blender knows of the bakes of a modifier's simulation zones; nothing in old versions."""
    return [b for b in getattr(modifier, "bakes", ()) if b.node is not None and b.node.bl_idname == ZONE]


def _simulations(tree: Any, seen: set[Any]) -> int:
    """Count the simulation zones of a node tree and of the groups in it."""
    if tree is None or tree in seen:
        return 0
    seen.add(tree)
    count = 0
    for node in tree.nodes:
        count += node.bl_idname == ZONE
        count += _simulations(getattr(node, "node_tree", None), seen)
    return count


def _bake_files(modifier: Any, bake: Any) -> bool:
    """Tell whether a zone's bake lies in files; one that is packed into the .blend can't be told from none."""
    own = bake.directory if bake.use_custom_path else ""
    whole = os.path.join(modifier.bake_directory, str(bake.bake_id)) if modifier.bake_directory else ""
    place = own or whole
    return bool(place) and _holds_files(os.path.join(bpy.path.abspath(place), "meta"))
