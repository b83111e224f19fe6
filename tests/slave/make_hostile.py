"""Runs in Blender: a small scene, and the same with a script that runs when the file is opened."""

import sys

import bpy

folder, probe = sys.argv[-2:]
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 2
scene.cycles.use_denoising = False
scene.render.resolution_x, scene.render.resolution_y = 64, 36
bpy.data.objects["Cube"].keyframe_insert("location", frame=1)
bpy.data.objects["Cube"].location.x = 2
bpy.data.objects["Cube"].keyframe_insert("location", frame=9)
bpy.ops.wm.save_as_mainfile(filepath=f"{folder}/plain.blend", compress=False)
text = bpy.data.texts.new("probe.py")
with open(probe) as stream:
    text.write(f"FACTS = {folder!r} + '/facts.json'\n" + stream.read())
text.use_module = True
bpy.ops.wm.save_as_mainfile(filepath=f"{folder}/hostile.blend", compress=False)
