"""Make a .blend that is rendered by an add-on's engine: FOLDER OUT."""

import os
import sys

import bpy  # isort: skip  (the package brings the other one along)
import addon_utils

folder, out = sys.argv[sys.argv.index("--") + 1 :]
sys.path.append(folder)
addon_utils.enable("house")
scene = bpy.context.scene
scene.render.engine = "HOUSE"
scene.render.resolution_x = scene.render.resolution_y = 16
scene.view_settings.view_transform = "Raw"
bpy.ops.wm.save_as_mainfile(filepath=out)
# bpy 4.5 hangs at its end with an engine registered.
os._exit(0)
