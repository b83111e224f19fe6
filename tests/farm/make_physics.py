"""Make a scene with physics of both kinds, and what it looks like when it was played at home: FOLDER [bald].

All of what is bald can be baked. One of its caches lies on disk, and a picture has an absolute path.
"""

import os
import sys

import bpy

FOLDER, *MORE = sys.argv[sys.argv.index("--") + 1 :]
BALD = "bald" in MORE
LAST = 12
WHEEL = not bpy.app.binary_path


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


def grid(name, *place):
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=6, y_subdivisions=6, size=1.5, location=place)
    bpy.context.object.name = name
    return bpy.context.object


def soft_things():
    grid("Flag", -3.2, 0, 3).modifiers.new("Cloth", "CLOTH")
    grid("Jelly", -4.5, 0, 4).modifiers.new("Soft", "SOFT_BODY")
    canvas = grid("Canvas", 4.5, 0, 1)
    canvas.modifiers.new("Paint", "DYNAMIC_PAINT")
    bpy.ops.dpaint.type_toggle(type="CANVAS")


def particles():
    bpy.ops.mesh.primitive_cube_add(size=0.3, location=(0, 0, -5))
    grain = bpy.context.object
    fountain = grid("Fountain", 2, 0, 4)
    fountain.modifiers.new("Grains", "PARTICLE_SYSTEM")
    settings = fountain.particle_systems[0].settings
    settings.count, settings.frame_end, settings.render_type, settings.instance_object = 60, LAST, "OBJECT", grain
    still = grid("Dust", 4.5, 0, 4)
    still.modifiers.new("Dust", "PARTICLE_SYSTEM")
    still.particle_systems[0].settings.physics_type = "NO"
    if BALD:
        return
    fur = grid("Fur", -4.5, 0, 1)
    fur.modifiers.new("Fur", "PARTICLE_SYSTEM")
    fur.particle_systems[0].settings.type = "HAIR"
    fur.particle_systems[0].use_hair_dynamics = True


def painted_floor():
    picture = bpy.data.images.new("Paint", 4, 4)
    picture.generated_color = (0.1, 0.6, 0.2, 1)
    picture.filepath_raw, picture.file_format = os.path.join(FOLDER, "assets", "paint.png"), "PNG"
    os.makedirs(os.path.join(FOLDER, "assets"))
    picture.save()
    floor = bpy.data.objects["Plane"]
    floor.data.materials.append(bpy.data.materials.new("Floor"))
    floor.active_material.use_nodes = True
    nodes = floor.active_material.node_tree
    painted = nodes.nodes.new("ShaderNodeTexImage")
    painted.image = bpy.data.images.load(picture.filepath_raw)
    nodes.links.new(painted.outputs["Color"], nodes.nodes["Principled BSDF"].inputs["Base Color"])


def water():
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.5, location=(0, 0, 5))
    flow = bpy.context.object.modifiers.new("Flow", "FLUID")
    flow.fluid_type, flow.flow_settings.flow_type, flow.flow_settings.flow_behavior = "FLOW", "LIQUID", "GEOMETRY"
    bpy.ops.mesh.primitive_cube_add(size=2, location=(0, 0, 4.5))
    bpy.context.object.name = "Tank"
    domain = bpy.context.object.modifiers.new("Domain", "FLUID")
    domain.fluid_type = "DOMAIN"
    domain.domain_settings.domain_type = "LIQUID"
    domain.domain_settings.resolution_max, domain.domain_settings.use_mesh = 16, True


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
soft_things()
particles()
if bpy.app.version >= (3, 6):
    zone()
os.makedirs(os.path.join(FOLDER, "shots"), exist_ok=True)
if BALD:
    painted_floor()
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(FOLDER, "shots", "fall.blend"))
if BALD:  # the first time that a file is saved, its paths become relative, and no cache can be on disk before
    bpy.data.objects["Flag"].modifiers["Cloth"].point_cache.use_disk_cache = True
    bpy.data.images["paint.png"].filepath = os.path.join(FOLDER, "assets", "paint.png")
    bpy.ops.wm.save_mainfile()
played(os.path.join(FOLDER, "home"))
if BALD:
    sys.stdout.flush()
    os._exit(0)
bpy.context.scene.rigidbody_world.point_cache.frame_end = LAST
for thing in bpy.data.objects:
    for modifier in thing.modifiers:
        of = getattr(modifier, "particle_system", None) or modifier
        if hasattr(of, "point_cache"):
            of.point_cache.frame_end = LAST
        for surface in getattr(getattr(modifier, "canvas_settings", None), "canvas_surfaces", ()):
            surface.point_cache.frame_end = LAST
bpy.ops.ptcache.bake_all(bake=True)
for thing in bpy.data.objects:
    for modifier in thing.modifiers:
        if modifier.type == "NODES":
            thing.modifiers.remove(modifier)
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(FOLDER, "shots", "baked.blend"))
if not WHEEL:  # the simulator of fluids is broken in the bpy package
    shot()
    water()
    bpy.ops.wm.save_as_mainfile(filepath=os.path.join(FOLDER, "shots", "water.blend"))
sys.stdout.flush()
os._exit(0)
