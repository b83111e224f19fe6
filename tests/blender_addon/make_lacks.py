"""Run inside a Blender: a file that lacks a thing of each kind, `-- FOLDER`."""

from __future__ import annotations

import os
import sys
from typing import Any

import bpy

FOLDER = sys.argv[sys.argv.index("--") + 1]


def empty() -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    return bpy.context.scene


def at(name: Any) -> str:
    os.makedirs(FOLDER, exist_ok=True)
    return os.path.join(FOLDER, name)


def thing(name: Any, data: Any) -> Any:
    made = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(made)
    return made


def square(name: Any) -> Any:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    return thing(name, mesh)


def library(file: Any, name: Any, *, painted: bool = False) -> None:
    empty()
    if painted:
        pictured(name, "rust.png")
    made = bpy.data.objects[name] if painted else square(name)
    made.use_fake_user, made.data.name = True, "shape"
    bpy.ops.wm.save_as_mainfile(filepath=at(file))


def linked(file: Any, name: Any) -> Any:
    with bpy.data.libraries.load(at(file), link=True) as (_, wanted):
        wanted.objects = [name]
    return wanted.objects[0]


def pictured(name: Any, file: Any, source: Any = "FILE") -> None:
    """A material with an image."""
    image = bpy.data.images.new("paint", 4, 4)
    image.filepath_raw, image.file_format = at(file), "PNG"
    image.save()
    bpy.data.images.remove(image)
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    node = made.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(at(file))
    node.image.source = source
    node.image_user.frame_duration = node.image_user.frame_start = 1
    node.image_user.use_auto_refresh = True
    square(name).data.materials.append(made)
    if source == "FILE":
        os.unlink(at(file))


def lacks() -> None:
    pictured("Bark", "bark.png")
    title = bpy.data.curves.new("Title", "FONT")
    title.font = bpy.data.fonts.load(os.path.join(bpy.utils.system_resource("DATAFILES"), "fonts", FONT))
    title.font.filepath = at("title.woff2")
    thing("Title", title)
    light = bpy.data.lights.new("Spot", "POINT")
    light.use_nodes = True
    node = light.node_tree.nodes.new("ShaderNodeTexIES")
    node.mode, node.filepath = "EXTERNAL", at("spot.ies")
    thing("Lamp", light)
    cache = square("Flag").modifiers.new("Cache", "MESH_CACHE")
    cache.cache_format, cache.filepath = "PC2", at("flag.pc2")
    smoke = bpy.data.volumes.new("Smoke")
    smoke.filepath = at("smoke.vdb")
    thing("Smoke", smoke)
    speaker = bpy.data.speakers.new("Bell")
    with open(at("bell.wav"), "wb") as stream:
        stream.write(b"RIFF")
    speaker.sound = bpy.data.sounds.load(at("bell.wav"))
    thing("Bell", speaker)
    os.unlink(at("bell.wav"))


FONT = "DejaVuSansMono.woff2"


def main() -> None:
    library("props.blend", "chair")
    library("lamps.blend", "lamp")
    library("gates.blend", "gate", painted=True)
    empty()
    lacks()
    bpy.context.scene.collection.objects.link(linked("props.blend", "chair"))
    bpy.context.scene.collection.objects.link(linked("gates.blend", "gate"))
    override = linked("lamps.blend", "lamp").override_create()
    override.name = "Lamp in the hall"
    bpy.context.scene.collection.objects.link(override)
    bpy.ops.wm.save_as_mainfile(filepath=at("shot.blend"))
    library("lamps.blend", "lantern")
    os.unlink(at("props.blend"))
    sys.stdout.flush()
    os._exit(0)


main()
