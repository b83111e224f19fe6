"""Run inside a Blender: report on each file of FOLDER/shots and render it as at home, `-- FOLDER COLLECTOR`.

All that a file writes below FOLDER is moved to FOLDER/written/NAME, and its report lies beside it.
"""

from __future__ import annotations

import glob
import importlib.util
import json
import os
import shutil
import sys
from typing import Any

import bpy

FOLDER, COLLECTOR = sys.argv[sys.argv.index("--") + 1 :]
PLACES = ("pictures", "passes", "elsewhere")


def collector() -> Any:
    spec = importlib.util.spec_from_file_location("report", COLLECTOR)
    module: Any = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module.neighbour("collector")


def mute_foreign(scene: Any) -> None:
    """Let nothing be written to places of Windows: here they would be odd names somewhere."""
    tree = getattr(scene, "compositing_node_group", None) or getattr(scene, "node_tree", None)
    for node in tree.nodes if tree else ():
        path = getattr(node, "directory", getattr(node, "base_path", ""))
        node.mute = node.mute or path.startswith(("C:", "\\\\"))


def show(scene: Any, path: str) -> None:
    """Write what the artist sees of the last frame."""
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format, image.color_mode = "PNG", "RGB"
    if not scene.render.use_multiview:
        bpy.data.images["Render Result"].save_render(path, scene=scene)


def put_away(name: str) -> None:
    place = os.path.join(FOLDER, "written", name)
    for at in PLACES:
        if os.path.isdir(os.path.join(FOLDER, at)):
            shutil.move(os.path.join(FOLDER, at), os.path.join(place, at))
    for file in os.listdir(os.path.join(FOLDER, "shots")):
        if not file.endswith(".blend"):
            os.makedirs(os.path.join(place, "shots"), exist_ok=True)
            shutil.move(os.path.join(FOLDER, "shots", file), os.path.join(place, "shots"))


collect = collector().collect
for path in sorted(glob.glob(f"{FOLDER}/shots/*.blend")):
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
    name = os.path.basename(path)[: -len(".blend")]
    os.makedirs(os.path.join(FOLDER, "written"), exist_ok=True)
    report = collect()
    with open(os.path.join(FOLDER, "written", f"{name}.json"), "w") as stream:
        json.dump(report, stream)
    if report["scene"]["output_error"]:
        continue
    os.makedirs(os.path.join(FOLDER, "written", name))
    mute_foreign(bpy.context.scene)
    bpy.ops.render.render(animation=True, scene=bpy.context.scene.name)
    show(bpy.context.scene, os.path.join(FOLDER, "written", f"{name}.png"))
    put_away(name)
sys.stdout.flush()
os._exit(0)
