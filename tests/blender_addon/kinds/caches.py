"""Kinds of simulations and other movements that lie in files."""

from __future__ import annotations

import ctypes
import os
import shutil
import time
from typing import Any

import bpy

from .making import (
    FOLDER,
    FRAMES,
    LENT,
    OPTIONS,
    PLACED,
    SAVED,
    at,
    ball,
    chosen,
    cube,
    grid,
    kind,
    moving,
    shaped,
    thing_of,
)


@kind("this Blender can't bake smoke" if LENT else "")
def volume_of_a_fluid() -> Any:
    """Smoke that is baked; its VDB files serve a volume, too."""
    domain = cube("fluid", 0.8)
    modifier = domain.modifiers.new("fluid", "FLUID")
    modifier.fluid_type = "DOMAIN"
    said = modifier.domain_settings
    said.domain_type, said.resolution_max, said.cache_type = "GAS", 12, "ALL"
    said.cache_data_format = "OPENVDB"
    said.cache_frame_start, said.cache_frame_end = FRAMES
    said.cache_directory = at("art", "caches", "smoke", "")
    said.use_adaptive_domain = said.use_noise = False
    domain.data.materials.append(smoky())
    source = cube("fire", 0.4)
    flow = source.modifiers.new("flow", "FLUID")
    flow.fluid_type = "FLOW"
    flow.flow_settings.flow_type, flow.flow_settings.flow_behavior = "SMOKE", "INFLOW"
    source.parent, source.hide_render, source.display_type = domain, True, "WIRE"
    PLACED.append(lambda: bake_fluid(domain))
    return domain, ["caches/smoke/data/fluid_data_0003.vdb"]


def bake_fluid(domain: Any) -> None:
    chosen(domain)
    bpy.ops.fluid.bake_all()
    assert domain.modifiers["fluid"].domain_settings.has_cache_baked_data


def smoky() -> Any:
    made = bpy.data.materials.new("smoke")
    made.use_nodes = True
    nodes = made.node_tree.nodes
    nodes.remove(nodes["Principled BSDF"])
    volume = nodes.new("ShaderNodeVolumePrincipled")
    volume.inputs["Emission Strength"].default_value = 0.3
    volume.inputs["Density"].default_value = 3.0
    made.node_tree.links.new(volume.outputs[0], nodes["Material Output"].inputs["Volume"])
    return made


@kind("" if OPTIONS.openvdb else "no OpenVDB")
def volumes() -> Any:
    volume = bpy.data.volumes.new("clouds")
    volume.filepath = at("art", "caches", "vdb", "cloud_0001.vdb")
    volume.is_sequence, volume.frame_duration, volume.frame_start = True, 3, 1
    thing = thing_of("clouds", volume, smoky())
    thing.scale = (0.8, 0.8, 0.8)

    def copy() -> None:
        for n in range(1, 4):
            smoke = os.path.join(LENT or FOLDER, "art", "caches", "smoke", "data", f"fluid_data_{n:04d}.vdb")
            shutil.copy(smoke, at("art", "caches", "vdb", f"cloud_{n:04d}.vdb"))

    PLACED.append(copy)
    return thing, ["caches/vdb/cloud_0002.vdb"]


@kind()
def cloth_beside_the_file() -> Any:
    thing = grid("flag")
    modifier = thing.modifiers.new("cloth", "CLOTH")
    return baked(thing, modifier.point_cache), ["blendcache_shot 01/"]


def baked(thing: Any, cache: Any) -> Any:
    cache.frame_start, cache.frame_end = FRAMES
    SAVED.append(lambda: bake(cache))
    return thing


def bake(cache: Any) -> None:
    cache.use_disk_cache = True
    with bpy.context.temp_override(point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)
    assert cache.is_baked


@kind()
def particles_in_a_folder() -> Any:
    thing = grid("dust")
    modifier = thing.modifiers.new("dust", "PARTICLE_SYSTEM")
    said = modifier.particle_system.settings
    said.count, said.frame_start, said.frame_end, said.lifetime = 40, 1, 2, 50
    said.render_type, said.particle_size = "OBJECT", 0.12
    grain = ball("grain")
    grain.location = (99, 99, 0)
    said.instance_object = grain
    cache = modifier.particle_system.point_cache
    cache.name = "dust"
    baked(thing, cache)
    SAVED.append(lambda: use_folder(thing, cache))
    return thing, ["caches/points/dust_000003_00.bphys"]


def use_folder(thing: Any, cache: Any) -> None:
    """Move what was baked beside the file into a folder, and name that."""
    beside = os.path.join(os.path.dirname(bpy.data.filepath), "blendcache_" + os.path.basename(bpy.data.filepath)[:-6])
    for name in os.listdir(beside):
        if name.startswith("dust"):
            shutil.copy(os.path.join(beside, name), at("art", "caches", "points", name))
    cache.use_external = True
    cache.filepath = at("art", "caches", "points", "")
    cache.index = 0


@kind()
def ocean_cache() -> Any:
    """An ocean whose waves lie in pictures."""
    thing = grid("sea")
    modifier = thing.modifiers.new("waves", "OCEAN")
    modifier.geometry_mode, modifier.resolution, modifier.spatial_size = "DISPLACE", 6, 2
    modifier.wave_scale, modifier.random_seed = 0.4, 3
    modifier.frame_start, modifier.frame_end = FRAMES[0], FRAMES[1] + 1
    modifier.filepath = at("art", "caches", "sea", "")
    for frame, moment in ((1, 0.0), (3, 2.0)):
        modifier.time = moment
        modifier.keyframe_insert("time", frame=frame)
    PLACED.append(lambda: bake_ocean(thing, modifier))
    return thing, ["caches/sea/disp_0003.exr"]


