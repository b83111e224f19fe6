"""Run inside a Blender: render frames as `blender -b FILE -f N` does, `-- FILE FOLDER N …`."""

from __future__ import annotations

import os
import sys

import bpy

FILE, FOLDER, *FRAMES = sys.argv[sys.argv.index("--") + 1 :]

bpy.ops.wm.open_mainfile(filepath=FILE)
for frame in FRAMES:
    scene = bpy.context.scene
    scene.frame_set(int(frame))
    scene.render.filepath = os.path.join(FOLDER, f"film_{int(frame):03d}.png")
    bpy.ops.render.render(write_still=True)
