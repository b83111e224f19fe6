"""What a frame's picture must be like: which files it is, their size, their channels."""

from __future__ import annotations

import os
from typing import Any

from blender_addon.scene_nodes import renders_edit

from . import outputs

_CHANNELS = {"BW": 1, "RGB": 3, "RGBA": 4}
_EXACT = ("PNG", "TIFF", "JPEG")
"""Formats whose files have just the channels that were asked for."""


def pictures(scene: Any, picture: int, folder: str, places: outputs.Places) -> dict[str, list[int]]:
    """Return the pictures of a frame that are there, without those of File Output nodes.

    Args:
        scene: what was rendered.
        picture: the frame.
        folder: where its files are.
        places: what the job says of folders.

    Returns:
        By absolute path: width and height in pixels, and channels; 0: any will do. None, if
        the name holds that of a marker's camera: Blender has put back the scene's own by now.
    """
    wanted = [*size(scene), channels(scene)]
    beginning, suffix = os.path.splitext(os.path.join(folder, outputs.picture_name(scene, picture, places)))
    paths = [f"{beginning}{view}{suffix}" for view in _views(scene)]
    return {path: wanted for path in paths if os.path.isfile(path)}


def size(scene: Any) -> tuple[int, int]:
    """Return width and height of the scene's pictures; a border without crop leaves the rest empty."""
    render = scene.render
    if render.use_multiview and render.image_settings.views_format == "STEREO_3D":
        return 0, 0  # both eyes in one, side by side or otherwise
    width, height = whole_size(scene)
    if not render.use_border or not render.use_crop_to_border or renders_edit(scene):
        return width, height
    left, right, bottom, top = render.border_min_x, render.border_max_x, render.border_min_y, render.border_max_y
    return int(right * width) - int(left * width), int(top * height) - int(bottom * height)


def whole_size(scene: Any) -> tuple[int, int]:
    """Return width and height of what the camera sees."""
    render = scene.render
    return tuple(render.resolution_percentage * n // 100 for n in (render.resolution_x, render.resolution_y))


def channels(scene: Any) -> int:
    """Return the channels of the scene's pictures; 0 if that can't be said."""
    settings = scene.render.image_settings
    return _CHANNELS.get(settings.color_mode, 0) if settings.file_format in _EXACT else 0


def _views(scene: Any) -> list[str]:
    """Return what the files of views may be told by; nothing, if one file is for all."""
    return ["", *(view.file_suffix for view in scene.render.views if view.use and scene.render.use_multiview)]
