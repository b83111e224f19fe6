"""Where a frame's files go: into its own folder, under the names that they would have at home.

The job says which folder of the file stands for which folder of the frame; what it does
not say goes by a plain rule.
"""

from __future__ import annotations

import os
import re
from typing import Any

import bpy

from blender_addon.outputs import clashes
from blender_addon.scene_nodes import compositor, nodes_of
from blender_addon.writes import writes
from farm.methods.inside.trouble import Trouble

TEMPLATES = bpy.app.version >= (4, 5)
"""Since then `{…}` in paths is replaced, and a brace that is meant is doubled."""

LAYERED = "OPEN_EXR_MULTILAYER"

Places = list[tuple[str, str]]
"""Folders as the file names them, slash at the end, and the frame's folders that stand for them."""


def picture_template(scene: Any, folder: str, places: Places) -> str:
    """Return the scene's output path moved into a folder; number and `{…}` are still to be replaced."""
    home, name = split(scene.render.filepath)
    here, below = _place(home, places) or ([], [])
    return os.path.join(literal(folder), *here, *below, name)


def picture_path(scene: Any, picture: int, folder: str, places: Places) -> str:
    """Return the path of a frame's picture in a folder; nothing in it is to be replaced."""
    return literal(os.path.join(folder, picture_name(scene, picture, places)))


def picture_name(scene: Any, picture: int, places: Places) -> str:
    """Return a picture's path below its frame's folder; views that have files of their own put a suffix to it."""
    here, below = _place(split(scene.render.filepath)[0], places) or ([], [])
    home = re.split(r"[/\\]", scene.render.frame_path(frame=picture))
    return os.path.join(*here, *home[-1 - len(below) : -1], home[-1] or f"{picture:04d}")


def split(path: str) -> tuple[str, str]:
    """Return the folder of a path, with the slash of either kind behind it, and the name."""
    name = re.split(r"[/\\]", path)[-1]
    return path[: len(path) - len(name)], name


def literal(path: str) -> str:
    """Return a path in which Blender replaces nothing but `#`."""
    return path.replace("{", "{{").replace("}", "}}") if TEMPLATES else path


def redirect_nodes(folder: str, places: Places) -> list[tuple[Any, str, str]]:
    """Send the File Output nodes into a folder; return what to put back: node, attribute, value."""
    old = []
    for scene in bpy.data.scenes:
        for node in nodes_of(compositor(scene)):
            if node.bl_idname == "CompositorNodeOutputFile":
                attribute = "directory" if hasattr(node, "directory") else "base_path"  # 5.0 renamed it
                value = getattr(node, attribute)
                old.append((node, attribute, value))
                # Up to 4.5 the path of layers ends with the beginning of the file's name.
                layers = attribute == "base_path" and node.format.file_format == LAYERED
                home, name = split(value) if layers else (_ended(value), "")
                here, below = _place(home, places) or ([], _plain(home))
                setattr(node, attribute, os.path.join(literal(folder), *here, *below, name))
    return old


def refuse_clashes(scene: Any, picture: int, folder: str, places: Places) -> None:
    """Raise Trouble if one file of a frame would be written over another; call it once the nodes are redirected.

    Clients say so before anything is sent. A job that came without one finds out here, and by the names that the files
    really get: two folders at home may be one among a frame's files, if the job does not say which stand for which.
    """
    home = scene.render.filepath
    scene.render.filepath = picture_template(scene, folder, places)
    try:
        found = clashes(writes(scene, movie=False), (picture,))
    finally:
        scene.render.filepath = home
    if found:
        raise Trouble(" ".join(found).replace(os.path.join(folder, "").replace("\\", "/"), ""))


def restore(old: list[tuple[Any, str, str]]) -> None:
    """Put back what redirect_nodes changed."""
    for node, attribute, value in old:
        setattr(node, attribute, value)


def written(folder: str) -> list[str]:
    """Return the absolute paths of all files in a folder and below, in order."""
    found = []
    for at, _, names in os.walk(folder):
        found += [os.path.join(at, name) for name in names]
    return sorted(found)


def _ended(folder: str) -> str:
    return folder if not folder or folder[-1] in "/\\" else f"{folder}/"


def _place(home: str, places: Places) -> tuple[list[str], list[str]] | None:
    """Return the folders that stand for one of the file's, and those below them; None: the job does not say."""
    for path, here in sorted(places, key=lambda place: -len(place[0])):
        if home.startswith(path):
            return _plain(here), _plain(home[len(path) :])
    return None


def _plain(path: str) -> list[str]:
    """Return the parts of a path that can be folders below another: `//../passes/` becomes `passes`."""
    return [p for p in re.split(r"[/\\]", path) if p not in ("", ".", "..") and not p.endswith(":")]
