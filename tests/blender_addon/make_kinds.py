"""Run inside a Blender: a folder with a thing of each kind that a .blend may depend on.

`-- FOLDER ANSWER PATHS LENT`: each thing stands in a cell of its own of one picture, so that a file that does
not reach the farm shows there. ANSWER gets the .blend's path, the files that each kind must bring along, and
the kinds that this Blender can't make, with the reason. PATHS is `relative` or `absolute`. LENT is such a
folder of a Blender that can bake smoke; empty: this one can.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import sys
import wave
from typing import Any

import bpy

FOLDER, ANSWER, PATHS, LENT = sys.argv[sys.argv.index("--") + 1 :]
OPTIONS = bpy.app.build_options
COLUMNS, FRAMES = 6, (1, 3)
KINDS: dict[str, Any] = {}


def kind(lacking: Any = "") -> Any:
    """Register a kind; `lacking` says why this Blender can't make it."""

    def register(make: Any) -> Any:
        KINDS[make.__name__] = (make, lacking)
        return make

    return register


def at(*parts: Any) -> str:
    path = os.path.join(FOLDER, *parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


# --- things to make a scene of ---


def paint(path: Any, colour: Any) -> str:
    """A picture of 16 × 16 whose left half is darker."""
    image = bpy.data.images.new("paint", 16, 16)
    shades = [[c * f for c in colour] + [1.0] for f in (0.4, 1.0)]
    image.pixels[:] = [c for _ in range(16) for x in range(16) for c in shades[x // 8]]
    image.filepath_raw, image.file_format = path, "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def pane(name: Any, picture: Any = None, parent: Any = None) -> Any:
    """A square of 1.8 that glows with a picture."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(-0.9, -0.9, 0), (0.9, -0.9, 0), (0.9, 0.9, 0), (-0.9, 0.9, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new()
    return thing_of(name, mesh, glowing(name, picture) if picture else shaped(name), parent)


def thing_of(name: Any, data: Any, material: Any, parent: Any = None) -> Any:
    thing = bpy.data.objects.new(name, data)
    if material is not None:
        data.materials.append(material)
    (parent or bpy.context.scene.collection).objects.link(thing)
    return thing


def tree(name: Any) -> Any:
    """A new material: its nodes, its links, and an emission that is its surface."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    glow = nodes.new("ShaderNodeEmission")
    links.new(glow.outputs[0], nodes["Material Output"].inputs["Surface"])
    return made, nodes, links, glow


def glowing(name: Any, picture: Any) -> Any:
    made, nodes, links, glow = tree(name)
    image = nodes.new("ShaderNodeTexImage")
    image.image = picture
    image.interpolation = "Closest"
    links.new(image.outputs["Color"], glow.inputs["Color"])
    return made


def shaped(name: Any) -> Any:
    """Glow by position, so that a shape shows."""
    made, nodes, links, glow = tree(name)
    geometry, waves = nodes.new("ShaderNodeNewGeometry"), nodes.new("ShaderNodeVectorMath")
    waves.operation = "FRACTION"
    scale = nodes.new("ShaderNodeVectorMath")
    scale.operation, scale.inputs[1].default_value = "MULTIPLY", (3.3, 3.7, 9.1)
    links.new(geometry.outputs["Position"], scale.inputs[0])
    links.new(scale.outputs[0], waves.inputs[0])
    links.new(waves.outputs[0], glow.inputs["Color"])
    return made


def ball(name: Any) -> Any:
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.8, segments=12, ring_count=8)
    thing = bpy.context.object
    thing.name = name
    thing.data.materials.append(shaped(name))
    return thing


def grid(name: Any) -> Any:
    bpy.ops.mesh.primitive_grid_add(size=1.6, x_subdivisions=6, y_subdivisions=6)
    thing = bpy.context.object
    thing.name = name
    thing.data.materials.append(shaped(name))
    return thing


def load(path: Any) -> Any:
    return bpy.data.images.load(path)


def chosen(thing: Any) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    thing.select_set(True)
    bpy.context.view_layer.objects.active = thing


# --- pictures ---


@kind()
def image_with_spaces() -> Any:
    path = paint(at("art", "my textures", "wood 1.png"), (0.9, 0.3, 0.1))
    return pane("spaces", load(path)), ["my textures/wood 1.png"]


@kind()
def image_of_other_letters() -> Any:
    path = paint(at("art", "Texturen", "Ähre 木 ñ.png"), (0.2, 0.8, 0.3))
    return pane("letters", load(path)), ["Texturen/Ähre 木 ñ.png"]


@kind()
def image_by_absolute_path() -> Any:
    path = paint(at("elsewhere", "sky.png"), (0.1, 0.3, 0.9))
    LATER.append(lambda: setattr(bpy.data.images["sky.png"], "filepath", path))
    return pane("absolute", load(path)), ["sky.png"]


@kind()
def image_by_windows_path() -> Any:
    path = paint(at("art", "my textures", "slash.png"), (0.9, 0.9, 0.2))
    LATER.append(lambda: setattr(bpy.data.images["slash.png"], "filepath", "//..\\..\\my textures\\slash.png"))
    return pane("windows", load(path)), ["my textures/slash.png"]


@kind()
def image_sequence() -> Any:
    files = [paint(at("art", "wave", f"wave.{n:04d}.png"), (n / 5, 0.2, 1 - n / 5)) for n in range(1, 6)]
    image = load(files[0])
    image.source = "SEQUENCE"
    thing = pane("sequence", image)
    user = next(n for n in thing.active_material.node_tree.nodes if n.bl_idname == "ShaderNodeTexImage").image_user
    user.frame_start, user.frame_duration, user.use_auto_refresh = 1, 5, True
    return thing, [f"wave/wave.{n:04d}.png" for n in range(1, 4)]


@kind("" if OPTIONS.codec_ffmpeg else "no FFmpeg")
def movie() -> Any:
    path = film(at("art", "footage", "clip 1.mkv"))
    image = load(path)
    image.source = "MOVIE"
    thing = pane("movie", image)
    user = next(n for n in thing.active_material.node_tree.nodes if n.bl_idname == "ShaderNodeTexImage").image_user
    user.frame_duration, user.use_auto_refresh = 3, True
    return thing, ["footage/clip 1.mkv"]


def film(path: Any) -> str:
    """Film the sequence."""
    scene = bpy.data.scenes.new("film")
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    for n in range(1, 4):
        picture = paint(at("scratch", f"{n}.png"), (0.2, n / 3, 0.5))
        strips.new_image(str(n), picture, 1, n).frame_final_duration = 1
    render = scene.render
    render.resolution_x = render.resolution_y = 32
    scene.frame_start, scene.frame_end = 1, 3
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MKV", "FFV1"
    render.filepath = path
    bpy.ops.render.render(animation=True, scene=scene.name)
    bpy.data.scenes.remove(scene)
    return path


@kind()
def tiles() -> Any:
    for number, colour in ((1001, (0.9, 0.1, 0.5)), (1002, (0.1, 0.9, 0.5))):
        paint(at("art", "udim", f"skin.{number}.png"), colour)
    image = load(at("art", "udim", "skin.1001.png"))
    image.source, image.filepath = "TILED", at("art", "udim", "skin.<UDIM>.png")
    image.tiles.new(1002)
    thing = pane("tiles", image)
    for corner, place in zip(thing.data.uv_layers[0].data, ((0, 0), (2, 0), (2, 1), (0, 1)), strict=True):
        corner.uv = place
    return thing, ["udim/skin.1001.png", "udim/skin.1002.png"]


@kind()
def packed_picture() -> Any:
    image = load(paint(at("scratch", "packed.png"), (0.7, 0.2, 0.8)))
    image.pack()
    LATER.append(lambda: setattr(bpy.data.images["packed.png"], "filepath", "//gone/packed.png"))
    return pane("packed", image), []


# --- other files ---


@kind()
def libraries_in_libraries() -> Any:
    collection = linked("chairs", "collections")
    holder = bpy.data.objects.new("chairs", None)
    holder.instance_type, holder.instance_collection = "COLLECTION", collection
    bpy.context.scene.collection.objects.link(holder)
    return holder, ["libs/chairs.blend", "libs/deep/cloth.blend", "libs/deep/tex/cloth.png", "libs/chairs.png"]


@kind()
def override() -> Any:
    made = linked("lamps", "objects").override_create()
    bpy.context.scene.collection.objects.link(made)
    made.scale = (0.6, 1.0, 1.0)
    return made, ["libs/lamps.blend", "libs/lamps.png"]


def linked(name: Any, what: Any) -> Any:
    path = os.path.join(FOLDER, "art", "libs", f"{name}.blend")
    with bpy.data.libraries.load(path, link=True, relative=False) as (_, wanted):
        setattr(wanted, what, [name])
    return getattr(wanted, what)[0]


@kind()
def font() -> Any:
    source = os.path.join(bpy.utils.system_resource("DATAFILES"), "fonts", "DejaVuSansMono.woff2")
    path = shutil.copy(source, at("art", "fonts", "Mono.woff2"))
    curve = bpy.data.curves.new("font", "FONT")
    curve.body, curve.size, curve.font = "Wg", 1.2, bpy.data.fonts.load(path)
    thing = thing_of("font", curve, shaped("font"))
    curve.offset_x, curve.offset_y = -0.8, -0.4
    return thing, ["fonts/Mono.woff2"]


@kind()
def sound() -> Any:
    path = at("art", "sounds", "bell.wav")
    with wave.open(path, "wb") as stream:
        stream.setparams((1, 2, 8000, 0, "NONE", ""))
        stream.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 9))) for n in range(4000)))
    speaker = bpy.data.speakers.new("bell")
    speaker.sound = bpy.data.sounds.load(path)
    return thing_of("bell", speaker, None), ["sounds/bell.wav"]


