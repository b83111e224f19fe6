"""Take the hair out of a .blend, save it, play it to a frame and render that: FROM TO PICTURE FRAME."""

import os
import sys

import bpy

source, target, picture, frame = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.open_mainfile(filepath=source, load_ui=False)
bpy.data.objects.remove(bpy.data.objects["Fur"])
bpy.ops.wm.save_as_mainfile(filepath=target)
scene = bpy.context.scene
for number in range(scene.frame_start, int(frame) + 1):
    scene.frame_set(number)
scene.render.filepath = picture
bpy.ops.render.render(write_still=True)
sys.stdout.flush()
os._exit(0)
