"""Run inside a Blender: an edit whose strips are of all kinds that lie in files, `-- FOLDER ANSWER PATHS ""`.

Pictures, a movie, clips of both, and another scene, one behind the other, with a sound. ANSWER gets the .blend's path,
the files that must come along, and the frames that each strip is seen in.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import bpy

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from kinds.files import sound
from kinds.making import ANSWER, FRAMES, PATHS, at, load, paint, pane, thing_of
from kinds.pictures import film

SIZE, EACH = 32, 2
"""Pixels of a picture's side; frames that a strip is seen in."""


def pictures(folder: Any, blue: Any) -> list[str]:
    return [paint(at("art", folder, f"{folder}_{n:03}.png"), (0.9, n / 4, blue)) for n in range(1, 4)]


def shot() -> Any:
    """Another scene, with a texture."""
    scene = bpy.data.scenes.new("shot")
    scene.frame_start, scene.frame_end = FRAMES
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = SIZE
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = 2, False, 7
    thing = pane("wall", load(paint(at("art", "wall", "wall.png"), (0.2, 0.4, 0.9))), scene.collection)
    thing.location.x = 0.4
    camera = bpy.data.cameras.new("camera")
    camera.type, camera.ortho_scale = "ORTHO", 3
    scene.camera = thing_of("camera", camera, None, scene.collection)
    scene.camera.location.z = 5
    return scene


def clip(path: Any) -> Any:
    return bpy.data.movieclips.load(path)


def cut(strip: Any, number: int) -> list[int]:
    """Show a strip behind those before it; return in which frames."""
    strip.frame_start = 1 + number * EACH
    strip.frame_final_duration = EACH
    return [1 + number * EACH + n for n in range(EACH)]


def main() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    render = scene.render
    render.resolution_x, render.resolution_y, render.filepath = SIZE, SIZE, "//../pictures/film_###"
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    still, *others = pictures("plates", 0.1)
    made = {"pictures": strips.new_image("pictures", still, 1, 1)}
    for name in others:
        made["pictures"].elements.append(os.path.basename(name))
    made["movie"] = strips.new_movie("movie", film(at("art", "footage", "clip 1.mkv")), 2, 1)
    made["clip"] = strips.new_clip("clip", clip(film(at("art", "footage", "tracked.mkv"))), 3, 1)
    made["clip of pictures"] = strips.new_clip("clip of pictures", clip(pictures("tracked", 0.9)[0]), 4, 1)
    made["scene"] = strips.new_scene("scene", shot(), 5, 1)
    seen = {name: cut(strip, number) for number, (name, strip) in enumerate(made.items())}
    scene.frame_start, scene.frame_end = 1, EACH * len(made)
    needed = ["footage/clip 1.mkv", "footage/tracked.mkv", "wall/wall.png"]
    if bpy.app.build_options.audaspace:  # bpy 4.2 is built without, and knows no sounds
        strips.new_sound("sound", at("art", sound()[1][0]), 6, 1).frame_final_duration = scene.frame_end
        needed.append("sounds/bell.wav")
    path = at("art", "shots", "edit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    if PATHS == "relative":
        bpy.ops.file.make_paths_relative()
        bpy.ops.wm.save_as_mainfile(filepath=path, relative_remap=False)
    needed += [f"{folder}/{folder}_{n:03}.png" for folder in ("plates", "tracked") for n in range(1, 4)]
    with open(ANSWER, "w", encoding="utf-8") as stream:
        json.dump({"blend": path, "needed": needed, "seen": seen}, stream)
    sys.stdout.flush()
    os._exit(0)


main()
