"""Runs in Blender: a small scene that writes elsewhere in all the ways that Blender has, and spoils what it can."""

import sys

import bpy

plain, target, escape, outside = sys.argv[-4:]
bpy.ops.wm.open_mainfile(filepath=plain)
scene = bpy.context.scene
text = bpy.data.texts.new("escape.py")
with open(escape) as stream:
    text.write(f"OUTSIDE = {outside!r}\n" + stream.read())
text.use_module = True
scene.name = "Escaping"
driver = bpy.data.objects["Cube"].driver_add("location", 1).driver
driver.expression = "spill()"
scene.render.filepath = f"{outside}/####"
scene.use_nodes = True
for path in (f"{outside}/away/", "//../../../../../../../../up/"):
    node = scene.node_tree.nodes.new("CompositorNodeOutputFile")
    node.base_path = path
    scene.node_tree.links.new(scene.node_tree.nodes["Render Layers"].outputs["Image"], node.inputs[0])
bpy.ops.wm.save_as_mainfile(filepath=target, compress=False)
