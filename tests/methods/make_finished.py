"""Run inside a Blender: make a scene whose whole picture counts: denoiser (where it is built in), compositor, mattes.

Adaptive sampling stops early in most places and not in others, and what stops depends on a pixel's neighbours.
"""

from __future__ import annotations

import sys
from importlib import import_module

import bpy

scene = bpy.context.scene
render, cycles = scene.render, scene.cycles
render.engine = "CYCLES"
cycles.samples, cycles.use_adaptive_sampling, cycles.adaptive_threshold, cycles.adaptive_min_samples = (
    512,
    True,
    0.05,
    1,
)
cycles.use_denoising = bool(import_module("_cycles").with_openimagedenoise)
render.resolution_x, render.resolution_y, render.resolution_percentage = 97, 66, 100
scene.frame_start, scene.frame_end = 1, 1
bpy.ops.mesh.primitive_plane_add(size=10, location=(0, 0, -1))
bpy.ops.mesh.primitive_uv_sphere_add(location=(0, -1.5, 0.5))
metal = bpy.data.materials.new("metal")
metal.use_nodes = True
shader = next(n for n in metal.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
shader.inputs["Metallic"].default_value, shader.inputs["Roughness"].default_value = 1, 0.1
bpy.context.object.data.materials.append(metal)
next(o for o in bpy.data.objects if o.type == "LIGHT").data.shadow_soft_size = 3
layer, more = scene.view_layers[0], scene.view_layers.new("more")
layer.use_pass_mist = layer.use_pass_cryptomatte_object = True
more.cycles.use_denoising = False

if hasattr(scene, "compositing_node_group"):  # 5.0
    tree = scene.compositing_node_group = bpy.data.node_groups.new("comp", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    end = tree.nodes.new("NodeGroupOutput")
else:
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    end = tree.nodes.new("CompositorNodeComposite")
first, second, blur, matte, below, over = (
    tree.nodes.new(f"CompositorNode{kind}")
    for kind in ("RLayers", "RLayers", "Blur", "CryptomatteV2", "AlphaOver", "AlphaOver")
)
first.layer, second.layer = layer.name, more.name
if hasattr(blur, "size_x"):
    blur.size_x = blur.size_y = 5
else:
    blur.inputs["Size"].default_value = (5, 5)
matte.source, matte.scene, matte.layer_name, matte.matte_id = "RENDER", scene, f"{layer.name}.CryptoObject", "Cube"


def factor(node: object) -> object:
    return next(s for s in node.inputs if s.type == "VALUE")


def pictures(node: object) -> list[object]:
    return [s for s in node.inputs if s.type == "RGBA"]


for out, into in (
    (first.outputs["Image"], blur.inputs[0]),
    (blur.outputs[0], pictures(below)[0]),
    (second.outputs["Image"], pictures(below)[1]),
    (first.outputs["Mist"], factor(below)),
    (below.outputs[0], pictures(over)[0]),
    (matte.outputs["Matte"], factor(over)),
    (over.outputs[0], end.inputs[0]),
):
    tree.links.new(out, into)
pictures(over)[1].default_value = (1, 0, 0, 1)
render.dither_intensity = 1.0
if hasattr(render.image_settings, "media_type"):
    render.image_settings.media_type = "IMAGE"
image = render.image_settings
image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR", "32", "NONE"
render.filepath = "//out/finished_"
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
