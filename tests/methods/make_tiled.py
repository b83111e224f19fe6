"""Run inside a Blender: make a scene with what may show a seam between tiles."""

from __future__ import annotations

import sys

import bpy

scene = bpy.context.scene
render, cycles = scene.render, scene.cycles
render.engine = "CYCLES"
cycles.samples, cycles.use_denoising = 16, False
cycles.use_adaptive_sampling, cycles.adaptive_threshold, cycles.adaptive_min_samples = True, 0.2, 2
render.resolution_x, render.resolution_y, render.resolution_percentage = 194, 132, 50
scene.frame_start, scene.frame_end = 1, 2
render.use_motion_blur = True
cube = bpy.data.objects["Cube"]
for frame, place in ((0, -1.0), (3, 1.5)):
    cube.location.x = place
    cube.keyframe_insert("location", frame=frame)
bpy.ops.mesh.primitive_uv_sphere_add(location=(0, -1.5, 0.5))
fog = bpy.data.materials.new("fog")
fog.use_nodes = True
nodes = fog.node_tree.nodes
for node in [n for n in nodes if n.type == "BSDF_PRINCIPLED"]:
    nodes.remove(node)
volume = nodes.new("ShaderNodeVolumePrincipled")
fog.node_tree.links.new(volume.outputs[0], next(n for n in nodes if n.type == "OUTPUT_MATERIAL").inputs["Volume"])
bpy.context.object.data.materials.append(fog)
first = scene.camera
first.data.dof.use_dof = True
second = bpy.data.objects.new("second", first.data.copy())
second.location, second.rotation_euler = first.location, first.rotation_euler
second.location.z += 1
scene.collection.objects.link(second)
for frame, camera in ((1, first), (2, second)):
    scene.timeline_markers.new(camera.name, frame=frame).camera = camera
layer = scene.view_layers[0]
layer.use_pass_z = layer.use_pass_normal = layer.use_pass_cryptomatte_object = True
layer.cycles.denoising_store_passes = True
scene.view_layers.new("more")
render.image_settings.file_format = "PNG"
render.dither_intensity = 1.0
render.filepath = "//out/tiled_"
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
