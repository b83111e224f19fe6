"""Make the demo's animation: run inside a Blender, `-- FOLDER [FRAMES]`.

A small still life on a dark turntable, with coloured lights, a moving camera and depth
of field. It is a project such as artists have: `demo.blend`, a linked library
(`library/shapes.blend`) and a texture file (`textures/checker.png`), by relative paths.
It must look clean without a denoiser, since some builds of Blender have none.
"""

from __future__ import annotations

import math
import os
import sys
from typing import Any

import bpy

FRAMES = 24
SAMPLES = 64
"""The most; adaptive sampling takes about 16 where it matters."""


def main(folder: str, frames: int = FRAMES) -> None:
    """Write the project into a folder."""
    for part in ("library", "textures"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    texture = os.path.join(folder, "textures", "rings.png")
    library = os.path.join(folder, "library", "shapes.blend")
    paint_rings(texture)
    make_library(library, texture)
    make_shot(os.path.join(folder, "demo.blend"), library, frames)


def paint_rings(path: str, size: int = 512) -> None:
    """Write the texture: rings in warm and cold bands."""
    bands = [(0.93, 0.42, 0.16), (0.98, 0.76, 0.33), (0.95, 0.93, 0.86), (0.10, 0.45, 0.50), (0.06, 0.14, 0.26)]
    pixels = [0.0] * (size * size * 4)
    for y in range(size):
        for x in range(size):
            wave = 0.012 * math.sin(x / size * math.tau * 4)
            band = bands[int((y / size + wave) * 10) % len(bands)]
            at = (y * size + x) * 4
            pixels[at : at + 4] = (*band, 1.0)
    image = bpy.data.images.new("rings", size, size)
    image.pixels[:] = pixels
    image.filepath_raw = path
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)


def material(name: str, colour: tuple[float, float, float], gloss: float, metal: bool = False) -> Any:
    """Return a new material: matt colour under a clear glaze, or metal.

    Not the Principled BSDF: these few nodes take a third of its time and come out cleaner.

    Args:
        name: its name.
        colour: linear RGB.
        gloss: roughness of the glaze or metal.
        metal: no matt colour below.
    """
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    made.diffuse_color = (*colour, 1.0)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    glaze, end = nodes.new("ShaderNodeBsdfGlossy"), nodes.new("ShaderNodeOutputMaterial")
    glaze.inputs["Roughness"].default_value = gloss
    if metal:
        glaze.inputs["Color"].default_value = (*colour, 1.0)
        links.new(glaze.outputs[0], end.inputs["Surface"])
        return made
    glaze.inputs["Color"].default_value = (0.9, 0.9, 0.9, 1.0)
    matt, blend, edge = (
        nodes.new("ShaderNodeBsdfDiffuse"),
        nodes.new("ShaderNodeMixShader"),
        nodes.new("ShaderNodeFresnel"),
    )
    matt.name = "Matt"
    matt.inputs["Color"].default_value = (*colour, 1.0)
    edge.inputs["IOR"].default_value = 1.5
    links.new(edge.outputs[0], blend.inputs[0])
    links.new(matt.outputs[0], blend.inputs[1])
    links.new(glaze.outputs[0], blend.inputs[2])
    links.new(blend.outputs[0], end.inputs["Surface"])
    return made


def banded(path: str) -> Any:
    """Return the glazed material that carries the texture file."""
    made = material("Glaze", (0.8, 0.8, 0.8), 0.06)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    picture = nodes.new("ShaderNodeTexImage")
    picture.image = bpy.data.images.load(path)
    place = nodes.new("ShaderNodeTexCoord")
    links.new(place.outputs["UV"], picture.inputs["Vector"])
    links.new(picture.outputs["Color"], nodes["Matt"].inputs["Color"])
    return made


def shape(mesh: Any, name: str, made: Any, smooth: bool = True) -> Any:
    """Return the active object, named, with a material."""
    thing = bpy.context.object
    thing.name = thing.data.name = name
    thing.data.materials.append(made)
    if smooth:
        for face in mesh.polygons:
            face.use_smooth = True
    return thing


