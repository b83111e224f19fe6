"""Run inside a Blender: a file whose picture has some megabytes, whatever is in it."""

import sys

import bpy

scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.cycles.use_denoising = False
scene.render.resolution_x = scene.render.resolution_y = 1200
scene.render.resolution_percentage = 100
scene.render.image_settings.file_format = "PNG"
scene.render.image_settings.compression = 0
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
