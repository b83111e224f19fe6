"""Kinds of files that are no pictures: libraries, fonts, sounds, shapes, lights, texts, scripts, assets."""

from __future__ import annotations

import math
import os
import shutil
import struct
import wave
from typing import Any

import bpy

from .making import FOLDER, OPTIONS, at, ball, grid, kind, pane, shaped, thing_of, tree


@kind()
def libraries_in_libraries() -> Any:
    collection = linked("chairs", "collections")
    holder = bpy.data.objects.new("chairs", None)
    holder.instance_type, holder.instance_collection = "COLLECTION", collection
    bpy.context.scene.collection.objects.link(holder)
    return holder, ["libs/chairs.blend", "libs/deep/cloth.blend", "libs/deep/tex/cloth.png", "libs/chairs.png"]


@kind()
def override() -> Any:
    made = linked("lamps", "objects").override_create()
    bpy.context.scene.collection.objects.link(made)
    made.scale = (0.6, 1.0, 1.0)
    return made, ["libs/lamps.blend", "libs/lamps.png"]


def linked(name: Any, what: Any) -> Any:
    path = os.path.join(FOLDER, "art", "libs", f"{name}.blend")
    with bpy.data.libraries.load(path, link=True, relative=False) as (_, wanted):
        setattr(wanted, what, [name])
    return getattr(wanted, what)[0]


@kind()
def font() -> Any:
    source = os.path.join(bpy.utils.system_resource("DATAFILES"), "fonts", "DejaVuSansMono.woff2")
    path = shutil.copy(source, at("art", "fonts", "Mono.woff2"))
    curve = bpy.data.curves.new("font", "FONT")
    curve.body, curve.size, curve.font = "Wg", 1.2, bpy.data.fonts.load(path)
    thing = thing_of("font", curve, shaped("font"))
    curve.offset_x, curve.offset_y = -0.8, -0.4
    return thing, ["fonts/Mono.woff2"]


@kind()
def sound() -> Any:
    path = at("art", "sounds", "bell.wav")
    with wave.open(path, "wb") as stream:
        stream.setparams((1, 2, 8000, 0, "NONE", ""))
        stream.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 9))) for n in range(4000)))
    speaker = bpy.data.speakers.new("bell")
    speaker.sound = bpy.data.sounds.load(path)
    return thing_of("bell", speaker, None), ["sounds/bell.wav"]


@kind()
def mesh_cache() -> Any:
    thing = grid("mesh cache")
    corners = [tuple(v.co) for v in thing.data.vertices]
    with open(at("art", "caches", "bend.pc2"), "wb") as stream:
        stream.write(struct.pack("<12siiffi", b"POINTCACHE2\0", 1, len(corners), 1.0, 1.0, 4))
        for n in range(4):
            for x, y, z in corners:
                stream.write(struct.pack("<fff", x, y * (1 - n / 8), z + 0.2 * math.sin(3 * x + n)))
    modifier = thing.modifiers.new("cache", "MESH_CACHE")
    modifier.cache_format, modifier.filepath = "PC2", at("art", "caches", "bend.pc2")
    return thing, ["caches/bend.pc2"]


@kind()
def mesh_cache_of_lightwave() -> Any:
    thing = grid("lightwave cache")
    corners = [tuple(v.co) for v in thing.data.vertices]
    with open(at("art", "caches", "bend.mdd"), "wb") as stream:
        stream.write(struct.pack(">2i4f", 4, len(corners), *(n / 25 for n in range(4))))
        for n in range(4):
            for x, y, z in corners:
                stream.write(struct.pack(">fff", x * (1 - n / 8), y, z + 0.2 * math.cos(3 * y + n)))
    modifier = thing.modifiers.new("cache", "MESH_CACHE")
    modifier.cache_format, modifier.filepath = "MDD", at("art", "caches", "bend.mdd")
    return thing, ["caches/bend.mdd"]


@kind()
def light_texture() -> Any:
    with open(at("art", "lights", "spot.ies"), "w", encoding="ascii") as stream:
        stream.write("IESNA:LM-63-1995\nTILT=NONE\n1 1000 1.0 3 1 1 2 0.0 0.0 0.0\n1.0 1.0 0.0\n")
        stream.write("0.0 30.0 90.0\n0.0\n900.0 300.0 10.0\n")
    light = bpy.data.lights.new("spot", "POINT")
    light.energy, light.use_nodes, light.shadow_soft_size = 0.4, True, 0.01
    nodes, links = light.node_tree.nodes, light.node_tree.links
    texture = nodes.new("ShaderNodeTexIES")
    texture.mode, texture.filepath = "EXTERNAL", at("art", "lights", "spot.ies")
    links.new(texture.outputs[0], nodes["Emission"].inputs["Strength"])
    lamp = thing_of("spot", light, None)
    floor = pane("floor")
    floor.data.materials[0] = bpy.data.materials.new("floor")
    lamp.parent, lamp.location = floor, (0, 0, 0.8)
    return floor, ["lights/spot.ies"]


@kind()
def text_of_a_file() -> Any:
    path = at("art", "scripts", "rig.py")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("print('rig')\n")
    bpy.data.texts.load(path).use_fake_user = True
    return None, ["scripts/rig.py"]


@kind("" if getattr(OPTIONS, "cycles_osl", False) else "no Open Shading Language")
def shader_script() -> Any:
    path = at("art", "shaders", "stripes.osl")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("shader stripes(output color Color = 0) { Color = color(fmod(abs(P[0]) * 4, 1.0), 0.3, 0.8); }")
    bpy.context.scene.cycles.shading_system = True
    thing = pane("script")
    made, nodes, links, glow = tree("script")
    script = nodes.new("ShaderNodeScript")
    script.mode, script.filepath = "EXTERNAL", path
    # The package lacks what reads a script's sockets.
    if not script.outputs:
        script.outputs.new("NodeSocketColor", "Color")
    links.new(script.outputs["Color"], glow.inputs["Color"])
    thing.data.materials[0] = made
    return thing, ["shaders/stripes.osl"]


BUNDLED = ("geometry_nodes/smooth_by_angle.blend", "nodes/geometry_nodes_essentials.blend")
"""Where Blenders up to 4.5, and those since, have it."""

ASSETS = next(
    filter(os.path.isfile, (os.path.join(bpy.utils.system_resource("DATAFILES"), "assets", one) for one in BUNDLED)), ""
)


@kind("" if ASSETS else "no bundled assets")
def bundled_asset() -> Any:
    thing = ball("smooth")
    with bpy.data.libraries.load(ASSETS, link=True, relative=False) as (_, wanted):
        wanted.node_groups = ["Smooth by Angle"]
    modifier = thing.modifiers.new("smooth", "NODES")
    modifier.node_group = wanted.node_groups[0]
    return thing, [os.path.basename(ASSETS)]
