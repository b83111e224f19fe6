"""Make a scene with physics of both kinds, and what it looks like when it was played at home."""

import os
import sys

import bpy

FOLDER = sys.argv[sys.argv.index("--") + 1]
LAST = 12


def shot():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, LAST
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 1, False, 0
    scene.render.resolution_x, scene.render.resolution_y = 48, 48
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = "//../out/fall_"
    bpy.ops.object.camera_add(location=(0, -14, 3), rotation=(1.45, 0, 0))
    scene.camera = bpy.context.object
    scene.world = bpy.data.worlds.new("World")
    bpy.ops.object.light_add(type="SUN", location=(0, -4, 9), rotation=(0.7, 0, 0))
    return scene


def bodies():
    bpy.ops.mesh.primitive_plane_add(size=10)
    bpy.ops.rigidbody.object_add()
    bpy.context.object.rigid_body.type = "PASSIVE"
    for number in range(3):
        bpy.ops.mesh.primitive_cube_add(size=1, location=(-2 + number * 0.4, 0, 1 + 1.2 * number))
        bpy.ops.rigidbody.object_add()


def sockets(tree):
    for direction in ("INPUT", "OUTPUT"):
        if hasattr(tree, "interface"):
            tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
        else:
            getattr(tree, f"{direction.lower()}s").new("NodeSocketGeometry", "Geometry")
    return tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")


def zone():
    """A cube that rises a little with each frame; its simulation lies in a group in a group."""
    outer, inner = (bpy.data.node_groups.new(name, "GeometryNodeTree") for name in ("Outer", "Inner"))
    ends = sockets(outer)
    begin, end = sockets(inner)
    group = outer.nodes.new("GeometryNodeGroup")
    group.node_tree = inner
    outer.links.new(ends[0].outputs[0], group.inputs[0])
    outer.links.new(group.outputs[0], ends[1].inputs[0])
    first, last = (inner.nodes.new(f"GeometryNodeSimulation{part}") for part in ("Input", "Output"))
    first.pair_with_output(last)
    move = inner.nodes.new("GeometryNodeTransform")
    move.inputs["Translation"].default_value = (0, 0, 0.25)
    inner.links.new(begin.outputs[0], first.inputs["Geometry"])
    inner.links.new(first.outputs["Geometry"], move.inputs[0])
    inner.links.new(move.outputs[0], last.inputs["Geometry"])
    inner.links.new(last.outputs["Geometry"], end.inputs[0])
    bpy.ops.mesh.primitive_cube_add(size=1, location=(3, 0, 0.5))
    bpy.context.object.modifiers.new("Rise", "NODES").node_group = outer


def cloth():
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=6, y_subdivisions=6, size=2, location=(-3.2, 0, 3))
    bpy.context.object.name = "Flag"
    bpy.context.object.modifiers.new("Cloth", "CLOTH")


def played(folder):
    """Play the timeline, as an artist does before rendering; then render."""
    scene = bpy.context.scene
    home, scene.render.filepath = scene.render.filepath, os.path.join(folder, "home_")
    for number in range(1, LAST + 1):
        scene.frame_set(number)
    bpy.ops.render.render(animation=True)
    scene.render.filepath = home


shot()
bodies()
cloth()
if bpy.app.version >= (3, 6):
    zone()
os.makedirs(os.path.join(FOLDER, "shots"), exist_ok=True)
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(FOLDER, "shots", "fall.blend"))
played(os.path.join(FOLDER, "home"))
bpy.ops.ptcache.bake_all(bake=True)
for thing in bpy.data.objects:
    for modifier in thing.modifiers:
        if modifier.type == "NODES":
            thing.modifiers.remove(modifier)
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(FOLDER, "shots", "baked.blend"))
sys.stdout.flush()
os._exit(0)
