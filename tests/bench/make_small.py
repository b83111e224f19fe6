"""Run inside a Blender: make a small scene whose frames take a fraction of a second, `-- FILE FRAMES`."""

from __future__ import annotations

import sys

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
target, frames = sys.argv[sys.argv.index("--") + 1 :]
scene.frame_start, scene.frame_end = 1, int(frames)
scene.render.engine = "CYCLES"
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 180, 100
scene.cycles.samples, scene.cycles.use_denoising = 10, False
scene.render.filepath = "//pictures/####"
scene.world = bpy.data.worlds.new("World")
bpy.ops.mesh.primitive_monkey_add()
monkey = bpy.context.object
monkey.modifiers.new("Smooth", "SUBSURF").render_levels = 2
monkey.keyframe_insert("rotation_euler", frame=1)
monkey.rotation_euler.z = 6.28
monkey.keyframe_insert("rotation_euler", frame=120)
sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
sun.rotation_euler = (0.6, 0.3, 0)
camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
camera.location = (0, 0, 6)
for made in (sun, camera):
    scene.collection.objects.link(made)
scene.camera = camera
bpy.ops.wm.save_as_mainfile(filepath=target)
