"""Render one frame."""

from __future__ import annotations

import os
import time
from typing import Any

import bpy

from farm.methods.inside.trouble import SLAVE, Trouble, from_blender

from . import checks, engines, expected, machine, outputs, preview, simulation, tile
from .narration import Narrator
from .opening import Opened


def render(opened: Opened, order: dict[str, Any], narrator: Narrator) -> dict[str, Any]:
    """Render a frame into its folder.

    Args:
        opened: the open file.
        order: `picture` (or a tile's number), `output` (an empty folder), `cold` (without what was prepared before),
            `keep` (what a cold frame prepares is kept for the next one), `depends` (folders of frames that it waited
            for).
        narrator: tells how far it is.

    Returns:
        The facts of the `done` event.

    Raises:
        Trouble: no picture, or not all of it.
    """
    folder = order["output"]
    picture = tile.choose(opened.scene, opened.order.get("settings") or {}, int(order["picture"]))
    if opened.finisher:
        opened.finisher.take(opened.order["root"], order.get("depends") or [])
    os.makedirs(folder, exist_ok=True)
    began, cpu = time.monotonic(), machine.cpu_seconds()
    narrator.begin()
    try:
        _prepare(opened, order, picture)
        keeps = opened.persistent and bool(order.get("keep") or not order.get("cold"))
        _run(opened, picture, folder, persistent=keeps)
    finally:
        narrator.end()
    found = _found(opened, picture, folder)
    load, opened.fresh = (opened.seconds if opened.fresh else 0.0), False
    rested, opened.rested = opened.rested, time.monotonic()
    return {
        **found,
        "seconds": opened.rested - began,
        **narrator.steps(opened.rested),
        "idle_seconds": began - rested if rested else 0.0,
        "cpu_seconds": machine.cpu_seconds() - cpu,
        "load_seconds": load,
        "memory": machine.peak_bytes(),
    }


def _prepare(opened: Opened, order: dict[str, Any], picture: int) -> None:
    if opened.in_order:
        opened.played = simulation.play(opened.scene, opened.played, picture)
    if order.get("cold"):
        # Switching it off drops at once what Cycles kept, so that a cold frame is one.
        opened.scene.render.use_persistent_data = False


def _found(opened: Opened, picture: int, folder: str) -> dict[str, Any]:
    """Return what a frame left: its files, the pictures among them, and one to look at.

    Raises:
        Trouble: it is not the picture that its artist would see, or not all of it.
    """
    scene, settings = opened.scene, opened.order.get("settings") or {}
    checks.scripts(settings)
    engines.check(picture)
    if settings.get("viewed"):
        preview.view(scene, outputs.picture_name(scene, picture, opened.places), folder)
    files = outputs.written(folder)
    if not files or not all(map(os.path.getsize, files)):
        raise Trouble(f"Blender ended frame {picture} without a word, and wrote no whole picture.", SLAVE)
    pictures = expected.pictures(scene, picture, folder, opened.places)
    return {"files": files, "pictures": pictures, "preview": preview.write(scene, folder)}


def _run(opened: Opened, picture: int, folder: str, persistent: bool) -> None:
    """Call Blender, without touching the scene's own range: drivers may read it."""
    settings = opened.scene.render
    home = settings.filepath
    nodes = outputs.redirect_nodes(folder, opened.places)
    settings.use_persistent_data = persistent
    try:
        outputs.refuse_clashes(opened.scene, picture, folder, opened.places)
        answer = (_animation if _RANGES else _still)(opened, picture, folder)
    except RuntimeError as error:
        raise from_blender(error) from error
    finally:
        settings.filepath = home
        outputs.restore(nodes)
    if "FINISHED" not in answer:
        raise Trouble(f"Blender gave up frame {picture} without saying why.", SLAVE)


_RANGES = "frame_start" in bpy.ops.render.render.get_rna_type().properties
"""Since 5.0 an animation can be told its range. There, stills leave frame numbers out of File Output nodes' names."""


def _animation(opened: Opened, picture: int, folder: str) -> set[str]:
    scene = opened.scene
    scene.render.filepath = outputs.picture_template(scene, folder, opened.places)
    answer: set[str] = bpy.ops.render.render(animation=True, scene=scene.name, frame_start=picture, frame_end=picture)
    return answer


def _still(opened: Opened, picture: int, folder: str) -> set[str]:
    scene = opened.scene
    scene.render.filepath = outputs.picture_path(scene, picture, folder, opened.places)
    scene.frame_current = picture
    answer: set[str] = bpy.ops.render.render(write_still=True, scene=scene.name)
    return answer
