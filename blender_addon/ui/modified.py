"""The open file's modified flag: sending takes none of it away.

Until some 4.x, Blender thinks that a file is saved as soon as a copy of it is written; who closed it then
would not be asked, and would lose their work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy

SOON, TRIES = 0.05, 10
"""Seconds between two looks, and how many: Blender forgets the flag a moment after the copy is written."""


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep the flag while, and after, copies of the file are written."""
    was = bpy.data.is_dirty
    try:
        yield
    finally:
        if was and not bpy.app.background:
            left = [TRIES]

            def look() -> float | None:
                if not bpy.data.is_dirty:
                    _mark()
                    return None
                left[0] -= 1
                return SOON if left[0] else None

            bpy.app.timers.register(look, first_interval=SOON)


def _mark() -> None:
    """Say that the file was changed; without global undo, this makes no step of undo."""
    preferences = bpy.context.preferences
    undo, dirty = preferences.edit.use_global_undo, preferences.is_dirty
    preferences.edit.use_global_undo = False
    try:
        window = bpy.context.window_manager.windows[0]
        with bpy.context.temp_override(window=window, screen=window.screen):
            bpy.ops.ed.undo_push(message="Render on Farm")
    finally:
        preferences.edit.use_global_undo, preferences.is_dirty = undo, dirty