@kind()
def mesh_cache() -> Any:
    thing = grid("mesh cache")
    corners = [tuple(v.co) for v in thing.data.vertices]
    with open(at("art", "caches", "bend.pc2"), "wb") as stream:
        stream.write(struct.pack("<12siiffi", b"POINTCACHE2\0", 1, len(corners), 1.0, 1.0, 4))
        for n in range(4):
            for x, y, z in corners:
                stream.write(struct.pack("<fff", x, y * (1 - n / 8), z + 0.2 * math.sin(3 * x + n)))
    modifier = thing.modifiers.new("cache", "MESH_CACHE")
    modifier.cache_format, modifier.filepath = "PC2", at("art", "caches", "bend.pc2")
    return thing, ["caches/bend.pc2"]


@kind()
def light_texture() -> Any:
    with open(at("art", "lights", "spot.ies"), "w", encoding="ascii") as stream:
        stream.write("IESNA:LM-63-1995\nTILT=NONE\n1 1000 1.0 3 1 1 2 0.0 0.0 0.0\n1.0 1.0 0.0\n")
        stream.write("0.0 30.0 90.0\n0.0\n900.0 300.0 10.0\n")
    light = bpy.data.lights.new("spot", "POINT")
    light.energy, light.use_nodes, light.shadow_soft_size = 0.4, True, 0.01
    nodes, links = light.node_tree.nodes, light.node_tree.links
    texture = nodes.new("ShaderNodeTexIES")
    texture.mode, texture.filepath = "EXTERNAL", at("art", "lights", "spot.ies")
    links.new(texture.outputs[0], nodes["Emission"].inputs["Strength"])
    lamp = thing_of("spot", light, None)
    floor = pane("floor")
    floor.data.materials[0] = bpy.data.materials.new("floor")
    lamp.parent, lamp.location = floor, (0, 0, 0.8)
    return floor, ["lights/spot.ies"]


