"""A picture in an image editor that leaves nothing in the artist's file."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

MARK = "distren_preview"
"""A property of the images that are ours."""


def show(context: Any, path: str) -> None:
    """Show a picture in an image editor that is open, else in a window of its own."""
    forget()
    image = bpy.data.images.load(path, check_existing=False)
    image[MARK] = True
    editor = _editor(context) or _window(context)
    if editor is not None:
        editor.spaces.active.image = image
        editor.tag_redraw()


@persistent
def forget(*_arguments: Any) -> None:
    """Take our pictures out of the file: before it is saved, or packed."""
    for image in [image for image in bpy.data.images if image.get(MARK)]:
        bpy.data.images.remove(image)


def tidy() -> None:
    """Take our pictures out of the file that no editor shows any more."""
    windows = bpy.context.window_manager.windows
    editors = [area.spaces.active for w in windows for area in w.screen.areas if area.type == "IMAGE_EDITOR"]
    for image in [image for image in bpy.data.images if image.get(MARK)]:
        if all(editor.image != image for editor in editors):
            bpy.data.images.remove(image)


def _editor(context: Any) -> Any:
    windows = context.window_manager.windows
    return next((a for w in windows for a in w.screen.areas if a.type == "IMAGE_EDITOR"), None)


def _window(context: Any) -> Any:
    if bpy.app.background:
        return None
    bpy.ops.wm.window_new()
    area = context.window_manager.windows[-1].screen.areas[0]
    area.type = "IMAGE_EDITOR"
    return area