def bake_ocean(thing: Any, modifier: Any) -> None:
    """Bake, and end what Blender ends only in a window: set the flag that the waves are in files."""
    chosen(thing)
    bpy.ops.object.ocean_bake(modifier=modifier.name)
    behind = at("art", "caches", "sea", f"disp_{modifier.frame_end:04d}.exr")
    while not os.path.exists(behind):
        time.sleep(0.05)
    flag = next(byte for byte in memory_behind(modifier.as_pointer(), modifier.filepath) if flagged(modifier, byte))
    assert flag.value
    assert modifier.is_cached


def memory_behind(place: Any, text: Any) -> Any:
    """Return the bytes of a structure from the end of a text in it; the flag lies somewhat behind the path."""
    longest, more = 1024, 192
    held = (ctypes.c_char * 4096).from_address(place).raw.index(text.encode())
    return map(ctypes.c_uint8.from_address, range(place + held + longest, place + held + longest + more))


def flagged(modifier: Any, byte: Any) -> bool:
    """Set a byte, and tell whether it is the flag; else put it back."""
    before, byte.value = byte.value, byte.value or 1
    if before == 0 and modifier.is_cached:
        return True
    byte.value = before
    return False


@kind("" if OPTIONS.alembic else "no Alembic")
def alembic() -> Any:
    thing = moving("flock")
    chosen(thing)
    path = at("art", "caches", "flock.abc")
    bpy.ops.wm.alembic_export(filepath=path, selected=True, start=1, end=3, as_background_job=False)
    bpy.data.objects.remove(thing)
    bpy.ops.wm.alembic_import(filepath=path, as_background_job=False)
    return bpy.context.object, ["caches/flock.abc"]


@kind("" if OPTIONS.alembic else "no Alembic")
def alembic_sequence() -> Any:
    thing = moving("shoal")
    chosen(thing)
    for frame in range(FRAMES[0], FRAMES[1] + 1):
        path = at("art", "caches", f"shoal_{frame:04}.abc")
        bpy.ops.wm.alembic_export(filepath=path, selected=True, start=frame, end=frame, as_background_job=False)
    bpy.data.objects.remove(thing)
    bpy.ops.wm.alembic_import(filepath=at("art", "caches", "shoal_0001.abc"), is_sequence=True, as_background_job=False)
    return bpy.context.object, [f"caches/shoal_{frame:04}.abc" for frame in range(FRAMES[0], FRAMES[1] + 1)]


@kind("" if OPTIONS.usd else "no USD")
def usd_sequence() -> Any:
    thing = moving("drove")
    chosen(thing)
    for frame in range(FRAMES[0], FRAMES[1] + 1):
        bpy.context.scene.frame_set(frame)
        bpy.ops.wm.usd_export(
            filepath=at("art", "caches", f"drove_{frame:04}.usdc"), selected_objects_only=True, export_animation=False,
            export_materials=False, export_shapekeys=False,
        )  # fmt: skip
    within = f"/root/drove/{thing.data.name.replace('.', '_')}"
    bpy.data.objects.remove(thing)
    made = imported("drove", at("art", "caches", "drove_0001.usdc"))
    holder = next(thing for thing in (made, *made.children_recursive) if thing.type == "MESH")
    cache = holder.modifiers.new("sequence", "MESH_SEQUENCE_CACHE")
    before = set(bpy.data.cache_files)
    with bpy.context.temp_override(object=holder):
        bpy.ops.cachefile.open(filepath=at("art", "caches", "drove_0001.usdc"))
    (file,) = set(bpy.data.cache_files) - before
    file.is_sequence = True
    cache.cache_file = file
    cache.object_path = within
    assert height(holder, 1) != height(holder, 3)
    bpy.context.scene.frame_set(FRAMES[0])
    return made, [f"caches/drove_{frame:04}.usdc" for frame in range(FRAMES[0], FRAMES[1] + 1)]


@kind("" if OPTIONS.usd else "no USD")
def usd() -> Any:
    thing = moving("herd")
    chosen(thing)
    path = at("art", "caches", "herd.usdc")
    bpy.ops.wm.usd_export(
        filepath=path, selected_objects_only=True, export_animation=True, export_materials=False, export_shapekeys=False
    )
    bpy.data.objects.remove(thing)
    return imported("herd", path), ["caches/herd.usdc"]


def height(thing: Any, frame: Any) -> Any:
    """Return how high a thing is at a frame."""
    bpy.context.scene.frame_set(frame)
    points = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.vertices
    return round(max(point.co.y for point in points), 3)


def imported(name: Any, path: Any) -> Any:
    """Read a mesh from USD; return what it hangs on."""
    before = set(bpy.data.objects)
    bpy.ops.wm.usd_import(filepath=path, set_frame_range=False)
    made = next(thing for thing in set(bpy.data.objects) - before if thing.type == "MESH")
    made.data.materials.clear()
    made.data.materials.append(shaped(name))
    return made.parent or made
