"""Make `benchmark.blend`, which slaves are measured with: run inside a Blender, `-- FILE`.

The file is kept in the repository, since each Blender writes other bytes; it was made with Blender 3.4.1, the oldest
that is supported. The frame's number turns everything and seeds the noise, so no picture can be known beforehand.
"""

from __future__ import annotations

import sys

import bpy

SAMPLES = 96
WIDTH, HEIGHT = 480, 270


def main(path: str) -> None:
    """Write the file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    _settings(scene)
    world = bpy.data.worlds.new("World")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.25, 0.4, 0.7, 1)
    bpy.ops.mesh.primitive_plane_add(size=20)
    bpy.context.object.data.materials.append(_material("floor", (0.5, 0.5, 0.5), 0.0, 0.6))
    for number in range(8):
        _thing(number)
    bpy.ops.object.light_add(type="AREA", location=(4, -4, 6), rotation=(0.6, 0.5, 0))
    bpy.context.object.data.energy = 900
    bpy.context.object.data.size = 2
    bpy.ops.object.camera_add(location=(0, -8, 3.4), rotation=(1.22, 0, 0))
    scene.camera = bpy.context.object
    bpy.ops.wm.save_as_mainfile(filepath=path, compress=True)


def _settings(scene: bpy.types.Scene) -> None:
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.cycles.use_animated_seed = True
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.frame_start, scene.frame_end = 1, 1_000_000


def _thing(number: int) -> None:
    bpy.ops.mesh.primitive_monkey_add(size=1.4, location=((number % 4 - 1.5) * 1.7, number // 4 * 2.2 - 1, 0.9))
    thing = bpy.context.object
    thing.modifiers.new("smooth", "SUBSURF").render_levels = 2
    glass = number % 3 == 0
    thing.data.materials.append(_material(f"m{number}", (0.9, 0.1 * number, 0.3), 1.0 if glass else 0.0, 0.1))
    for frame, turn in ((1, 0.0), (2, 0.7)):
        thing.rotation_euler = (0, 0, turn + number)
        thing.keyframe_insert("rotation_euler", frame=frame)
    for curve in thing.animation_data.action.fcurves:
        curve.extrapolation = "LINEAR"
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def _material(name: str, colour: tuple[float, float, float], glass: float, roughness: float) -> bpy.types.Material:
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Transmission"].default_value = glass
    return made


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1])
