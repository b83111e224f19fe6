"""A picture of a picture, for those that only Blender can show as its artist sees them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from farm.methods.inside.trouble import SLAVE, Trouble

NAME = ".preview.jpg"

UNSEEN = ("OPEN_EXR", "OPEN_EXR_MULTILAYER", "HDR", "DPX", "CINEON")
"""Formats that show nothing without a view transform, or that nothing else here reads."""

SEEN = ".view.png"
"""Ends the names of pictures through the view transform."""

_JPEG = {"file_format": "JPEG", "color_mode": "RGB", "quality": 85, "color_management": "FOLLOW_SCENE"}
_PNG = {"file_format": "PNG", "color_mode": "RGB", "color_depth": "8", "color_management": "FOLLOW_SCENE"}

_FIRST = ("media_type", "file_format", "color_mode", "color_depth")
"""Each decides which values the next may have."""


def write(scene: Any, folder: str) -> str:
    """Write the picture that was rendered last through the scene's view transform, as a JPEG.

    Args:
        scene: what was rendered.
        folder: where it goes.

    Returns:
        Its path; empty if none is needed, or it could not be made: no frame fails for it.
    """
    result, path = bpy.data.images.get("Render Result"), os.path.join(folder, NAME)
    if scene.render.image_settings.file_format not in UNSEEN or result is None:
        return ""
    with _as(scene.render, _JPEG):
        error = _save(result, scene, path)
        if error and scene.render.use_multiview:
            # That a result has two eyes, Blender finds out by failing to save it once.
            error = _save(result, scene, path)
    if error:
        sys.stderr.write(f"There is no preview: {error}\n")
    return "" if error else path


def view(scene: Any, name: str, folder: str) -> None:
    """Write the picture that was rendered last as it is seen, as a PNG beside its file, if that needs it.

    Args:
        scene: what was rendered.
        name: the picture's file, below the folder.
        folder: the frame's.

    Raises:
        Trouble: it can't be written.
    """
    result = bpy.data.images.get("Render Result")
    if scene.render.image_settings.file_format not in UNSEEN or result is None:
        return
    with _as(scene.render, _PNG):
        error = _save(result, scene, os.path.join(folder, os.path.splitext(name)[0] + SEEN))
    if error:
        raise Trouble(f"The picture can't be written as it is seen: {error}", SLAVE)


def _save(result: Any, scene: Any, path: str) -> str:
    """Save a picture; return what is wrong, else an empty text."""
    try:
        result.save_render(path, scene=scene)
    except RuntimeError as error:
        return str(error)
    return ""


@contextmanager
def _as(render: Any, wanted: dict[str, Any]) -> Iterator[None]:
    settings, eyes = render.image_settings, render.image_settings.stereo_3d_format
    names = [*_FIRST, *(p.identifier for p in settings.bl_rna.properties if not p.is_readonly)]
    kept = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    if "media_type" in kept:  # 5.0 sorts the formats into kinds
        wanted = {"media_type": "IMAGE", **wanted}
    if render.use_multiview:  # one picture of several views can't be written in another way
        wanted["views_format"] = "STEREO_3D"
    mode, eyes.display_mode = eyes.display_mode, "SIDEBYSIDE"
    try:
        for name, value in wanted.items():
            setattr(settings, name, value)
        yield
    finally:
        eyes.display_mode = mode
        for name, value in kept.items():
            # Some hold values that they would not take, if a build lacks what these name.
            if getattr(settings, name) != value:
                setattr(settings, name, value)
