"""Run inside a Blender: make a scene with what may go stale between frames: instances that move, and a sequence."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

folder = Path(sys.argv[-1])
(folder / "tex").mkdir(parents=True)
for number in range(1, 15):
    picture = bpy.data.images.new("t", 8, 8)
    picture.pixels = [number / 14, 0.2, 1 - number / 14, 1.0] * 64
    picture.filepath_raw, picture.file_format = str(folder / "tex" / f"t.{number:04d}.png"), "PNG"
    picture.save()

scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples, scene.cycles.use_denoising = 4, False
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 48, 32, 100
scene.frame_start, scene.frame_end = 1, 14
cube = bpy.data.objects["Cube"]
group = bpy.data.collections.new("group")
group.objects.link(cube)
for at in range(4):
    instance = bpy.data.objects.new(f"i{at}", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", group
    instance.scale = (0.5, 0.5, 0.5)
    for frame in (1, 14):
        instance.location = (at - 2 + frame / 7, frame / 5 - at, at * frame / 20)
        instance.keyframe_insert("location", frame=frame)
    scene.collection.objects.link(instance)
material = bpy.data.materials.new("sequence")
material.use_nodes = True
nodes = material.node_tree.nodes
texture = nodes.new("ShaderNodeTexImage")
texture.image = bpy.data.images.load(str(folder / "tex" / "t.0001.png"))
texture.image.source = "SEQUENCE"
texture.image_user.frame_duration, texture.image_user.use_auto_refresh = 14, True
material.node_tree.links.new(texture.outputs[0], nodes["Principled BSDF"].inputs["Base Color"])
cube.data.materials.clear()
cube.data.materials.append(material)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "moving.blend"))
bpy.ops.file.make_paths_relative()
bpy.ops.wm.save_mainfile()
