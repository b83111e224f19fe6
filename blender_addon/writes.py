"""All that a scene writes with each frame: its own picture, and those of File Output nodes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import bpy

from .outputs import Written, still
from .scene_nodes import compositor, renders_edit, strips

TEMPLATES = bpy.app.version >= (4, 5)
"""Since then `{…}` in paths is replaced."""

OWN = "the scene's own output"

_SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "JPEG2000": ".jp2",
    "TIFF": ".tif",
    "TARGA": ".tga",
    "TARGA_RAW": ".tga",
    "IRIS": ".rgb",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "HDR": ".hdr",
    "DPX": ".dpx",
    "CINEON": ".cin",
    "OPEN_EXR": ".exr",
    "OPEN_EXR_MULTILAYER": ".exr",
}
_LAYERED = "OPEN_EXR_MULTILAYER"
_HERE = "{blend_dir}"


def writes(scene: Any, movie: bool) -> list[Written]:
    """Return all that a scene writes, its own picture first.

    Args:
        scene: which.
        movie: its output is a video, which is rendered as pictures.
    """
    render = scene.render
    path = still(render.filepath) if movie else render.filepath
    suffix = ".png" if movie else render.file_extension if render.use_file_extension else ""
    found = [_written(OWN, *_split(path), suffix)]
    for one in _composited(scene):
        for node, where in _live(compositor(one), ""):
            of = "" if one == scene else f" of scene {one.name}"
            user = f"File Output “{node.name}”{where}{of}"
            found += [_written(user, *file) for file in _files(one, node)]
    return found


def _composited(scene: Any, seen: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield the scenes whose compositors run: this one's, or those of its strips."""
    if not renders_edit(scene):
        yield scene
        return
    for strip in strips(scene):
        inner = strip.scene if strip.type == "SCENE" and not strip.mute else None
        if inner is not None and inner not in (*seen, scene):
            yield from _composited(inner, (*seen, scene)) if strip.scene_input == "SEQUENCER" else (inner,)


def _live(tree: Any, where: str) -> Iterator[tuple[Any, str]]:
    """Yield the File Output nodes that run, and in which groups; as often as their group is used."""
    for node in tree.nodes if tree is not None else ():
        if node.mute:
            continue
        if node.bl_idname == "CompositorNodeOutputFile":
            yield node, where
        elif getattr(node, "node_tree", None) is not None:
            yield from _live(node.node_tree, f" in “{node.name}”{where}")


def _files(scene: Any, node: Any) -> Iterator[tuple[str, str, str]]:
    """Yield folder, beginning of the name below it, and suffix of all that a node writes."""
    linked = [socket.is_linked for socket in node.inputs]
    if node.format.file_format == _LAYERED:
        if any(linked):
            # Up to 4.5 a node of layers names the file in its path.
            new = hasattr(node, "directory")
            yield *((_ended(node.directory), node.file_name) if new else _split(node.base_path)), _suffix(scene, node)
        return
    for is_linked, (folder, name, holder) in zip(linked, _slots(node), strict=False):
        if is_linked:
            yield _ended(folder), name, _suffix(scene, holder)


def _slots(node: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield folder and name of each slot of pictures, and what has its format."""
    if hasattr(node, "directory"):  # 5.0
        for item in node.file_output_items:
            yield node.directory, node.file_name + item.name, item if item.override_node_format else node
        return
    for slot in node.file_slots:
        yield node.base_path, slot.path.lstrip("/"), node if slot.use_node_format else slot


def _suffix(scene: Any, holder: Any) -> str:
    return _SUFFIXES.get(holder.format.file_format, "") if scene.render.use_file_extension else ""


def _written(user: str, folder: str, name: str, suffix: str) -> Written:
    fixed = _fixed(folder)
    return Written(user, fixed, _home(fixed), (folder[len(fixed) :] + name).replace("\\", "/"), suffix)


def _split(path: str) -> tuple[str, str]:
    name = re.split(r"[/\\]", path)[-1]
    return path[: len(path) - len(name)], name


def _ended(folder: str) -> str:
    return folder if not folder or folder[-1] in "/\\" else f"{folder}/"


def _fixed(folder: str) -> str:
    """Return a folder up to the first part in which Blender replaces something, with the slash behind it."""
    begin = len(_HERE) if TEMPLATES and folder.startswith(_HERE) else 0
    found = re.search(r"\{", folder[begin:].replace("{{", "__")) if TEMPLATES else None
    if found is None:
        return folder
    return re.sub(r"[^/\\]*$", "", folder[: begin + found.start()])


def _home(folder: str) -> str:
    """Return the absolute path of a folder on this machine; as it is if it is of another kind of machine."""
    if TEMPLATES:
        if folder.startswith(_HERE):
            folder = "//" + folder[len(_HERE) :].lstrip("/\\")
        folder = folder.replace("{{", "{").replace("}}", "}")
    if not folder or (os.name != "nt" and re.match(r"[A-Za-z]:|\\\\", folder)):
        return re.sub(r"(?<=[^:/\\])[/\\]+$", "", folder)
    return os.path.normpath(str(bpy.path.abspath(folder.replace("\\", os.sep))))
