"""A scene for make_installed.py: what can't be had in tiles is said; then pictures in tiles, and a video of them."""

from __future__ import annotations

from typing import Any

import bpy

OPS = bpy.ops.distren


def play(blend: Any, server: Any, invite: Any) -> Any:
    OPS.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.context.scene
    said = {"too fine": refusal(tiles="99x1"), "none": refusal(tiles="four"), "update": refusal(update=1, video="mp4")}
    scene.render.use_stamp = True
    said["stamp"] = refusal(tiles="2x2")
    scene.render.use_stamp = False
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.engine = "BLENDER_WORKBENCH"
    said["engine"] = refusal(tiles="2x2")
    scene.render.engine = "CYCLES"
    OPS.submit(frames="1-2", tiles="2x2", video="mp4", device="cpu", wait=True)
    scene.render.image_settings.file_format = "JPEG"  # which is written once, of the whole picture
    OPS.submit(frames="2", tiles="2x1", device="cpu", wait=True)
    return said


def refusal(**arguments: Any) -> str:
    try:
        OPS.submit(frames="1", device="cpu", **arguments)
    except RuntimeError as error:
        return str(error)
    return ""
