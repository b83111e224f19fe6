"""In a Blender: make a layer's .blend, and one that composites its picture, `layer_0001.png`, which is not here yet."""

from __future__ import annotations

import sys

import bpy

layer, comp = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]


def scene(colour: tuple[float, float, float]) -> bpy.types.Scene:
    """Return an empty scene of one colour, drawn by Cycles."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    made = bpy.context.scene
    made.render.engine, made.cycles.samples, made.cycles.use_denoising = "CYCLES", 1, False
    made.render.resolution_x, made.render.resolution_y, made.render.resolution_percentage = 64, 36, 100
    made.render.image_settings.file_format = "PNG"
    made.view_settings.view_transform = "Standard"
    made.world = bpy.data.worlds.new("world")
    made.world.color = colour
    made.collection.objects.link(bpy.data.objects.new("camera", bpy.data.cameras.new("camera")))
    made.camera = made.objects["camera"]
    return made


scene((0.8, 0.1, 0.05)).render.filepath = "//layer_"
bpy.ops.wm.save_as_mainfile(filepath=layer)

over = scene((0, 0, 0))
over.render.filepath = "//comp_"
over.use_nodes = True
tree = over.node_tree
tree.nodes.clear()
image = bpy.data.images.new("layer", 64, 36)
image.source, image.filepath = "FILE", "//layer_0001.png"
source, invert = tree.nodes.new("CompositorNodeImage"), tree.nodes.new("CompositorNodeInvert")
source.image = image
out = tree.nodes.new("CompositorNodeComposite")
tree.links.new(source.outputs["Image"], invert.inputs["Color"])
tree.links.new(invert.outputs["Color"], out.inputs["Image"])
bpy.ops.wm.save_as_mainfile(filepath=comp)
