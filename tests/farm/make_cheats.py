"""Run inside a Blender: a small file, and its frames as an honest slave and a cheat render them, `-- FOLDER`."""

from __future__ import annotations

import os
import sys

import bpy

folder = sys.argv[sys.argv.index("--") + 1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end = 1, 3
scene.render.engine = "CYCLES"
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 64, 64, 100
scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.use_adaptive_sampling = 8, False, False
scene.world = bpy.data.worlds.new("World")
scene.world.color = (0.4, 0.4, 0.4)
bpy.ops.mesh.primitive_plane_add(size=20)  # noise all over the picture, so that no tile of it is plain
bpy.ops.mesh.primitive_monkey_add(location=(0, 0, 1))
bpy.context.object.keyframe_insert("rotation_euler", frame=1)
bpy.context.object.rotation_euler.z = 1
bpy.context.object.keyframe_insert("rotation_euler", frame=3)
lamp = bpy.data.lights.new("Lamp", "POINT")
lamp.energy, lamp.shadow_soft_size = 800, 3
light, camera = bpy.data.objects.new("Lamp", lamp), bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
light.location, camera.location = (2, -2, 5), (0, 0, 6)
for made in (light, camera):
    scene.collection.objects.link(made)
scene.camera = camera
scene.render.filepath = "//pictures/####"
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(folder, "shot.blend"))
for name, samples in (("honest", 8), ("half", 4)):
    scene.cycles.samples = samples
    for frame in (1, 2, 3):
        scene.frame_set(frame)
        scene.render.filepath = os.path.join(folder, name, f"{frame:04}.png")
        bpy.ops.render.render(write_still=True)
