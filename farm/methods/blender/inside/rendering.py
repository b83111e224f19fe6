"""Render one frame."""

from __future__ import annotations

import os
import time
from typing import Any

import bpy

from . import machine, outputs
from .narration import Narrator
from .opening import Opened
from .trouble import SLAVE, Trouble, from_blender


def render(opened: Opened, order: dict[str, Any], narrator: Narrator) -> dict[str, Any]:
    """Render a frame into its folder.

    Args:
        opened: the open file.
        order: `picture`, `output` (an empty folder), `cold` (without what was prepared before).
        narrator: tells how far it is.

    Returns:
        The facts of the `done` event.

    Raises:
        Trouble: no picture, or not all of it.
    """
    scene, folder, picture = opened.scene, order["output"], int(order["picture"])
    os.makedirs(folder, exist_ok=True)
    began, cpu = time.monotonic(), machine.cpu_seconds()
    narrator.begin()
    try:
        _run(scene, picture, folder, persistent=opened.persistent and not order.get("cold"))
    finally:
        narrator.end()
    files = outputs.written(folder)
    if not files or not all(map(os.path.getsize, files)):
        raise Trouble(f"Blender ended frame {picture} without a word, and wrote no whole picture.", SLAVE)
    load, opened.fresh = (opened.seconds if opened.fresh else 0.0), False
    return {
        "files": files,
        "seconds": time.monotonic() - began,
        "cpu_seconds": machine.cpu_seconds() - cpu,
        "load_seconds": load,
        "memory": machine.peak_bytes(),
    }


def _run(scene: Any, picture: int, folder: str, persistent: bool) -> None:
    """Call Blender. A still with the frame's name, not an animation of one frame: the range stays the artist's."""
    settings = scene.render
    home = settings.filepath
    nodes = outputs.redirect_nodes(folder)
    name = outputs.home_name(scene, picture)
    # Switching it off drops what Cycles kept, so that a cold frame is one.
    settings.use_persistent_data = persistent
    scene.frame_current = picture
    settings.filepath = os.path.join(folder, name)
    try:
        answer = bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise from_blender(error) from error
    finally:
        settings.filepath = home
        outputs.restore(nodes)
    if "FINISHED" not in answer:
        raise Trouble(f"Blender gave up frame {picture} without saying why.", SLAVE)
