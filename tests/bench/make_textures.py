"""Run inside a Blender: Blender's own first scene, whose cube is painted with large files, `-- FOLDER BLEND`."""

from __future__ import annotations

import os
import sys

import bpy

FOLDER, BLEND = sys.argv[sys.argv.index("--") + 1 :]

bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
nodes = bpy.data.objects["Cube"].active_material.node_tree.nodes
for name in sorted(os.listdir(FOLDER)):
    image = bpy.data.images.new(name, 1, 1)
    image.source, image.filepath = "FILE", os.path.join(FOLDER, name)
    nodes.new("ShaderNodeTexImage").image = image
bpy.context.scene.render.engine = "CYCLES"
bpy.context.scene.cycles.use_denoising = False
bpy.ops.wm.save_as_mainfile(filepath=BLEND)
sys.stdout.flush()
os._exit(0)
