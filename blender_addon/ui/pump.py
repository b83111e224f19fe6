"""Carry what threads tell into Blender's main thread, by a timer; in the background, by waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bpy

from . import declared, joblist, preview, thumbnails
from .desk import desk

BUSY, QUIET = 0.1, 0.5
"""Seconds between two looks: while something is on its way, and while only jobs are watched."""


def start() -> None:
    """Look at the inbox from now on; nothing blocks meanwhile."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=BUSY, persistent=True)


def stop() -> None:
    """Look no more."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def wait(until: Callable[[], bool]) -> None:
    """Take what comes until something is so: for the background, where no timer runs."""
    while not until():
        time.sleep(0.02)
        take()


def idle() -> bool:
    """Tell whether everything that was asked for has ended."""
    return desk.busy == 0 and desk.inbox.empty()


def take() -> list[Any]:
    """Take what threads have told, and show it."""
    taken = desk.take_all()
    if taken:
        declared.shelf.offer(desk.methods)
        show_jobs()
        thumbnails.show(desk.thumbnails)
        redraw()
    return taken


def show_jobs() -> None:
    """Fill the list of jobs, and have the chosen one's picture fetched."""
    manager = bpy.context.window_manager
    if joblist.show(manager, desk.jobs, desk.fresh):
        desk.fresh = 0
    if desk.watcher is not None and desk.watcher.shown != joblist.number(manager):
        desk.watcher.shown = joblist.number(manager)
        desk.watcher.look()


def redraw() -> None:
    """Draw the panels anew, and the status bar's line."""
    despatch = desk.despatch
    text = f"Render on Farm: {despatch.status} (ESC stops)" if despatch and not despatch.broken else None
    for window in bpy.context.window_manager.windows:
        if _LINE["shown"] or text:
            window.workspace.status_text_set(text)
        for area in window.screen.areas:
            if area.type in ("PROPERTIES", "PREFERENCES"):
                area.tag_redraw()
    _LINE["shown"] = bool(text)


_LINE = {"shown": False}
"""Whether the status bar shows a line of ours, which others may want to use."""


def _tick() -> float | None:
    take()
    preview.tidy()
    if desk.busy or desk.despatch is not None:
        return BUSY
    return QUIET if desk.watcher is not None else None
