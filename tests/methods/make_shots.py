"""Run inside a Blender: make the small files that the tests open, `-- FOLDER`."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import bpy

FOLDER = sys.argv[sys.argv.index("--") + 1]


def empty(name: Any = "Shot") -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    scene.name = name
    scene.frame_start, scene.frame_end, scene.frame_step = 2, 8, 2
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = 32, 18, 100
    scene.cycles.samples, scene.cycles.use_denoising = 2, False
    render.filepath = "//../pictures/shot_###_x"
    return scene


def add_camera(scene: Any) -> None:
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location = (0, 0, 5)
    camera.keyframe_insert("location", frame=1)
    camera.location = (3, 0, 5)
    camera.keyframe_insert("location", frame=9)
    scene.collection.objects.link(camera)
    scene.camera = camera


def textured(scene: Any, *pictures: Any, name: Any = "Plane") -> Any:
    bpy.ops.mesh.primitive_plane_add(size=4)
    plane = bpy.context.object
    plane.name = name
    for picture in pictures:
        made = bpy.data.materials.new(f"{name} paint")
        made.use_nodes = True
        nodes, links = made.node_tree.nodes, made.node_tree.links
        glow, image = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeTexImage")
        image.image = picture
        links.new(image.outputs["Color"], glow.inputs["Color"])
        links.new(glow.outputs[0], nodes["Material Output"].inputs["Surface"])
        plane.data.materials.append(made)
    return plane


def paint(path: Any, colour: Any) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image = bpy.data.images.new("paint", 8, 8)
    image.pixels[:] = list(colour) * 64
    image.filepath_raw, image.file_format = path, "PNG"
    image.save()
    bpy.data.images.remove(image)


def save(place: Any, relative: Any = True) -> None:
    path = os.path.join(FOLDER, place)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=path, relative_remap=relative)
    if relative:
        bpy.ops.file.make_paths_relative()
        bpy.ops.wm.save_as_mainfile(filepath=path)


def at(*parts: Any) -> str:
    return os.path.join(FOLDER, *parts)


def library() -> None:
    """A library that links another one, both with a texture."""
    for name, colour in (("deep", (0, 0, 1, 1)), ("wood", (0, 1, 0, 1)), ("sky", (1, 0, 0, 1))):
        paint(at("assets", "textures", f"{name}.png"), colour)
    deep = textured(empty(), bpy.data.images.load(at("assets", "textures", "deep.png")), name="Deep")
    deep.location.z = -2
    save("assets/deep.blend")
    scene = empty()
    wood = textured(scene, bpy.data.images.load(at("assets", "textures", "wood.png")), name="Wood")
    wood.location.z = -1
    link("assets/deep.blend", "Deep", scene, relative=False)
    group = bpy.data.collections.new("Props")
    for thing in list(scene.collection.objects):
        group.objects.link(thing)
    group.use_fake_user = True
    save("assets/props.blend")


def link(place: Any, name: Any, scene: Any, relative: Any = True) -> None:
    with bpy.data.libraries.load(at(place), link=True, relative=False) as (_, wanted):
        wanted.objects = [name]
    scene.collection.objects.link(bpy.data.objects[name])


def plain(place: Any = "shots/plain.blend", relative: Any = True, change: Any = None) -> None:
    """A shot with a texture and a library that links a library."""
    scene = empty()
    add_camera(scene)
    textured(scene, bpy.data.images.load(at("assets", "textures", "sky.png")))
    with bpy.data.libraries.load(at("assets/props.blend"), link=True, relative=False) as (_, wanted):
        wanted.collections = ["Props"]
    holder = bpy.data.objects.new("Props", None)
    holder.instance_type, holder.instance_collection = "COLLECTION", bpy.data.collections["Props"]
    scene.collection.objects.link(holder)
    if change:
        change(scene)
    save(place, relative)


def sequence() -> None:
    for number in range(1, 7):
        paint(at("assets", "seq", f"wave_{number:03d}.png"), (number / 6, 0, 0, 1))
    for tile in (1001, 1002):
        paint(at("assets", "udim", f"skin.{tile}.png"), (0, 0, tile % 2, 1))
    scene = empty()
    add_camera(scene)
    wave = bpy.data.images.load(at("assets", "seq", "wave_001.png"))
    wave.source = "SEQUENCE"
    skin = bpy.data.images.load(at("assets", "udim", "skin.1001.png"))
    skin.source = "TILED"
    skin.filepath = at("assets", "udim", "skin.<UDIM>.png")
    plane = textured(scene, wave, skin)
    user = plane.data.materials[0].node_tree.nodes["Image Texture"].image_user
    user.frame_start, user.frame_duration, user.frame_offset, user.use_auto_refresh = 3, 4, 1, True
    save("shots/sequence.blend")


def movie(scene: Any) -> None:
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    bpy.data.scenes.new("Other scene")


def passes(scene: Any) -> None:
    """A compositor that also writes a pass into a folder beside the project."""
    if hasattr(scene, "compositing_node_group"):
        return
    scene.use_nodes = True
    nodes, links = scene.node_tree.nodes, scene.node_tree.links
    output = nodes.new("CompositorNodeOutputFile")
    output.base_path = "//../passes/"
    output.file_slots[0].path = "depth_"
    output.format.file_format = "PNG"
    links.new(nodes["Render Layers"].outputs["Alpha"], output.inputs[0])


def no_camera(scene: Any) -> None:
    scene.camera = None


def denoised(scene: Any) -> None:
    scene.cycles.use_denoising = True


def driven(scene: Any) -> None:
    driver = bpy.data.objects["Plane"].driver_add("location", 2).driver
    driver.expression = "len(str(frame))"


def missing_texture(scene: Any) -> None:
    gone = bpy.data.images.load(at("assets", "textures", "sky.png"))
    gone.name = "Gone"
    gone.filepath = at("assets", "textures", "gone.png")
    textured(scene, gone, name="Bad")


def gaps(scene: Any) -> None:
    """Uses one of each kind of thing; tests take them away."""

    class Glow(bpy.types.ShaderNode):
        bl_idname, bl_label = "StudioGlow", "Glow"

        def init(self, context: Any) -> None:
            del context
            self.outputs.new("NodeSocketColor", "Color")

    bpy.utils.register_class(Glow)
    skin = bpy.data.images.load(at("assets", "udim", "skin.1001.png"))
    skin.name, skin.source, skin.filepath = "Skin", "TILED", at("assets", "udim", "skin.<UDIM>.png")
    skin.tiles.new(1002)
    nodes = textured(scene, skin, name="Doll").data.materials[0].node_tree
    nodes.links.new(nodes.nodes.new("StudioGlow").outputs[0], nodes.nodes["Emission"].inputs["Color"])
    fonts = os.path.join(bpy.utils.system_resource("DATAFILES"), "fonts")
    shutil.copy(os.path.join(fonts, sorted(os.listdir(fonts))[0]), at("assets", "title.ttf"))
    bpy.ops.object.text_add()
    bpy.context.object.data.font = bpy.data.fonts.load(at("assets", "title.ttf"))
    bpy.context.object.data.font.name = "Title"
    smoke = bpy.data.volumes.new("Smoke")
    smoke.filepath = at("assets", "smoke.vdb")
    scene.collection.objects.link(bpy.data.objects.new("Smoke", smoke))
    scene.view_settings.view_transform = "Filmic"


def driven_late(scene: Any) -> None:
    """A driver that is asked for the first time while a frame renders."""
    driven(scene)
    bpy.data.objects["Plane"].hide_viewport = True


library()
plain()
plain("shots/absolute.blend", relative=False)
for change in (passes, movie, no_camera, denoised, missing_texture, driven, driven_late):
    plain(f"shots/{change.__name__}.blend", change=change)
sequence()
plain("shots/gaps.blend", change=gaps)
empty()
save("shots/compressed.blend")
bpy.ops.wm.save_as_mainfile(filepath=at("shots/compressed.blend"), compress=True)