@kind()
def text_of_a_file() -> Any:
    path = at("art", "scripts", "rig.py")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("print('rig')\n")
    bpy.data.texts.load(path).use_fake_user = True
    return None, ["scripts/rig.py"]


@kind("" if getattr(OPTIONS, "cycles_osl", False) else "no Open Shading Language")
def shader_script() -> Any:
    path = at("art", "shaders", "stripes.osl")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("shader stripes(output color Color = 0) { Color = color(fmod(abs(P[0]) * 4, 1.0), 0.3, 0.8); }")
    bpy.context.scene.cycles.shading_system = True
    thing = pane("script")
    made, nodes, links, glow = tree("script")
    script = nodes.new("ShaderNodeScript")
    script.mode, script.filepath = "EXTERNAL", path
    # The package lacks what reads a script's sockets.
    if not script.outputs:
        script.outputs.new("NodeSocketColor", "Color")
    links.new(script.outputs["Color"], glow.inputs["Color"])
    thing.data.materials[0] = made
    return thing, ["shaders/stripes.osl"]


# --- simulations and caches ---


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


def cube(name: Any, half: Any) -> Any:
    bpy.ops.mesh.primitive_cube_add(size=2 * half)
    bpy.context.object.name = name
    return bpy.context.object


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


@kind("" if OPTIONS.alembic else "no Alembic")
def alembic() -> Any:
    thing = moving("flock")
    chosen(thing)
    path = at("art", "caches", "flock.abc")
    bpy.ops.wm.alembic_export(filepath=path, selected=True, start=1, end=3, as_background_job=False)
    bpy.data.objects.remove(thing)
    bpy.ops.wm.alembic_import(filepath=path, as_background_job=False)
    return bpy.context.object, ["caches/flock.abc"]


