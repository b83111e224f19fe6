"""A picture of a picture, for those that only Blender can show as its artist sees them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

NAME = ".preview.jpg"

UNSEEN = ("OPEN_EXR", "OPEN_EXR_MULTILAYER", "HDR", "DPX", "CINEON")
"""Formats that show nothing without a view transform, or that nothing else here reads."""

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
    with _as_jpeg(scene.render):
        error = _save(result, scene, path)
        if error and scene.render.use_multiview:
            # That a result has two eyes, Blender finds out by failing to save it once.
            error = _save(result, scene, path)
    if error:
        sys.stderr.write(f"There is no preview: {error}\n")
    return "" if error else path


def _save(result: Any, scene: Any, path: str) -> str:
    """Save a picture; return what is wrong, else an empty text."""
    try:
        result.save_render(path, scene=scene)
    except RuntimeError as error:
        return str(error)
    return ""


@contextmanager
def _as_jpeg(render: Any) -> Iterator[None]:
    settings, eyes = render.image_settings, render.image_settings.stereo_3d_format
    names = [*_FIRST, *(p.identifier for p in settings.bl_rna.properties if not p.is_readonly)]
    kept = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    wanted = {"file_format": "JPEG", "color_mode": "RGB", "quality": 85, "color_management": "FOLLOW_SCENE"}
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
