"""Kinds of pictures."""

from __future__ import annotations

from typing import Any

import bpy

from .making import LATER, OPTIONS, at, kind, load, paint, pane


@kind()
def image_with_spaces() -> Any:
    path = paint(at("art", "my textures", "wood 1.png"), (0.9, 0.3, 0.1))
    return pane("spaces", load(path)), ["my textures/wood 1.png"]


@kind()
def image_of_other_letters() -> Any:
    path = paint(at("art", "Texturen", "Ähre 木 ñ.png"), (0.2, 0.8, 0.3))
    return pane("letters", load(path)), ["Texturen/Ähre 木 ñ.png"]


@kind()
def image_by_absolute_path() -> Any:
    path = paint(at("elsewhere", "sky.png"), (0.1, 0.3, 0.9))
    LATER.append(lambda: setattr(bpy.data.images["sky.png"], "filepath", path))
    return pane("absolute", load(path)), ["sky.png"]


@kind()
def image_by_windows_path() -> Any:
    path = paint(at("art", "my textures", "slash.png"), (0.9, 0.9, 0.2))
    LATER.append(lambda: setattr(bpy.data.images["slash.png"], "filepath", "//..\\..\\my textures\\slash.png"))
    return pane("windows", load(path)), ["my textures/slash.png"]


@kind()
def image_sequence() -> Any:
    files = [paint(at("art", "wave", f"wave.{n:04d}.png"), (n / 5, 0.2, 1 - n / 5)) for n in range(1, 6)]
    image = load(files[0])
    image.source = "SEQUENCE"
    thing = pane("sequence", image)
    user = next(n for n in thing.active_material.node_tree.nodes if n.bl_idname == "ShaderNodeTexImage").image_user
    user.frame_start, user.frame_duration, user.use_auto_refresh = 1, 5, True
    return thing, [f"wave/wave.{n:04d}.png" for n in range(1, 4)]


@kind("" if OPTIONS.codec_ffmpeg else "no FFmpeg")
def movie() -> Any:
    path = film(at("art", "footage", "clip 1.mkv"))
    image = load(path)
    image.source = "MOVIE"
    thing = pane("movie", image)
    user = next(n for n in thing.active_material.node_tree.nodes if n.bl_idname == "ShaderNodeTexImage").image_user
    user.frame_duration, user.use_auto_refresh = 3, True
    return thing, ["footage/clip 1.mkv"]


def film(path: Any) -> str:
    """Film the sequence."""
    scene = bpy.data.scenes.new("film")
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    for n in range(1, 4):
        picture = paint(at("scratch", f"{n}.png"), (0.2, n / 3, 0.5))
        strips.new_image(str(n), picture, 1, n).frame_final_duration = 1
    render = scene.render
    render.resolution_x = render.resolution_y = 32
    scene.frame_start, scene.frame_end = 1, 3
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MKV", "FFV1"
    render.filepath = path
    bpy.ops.render.render(animation=True, scene=scene.name)
    bpy.data.scenes.remove(scene)
    return path


@kind()
def tiles() -> Any:
    for number, colour in ((1001, (0.9, 0.1, 0.5)), (1002, (0.1, 0.9, 0.5))):
        paint(at("art", "udim", f"skin.{number}.png"), colour)
    image = load(at("art", "udim", "skin.1001.png"))
    image.source, image.filepath = "TILED", at("art", "udim", "skin.<UDIM>.png")
    image.tiles.new(1002)
    thing = pane("tiles", image)
    for corner, place in zip(thing.data.uv_layers[0].data, ((0, 0), (2, 0), (2, 1), (0, 1)), strict=True):
        corner.uv = place
    return thing, ["udim/skin.1001.png", "udim/skin.1002.png"]


@kind()
def packed_picture() -> Any:
    image = load(paint(at("scratch", "packed.png"), (0.7, 0.2, 0.8)))
    image.pack()
    LATER.append(lambda: setattr(bpy.data.images["packed.png"], "filepath", "//gone/packed.png"))
    return pane("packed", image), []