def bevel(thing: Any, width: float, segments: int = 4) -> None:
    """Round the edges, since light shows a thing by its edges."""
    modifier = thing.modifiers.new("Bevel", "BEVEL")
    modifier.width, modifier.segments = width, segments
    modifier.limit_method = "ANGLE"


def lathe(name: str, profile: list[tuple[float, float]], made: Any, steps: int = 64) -> Any:
    """Return a turned body: a profile of (radius, height) around the upright axis, with UVs."""
    vertices = [
        (r * math.cos(a), r * math.sin(a), z) for r, z in profile for a in (math.tau * i / steps for i in range(steps))
    ]
    faces, uvs = [], []
    last = len(profile) - 1
    for row in range(last):
        for i in range(steps):
            j = (i + 1) % steps
            faces.append((row * steps + i, row * steps + j, (row + 1) * steps + j, (row + 1) * steps + i))
            left, right, low, high = i / steps, (i + 1) / steps, row / last, (row + 1) / last
            uvs += [(left, low), (right, low), (right, high), (left, high)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    layer = mesh.uv_layers.new(name="UVMap")
    for loop, uv in zip(layer.data, uvs):  # noqa: B905  (both are made above)
        loop.uv = uv
    mesh.materials.append(made)
    for face in mesh.polygons:
        face.use_smooth = True
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    smoother = thing.modifiers.new("Subdivision", "SUBSURF")
    smoother.levels = smoother.render_levels = 1
    return thing


VASE = [
    (0.02, 0.0), (0.34, 0.0), (0.40, 0.03), (0.52, 0.22), (0.60, 0.46), (0.58, 0.70), (0.44, 0.96), (0.27, 1.16),
    (0.20, 1.32), (0.21, 1.44), (0.29, 1.54), (0.27, 1.56), (0.17, 1.44), (0.15, 1.30), (0.20, 1.10),
]  # fmt: skip


def make_library(path: str, texture: str) -> None:
    """Write the library: one collection with the things on the table."""
    empty_file()
    things = [lathe("Vase", VASE, banded(texture))]
    things[0].location = (-0.15, 0.25, 0.0)
    things += balls() + blocks() + [ring()]
    shelf = bpy.data.collections.new("Still life")
    for thing in things:
        for old in list(thing.users_collection):
            old.objects.unlink(thing)
        shelf.objects.link(thing)
    shelf.use_fake_user = True
    save(path)


def balls() -> list[Any]:
    """Return the balls: gold, coral, pearl."""
    kinds = [
        ("Gold", (1.0, 0.66, 0.24), 0.07, True, 0.34, (0.72, -0.30)),
        ("Coral", (0.90, 0.10, 0.07), 0.05, False, 0.20, (0.28, -0.82)),
        ("Pearl", (0.86, 0.84, 0.80), 0.05, False, 0.13, (0.70, -0.86)),
        ("Sea", (0.01, 0.34, 0.36), 0.05, False, 0.16, (-0.42, -0.78)),
    ]
    made = []
    for name, colour, gloss, metal, radius, (x, y) in kinds:
        bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=radius, location=(x, y, radius))
        made.append(shape(bpy.context.object.data, name, material(name, colour, gloss, metal)))
    return made


def blocks() -> list[Any]:
    """Return the wooden-toy forms: a cube and a cone."""
    bpy.ops.mesh.primitive_cube_add(size=0.56, location=(-0.86, -0.22, 0.28), rotation=(0, 0, 0.5))
    cube = shape(bpy.context.object.data, "Cube", material("Indigo", (0.06, 0.07, 0.42), 0.08), smooth=False)
    bevel(cube, 0.04)
    bpy.ops.mesh.primitive_cone_add(vertices=96, radius1=0.33, radius2=0.015, depth=0.78, location=(0.72, 0.62, 0.39))
    cone = shape(bpy.context.object.data, "Cone", material("Cream", (0.90, 0.74, 0.50), 0.08), smooth=False)
    bevel(cone, 0.02)
    return [cube, cone]