@kind("" if OPTIONS.usd else "no USD")
def usd() -> Any:
    thing = moving("herd")
    chosen(thing)
    path = at("art", "caches", "herd.usdc")
    bpy.ops.wm.usd_export(
        filepath=path, selected_objects_only=True, export_animation=True, export_materials=False, export_shapekeys=False
    )
    bpy.data.objects.remove(thing)
    before = set(bpy.data.objects)
    bpy.ops.wm.usd_import(filepath=path)
    made = next(thing for thing in set(bpy.data.objects) - before if thing.type == "MESH")
    made.data.materials.clear()
    made.data.materials.append(shaped("herd"))
    return made.parent or made, ["caches/herd.usdc"]


def moving(name: Any) -> Any:
    """A ball whose shape moves."""
    thing = ball(name)
    thing.shape_key_add(name="Basis")
    key = thing.shape_key_add(name="flat")
    for point in key.data:
        point.co.y *= 0.3
    for frame, value in ((1, 0.0), (3, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    return thing


@kind("" if bpy.app.version >= (4, 3) else "no bakes of geometry nodes")
def geometry_nodes_bake() -> Any:
    """A simulation zone whose bake lies in a folder of its own."""
    thing = grid("growth")
    group = bpy.data.node_groups.new("growth", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    nodes, links = group.nodes, group.links
    begin, end = nodes.new("GeometryNodeSimulationInput"), nodes.new("GeometryNodeSimulationOutput")
    begin.pair_with_output(end)
    push = nodes.new("GeometryNodeSetPosition")
    push.inputs["Offset"].default_value = (0.0, 0.25, 0.1)
    into, out = nodes.new("NodeGroupInput"), nodes.new("NodeGroupOutput")
    links.new(into.outputs[0], begin.inputs[0])
    links.new(begin.outputs["Geometry"], push.inputs["Geometry"])
    links.new(push.outputs[0], end.inputs["Geometry"])
    links.new(end.outputs["Geometry"], out.inputs[0])
    modifier = thing.modifiers.new("growth", "NODES")
    modifier.node_group = group
    SAVED.append(lambda: bake_nodes(thing, modifier))
    return thing, ["caches/growth/"]


def bake_nodes(thing: Any, modifier: Any) -> None:
    bake = modifier.bakes[0]
    bake.use_custom_path, bake.directory = True, at("art", "caches", "growth", "")
    bake.use_custom_simulation_frame_range = True
    bake.frame_start, bake.frame_end = FRAMES
    if hasattr(bake, "bake_target"):
        bake.bake_target = "DISK"
    chosen(thing)
    bpy.ops.object.geometry_node_bake_single(
        session_uid=thing.session_uid, modifier_name="growth", bake_id=bake.bake_id
    )


BUNDLED = ("geometry_nodes/smooth_by_angle.blend", "nodes/geometry_nodes_essentials.blend")
"""Where Blenders up to 4.5, and those since, have it."""

ASSETS = next(
    filter(os.path.isfile, (os.path.join(bpy.utils.system_resource("DATAFILES"), "assets", one) for one in BUNDLED)), ""
)


@kind("" if ASSETS else "no bundled assets")
def bundled_asset() -> Any:
    thing = ball("smooth")
    with bpy.data.libraries.load(ASSETS, link=True, relative=False) as (_, wanted):
        wanted.node_groups = ["Smooth by Angle"]
    modifier = thing.modifiers.new("smooth", "NODES")
    modifier.node_group = wanted.node_groups[0]
    return thing, [os.path.basename(ASSETS)]


# --- putting it together ---

LATER: list[Any] = []
"""What is done to paths right before saving."""

PLACED: list[Any] = []
"""What is done when all stands in its place."""

SAVED: list[Any] = []
"""What needs a file with a name."""


def empty() -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    return bpy.context.scene


def make_library(place: Any, colour: Any, texture: Any, inner: Any = "") -> None:
    """A library with a collection of its name; its texture lies beside it."""
    empty()
    name = os.path.basename(place)
    group = bpy.data.collections.new(name)
    group.use_fake_user = True
    pane(name, load(paint(at("art", "libs", texture), colour)), group)
    if inner:
        with bpy.data.libraries.load(at("art", "libs", f"{inner}.blend"), link=True, relative=False) as (_, wanted):
            wanted.objects = [os.path.basename(inner)]
        group.objects.link(wanted.objects[0])
        group.objects[name].scale.x = 0.5
        group.objects[name].location.z = 0.5
    save(at("art", "libs", f"{place}.blend"))


def save(path: Any) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=path)
    if PATHS == "relative":
        bpy.ops.file.make_paths_relative()
    for change in LATER:
        change()
    bpy.ops.wm.save_as_mainfile(filepath=path, relative_remap=False)


def usual(scene: Any) -> None:
    scene.frame_start, scene.frame_end = FRAMES
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = 144, 120, 100
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.use_adaptive_sampling = 4, False, False
    scene.cycles.seed, scene.cycles.use_animated_seed = 7, False
    render.filepath = "//../../pictures/film_###"
    if "OCIO" in os.environ:
        scene.view_settings.view_transform = "Studio"


def main() -> None:
    make_library("deep/cloth", (0.9, 0.8, 0.1), "deep/tex/cloth.png")
    make_library("chairs", (0.1, 0.8, 0.8), "chairs.png", "deep/cloth")
    make_library("lamps", (0.8, 0.4, 0.4), "lamps.png")
    scene = empty()
    usual(scene)
    needed, lacking = {}, {}
    for number, (name, (make, reason)) in enumerate(KINDS.items()):
        if reason:
            lacking[name] = reason
            continue
        thing, needed[name] = make()
        if thing is not None:
            thing.location = (2 * (number % COLUMNS), 2 * (number // COLUMNS), 0)
    rows = math.ceil(len(KINDS) / COLUMNS)
    camera = bpy.data.cameras.new("camera")
    camera.type, camera.ortho_scale = "ORTHO", 2 * COLUMNS
    scene.camera = thing_of("camera", camera, None)
    scene.camera.location = (COLUMNS - 1, rows - 1, 10)
    for work in PLACED:
        work()
    path = at("art", "shots", "ünï cödé", "shot 01.blend")
    save(path)
    for work in SAVED:
        work()
    save(path)
    shutil.rmtree(os.path.join(FOLDER, "scratch"))
    with open(ANSWER, "w", encoding="utf-8") as stream:
        json.dump({"blend": path, "needed": needed, "lacking": lacking}, stream)
    sys.stdout.flush()
    os._exit(0)


main()
