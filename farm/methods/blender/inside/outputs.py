"""Where a frame's files go: into its own folder, under the names they would have at home."""

from __future__ import annotations

import os
import re
from typing import Any

import bpy

from . import checks


def home_name(scene: Any, picture: int) -> str:
    """Return the file name that Blender would give a frame's picture at the artist's desk."""
    return last_part(scene.render.frame_path(frame=picture)) or f"{picture:04d}"


def last_part(path: str) -> str:
    """Return what is behind the last slash of either kind."""
    return re.split(r"[/\\]", path)[-1]


def redirect_nodes(folder: str) -> list[tuple[Any, str, str]]:
    """Send the File Output nodes into a folder; return what to put back: node, attribute, value."""
    old = []
    for scene in bpy.data.scenes:
        for node in checks.all_nodes(checks.compositor(scene)):
            attribute = "directory" if hasattr(node, "directory") else "base_path"  # 5.0 renamed it
            if node.bl_idname == "CompositorNodeOutputFile":
                value = getattr(node, attribute)
                old.append((node, attribute, value))
                setattr(node, attribute, os.path.join(folder, *_below(value), ""))
    return old


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


def _below(path: str) -> list[str]:
    """Return the folders that a node's path becomes below a frame's folder: `//passes/` stays `passes`."""
    parts = [p for p in re.split(r"[/\\]", path) if p not in ("", ".", "..") and not p.endswith(":")]
    return parts if path.startswith("//") else parts[-1:]