def ring() -> Any:
    """Return a copper ring that leans on the cube."""
    bpy.ops.mesh.primitive_torus_add(
        major_segments=96, minor_segments=24, major_radius=0.30, minor_radius=0.065, location=(-0.86, -0.22, 0.625)
    )
    return shape(bpy.context.object.data, "Ring", material("Copper", (0.95, 0.42, 0.26), 0.1, True))


def make_shot(path: str, library: str, frames: int) -> None:
    """Write the shot that links the library."""
    empty_file()
    scene = bpy.context.scene
    scene.name = "Turntable"
    save(path)  # so that the library's path can be relative
    with bpy.data.libraries.load(library, link=True, relative=True) as (_, wanted):
        wanted.collections = ["Still life"]
    table(scene)
    holder = bpy.data.objects.new("Still life", None)
    holder.instance_type = "COLLECTION"
    holder.instance_collection = bpy.data.collections["Still life"]
    scene.collection.objects.link(holder)
    turn(holder, frames)
    lights(scene)
    camera(scene, frames)
    output(scene, frames)
    save(path)


def table(scene: Any) -> None:
    """Add the turntable. There is no room around it: rays that hit nothing cost nothing."""
    disc = [(0.001, -0.14), (1.52, -0.14), (1.58, -0.10), (1.58, -0.04), (1.54, 0.0), (0.001, 0.0)]
    plate = lathe("Plate", disc, material("Slate", (0.06, 0.065, 0.09), 0.05), steps=128)
    plate.modifiers.clear()
    bevel(plate, 0.015)
    for face in plate.data.polygons:
        face.use_smooth = False


def lights(scene: Any) -> None:
    """Add a warm key and a blue rim: two small ones, whose shadows need few samples."""
    for name, place, colour, power, size in (
        ("Key", (2.9, -3.6, 4.2), (1.0, 0.80, 0.58), 620.0, 0.5),
        ("Rim", (-3.9, 1.2, 3.0), (0.20, 0.50, 1.0), 560.0, 0.4),
    ):
        light = bpy.data.lights.new(name, "AREA")
        light.color, light.energy, light.size = colour, power, size
        thing = bpy.data.objects.new(name, light)
        thing.location = place
        aim(thing, scene, (0.0, 0.0, 0.5))
        scene.collection.objects.link(thing)
    scene.world = sky()


def sky() -> Any:
    """Return the world: dusk for the camera, and light walls for things to mirror."""
    world = bpy.data.worlds.new("Dusk")
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    place, path = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeLightPath")
    choice = nodes.new("ShaderNodeMixShader")
    mirrored, seen = nodes["Background"], nodes.new("ShaderNodeBackground")
    links.new(path.outputs["Is Camera Ray"], choice.inputs[0])
    links.new(mirrored.outputs[0], choice.inputs[1])
    links.new(seen.outputs[0], choice.inputs[2])
    links.new(choice.outputs[0], nodes["World Output"].inputs["Surface"])
    # fmt: off
    walls = [(0.0, (0.02, 0.04, 0.12)), (0.22, (0.25, 0.55, 1.0)), (0.34, (0.03, 0.05, 0.10)),
             (0.60, (0.03, 0.03, 0.06)),
             (0.74, (1.5, 1.2, 0.9)), (0.84, (1.5, 1.2, 0.9)), (0.92, (0.25, 0.05, 0.12)),
             (1.0, (0.9, 0.12, 0.4))]
    dusk = [(0.0, (0.012, 0.012, 0.035)), (0.35, (0.045, 0.030, 0.095)), (0.62, (0.22, 0.065, 0.16)),
            (0.80, (0.10, 0.055, 0.16)), (1.0, (0.020, 0.028, 0.085))]
    # fmt: on
    ramp(world.node_tree, place.outputs["Generated"], "X", walls, mirrored)
    ramp(world.node_tree, place.outputs["Window"], "Y", dusk, seen)
    # No map of where the sky is bright: it takes long to make, and nothing here needs it.
    world.cycles.sampling_method = "NONE"
    return world


