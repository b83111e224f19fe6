"""Run inside a Blender: make a scene that takes Cycles long to prepare, `-- FILE FRAMES`.

Two million quads, 400 instances, four textures of 4096 × 4096 pixels; the camera flies.
"""

from __future__ import annotations

import math
import os
import random
import sys
from array import array

import bpy

QUADS, INSTANCES, TEXTURES, PIXELS = (2000, 1000), 400, 4, 4096
target, frames = sys.argv[sys.argv.index("--") + 1 :]
chance = random.Random(7)

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end = 1, int(frames)
scene.render.engine = "CYCLES"
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 480, 270, 100
scene.cycles.samples, scene.cycles.use_denoising = 6, False
scene.render.filepath = "//pictures/####"


def material(number: int) -> bpy.types.Material:
    folder = os.path.join(os.path.dirname(target), "textures")
    os.makedirs(folder, exist_ok=True)
    image = bpy.data.images.new(f"wood {number}", PIXELS, PIXELS)
    # As hard to compress as a photograph's grain.
    grain = array("f", (chance.choice((0.25, 0.5, 0.75, 1.0)) for _ in range(PIXELS * 64)))
    image.pixels.foreach_set(grain * (4 * PIXELS * PIXELS // len(grain)))
    image.filepath_raw, image.file_format = os.path.join(folder, f"wood{number}.png"), "PNG"
    image.save()
    image.source = "FILE"
    image.filepath = f"//textures/wood{number}.png"
    made = bpy.data.materials.new(f"Wood {number}")
    made.use_nodes = True
    node = made.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    made.node_tree.links.new(made.node_tree.nodes["Principled BSDF"].inputs["Base Color"], node.outputs["Color"])
    return made


woods = [material(number) for number in range(TEXTURES)]
bpy.ops.mesh.primitive_grid_add(x_subdivisions=QUADS[0], y_subdivisions=QUADS[1], size=40)
ground = bpy.context.object
count = len(ground.data.vertices)
places = array("f", bytes(12 * count))
ground.data.vertices.foreach_get("co", places)
for at in range(0, 3 * count, 3):
    places[at + 2] = 0.4 * math.sin(places[at]) * math.cos(places[at + 1])
ground.data.vertices.foreach_set("co", places)
ground.data.materials.append(woods[0])

monkeys = []
for wood in woods:
    bpy.ops.mesh.primitive_monkey_add()
    monkey = bpy.context.object
    monkey.modifiers.new("Smooth", "SUBSURF").levels = 2
    bpy.ops.object.modifier_apply(modifier="Smooth")
    monkey.data.materials.append(wood)
    monkeys.append(monkey.data)
    bpy.data.objects.remove(monkey)
for number in range(INSTANCES):
    other = bpy.data.objects.new(f"Monkey {number}", monkeys[number % TEXTURES])
    scene.collection.objects.link(other)
    other.location = (chance.uniform(-18, 18), chance.uniform(-18, 18), chance.uniform(0.5, 3))
    other.rotation_euler = (0, 0, chance.uniform(0, 6.28))
    other.scale = [chance.uniform(0.3, 0.9)] * 3

scene.world = bpy.data.worlds.new("World")
sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
sun.data.energy, sun.rotation_euler = 3, (0.6, 0.3, 0)
camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
for made in (sun, camera):
    scene.collection.objects.link(made)
scene.camera = camera
for frame, place in ((1, (0, -16, 6)), (int(frames), (6, -10, 5))):
    camera.location, camera.rotation_euler = place, (1.2, 0, place[0] / 20)
    camera.keyframe_insert("location", frame=frame)
    camera.keyframe_insert("rotation_euler", frame=frame)
bpy.ops.wm.save_as_mainfile(filepath=target)
