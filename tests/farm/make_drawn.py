"""Run inside a Blender: small files of EEVEE with reflections and soft shadows, and of Cycles in EXR, `-- FOLDER`.

One EXR is of half floats, one of all layers, of 32 bits, and of adaptive sampling.
"""

from __future__ import annotations

import os
import sys

import bpy

folder = sys.argv[sys.argv.index("--") + 1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
engines = {item.identifier for item in type(scene.render).bl_rna.properties["engine"].enum_items}
scene.render.engine = "BLENDER_EEVEE_NEXT" if "BLENDER_EEVEE_NEXT" in engines else "BLENDER_EEVEE"
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 96, 64, 100
scene.eevee.taa_render_samples = 8
for name in ("use_gtao", "use_ssr", "use_bloom", "use_soft_shadows", "use_raytracing"):
    if hasattr(scene.eevee, name):
        setattr(scene.eevee, name, True)
bpy.ops.mesh.primitive_plane_add(size=20)
bpy.ops.mesh.primitive_monkey_add(location=(0, 0, 1))
metal = bpy.data.materials.new("metal")
metal.use_nodes = True
inputs = metal.node_tree.nodes["Principled BSDF"].inputs
inputs["Metallic"].default_value, inputs["Roughness"].default_value = 1, 0.3
bpy.context.object.data.materials.append(metal)
lamp = bpy.data.lights.new("Lamp", "POINT")
lamp.energy, lamp.shadow_soft_size = 800, 2
light, camera = bpy.data.objects.new("Lamp", lamp), bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
light.location, camera.location, camera.rotation_euler = (3, -3, 5), (0, -6, 3), (1.1, 0, 0)
for made in (light, camera):
    scene.collection.objects.link(made)
scene.camera = camera
scene.render.filepath = "//pictures/####"
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(folder, "eevee.blend"))
scene.render.engine, scene.render.image_settings.file_format = "CYCLES", "OPEN_EXR"
scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.use_adaptive_sampling = 8, False, False
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(folder, "cycles.blend"))
image, layer = scene.render.image_settings, scene.view_layers[0]
image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIPS"
layer.use_pass_z, layer.use_pass_normal, layer.use_pass_cryptomatte_object = True, True, True
scene.cycles.use_adaptive_sampling, scene.cycles.adaptive_threshold, scene.cycles.samples = True, 0.1, 32
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(folder, "layers.blend"))