def ramp(tree: Any, where: Any, axis: str, stops: list[tuple[float, tuple[float, float, float]]], light: Any) -> None:
    """Colour a light by a ramp along one axis of some coordinates."""
    split, made = tree.nodes.new("ShaderNodeSeparateXYZ"), tree.nodes.new("ShaderNodeValToRGB")
    tree.links.new(where, split.inputs[0])
    tree.links.new(split.outputs[axis], made.inputs[0])
    tree.links.new(made.outputs[0], light.inputs["Color"])
    points = made.color_ramp.elements
    points.remove(points[1])
    points[0].position, points[0].color = stops[0][0], (*stops[0][1], 1.0)
    for position, colour in stops[1:]:
        points.new(position).color = (*colour, 1.0)
    made.color_ramp.interpolation = "EASE"


def aim(thing: Any, scene: Any, target: tuple[float, float, float]) -> None:
    """Turn a thing's -Z axis towards a point."""
    from mathutils import Vector

    thing.rotation_euler = (Vector(target) - Vector(thing.location)).to_track_quat("-Z", "Y").to_euler()


def turn(thing: Any, frames: int) -> None:
    """Let a thing turn a third of a round, evenly."""
    thing.rotation_euler = (0.0, 0.0, -0.35)
    thing.keyframe_insert("rotation_euler", frame=1)
    thing.rotation_euler = (0.0, 0.0, -0.35 + math.tau / 3)
    thing.keyframe_insert("rotation_euler", frame=frames + 1)


def camera(scene: Any, frames: int) -> None:
    """Add the camera: it sinks and comes closer, and looks at the middle, with the front in focus."""
    lens = bpy.data.cameras.new("Camera")
    lens.lens = 62
    lens.dof.use_dof, lens.dof.aperture_fstop = True, 1.6
    target = bpy.data.objects.new("Look here", None)
    target.location = (0.0, 0.0, 0.62)
    scene.collection.objects.link(target)
    lens.dof.focus_distance = 5.2
    thing = bpy.data.objects.new("Camera", lens)
    scene.collection.objects.link(thing)
    look = thing.constraints.new("TRACK_TO")
    look.target, look.track_axis, look.up_axis = target, "TRACK_NEGATIVE_Z", "UP_Y"
    for frame, place, focus in ((1, (-1.6, -7.0, 2.9), 6.9), (frames, (1.4, -6.6, 1.75), 6.2)):
        thing.location = place
        thing.keyframe_insert("location", frame=frame)
        lens.dof.focus_distance = focus
        lens.dof.keyframe_insert("focus_distance", frame=frame)
    scene.camera = thing


def output(scene: Any, frames: int) -> None:
    """Set size, range, engine and file names."""
    scene.frame_start, scene.frame_end = 1, frames
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = 480, 270, 100
    render.fps = 24
    render.image_settings.file_format = "PNG"
    render.filepath = "//pictures/turntable_####"
    cycles = scene.cycles
    cycles.samples, cycles.use_denoising = SAMPLES, False
    cycles.use_adaptive_sampling, cycles.adaptive_threshold, cycles.adaptive_min_samples = True, 0.06, 8
    cycles.filter_width = 1.8
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 2, 1, 2, 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 2.0
    cycles.blur_glossy = 1.0
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.look = "Medium High Contrast" if bpy.app.version < (4, 0) else "None"


def empty_file() -> None:
    """Begin with nothing."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0


def save(path: str) -> None:
    """Save, with all paths relative to the file."""
    bpy.ops.wm.save_as_mainfile(filepath=path, relative_remap=True)
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_as_mainfile(filepath=path, check_existing=False)


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :]
    main(os.path.abspath(given[0]), *map(int, given[1:2]))
